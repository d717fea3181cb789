/** reqHistoricalData as text: bar sizes, durations, and which of them are refused. */
import { isShow, type Show } from './show.js';

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** Length in milliseconds, or the calendar's unit. */
export type BarSize = number | 'day' | 'week' | 'month';

const BAR_SIZES: Readonly<Record<string, BarSize>> = {
  '1 secs': SECOND_MS,
  '5 secs': 5 * SECOND_MS,
  '10 secs': 10 * SECOND_MS,
  '15 secs': 15 * SECOND_MS,
  '30 secs': 30 * SECOND_MS,
  '1 min': MINUTE_MS,
  '2 mins': 2 * MINUTE_MS,
  '3 mins': 3 * MINUTE_MS,
  '5 mins': 5 * MINUTE_MS,
  '10 mins': 10 * MINUTE_MS,
  '15 mins': 15 * MINUTE_MS,
  '20 mins': 20 * MINUTE_MS,
  '30 mins': 30 * MINUTE_MS,
  '1 hour': HOUR_MS,
  '2 hours': 2 * HOUR_MS,
  '3 hours': 3 * HOUR_MS,
  '4 hours': 4 * HOUR_MS,
  '8 hours': 8 * HOUR_MS,
  '1 day': 'day',
  '1 week': 'week',
  '1W': 'week',
  '1 month': 'month',
  '1M': 'month',
};

const ALIASES: Readonly<Record<string, string>> = {
  '1 sec': '1 secs',
  '1 mins': '1 min',
  '1 hours': '1 hour',
  '1 days': '1 day',
  '1D': '1 day',
  '1 D': '1 day',
  '1 W': '1 week',
  '1w': '1 week',
  '1 M': '1 month',
  '1m': '1 month',
};

export type DurationUnit = 'S' | 'D' | 'W' | 'M' | 'Y';

export interface HistoryQuery {
  readonly size: BarSize;
  readonly count: number;
  readonly unit: DurationUnit;
  readonly show: Show;
}

/** The texts of a request, or the cause for which IBKR refuses it (error 321). */
export function parseHistoryQuery(
  barSize: string,
  duration: string,
  whatToShow: string,
  keepUpToDate: boolean,
): HistoryQuery | string {
  const size = BAR_SIZES[ALIASES[barSize] ?? barSize];
  if (size === undefined)
    return `Historical data bar size setting is invalid. Legal ones are: ${Object.keys(BAR_SIZES).join(', ')}`;
  const match = /^ *(\d{1,6}) *([SDWMY]) *$/i.exec(duration);
  const count = match === null ? 0 : Number(match[1]);
  if (match === null || count === 0)
    return `Historical data query duration format is invalid: '${duration}'. Write an integer, a space and one of S, D, W, M, Y`;
  const unit = (['S', 'D', 'W', 'M', 'Y'] as const).find((one) => one === match[2].toUpperCase()) ?? 'D';
  if (unit === 'S' && count > 86_400)
    return 'Historical data requests for durations longer than 86400 seconds must be made in days';
  if (unit === 'D' && count > 365)
    return 'Historical data requests for durations longer than 365 days must be made in years';
  if (keepUpToDate && typeof size === 'number' && size < 5 * SECOND_MS)
    return 'Bars that are kept up to date are of at least 5 seconds';
  // MIDPOINT is what clients for currencies ask for; the rest of IBKR's list needs data that bars do not hold
  const show = whatToShow === 'AGGTRADES' ? 'TRADES' : whatToShow;
  if (!isShow(show)) return `What to show field is missing or incorrect: '${whatToShow}'`;
  return { size, count, unit, show };
}

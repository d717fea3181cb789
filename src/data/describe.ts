/** What a data set is and what its bars look like. */
import type { Instrument } from '#env/market/instrument.js';
import { calendarNamed } from '#env/market/calendar.js';
import type { Bars } from '#env/market/bars.js';
import { DAY_MS, timeText } from './interval.js';
import { loadDatasetInFull, type CsvHints } from './load.js';
import { sessionDay } from './segments.js';

export interface Range {
  readonly least: number;
  readonly median: number;
  readonly greatest: number;
}

export interface Description {
  readonly name: string;
  readonly title: string | null;
  readonly source: string | null;
  readonly licence: string | null;
  readonly notes: string | null;
  readonly file: string | null;
  readonly sha256: string;
  readonly synthetic: boolean;
  readonly inferred: readonly string[];
  readonly instrument: Instrument;
  readonly interval: string;
  readonly calendar: string;
  readonly bars: number;
  readonly from: string;
  readonly to: string;
  readonly sessions: number;
  readonly segments: readonly { readonly from: string; readonly to: string; readonly bars: number }[];
  /** How the prices relate to tradable ones; the factors' range where they are known. */
  readonly adjustments: string;
  readonly factor: Range | null;
  readonly close: Range;
  readonly volume: Range;
  readonly zero_volume: number;
  /** Of log returns from close to close within segments. `annual` scales by the root of bars a year. */
  readonly returns: {
    readonly count: number;
    readonly mean: number;
    readonly deviation: number;
    readonly annual_deviation: number;
    readonly skewness: number;
    readonly excess_kurtosis: number;
    readonly least: number;
    readonly greatest: number;
  };
}

export async function describeDataset(nameOrPath: string, hints: CsvHints = {}): Promise<Description> {
  const { bars, manifest, file, inferred } = await loadDatasetInFull(nameOrPath, hints);
  const days = new Set<number>();
  const calendar = calendarNamed(bars.calendar);
  for (const time of bars.openTimeMs) days.add(sessionDay(calendar, bars.interval, time));
  const prices = manifest?.adjustments.prices ?? (bars.factor === null ? 'none' : 'adj_close');
  return {
    name: bars.source,
    title: manifest?.title ?? null,
    source: manifest?.source ?? null,
    licence: manifest?.licence ?? null,
    notes: manifest?.notes ?? null,
    file,
    sha256: bars.sha256,
    synthetic: bars.synthetic,
    inferred,
    instrument: bars.instrument,
    interval: bars.interval.label,
    calendar: bars.calendar,
    bars: bars.length,
    from: timeText(bars.interval, bars.openTimeMs[0]),
    to: timeText(bars.interval, bars.openTimeMs[bars.length - 1]),
    sessions: days.size,
    segments: bars.segments.map(({ start, end }) => ({
      from: timeText(bars.interval, bars.openTimeMs[start]),
      to: timeText(bars.interval, bars.openTimeMs[end - 1]),
      bars: end - start,
    })),
    adjustments: ADJUSTMENTS[prices],
    factor: bars.factor === null ? null : rangeOf(bars.factor),
    close: rangeOf(bars.close),
    volume: rangeOf(bars.volume),
    zero_volume: bars.volume.reduce((count, volume) => count + (volume === 0 ? 1 : 0), 0),
    returns: returnsOf(bars, days.size),
  };
}

const ADJUSTMENTS = {
  none: 'none: prices are tradable as they stand',
  adj_close: 'adjusted by adjusted close / close; the factor is kept',
  factor: 'adjusted by the factor in the file; the factor is kept',
  applied: 'adjusted before they came here, by a factor that is not known',
} as const;

function rangeOf(values: Float64Array): Range {
  const sorted = values.toSorted();
  return { least: sorted[0], median: sorted[sorted.length >>> 1], greatest: sorted[sorted.length - 1] };
}

function returnsOf(bars: Bars, sessions: number): Description['returns'] {
  const returns: number[] = [];
  for (const { start, end } of bars.segments)
    for (let t = start + 1; t < end; t++) returns.push(Math.log(bars.close[t] / bars.close[t - 1]));
  const count = returns.length;
  const mean = returns.reduce((sum, value) => sum + value, 0) / Math.max(1, count);
  const moment = (power: number): number =>
    returns.reduce((sum, value) => sum + (value - mean) ** power, 0) / Math.max(1, count);
  const variance = moment(2);
  const deviation = Math.sqrt(variance);
  const perYear = bars.calendar === '24x7' ? 365 : bars.calendar === 'FX' ? 260 : 252;
  const barsPerYear =
    bars.interval.ms > DAY_MS ? (365.25 * DAY_MS) / bars.interval.ms : (bars.length / sessions) * perYear;
  return {
    count,
    mean,
    deviation,
    annual_deviation: deviation * Math.sqrt(barsPerYear),
    skewness: variance === 0 ? 0 : moment(3) / (variance * deviation),
    excess_kurtosis: variance === 0 ? 0 : moment(4) / (variance * variance) - 3,
    least: returns.reduce((least, value) => Math.min(least, value), returns[0] ?? 0),
    greatest: returns.reduce((greatest, value) => Math.max(greatest, value), returns[0] ?? 0),
  };
}

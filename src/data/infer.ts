/** What a bare CSV file lets one conclude about its calendar and its instrument. Every conclusion is reported. */
import path from 'node:path';
import { calendarNamed, type TradingCalendar } from '#env/market/calendar.js';
import type { Instrument } from '#env/market/instrument.js';
import { fail } from '#src/errors.js';
import { DAY_MS } from './interval.js';
import { defaultTicks } from './manifest.js';
import type { CsvBars } from './read-csv.js';

/** XNYS or FX where every bar opens in one of their sessions; else 24x7. */
export function inferCalendar(
  file: string,
  csv: Pick<CsvBars, 'openTimeMs' | 'interval'>,
  inferred: string[],
  checkStamps: boolean,
): string {
  for (const name of ['XNYS', 'FX']) {
    if (fits(calendarNamed(name), csv, 0)) {
      inferred.push(`calendar ${name}: every bar opens in one of its sessions`);
      return name;
    }
    if (checkStamps && name === 'XNYS' && csv.interval.ms < DAY_MS && fits(calendarNamed(name), csv, csv.interval.ms)) {
      fail('DATA_TIME', {
        where: file,
        value: new Date(csv.openTimeMs[0]).toISOString(),
        message:
          'the stamps look like the ENDS of bars (the last of a session stands at its close): import the file with --stamp close',
      });
    }
  }
  inferred.push(
    'calendar 24x7: some bars lie outside the sessions of XNYS and of FX, or outside the years 2000 to 2030',
  );
  return '24x7';
}

function fits(
  calendar: TradingCalendar,
  { openTimeMs, interval }: Pick<CsvBars, 'openTimeMs' | 'interval'>,
  shiftMs: number,
): boolean {
  // the local date may be a day off the UTC one: midnight of 2000 in UTC is still 1999 in New York
  const margin = interval.ms < DAY_MS ? DAY_MS / 2 : 0;
  const first = new Date(openTimeMs[0] - margin).getUTCFullYear();
  const last = new Date(openTimeMs[openTimeMs.length - 1] + margin).getUTCFullYear();
  if (first < 2000 || last > 2030) return false;
  // a week's bar bears the date of any of its days
  if (interval.ms > DAY_MS) return true;
  const daily = interval.ms === DAY_MS;
  return openTimeMs.every(
    (time) => (daily ? calendar.sessionOnDay(time / DAY_MS) : calendar.sessionAt(time - shiftMs)) !== null,
  );
}

const CURRENCIES = new Set([
  'USD',
  'EUR',
  'GBP',
  'JPY',
  'CHF',
  'AUD',
  'NZD',
  'CAD',
  'SEK',
  'NOK',
  'DKK',
  'HKD',
  'SGD',
  'MXN',
  'ZAR',
  'CNH',
  'PLN',
  'CZK',
  'HUF',
  'TRY',
]);

/** The symbol is what the file's name begins with; six letters of two currencies are a pair. */
export function inferInstrument(file: string, symbol: string | undefined, inferred: string[]): Instrument {
  const name = symbol ?? /^[A-Za-z]+(?:\.[A-Z])?/.exec(path.basename(file))?.[0]?.toUpperCase() ?? 'UNKNOWN';
  if (symbol === undefined) inferred.push(`symbol ${name}: from the file's name`);
  const letters = name.replace(/[./]/g, '').toUpperCase();
  const pair = letters.length === 6 && CURRENCIES.has(letters.slice(0, 3)) && CURRENCIES.has(letters.slice(3));
  const currency = pair ? letters.slice(3) : 'USD';
  const securityType = pair ? 'CASH' : 'STK';
  const ticks = defaultTicks(securityType, currency);
  inferred.push(
    `type ${securityType}, ${currency}, ticks ${ticks.map(({ lowEdge, increment }) => `${increment} from ${lowEdge}`).join(', ')}, lot 1: the usual ones`,
  );
  return { symbol: name, securityType, currency, exchange: pair ? 'IDEALPRO' : 'SMART', ticks, lotSize: 1 };
}

import { describe, expect, it } from 'vitest';
import { RandomStream } from '#env/seeding.js';
import { parseDecimal, RowScanner } from './csv-rows.js';
import { readCsvBars, type CsvFormat } from './read-csv.js';
import { ZoneClock } from './time-zone.js';
import { StrictSink } from './violations.js';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = (text: string, format: CsvFormat = {}, interval: string | null = null): ReturnType<typeof readCsvBars> =>
  readCsvBars('f.csv', bytesOf(text), format, interval, new StrictSink('f.csv'));
const opens = (text: string, format: CsvFormat = {}, interval: string | null = null): string[] =>
  Array.from(read(text, format, interval).openTimeMs, (time) => new Date(time).toISOString());
/** A file of the given stamps, all with the same bar. */
const stamped = (...stamps: string[]): string =>
  ['date,open,high,low,close,volume', ...stamps.map((stamp) => `${stamp},10,11,9,10.5,100`)].join('\n');
const HALF_PAST = ['2024-01-02T14:30:00.000Z', '2024-01-02T14:31:00.000Z'];
const NEW_YORK: CsvFormat = { time_zone: 'America/New_York' };

describe('stamps', () => {
  it.each<[string, string[], CsvFormat]>([
    ['Interactive Brokers, two spaces', ['20240102  09:30:00', '20240102  09:31:00'], NEW_YORK],
    ['Interactive Brokers, with zone', ['20240102 09:30:00 US/Eastern', '20240102 09:31:00 US/Eastern'], {}],
    ['Interactive Brokers, UTC form', ['20240102-14:30:00', '20240102-14:31:00'], {}],
    ['NinjaTrader', ['20240102 093000', '20240102 093100'], NEW_YORK],
    ['14 digits', ['20240102093000', '20240102093100'], NEW_YORK],
    ['MetaTrader', ['2024.01.02 09:30', '2024.01.02 09:31'], NEW_YORK],
    ['ISO with offset', ['2024-01-02T09:30:00-05:00', '2024-01-02 09:31:00.000 -0500'], {}],
    ['ISO in UTC, lower case', ['2024-01-02t14:30z', '2024-01-02t14:31z'], {}],
    ['US order', ['1/2/2024 9:30', '1/2/2024 9:31'], { ...NEW_YORK, date_order: 'mdy' }],
    ['epoch seconds', ['1704205800', '1704205860'], {}],
    ['epoch seconds with decimals', ['1704205800.0', '1704205860.0'], {}],
    ['epoch milliseconds', ['1704205800000', '1704205860000'], {}],
    ['epoch microseconds', ['1704205800000000', '1704205860000000'], {}],
    ['epoch nanoseconds', ['1704205800000000000', '1704205860000000000'], {}],
  ])('%s', (_, stamps, format) => expect(opens(stamped(...stamps), format)).toEqual(HALF_PAST));

  it('reads date and time from two columns, as TWS exports them', () => {
    const text =
      'Date,Time,Open,High,Low,Close,Volume\n20240102,09:30:00,10,11,9,10.5,1\n20240102,09:31:00,10,11,9,10.5,1';
    expect(opens(text, NEW_YORK)).toEqual(HALF_PAST);
  });

  it('takes the interval off stamps at the close', () => {
    expect(opens(stamped('2024-01-02T14:31:00Z', '2024-01-02T14:32:00Z'), { stamp: 'close' })).toEqual(HALF_PAST);
  });

  it('reads daily bars by their own date, whatever the zone and the hour', () => {
    const days = ['2024-03-08T00:00:00.000Z', '2024-03-11T00:00:00.000Z', '2024-03-12T00:00:00.000Z'];
    expect(opens(stamped('2024-03-08', '2024-03-11', '2024-03-12'))).toEqual(days);
    expect(opens(stamped('20240308', '20240311', '20240312'))).toEqual(days);
    // midnight in New York, in UTC: the clocks change between Friday and Monday
    expect(opens(stamped('2024-03-08T05:00:00Z', '2024-03-11T04:00:00Z', '2024-03-12T04:00:00Z'), NEW_YORK)).toEqual(
      days,
    );
    expect(
      opens(stamped('2024-03-08T00:00:00-05:00', '2024-03-11T00:00:00-04:00', '2024-03-12T00:00:00-04:00')),
    ).toEqual(days);
    expect(opens(stamped('2024-03-08 16:00', '2024-03-11 16:00', '2024-03-12 16:00'), { stamp: 'close' })).toEqual(
      days,
    );
    expect(() => opens(stamped('2024-03-08T05:00:00Z', '2024-03-11T04:00:00Z', '2024-03-12T04:00:00Z'))).toThrow(
      /DATA_TIME f.csv:2 .*do not tell their date/,
    );
  });

  it('refuses what lies between milliseconds, and times of day that there are not', () => {
    expect(() => opens(stamped('1704205800000000001', '1704205860000000001'))).toThrow(
      /DATA_TIME f.csv:2 .*between two milliseconds/,
    );
    expect(() => opens(stamped('2024-01-02T24:00:00Z'))).toThrow(/DATA_TIME f.csv:2 .*no such time of day/);
    expect(() => opens(stamped('2024-01-02T14:30:00+99:00'))).toThrow(/DATA_TIME f.csv:2/);
    expect(() => opens(stamped('yesterday'))).toThrow(/DATA_TIME f.csv:2 "yesterday"/);
  });
});

it('reads Yahoo: prices of the file beside the factor to adjusted ones', () => {
  const text = 'Date,Open,High,Low,Close,Adj Close,Volume\n2024-01-02,10,11,9,10,5,100\n2024-01-03,10,11,9,10,10,100';
  expect([...(read(text).factor ?? [])]).toEqual([0.5, 1]);
  expect([...read(text).close]).toEqual([10, 10]);
  expect(read(text, { adjust: false }).factor).toBeNull();
});

it('reads epochs that were said to be such, and refuses dates then', () => {
  expect(opens(stamped('20240102', '20240162'), { time: 'epoch_s' })).toEqual([
    '1970-08-23T06:15:02.000Z',
    '1970-08-23T06:16:02.000Z',
  ]);
  expect(() => opens(stamped('2024-01-02'), { time: 'epoch_s' })).toThrow(
    /DATA_TIME f.csv:2 "2024-01-02": not a number of seconds since 1970/,
  );
});

it('finds the interval, and takes the one that is said', () => {
  expect(read(stamped('2024-01-02', '2024-01-03', '2024-01-04', '2024-01-08')).interval).toEqual({
    label: '1d',
    ms: 86_400_000,
  });
  expect(read(stamped('2024-01-05', '2024-01-12', '2024-01-19')).interval.label).toBe('1w');
  expect(
    read(stamped('2024-01-02T14:30Z', '2024-01-02T14:45Z', '2024-01-02T15:00Z', '2024-01-03T14:30Z')).interval.label,
  ).toBe('15m');
  expect(read(stamped('2024-01-02T14:30Z', '2024-01-02T15:30Z'), {}, '5m').interval.label).toBe('5m');
  expect(() => read(stamped('2024-01-02', '2024-01-03'), {}, '5m')).toThrow(
    /DATA_TIME f.csv "5m": the stamps are dates/,
  );
  expect(() => read(stamped('2024-01-02'), {}, 'hourly')).toThrow(/DATA_TIME f.csv "hourly": not an interval/);
});

describe('parseDecimal', () => {
  const parse = (text: string, decimal = '.', thousands = ''): number =>
    parseDecimal(bytesOf(text), 0, text.length, { decimal, thousands });

  it('gives the bits that Number gives', () => {
    const stream = new RandomStream(1, 'decimals');
    for (let i = 0; i < 20_000; i++) {
      const value = (stream.uniform() - 0.5) * [1, 1e3, 1e9, 1e-6, 1e18][i % 5];
      for (const text of [String(value), value.toFixed(i % 9), value.toPrecision(1 + (i % 17))]) {
        if (!Object.is(parse(text), Number(text))) throw new Error(`${text}: ${parse(text)}`);
      }
    }
    expect(parse('143539993.30000001')).toBe(143539993.30000001);
  });

  it.each(['', '-', '.', '1.2.3', '1,2', '0x10', 'Infinity', 'NaN', '1e', '--1', '1 2', 'e5'])('refuses %j', (text) =>
    expect(parse(text)).toBeNaN(),
  );
  it.each<[string, string, string, number]>([
    ['1,234.5', '.', ',', 1234.5],
    ['12,345,678', '.', ',', 12_345_678],
    ['1.234,5', ',', '.', 1234.5],
    ["1'234", '.', "'", 1234],
    ['7,5', ',', '', 7.5],
  ])('reads %s with decimal %s and thousands %s', (text, decimal, thousands, value) =>
    expect(parse(text, decimal, thousands)).toBe(value),
  );
  it.each([
    ['1,23', '.', ','],
    ['1,2345', '.', ','],
    [',123', '.', ','],
    ['1.5', ',', ''],
    ['1,234,5', '.', ','],
  ])('refuses %s with decimal %s and thousands %s', (text, decimal, thousands) =>
    expect(parse(text, decimal, thousands)).toBeNaN(),
  );
});

it('RowScanner keeps quoted delimiters, quotes and line ends, and counts physical lines', () => {
  const rows = new RowScanner('f.csv', bytesOf('a,"b,c","d""e"\r\n"two\nlines",,x\n,"",\nlast,'), ',');
  const all: [number, string[]][] = [];
  while (rows.next()) all.push([rows.line, Array.from({ length: rows.cells }, (_, i) => rows.text(i))]);
  expect(all).toEqual([
    [1, ['a', 'b,c', 'd"e']],
    [2, ['two\nlines', '', 'x']],
    [4, ['', '', '']],
    [5, ['last', '']],
  ]);
  expect(() => new RowScanner('f.csv', bytesOf('"a"b,c'), ',').next()).toThrow(/DATA_FORMAT f.csv:1 "a": text follows/);
});

it('ZoneClock turns local time to UTC and back, whatever the order of questions', () => {
  const stream = new RandomStream(3, 'zones');
  for (const zone of ['America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Kolkata', 'UTC']) {
    const clock = new ZoneClock(zone, 'f.csv');
    const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
    for (let i = 0; i < 300; i++) {
      const utc = Date.UTC(2000, 0, 1) + stream.integer(20 * 365 * 24 * 60) * 60_000;
      const local = Date.parse(`${format.format(utc).replace(' ', 'T')}Z`);
      expect(clock.offsetAt(utc)).toBe(local - utc);
      const back = clock.toUtc(local);
      expect(Number.isNaN(back) ? clock.problem : back).toBe(Number.isNaN(back) ? 'ambiguous' : utc);
    }
  }
  expect(() => new ZoneClock('Mars/Olympus', 'f.csv')).toThrow(/DATA_TIME f.csv "Mars\/Olympus": unknown time zone/);
});

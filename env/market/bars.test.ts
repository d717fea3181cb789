import { describe, expect, it } from 'vitest';
import { firstBarAtOrAfter, makeBars, sliceBars, type BarsInput } from './bars.js';
import { usShare } from './instrument.js';
import { utcInstant, windowOf } from './window.js';

const HOUR = 3_600_000;
function input(length: number, change: Partial<BarsInput> = {}): BarsInput {
  return {
    instrument: usShare('X'),
    interval: { label: '1h', ms: HOUR },
    calendar: '24x7',
    openTimeMs: Float64Array.from({ length }, (_, t) => t * HOUR),
    open: new Float64Array(length).fill(10),
    high: new Float64Array(length).fill(11),
    low: new Float64Array(length).fill(9),
    close: new Float64Array(length).fill(10.5),
    volume: new Float64Array(length).fill(100),
    source: 'test.csv',
    sha256: '0'.repeat(64),
    ...change,
  };
}
const withValue = (length: number, at: number, base: number, value: number): Float64Array => {
  const column = new Float64Array(length).fill(base);
  column[at] = value;
  return column;
};

describe('makeBars', () => {
  it('keeps the columns without copying, in one segment', () => {
    const given = input(5);
    const bars = makeBars(given);
    expect(bars.close).toBe(given.close);
    expect(bars.segments).toEqual([{ start: 0, end: 5 }]);
    expect(bars).toMatchObject({ length: 5, factor: null, synthetic: false });
  });

  it.each<[string, Partial<BarsInput>, RegExp]>([
    [
      'a high below the low',
      { high: withValue(5, 3, 11, 8) },
      /DATA_VALUE test.csv bar 3 8: high is below low, which is 9/,
    ],
    [
      'an open above the high',
      { open: withValue(5, 2, 10, 12) },
      /DATA_VALUE test.csv bar 2 11: high is below open, which is 12/,
    ],
    [
      'a close under the low',
      { close: withValue(5, 2, 10, 8.5) },
      /DATA_VALUE test.csv bar 2 9: low is above close, which is 8.5/,
    ],
    ['NaN', { close: withValue(5, 1, 10, NaN) }, /DATA_VALUE test.csv bar 1 NaN: close must be a finite number/],
    ['a negative price', { low: withValue(5, 4, 9, -9) }, /DATA_VALUE test.csv bar 4 -9: low must be positive/],
    [
      'an infinite high',
      { high: withValue(5, 4, 11, Infinity) },
      /DATA_VALUE test.csv bar 4 Infinity: high must be a finite/,
    ],
    [
      'a negative volume',
      { volume: withValue(5, 0, 1, -1) },
      /DATA_VALUE test.csv bar 0 -1: volume must not be negative/,
    ],
    ['a zero factor', { factor: withValue(5, 4, 1, 0) }, /DATA_VALUE test.csv bar 4 0: an adjustment factor/],
    [
      'a repeated time',
      { openTimeMs: Float64Array.of(0, 1, 1, 2, 3) },
      /DATA_ORDER test.csv bar 2 1: bar times must increase/,
    ],
    [
      'a NaN time',
      { openTimeMs: Float64Array.of(0, 1, NaN, 2, 3) },
      /DATA_ORDER test.csv bar 2 NaN: a bar time must be a finite/,
    ],
    ['a short column', { open: new Float64Array(4) }, /DATA_COLUMN test.csv 4: column open has 4 values/],
    [
      'a hole between segments',
      {
        segments: [
          { start: 0, end: 2 },
          { start: 3, end: 5 },
        ],
      },
      /DATA_WINDOW test.csv segment 1/,
    ],
    ['uncovered bars', { segments: [{ start: 0, end: 4 }] }, /DATA_WINDOW test.csv 4: the segments cover 4 of 5/],
    [
      'an empty segment',
      {
        segments: [
          { start: 0, end: 0 },
          { start: 0, end: 5 },
        ],
      },
      /DATA_WINDOW test.csv segment 0/,
    ],
    [
      'a tick of zero',
      { instrument: { ...input(1).instrument, ticks: [{ lowEdge: 0, increment: 0 }] } },
      /DATA_MANIFEST test.csv/,
    ],
    ['no bars', { openTimeMs: new Float64Array(0) }, /DATA_EMPTY test.csv/],
  ])('refuses %s', (_, change, message) => expect(() => makeBars(input(5, change))).toThrow(message));
});

it('sliceBars cuts columns and segments', () => {
  const bars = makeBars(
    input(10, {
      segments: [
        { start: 0, end: 4 },
        { start: 4, end: 7 },
        { start: 7, end: 10 },
      ],
    }),
  );
  const slice = sliceBars(bars, 2, 7);
  expect(slice.segments).toEqual([
    { start: 0, end: 2 },
    { start: 2, end: 5 },
  ]);
  expect(slice.openTimeMs[0]).toBe(2 * HOUR);
  expect(makeBars({ ...slice })).toEqual(slice);
  expect(() => sliceBars(bars, 3, 3)).toThrow(/DATA_WINDOW/);
  expect(() => sliceBars(bars, 0, 11)).toThrow(/DATA_WINDOW/);
});

it('firstBarAtOrAfter finds the first bar', () => {
  const bars = makeBars(input(10));
  expect([-1, 0, 1, HOUR, 9 * HOUR, 9 * HOUR + 1].map((t) => firstBarAtOrAfter(bars, t))).toEqual([0, 0, 1, 1, 9, 10]);
});

describe('windowOf', () => {
  const bars = makeBars(
    input(100, {
      segments: [
        { start: 0, end: 40 },
        { start: 40, end: 100 },
      ],
    }),
  );
  const spans = (from: number | null, to: number | null, warmup: number): number[][] =>
    windowOf(bars, from, to, warmup).map(({ segment, start, end }) => [segment.start, start, end]);

  it('gives a window a segment, after the warm-up', () =>
    expect(spans(null, null, 10)).toEqual([
      [0, 10, 40],
      [40, 50, 100],
    ]));
  it('takes warm-up from the bars before `from`', () => expect(spans(60 * HOUR, null, 10)).toEqual([[40, 60, 100]]));
  it('starts late where the segment has too few bars before `from`', () =>
    expect(spans(45 * HOUR, 80 * HOUR, 10)).toEqual([[40, 50, 80]]));
  it('takes `to` as exclusive', () => expect(spans(60 * HOUR, 70 * HOUR, 0)).toEqual([[40, 60, 70]]));
  it('drops a segment that warm-up uses up', () => expect(spans(null, null, 39)).toEqual([[40, 79, 100]]));
  it('says how many bars are there and how many are needed', () => {
    expect(() => spans(null, 40 * HOUR, 300)).toThrow(/holds 40 bars.*302 needed in one segment; the longest has 60/);
    expect(() => spans(200 * HOUR, null, 0)).toThrow(
      /no bar lies in the window; the data set runs from 1970-01-01T00:00/,
    );
    expect(() => spans(20 * HOUR, 20 * HOUR, 0)).toThrow(/DATA_WINDOW test.csv \["1970-01-01T20:00:00.000Z"/);
    expect(() => spans(null, null, 1.5)).toThrow(/warm-up must be a whole number/);
  });
});

it('utcInstant reads dates in UTC and refuses what is not one', () => {
  expect(utcInstant('2011-03-01', 'from')).toBe(Date.UTC(2011, 2, 1));
  expect(utcInstant('2011-03-01T09:30-05:00', 'from')).toBe(Date.UTC(2011, 2, 1, 14, 30));
  for (const text of ['2011-3-1', '2011-02-30', '2011-03-01T09:30', '01/03/2011', '2011-03-01T25:00Z', '']) {
    expect(() => utcInstant(text, 'from')).toThrow(/DATA_TIME from/);
  }
});

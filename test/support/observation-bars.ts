/** Bars for the observation's tests: real ones where the development data sets are present, and drawn ones. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import type { Segment } from '#env/market/bars.js';
import type { BarColumns } from '#env/market/observation/index.js';

export interface SampleBars {
  readonly name: string;
  readonly columns: BarColumns;
  readonly segments: readonly Segment[];
}

const DATASETS = fileURLToPath(new URL('../../../shared/datasets/', import.meta.url));

/** A data set of one file; a segment ends where more than 20 days are missing. Null where the file is absent. */
function readRealBars(name: string): SampleBars | null {
  const path = `${DATASETS}${name}.csv`;
  if (!existsSync(path)) return null;
  const rows = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','));
  const column = (index: number): Float64Array => Float64Array.from(rows, (row) => Number(row[index]));
  const timeMs = rows.map((row) => Date.parse(row[0]));
  const cuts = [
    0,
    ...timeMs.flatMap((time, t) => (t > 0 && time - timeMs[t - 1] > 20 * 86_400_000 ? [t] : [])),
    rows.length,
  ];
  return {
    name,
    columns: { open: column(1), high: column(2), low: column(3), close: column(4), volume: column(5) },
    segments: cuts.slice(1).map((end, i) => ({ start: cuts[i], end })),
  };
}

/** All real data sets that are present; says so where there are none. */
export function realBars(): SampleBars[] {
  const found = ['aapl-1d', 'aapl-1m', 'msft-1m', 'spy-1m', 'eurusd-1h']
    .map(readRealBars)
    .filter((bars) => bars !== null);
  if (found.length === 0) console.warn(`skipped: no real data sets in ${DATASETS}`);
  return found;
}

export function constantBars(length: number, price: number, volume: number): BarColumns {
  const flat = (value: number): Float64Array => new Float64Array(length).fill(value);
  return { open: flat(price), high: flat(price), low: flat(price), close: flat(price), volume: flat(volume) };
}

/** Any rows [from, to) of the columns. */
export function sliceBars(columns: BarColumns, from: number, to: number): BarColumns {
  const { open, high, low, close, volume } = columns;
  return {
    open: open.slice(from, to),
    high: high.slice(from, to),
    low: low.slice(from, to),
    close: close.slice(from, to),
    volume: volume.slice(from, to),
  };
}

/**
 * Valid bars of every kind: cent prices, so that equal closes and stale runs happen; quiet and wild moves;
 * gaps of up to 90 percent; zero volume.
 */
export function arbitraryBars(minLength: number, maxLength: number): fc.Arbitrary<BarColumns> {
  const change = fc.oneof(
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 6, arbitrary: fc.double({ min: -0.02, max: 0.02, noNaN: true }) },
    { weight: 1, arbitrary: fc.double({ min: -0.9, max: 2, noNaN: true }) },
  );
  const wick = fc.oneof(fc.constant(0), fc.double({ min: 0, max: 0.05, noNaN: true }));
  const volume = fc.oneof(
    fc.constant(0),
    fc.integer({ min: 1, max: 1_000_000_000 }),
    fc.double({ min: 0, max: 10, noNaN: true }),
  );
  const bar = fc.record({ gap: change, body: change, upper: wick, lower: wick, volume });
  return fc
    .tuple(fc.double({ min: 0.05, max: 50_000, noNaN: true }), fc.array(bar, { minLength, maxLength, size: 'max' }))
    .map(([first, moves]) => {
      const columns = constantBars(moves.length, 0, 0);
      const cents = (price: number): number => Math.min(Math.max(Math.round(price * 100) / 100, 0.01), 1e7);
      let previous = cents(first);
      moves.forEach(({ gap, body, upper, lower, volume }, t) => {
        const open = cents(previous * (1 + gap));
        const close = cents(open * (1 + body));
        columns.open[t] = open;
        columns.close[t] = close;
        columns.high[t] = cents(Math.max(open, close) * (1 + upper));
        columns.low[t] = cents(Math.min(open, close) * (1 - lower));
        columns.volume[t] = volume;
        previous = close;
      });
      return columns;
    });
}

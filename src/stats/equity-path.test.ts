import { describe, expect, it } from 'vitest';
import { concatenate, simpleReturns, sumSleeves, type EquityPath } from './equity-path.js';

function path(
  initialEquity: number,
  rows: readonly (readonly [time: number, equity: number, exposure: number, costs: number])[],
): EquityPath {
  const column = (k: number): Float64Array => Float64Array.from(rows, (row) => row[k]);
  return { initialEquity, timeMs: column(0), equity: column(1), exposure: column(2), costs: column(3) };
}

describe('sumSleeves', () => {
  it('sums on the union of the stamps; a sleeve without a bar keeps what it has', () => {
    const total = sumSleeves([
      path(100, [
        [1, 110, 1, 1],
        [3, 120, 0.5, 0],
      ]),
      path(50, [
        [2, 40, -1, 2],
        [3, 60, 0, 0],
      ]),
    ]);
    expect(total.initialEquity).toBe(150);
    expect([...total.timeMs]).toEqual([1, 2, 3]);
    expect([...total.equity]).toEqual([160, 150, 180]);
    expect([...total.exposure]).toEqual([110 / 160, 70 / 150, 60 / 180]);
    expect([...total.costs]).toEqual([1, 2, 0]);
  });

  it('gives a single sleeve back as it is', () => {
    const only = path(100, [[1, 110, 1, 1]]);
    expect(sumSleeves([only])).toBe(only);
  });
});

it('joins segments, and takes each return from the close before', () => {
  const joined = concatenate([
    path(100, [[1, 110, 0, 0]]),
    path(110, [
      [9, 99, 0, 0],
      [10, 0, 0, 0],
      [11, 0, 0, 0],
    ]),
  ]);
  expect([...joined.timeMs]).toEqual([1, 9, 10, 11]);
  [0.1, -0.1, -1, 0].forEach((expected, t) => expect(simpleReturns(joined)[t]).toBeCloseTo(expected, 12));
});

import { expect, it } from 'vitest';
import { RandomStream } from '#env/seeding.js';
import { meanInterval, shareInterval } from './prove-statistics.js';

const normals = (count: number, seed: number, mean: number, deviation: number): Float64Array => {
  const stream = new RandomStream(seed, 'test');
  return Float64Array.from({ length: count }, () => mean + deviation * stream.normal());
};

it('gives the mean an interval as wide as its error says', () => {
  const { estimate, low, high } = meanInterval(normals(400, 1, 5, 2), 1);
  // 1.96 x 2 / sqrt(400) to either side
  expect(Math.abs(estimate - 5)).toBeLessThan(0.3);
  expect(high - low).toBeGreaterThan(0.9 * 2 * 0.196);
  expect(high - low).toBeLessThan(1.1 * 2 * 0.196);
  expect(low).toBeLessThan(estimate);
  expect(estimate).toBeLessThan(high);
});

it('covers the true mean about 95 times in 100', () => {
  let covered = 0;
  for (let trial = 0; trial < 100; trial++) {
    const { low, high } = meanInterval(normals(100, 1000 + trial, 0, 1), trial);
    if (low <= 0 && high >= 0) covered += 1;
  }
  expect(covered).toBeGreaterThanOrEqual(88);
  expect(covered).toBeLessThan(100);
});

it('pairs earned and optimum by path: the market they share does not widen the share', () => {
  const optimum = normals(300, 2, 1, 3);
  const earned = optimum.map((value) => 0.9 * value);
  const { estimate, low, high } = shareInterval(earned, optimum, 1);
  expect(estimate).toBeCloseTo(0.9, 12);
  expect(high - low).toBeLessThan(1e-9);
});

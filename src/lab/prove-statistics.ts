/** Intervals over paths, which are independent of each other: the plain percentile bootstrap. */
import { RandomStream } from '#env/seeding.js';
import { type Interval, quantile } from '#src/stats/bootstrap.js';

const RESAMPLES = 2000;
const CONFIDENCE = 0.95;

/** Mean over paths (P) with its interval. */
export function meanInterval(values: Float64Array, seed: number): Interval {
  return bootstrap(values.length, seed, (rows) => sumOf(values, rows) / values.length);
}

/** What `earned` is of `optimum`, both (P) on the same paths: a ratio of sums, both resampled together. */
export function shareInterval(earned: Float64Array, optimum: Float64Array, seed: number): Interval {
  return bootstrap(earned.length, seed, (rows) => sumOf(earned, rows) / sumOf(optimum, rows));
}

function bootstrap(paths: number, seed: number, statistic: (rows: Int32Array) => number): Interval {
  const stream = new RandomStream(seed, 'prove/bootstrap');
  const rows = Int32Array.from({ length: paths }, (_, i) => i);
  const estimate = statistic(rows);
  const figures = new Float64Array(RESAMPLES);
  for (let b = 0; b < RESAMPLES; b++) {
    for (let i = 0; i < paths; i++) rows[i] = stream.integer(paths);
    figures[b] = statistic(rows);
  }
  figures.sort();
  const tail = (1 - CONFIDENCE) / 2;
  return { estimate, low: quantile(figures, tail), high: quantile(figures, 1 - tail), confidence: CONFIDENCE };
}

function sumOf(values: Float64Array, rows: Int32Array): number {
  let sum = 0;
  for (const row of rows) sum += values[row];
  return sum;
}

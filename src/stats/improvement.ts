/** How likely a run of X beats a run of Y. */
import { fail } from '#src/errors.js';
import { sampleMean } from './aggregate.js';
import type { TaskScores } from './scores.js';

/**
 * Probability of improvement, P(X > Y) + P(X = Y) / 2 averaged over tasks: Mann and Whitney's U / (n m) with ties at
 * half, as rliable's `probability_of_improvement`. 0.5 says that neither is better. Tasks are paired by position.
 * Throws STATISTICS_INPUT where the two have not the same tasks.
 */
export function probabilityOfImprovement(x: TaskScores, y: TaskScores): number {
  if (x.length !== y.length) {
    fail('STATISTICS_INPUT', {
      where: 'probabilityOfImprovement',
      value: `${x.length} and ${y.length} tasks`,
      message: 'both need scores on the same tasks, in the same order',
    });
  }
  return sampleMean(Float64Array.from(x, (runs, task) => shareBeaten(runs, y[task])));
}

/** Mann and Whitney's U of x over y, divided by n m: sorts y once, O((n + m) log m). */
export function shareBeaten(x: Float64Array, y: Float64Array): number {
  const sorted = y.slice().sort();
  let wins = 0;
  for (const score of x) wins += (firstAtLeast(sorted, score) + firstAbove(sorted, score)) / 2;
  return wins / (x.length * y.length);
}

/** How many of `sorted` are less than `value`. */
function firstAtLeast(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many of `sorted` are at most `value`. */
function firstAbove(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Is one group of trainings better than another? The probability, the difference, and one plain sentence. */
import { iqm } from './aggregate.js';
import { excessInterval, type Interval } from './bootstrap.js';
import { differenceInterval, improvementInterval, type SeedBootstrapOptions } from './stratified-bootstrap.js';
import type { TaskScores } from './scores.js';

/**
 * With fewer runs than this in a task a bootstrap knows too little of their spread to claim anything: of a thousand
 * pairs of normal samples without a difference, 56 with five runs each are called different at 95%, 174 with three.
 */
export const SEEDS_NEEDED = 5;

export interface ContrastFigures {
  readonly probability: Interval;
  readonly difference: Interval;
}

/**
 * P(a run of x beats a run of y) and IQM(x) - IQM(y), with intervals over seeds. Higher scores must be better.
 *
 * @param x one array a task, the tasks in the same order as y's
 */
export function contrastFigures(x: TaskScores, y: TaskScores, options: SeedBootstrapOptions): ContrastFigures {
  return { probability: improvementInterval(x, y, options), difference: differenceInterval(x, y, iqm, options) };
}

/**
 * Final wealth of the seeds' mean log return in x against y's, less 1, with an interval over the BARS (stationary
 * bootstrap of the paired differences): what seeds cannot tell, whether the bars themselves were luck. Null for fewer
 * than 20 bars.
 *
 * @param x one (T) array of log returns a run
 * @param y likewise, on the same bars
 */
export function barsContrast(
  x: readonly Float64Array[],
  y: readonly Float64Array[],
  options: { readonly seed: number; readonly confidence?: number },
): Interval | null {
  const left = meanOf(x);
  const right = meanOf(y);
  return excessInterval(
    left.map((value, t) => value - right[t]),
    options,
  );
}

function meanOf(runs: readonly Float64Array[]): Float64Array {
  const mean = new Float64Array(runs[0].length);
  for (const run of runs) for (let t = 0; t < mean.length; t++) mean[t] += run[t] / runs.length;
  return mean;
}

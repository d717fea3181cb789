/** Which share of runs does better than a score, for every score: the whole distribution instead of one figure. */
import { quantile, type BootstrapOptions } from './bootstrap.js';
import { pooled, type TaskScores } from './scores.js';
import { resampleScores } from './stratified-bootstrap.js';

/**
 * (K) share of all runs of all tasks whose score is above each threshold: the score distribution of Agarwal et al.
 * (2021), rliable's `run_score_deviation`. Read it as 1 - the empirical distribution function.
 *
 * @param thresholds (K)
 */
export function performanceProfile(scores: TaskScores, thresholds: Float64Array): Float64Array {
  const sorted = pooled(scores).sort();
  const profile = new Float64Array(thresholds.length);
  for (let k = 0; k < thresholds.length; k++) {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle] <= thresholds[k]) low = middle + 1;
      else high = middle;
    }
    profile[k] = (sorted.length - low) / sorted.length;
  }
  return profile;
}

export interface ProfileBand {
  /** (K) each. Pointwise: at a given threshold, not all at once. */
  readonly estimate: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly confidence: number;
}

/** The profile with its pointwise percentile band, from stratified resamples. */
export function profileBand(scores: TaskScores, thresholds: Float64Array, options: BootstrapOptions): ProfileBand {
  const { seed, resamples = 2000, confidence = 0.95 } = options;
  const figures = Array.from(thresholds, () => new Float64Array(resamples));
  let row = 0;
  resampleScores([scores], { seed, resamples }, ([drawn]) => {
    const profile = performanceProfile(drawn, thresholds);
    for (let k = 0; k < thresholds.length; k++) figures[k][row] = profile[k];
    row += 1;
  });
  const tail = (1 - confidence) / 2;
  for (const column of figures) column.sort();
  return {
    estimate: performanceProfile(scores, thresholds),
    low: Float64Array.from(figures, (column) => quantile(column, tail)),
    high: Float64Array.from(figures, (column) => quantile(column, 1 - tail)),
    confidence,
  };
}

/** The best validation scores of an experiment's seeds, taken together: never the best seed alone. */
import type { JobOutcome } from './queue/job-pool.js';

export interface ScoreStatistics {
  readonly count: number;
  readonly mean: number;
  /** Of the sample, by count - 1; 0 of a single one. */
  readonly deviation: number;
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Over the completed runs that have a score; null: there is none. */
export function scoreStatistics(outcomes: readonly JobOutcome[]): ScoreStatistics | null {
  const scores = outcomes
    .filter(({ status }) => status === 'completed')
    .flatMap(({ record }) => record?.result?.best?.score ?? [])
    .sort((a, b) => a - b);
  const count = scores.length;
  if (count === 0) return null;
  const mean = scores.reduce((sum, score) => sum + score, 0) / count;
  const squares = scores.reduce((sum, score) => sum + (score - mean) * (score - mean), 0);
  const middle = count >> 1;
  return {
    count,
    mean,
    deviation: count === 1 ? 0 : Math.sqrt(squares / (count - 1)),
    median: count % 2 === 1 ? scores[middle] : (scores[middle - 1] + scores[middle]) / 2,
    least: scores[0],
    most: scores[count - 1],
  };
}

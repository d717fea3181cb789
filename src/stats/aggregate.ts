/**
 * One figure for many trainings: the aggregates of Agarwal et al. (2021), "Deep Reinforcement Learning at the Edge of
 * the Statistical Precipice", as their library rliable computes them. Scores are taken as checked (`taskScores`).
 */
import { pooled, type TaskScores } from './scores.js';

/** An aggregate over runs and tasks. */
export type Aggregate = (scores: TaskScores) => number;

/** Mean of the tasks' means: every task weighs the same, however many runs it has. */
export function mean(scores: TaskScores): number {
  return sampleMean(taskMeans(scores));
}

/** Median of the tasks' MEANS, as rliable has it: for a single task that is the mean. See `pooledMedian`. */
export function median(scores: TaskScores): number {
  return sampleMedian(taskMeans(scores));
}

/** Median of all runs of all tasks. */
export function pooledMedian(scores: TaskScores): number {
  return sampleMedian(pooled(scores));
}

/**
 * Interquartile mean: the mean of what remains of all runs of all tasks after floor(n / 4) values are cut from either
 * end (`scipy.stats.trim_mean(scores, 0.25, axis=None)`). Fewer than four runs lose none: it is their mean then.
 */
export function iqm(scores: TaskScores): number {
  const sorted = pooled(scores).sort();
  const cut = Math.floor(sorted.length / 4);
  let sum = 0;
  for (let i = cut; i < sorted.length - cut; i++) sum += sorted[i];
  return sum / (sorted.length - 2 * cut);
}

/**
 * How far runs fall short of `target`, on average over all runs of all tasks: target - mean(min(score, target)).
 * Scores above the target do not make up for others below. 0 where every run reaches it.
 */
export function optimalityGap(scores: TaskScores, target = 1): number {
  const all = pooled(scores);
  let reached = 0;
  for (const score of all) reached += Math.min(score, target);
  return target - reached / all.length;
}

/** (M) mean of each task over its runs. */
export function taskMeans(scores: TaskScores): Float64Array {
  return Float64Array.from(scores, sampleMean);
}

/** Arithmetic mean of a sample that is not empty. */
export function sampleMean(sample: Float64Array): number {
  let sum = 0;
  for (const value of sample) sum += value;
  return sum / sample.length;
}

/** Median of a sample that is not empty: the mean of the middle two where their number is even. */
export function sampleMedian(sample: Float64Array): number {
  const sorted = sample.slice().sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Sample standard deviation, n - 1 in the denominator; null for fewer than two values. */
export function sampleDeviation(sample: Float64Array): number | null {
  if (sample.length < 2) return null;
  const centre = sampleMean(sample);
  let squares = 0;
  for (const value of sample) squares += (value - centre) * (value - centre);
  return Math.sqrt(squares / (sample.length - 1));
}

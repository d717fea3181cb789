/** Mean, spread and shape of a sample. */
import { sampleDeviation, sampleMean } from './aggregate.js';

/** Deviations under this are rounding of a flat line: dividing by them would make a ratio of noise. */
export const NO_DEVIATION = 1e-14;

export interface Moments {
  readonly count: number;
  /** 0 for an empty sample. */
  readonly mean: number;
  /** n - 1 in the denominator; null for fewer than two values. */
  readonly deviation: number | null;
  /** m3 / m2^(3/2) with m_k the central moments over n (`scipy.stats.skew`); null for a flat line. */
  readonly skewness: number | null;
  /** m4 / m2^2, RAW: 3 for a normal sample (`scipy.stats.kurtosis(fisher=False)`); null for a flat line. */
  readonly kurtosis: number | null;
}

/** @param sample (n) */
export function momentsOf(sample: Float64Array): Moments {
  const count = sample.length;
  if (count === 0) return { count, mean: 0, deviation: null, skewness: null, kurtosis: null };
  const mean = sampleMean(sample);
  const deviation = sampleDeviation(sample);
  if (deviation === null || deviation < NO_DEVIATION) return { count, mean, deviation, skewness: null, kurtosis: null };
  let second = 0;
  let third = 0;
  let fourth = 0;
  for (const value of sample) {
    const square = (value - mean) * (value - mean);
    second += square;
    third += square * (value - mean);
    fourth += square * square;
  }
  second /= count;
  const skewness = third / count / (second * Math.sqrt(second));
  return { count, mean, deviation, skewness, kurtosis: fourth / count / (second * second) };
}

/**
 * How far a figure could have been luck: the stationary bootstrap of Politis and Romano (1994), which resamples
 * blocks of random length, so that what depends on its neighbours stays beside them.
 */
import { exp, log } from '#env/math/index.js';
import { RandomStream } from '#env/seeding.js';

/** A figure with its two-sided interval, at `confidence`. */
export interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
  readonly confidence: number;
}

export interface BootstrapOptions {
  readonly seed: number;
  readonly resamples?: number;
  readonly confidence?: number;
}

/** Means and sample standard deviations of the resampled series. */
export interface Resamples {
  readonly means: Float64Array;
  readonly deviations: Float64Array;
}

/** Fewer returns say nothing about their own spread. */
export const MINIMUM_RETURNS = 20;

const DEFAULT_RESAMPLES = 2000;
const DEFAULT_CONFIDENCE = 0.95;
const NO_DEVIATION = 1e-14;

/**
 * Expected block length for the stationary bootstrap of a mean: Politis and White (2004) with the correction of
 * Patton, Politis and White (2009), as `arch.bootstrap.optimal_block_length` computes it; at least 1.
 *
 * @param series (T)
 */
export function politisWhiteBlockLength(series: Float64Array): number {
  const count = series.length;
  if (count < MINIMUM_RETURNS) return 1;
  const decimalLog = log(count) / log(10);
  // this many insignificant autocorrelations in a row end the search for the cut
  const run = Math.max(5, Math.floor(decimalLog));
  const maximumLag = Math.min(Math.ceil(Math.sqrt(count)) + run, count - 2);
  const significant = 2 * Math.sqrt(decimalLog / count);
  const mean = series.reduce((sum, value) => sum + value, 0) / count;
  const centred = series.map((value) => value - mean);
  const variance = autocovariance(centred, 0);
  if (variance < NO_DEVIATION * NO_DEVIATION) return 1;
  const bandwidth = Math.min(2 * Math.max(firstQuietLag(centred, run, significant, maximumLag), 1), maximumLag);
  let weighted = 0;
  let longRun = variance;
  for (let lag = 1; lag <= bandwidth; lag++) {
    // the flat-top window of Politis and Romano (1995)
    const window = lag / bandwidth <= 0.5 ? 1 : 2 * (1 - lag / bandwidth);
    const covariance = autocovariance(centred, lag);
    weighted += 2 * window * lag * covariance;
    longRun += 2 * window * covariance;
  }
  const ratio = (weighted * weighted) / (longRun * longRun);
  const length = ratio > 0 ? exp(log(ratio * count) / 3) : 1;
  return Math.min(Math.max(length, 1), Math.ceil(Math.min(3 * Math.sqrt(count), count / 3)));
}

/** The first lag that opens `run` insignificant autocorrelations in a row; half the maximum where there is none. */
function firstQuietLag(centred: Float64Array, run: number, significant: number, maximumLag: number): number {
  const count = centred.length;
  const squares = count * autocovariance(centred, 0);
  // sums of squares without the first, and without the last lag + 1 values: what each correlation is a share of
  let head = squares;
  let tail = squares;
  let quiet = 0;
  for (let lag = 0; lag <= maximumLag; lag++) {
    head -= centred[lag] * centred[lag];
    tail -= centred[count - 1 - lag] * centred[count - 1 - lag];
    const correlation = (count * autocovariance(centred, lag)) / Math.sqrt(head * tail);
    quiet = Math.abs(correlation) < significant ? quiet + 1 : 0;
    if (quiet === run) return lag - run + 1;
  }
  return maximumLag / 2;
}

function autocovariance(centred: Float64Array, lag: number): number {
  let sum = 0;
  for (let t = lag; t < centred.length; t++) sum += centred[t] * centred[t - lag];
  return sum / centred.length;
}

/**
 * The block length used here: Politis and White's, but at least the cube root of the series' length, since
 * volatility clusters even where returns themselves do not.
 */
export function blockLength(series: Float64Array): number {
  return Math.max(politisWhiteBlockLength(series), exp(log(Math.max(series.length, 1)) / 3));
}

/**
 * Resamples a series around a circle. Prefix sums make a block's cost independent of its length, so a million bars
 * cost what their blocks cost.
 *
 * @param series (T)
 * @param meanBlock expected block length in bars, at least 1
 */
export function stationaryBootstrap(
  series: Float64Array,
  meanBlock: number,
  resamples: number,
  stream: RandomStream,
): Resamples {
  const count = series.length;
  const means = new Float64Array(resamples);
  const deviations = new Float64Array(resamples);
  // centred: the sum of squares of returns near a common value would lose its digits
  const centre = series.reduce((sum, value) => sum + value, 0) / Math.max(count, 1);
  const sums = new Float64Array(2 * count + 1);
  const squares = new Float64Array(2 * count + 1);
  for (let t = 0; t < 2 * count; t++) {
    const value = series[t % count] - centre;
    sums[t + 1] = sums[t] + value;
    squares[t + 1] = squares[t] + value * value;
  }
  const logStay = meanBlock > 1 ? log(1 - 1 / meanBlock) : 0;
  for (let b = 0; b < resamples; b++) {
    let left = count;
    let sum = 0;
    let square = 0;
    while (left > 0) {
      const start = stream.integer(count);
      // geometric with mean `meanBlock`, by inversion
      const drawn = meanBlock > 1 ? 1 + Math.floor(log(1 - stream.uniform()) / logStay) : 1;
      const length = Math.min(drawn, left);
      sum += sums[start + length] - sums[start];
      square += squares[start + length] - squares[start];
      left -= length;
    }
    const mean = sum / count;
    means[b] = centre + mean;
    deviations[b] = Math.sqrt(Math.max(0, square - count * mean * mean) / Math.max(1, count - 1));
  }
  return { means, deviations };
}

/**
 * Percentile interval of the annualised Sharpe ratio of simple returns; null for fewer than 20 returns or a flat
 * line. A resample without deviation counts as a ratio of 0.
 */
export function sharpeInterval(returns: Float64Array, barsPerYear: number, options: BootstrapOptions): Interval | null {
  if (returns.length < MINIMUM_RETURNS) return null;
  const root = Math.sqrt(barsPerYear);
  const mean = returns.reduce((sum, value) => sum + value, 0) / returns.length;
  let squares = 0;
  for (const value of returns) squares += (value - mean) * (value - mean);
  const deviation = Math.sqrt(squares / (returns.length - 1));
  if (deviation < NO_DEVIATION) return null;
  const { means, deviations } = draw(returns, 'sharpe', options);
  const ratios = means.map((value, b) => (deviations[b] < NO_DEVIATION ? 0 : (value / deviations[b]) * root));
  return intervalOf((mean / deviation) * root, ratios, options.confidence ?? DEFAULT_CONFIDENCE);
}

/**
 * Percentile interval of the wealth ratio less 1: how much more (less) one account ended with than the other, given
 * the differences of their log returns bar by bar. Null for fewer than 20 bars.
 *
 * @param differences (T) ln(1 + r) - ln(1 + r of the benchmark), paired by bar
 */
export function excessInterval(differences: Float64Array, options: BootstrapOptions): Interval | null {
  const count = differences.length;
  if (count < MINIMUM_RETURNS) return null;
  const total = differences.reduce((sum, value) => sum + value, 0);
  const { means } = draw(differences, 'excess', options);
  return intervalOf(
    exp(total) - 1,
    means.map((mean) => exp(mean * count) - 1),
    options.confidence ?? DEFAULT_CONFIDENCE,
  );
}

/**
 * Share of the resamples of `excessInterval` in which the one account ends with more than the other: how sure it is that
 * it beats it. A tie counts half. Null for fewer than 20 bars.
 *
 * @param differences (T) as for `excessInterval`
 */
export function excessProbability(differences: Float64Array, options: BootstrapOptions): number | null {
  if (differences.length < MINIMUM_RETURNS) return null;
  const { means } = draw(differences, 'excess', options);
  return means.reduce((sum, mean) => sum + (mean > 0 ? 1 : mean === 0 ? 0.5 : 0), 0) / means.length;
}

/** Log returns of an account, floored at a loss of all but a millionth. */
export function logReturns(returns: Float64Array): Float64Array {
  return returns.map((value) => log(Math.max(1 + value, 1e-6)));
}

/** Linear interpolation between order statistics (Hyndman and Fan's type 7); `sorted` ascends and is not empty. */
export function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

function draw(
  series: Float64Array,
  name: string,
  { seed, resamples = DEFAULT_RESAMPLES }: BootstrapOptions,
): Resamples {
  return stationaryBootstrap(series, blockLength(series), resamples, new RandomStream(seed, `bootstrap-${name}`));
}

function intervalOf(estimate: number, figures: Float64Array, confidence: number): Interval {
  const sorted = figures.slice().sort();
  const tail = (1 - confidence) / 2;
  return { estimate, low: quantile(sorted, tail), high: quantile(sorted, 1 - tail), confidence };
}

/**
 * Block bootstraps of any figure of a series: whole blocks are drawn, so that what depends on its neighbours stays
 * beside them. For the mean and the Sharpe ratio of very long series `stationaryBootstrap` does the same by sums.
 */
import { log } from '#env/math/index.js';
import { RandomStream } from '#env/seeding.js';
import { fail } from '#src/errors.js';
import { blockLength, MINIMUM_RETURNS, quantile, type BootstrapOptions, type Interval } from './bootstrap.js';
import { finiteSample } from './scores.js';

export interface BlockBootstrapOptions extends BootstrapOptions {
  /**
   * `stationary`: blocks of geometric length (Politis and Romano 1994), the default. `circular`: blocks of one length
   * (Politis and Romano 1992). Both wrap from the end to the beginning.
   */
  readonly method?: 'stationary' | 'circular';
  /** Mean (stationary) or fixed (circular) length in bars; default: chosen from the series, see `blockLength`. */
  readonly block?: number;
}

const RESAMPLES = 2000;
const CONFIDENCE = 0.95;

/** Figures of one resample by name; null: this resample has none (a flat line has no ratio). */
export type PathFigures<K extends string> = Readonly<Record<K, number | null>>;

/**
 * Percentile intervals of several figures over the same resamples of the series. A resample for which a figure is null
 * is left out; where that leaves fewer than half, or the series has fewer than 20 bars, the interval is null. Throws
 * STATISTICS_INPUT for NaN, or a block shorter than 1 or longer than the series.
 *
 * @param series (T)
 * @param names the figures
 * @param figures given a resample (T), which it must not keep
 */
export function blockBootstrapIntervals<K extends string>(
  series: Float64Array,
  names: readonly K[],
  figures: (resample: Float64Array) => PathFigures<K>,
  { seed, resamples = RESAMPLES, confidence = CONFIDENCE, method = 'stationary', block }: BlockBootstrapOptions,
): ReadonlyMap<K, Interval | null> {
  finiteSample(series, 'series');
  if (series.length < MINIMUM_RETURNS) return new Map(names.map((name) => [name, null]));
  const length = block ?? blockLength(series);
  if (!(length >= 1 && length <= series.length)) {
    fail('STATISTICS_INPUT', { where: 'block', value: length, message: `must be from 1 to ${series.length} bars` });
  }
  const stream = new RandomStream(seed, `stats/block-bootstrap/${method}`);
  const drawn = new Float64Array(series.length);
  const found = new Map<K, number[]>(names.map((name) => [name, []]));
  for (let b = 0; b < resamples; b++) {
    drawBlocks(drawn, series, method, length, stream);
    const figure = figures(drawn);
    for (const [name, list] of found) {
      const value = figure[name];
      if (value !== null) list.push(value);
    }
  }
  const estimates = figures(series);
  const intervals = new Map<K, Interval | null>();
  for (const [name, list] of found) {
    const estimate = estimates[name];
    const sorted = Float64Array.from(list).sort();
    const tail = (1 - confidence) / 2;
    const known = estimate !== null && list.length >= Math.max(1, resamples / 2);
    intervals.set(
      name,
      known ? { estimate, low: quantile(sorted, tail), high: quantile(sorted, 1 - tail), confidence } : null,
    );
  }
  return intervals;
}

/** `blockBootstrapIntervals` of a single figure. */
export function blockBootstrapInterval(
  series: Float64Array,
  figure: (resample: Float64Array) => number | null,
  options: BlockBootstrapOptions,
): Interval | null {
  const intervals = blockBootstrapIntervals(series, ['figure'], (drawn) => ({ figure: figure(drawn) }), options);
  return intervals.get('figure') ?? null;
}

/** Fills `drawn` (T) with blocks of `series` (T); the last block is cut. */
export function drawBlocks(
  drawn: Float64Array,
  series: Float64Array,
  method: 'stationary' | 'circular',
  length: number,
  stream: RandomStream,
): void {
  const count = series.length;
  const fixed = Math.round(length);
  const logStay = length > 1 ? log(1 - 1 / length) : 0;
  let at = 0;
  while (at < count) {
    const start = stream.integer(count);
    const wanted = method === 'circular' ? fixed : length > 1 ? 1 + Math.floor(log(1 - stream.uniform()) / logStay) : 1;
    const end = Math.min(at + wanted, count);
    for (let from = start; at < end; at++) {
      drawn[at] = series[from];
      from = from + 1 === count ? 0 : from + 1;
    }
  }
}

/** Bars in, features out: one at a time (live) or whole columns (training), through the same code. */
import { fail } from '#src/errors.js';
import type { Bars, Segment } from '../bars.js';
import type { FeatureReader } from './features.js';
import { Indicators } from './indicators.js';
import { FEATURE_SETS } from './specification.js';
import type { ObservationSpec } from './specification.js';
import type { Bar } from './technical-indicators.js';

/** The columns that features are computed from, each (T). */
export type BarColumns = Pick<Bars, 'open' | 'high' | 'low' | 'close' | 'volume'>;

/**
 * The market features of a set, one bar in, one vector out. The first bar after construction or `reset` is
 * the anchor: indicators know nothing before it.
 */
export class FeatureStream {
  readonly spec: ObservationSpec;
  readonly #bar: Bar = { open: 0, high: 0, low: 0, close: 0, volume: 0 };
  #indicators = new Indicators();
  #readers: readonly FeatureReader[] = [];
  #barsSeen = 0;

  constructor(spec: ObservationSpec = FEATURE_SETS.v1) {
    this.spec = spec;
    this.reset();
  }

  /** Bars since the anchor, the anchor included. */
  get barsSeen(): number {
    return this.#barsSeen;
  }

  /** Forgets everything: the next bar is the anchor. */
  reset(): void {
    const indicators = new Indicators();
    this.#readers = this.spec.marketFeatures.map((feature) => feature.create(indicators));
    this.#indicators = indicators;
    this.#barsSeen = 0;
  }

  /**
   * Takes a closed bar and writes the features at its close to out[offset ...], 0 for those that do not
   * exist yet. The bar is valid: prices positive and finite, low <= open, close <= high, volume >= 0.
   */
  next(
    open: number,
    high: number,
    low: number,
    close: number,
    volume: number,
    out: Float32Array,
    offset: number,
  ): void {
    const bar = this.#bar;
    bar.open = open;
    bar.high = high;
    bar.low = low;
    bar.close = close;
    bar.volume = volume;
    this.#indicators.update(bar);
    this.#barsSeen++;
    const readers = this.#readers;
    for (let i = 0; i < readers.length; i++) {
      const value = readers[i](bar);
      out[offset + i] = Number.isNaN(value) ? 0 : value;
    }
  }
}

/**
 * Market features of whole columns: (T,F), row t from bars of its segment up to t. Every segment's first bar
 * is its anchor. Segments lie within the columns; rows outside them stay 0. Throws ENV_CONFIG otherwise.
 */
export function computeFeatures(
  columns: BarColumns,
  segments: readonly Segment[],
  spec: ObservationSpec = FEATURE_SETS.v1,
): Float32Array {
  const { open, high, low, close, volume } = columns;
  const count = spec.marketFeatures.length;
  const features = new Float32Array(close.length * count);
  const stream = new FeatureStream(spec);
  for (const { start, end } of segments) {
    if (!(start >= 0 && start <= end && end <= close.length)) {
      fail('ENV_CONFIG', {
        where: 'segments',
        value: [start, end],
        message: `a segment must lie within the ${close.length} bars; check the data set's segments`,
      });
    }
    stream.reset();
    for (let t = start; t < end; t++) {
      stream.next(open[t], high[t], low[t], close[t], volume[t], features, t * count);
    }
  }
  return features;
}

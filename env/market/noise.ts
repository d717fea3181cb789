/**
 * The environment's randomness. Every noise of every account has its own named stream, so that switching one
 * noise off, or trading differently, leaves the draws of the others as they were. Account i is seeded with seed + i.
 */
import { exp, normalQuantile } from '../math/index.js';
import { RandomStream } from '../seeding.js';
import { childStates } from '../state.js';
import type { StateDict, Stateful } from '../state.js';
import type { NoiseConfig } from './config.js';
import { computeFeatures } from './observation/index.js';
import type { BarColumns, ObservationSpec } from './observation/index.js';
import type { Segment } from './bars.js';

const STREAMS = ['fill-price', 'observation', 'cost', 'delay', 'start', 'price-replica'] as const;
type StreamName = (typeof STREAMS)[number];

/**
 * Standard normals by 12 random bits: the quantile at the middle of each of 4,096 equal shares (|z| <= 3.7). Small
 * enough to stay in the fastest cache, and fine enough for what disturbs an observation.
 */
const LEVELS = 4096;
const NORMALS = Float64Array.from({ length: LEVELS }, (_, k) => normalQuantile((k + 0.5) / LEVELS));

export class MarketNoise implements Stateful {
  readonly #config: NoiseConfig;
  readonly #streams: Record<StreamName, RandomStream[]>;
  readonly #fillShare: number;
  readonly #costFactor: number;

  /** @param costFactor multiplies what every fill is charged */
  constructor(config: NoiseConfig, numEnvs: number, costFactor = 1) {
    this.#config = config;
    this.#costFactor = costFactor;
    this.#fillShare = config.fill_price_bps * 1e-4;
    const none = (): RandomStream[] => Array.from({ length: numEnvs }, (_, i) => new RandomStream(i, 'unseeded'));
    this.#streams = {
      'fill-price': none(),
      observation: none(),
      cost: none(),
      delay: none(),
      start: none(),
      'price-replica': none(),
    };
  }

  seed(seed: number): void {
    for (const name of STREAMS) {
      const streams = this.#streams[name];
      for (let i = 0; i < streams.length; i++) streams[i] = new RandomStream(seed + i, `market/${name}`);
    }
  }

  /** Signed share of the price by which a fill misses it. */
  fillShare(i: number): number {
    return this.#fillShare > 0 ? this.#fillShare * this.#streams['fill-price'][i].normal() : 0;
  }

  /** Log-normal multiplier of a fill's costs, with mean 1, times the factor. */
  costMultiplier(i: number): number {
    const sigma = this.#config.cost;
    const factor = this.#costFactor;
    return sigma > 0 ? factor * exp(sigma * this.#streams.cost[i].normal() - (sigma * sigma) / 2) : factor;
  }

  /** Whether an order that was just placed is acted on one bar late. */
  isLate(i: number): boolean {
    return this.#config.delay > 0 && this.#streams.delay[i].uniform() < this.#config.delay;
  }

  /** Uniform in 0 .. n - 1: where an episode starts. */
  start(i: number, n: number): number {
    return this.#streams.start[i].integer(n);
  }

  /** Which noisy copy of the market an episode looks at. */
  replica(i: number, replicas: number): number {
    return replicas > 1 ? this.#streams['price-replica'][i].integer(replicas) : 0;
  }

  /** Whether observations are noisy at all. */
  get disturbs(): boolean {
    return this.#config.observation > 0;
  }

  /** out[to ...] = rows[from ...] and noise: `count` features, two of which share the 32 bits of a draw. */
  disturb(i: number, out: Float32Array, to: number, rows: Float32Array, from: number, count: number): void {
    const sigma = this.#config.observation;
    const stream = this.#streams.observation[i];
    for (let k = 0; k < count; k += 2) {
      const bits = stream.uniform() * LEVELS;
      const first = bits | 0;
      out[to + k] = rows[from + k] + sigma * NORMALS[first];
      if (k + 1 < count) out[to + k + 1] = rows[from + k + 1] + sigma * NORMALS[((bits - first) * LEVELS) | 0];
    }
  }

  getState(): StateDict {
    return Object.fromEntries(STREAMS.map((name) => [name, this.#streams[name].map((stream) => stream.getState())]));
  }

  setState(state: StateDict): void {
    for (const name of STREAMS) {
      const streams = this.#streams[name];
      const saved = childStates(state, name, streams.length, 'market noise');
      for (let i = 0; i < streams.length; i++) {
        // a stream refuses the state of another name; an environment that was never reset has unnamed ones
        streams[i] = new RandomStream(0, String(saved[i]['name']));
        streams[i].setState(saved[i]);
      }
    }
  }
}

/**
 * Market features (T,F) of the bars as they are, or, with price noise, of `price_replicas` copies of them in
 * which every bar is moved by its own normal share (its four prices together, so that it stays a bar). The
 * copies depend on seed and configuration only; fills and the ledger always use the true bars.
 */
export function observedFeatures(
  columns: BarColumns,
  segments: readonly Segment[],
  spec: ObservationSpec,
  noise: NoiseConfig,
  seed: number,
): Float32Array[] {
  if (noise.price_bps === 0) return [computeFeatures(columns, segments, spec)];
  const sigma = noise.price_bps * 1e-4;
  return Array.from({ length: noise.price_replicas }, (_, replica) => {
    const stream = new RandomStream(seed, `market/prices-${replica}`);
    const shares = columns.close.map(() => Math.max(1 + sigma * stream.normal(), 0.01));
    const moved = (prices: Float64Array): Float64Array => prices.map((price, t) => price * shares[t]);
    const { open, high, low, close, volume } = columns;
    return computeFeatures(
      { open: moved(open), high: moved(high), low: moved(low), close: moved(close), volume },
      segments,
      spec,
    );
  });
}

/** Feature sets, environments and trainings that know what they must not, each in one way, for the audit to catch. */
import { sliceBars, type Bars } from '#env/market/bars.js';
import type { MarketConfig } from '#env/market/config.js';
import { MarketEnv } from '#env/market/market-env.js';
import { FREE } from '#env/market/test-bars.fixture.js';
import type { Fill, MarketRecorder } from '#env/market/recorder.js';
import type { Env, ResetOptions, StepResult } from '#env/gym.js';
import { SingleEnv } from '#env/single-env.js';
import { Wrapper } from '#env/wrappers.js';
import { log } from '#env/math/index.js';
import { ActingPolicy } from '#agents/policy/acting-policy.js';
import { Normalizer } from '#agents/policy/normalizer.js';
import { Ppo } from '#agents/ppo/ppo.js';
import type { ExperimentConfig } from '#src/config/schema.js';
import { withEngine } from '../engine.js';
import { makeWorldOf } from '../world.js';
import type { MakeAuditedEnv } from './audit-env.js';
import type { FeatureSet } from './audit-features.js';
import type { Learned } from './audit-training.js';

export const WARMUP = 60;

/** A set of one feature: its value at the close of t, from whatever it likes. */
function feature(name: string, at: (bars: Bars, t: number, start: number) => number): FeatureSet {
  return {
    name,
    features: [name],
    compute: (bars) => {
      const out = new Float32Array(bars.length);
      for (const { start, end } of bars.segments) for (let t = start; t < end; t++) out[t] = at(bars, t, start);
      return out;
    },
  };
}

const mean = (column: Float64Array, from: number, to: number): number =>
  column.subarray(from, to).reduce((sum, value) => sum + value, 0) / (to - from);

export const CLEAN_FEATURE = feature('return1', ({ close }, t, start) =>
  t > start ? log(close[t] / close[t - 1]) : 0,
);

export const LEAKY_FEATURES = {
  nextReturn: feature('nextReturn', ({ close, length }, t) => (t + 1 < length ? log(close[t + 1] / close[t]) : 0)),
  centredAverage: feature(
    'centredAverage',
    ({ close, length }, t, start) => close[t] / mean(close, Math.max(start, t - 5), Math.min(length, t + 6)) - 1,
  ),
  wholeSeriesScore: {
    name: 'wholeSeriesScore',
    features: ['wholeSeriesScore'],
    compute: ({ close, length }) => {
      const returns = close.map((price, u) => (u === 0 ? 0 : price / close[u - 1] - 1));
      const average = mean(returns, 0, length);
      const squares = returns.map((value) => (value - average) ** 2);
      return returns.map((value) => (value - average) / Math.sqrt(mean(squares, 0, length)));
    },
  } satisfies FeatureSet,
  rangeOfAll: {
    name: 'rangeOfAll',
    features: ['rangeOfAll'],
    compute: ({ volume }) => {
      const most = volume.reduce((largest, value) => Math.max(largest, value), 1);
      return volume.map((value) => value / most);
    },
  } satisfies FeatureSet,
  // what is missing at the beginning is filled from the first value that exists
  filledBackwards: feature('filledBackwards', ({ close, length }, t, start) => {
    const u = Math.min(Math.max(t, start + 10), length - 1);
    return close[u] / close[Math.max(start, u - 10)] - 1;
  }),
  acrossSegments: feature('acrossSegments', ({ close }, t) => (t > 0 ? close[t] / close[t - 1] - 1 : 0)),
  slowAverage: feature('slowAverage', ({ close }, t, start) => {
    let average = close[start];
    for (let u = start; u <= t; u++) average += (close[u] - average) / 400;
    return close[t] / average - 1;
  }),
  adjustedLevel: feature('adjustedLevel', ({ close }, t) => log(close[t])),
} as const;

const MARKET: MarketConfig = { ...FREE, costs: { ...FREE.costs, spread_bps: 2 } };

/** The market as it is, an episode over all bars from bar WARMUP on. */
export const makeMarket: MakeAuditedEnv = (bars, recorder) => marketOver(bars, recorder, MARKET);

function marketOver(bars: Bars, recorder: MarketRecorder, config: MarketConfig): Env {
  const segment = { start: 0, end: bars.length };
  return new SingleEnv(
    new MarketEnv({
      windows: [{ bars: { ...bars, segments: [segment] }, segment, start: WARMUP, end: bars.length }],
      config,
      numEnvs: 1,
      seed: 1,
      recorder,
    }),
  );
}

/** Knows the bars, and at which it is. */
class KnowingWrapper extends Wrapper {
  readonly bars: Bars;
  t = WARMUP;

  constructor(env: Env, bars: Bars) {
    super(env);
    this.bars = bars;
  }

  override reset(options?: ResetOptions): ReturnType<Env['reset']> {
    this.t = WARMUP;
    return super.reset(options);
  }

  override step(action: number | Float32Array): StepResult {
    this.t++;
    return super.step(action);
  }

  /** Of the bar after the one that is shown; 0 at the end. */
  get nextReturn(): number {
    const { close, length } = this.bars;
    return this.t + 1 < length ? close[this.t + 1] / close[this.t] - 1 : 0;
  }
}

/** Pays for being right about the next bar. */
class RewardAhead extends KnowingWrapper {
  override step(action: number | Float32Array): StepResult {
    const [observation, reward, terminated, truncated, info] = super.step(action);
    return [observation, reward + (action === 1 ? this.nextReturn : 0), terminated, truncated, info];
  }
}

/** Observations less their mean over all bars: a normaliser that was fitted to the future too. */
class CentredObservations extends KnowingWrapper {
  override step(action: number | Float32Array): StepResult {
    const [observation, ...rest] = super.step(action);
    const average = mean(this.bars.close, 0, this.bars.length);
    return [observation.map((value, i) => (i === 0 ? this.bars.close[this.t] / average - 1 : value)), ...rest];
  }
}

/** Allows to buy only before the price rises. */
class KnowingMask extends KnowingWrapper {
  override readonly actionMask = (): Uint8Array => Uint8Array.of(1, this.nextReturn > 0 ? 1 : 0, 1);
}

/** Ends the episode before a fall. */
class EndsInTime extends KnowingWrapper {
  override step(action: number | Float32Array): StepResult {
    const [observation, reward, terminated, truncated, info] = super.step(action);
    return [observation, reward, terminated || this.nextReturn < -0.2, truncated, info];
  }
}

/** Every bar opens at the close before it: what is decided at a close is filled at that close. */
function openingAtTheClose(bars: Bars): Bars {
  const open = bars.open.map((price, t) => (t === 0 ? price : bars.close[t - 1]));
  return {
    ...bars,
    open,
    high: bars.high.map((price, t) => Math.max(price, open[t])),
    low: bars.low.map((price, t) => Math.min(price, open[t])),
  };
}

const outOf =
  (scale: number) =>
  (recorder: MarketRecorder): MarketRecorder => ({
    onBar: (record) => recorder.onBar(record),
    onFill: (fill: Fill) => recorder.onFill({ ...fill, price: fill.price * scale }),
  });

export const LEAKY_ENVS = {
  rewardAhead: (bars, recorder) => new RewardAhead(makeMarket(bars, recorder), bars),
  centredObservations: (bars, recorder) => new CentredObservations(makeMarket(bars, recorder), bars),
  knowingMask: (bars, recorder) => new KnowingMask(makeMarket(bars, recorder), bars),
  endsInTime: (bars, recorder) => new EndsInTime(makeMarket(bars, recorder), bars),
  fillAtTheClose: (bars, recorder) => makeMarket(openingAtTheClose(bars), recorder),
  // every bar is the one after it
  tomorrowsFill: (bars, recorder) => makeMarket({ ...bars, ...shifted(bars) }, recorder),
  betterThanTheBar: (bars, recorder) => makeMarket(bars, outOf(0.9)(recorder)),
  adjustedShares: (bars, recorder) => makeMarket({ ...bars, factor: null }, recorder),
} as const satisfies Record<string, MakeAuditedEnv>;

/** Each bar's open, high, low and close are those of the bar after it. */
function shifted(bars: Bars): Pick<Bars, 'open' | 'high' | 'low' | 'close'> {
  const later = (column: Float64Array): Float64Array =>
    column.map((_, t) => column[Math.min(t + 1, column.length - 1)]);
  return { open: later(bars.open), high: later(bars.high), low: later(bars.low), close: later(bars.close) };
}

export interface LeakyTraining {
  /** Before the first update, the normaliser sees the features of all bars. */
  readonly normalizesAll?: boolean;
  /** The checkpoint is chosen by this configuration's validation window. */
  readonly choosesBy?: ExperimentConfig;
}

/** One update of a real training. */
export async function learnOnce(
  config: ExperimentConfig,
  bars: readonly Bars[],
  { normalizesAll = false, choosesBy = config }: LeakyTraining = {},
): Promise<Learned> {
  const world = makeWorldOf(config, bars);
  return withEngine(config, world, null, null, async (engine) => {
    const ppo = new Ppo({ env: world.env, engine, config: config.agent, seed: 1, totalTimesteps: 512 });
    const { normalizer } = ppo;
    if (normalizer === null) throw new Error('the fixture normalises');
    if (normalizesAll) {
      const size = world.env.singleObservationSpace.shape[0];
      const rows = new Float32Array(bars[0].length * size);
      for (let t = 0; t < bars[0].length; t++) rows[t * size] = bars[0].close[t] / bars[0].close[0];
      normalizer.updateObservations(rows, bars[0].length);
    }
    ppo.update();
    const actor = new ActingPolicy({ engine, normalizer: Normalizer.frozen(normalizer.getState()), bounds: null });
    const score = makeWorldOf(choosesBy, bars).evaluate?.(actor).score ?? null;
    return { parameters: engine.getParameters().slice(), normalizer: normalizer.getState(), score };
  });
}

/** The same market under another name, at another scale. */
export function renamed(bars: Bars, symbol: string, scale: number): Bars {
  const scaled = (column: Float64Array): Float64Array => column.map((price) => price * scale);
  return {
    ...sliceBars(bars, 0, bars.length),
    instrument: { ...bars.instrument, symbol },
    open: scaled(bars.open),
    high: scaled(bars.high),
    low: scaled(bars.low),
    close: scaled(bars.close),
    source: symbol,
    sha256: symbol,
  };
}

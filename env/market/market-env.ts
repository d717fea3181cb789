/**
 * The market as a vector environment: N accounts over one or several instruments and windows. A step takes the
 * decision at the close of bar t, runs bar t + 1 (simulator.ts) and shows the market at its close.
 */
import { fail } from '#src/errors.js';
import { BaseVectorEnv } from '../base-vector-env.js';
import { box, discrete } from '../spaces.js';
import { childState, restoreArray } from '../state.js';
import type { StateDict } from '../state.js';
import { Account, accountRowLength, restoreAccount, saveAccount } from './account.js';
import type { Bars, TradingWindow } from './bars.js';
import { checkMarketConfig, sleeveEquities } from './check-config.js';
import type { MarketConfig } from './config.js';
import { ExitPlan } from './exits.js';
import { marketColumns } from './market-columns.js';
import type { MarketColumns } from './market-columns.js';
import { MarketNoise, observedFeatures } from './noise.js';
import { ACCOUNT_FEATURE_COUNT, FEATURE_SETS, writeAccountFeatures } from './observation/index.js';
import type { ObservationSpec } from './observation/index.js';
import { OrderDesk } from './order-desk.js';
import { BY_END_OF_DATA, BY_RUIN } from './orders.js';
import type { MarketRecorder } from './recorder.js';
import { Reward } from './rewards.js';
import { Simulator } from './simulator.js';

export interface MarketEnvOptions {
  readonly windows: readonly TradingWindow[];
  readonly config: MarketConfig;
  /** Name of the feature set; 'v1' unless given. */
  readonly featureSet?: string;
  /** Number of accounts. In modes 'evaluate' and 'stress' it is the number of windows. */
  readonly numEnvs: number;
  /** Seeds the noisy copies of the market, and the first reset where that names no seed. */
  readonly seed: number;
  readonly recorder?: MarketRecorder;
  /**
   * train: accounts take the windows round-robin, an episode each, for ever. evaluate: account i runs window i once
   * from its start to its end without noise, and then stays `done`. stress: as evaluate, with the configuration's noise.
   */
  readonly mode?: 'train' | 'evaluate' | 'stress';
  /** Multiplies commission, fees, spread and slippage of every fill; default 1. */
  readonly costFactor?: number;
}

/** A window with all that is the same for every account in it. */
interface Field {
  readonly window: TradingWindow;
  readonly market: MarketColumns;
  /** One per price replica: (T,F) market features, as they are and two to a number (`pairsOf`). */
  readonly features: readonly Float32Array[];
  readonly featurePairs: readonly Float64Array[];
  readonly initialEquity: number;
}

const WHERE = 'MarketEnv';

/** Equity that is over the minimum by less than this share of the sleeve is at it: sums of cents leave float noise. */
const AT_THE_MINIMUM = 1e-9;

export class MarketEnv extends BaseVectorEnv {
  readonly spec: ObservationSpec;
  /** (N) 1: this account has run its window and takes no more steps (mode 'evaluate' only). */
  readonly done: Uint8Array;
  /** (N) to look at: their money, position and place in the market. */
  readonly accounts: readonly Readonly<Account>[];
  readonly #accounts: Account[];
  readonly #fields: readonly Field[];
  readonly #config: MarketConfig;
  readonly #discrete: boolean;
  readonly #evaluates: boolean;
  readonly #seed: number;
  readonly #plan: ExitPlan;
  readonly #noise: MarketNoise;
  readonly #desk: OrderDesk;
  readonly #simulator: Simulator;
  readonly #reward: Reward;
  readonly #recorder: MarketRecorder | null;
  readonly #marketFeatures: number;
  readonly #features: number;
  /** The contract's observations, two to a number. */
  readonly #observationPairs: Float64Array;
  readonly #finalObservationPairs: Float64Array;
  /** Where the reads of `#touchNextRows` end, so that they are not optimised away. */
  readonly #touched = new Float64Array(1);
  /** Names the data: a state of other windows is refused. */
  readonly #identity: string;

  /** Throws ENV_CONFIG on a configuration that cannot be meant, DATA_WINDOW on a window too short for an episode. */
  constructor(options: MarketEnvOptions) {
    const { windows, numEnvs, seed, recorder } = options;
    const { mode = 'train' } = options;
    const evaluates = mode !== 'train';
    const whole = evaluates ? overWholeWindows(options.config) : options.config;
    const config = mode === 'evaluate' ? withoutNoise(whole) : whole;
    checkMarketConfig(config);
    if (evaluates && numEnvs !== windows.length) {
      fail('ENV_CONFIG', {
        where: `${WHERE} numEnvs`,
        value: numEnvs,
        message: `an evaluation runs one account a window: ${windows.length}`,
      });
    }
    const spec = featureSetNamed(options.featureSet ?? 'v1');
    const size = spec.marketFeatures.length + ACCOUNT_FEATURE_COUNT;
    const isDiscrete = config.actions === 'discrete';
    super(
      WHERE,
      numEnvs,
      box(-Infinity, Infinity, size),
      isDiscrete ? discrete(3) : box(-1, 1, 1),
      isDiscrete && config.mask_actions,
    );

    // nothing is known before the first reset: a mask that allows nothing would be no mask
    this.actionMasks?.fill(1);
    this.spec = spec;
    this.done = new Uint8Array(numEnvs);
    this.#config = config;
    this.#discrete = isDiscrete;
    this.#evaluates = evaluates;
    this.#seed = seed;
    this.#recorder = recorder ?? null;
    this.#fields = fieldsOf(windows, config, spec, seed);
    this.#marketFeatures = spec.marketFeatures.length;
    this.#features = size;
    this.#observationPairs = pairsOf(this.observations);
    this.#finalObservationPairs = pairsOf(this.finalObservations);
    this.#plan = new ExitPlan(config.exits);
    this.#accounts = Array.from({ length: numEnvs }, (_, i) => new Account(i, this.#plan));
    this.accounts = this.#accounts;
    this.#noise = new MarketNoise(config.noise, numEnvs, options.costFactor);
    this.#desk = new OrderDesk(config, this.#noise);
    this.#simulator = new Simulator(this.#desk, this.#plan, this.#noise, this.#recorder);
    this.#reward = new Reward(config.reward);
    this.#identity = windows.map(({ bars, start, end }) => `${bars.sha256} [${start}, ${end})`).join(' ');
  }

  reset(options: { seed?: number | null } = {}): void {
    const isFirst = this.#accounts[0].episodes === 0;
    const seed = this.beginReset(options.seed ?? (isFirst ? this.#seed : null));
    if (seed !== null) this.#noise.seed(seed);
    this.done.fill(0);
    for (const account of this.#accounts) {
      if (seed !== null) account.episodes = 0;
      this.#beginEpisode(account);
      this.#observe(account, this.observations, this.#observationPairs);
    }
  }

  step(actions: Int32Array | Float32Array): void {
    this.checkActions(actions);
    this.#touchNextRows();
    for (let i = 0; i < this.numEnvs; i++) {
      if (this.done[i] === 0) this.#stepAccount(this.#accounts[i], actions[i]);
      else this.#idle(i);
    }
  }

  /** The account's window: its bars, and where it starts and ends. */
  windowOf(i: number): TradingWindow {
    return this.#fields[this.#accounts[i].window].window;
  }

  /**
   * Reads the end of every account's next row of features. Accounts stand far apart in the data, so that each of
   * them would wait for the memory; read in one go the waits overlap, which makes the step of 64 accounts over a
   * year of minutes about a fifth faster.
   */
  #touchNextRows(): void {
    let sum = 0;
    const count = this.#marketFeatures;
    for (let i = 0; i < this.numEnvs; i++) {
      if (this.done[i] !== 0) continue;
      const { window, replica, bar } = this.#accounts[i];
      sum += this.#fields[window].features[replica][(bar + 2) * count - 1];
    }
    this.#touched[0] = sum;
  }

  #stepAccount(account: Account, action: number): void {
    const { market } = this.#fields[account.window];
    const before = account.equity;

    // decision at the close of t: an order for the next bar
    const t = account.bar;
    let useful = true;
    if (this.#discrete) useful = this.#desk.decide(account, market, t, action);
    else this.#desk.rebalance(account, market, t, action);

    // the next bar: its open, its range, the mark at its close
    const next = t + 1;
    account.bar = next;
    this.#simulator.runBar(account, market, next);

    // at its close the episode ends, or the levels move, last
    const floor = (this.#config.minimum_equity + AT_THE_MINIMUM) * account.initialEquity;
    const ruined = account.equity <= floor;
    const atEnd = next === account.lastBar;
    if (ruined || atEnd) this.#simulator.closeOut(account, market, next, ruined ? BY_RUIN : BY_END_OF_DATA);
    else this.#simulator.ratchet(account, market, next);
    const terminated = account.equity <= floor;
    const truncated = atEnd && !terminated;

    if (this.#recorder !== null) record(this.#recorder, account, market, action);
    const reward = this.#reward.of(account, before, market.close[next], !useful);
    const ended = this.bookStep(account.index, reward, ruined || terminated, truncated && !ruined);
    if (ended) this.#endEpisode(account);
    else this.#observe(account, this.observations, this.#observationPairs);
  }

  #endEpisode(account: Account): void {
    this.#observe(account, this.finalObservations, this.#finalObservationPairs);
    if (this.#evaluates) this.done[account.index] = 1;
    else this.#beginEpisode(account);
    this.#observe(account, this.observations, this.#observationPairs);
  }

  #idle(i: number): void {
    this.rewards[i] = 0;
    this.terminations[i] = 0;
    this.truncations[i] = 0;
  }

  /** The next window in turn, a start in it, fresh money. */
  #beginEpisode(account: Account): void {
    const { index } = account;
    account.window = (index + account.episodes * this.numEnvs) % this.#fields.length;
    account.episodes++;
    const { window, features, initialEquity } = this.#fields[account.window];
    const { length, minimum_length: minimum, random_start: random } = this.#config.episode;
    const last = window.end - 1;
    account.bar = window.start + (random ? this.#noise.start(index, last - window.start - minimum + 1) : 0);
    account.lastBar = length === null ? last : Math.min(account.bar + length, last);
    account.replica = this.#noise.replica(index, features.length);
    account.begin(initialEquity);
  }

  /** Writes observation and mask at the close of the account's bar. */
  #observe(account: Account, out: Float32Array, outPairs: Float64Array): void {
    const { market, features, featurePairs } = this.#fields[account.window];
    const t = account.bar;
    const count = this.#marketFeatures;
    const offset = account.index * this.#features;
    const { replica } = account;
    if (this.#noise.disturbs) this.#noise.disturb(account.index, out, offset, features[replica], t * count, count);
    else if ((count & 1) === 0) copyRow(outPairs, offset >> 1, featurePairs[replica], t * (count >> 1), count >> 1);
    else copyRow(out, offset, features[replica], t * count, count);
    writeAccountFeatures(out, offset + count, account.shares, account.averagePrice, market.close[t], account.equity);
    this.#desk.prepare(account, market, t);
    if (this.actionMasks !== null) this.#desk.writeMask(account, this.actionMasks);
  }

  getState(): StateDict {
    const length = accountRowLength(this.#plan);
    const rows = new Float64Array(this.numEnvs * length);
    for (const account of this.#accounts) saveAccount(account, rows, account.index * length);
    return {
      identity: this.#identity,
      contract: this.arraysState(),
      accounts: rows,
      done: this.done.slice(),
      noise: this.#noise.getState(),
    };
  }

  setState(state: StateDict): void {
    if (state['identity'] !== this.#identity) {
      fail('ENV_STATE', {
        where: WHERE,
        value: state['identity'],
        message: `this state is of other windows; these are ${this.#identity}`,
      });
    }
    const length = accountRowLength(this.#plan);
    const rows = new Float64Array(this.numEnvs * length);
    restoreArray(rows, state, 'accounts', WHERE);
    restoreArray(this.done, state, 'done', WHERE);
    for (const account of this.#accounts) restoreAccount(account, rows, account.index * length);
    this.#noise.setState(childState(state, 'noise', WHERE));
    this.restoreArrays(childState(state, 'contract', WHERE));
  }
}

/**
 * A view of float32s two at a time: half as many loads and stores for a copy, and no conversion to doubles and
 * back. The values are finite, so that no pair of them is a NaN, whose bits the engine might change.
 */
function pairsOf(values: Float32Array): Float64Array {
  return new Float64Array(values.buffer, 0, values.length >> 1);
}

function copyRow<Row extends Float32Array | Float64Array>(
  out: Row,
  to: number,
  rows: Row,
  from: number,
  count: number,
): void {
  for (let k = 0; k < count; k++) out[to + k] = rows[from + k];
}

function record(recorder: MarketRecorder, account: Account, market: MarketColumns, action: number): void {
  const { bar, equity, shares } = account;
  recorder.onBar({
    account: account.index,
    barIndex: bar,
    timeMs: market.bars.openTimeMs[bar],
    equity,
    exposure: equity === 0 ? 0 : (shares * market.close[bar]) / equity,
    position: shares,
    action,
    costs: account.costs,
  });
}

function overWholeWindows(config: MarketConfig): MarketConfig {
  return { ...config, episode: { length: null, minimum_length: 1, random_start: false } };
}

function withoutNoise(config: MarketConfig): MarketConfig {
  return { ...config, noise: { ...config.noise, fill_price_bps: 0, observation: 0, cost: 0, delay: 0, price_bps: 0 } };
}

function featureSetNamed(name: string): ObservationSpec {
  const sets: Readonly<Record<string, ObservationSpec>> = FEATURE_SETS;
  if (!Object.hasOwn(sets, name)) {
    fail('ENV_CONFIG', {
      where: `${WHERE} featureSet`,
      value: name,
      message: `choose one of ${Object.keys(sets).join(', ')}`,
    });
  }
  return sets[name];
}

/** One field a window; windows of the same bars share their columns and features. */
function fieldsOf(
  windows: readonly TradingWindow[],
  config: MarketConfig,
  spec: ObservationSpec,
  seed: number,
): Field[] {
  if (windows.length === 0)
    fail('ENV_CONFIG', {
      where: `${WHERE} windows`,
      value: 0,
      message: 'there is nothing to trade: give at least one window',
    });
  const minimum = config.episode.minimum_length;
  for (const { bars, segment, start, end } of windows) {
    if (!(segment.start <= start && start < end && end <= segment.end && end <= bars.length)) {
      fail('DATA_WINDOW', {
        where: bars.source,
        value: [start, end],
        message: `the window leaves its segment [${segment.start}, ${segment.end})`,
      });
    }
    if (end - 1 - start < minimum) {
      fail('DATA_WINDOW', {
        where: bars.source,
        value: [start, end],
        message: `the window has ${end - 1 - start} steps, episode.minimum_length asks for ${minimum}; widen the window or lower it`,
      });
    }
  }
  const sleeves = sleeveEquities(
    config,
    windows.map(({ bars }) => bars.instrument.symbol),
  );
  const byBars = new Map<Bars, Pick<Field, 'market' | 'features' | 'featurePairs'>>();
  return windows.map((window) => {
    const { bars } = window;
    let shared = byBars.get(bars);
    if (shared === undefined) {
      const own = windows.filter((other) => other.bars === bars);
      const segments = bars.segments
        .map((segment) => ({
          start: segment.start,
          end: Math.max(0, ...own.filter((w) => w.segment.start === segment.start).map((w) => w.end)),
        }))
        .filter(({ start, end }) => end > start);
      const features = observedFeatures(bars, segments, spec, config.noise, seed);
      shared = { market: marketColumns(bars, own, config), features, featurePairs: features.map(pairsOf) };
      byBars.set(bars, shared);
    }
    return { window, ...shared, initialEquity: sleeves.get(bars.instrument.symbol) ?? 0 };
  });
}

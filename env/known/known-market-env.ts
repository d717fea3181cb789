/** N accounts in a known market, in flat arrays. A whole path is drawn when its episode starts. */
import { BaseVectorEnv } from '#env/base-vector-env.js';
import { exp } from '#env/math/index.js';
import { RandomStream } from '#env/seeding.js';
import { box, discrete, type BoxSpace } from '#env/spaces.js';
import { childState, childStates, restoreArray, type StateDict } from '#env/state.js';
import { fail } from '#src/errors.js';
import {
  FLAT,
  type KnownMarket,
  observationSize,
  type PathView,
  positive,
  positiveInteger,
  POSITIONS,
} from './known-market.js';

export interface KnownMarketEnvOptions {
  /** Steps of an episode; the market's own unless given. */
  readonly steps?: number;
  /** Reward of one log-return; 1 unless given. The reference trains with 100. */
  readonly rewardScale?: number;
  /** Paths are drawn from the stream `<market>/<purpose>`: those of training never meet those of evaluation. */
  readonly purpose?: 'training' | 'evaluation';
}

/**
 * Discrete(3) target positions: 0 short, 1 flat, 2 long. Observation (O): the market's signals, then the position
 * (-1, 0, 1), then where the market shows it the position's unrealised return. An episode starts flat and is
 * truncated after `steps`; what is held then is not charged for.
 *
 * Reward of the decision at t: rewardScale x (position x log-price change - cost x units changed).
 */
export class KnownMarketEnv extends BaseVectorEnv {
  readonly market: KnownMarket;
  /** (N) units of position changed by the last step: 0, 1 or 2. */
  readonly unitsTraded: Float64Array;
  readonly #steps: number;
  readonly #rewardScale: number;
  readonly #streamName: string;
  readonly #streams: RandomStream[];
  readonly #changes: Float64Array; // (N,T)
  readonly #signals: Float32Array; // (N,T+1,S)
  readonly #states: Float64Array; // (N,T+1)
  readonly #paths: PathView[];
  /** (N) held since the last decision: -1, 0 or 1; 0 before the first. */
  readonly #positions: Float64Array;
  /** (N) log-price change since the position was entered; 0 while flat. */
  readonly #sinceEntry: Float64Array;

  constructor(market: KnownMarket, numEnvs: number, options: KnownMarketEnvOptions = {}) {
    super(market.id, numEnvs, observationSpaceOf(market), discrete(POSITIONS.length), false);
    const steps = positiveInteger(options.steps ?? market.episodeSteps, `${market.id} steps`);
    const size = market.signalSize;
    this.market = market;
    this.#steps = steps;
    this.#rewardScale = positive(options.rewardScale ?? 1, `${market.id} rewardScale`);
    this.#streamName = `${market.id}/${options.purpose ?? 'training'}`;
    this.#streams = Array.from({ length: numEnvs }, (_, i) => new RandomStream(i, this.#streamName));
    this.unitsTraded = new Float64Array(numEnvs);
    this.#changes = new Float64Array(numEnvs * steps);
    this.#signals = new Float32Array(numEnvs * (steps + 1) * size);
    this.#states = new Float64Array(numEnvs * (steps + 1));
    this.#paths = Array.from({ length: numEnvs }, (_, i) => ({
      changes: this.#changes.subarray(i * steps, (i + 1) * steps),
      signals: this.#signals.subarray(i * (steps + 1) * size, (i + 1) * (steps + 1) * size),
      states: this.#states.subarray(i * (steps + 1), (i + 1) * (steps + 1)),
    }));
    this.#positions = new Float64Array(numEnvs);
    this.#sinceEntry = new Float64Array(numEnvs);
  }

  reset(options?: { seed?: number | null }): void {
    const seed = this.beginReset(options?.seed);
    for (let i = 0; i < this.numEnvs; i++) {
      if (seed !== null) this.#streams[i] = new RandomStream(seed + i, this.#streamName);
      this.#start(i);
    }
  }

  step(actions: Int32Array | Float32Array): void {
    this.checkActions(actions);
    const { costPerUnit } = this.market;
    for (let i = 0; i < this.numEnvs; i++) {
      const t = this.runningLengths[i];
      const position = POSITIONS[actions[i]];
      const units = Math.abs(position - this.#positions[i]);
      const change = this.#changes[i * this.#steps + t];
      this.unitsTraded[i] = units;
      if (units !== 0) this.#sinceEntry[i] = 0;
      if (position !== 0) this.#sinceEntry[i] += change;
      this.#positions[i] = position;
      const earned = position === 0 ? 0 : position * change; // never -0
      const reward = this.#rewardScale * (earned - costPerUnit * units);
      if (this.bookStep(i, reward, false, t + 1 >= this.#steps)) {
        this.#observe(this.finalObservations, i, t + 1);
        this.#start(i);
      } else {
        this.#observe(this.observations, i, t + 1);
      }
    }
  }

  /** The path that environment i is on; overwritten when its next episode starts. */
  pathOf(i: number): PathView {
    return this.#paths[i];
  }

  /** What dynamic programming would ask of environment i now: all that is to know of the market, seen or not. */
  stateOf(i: number): number {
    return this.#states[i * (this.#steps + 1) + this.runningLengths[i]];
  }

  /** -1, 0 or 1, held since the last decision. */
  positionOf(i: number): number {
    return this.#positions[i];
  }

  getState(): StateDict {
    return {
      market: this.market.id,
      arrays: this.arraysState(),
      unitsTraded: this.unitsTraded.slice(),
      changes: this.#changes.slice(),
      signals: this.#signals.slice(),
      states: this.#states.slice(),
      positions: this.#positions.slice(),
      sinceEntry: this.#sinceEntry.slice(),
      streams: this.#streams.map((stream) => stream.getState()),
    };
  }

  setState(state: StateDict): void {
    const where = this.market.id;
    if (state['market'] !== where) {
      fail('ENV_STATE', { where, value: state['market'], message: 'this is the state of another market' });
    }
    const streams = childStates(state, 'streams', this.numEnvs, where);
    restoreArray(this.unitsTraded, state, 'unitsTraded', where);
    restoreArray(this.#changes, state, 'changes', where);
    restoreArray(this.#signals, state, 'signals', where);
    restoreArray(this.#states, state, 'states', where);
    restoreArray(this.#positions, state, 'positions', where);
    restoreArray(this.#sinceEntry, state, 'sinceEntry', where);
    this.restoreArrays(childState(state, 'arrays', where));
    streams.forEach((saved, i) => this.#streams[i].setState(saved));
  }

  #start(i: number): void {
    this.market.draw(this.#paths[i], this.#steps, this.#streams[i]);
    this.#positions[i] = POSITIONS[FLAT];
    this.#sinceEntry[i] = 0;
    this.#observe(this.observations, i, 0);
  }

  #observe(out: Float32Array, i: number, t: number): void {
    const size = this.market.signalSize;
    const width = this.singleObservationSpace.shape[0];
    const from = (i * (this.#steps + 1) + t) * size;
    const to = i * width;
    for (let k = 0; k < size; k++) out[to + k] = this.#signals[from + k];
    out[to + size] = this.#positions[i];
    if (!this.market.showsUnrealizedReturn) return;
    const gain = exp(this.#sinceEntry[i]) - 1;
    out[to + size + 1] = this.#positions[i] === 0 ? 0 : this.#positions[i] * gain;
  }
}

function observationSpaceOf(market: KnownMarket): BoxSpace {
  const size = observationSize(market);
  const low = new Float64Array(size).fill(-Infinity);
  const high = new Float64Array(size).fill(Infinity);
  low[market.signalSize] = -1;
  high[market.signalSize] = 1;
  return box(low, high);
}

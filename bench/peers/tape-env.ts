/**
 * The environment on which OpenBell and its peers are measured, OpenBell's side; tape_env.py is the peers'. Before
 * anything is measured both play the same actions, and every bit of what they say must agree.
 *
 * Definition. A tape has T bars, each with 12 features (float32) and the change of the log-price to the next bar
 * (float64). An episode starts flat at a bar that the environment's own generator chooses, and is truncated after
 * EPISODE steps; it never terminates.
 *   action    0 hold, 1 long (position 1), 2 short (position -1)
 *   reward    100 (position change[t] - COST |new position - old position|)
 *   then      t becomes t + 1; where the position was changed, the entry price is the log-price at the decision
 *   observed  the 12 features of bar t, the position, and 100 position (log-price - entry price)
 *   start     state = 1664525 state + 1013904223 mod 2^32, seeded with seed + index; t = (state >> 8) mod (T - EPISODE)
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { BaseVectorEnv } from '#env/base-vector-env.js';
import { RandomStream } from '#env/seeding.js';
import { box, discrete } from '#env/spaces.js';
import { childState, restoreArray, type StateDict } from '#env/state.js';

const FEATURES = 12;
const OBSERVED = 14;
const EPISODE = 256;
const COST = 0.0005;
const BARS = 4096;
/** Seed of environments and policies on both sides. */
export const PEER_SEED = 1;

export interface Tape {
  readonly features: Float32Array; // (T,12)
  readonly change: Float64Array; // (T)
  readonly logPrice: Float64Array; // (T)
}

/** Features are the returns of the last 1 .. 12 bars in their deviations; the price is a random walk that leans back. */
export function makeTape(): Tape {
  const stream = new RandomStream(1, 'bench/tape');
  const deviation = 0.01;
  const past = FEATURES;
  const prices = new Float64Array(past + BARS + 1);
  for (let t = 1; t < prices.length; t++) prices[t] = 0.95 * prices[t - 1] + deviation * stream.normal();
  const features = new Float32Array(BARS * FEATURES);
  const change = new Float64Array(BARS);
  for (let t = 0; t < BARS; t++) {
    const now = prices[past + t];
    for (let k = 0; k < FEATURES; k++)
      features[t * FEATURES + k] = (now - prices[past + t - k - 1]) / (deviation * Math.sqrt(k + 1));
    change[t] = prices[past + t + 1] - now;
  }
  return { features, change, logPrice: prices.slice(past, past + BARS) };
}

/** Little-endian: change (T) and log-price (T) in float64, then features (T,12) in float32. */
export function writeTape(file: string, { features, change, logPrice }: Tape): void {
  const bytes = (array: Float32Array | Float64Array): Buffer =>
    Buffer.from(array.buffer, array.byteOffset, array.byteLength);
  writeFileSync(file, Buffer.concat([bytes(change), bytes(logPrice), bytes(features)]));
}

export function readTape(file: string): Tape {
  const bytes = readFileSync(file);
  const data = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  return {
    change: new Float64Array(data, 0, BARS),
    logPrice: new Float64Array(data, 8 * BARS, BARS),
    features: new Float32Array(data, 16 * BARS, BARS * FEATURES),
  };
}

export class TapeEnv extends BaseVectorEnv {
  readonly #tape: Tape;
  readonly #states: Uint32Array; // (N) generators
  readonly #bars: Int32Array; // (N)
  readonly #positions: Float64Array; // (N)
  readonly #entries: Float64Array; // (N)

  constructor(tape: Tape, numEnvs: number) {
    super('tape', numEnvs, box(-Infinity, Infinity, OBSERVED), discrete(3), false);
    this.#tape = tape;
    this.#states = new Uint32Array(numEnvs);
    this.#bars = new Int32Array(numEnvs);
    this.#positions = new Float64Array(numEnvs);
    this.#entries = new Float64Array(numEnvs);
  }

  reset(options?: { seed?: number | null }): void {
    const seed = this.beginReset(options?.seed);
    for (let i = 0; i < this.numEnvs; i++) {
      if (seed !== null) this.#states[i] = seed + i;
      this.#start(i);
    }
  }

  /** actions (N) */
  step(actions: Int32Array | Float32Array): void {
    this.checkActions(actions);
    const { change, logPrice } = this.#tape;
    for (let i = 0; i < this.numEnvs; i++) {
      const t = this.#bars[i];
      const before = this.#positions[i];
      const position = actions[i] === 0 ? before : actions[i] === 1 ? 1 : -1;
      if (position !== before) this.#entries[i] = logPrice[t];
      const reward = 100 * (position * change[t] - COST * Math.abs(position - before));
      this.#positions[i] = position;
      this.#bars[i] = t + 1;
      if (this.bookStep(i, reward, false, this.runningLengths[i] + 1 === EPISODE)) {
        this.#observe(this.finalObservations, i);
        this.#start(i);
      } else {
        this.#observe(this.observations, i);
      }
    }
  }

  #start(i: number): void {
    const state = (Math.imul(1664525, this.#states[i]) + 1013904223) >>> 0;
    this.#states[i] = state;
    this.#bars[i] = (state >>> 8) % (BARS - EPISODE);
    this.#positions[i] = 0;
    this.#entries[i] = 0;
    this.#observe(this.observations, i);
  }

  #observe(out: Float32Array, i: number): void {
    const { features, logPrice } = this.#tape;
    const t = this.#bars[i];
    const from = t * FEATURES;
    const to = i * OBSERVED;
    for (let k = 0; k < FEATURES; k++) out[to + k] = features[from + k];
    out[to + 12] = this.#positions[i];
    // + 0: of a flat account never minus zero
    out[to + 13] = 100 * (this.#positions[i] * (logPrice[t] - this.#entries[i])) + 0;
  }

  getState(): StateDict {
    return {
      arrays: this.arraysState(),
      states: this.#states.slice(),
      bars: this.#bars.slice(),
      positions: this.#positions.slice(),
      entries: this.#entries.slice(),
    };
  }

  setState(state: StateDict): void {
    restoreArray(this.#states, state, 'states', 'tape');
    restoreArray(this.#bars, state, 'bars', 'tape');
    restoreArray(this.#positions, state, 'positions', 'tape');
    restoreArray(this.#entries, state, 'entries', 'tape');
    this.restoreArrays(childState(state, 'arrays', 'tape'));
  }
}

/**
 * sha256 of what the environments say while environment i plays ((t^2 + 3 i) mod 7) mod 3 at step t: after reset and
 * every step the observations (float32), then rewards (rounded to float32, as stable-baselines3 keeps them), ends (uint8),
 * and the last observation of each episode that ended.
 */
export function traceOf(env: TapeEnv, steps: number, seed: number): string {
  const hash = createHash('sha256');
  const add = (array: Float32Array | Uint8Array): void => {
    hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  };
  env.reset({ seed });
  add(env.observations);
  const actions = new Int32Array(env.numEnvs);
  for (let t = 0; t < steps; t++) {
    for (let i = 0; i < actions.length; i++) actions[i] = ((t * t + 3 * i) % 7) % 3;
    env.step(actions);
    add(env.observations);
    add(Float32Array.from(env.rewards));
    add(env.truncations);
    for (let i = 0; i < actions.length; i++)
      if (env.truncations[i] === 1) add(env.finalObservations.subarray(i * OBSERVED, (i + 1) * OBSERVED));
  }
  return hash.digest('hex');
}

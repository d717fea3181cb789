/** A policy engine as an actor: what evaluation and the live runner ask for actions. Knows nothing of training. */
import type { Actor } from '../actor.js';
import type { ActOutput, PolicyEngine } from './contract.js';
import type { RandomStream } from '#env/seeding.js';
import { fail } from '#src/errors.js';
import type { Normalizer } from './normalizer.js';

/** All that acting needs of an engine. */
export type ActingEngine = Pick<PolicyEngine, 'spec' | 'act'>;

export interface ActingPolicyOptions {
  readonly engine: ActingEngine;
  /** Frozen; null: observations are taken as they are. */
  readonly normalizer: Normalizer | null;
  /** Box: the action space's bounds per element (A), to which actions are clipped; null: -1 and 1. */
  readonly bounds?: { readonly low: Float64Array; readonly high: Float64Array } | null;
  /** Draws actions from the distribution with it; null: the mode. */
  readonly random?: RandomStream | null;
  /** Rows that are handed to the engine at once; larger batches go in pieces. */
  readonly chunkSize?: number;
}

export class ActingPolicy implements Actor {
  readonly name = 'policy';
  readonly #engine: ActingEngine;
  readonly #normalizer: Normalizer | null;
  readonly #random: RandomStream | null;
  readonly #chunk: number;
  /** K: numbers an action; A: columns of a mask. */
  readonly #actionSize: number;
  readonly #maskSize: number;
  readonly #low: Float64Array | null;
  readonly #high: Float64Array | null;
  readonly #observations: Float32Array;
  readonly #masks: Uint8Array;
  readonly #noise: Float64Array;
  readonly #output: ActOutput;

  /** Throws POLICY_SPEC where normaliser or bounds do not fit the engine, or the normaliser still learns. */
  constructor({ engine, normalizer, bounds = null, random = null, chunkSize = 256 }: ActingPolicyOptions) {
    const { observationSize, action } = engine.spec;
    this.#engine = engine;
    this.#normalizer = normalizer;
    this.#random = random;
    this.#chunk = chunkSize;
    this.#actionSize = action.kind === 'box' ? action.size : 1;
    this.#maskSize = action.kind === 'box' ? 0 : action.n;
    this.#low = action.kind === 'box' ? (bounds?.low ?? new Float64Array(action.size).fill(-1)) : null;
    this.#high = action.kind === 'box' ? (bounds?.high ?? new Float64Array(action.size).fill(1)) : null;
    this.#checkFit();
    this.#observations = new Float32Array(chunkSize * observationSize);
    this.#masks = new Uint8Array(chunkSize * this.#maskSize);
    this.#noise = new Float64Array(chunkSize * this.#actionSize);
    this.#output = {
      actions: new Float32Array(chunkSize * this.#actionSize),
      logProbs: new Float32Array(chunkSize),
      values: new Float32Array(chunkSize),
    };
  }

  /** Fills actions (B), or (B,A) for Box, from raw observations (B,O) and masks (B,A) or null. */
  act(actions: Int32Array | Float32Array, observations: Float32Array, masks: Uint8Array | null, batch: number): void {
    for (let row = 0; row < batch; row += this.#chunk) {
      this.#actChunk(actions, observations, masks, row, Math.min(this.#chunk, batch - row));
    }
  }

  #actChunk(
    actions: Int32Array | Float32Array,
    observations: Float32Array,
    masks: Uint8Array | null,
    row: number,
    rows: number,
  ): void {
    const { observationSize } = this.#engine.spec;
    const from = row * observationSize;
    for (let i = 0; i < rows * observationSize; i++) this.#observations[i] = observations[from + i];
    this.#normalizer?.normalizeObservations(this.#observations, this.#observations, rows);
    if (masks !== null) {
      const fromMask = row * this.#maskSize;
      for (let i = 0; i < rows * this.#maskSize; i++) this.#masks[i] = masks[fromMask + i];
    }
    const noise = this.#drawNoise(rows);
    this.#engine.act(this.#output, this.#observations, masks === null ? null : this.#masks, noise, rows);
    const chosen = this.#output.actions;
    const fromAction = row * this.#actionSize;
    const count = rows * this.#actionSize;
    const low = this.#low;
    const high = this.#high;
    if (low === null || high === null) {
      for (let i = 0; i < count; i++) actions[fromAction + i] = chosen[i];
      return;
    }
    for (let i = 0; i < count; i++) {
      const element = i % this.#actionSize;
      actions[fromAction + i] = Math.min(Math.max(chosen[i], low[element]), high[element]);
    }
  }

  /** Uniforms for discrete actions, standard normals for Box; null for the mode. */
  #drawNoise(rows: number): Float64Array | null {
    const random = this.#random;
    if (random === null) return null;
    const discrete = this.#low === null;
    for (let i = 0; i < rows * this.#actionSize; i++) this.#noise[i] = discrete ? random.uniform() : random.normal();
    return this.#noise;
  }

  #checkFit(): void {
    const { observationSize } = this.#engine.spec;
    const normalizer = this.#normalizer;
    if (normalizer !== null && normalizer.observationSize !== observationSize) {
      fail('POLICY_SPEC', {
        where: 'normalizer',
        value: normalizer.observationSize,
        message: `the policy takes observations of ${observationSize}; load the normaliser of the same checkpoint`,
      });
    }
    if (normalizer !== null && !normalizer.frozen) {
      fail('POLICY_SPEC', {
        where: 'normalizer',
        message: 'a policy that only acts must not learn from what it sees; freeze its normaliser',
      });
    }
    for (const bound of [this.#low, this.#high]) {
      if (bound !== null && bound.length !== this.#actionSize) {
        fail('POLICY_SPEC', {
          where: 'bounds',
          value: bound.length,
          message: `the policy's actions have ${this.#actionSize} elements; give the bounds of the environment's action space`,
        });
      }
    }
    if (!(Number.isInteger(this.#chunk) && this.#chunk > 0)) {
      fail('POLICY_SPEC', { where: 'chunkSize', value: this.#chunk, message: 'must be a positive integer' });
    }
  }
}

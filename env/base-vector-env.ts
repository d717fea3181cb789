/**
 * What every vector environment does alike: the arrays of the contract, the check of actions, the account of
 * episodes, and the arrays' share of the state.
 */
import type { ActionSpace, BoxSpace } from './spaces.js';
import { spaceSize, violations } from './spaces.js';
import { restoreArray, type StateDict } from './state.js';
import type { VectorEnv } from './vector-env.js';
import { validSeed } from './seeding.js';
import { fail } from '#src/errors.js';

export abstract class BaseVectorEnv implements VectorEnv {
  readonly numEnvs: number;
  readonly singleObservationSpace: BoxSpace;
  readonly singleActionSpace: ActionSpace;
  readonly observations: Float32Array; // (N,O)
  readonly rewards: Float64Array; // (N)
  readonly terminations: Uint8Array; // (N)
  readonly truncations: Uint8Array; // (N)
  readonly finalObservations: Float32Array; // (N,O)
  readonly actionMasks: Uint8Array | null; // (N,A)
  readonly episodeReturns: Float64Array; // (N)
  readonly episodeLengths: Int32Array; // (N)
  /** (N) of the episodes under way. */
  protected readonly runningReturns: Float64Array;
  protected readonly runningLengths: Int32Array;
  #isReset = false;
  readonly #where: string;

  protected constructor(
    where: string,
    numEnvs: number,
    observationSpace: BoxSpace,
    actionSpace: ActionSpace,
    masked: boolean,
  ) {
    if (!Number.isSafeInteger(numEnvs) || numEnvs < 1) {
      fail('ENV_CONFIG', {
        where: `${where} numEnvs`,
        value: numEnvs,
        message: 'a vector environment needs a positive number of environments',
      });
    }
    if (masked && actionSpace.kind !== 'discrete') {
      fail('ENV_CONFIG', { where, value: actionSpace.kind, message: 'only discrete actions can be masked' });
    }
    this.#where = where;
    this.numEnvs = numEnvs;
    this.singleObservationSpace = observationSpace;
    this.singleActionSpace = actionSpace;
    const cells = numEnvs * observationSpace.shape[0];
    this.observations = new Float32Array(cells);
    this.rewards = new Float64Array(numEnvs);
    this.terminations = new Uint8Array(numEnvs);
    this.truncations = new Uint8Array(numEnvs);
    this.finalObservations = new Float32Array(cells);
    this.actionMasks = masked && actionSpace.kind === 'discrete' ? new Uint8Array(numEnvs * actionSpace.n) : null;
    this.episodeReturns = new Float64Array(numEnvs);
    this.episodeLengths = new Int32Array(numEnvs);
    this.runningReturns = new Float64Array(numEnvs);
    this.runningLengths = new Int32Array(numEnvs);
  }

  abstract reset(options?: { seed?: number | null }): void;
  abstract step(actions: Int32Array | Float32Array): void;
  abstract getState(): StateDict;
  abstract setState(state: StateDict): void;

  close(): void {}

  /**
   * The seed of environment 0 for this reset, or null to continue the streams. The first reset without a seed
   * counts as seed 0: nothing here reads the system's entropy, so even that run can be repeated.
   */
  protected beginReset(seed: number | null | undefined): number | null {
    const first = seed ?? (this.#isReset ? null : 0);
    if (first !== null) validSeed(first + this.numEnvs - 1, `${this.#where} seed`);
    if (first !== null) validSeed(first, `${this.#where} seed`);
    this.#isReset = true;
    this.rewards.fill(0);
    this.terminations.fill(0);
    this.truncations.fill(0);
    this.runningReturns.fill(0);
    this.runningLengths.fill(0);
    return first;
  }

  /** Throws ENV_CONTRACT before the first reset, and where an action is of the wrong type, length or range. */
  protected checkActions(actions: Int32Array | Float32Array): void {
    const space = this.singleActionSpace;
    if (!this.#isReset) fail('ENV_CONTRACT', { where: this.#where, message: 'call reset before step' });
    const wanted = space.kind === 'discrete' ? Int32Array : Float32Array;
    const length = this.numEnvs * spaceSize(space);
    if (!(actions instanceof wanted) || actions.length !== length) {
      fail('ENV_CONTRACT', {
        where: `${this.#where} step`,
        value: `${actions.constructor.name} of length ${actions.length}`,
        message: `expected actions as a ${wanted.name} of length ${length}`,
      });
    }
    if (space.kind === 'discrete') {
      for (let i = 0; i < length; i++) {
        if (!(actions[i] >= 0 && actions[i] < space.n)) this.#refuseAction(actions, i);
      }
    } else {
      for (let i = 0, k = 0; i < length; i++, k = k + 1 === space.low.length ? 0 : k + 1) {
        if (!(actions[i] >= Math.fround(space.low[k]) && actions[i] <= Math.fround(space.high[k])))
          this.#refuseAction(actions, i);
      }
    }
  }

  #refuseAction(actions: Int32Array | Float32Array, at: number): never {
    const size = spaceSize(this.singleActionSpace);
    const row = Math.floor(at / size);
    const action = actions instanceof Int32Array ? actions[at] : actions.slice(row * size, (row + 1) * size);
    const reasons = violations(this.singleActionSpace, action).join('; ');
    return fail('ENV_CONTRACT', {
      where: `${this.#where} step, environment ${row}`,
      value: actions[at],
      message: `action outside the space: ${reasons}`,
    });
  }

  /** Books one step of environment i. Returns whether its episode ended; its statistics then stand in their arrays. */
  protected bookStep(i: number, reward: number, terminated: boolean, truncated: boolean): boolean {
    this.rewards[i] = reward;
    this.terminations[i] = terminated ? 1 : 0;
    this.truncations[i] = truncated ? 1 : 0;
    this.runningReturns[i] += reward;
    this.runningLengths[i]++;
    if (!terminated && !truncated) return false;
    this.episodeReturns[i] = this.runningReturns[i];
    this.episodeLengths[i] = this.runningLengths[i];
    this.runningReturns[i] = 0;
    this.runningLengths[i] = 0;
    return true;
  }

  protected arraysState(): StateDict {
    const state: StateDict = { isReset: this.#isReset };
    for (const key of ARRAYS) state[key] = this[key].slice();
    if (this.actionMasks !== null) state['actionMasks'] = this.actionMasks.slice();
    return state;
  }

  protected restoreArrays(state: StateDict): void {
    if (typeof state['isReset'] !== 'boolean') {
      fail('ENV_STATE', {
        where: `${this.#where}, state "isReset"`,
        value: state['isReset'],
        message: 'expected true or false: this is not the state of a vector environment',
      });
    }
    for (const key of ARRAYS) restoreArray(this[key], state, key, this.#where);
    if (this.actionMasks !== null) restoreArray(this.actionMasks, state, 'actionMasks', this.#where);
    this.#isReset = state['isReset'];
  }
}

const ARRAYS = [
  'observations',
  'rewards',
  'terminations',
  'truncations',
  'finalObservations',
  'episodeReturns',
  'episodeLengths',
  'runningReturns',
  'runningLengths',
] as const;

/** Gymnasium's contract (v1) in TypeScript, for one environment. */
import type { ActionSpace, BoxSpace } from './spaces.js';
import type { StateDict } from './state.js';

export type Info = Record<string, unknown>;

export interface ResetOptions {
  /** A non-negative integer seeds every random stream anew; null or undefined continues the streams as they stand. */
  seed?: number | null;
  options?: Record<string, unknown>;
}

/** [observation (O), reward, terminated, truncated, info] */
export type StepResult = [
  observation: Float32Array,
  reward: number,
  terminated: boolean,
  truncated: boolean,
  info: Info,
];

export interface Env {
  readonly observationSpace: BoxSpace;
  readonly actionSpace: ActionSpace;
  /** Returns a fresh array each time. */
  reset(options?: ResetOptions): [observation: Float32Array, info: Info];
  /**
   * Discrete spaces take an integer, Box spaces a Float32Array (A). Throws ENV_CONTRACT when called before
   * reset, or after either flag, or with an action outside the space.
   */
  step(action: number | Float32Array): StepResult;
  /** (A) 1 where a discrete action may be chosen; absent where all always may. */
  actionMask?(): Uint8Array;
  getState(): StateDict;
  setState(state: StateDict): void;
  close(): void;
}

/** A classic control task: pure dynamics on a row of a state array. Gymnasium's classic_control is the source of all of them. */
import type { RandomStream } from '#env/seeding.js';
import type { ActionSpace, BoxSpace } from '#env/spaces.js';

export interface ClassicTask {
  /** Gymnasium's identifier. */
  readonly id: string;
  /** Name of the stream that start states are drawn from. */
  readonly stream: string;
  readonly observationSpace: BoxSpace;
  readonly actionSpace: ActionSpace;
  /** S, numbers of float64 state. */
  readonly stateSize: number;
  /** The episode is truncated at this many steps. */
  readonly maxSteps: number;
  /** Draws a start state into state[at .. at + S). */
  start(state: Float64Array, at: number, stream: RandomStream): void;
  /** Advances state[at .. at + S) by one step and returns the reward. */
  advance(state: Float64Array, at: number, action: number): number;
  /** Whether the state just reached ends the episode. */
  terminal(state: Float64Array, at: number): boolean;
  /** Writes the observation of the state to out[outAt .. outAt + O), rounded to float32. */
  observe(out: Float32Array, outAt: number, state: Float64Array, at: number): void;
}

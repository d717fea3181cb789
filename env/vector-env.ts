/** The vector contract: N environments stepped together, in preallocated arrays, with SameStep autoreset. */
import type { ActionSpace, BoxSpace } from './spaces.js';
import type { Stateful } from './state.js';

export interface VectorEnv extends Stateful {
  readonly numEnvs: number;
  readonly singleObservationSpace: BoxSpace;
  readonly singleActionSpace: ActionSpace;
  /**
   * (N,O) after reset or step: where an episode ended this is already the first observation of the next one
   * (autoreset mode SameStep). Overwritten in place by every call.
   */
  readonly observations: Float32Array;
  /** (N) rewards of the last step. */
  readonly rewards: Float64Array;
  /** (N) 1 where the last step ended the episode by termination, or by truncation. */
  readonly terminations: Uint8Array;
  readonly truncations: Uint8Array;
  /** (N,O) last observation of the ended episode; row i is valid only where terminations[i] | truncations[i]. */
  readonly finalObservations: Float32Array;
  /** (N,A) 1 where a discrete action may be chosen NOW; null where the environment never masks. */
  readonly actionMasks: Uint8Array | null;
  /** (N) undiscounted return and length of the episode that just ended; row i valid only where it ended. */
  readonly episodeReturns: Float64Array;
  readonly episodeLengths: Int32Array;
  /** Integer seed: environment i is seeded with seed + i. Null or undefined continues the streams. */
  reset(options?: { seed?: number | null }): void;
  /** Discrete: Int32Array (N). Box: Float32Array (N,A), already clipped to the space. No allocation. */
  step(actions: Int32Array | Float32Array): void;
  close(): void;
}

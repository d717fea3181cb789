/** A vector environment of one, seen as Gymnasium's single environment. */
import type { Env, Info, ResetOptions, StepResult } from './gym.js';
import { type ActionSpace, type BoxSpace, requireAction, spaceSize } from './spaces.js';
import { childState, type StateDict } from './state.js';
import type { VectorEnv } from './vector-env.js';
import { fail } from '#src/errors.js';

type Phase = 'new' | 'running' | 'ended';
const WHERE = 'SingleEnv';

export class SingleEnv implements Env {
  readonly observationSpace: BoxSpace;
  readonly actionSpace: ActionSpace;
  readonly actionMask?: () => Uint8Array;
  readonly #vector: VectorEnv;
  readonly #actions: Int32Array | Float32Array;
  #phase: Phase = 'new';

  /** Throws ENV_CONFIG unless `vector.numEnvs` is 1. */
  constructor(vector: VectorEnv) {
    if (vector.numEnvs !== 1) {
      fail('ENV_CONFIG', {
        where: WHERE,
        value: vector.numEnvs,
        message: 'only a vector environment of one can be seen as a single one',
      });
    }
    this.#vector = vector;
    this.observationSpace = vector.singleObservationSpace;
    this.actionSpace = vector.singleActionSpace;
    const size = spaceSize(this.actionSpace);
    this.#actions = this.actionSpace.kind === 'discrete' ? new Int32Array(size) : new Float32Array(size);
    const masks = vector.actionMasks;
    if (masks !== null) this.actionMask = () => masks.slice();
  }

  reset(given: ResetOptions = {}): [observation: Float32Array, info: Info] {
    if (Object.keys(given.options ?? {}).length > 0) {
      fail('ENV_CONTRACT', {
        where: `${WHERE} reset`,
        value: given.options,
        message: 'this environment takes no reset options',
      });
    }
    const seed = given.seed ?? null;
    // The vector environment has already drawn the next start when an episode ended: drawing another would
    // make one environment and a vector of one see different episodes.
    if (this.#phase !== 'ended' || seed !== null) this.#vector.reset({ seed });
    this.#phase = 'running';
    return [this.#vector.observations.slice(), {}];
  }

  step(action: number | Float32Array): StepResult {
    if (this.#phase !== 'running') {
      const message =
        this.#phase === 'new' ? 'call reset before step' : 'the episode has ended: call reset before the next step';
      fail('ENV_CONTRACT', { where: `${WHERE} step`, message });
    }
    requireAction(this.actionSpace, action, `${WHERE} step`);
    if (typeof action === 'number') this.#actions[0] = action;
    else this.#actions.set(action);
    this.#vector.step(this.#actions);
    const terminated = this.#vector.terminations[0] === 1;
    const truncated = this.#vector.truncations[0] === 1;
    const ended = terminated || truncated;
    if (ended) this.#phase = 'ended';
    const observation = (ended ? this.#vector.finalObservations : this.#vector.observations).slice();
    return [observation, this.#vector.rewards[0], terminated, truncated, {}];
  }

  getState(): StateDict {
    return { phase: this.#phase, vector: this.#vector.getState() };
  }

  setState(state: StateDict): void {
    const phase = state['phase'];
    if (phase !== 'new' && phase !== 'running' && phase !== 'ended') {
      fail('ENV_STATE', { where: `${WHERE}, state "phase"`, value: phase, message: 'expected new, running or ended' });
    }
    this.#vector.setState(childState(state, 'vector', WHERE));
    this.#phase = phase;
  }

  close(): void {
    this.#vector.close();
  }
}

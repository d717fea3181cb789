/** N single environments stepped one after another: the way from a user's own Gymnasium-style Env to PPO. */
import { BaseVectorEnv } from './base-vector-env.js';
import type { Env } from './gym.js';
import { sameSpace, spaceSize, violations } from './spaces.js';
import { childState, childStates, type StateDict } from './state.js';
import { fail } from '#src/errors.js';

const WHERE = 'SyncVectorEnv';

export class SyncVectorEnv extends BaseVectorEnv {
  readonly #envs: readonly Env[];
  readonly #actions: readonly Float32Array[]; // Box only: one row an environment

  /** Makes `numEnvs` environments. Throws ENV_CONFIG where their spaces or their masking differ. */
  constructor(makeEnv: (index: number) => Env, numEnvs: number) {
    const envs = Array.from({ length: Math.max(1, numEnvs) }, (_, index) => makeEnv(index));
    const [first] = envs;
    const masked = first.actionMask !== undefined;
    super(WHERE, numEnvs, first.observationSpace, first.actionSpace, masked);
    envs.forEach((env, index) => {
      const alike =
        sameSpace(env.observationSpace, first.observationSpace) && sameSpace(env.actionSpace, first.actionSpace);
      if (!alike || (env.actionMask !== undefined) !== masked) {
        fail('ENV_CONFIG', {
          where: `${WHERE} environment ${index}`,
          message: 'its spaces or masking differ from those of environment 0',
        });
      }
    });
    this.#envs = envs;
    const space = first.actionSpace;
    this.#actions = space.kind === 'box' ? envs.map(() => new Float32Array(spaceSize(space))) : [];
  }

  reset(options?: { seed?: number | null }): void {
    const seed = this.beginReset(options?.seed);
    for (let i = 0; i < this.numEnvs; i++) {
      const [observation] = this.#envs[i].reset({ seed: seed === null ? null : seed + i });
      this.#write(this.observations, i, observation);
      this.#writeMask(i);
    }
  }

  step(actions: Int32Array | Float32Array): void {
    this.checkActions(actions);
    for (let i = 0; i < this.numEnvs; i++) {
      const env = this.#envs[i];
      const [observation, reward, terminated, truncated] = env.step(this.#action(actions, i));
      if (this.bookStep(i, reward, terminated, truncated)) {
        this.#write(this.finalObservations, i, observation);
        this.#write(this.observations, i, env.reset()[0]);
      } else {
        this.#write(this.observations, i, observation);
      }
      this.#writeMask(i);
    }
  }

  override close(): void {
    for (const env of this.#envs) env.close();
  }

  getState(): StateDict {
    return { arrays: this.arraysState(), envs: this.#envs.map((env) => env.getState()) };
  }

  setState(state: StateDict): void {
    const envs = childStates(state, 'envs', this.numEnvs, WHERE);
    this.restoreArrays(childState(state, 'arrays', WHERE));
    envs.forEach((saved, i) => this.#envs[i].setState(saved));
  }

  #action(actions: Int32Array | Float32Array, i: number): number | Float32Array {
    if (this.singleActionSpace.kind === 'discrete') return actions[i];
    const row = this.#actions[i];
    for (let k = 0; k < row.length; k++) row[k] = actions[i * row.length + k];
    return row;
  }

  #write(rows: Float32Array, i: number, observation: Float32Array): void {
    const size = this.singleObservationSpace.shape[0];
    if (observation.length !== size) {
      const reasons = violations(this.singleObservationSpace, observation).join('; ');
      fail('ENV_CONTRACT', {
        where: `${WHERE} environment ${i}`,
        value: observation.length,
        message: `observation outside the space: ${reasons}`,
      });
    }
    rows.set(observation, i * size);
  }

  #writeMask(i: number): void {
    const mask = this.#envs[i].actionMask?.();
    if (mask !== undefined && this.actionMasks !== null) this.actionMasks.set(mask, i * mask.length);
  }
}

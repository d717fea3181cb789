/** One rollout of n_steps x n_envs, preallocated. Rows are time-major: row t * envs + n is environment n at step t. */
import type { TrainingBatch } from '../policy/contract.js';
import { computeAdvantages } from './gae.js';

export interface RolloutShape {
  readonly steps: number;
  readonly envs: number;
  /** O */
  readonly observationSize: number;
  /** K: 1 for discrete actions, the action's size for Box. */
  readonly actionSize: number;
  /** A where the environment masks; 0 where it does not. */
  readonly maskSize: number;
}

export class RolloutBuffer implements TrainingBatch {
  readonly shape: RolloutShape;
  readonly size: number;
  readonly observations: Float32Array; // (T,O) as the policy saw them: normalised
  readonly actions: Float32Array; // (T,K) as sampled: Box actions are not clipped
  readonly masks: Uint8Array | null; // (T,A)
  readonly logProbs: Float32Array; // (T)
  readonly values: Float32Array; // (T)
  readonly rewards: Float64Array; // (T) normalised, with the bootstrap of truncated steps
  readonly dones: Uint8Array; // (T) 1 where the episode ended with this step
  readonly advantages: Float32Array; // (T)
  readonly returns: Float32Array; // (T)

  constructor(shape: RolloutShape) {
    const size = shape.steps * shape.envs;
    this.shape = shape;
    this.size = size;
    this.observations = new Float32Array(size * shape.observationSize);
    this.actions = new Float32Array(size * shape.actionSize);
    this.masks = shape.maskSize === 0 ? null : new Uint8Array(size * shape.maskSize);
    this.logProbs = new Float32Array(size);
    this.values = new Float32Array(size);
    this.rewards = new Float64Array(size);
    this.dones = new Uint8Array(size);
    this.advantages = new Float32Array(size);
    this.returns = new Float32Array(size);
  }

  /** Stores what was seen and decided at step t: observations (N,O), masks (N,A), actions (N,K), logProbs (N), values (N). */
  storeDecision(
    t: number,
    observations: Float32Array,
    masks: Uint8Array | null,
    actions: Float32Array,
    logProbs: Float32Array,
    values: Float32Array,
  ): void {
    const { envs, observationSize, actionSize, maskSize } = this.shape;
    this.observations.set(observations, t * envs * observationSize);
    this.actions.set(actions, t * envs * actionSize);
    if (this.masks !== null && masks !== null) this.masks.set(masks, t * envs * maskSize);
    this.logProbs.set(logProbs, t * envs);
    this.values.set(values, t * envs);
  }

  /** Stores what came of it: rewards (N), and (N) whether the episode ended with this step. */
  storeOutcome(t: number, rewards: Float64Array, terminations: Uint8Array, truncations: Uint8Array): void {
    const { envs } = this.shape;
    for (let n = 0; n < envs; n++) {
      this.rewards[t * envs + n] = rewards[n];
      this.dones[t * envs + n] = terminations[n] | truncations[n];
    }
  }

  /** Fills advantages and returns; lastValues (N) are the values of the observations after the last step. */
  finish(lastValues: Float32Array, gamma: number, gaeLambda: number): void {
    const { steps, envs } = this.shape;
    const { rewards, values, dones } = this;
    computeAdvantages(this.advantages, this.returns, {
      steps,
      envs,
      rewards,
      values,
      dones,
      lastValues,
      gamma,
      gaeLambda,
    });
  }
}

/** Views of `permutation`, one a minibatch, in order; the last one is short where the size does not divide. */
export function minibatchViews(permutation: Int32Array, batchSize: number): Int32Array[] {
  const views: Int32Array[] = [];
  for (let start = 0; start < permutation.length; start += batchSize) {
    views.push(permutation.subarray(start, Math.min(start + batchSize, permutation.length)));
  }
  return views;
}

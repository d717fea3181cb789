/** OpenBell's learning curve: one training, scored between its updates. The twin of peers/learning_curves.py. */
import { ActingPolicy } from '#agents/policy/acting-policy.js';
import { Normalizer } from '#agents/policy/normalizer.js';
import { createSimdEngine } from '#agents/policy/simd/engine.js';
import { firstEpisodeReturns } from '#agents/episode-returns.js';
import { policySpec } from '#agents/ppo/policy-spec.js';
import { Ppo } from '#agents/ppo/ppo.js';
import { RandomStream } from '#env/seeding.js';
import type { VectorEnv } from '#env/vector-env.js';
import { SCORING_SEED, type ParityTask } from './tasks.js';

/** Mean returns of the policy's most probable actions after so many environment steps. */
export interface Curve {
  readonly timesteps: readonly number[];
  readonly scores: readonly number[];
}

export interface Worlds {
  /** To train in, with the task's `n_envs`. */
  readonly training: VectorEnv;
  /** To score in: an episode each. */
  readonly scoring: VectorEnv;
}

export function learningCurve(task: ParityTask, { training, scoring }: Worlds, seed: number): Curve {
  const { config, total_timesteps: total, evaluations } = task;
  const spec = policySpec(config, training.singleObservationSpace, training.singleActionSpace);
  const engine = createSimdEngine(spec, { init: new RandomStream(seed, 'policy/init') });
  const ppo = new Ppo({ env: training, engine, config, seed, totalTimesteps: total });
  const space = training.singleActionSpace;
  const bounds = space.kind === 'box' ? space : null;
  const timesteps: number[] = [];
  const scores: number[] = [];
  const score = (): void => {
    const normalizer = ppo.normalizer === null ? null : Normalizer.frozen(ppo.normalizer.getState());
    const actor = new ActingPolicy({ engine, normalizer, bounds });
    const returns = firstEpisodeReturns(actor, scoring, SCORING_SEED);
    timesteps.push(ppo.timesteps);
    scores.push(returns.reduce((sum, value) => sum + value, 0) / returns.length);
  };
  for (let due = 0; ; ) {
    if (ppo.done || ppo.timesteps >= (due * total) / evaluations) {
      score();
      due = Math.floor((ppo.timesteps * evaluations) / total) + 1;
    }
    if (ppo.done) break;
    ppo.update();
  }
  engine.dispose();
  return { timesteps, scores };
}

/** OpenBell's learning curve: one training, scored between its updates. The twin of peers/learning_curves.py. */
import { ActingPolicy } from '#agents/policy/acting-policy.js';
import { Normalizer } from '#agents/policy/normalizer.js';
import { createSimdEngine } from '#agents/policy/simd/engine.js';
import { firstEpisodeReturns } from '#agents/episode-returns.js';
import type { PpoConfig } from '#agents/ppo/config.js';
import { policySpec } from '#agents/ppo/policy-spec.js';
import { Ppo } from '#agents/ppo/ppo.js';
import { makeClassicVector } from '#env/classic/index.js';
import { RandomStream } from '#env/seeding.js';
import type { VectorEnv } from '#env/vector-env.js';
import { PUBLISHED_EPISODES, type PublishedRow } from './published.js';
import { SCORING_SEED, type ParityTask } from './tasks.js';

/** Scores after so many environment steps. */
export interface Curve {
  readonly timesteps: readonly number[];
  readonly scores: readonly number[];
}

export interface Worlds {
  /** To train in. */
  readonly training: VectorEnv;
  /** To score in: an episode each. */
  readonly scoring: VectorEnv;
}

/** The policy is scored before the first update, at every `total / evaluations` steps and at the end. */
export function learningCurve(task: ParityTask, { training, scoring }: Worlds, seed: number): Curve {
  const { config, total_timesteps: total, evaluations } = task;
  const ppo = startTraining(training, config, seed, total);
  const timesteps: number[] = [];
  const scores: number[] = [];
  for (let due = 0; ;) {
    if (ppo.done || ppo.timesteps >= (due * total) / evaluations) {
      timesteps.push(ppo.timesteps);
      scores.push(meanReturn(ppo, scoring));
      due = Math.floor((ppo.timesteps * evaluations) / total) + 1;
    }
    if (ppo.done) break;
    ppo.update();
  }
  ppo.engine.dispose();
  return { timesteps, scores };
}

/** A curve of one point, scored as the source of the published score does it. */
export function publishedScore(row: PublishedRow, seed: number): Curve {
  const ppo = startTraining(makeClassicVector(row.env, row.n_envs), row.config, seed, row.total_timesteps);
  while (!ppo.done) ppo.update();
  const score =
    row.score === 'training'
      ? ppo.episodes.returnMean
      : meanReturn(ppo, makeClassicVector(row.env, PUBLISHED_EPISODES));
  ppo.engine.dispose();
  if (score === null) throw new RangeError(`${row.name}: no episode has ended in ${row.total_timesteps} steps`);
  return { timesteps: [ppo.timesteps], scores: [score] };
}

function startTraining(env: VectorEnv, config: PpoConfig, seed: number, totalTimesteps: number): Ppo {
  const spec = policySpec(config, env.singleObservationSpace, env.singleActionSpace);
  const engine = createSimdEngine(spec, { init: new RandomStream(seed, 'policy/init') });
  return new Ppo({ env, engine, config, seed, totalTimesteps });
}

/** Of the most probable actions, with the normaliser as it stands. */
function meanReturn({ engine, env, normalizer }: Ppo, scoring: VectorEnv): number {
  const space = env.singleActionSpace;
  const actor = new ActingPolicy({
    engine,
    normalizer: normalizer === null ? null : Normalizer.frozen(normalizer.getState()),
    bounds: space.kind === 'box' ? space : null,
  });
  const returns = firstEpisodeReturns(actor, scoring, SCORING_SEED);
  return returns.reduce((sum, value) => sum + value, 0) / returns.length;
}

/** The learner on classic tasks, reduced to one seed each; `npm run bench:parity` runs the whole tables. */
import { expect, it } from 'vitest';
import { ActingPolicy } from '#agents/policy/acting-policy.js';
import { Normalizer } from '#agents/policy/normalizer.js';
import { firstEpisodeReturns } from '#agents/episode-returns.js';
import type { Ppo } from '#agents/ppo/ppo.js';
import { ZOO } from '#agents/ppo/zoo.js';
import { makeClassicVector } from '#env/classic/index.js';
import { makePpo } from './make-ppo.js';

/** Seconds on a free machine; other test files may share its cores. */
const MINUTES = 240_000;

function meanReturn(ppo: Ppo, id: string, episodes: number): number {
  const env = makeClassicVector(id, episodes);
  const space = env.singleActionSpace;
  const normalizer = ppo.normalizer === null ? null : Normalizer.frozen(ppo.normalizer.getState());
  const bounds = space.kind === 'box' ? space : null;
  const returns = firstEpisodeReturns(new ActingPolicy({ engine: ppo.engine, normalizer, bounds }), env, 1_000_000);
  return returns.reduce((sum, value) => sum + value, 0) / returns.length;
}

it('balances CartPole at 475 and above within the published 100,000 steps', { timeout: MINUTES }, () => {
  const { n_envs, config, total_timesteps } = ZOO['CartPole-v1'];
  const ppo = makePpo(makeClassicVector('CartPole-v1', n_envs), config, 1, total_timesteps);
  while (!ppo.done) ppo.update();
  expect(meanReturn(ppo, 'CartPole-v1', 20)).toBeGreaterThanOrEqual(475);
});

it('swings Pendulum up: the median of three seeds', { timeout: MINUTES }, () => {
  const { n_envs, config, total_timesteps } = ZOO['Pendulum-v1'];
  const scores: number[] = [];
  for (const seed of [0, 1, 2]) {
    const ppo = makePpo(makeClassicVector('Pendulum-v1', n_envs), config, seed, total_timesteps);
    const before = meanReturn(ppo, 'Pendulum-v1', 20);
    while (!ppo.done) ppo.update();
    const after = meanReturn(ppo, 'Pendulum-v1', 20);
    // every seed improves clearly, the worst one too
    expect(after).toBeGreaterThan(before + 400);
    scores.push(after);
  }
  // ten seeds lie between -170 and -195, but for one at -308 (seed 1): hence a median, and seed 1 in it
  expect(scores.toSorted((a, b) => a - b)[1]).toBeGreaterThan(-250);
});

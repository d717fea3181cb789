/** The learner on classic tasks, reduced to one seed each; bench/classic.mjs runs the whole tables. */
import { expect, it } from 'vitest';
import { ActingPolicy } from '#agents/policy/acting-policy.js';
import { Normalizer } from '#agents/policy/normalizer.js';
import { firstEpisodeReturns } from '#agents/episode-returns.js';
import type { Ppo } from '#agents/ppo/ppo.js';
import { ZOO } from '#agents/ppo/zoo.js';
import { makeClassicVector } from '#env/classic/index.js';
import { makePpo } from './make-ppo.js';

function meanReturn(ppo: Ppo, id: string, episodes: number): number {
  const env = makeClassicVector(id, episodes);
  const space = env.singleActionSpace;
  const normalizer = ppo.normalizer === null ? null : Normalizer.frozen(ppo.normalizer.getState());
  const bounds = space.kind === 'box' ? space : null;
  const returns = firstEpisodeReturns(new ActingPolicy({ engine: ppo.engine, normalizer, bounds }), env, 1_000_000);
  return returns.reduce((sum, value) => sum + value, 0) / returns.length;
}

it('balances CartPole at 475 and above within the published 100,000 steps', () => {
  const { n_envs, config, total_timesteps } = ZOO['CartPole-v1'];
  const ppo = makePpo(makeClassicVector('CartPole-v1', n_envs), config, 1, total_timesteps);
  while (!ppo.done) ppo.update();
  expect(meanReturn(ppo, 'CartPole-v1', 20)).toBeGreaterThanOrEqual(475);
});

it('swings Pendulum up well above chance', () => {
  const { n_envs, config, total_timesteps } = ZOO['Pendulum-v1'];
  const ppo = makePpo(makeClassicVector('Pendulum-v1', n_envs), config, 1, total_timesteps);
  const before = meanReturn(ppo, 'Pendulum-v1', 20);
  while (!ppo.done) ppo.update();
  expect(before).toBeLessThan(-900);
  expect(meanReturn(ppo, 'Pendulum-v1', 20)).toBeGreaterThan(-400);
});

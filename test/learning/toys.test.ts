/** The learner on environments whose best policy is known by hand: minutes of doubt for seconds of work. */
import { expect, it } from 'vitest';
import { ActingPolicy } from '#agents/policy/acting-policy.js';
import { SB3_PPO, type PpoConfig } from '#agents/ppo/config.js';
import { firstEpisodeReturns } from '#agents/episode-returns.js';
import { makePpo } from './make-ppo.js';
import { constantEnv, followEnv, matchEnv, type ToyEnv } from './toy-envs.js';
import type { Ppo } from '#agents/ppo/ppo.js';

const SMALL: PpoConfig = {
  ...SB3_PPO,
  n_steps: 32,
  batch_size: 64,
  learning_rate: 3e-3,
  net_arch: { pi: [16], vf: [16] },
};

function trained(env: ToyEnv, config: PpoConfig, timesteps: number): Ppo {
  const ppo = makePpo(env, config, 1, timesteps);
  while (!ppo.done) ppo.update();
  return ppo;
}

function meanReturn(ppo: Ppo, env: ToyEnv): number {
  const space = env.singleActionSpace;
  const bounds = space.kind === 'box' ? space : null;
  const actor = new ActingPolicy({ engine: ppo.engine, normalizer: null, bounds });
  const returns = firstEpisodeReturns(actor, env, 1_000_000);
  return returns.reduce((sum, value) => sum + value, 0) / returns.length;
}

it('learns which of four actions matches the sign', () => {
  const ppo = trained(matchEnv(8, 4, 16), SMALL, 20_000);
  expect(meanReturn(ppo, matchEnv(50, 4, 16))).toBeGreaterThan(0.95 * 16);
});

it('learns the same under masks', () => {
  const ppo = trained(matchEnv(8, 4, 16, true), SMALL, 20_000);
  expect(meanReturn(ppo, matchEnv(50, 4, 16, true))).toBeGreaterThan(0.95 * 16);
});

it('follows a moving target with a continuous action', () => {
  const ppo = trained(followEnv(8, 16), { ...SMALL, gamma: 0 }, 60_000);
  // standing still at 0 costs 16/3 an episode
  expect(meanReturn(ppo, followEnv(50, 16))).toBeGreaterThan(-0.1);
});

it('time limits are no ends: a constant reward is worth 1 / (1 - gamma) where episodes are truncated', () => {
  const config: PpoConfig = { ...SMALL, gamma: 0.9, learning_rate: 0.01 };
  const valueAtEnd = (ending: 'terminated' | 'truncated') => {
    const ppo = trained(constantEnv(8, 5, ending), config, 20_000);
    const value = new Float32Array(1);
    ppo.engine.predictValues(value, Float32Array.of(1), 1);
    return value[0];
  };
  expect(valueAtEnd('truncated')).toBeCloseTo(10, 0);
  // five steps to live, seen at random: the mean of 1, 1.9, ... 4.0951
  expect(valueAtEnd('terminated')).toBeCloseTo(2.63, 0);
});

import { describe, expect, it } from 'vitest';
import { makeClassicVector } from '#env/classic/index.js';
import { Normalizer } from '../policy/normalizer.js';
import { makePpo } from '../../test/learning/make-ppo.js';
import { constantEnv, followEnv, matchEnv } from '../../test/learning/toy-envs.js';
import { SB3_PPO, type PpoConfig } from './config.js';
import { Ppo } from './ppo.js';

const SMALL: PpoConfig = { ...SB3_PPO, n_steps: 16, batch_size: 16, n_epochs: 2, net_arch: { pi: [16], vf: [16] } };

describe('a rollout', () => {
  it('adds gamma V(terminal observation) to the last reward of a truncated episode, and to no other', () => {
    const ppo = makePpo(constantEnv(2, 4, 'truncated'), { ...SMALL, n_steps: 8 }, 1, 1000);
    ppo.update();
    const { rewards, values, dones } = ppo.rollout;
    // the sight never changes, so that the terminal observation is worth what each row is
    const bootstrapped = 1 + 0.99 * values[0];
    for (let row = 0; row < 16; row++) {
      const last = Math.floor(row / 2) % 4 === 3;
      expect(dones[row]).toBe(last ? 1 : 0);
      expect(rewards[row]).toBe(last ? bootstrapped : 1);
    }
  });

  it('adds nothing where the episode terminated', () => {
    const ppo = makePpo(constantEnv(2, 4, 'terminated'), { ...SMALL, n_steps: 8 }, 1, 1000);
    ppo.update();
    expect([...ppo.rollout.rewards]).toEqual(Array.from({ length: 16 }, () => 1));
    expect(ppo.rollout.dones.reduce((sum, done) => sum + done, 0)).toBe(4);
  });

  it('normalises as VecNormalize does: the terminal observation with the statistics of its own step', () => {
    const normalize = { observation: true, reward: true, clip_obs: 10, clip_reward: 10, epsilon: 1e-8 };
    const config: PpoConfig = { ...SMALL, n_steps: 203, normalize };
    const ppo = makePpo(makeClassicVector('Pendulum-v1', 2), config, 4, 1000);
    ppo.update();
    // the same rollout again, step by step, from the recorded actions
    const { engine } = makePpo(makeClassicVector('Pendulum-v1', 2), config, 4, 1000);
    const normalizer = new Normalizer(normalize, 3, 2, config.gamma);
    const env = makeClassicVector('Pendulum-v1', 2);
    const seen = new Float32Array(6);
    const rewards = new Float64Array(2);
    const values = new Float32Array(2);
    env.reset({ seed: 4 });
    normalizer.updateObservations(env.observations, 2);
    normalizer.normalizeObservations(seen, env.observations, 2);
    for (let t = 0; t < 203; t++) {
      expect(ppo.rollout.observations.subarray(t * 6, t * 6 + 6)).toEqual(seen);
      env.step(ppo.rollout.actions.slice(t * 2, t * 2 + 2).map((action) => Math.min(Math.max(action, -2), 2)));
      normalizer.updateObservations(env.observations, 2);
      normalizer.normalizeObservations(seen, env.observations, 2);
      normalizer.normalizeRewards(rewards, env.rewards, env.terminations, env.truncations);
      if (t === 199) {
        const terminal = new Float32Array(6);
        normalizer.normalizeObservations(terminal, env.finalObservations, 2);
        engine.predictValues(values, terminal, 2);
        for (let n = 0; n < 2; n++) rewards[n] += 0.99 * values[n];
      }
      expect(ppo.rollout.rewards.subarray(t * 2, t * 2 + 2)).toEqual(rewards);
    }
  });

  it('stores the Box action as it was sampled and sends it clipped', () => {
    const env = followEnv(2, 8);
    const ppo = makePpo(env, { ...SMALL, n_steps: 64, log_std_init: 1 }, 3, 1000);
    ppo.update();
    const stored = [...ppo.rollout.actions];
    expect(stored.some((action) => Math.abs(action) > 1)).toBe(true);
    expect(env.received).toEqual(stored.map((action) => Math.min(Math.max(action, -1), 1)));
  });

  it('stores the mask that was in force, and never takes a masked action', () => {
    const ppo = makePpo(matchEnv(4, 3, 8, true), { ...SMALL, n_steps: 64 }, 3, 1000);
    ppo.update();
    const { masks, actions, observations, size } = ppo.rollout;
    if (masks === null) throw new Error('the environment masks');
    for (let row = 0; row < size; row++) {
      const sign = observations.subarray(row * 3, row * 3 + 3).indexOf(1);
      expect(masks[row * 3 + ((sign + 1) % 3)]).toBe(0);
      expect(masks[row * 3 + actions[row]]).toBe(1);
    }
  });

  it('counts finished episodes and gives their mean return and length', () => {
    const ppo = makePpo(constantEnv(2, 5, 'terminated', 2), SMALL, 1, 1000);
    const report = ppo.update();
    expect(report).toMatchObject({
      episodes: 6,
      episodeReturnMean: 10,
      episodeLengthMean: 5,
      timesteps: 32,
      update: 1,
    });
    expect(makePpo(constantEnv(1, 50, 'terminated'), SMALL, 1, 1000).update().episodeReturnMean).toBeNull();
  });
});

describe('the epochs', () => {
  it('keep the short last minibatch', () => {
    const ppo = makePpo(matchEnv(1, 2, 8), { ...SMALL, n_steps: 33, n_epochs: 3 }, 1, 1000);
    expect(ppo.update().gradientSteps).toBe(9);
  });

  it('start below the whole learning rate: progress is updated after the rollout', () => {
    const linear: PpoConfig = {
      ...SMALL,
      learning_rate: { schedule: 'linear', initial: 0.001 },
      clip_range: { schedule: 'linear', initial: 0.2 },
    };
    const ppo = makePpo(matchEnv(4, 2, 8), linear, 1, 256);
    const { learningRate, clipRange } = ppo.update();
    expect(learningRate).toBe(0.00075);
    expect(clipRange).toBeCloseTo(0.15, 12);
    for (let i = 0; i < 4; i++) ppo.update();
    expect(ppo.done).toBe(true);
    expect(ppo.update().learningRate).toBe(0);
  });

  it('end before the step where KL exceeds 1.5 x target_kl, or after the epoch at 1 x', () => {
    const hot: PpoConfig = { ...SMALL, n_steps: 64, n_epochs: 10, learning_rate: 0.05, target_kl: 1e-4 };
    const inside = makePpo(matchEnv(2, 3, 8), hot, 1, 10_000).update();
    expect(inside.stoppedEarly).toBe(true);
    expect(inside.gradientSteps).toBeLessThan(8);
    const after = makePpo(matchEnv(2, 3, 8), { ...hot, target_kl_scope: 'epoch' }, 1, 10_000).update();
    expect(after.stoppedEarly).toBe(true);
    expect(after.gradientSteps).toBe(8);
  });

  it('value clipping of CleanRL and of stable-baselines3 differ', () => {
    const hot: PpoConfig = { ...SMALL, clip_range_vf: 0.01, learning_rate: 0.05, n_epochs: 10 };
    const loss = (config: PpoConfig) => makePpo(matchEnv(4, 3, 8), config, 1, 10_000).update().valueLoss;
    expect(loss({ ...hot, value_clipping: 'pessimistic' })).toBeGreaterThan(loss(hot));
  });
});

describe('the bits', () => {
  const config: PpoConfig = {
    ...SMALL,
    n_steps: 32,
    batch_size: 48,
    normalize: { observation: true, reward: true, clip_obs: 10, clip_reward: 10, epsilon: 1e-8 },
  };
  const cartPole = (seed: number) => makePpo(makeClassicVector('CartPole-v1', 4), config, seed, 2000);

  it('are equal for one seed, and differ for another', () => {
    const run = (seed: number) => {
      const ppo = cartPole(seed);
      for (let i = 0; i < 5; i++) ppo.update();
      return ppo.engine.getParameters();
    };
    const first = run(5);
    expect(run(5)).toEqual(first);
    expect(run(6)).not.toEqual(first);
  });

  it.each([0, 1, 3])('are those of an uninterrupted run after a resume at update %i', (interruption) => {
    const whole = cartPole(5);
    const interrupted = cartPole(5);
    for (let i = 0; i < interruption; i++) interrupted.update();
    const state = structuredClone(interrupted.getState());
    // what happens after the checkpoint must leave no trace in it
    interrupted.update();
    const resumed = cartPole(5);
    resumed.update();
    resumed.setState(state);
    for (let i = 0; i < interruption; i++) whole.update();
    for (let i = 0; i < 4; i++) expect(resumed.update()).toEqual(whole.update());
    expect(resumed.getState()).toEqual(whole.getState());
  });

  it('of a state are refused by another seed, configuration or environment', () => {
    const state = cartPole(5).getState();
    expect(() => cartPole(6).setState(state)).toThrow(/POLICY_STATE ppo\.seed 5/);
    const plain = makePpo(makeClassicVector('CartPole-v1', 4), { ...config, normalize: null }, 5, 2000);
    expect(() => plain.setState(state)).toThrow(/POLICY_STATE ppo\.normalizer/);
    const wider = makePpo(makeClassicVector('CartPole-v1', 5), config, 5, 2000);
    expect(() => wider.setState(state)).toThrow(/POLICY_STATE/);
  });
});

it('refuses an engine made for another environment', () => {
  const { engine } = makePpo(matchEnv(1, 2, 8), SMALL, 1, 1000);
  const misfit = () => new Ppo({ env: matchEnv(1, 3, 8), engine, config: SMALL, seed: 1, totalTimesteps: 1000 });
  expect(misfit).toThrow(/POLICY_SPEC observationSize 2: the environment observes 3/);
});

import { expect, it } from 'vitest';
import { SB3_PPO, type PpoConfig } from './config.js';
import { PPO_PRESETS } from './presets.js';
import { validatePpoConfig } from './validate.js';
import { ZOO } from './zoo.js';

const check =
  (change: Partial<PpoConfig>, numEnvs = 1) =>
  () =>
    validatePpoConfig({ ...SB3_PPO, ...change }, numEnvs);

it('takes every preset and every published setting', () => {
  for (const { config, n_envs } of [...Object.values(PPO_PRESETS), ...Object.values(ZOO)]) {
    expect(() => validatePpoConfig(config, n_envs)).not.toThrow();
  }
});

it('names the key, the value and the remedy', () => {
  expect(check({ batch_size: 1 })).toThrow(
    /CONFIG_VALUE agent\.batch_size 1: the standard deviation of one advantage .* normalize_advantage/,
  );
  expect(check({ n_steps: 1 })).toThrow(/agent\.n_steps 1: .* more than one row/);
});

it('one row a rollout is enough from two environments, and one row a minibatch without normalisation', () => {
  expect(check({ n_steps: 1 }, 2)).not.toThrow();
  expect(check({ n_steps: 1, batch_size: 1, normalize_advantage: false })).not.toThrow();
});

it.each<[string, Partial<PpoConfig>]>([
  ['learning_rate', { learning_rate: 0 }],
  ['learning_rate', { learning_rate: Number.NaN }],
  ['learning_rate.initial', { learning_rate: { schedule: 'linear', initial: -1 } }],
  ['learning_rate.final', { learning_rate: { schedule: 'linear', initial: 1, final: -1 } }],
  ['n_steps', { n_steps: 2.5 }],
  ['n_epochs', { n_epochs: 0 }],
  ['gamma', { gamma: 1.01 }],
  ['gae_lambda', { gae_lambda: -0.1 }],
  ['clip_range', { clip_range: 0 }],
  ['clip_range_vf', { clip_range_vf: 0 }],
  ['ent_coef', { ent_coef: -1 }],
  ['vf_coef', { vf_coef: Number.POSITIVE_INFINITY }],
  ['max_grad_norm', { max_grad_norm: 0 }],
  ['target_kl', { target_kl: 0 }],
  ['net_arch.pi', { net_arch: { pi: [0], vf: [] } }],
  ['log_std_init', { log_std_init: Number.NaN }],
  ['adam_eps', { adam_eps: 0 }],
])('refuses a bad %s', (key, change) => {
  expect(check(change)).toThrow(`CONFIG_VALUE agent.${key} `);
});

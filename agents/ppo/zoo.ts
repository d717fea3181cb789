/**
 * Tuned settings that rl-baselines3-zoo publishes for the classic tasks, with the scores that it reports: known
 * points to hold the learner against.
 */
import { SB3_PPO, type PpoConfig } from './config.js';

export interface ZooEntry {
  readonly n_envs: number;
  readonly total_timesteps: number;
  readonly config: PpoConfig;
  /** Mean and deviation of the published evaluation; null where the published run differs from what is possible here. */
  readonly published: { readonly mean: number; readonly deviation: number } | null;
}

const NORMALIZED = { observation: true, reward: true, clip_obs: 10, clip_reward: 10, epsilon: 1e-8 };

export const ZOO: Readonly<Record<'CartPole-v1' | 'Acrobot-v1' | 'MountainCar-v0' | 'Pendulum-v1', ZooEntry>> = {
  'CartPole-v1': {
    n_envs: 8,
    total_timesteps: 100_000,
    config: {
      ...SB3_PPO,
      n_steps: 32,
      batch_size: 256,
      gae_lambda: 0.8,
      gamma: 0.98,
      n_epochs: 20,
      learning_rate: { schedule: 'linear', initial: 1e-3 },
      clip_range: { schedule: 'linear', initial: 0.2 },
    },
    published: { mean: 500, deviation: 0 },
  },
  'Acrobot-v1': {
    n_envs: 16,
    total_timesteps: 1_000_000,
    config: { ...SB3_PPO, n_steps: 256, gae_lambda: 0.94, n_epochs: 4, normalize: NORMALIZED },
    published: { mean: -73.5, deviation: 18.2 },
  },
  'MountainCar-v0': {
    n_envs: 16,
    total_timesteps: 1_000_000,
    config: { ...SB3_PPO, n_steps: 16, gae_lambda: 0.98, n_epochs: 4, normalize: NORMALIZED },
    published: { mean: -110.4, deviation: 19.5 },
  },
  // published with state-dependent exploration, which this PPO does not have
  'Pendulum-v1': {
    n_envs: 4,
    total_timesteps: 100_000,
    config: { ...SB3_PPO, n_steps: 1024, gamma: 0.9, learning_rate: 1e-3 },
    published: null,
  },
};

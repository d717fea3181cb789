/** The scores that others have published for these settings, to be reproduced. */
import type { PpoConfig } from '#agents/ppo/config.js';
import { PPO_PRESETS } from '#agents/ppo/presets.js';
import { ZOO } from '#agents/ppo/zoo.js';

export interface PublishedRow {
  /** Names its file of results. */
  readonly name: string;
  readonly env: string;
  readonly source: 'rl-baselines3-zoo' | 'CleanRL';
  readonly n_envs: number;
  readonly total_timesteps: number;
  readonly config: PpoConfig;
  readonly published: { readonly mean: number; readonly deviation: number };
  /**
   * As the source measures it. mode: the trained policy's most probable actions, over 100 episodes. training: the
   * last 100 episodes of the training itself, its actions drawn.
   */
  readonly score: 'mode' | 'training';
  /** Whether the published score is a failure to learn, which is to be met and not to be beaten. */
  readonly isFailure: boolean;
  readonly seeds: number;
}

/** Episodes that a score is the mean of. */
export const PUBLISHED_EPISODES = 100;

function zoo(env: 'CartPole-v1' | 'Acrobot-v1' | 'MountainCar-v0', seeds: number): PublishedRow {
  const { n_envs, total_timesteps, config, published } = ZOO[env];
  if (published === null) throw new TypeError(`nothing is published for ${env}`);
  const name = `published-zoo-${env}`;
  return {
    name,
    env,
    source: 'rl-baselines3-zoo',
    n_envs,
    total_timesteps,
    config,
    published,
    score: 'mode',
    isFailure: false,
    seeds,
  };
}

const cleanrl = (env: string, mean: number, deviation: number, isFailure = false): PublishedRow => ({
  name: `published-cleanrl-${env}`,
  env,
  source: 'CleanRL',
  n_envs: PPO_PRESETS.cleanrl.n_envs,
  total_timesteps: 500_000,
  config: PPO_PRESETS.cleanrl.config,
  published: { mean, deviation },
  score: 'training',
  isFailure,
  seeds: 5,
});

export const PUBLISHED_ROWS: readonly PublishedRow[] = [
  zoo('CartPole-v1', 10),
  zoo('Acrobot-v1', 5),
  zoo('MountainCar-v0', 5),
  cleanrl('CartPole-v1', 490, 6),
  cleanrl('Acrobot-v1', -86.4, 1.3),
  cleanrl('MountainCar-v0', -200, 0, true),
];

const quickRow = (row: PublishedRow): PublishedRow => ({
  ...row,
  total_timesteps: 2 * row.n_envs * row.config.n_steps,
  seeds: 2,
});

export const publishedRows = (quick: boolean): PublishedRow[] =>
  PUBLISHED_ROWS.map((row) => (quick ? quickRow(row) : row));

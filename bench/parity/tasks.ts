/** What both sides learn, and how they are scored: the same settings, the same episodes, after the same steps. */
import path from 'node:path';
import type { PpoConfig } from '#agents/ppo/config.js';
import { ZOO } from '#agents/ppo/zoo.js';
import { loadExperiment } from '#src/config/load.js';
import { packageRoot } from '#src/lab/provenance.js';

export interface ParityTask {
  readonly name: string;
  /** Whose settings they are, for tables. */
  readonly settings: string;
  readonly env:
    | { readonly kind: 'classic'; readonly id: string }
    /** An experiment of this repository, and what is changed in it for training and for scoring. */
    | {
        readonly kind: 'market';
        readonly experiment: string;
        readonly training: readonly string[];
        readonly scoring: readonly string[];
      };
  readonly n_envs: number;
  readonly total_timesteps: number;
  readonly config: PpoConfig;
  /** Scores along the curve, the untrained policy's aside. */
  readonly evaluations: number;
  /** A score is the mean return of so many episodes. */
  readonly episodes: number;
  /** Trainings of each side, seeded 0, 1, ... */
  readonly seeds: number;
}

/** Seeds the episodes of every score: the same ones for all seeds, points and sides. */
export const SCORING_SEED = 1_000_000;

const EPISODES = 50;

type ClassicId = keyof typeof ZOO;
type Extent = Pick<ParityTask, 'total_timesteps' | 'evaluations' | 'seeds'>;

/** Under the settings of rl-baselines3-zoo. */
const classic = (id: ClassicId, settings: string, extent: Extent): ParityTask => ({
  name: id,
  settings,
  env: { kind: 'classic', id },
  n_envs: ZOO[id].n_envs,
  config: ZOO[id].config,
  episodes: EPISODES,
  ...extent,
});

/** Real bars, in sample: what is compared is how both sides learn, not whether anything is to be earned. */
function market(): ParityTask {
  const experiment = path.join('experiments', 'quickstart.yaml');
  // stable-baselines3's PPO knows no masks
  const training = ['env.mask_actions=false'];
  const { agent, training: run } = loadExperiment(path.join(packageRoot, experiment), { overrides: training }).config;
  const { preset, ...config } = agent;
  return {
    name: 'MarketEnv',
    settings: `${experiment} (${preset}), no masks`,
    env: { kind: 'market', experiment, training, scoring: [...training, `training.n_envs=${EPISODES}`] },
    n_envs: run.n_envs,
    total_timesteps: 61_440,
    config,
    evaluations: 15,
    episodes: EPISODES,
    seeds: 16,
  };
}

/** Acrobot is learned long before the million steps that its published score took. */
const tasks = (): ParityTask[] => [
  classic('CartPole-v1', "rl-baselines3-zoo's", { total_timesteps: 100_000, evaluations: 25, seeds: 16 }),
  classic('Acrobot-v1', "rl-baselines3-zoo's", { total_timesteps: 61_440, evaluations: 15, seeds: 8 }),
  classic('Pendulum-v1', "rl-baselines3-zoo's, use_sde off", { total_timesteps: 100_000, evaluations: 25, seeds: 16 }),
  market(),
];

/** Three short trainings: they show that everything runs, and prove nothing. */
const quickTask = (task: ParityTask): ParityTask => ({
  ...task,
  total_timesteps: 2 * task.n_envs * task.config.n_steps,
  evaluations: 2,
  seeds: 3,
});

export const parityTasks = (quick: boolean): ParityTask[] => (quick ? tasks().map(quickTask) : tasks());

/** Named starting points. A preset is data: the algorithm is the same one. */
import { SB3_PPO, type PpoConfig } from './config.js';

export interface PpoPreset {
  readonly description: string;
  /** The number of environments that the settings were published with. */
  readonly n_envs: number;
  readonly config: PpoConfig;
}

export const PPO_PRESETS: { readonly sb3: PpoPreset; readonly cleanrl: PpoPreset } = {
  sb3: {
    description: "stable-baselines3's defaults",
    n_envs: 1,
    config: SB3_PPO,
  },
  cleanrl: {
    description:
      "CleanRL's ppo.py. Its value loss is half of stable-baselines3's, 0.5 x MSE x vf_coef: its vf_coef of 0.5 is 0.25 here. " +
      'Two details stay those of stable-baselines3: annealing starts one update earlier, and truncated episodes are bootstrapped.',
    n_envs: 4,
    config: {
      ...SB3_PPO,
      learning_rate: { schedule: 'linear', initial: 2.5e-4 },
      n_steps: 128,
      // 4 environments x 128 steps in 4 minibatches
      batch_size: 128,
      n_epochs: 4,
      clip_range_vf: 0.2,
      value_clipping: 'pessimistic',
      ent_coef: 0.01,
      // 0.5 in CleanRL's terms, see the description
      vf_coef: 0.25,
      // CleanRL's target_kl is null by default; where it is set, it is checked after each epoch at 1 x
      target_kl_scope: 'epoch',
    },
  },
};

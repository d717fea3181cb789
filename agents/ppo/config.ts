/** PPO's hyper-parameters, named as stable-baselines3 names them. */

/** A constant, or a named schedule over the training's progress: linear falls from `initial` to `final` (default 0). */
export type Schedule = number | { readonly schedule: 'linear'; readonly initial: number; readonly final?: number };

export interface PpoConfig {
  learning_rate: Schedule;
  /** Steps a rollout, per environment. */
  n_steps: number;
  batch_size: number;
  n_epochs: number;
  gamma: number;
  gae_lambda: number;
  clip_range: Schedule;
  /** null: no value clipping. */
  clip_range_vf: Schedule | null;
  /**
   * Where the value is clipped: `clamped` takes the squared error of the clipped value, as stable-baselines3
   * does; `pessimistic` the larger of clipped and unclipped error, as CleanRL does.
   */
  value_clipping: 'clamped' | 'pessimistic';
  normalize_advantage: boolean;
  ent_coef: number;
  vf_coef: number;
  max_grad_norm: number | null;
  /** minibatch: stop before the step where KL exceeds 1.5 x target (stable-baselines3). epoch: stop after the epoch at 1 x (CleanRL). */
  target_kl: number | null;
  target_kl_scope: 'minibatch' | 'epoch';
  net_arch: { readonly pi: readonly number[]; readonly vf: readonly number[] };
  activation_fn: 'tanh' | 'relu';
  ortho_init: boolean;
  log_std_init: number;
  adam_eps: number;
  /** VecNormalize; null: off. */
  normalize: {
    readonly observation: boolean;
    readonly reward: boolean;
    readonly clip_obs: number;
    readonly clip_reward: number;
    readonly epsilon: number;
  } | null;
}

/** stable-baselines3's defaults. */
export const SB3_PPO: PpoConfig = {
  learning_rate: 3e-4,
  n_steps: 2048,
  batch_size: 64,
  n_epochs: 10,
  gamma: 0.99,
  gae_lambda: 0.95,
  clip_range: 0.2,
  clip_range_vf: null,
  value_clipping: 'clamped',
  normalize_advantage: true,
  ent_coef: 0,
  vf_coef: 0.5,
  max_grad_norm: 0.5,
  target_kl: null,
  target_kl_scope: 'minibatch',
  net_arch: { pi: [64, 64], vf: [64, 64] },
  activation_fn: 'tanh',
  ortho_init: true,
  log_std_init: 0,
  adam_eps: 1e-5,
  normalize: null,
};

/** Refuses hyper-parameters that cannot train, each with the key, the value and the remedy. */
import { fail } from '#src/errors.js';
import type { PpoConfig, Schedule } from './config.js';

/** Throws CONFIG_VALUE. `where` is the key's prefix, as the user's file names it. */
export function validatePpoConfig(config: PpoConfig, numEnvs: number, where = 'agent'): void {
  const refuse = (key: string, value: unknown, message: string): never =>
    fail('CONFIG_VALUE', { where: `${where}.${key}`, value, message });
  const integer = (key: string, value: number, least: number): void => {
    if (!Number.isInteger(value) || value < least) refuse(key, value, `an integer of at least ${least} is needed`);
  };
  const within = (key: string, value: number, low: number, high: number): void => {
    if (!(value >= low && value <= high)) refuse(key, value, `a number from ${low} to ${high} is needed`);
  };
  const positive = (key: string, value: number): void => {
    if (!(value > 0 && value < Number.POSITIVE_INFINITY)) refuse(key, value, 'a finite number above 0 is needed');
  };
  const notNegative = (key: string, value: number): void => {
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY))
      refuse(key, value, 'a finite number of at least 0 is needed');
  };
  const schedule = (key: string, value: Schedule): void => {
    if (typeof value === 'number') return positive(key, value);
    positive(`${key}.initial`, value.initial);
    notNegative(`${key}.final`, value.final ?? 0);
  };
  const layers = (key: string, sizes: readonly number[]): void => {
    for (const size of sizes) integer(key, size, 1);
  };

  schedule('learning_rate', config.learning_rate);
  integer('n_steps', config.n_steps, 1);
  integer('batch_size', config.batch_size, 1);
  integer('n_epochs', config.n_epochs, 1);
  within('gamma', config.gamma, 0, 1);
  within('gae_lambda', config.gae_lambda, 0, 1);
  schedule('clip_range', config.clip_range);
  if (config.clip_range_vf !== null) schedule('clip_range_vf', config.clip_range_vf);
  notNegative('ent_coef', config.ent_coef);
  notNegative('vf_coef', config.vf_coef);
  if (config.max_grad_norm !== null) positive('max_grad_norm', config.max_grad_norm);
  if (config.target_kl !== null) positive('target_kl', config.target_kl);
  layers('net_arch.pi', config.net_arch.pi);
  layers('net_arch.vf', config.net_arch.vf);
  if (!Number.isFinite(config.log_std_init)) refuse('log_std_init', config.log_std_init, 'a finite number is needed');
  positive('adam_eps', config.adam_eps);
  if (config.normalize !== null) {
    positive('normalize.clip_obs', config.normalize.clip_obs);
    positive('normalize.clip_reward', config.normalize.clip_reward);
    positive('normalize.epsilon', config.normalize.epsilon);
  }
  if (config.normalize_advantage) {
    const noSpread = 'the standard deviation of one advantage does not exist';
    if (config.batch_size === 1) {
      refuse('batch_size', 1, `${noSpread}: take a larger batch, or set normalize_advantage to false`);
    }
    if (config.n_steps * numEnvs === 1) {
      refuse('n_steps', 1, `${noSpread}: collect more than one row a rollout, or set normalize_advantage to false`);
    }
  }
}

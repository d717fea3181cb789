/** The columns of TensorBoard for a line of metrics.jsonl, named as stable-baselines3 names them where it has them. */
import type { Scalar } from './event-records.js';

export type LogEntry = Readonly<Record<string, unknown>>;

/** What weighs the parts of the loss. */
export interface LossWeights {
  readonly ent_coef: number;
  readonly vf_coef: number;
}

/** By tag, the entry's key. */
const UPDATE_TAGS: readonly (readonly [string, string])[] = [
  ['rollout/ep_rew_mean', 'episodeReturnMean'],
  ['rollout/ep_len_mean', 'episodeLengthMean'],
  ['train/policy_gradient_loss', 'policyLoss'],
  ['train/value_loss', 'valueLoss'],
  ['train/approx_kl', 'approxKl'],
  ['train/clip_fraction', 'clipFraction'],
  ['train/clip_range', 'clipRange'],
  ['train/explained_variance', 'explainedVariance'],
  ['train/learning_rate', 'learningRate'],
  ['train/grad_norm', 'gradNorm'],
  ['time/iterations', 'update'],
];

/** `stepsPerSecond` of this update alone. Values that are not there (no episode has ended yet) are left out. */
export function updateScalars(entry: LogEntry, weights: LossWeights, stepsPerSecond: number): Scalar[] {
  const { policyLoss, valueLoss, entropy, actionShares } = entry;
  const values: [string, unknown][] = UPDATE_TAGS.map(([tag, key]) => [tag, entry[key]]);
  if (typeof policyLoss === 'number' && typeof valueLoss === 'number' && typeof entropy === 'number') {
    values.push(['train/entropy_loss', -entropy]);
    values.push(['train/loss', policyLoss - weights.ent_coef * entropy + weights.vf_coef * valueLoss]);
  }
  if (Array.isArray(actionShares))
    for (const [action, share] of actionShares.entries()) values.push([`rollout/action_share_${action}`, share]);
  values.push(['time/fps', stepsPerSecond]);
  return finite(values);
}

/** A classic environment's score is the mean return of its episodes; a market's is its own (docs/runs.md). */
export function evaluationScalars(entry: LogEntry): Scalar[] {
  const { score } = entry;
  const isClassic = 'episodeLength' in entry;
  const values: [string, unknown][] = [['eval/score', score]];
  if (isClassic) values.push(['eval/mean_reward', score], ['eval/mean_ep_length', entry['episodeLength']]);
  for (const [key, value] of Object.entries(entry))
    if (!PLACES.includes(key)) values.push([`eval/${snakeCase(key)}`, value]);
  return finite(values);
}

/** What says where an evaluation stands, or has a tag already. */
const PLACES = ['kind', 'update', 'timesteps', 'isBest', 'score', 'episodeLength'];

const snakeCase = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function finite(values: readonly (readonly [string, unknown])[]): Scalar[] {
  return values.flatMap(([tag, value]) => (typeof value === 'number' && Number.isFinite(value) ? { tag, value } : []));
}

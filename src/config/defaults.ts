/** Where each default lives: in the constants of env/ and agents/, or here, and nowhere else. */
import { DEFAULT_MARKET_CONFIG } from '#env/market/config.js';
import { DEFAULT_WARMUP } from '#env/market/observation/specification.js';
import { PPO_PRESETS } from '#agents/ppo/presets.js';

export type PresetName = keyof typeof PPO_PRESETS;
export type Tree = { [key: string]: unknown };

export interface DefaultLayer {
  /** What `config show --origins` calls it. */
  readonly origin: string;
  readonly tree: Tree;
}

const DATA_DEFAULTS = { train: { from: null, to: null }, validation: null, test: null, exclude: [] };
const OBSERVATION_DEFAULTS = { feature_set: 'v1', warmup: DEFAULT_WARMUP };

/** The layers below the user's own, weakest first. */
export function defaultLayers(envId: unknown, preset: unknown): DefaultLayer[] {
  const market = envId === 'market';
  const presetName: PresetName = preset === 'cleanrl' ? 'cleanrl' : 'sb3';
  const { n_envs, config } = PPO_PRESETS[presetName];
  return [
    {
      origin: 'default',
      tree: {
        description: '',
        seed: 0,
        sweep: null,
        walk_forward: null,
        env: market ? { id: 'market', ...DEFAULT_MARKET_CONFIG } : {},
        data: market ? DATA_DEFAULTS : null,
        observation: market ? OBSERVATION_DEFAULTS : null,
        agent: { preset: 'sb3', policy: null },
        training: {
          total_timesteps: 1_000_000,
          evaluate_every: 50_000,
          evaluate_episodes: 10,
          checkpoint_every: 50_000,
          keep_checkpoints: 0,
          engine: 'simd',
          tfjs_backend: 'cpu',
          threads: 1,
          tensorboard: true,
          fine_tune: null,
        },
      },
    },
    { origin: `preset ${presetName}`, tree: { agent: { ...config }, training: { n_envs } } },
  ];
}

/**
 * Sections that are null by default and have defaults of their own once they are switched on. VecNormalize's are
 * stable-baselines3's: clip 10, epsilon 1e-8.
 */
export const SECTION_DEFAULTS: readonly { readonly path: readonly string[]; readonly tree: Tree }[] = [
  {
    path: ['agent', 'normalize'],
    tree: { observation: true, reward: true, clip_obs: 10, clip_reward: 10, epsilon: 1e-8 },
  },
  { path: ['agent', 'policy'], tree: { sha256: null, kwargs: {} } },
  { path: ['training', 'fine_tune'], tree: { kl_limit: 0.05, kl_observations: 2048, halvings: 4, recent: null } },
  { path: ['env', 'exits', 'ema_rule'], tree: { action: 'exit', tighten_to: 0.995 } },
  { path: ['data'], tree: DATA_DEFAULTS },
  { path: ['observation'], tree: OBSERVATION_DEFAULTS },
  { path: ['data', 'validation'], tree: { from: null, to: null } },
  { path: ['data', 'test'], tree: { from: null, to: null } },
  {
    path: ['walk_forward'],
    tree: {
      scheme: 'rolling',
      train: null,
      validation: null,
      test: null,
      step: null,
      purge: 0,
      embargo: 0,
      groups: 6,
      test_groups: 2,
    },
  },
];

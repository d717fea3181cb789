/** Bundles that no training made: what a runner needs, and nothing that was learned. For benches and tests. */
import { createHash } from 'node:crypto';
import type { MarketConfig } from '#env/market/config.js';
import type { Instrument } from '#env/market/instrument.js';
import { ACCOUNT_FEATURE_COUNT, FEATURE_SETS } from '#env/market/observation/index.js';
import { RandomStream } from '#env/seeding.js';
import type { PolicySpec } from '#agents/policy/contract.js';
import { createSimdEngine } from '#agents/policy/simd/engine.js';
import { parseInterval } from '#src/data/interval.js';
import type { BundleContents } from '#src/registry/bundle.js';
import type { ManifestDraft } from '#src/registry/manifest.js';
import { littleEndianBytes } from '#src/registry/safetensors.js';

export interface BareBundle {
  readonly name: string;
  readonly description: string;
  /** Units of the hidden layers, of the policy and of the value function alike. */
  readonly hidden: readonly number[];
  readonly warmup: number;
  readonly instruments: readonly Instrument[];
  readonly market: MarketConfig;
  /** Changes the fresh parameters, in place. */
  readonly teach?: (parameters: Float32Array, policy: PolicySpec) => void;
  readonly more?: Partial<ManifestDraft>;
}

/** Discrete(3) on one-minute bars of XNYS. */
export function bareBundle({
  name,
  description,
  hidden,
  warmup,
  instruments,
  market,
  teach,
  more,
}: BareBundle): BundleContents {
  const features = FEATURE_SETS.v1;
  const policy: PolicySpec = {
    observationSize: features.marketFeatures.length + ACCOUNT_FEATURE_COUNT,
    action: { kind: 'discrete', n: 3 },
    netArch: { pi: [...hidden], vf: [...hidden] },
    activation: 'tanh',
    orthoInit: true,
    logStdInit: 0,
  };
  const engine = createSimdEngine(policy, { init: new RandomStream(1, 'policy/init') });
  const state = engine.getState();
  engine.dispose();
  const { parameters } = state;
  if (!(parameters instanceof Float32Array)) throw new Error('the engine has no parameters');
  teach?.(parameters, policy);
  return {
    manifest: {
      name,
      description,
      created_at: '2024-01-01T00:00:00.000Z',
      parent: null,
      run: {
        path: name,
        experiment: name,
        seed: 1,
        config_hash: '0'.repeat(64),
        checkpoint: 'last',
        timesteps: 0,
        weights_sha256: createHash('sha256').update(littleEndianBytes(parameters)).digest('hex'),
      },
      seeds: [1],
      trials: null,
      observation: { feature_set: 'v1', hash: features.hash, warmup },
      interval: parseInterval('1m', name),
      calendar: 'XNYS',
      instruments,
      market,
      policy,
      data: [],
      windows: { train: { from: null, to: null }, validation: null, test: null, exclude: [] },
      provenance: {
        config_yaml: '',
        git_commit: null,
        dirty_patch: null,
        dirty_patch_sha256: null,
        lockfile_sha256: null,
        openbell: '0',
        kernels: {},
      },
      evaluation: null,
      gates: null,
      ...more,
    },
    engine: state,
    normalizer: null,
  };
}

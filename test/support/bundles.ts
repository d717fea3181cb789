/** Bundles whose policy is known: the network's bias alone decides. */
import { createHash } from 'node:crypto';
import { DEFAULT_MARKET_CONFIG, type MarketConfig } from '#env/market/config.js';
import type { Instrument } from '#env/market/instrument.js';
import { ACCOUNT_FEATURE_COUNT, FEATURE_SETS } from '#env/market/observation/index.js';
import { RandomStream } from '#env/seeding.js';
import type { PolicySpec } from '#agents/policy/contract.js';
import { policyLayout } from '#agents/policy/layout.js';
import { createSimdEngine } from '#agents/policy/simd/engine.js';
import { parseInterval } from '#src/data/interval.js';
import type { BundleContents } from '#src/registry/bundle.js';
import { littleEndianBytes } from '#src/registry/safetensors.js';
import type { BundleManifest } from '#src/registry/manifest.js';

export const BUY = 1;
const ZERO_SHA256 = '0'.repeat(64);

/** A discrete policy that prefers one action whatever it sees. */
export function bundleThatAlways(
  action: number,
  instrument: Instrument,
  market: Partial<MarketConfig> = {},
  name = 'always',
  more: Partial<BundleManifest> = {},
): BundleContents {
  const features = FEATURE_SETS.v1;
  const spec: PolicySpec = {
    observationSize: features.marketFeatures.length + ACCOUNT_FEATURE_COUNT,
    action: { kind: 'discrete', n: 3 },
    netArch: { pi: [8], vf: [8] },
    activation: 'tanh',
    orthoInit: true,
    logStdInit: 0,
  };
  const engine = createSimdEngine(spec, { init: new RandomStream(1, 'policy/init') });
  const state = engine.getState();
  engine.dispose();
  const bias = policyLayout(spec).slots.find((slot) => slot.name === 'action.bias');
  const { parameters } = state;
  if (bias === undefined || !(parameters instanceof Float32Array)) throw new Error('the layout has no action bias');
  parameters[bias.offset + action] = 10;
  return {
    manifest: {
      name,
      description: 'Always takes one action',
      created_at: '2024-01-01T00:00:00.000Z',
      parent: null,
      run: {
        path: name,
        experiment: name,
        seed: 1,
        config_hash: ZERO_SHA256,
        checkpoint: 'last',
        timesteps: 0,
        weights_sha256: createHash('sha256').update(littleEndianBytes(parameters)).digest('hex'),
      },
      seeds: [1],
      trials: null,
      observation: { feature_set: 'v1', hash: features.hash, warmup: 60 },
      interval: parseInterval('1m', 'test'),
      calendar: 'XNYS',
      instruments: [instrument],
      market: { ...DEFAULT_MARKET_CONFIG, ...market },
      policy: spec,
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

/**
 * A bundle: one immutable file with all that trading needs of a run, and where it came from. Policy, normaliser,
 * observation, rules, exits, costs, sizing, data hashes, evaluation, model card. safetensors, which cannot execute
 * anything; its identity is the sha256 of its bytes, so that any altered byte makes it another bundle.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import type { Interval } from '#env/market/bars.js';
import type { MarketConfig } from '#env/market/config.js';
import type { Instrument } from '#env/market/instrument.js';
import { FEATURE_SETS, type FeatureSetName } from '#env/market/observation/specification.js';
import { RandomStream } from '#env/seeding.js';
import { childState, type StateDict } from '#env/state.js';
import { ActingPolicy } from '#agents/policy/acting-policy.js';
import type { PolicyEngine, PolicySpec } from '#agents/policy/contract.js';
import { Normalizer } from '#agents/policy/normalizer.js';
import { createSimdEngine } from '#agents/policy/simd/engine.js';
import { fail } from '#src/errors.js';
import { decodeState, encodeState } from './safetensors.js';

const FORMAT = 'openbell-bundle';
const VERSION = '1';

/** A data set that training saw, by its hash. */
export interface BundledData {
  readonly dataset: string;
  readonly symbol: string;
  readonly interval: string;
  readonly bars: number;
  readonly sha256: string;
}

export interface BundleManifest {
  readonly name: string;
  readonly created_at: string;
  /** Where it came from. */
  readonly run: {
    readonly path: string;
    readonly experiment: string;
    readonly seed: number;
    readonly config_hash: string;
    readonly checkpoint: string;
    readonly timesteps: number;
    readonly weights_sha256: string;
  };
  readonly observation: { readonly feature_set: FeatureSetName; readonly hash: string; readonly warmup: number };
  readonly interval: Interval;
  readonly calendar: string;
  readonly instruments: readonly Instrument[];
  readonly market: MarketConfig;
  readonly policy: PolicySpec;
  readonly data: readonly BundledData[];
  /** The configuration as YAML, and what ran it. */
  readonly provenance: {
    readonly config_yaml: string;
    readonly git_commit: string | null;
    readonly dirty_patch: string | null;
    readonly lockfile_sha256: string | null;
    readonly openbell: string;
    readonly kernels: Readonly<Record<string, string>>;
  };
  /** metrics.json of the evaluation that it was promoted on; null: none. */
  readonly evaluation: unknown;
  /** Outcomes of the gates; empty: none were asked. */
  readonly gates: readonly unknown[];
  /** Markdown with YAML front matter. */
  readonly model_card: string;
}

export interface BundleContents {
  readonly manifest: BundleManifest;
  /** `PolicyEngine.getState()` of the policy's engine. */
  readonly engine: StateDict;
  /** `Normalizer.getState()`; null: observations are taken as they are. */
  readonly normalizer: StateDict | null;
}

export interface Bundle extends BundleContents {
  /** sha256 of the file's bytes. */
  readonly sha256: string;
}

export const shortId = (sha256: string): string => sha256.slice(0, 16);

/** The file's bytes: the same contents give the same bytes. */
export function encodeBundle({ manifest, engine, normalizer }: BundleContents): Uint8Array {
  return encodeState(
    { manifest: JSON.stringify(manifest), engine, normalizer },
    { format: FORMAT, version: VERSION, name: manifest.name },
  );
}

/**
 * Reads and verifies a bundle. Throws BUNDLE_CORRUPT where a byte is not what it was, or where the file's hash is not
 * `expected`; BUNDLE_MISMATCH where this version defines the observation otherwise.
 */
export function readBundle(file: string, expected: string | null = null): Bundle {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    fail('BUNDLE_CORRUPT', { where: file, message: 'cannot be read: restore it, or promote the run again', cause });
  }
  return decodeBundle(bytes, file, expected);
}

export function decodeBundle(bytes: Uint8Array, file: string, expected: string | null = null): Bundle {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (expected !== null && sha256 !== expected)
    fail('BUNDLE_CORRUPT', {
      where: file,
      value: sha256,
      message: `the registry says ${expected}: the file has been altered; restore it, or promote the run again`,
    });
  let decoded: ReturnType<typeof decodeState>;
  try {
    decoded = decodeState(bytes, file);
  } catch (cause) {
    fail('BUNDLE_CORRUPT', {
      where: file,
      message: 'the file is torn or altered: restore it, or promote the run again',
      cause,
    });
  }
  const { state, metadata } = decoded;
  if (metadata['format'] !== FORMAT || metadata['version'] !== VERSION)
    fail('BUNDLE_MISMATCH', {
      where: file,
      value: [metadata['format'] ?? null, metadata['version'] ?? null],
      message: `this is no bundle that this version reads (${FORMAT} ${VERSION})`,
    });
  const manifest = parseManifest(state['manifest'], file);
  const { feature_set, hash } = manifest.observation;
  const known = Object.hasOwn(FEATURE_SETS, feature_set) ? FEATURE_SETS[feature_set].hash : null;
  if (known !== hash)
    fail('BUNDLE_MISMATCH', {
      where: file,
      value: hash,
      message: `this version defines the observation "${feature_set}" otherwise (${known ?? 'not at all'}): the policy would see other features than it learned from`,
    });
  return {
    sha256,
    manifest,
    engine: childState(state, 'engine', file, 'BUNDLE_CORRUPT'),
    normalizer: state['normalizer'] === null ? null : childState(state, 'normalizer', file, 'BUNDLE_CORRUPT'),
  };
}

/** What must be there; the rest was checked when the run was configured, and the hash vouches for it since. */
const MANIFEST = z.looseObject({
  name: z.string(),
  created_at: z.string(),
  run: z.looseObject({ experiment: z.string(), seed: z.number(), weights_sha256: z.string() }),
  observation: z.looseObject({ feature_set: z.string(), hash: z.string(), warmup: z.number() }),
  interval: z.looseObject({ label: z.string(), ms: z.number() }),
  calendar: z.string(),
  instruments: z.array(z.looseObject({ symbol: z.string() })).min(1),
  market: z.looseObject({ initial_equity: z.number() }),
  policy: z.looseObject({ observationSize: z.number() }),
  data: z.array(z.looseObject({ sha256: z.string() })),
  gates: z.array(z.unknown()),
  model_card: z.string(),
});

function isManifest(value: unknown): value is BundleManifest {
  return MANIFEST.safeParse(value).success;
}

function parseManifest(text: unknown, file: string): BundleManifest {
  const parsed: unknown = typeof text === 'string' ? JSON.parse(text) : null;
  if (!isManifest(parsed)) fail('BUNDLE_CORRUPT', { where: file, message: 'its manifest is not whole' });
  return parsed;
}

/** The policy as it trades: the mode of its distribution, its normaliser frozen. Dispose of the engine afterwards. */
export function loadBundlePolicy({ manifest, engine: state, normalizer }: BundleContents): {
  policy: ActingPolicy;
  engine: PolicyEngine;
  normalizer: Normalizer | null;
} {
  const engine = createSimdEngine(manifest.policy, { init: new RandomStream(manifest.run.seed, 'policy/init') });
  engine.setState(state);
  const frozen = normalizer === null ? null : Normalizer.frozen(normalizer);
  return { policy: new ActingPolicy({ engine, normalizer: frozen }), engine, normalizer: frozen };
}

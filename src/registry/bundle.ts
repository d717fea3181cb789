/**
 * A bundle: one immutable file with all that trading needs of a run, and where it came from. Policy, normaliser,
 * observation, rules, exits, costs, sizing, data hashes, evaluation, model card. safetensors, which cannot execute
 * anything; its identity is the sha256 of its bytes, so that any altered byte makes it another bundle.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { FEATURE_SETS } from '#env/market/observation/specification.js';
import { RandomStream } from '#env/seeding.js';
import { childState, type StateDict } from '#env/state.js';
import { ActingPolicy } from '#agents/policy/acting-policy.js';
import type { PolicyEngine } from '#agents/policy/contract.js';
import { Normalizer } from '#agents/policy/normalizer.js';
import { createSimdEngine } from '#agents/policy/simd/engine.js';
import { fail } from '#src/errors.js';
import { parseManifest, type BundleManifest, type ManifestDraft } from './manifest.js';
import { modelCard } from './model-card.js';
import { decodeState, encodeState } from './safetensors.js';

const FORMAT = 'openbell-bundle';
const VERSION = '2';

/** What a bundle is made of. */
export interface BundleContents {
  readonly manifest: ManifestDraft;
  /** `PolicyEngine.getState()` of the policy's engine. */
  readonly engine: StateDict;
  /** `Normalizer.getState()`; null: observations are taken as they are. */
  readonly normalizer: StateDict | null;
}

export interface Bundle extends BundleContents {
  readonly manifest: BundleManifest;
  /** sha256 of the file's bytes. */
  readonly sha256: string;
}

export const shortId = (sha256: string): string => sha256.slice(0, 16);

/** The file's bytes, model card included: the same contents give the same bytes. */
export function encodeBundle({ manifest, engine, normalizer }: BundleContents): Uint8Array {
  const whole: BundleManifest = { ...manifest, model_card: modelCard(manifest) };
  return encodeState(
    { manifest: JSON.stringify(whole), engine, normalizer },
    { format: FORMAT, version: VERSION, name: manifest.name },
  );
}

/**
 * Reads and verifies a bundle. Throws BUNDLE_CORRUPT where a byte is not what it was, or where the file's hash is not
 * `expected`; BUNDLE_MISMATCH where this version defines the observation otherwise.
 */
export function readBundle(file: string, expected: string | null = null): Bundle {
  return decodeBundle(readBundleBytes(file), file, expected);
}

/** Throws BUNDLE_CORRUPT where the file cannot be read. */
export function readBundleBytes(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    return fail('BUNDLE_CORRUPT', {
      where: file,
      message: 'cannot be read: restore it, or promote the run again',
      cause,
    });
  }
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
  if (metadata['format'] !== FORMAT)
    fail('BUNDLE_MISMATCH', {
      where: file,
      value: metadata['format'] ?? null,
      message: `this is no bundle, which says "${FORMAT}": name a file that \`openbell promote\` made`,
    });
  if (metadata['version'] !== VERSION)
    fail('BUNDLE_MISMATCH', {
      where: file,
      value: metadata['version'] ?? null,
      message: `bundles of this format version are not read: this OpenBell reads ${VERSION}. ${
        Number(metadata['version']) > Number(VERSION) ? 'Update OpenBell' : 'Promote its run again'
      }`,
    });
  const manifest = parseManifest(manifestJson(state['manifest'], file), file);
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

function manifestJson(text: unknown, file: string): unknown {
  try {
    return typeof text === 'string' ? JSON.parse(text) : null;
  } catch (cause) {
    return fail('BUNDLE_CORRUPT', { where: file, message: 'its manifest is not JSON: promote the run again', cause });
  }
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

/**
 * What a run was at every update: 64 bits a tensor, a line of fingerprints.jsonl.
 *
 *   {"update":3,"timesteps":6144,"tensors":{"rollout.actions":"5f3c...","normalizer.observationMean":"...","pi.0.weight":"..."}}
 *
 * Line 0 is the policy before its first update. The tensors stand in the order of cause: what the rollout saw, then
 * what was learned from it, so that the first one that differs is nearest to why. Like metrics.jsonl it reproduces to
 * the byte, and is cut back when a run is resumed.
 */
import type { StateDict } from '#env/state.js';
import { checksum } from '#agents/policy/checksum.js';
import type { ParameterSlot } from '#agents/policy/contract.js';
import { isTree } from '#src/config/yaml-source.js';
import { readTextIfThere } from '#src/registry/files.js';
import { fail } from '#src/errors.js';

/** Each tensor's checksum (agents/policy/checksum.ts) as 16 hexadecimal digits, by name. */
export type TensorHashes = Readonly<Record<string, string>>;

export interface Fingerprint {
  readonly update: number;
  readonly timesteps: number;
  readonly tensors: TensorHashes;
}

/** `rollout.*`: known at the update alone, and not to a checkpoint. */
const ROLLOUT = 'rollout.';

/** What an update's fingerprint is made of. */
export interface FingerprintSource {
  readonly rollout: { readonly actions: Float32Array; readonly rewards: Float64Array } | null;
  /** `Normalizer.getState()` */
  readonly normalizer: StateDict | null;
  /** (2 x tensors) checksums of the parameters, in the order of `layout`. */
  readonly parameters: Uint32Array;
  readonly layout: readonly Pick<ParameterSlot, 'name'>[];
}

export function hashTensors({ rollout, normalizer, parameters, layout }: FingerprintSource): TensorHashes {
  const hashes: Record<string, string> = {};
  const add = (name: string, tensor: Float32Array | Float64Array): void => {
    checksum(SUMS, 0, tensor);
    hashes[name] = digitsAt(SUMS, 0);
  };
  if (rollout !== null) {
    add(`${ROLLOUT}actions`, rollout.actions);
    add(`${ROLLOUT}rewards`, rollout.rewards);
  }
  if (normalizer !== null) {
    for (const [key, value] of Object.entries(normalizer))
      if (value instanceof Float64Array) add(`normalizer.${key}`, value);
  }
  for (let k = 0; k < layout.length; k++) hashes[layout[k].name] = digitsAt(parameters, 2 * k);
  return hashes;
}

const SUMS = new Uint32Array(2);

function digitsAt(sums: Uint32Array, at: number): string {
  return sums[at].toString(16).padStart(8, '0') + sums[at + 1].toString(16).padStart(8, '0');
}

/** Names of the tensors that differ, in the order of cause; `rollout.*` only where both know them. */
export function differingTensors(recorded: TensorHashes, found: TensorHashes): string[] {
  const names = new Set([...Object.keys(recorded), ...Object.keys(found)]);
  return [...names].filter((name) => {
    const isMissing = recorded[name] === undefined || found[name] === undefined;
    return isMissing ? !name.startsWith(ROLLOUT) : recorded[name] !== found[name];
  });
}

/** All whole lines of a run's fingerprints; a torn last line is left out. null: the run has none. Throws RUN_STATE. */
export function readFingerprints(file: string): Fingerprint[] | null {
  const text = readTextIfThere(file);
  if (text === null) return null;
  return text
    .split('\n')
    .slice(0, -1)
    .map((line, index) => parseLine(line, index, file));
}

function parseLine(line: string, index: number, file: string): Fingerprint {
  const refuse = (cause?: unknown): never =>
    fail('RUN_STATE', {
      where: `${file}:${index + 1}`,
      value: line.slice(0, 60),
      message: 'this is no fingerprint of an update: the file was edited or damaged; restore it from a copy',
      cause,
    });
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch (cause) {
    return refuse(cause);
  }
  if (!isTree(entry)) return refuse();
  const { update, timesteps, tensors } = entry;
  if (update !== index || typeof timesteps !== 'number' || !isTree(tensors)) return refuse();
  const hashes: Record<string, string> = {};
  for (const [name, digits] of Object.entries(tensors)) hashes[name] = typeof digits === 'string' ? digits : refuse();
  return { update, timesteps, tensors: hashes };
}

/**
 * Checkpoints of a run: all that training needs to go on to the very bits of an uninterrupted run. Written at
 * update boundaries.
 *
 *   checkpoints/last.safetensors       the newest
 *   checkpoints/previous.safetensors   the one before it
 *   checkpoints/best.safetensors       the best score on the validation window so far
 *   checkpoints/step-000000500000.safetensors   where training.keep_checkpoints asks for them
 */
import { copyFileSync, existsSync, linkSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { childState, type StateDict } from '#env/state.js';
import { decodeState, encodeState } from '#src/registry/safetensors.js';
import { fail, OpenBellError } from '#src/errors.js';
import { fileSize, writeFileAtomic } from '#src/registry/files.js';

const FORMAT = 'openbell-checkpoint';
const VERSION = '2';
const NUMBERED = /^step-\d{12,}\.safetensors$/;

export type CheckpointName = 'last' | 'previous' | 'best';

export interface Best {
  readonly score: number;
  readonly timesteps: number;
}

/** What a checkpoint says besides the learner's state. */
export interface CheckpointHead {
  readonly experiment: string;
  readonly seed: number;
  readonly engine: string;
  readonly timesteps: number;
  readonly updates: number;
  readonly configHash: string;
  /** null: a classic environment. */
  readonly observationHash: string | null;
  readonly best: Best | null;
  /** Of the last evaluation. */
  readonly lastScore: number | null;
  /** Lengths of the logs when it was written. */
  readonly logs: {
    readonly metricsBytes: number;
    readonly metricsLines: number;
    readonly timingsLines: number;
    readonly fingerprintsLines: number;
  };
}

export interface Checkpoint {
  readonly head: CheckpointHead;
  /** `Ppo.getState()`: weights, Adam's moments, normaliser, random streams, environment, episode statistics. */
  readonly ppo: StateDict;
  /** Shapes of the engine's tensors by name; default one dimension. Written, and not read back. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
}

export const checkpointFile = (folder: string, name: CheckpointName): string =>
  path.join(folder, `${name}.safetensors`);

/** The file's bytes. */
export function encodeCheckpoint({ head, ppo, shapes = {} }: Checkpoint): Uint8Array {
  const { best, logs, ...plain } = head;
  const state: StateDict = {
    ...plain,
    best: best === null ? null : { ...best },
    logs: { ...logs },
    ppo,
  };
  return encodeState(state, { format: FORMAT, version: VERSION }, shapes);
}

/** What a torn checkpoint's remedy offers to do with the intact one. */
export type CheckpointUse = 'train --resume' | 'evaluate';

/**
 * Reads and verifies one file. Throws CHECKPOINT_CORRUPT or, of another kind of file, CHECKPOINT_MISMATCH. Another
 * checkpoint is never taken in its place: the error offers it, as `use` would take it.
 */
export function readCheckpoint(file: string, use: CheckpointUse = 'train --resume'): Checkpoint {
  const remedyFor = (): string => offerIntact(file, use);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    fail('CHECKPOINT_CORRUPT', { where: file, message: `cannot be read; ${remedyFor()}`, cause });
  }
  const { state, metadata } = decodeState(bytes, file, remedyFor);
  if (metadata['format'] !== FORMAT || metadata['version'] !== VERSION) {
    fail('CHECKPOINT_MISMATCH', {
      where: file,
      value: [metadata['format'] ?? null, metadata['version'] ?? null],
      message: `this is no checkpoint of a run that this version reads (${FORMAT} ${VERSION})`,
    });
  }
  const incomplete = (key: string): never =>
    fail('CHECKPOINT_CORRUPT', { where: file, value: key, message: `this entry is missing; ${remedyFor()}` });
  const logs = childState(state, 'logs', file, 'CHECKPOINT_CORRUPT');
  const best = state['best'] === null ? null : childState(state, 'best', file, 'CHECKPOINT_CORRUPT');
  const number = (dict: StateDict, key: string): number => {
    const value = dict[key];
    return typeof value === 'number' ? value : incomplete(key);
  };
  const text = (key: string): string => {
    const value = state[key];
    return typeof value === 'string' ? value : incomplete(key);
  };
  return {
    head: {
      experiment: text('experiment'),
      seed: number(state, 'seed'),
      engine: text('engine'),
      timesteps: number(state, 'timesteps'),
      updates: number(state, 'updates'),
      configHash: text('configHash'),
      observationHash: state['observationHash'] === null ? null : text('observationHash'),
      best: best === null ? null : { score: number(best, 'score'), timesteps: number(best, 'timesteps') },
      lastScore: state['lastScore'] === null ? null : number(state, 'lastScore'),
      logs: {
        metricsBytes: number(logs, 'metricsBytes'),
        metricsLines: number(logs, 'metricsLines'),
        timingsLines: number(logs, 'timingsLines'),
        fingerprintsLines: number(logs, 'fingerprintsLines'),
      },
    },
    ppo: childState(state, 'ppo', file, 'CHECKPOINT_CORRUPT'),
  };
}

/** Names the newest intact checkpoint beside `file` and the command that takes it, where there is one. */
function offerIntact(file: string, use: CheckpointUse): string {
  const folder = path.dirname(file);
  let newest: { other: string; timesteps: number } | null = null;
  for (const name of checkpointNames(folder)) {
    const other = path.join(folder, name);
    const timesteps = path.resolve(other) === path.resolve(file) ? null : intactTimesteps(other);
    if (timesteps !== null && timesteps > (newest?.timesteps ?? -1)) newest = { other, timesteps };
  }
  if (newest !== null) {
    const { other, timesteps } = newest;
    return `${other} is intact (${timesteps} steps): take that one with: openbell ${use} ${quoted(other)}`;
  }
  const config = path.join(path.dirname(folder), 'config.yaml');
  const again = existsSync(config) ? ` with: openbell train ${quoted(config)}` : '';
  return `no other checkpoint of this run is intact: train it again${again}`;
}

/** null: not a checkpoint, or not intact. */
function intactTimesteps(file: string): number | null {
  try {
    const { state, metadata } = decodeState(readFileSync(file), file);
    const timesteps = state['timesteps'];
    const isOurs = metadata['format'] === FORMAT && metadata['version'] === VERSION;
    return isOurs && typeof timesteps === 'number' ? timesteps : null;
  } catch (error) {
    if (error instanceof OpenBellError || (error instanceof Error && 'syscall' in error)) return null;
    throw error;
  }
}

/** As a shell takes it. */
const quoted = (file: string): string => (/^[\w./:=@+,-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`);

/** Files of checkpoints in the folder: last, previous, best, then the numbered ones, newest first. */
export function checkpointNames(folder: string): string[] {
  const present = readdirSync(folder);
  const named = ['last', 'previous', 'best'].map((name) => `${name}.safetensors`);
  const numbered = present.filter((name) => NUMBERED.test(name)).sort();
  return [...named.filter((name) => present.includes(name)), ...numbered.reverse()];
}

/** Writes last (keeping the one before it as previous), and best or a numbered copy where asked for. */
export function writeCheckpoint(folder: string, checkpoint: Checkpoint, also: { best: boolean; keep: number }): void {
  const bytes = encodeCheckpoint(checkpoint);
  if (also.best) writeFileAtomic(checkpointFile(folder, 'best'), bytes);
  const last = checkpointFile(folder, 'last');
  if (fileSize(last) !== null) keepAs(last, checkpointFile(folder, 'previous'));
  writeFileAtomic(last, bytes);
  if (also.keep > 0) keepNumbered(folder, last, checkpoint.head.timesteps, also.keep);
}

/** A second name for the same bytes, in one step: at no instant is either name without a whole file. */
function keepAs(file: string, target: string): void {
  const temporary = `${target}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  try {
    linkSync(file, temporary);
  } catch {
    // a file system without hard links
    copyFileSync(file, temporary);
  }
  renameSync(temporary, target);
}

function keepNumbered(folder: string, last: string, timesteps: number, keep: number): void {
  keepAs(last, path.join(folder, `step-${String(timesteps).padStart(12, '0')}.safetensors`));
  const numbered = readdirSync(folder).filter((name) => NUMBERED.test(name));
  for (const name of numbered.sort().slice(0, -keep)) rmSync(path.join(folder, name));
}

/** Leftovers of a crash: temporary files of processes that are gone. */
export function removeTemporaries(folder: string): void {
  for (const name of readdirSync(folder)) if (name.endsWith('.tmp')) rmSync(path.join(folder, name), { force: true });
}

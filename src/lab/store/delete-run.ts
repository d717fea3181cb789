/** Deletes runs for good: each in one step, so that no half of a run is ever taken for one. */
import { existsSync, lstatSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { fail } from '#src/errors.js';
import { exclusively, STALE_AFTER_MS } from '#src/registry/claim.js';
import { syncFolder } from '#src/registry/files.js';
import { storedRun } from './list-runs.js';

const PREFIX = '.deleted-';

/**
 * Throws RUN_STATE where a process is training the run, or where the folder was written to a moment ago and run.json does
 * not say by whom; RUN_NOT_FOUND where it is no run of OpenBell's.
 */
export function refuseDeletion(directory: string, nowMs = Date.now()): void {
  const { state, problem, pid, hostname } = storedRun(directory, nowMs);
  if (state === 'foreign') fail('RUN_NOT_FOUND', { where: directory, message: `${problem}: delete it yourself` });
  if (state === 'running') {
    const message = `process ${pid} on ${hostname} is training this run: stop it first`;
    fail('RUN_STATE', { where: directory, value: pid, message });
  }
  const ageMs = nowMs - lastWriteMs(directory);
  const isUncertain = state === 'half-written' || state === 'newer' || state === 'damaged';
  if (isUncertain && ageMs < STALE_AFTER_MS) {
    const message = `was written to ${Math.round(ageMs / 1000)} s ago, and may be training: try again in ${STALE_AFTER_MS / 1000} s`;
    fail('RUN_STATE', { where: directory, value: state, message });
  }
}

function lastWriteMs(folder: string): number {
  const files = ['.', 'run.json', 'metrics.jsonl', 'timings.jsonl', 'checkpoints'];
  return Math.max(...files.map((name) => statSync(path.join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0));
}

/** Deletes one run, and what an interrupted deletion beside it left. A link is removed, and not what it points at. */
export function deleteRun(directory: string, nowMs = Date.now()): void {
  refuseDeletion(directory, nowMs);
  const folder = path.resolve(directory);
  // refused where a process is taking the run up at this moment
  exclusively(
    folder,
    () => nowMs,
    { code: 'RUN_STATE', doing: 'taking this run up or deleting it' },
    () => refuseDeletion(directory, nowMs),
  );
  const parent = path.dirname(folder);
  const doomed = path.join(parent, `${PREFIX}${path.basename(folder)}`);
  rmSync(doomed, { recursive: true, force: true });
  renameSync(folder, doomed);
  syncFolder(parent);
  for (const name of readdirSync(parent))
    if (name.startsWith(PREFIX)) rmSync(path.join(parent, name), { recursive: true, force: true });
}

/** Of all files of a run. */
export function runBytes(directory: string): number {
  if (!existsSync(directory)) return 0;
  let bytes = 0;
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    const stats = lstatSync(path.join(directory, name), { throwIfNoEntry: false });
    if (stats?.isFile() === true) bytes += stats.size;
  }
  return bytes;
}

/**
 * runs/.index.json: the rows of all runs as they were last read, each with what its files were then (size, times,
 * inode). A row is taken from it only where none of them has changed. It may be deleted at any time, and is made again.
 */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { isTree } from '#src/config/yaml-source.js';
import { writeFileAtomic } from '#src/registry/files.js';
import { readRow, rowSources, type RunRow } from './run-row.js';
import { runFolders } from './walk.js';

/** Raised whenever a row's entries change: an index of another version is made anew. */
const FORMAT = 'openbell-run-index 1';

/** Coarser than the clocks of file systems: what was written so shortly before may be written again unnoticed. */
const RACY_MS = 2_000;

interface Cached {
  readonly stamp: string;
  readonly row: RunRow;
}

export const runIndexFile = (runsDir: string): string => path.join(runsDir, '.index.json');

/** Every folder that is, or should be, a run; what is wrong with one stands in its row. In the order of their ids. */
export function readRows(runsDir: string, nowMs: number): RunRow[] {
  const before = readIndex(runIndexFile(runsDir));
  const after: Record<string, Cached> = {};
  const rows: RunRow[] = [];
  let isChanged = false;
  for (const folder of runFolders(runsDir)) {
    const { stamp, newestMs } = stampOf(folder.path);
    const known = stamp !== null && Object.hasOwn(before, folder.id) ? before[folder.id] : null;
    if (known !== null && known.stamp === stamp) {
      after[folder.id] = known;
      rows.push(known.row);
      continue;
    }
    const row = readRow(folder);
    if (row === null) continue;
    rows.push(row);
    // a file younger than its clock can tell is read again the next time
    if (stamp === null || newestMs >= nowMs - RACY_MS) continue;
    after[folder.id] = { stamp, row };
    isChanged = true;
  }
  if (isChanged || Object.keys(before).length !== Object.keys(after).length) writeIndex(runIndexFile(runsDir), after);
  return rows;
}

/** Of all files that a row is made of, in one text; null: there is no run.json, and any other file may say why. */
function stampOf(folder: string): { stamp: string | null; newestMs: number } {
  let stamp = '';
  let newestMs = 0;
  for (const [index, file] of rowSources(folder).entries()) {
    const stats = statSync(file, { throwIfNoEntry: false });
    if (stats === undefined) {
      if (index === 0) return { stamp: null, newestMs };
      stamp += '- ';
      continue;
    }
    newestMs = Math.max(newestMs, stats.mtimeMs, stats.ctimeMs);
    stamp += `${stats.size}.${stats.ino}.${stats.mtimeMs}.${stats.ctimeMs} `;
  }
  return { stamp, newestMs };
}

/** Empty where there is none that can be used: it is made again. */
function readIndex(file: string): Readonly<Record<string, Cached>> {
  let read: unknown;
  try {
    read = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof Error && 'syscall' in error)) return {};
    throw error;
  }
  return isIndex(read) ? read.rows : {};
}

/** Only this version writes this format, and whole or not at all: its rows are what they were when they were written. */
function isIndex(value: unknown): value is { rows: Readonly<Record<string, Cached>> } {
  return isTree(value) && value['format'] === FORMAT && isTree(value['rows']);
}

function writeIndex(file: string, rows: Readonly<Record<string, Cached>>): void {
  try {
    writeFileAtomic(file, JSON.stringify({ format: FORMAT, rows }));
  } catch (error) {
    // a folder that can only be read, or a full disk: the next list takes as long as this one, and that is all
    if (!(error instanceof Error && 'syscall' in error)) throw error;
  }
}

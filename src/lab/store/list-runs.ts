/** Runs as a list shows them: filtered and sorted, with the state that each is really in. */
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fail } from '#src/errors.js';
import { isAlive, STALE_AFTER_MS } from '#src/registry/claim.js';
import { stoppedTrials } from '../sweep/record.js';
import { findRun } from '../run-directory.js';
import { readRows } from './run-index.js';
import { readRow, type RunRow } from './run-row.js';
import type { RunState, SortKey } from './run-states.js';
import { runFolders } from './walk.js';

export interface StoredRun extends RunRow {
  readonly path: string;
  readonly state: RunState;
}

export interface RunFilter {
  /** Name of the experiment, or of the folder under the runs' folder. */
  readonly experiment?: string;
  readonly states?: readonly RunState[];
  /** All of these. */
  readonly tags?: readonly string[];
  readonly seeds?: readonly number[];
  /** Started at this time or later, and before `untilMs`. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
  /** A sweep's id or name; null: only runs of no sweep. */
  readonly sweep?: string | null;
  /** Name of a data set, or a symbol. */
  readonly dataset?: string;
  /** In the note, whatever the case. */
  readonly text?: string;
  /** Default false: archived runs are left out. `only`: the others are. */
  readonly archived?: boolean | 'only';
}

export interface ListOptions {
  readonly filter?: RunFilter;
  /** Default `started`: oldest first. Runs without the value come first, whichever way. */
  readonly sort?: SortKey;
  readonly reverse?: boolean;
  /** The last so many of what was found. */
  readonly limit?: number;
  readonly nowMs?: number;
}

export interface RunList {
  readonly runs: readonly StoredRun[];
  /** Under the runs' folder in all, before any filter. */
  readonly total: number;
  /** Left out because they are archived. */
  readonly archived: number;
  /** Folders that are no runs that this version reads, and that the filter leaves out. */
  readonly unreadable: readonly StoredRun[];
}

/** Lists the runs under `runsDir`, which need not exist. Throws what the file system refuses. */
export function listStoredRuns(runsDir: string, options: ListOptions = {}): RunList {
  const { filter = {}, sort = 'started', reverse = false, limit, nowMs = Date.now() } = options;
  const all = storedRuns(runsDir, nowMs);
  const matching = all.filter((run) => isWanted(run, filter));
  const archived = filter.archived ?? false;
  const kept = matching.filter((run) => archived === true || (run.archived_at !== null) === (archived === 'only'));
  const sorted = kept.sort(ordering(sort, reverse));
  return {
    runs: limit === undefined ? sorted : sorted.slice(-limit),
    total: all.length,
    archived: archived === false ? matching.length - kept.length : 0,
    unreadable: all.filter((run) => run.kind !== 'run' && !kept.includes(run)),
  };
}

function storedRuns(runsDir: string, nowMs: number): StoredRun[] {
  const withState = stateReader(nowMs);
  return readRows(runsDir, nowMs).map((row) => withState(row, path.join(runsDir, row.id)));
}

/** Each sweep's record is read once. */
function stateReader(nowMs: number): (row: RunRow, folder: string) => StoredRun {
  const hostname = os.hostname();
  const stopped = new Map<string, ReadonlySet<number>>();
  const wasStopped = (folder: string, sweep: string | null, trial: number | null): boolean => {
    if (sweep === null || trial === null) return false;
    const sweepFolder = path.join(path.dirname(folder), 'sweep');
    const key = `${sweepFolder} ${sweep}`;
    const trials = stopped.get(key) ?? stoppedTrials(sweepFolder, sweep);
    stopped.set(key, trials);
    return trials.has(trial);
  };
  return (row, folder) => {
    let state: RunState = row.status ?? 'damaged';
    if (row.kind !== 'run') state = row.kind;
    else if (row.status === 'running') state = isBusy(row, hostname, nowMs) ? 'running' : 'dead';
    else if (row.status === 'interrupted' && wasStopped(folder, row.sweep_id, row.trial)) state = 'stopped';
    return { ...row, path: folder, state };
  };
}

/** Its heart beats and its process lives, as far as can be seen from here. */
function isBusy({ pid, heartbeat_at: heartbeat, hostname: owner }: RunRow, hostname: string, nowMs: number): boolean {
  const isRecent = nowMs - Date.parse(heartbeat ?? '') < STALE_AFTER_MS;
  return isRecent && (owner !== hostname || (pid !== null && isAlive(pid)));
}

function isWanted(run: StoredRun, filter: RunFilter): boolean {
  const { experiment, states, tags = [], seeds, sinceMs, untilMs, sweep, dataset, text } = filter;
  const startedMs = Date.parse(run.started_at ?? '');
  const sweepName = run.sweep_id?.slice(0, -SWEEP_HASH) ?? null;
  return (
    (experiment === undefined || run.experiment === experiment || run.id.split('/')[0] === experiment) &&
    (states === undefined || states.includes(run.state)) &&
    tags.every((tag) => run.tags.includes(tag)) &&
    (seeds === undefined || (run.seed !== null && seeds.includes(run.seed))) &&
    // not: earlier than; a run without a time is in no span of it
    (sinceMs === undefined || startedMs >= sinceMs) &&
    (untilMs === undefined || startedMs < untilMs) &&
    (sweep === undefined ||
      (sweep === null ? run.sweep_id === null && run.kind === 'run' : [run.sweep_id, sweepName].includes(sweep))) &&
    (dataset === undefined || run.datasets.includes(dataset) || run.symbols.includes(dataset)) &&
    (text === undefined || (run.note ?? '').toLowerCase().includes(text.toLowerCase()))
  );
}

/** A dash and eight digits of the definition's hash, after the sweep's name. */
const SWEEP_HASH = 9;

function ordering(key: SortKey, reverse: boolean): (a: StoredRun, b: StoredRun) => number {
  const sign = reverse ? -1 : 1;
  return (a, b) => {
    const [x, y] = [sortValue(a, key), sortValue(b, key)];
    if (x === null || y === null) return x === y ? byTime(a, b) : x === null ? -1 : 1;
    return x < y ? -sign : x > y ? sign : key === 'started' ? sign * byTime(a, b) : byTime(a, b);
  };
}

function sortValue(run: StoredRun, key: SortKey): string | number | null {
  switch (key) {
    case 'started':
      return run.started_at;
    case 'sharpe':
      return run.metrics?.sharpe ?? null;
    case 'return':
      return run.metrics?.total_return ?? run.metrics?.mean_return ?? null;
    default:
      return run[key];
  }
}

function byTime(a: StoredRun, b: StoredRun): number {
  const [x, y] = [`${a.started_at ?? ''} ${a.id}`, `${b.started_at ?? ''} ${b.id}`];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** What one folder holds, with the state that it is in now. Throws RUN_NOT_FOUND where it is no run. */
export function storedRun(directory: string, nowMs = Date.now()): StoredRun {
  const folder = path.resolve(directory);
  const id = `${path.basename(path.dirname(folder))}/${path.basename(folder)}`;
  const row = existsSync(folder) ? readRow({ id, path: folder }) : null;
  if (row === null) fail('RUN_NOT_FOUND', { where: directory, message: 'this folder is no run' });
  return stateReader(nowMs)(row, directory);
}

/**
 * The run that a reference means, unreadable ones included: as `findRun`, and "experiment/run" or "run" of any folder
 * under `runsDir`. `isExact`: it names that run and no other, now and later. Throws RUN_NOT_FOUND.
 */
export function findStoredRun(reference: string, runsDir: string): { run: StoredRun; isExact: boolean } {
  const name = reference.replace(/\/+$/, '');
  const byName = runFolders(runsDir).filter(({ id }) => id === name || path.basename(id) === name);
  if (byName.length === 1) return { run: withId(storedRun(byName[0].path), byName[0].id), isExact: true };
  const { directory } = findRun(reference, runsDir);
  const isExact = path.resolve(reference) === path.resolve(directory);
  return { run: storedRun(directory), isExact };
}

const withId = (run: StoredRun, id: string): StoredRun => ({ ...run, id });

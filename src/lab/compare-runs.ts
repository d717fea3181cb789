/** `compareRuns`: experiments, groups of runs and single runs on disk, compared. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fail } from '#src/errors.js';
import { nearestName } from '#src/config/suggest.js';
import type { CompareModel } from '#src/report/compare-model.js';
import { compareGroups, type CompareOptions } from './compare.js';
import {
  baselineGroup,
  evaluationsOf,
  factsOf,
  judgedOf,
  readEvaluation,
  rowsOf,
  type ReadEvaluation,
} from './compare-read.js';
import type { CompareGroup } from './compare-table.js';
import { evaluateRun, type WindowName } from './evaluate.js';
import { findWalkForward } from './walk-forward/record.js';
import { walkForwardGroup, type WalkForwardGroup } from './walk-forward/compare.js';
import { listRuns, readRecord, type ListedRun } from './run-directory.js';

export interface CompareRunsOptions extends CompareOptions {
  /** Folder of all runs. */
  readonly runsDir: string;
  /**
   * Groups: an experiment's name (all its seeds), a run's folder or id, several of either joined by commas, each with a
   * label before it or not: "new=runs/a/x,runs/a/y".
   */
  readonly references: readonly string[];
  /** One of the groups, another reference, or hold, sma-cross, flat; default the last reference. */
  readonly baseline?: string;
  /** Folder under evaluation/: test (default), validation, test-last, custom_... */
  readonly evaluation?: string;
  /** Evaluate what has not been, instead of refusing. Only test, validation and train. */
  readonly evaluate?: boolean;
  /** Told of each run that is being evaluated. */
  readonly onEvaluate?: (run: string) => void;
}

/** Baselines that every evaluation of a market has. */
const BUILT_IN = ['hold', 'sma-cross', 'flat'];

interface Group {
  readonly name: string;
  readonly source: string;
  readonly runs: readonly ListedRun[];
  readonly remarks: CompareGroup['remarks'];
}

/**
 * Reads the evaluations of all runs that the references mean and compares them. Throws RUN_NOT_FOUND,
 * COMPARE_NOT_EVALUATED with the commands that would evaluate what is missing, and what `compareGroups` throws.
 */
export async function compareRuns(options: CompareRunsOptions): Promise<CompareModel> {
  const { runsDir, references, evaluation = 'test', by = null } = options;
  const runs = listRuns(runsDir);
  const builtIn = options.baseline !== undefined && isBuiltIn(options.baseline, runs) ? options.baseline : null;
  const sources = references.map((reference) => sourceOf(reference, runs, options));
  const named = options.baseline;
  if (named !== undefined && builtIn === null && !sources.some(({ name }) => name === named)) {
    sources.push(sourceOf(named, runs, options));
  }
  const baseline =
    named === undefined || builtIn !== null
      ? named
      : (sources.find(({ name }) => name === named) ?? sources[sources.length - 1]).name;
  const read = await readGroups(
    sources.map(({ group }) => group ?? NOTHING),
    options,
    evaluation,
    by,
  );
  const compared = sources.map(({ group, walk }, k) => walk?.group ?? tableOf(group ?? NOTHING, read[k], by));
  const evaluations = sources.flatMap(({ walk }, k) => walk?.evaluations ?? read[k]);
  // the paths of combinatorial windows are tasks, whatever is asked for
  const paths = sources.some(({ walk }) => walk?.scheme === 'combinatorial');
  const all = builtIn === null ? compared : [...compared, baselineGroup(builtIn, evaluations, paths ? 'window' : by)];
  return compareGroups(all, {
    ...options,
    by: paths ? null : by,
    baseline,
    evaluation: paths
      ? 'each path'
      : by === 'window'
        ? 'each window'
        : sources.some(({ walk }) => walk !== null)
          ? 'out of sample'
          : evaluation,
  });
}

/** Stands where a walk-forward does: it has evaluations of its own. */
const NOTHING: Group = { name: '', source: '', runs: [], remarks: [] };

/** What a reference means: runs, or a walk-forward of many. */
interface Source {
  readonly name: string;
  readonly group: Group | null;
  readonly walk: WalkForwardGroup | null;
}

function sourceOf(reference: string, runs: readonly ListedRun[], { runsDir, by = null }: CompareRunsOptions): Source {
  const labelled = /^([\w .+-]+)=(.+)$/.exec(reference);
  const folder = findWalkForward(labelled?.[2] ?? reference, runsDir);
  if (folder !== null) {
    const walk = walkForwardGroup(folder, labelled?.[1] ?? null, by, runsDir);
    return { name: walk.group.name, group: null, walk };
  }
  const group = groupOf(reference, runs, runsDir);
  return { name: group.name, group, walk: null };
}

function isBuiltIn(name: string, runs: readonly ListedRun[]): boolean {
  return BUILT_IN.includes(name) && !runs.some(({ record }) => record.name === name);
}

function tableOf(
  { name, source, runs, remarks }: Group,
  evaluations: readonly ReadEvaluation[],
  by: 'symbol' | 'window' | null,
): CompareGroup {
  const judged = evaluations.flatMap((own) => judgedOf(own, by));
  const distinct = new Map(judged.map((bars) => [`${bars.task}\n${bars.identity}`, bars]));
  return {
    name,
    source,
    remarks,
    rows: evaluations.flatMap((own) => rowsOf(own, by, name)),
    judged: [...distinct.values()],
    runs: runs.map((run) =>
      factsOf(
        run,
        evaluations.filter((own) => own.run.path === run.path),
      ),
    ),
  };
}

/** The evaluations of each group. By window: every one that all runs have and that is not in sample. */
async function readGroups(
  groups: readonly Group[],
  options: CompareRunsOptions,
  evaluation: string,
  by: 'symbol' | 'window' | null,
): Promise<ReadEvaluation[][]> {
  const all = groups.flatMap(({ runs }) => runs);
  const names = by === 'window' && all.length > 0 ? commonWindows(all) : [evaluation];
  const absent: { run: ListedRun; stale: boolean }[] = [];
  const read: ReadEvaluation[][] = [];
  for (const { runs } of groups) {
    const own: ReadEvaluation[] = [];
    for (const run of runs) {
      for (const name of names) {
        const found = await readOrEvaluate(run, name, options);
        if (found === 'missing' || found === 'stale') absent.push({ run, stale: found === 'stale' });
        else own.push(found);
      }
    }
    read.push(own);
  }
  if (absent.length > 0) refuseUnevaluated(absent, evaluation);
  return read;
}

async function readOrEvaluate(
  run: ListedRun,
  evaluation: string,
  { evaluate = false, onEvaluate }: CompareRunsOptions,
): Promise<ReturnType<typeof readEvaluation>> {
  const name = run.record.observation_hash === null ? classicEvaluation(run, evaluation) : evaluation;
  const found = readEvaluation(run, name);
  if (!evaluate || (found !== 'missing' && found !== 'stale')) return found;
  onEvaluate?.(run.id);
  const window = windowNamed(evaluation);
  await evaluateRun({ directory: run.path, ...(run.record.observation_hash === null ? {} : { window }) });
  return readEvaluation(run, run.record.observation_hash === null ? classicEvaluation(run, evaluation) : evaluation);
}

/** A classic environment has no windows: its evaluation is named by its checkpoint. */
function classicEvaluation(run: ListedRun, evaluation: string): string {
  const own = evaluationsOf(run.path);
  return own.includes(evaluation) ? evaluation : (own.find((name) => name === 'best') ?? 'last');
}

function windowNamed(evaluation: string): WindowName {
  if (evaluation === 'test' || evaluation === 'validation' || evaluation === 'train') return evaluation;
  return fail('USAGE', {
    where: '--evaluate',
    value: evaluation,
    message: 'can evaluate the windows test, validation and train; evaluate others with openbell evaluate',
  });
}

function commonWindows(runs: readonly ListedRun[]): string[] {
  const [first, ...rest] = runs.map((run) => evaluationsOf(run.path).filter((name) => !isSeen(run, name)));
  const common = (first ?? []).filter((name) => rest.every((own) => own.includes(name)));
  if (common.length > 0) return common;
  return fail('COMPARE_NOT_EVALUATED', {
    where: '--by window',
    message:
      'the runs share no evaluation on bars that training had not seen: evaluate all of them on the same windows, as with openbell evaluate RUN --from DATE --to DATE',
  });
}

function isSeen(run: ListedRun, name: string): boolean {
  const found = readEvaluation(run, name);
  if (found === 'missing' || found === 'stale') return true;
  const window = found.summary['window'];
  return typeof window === 'object' && window !== null && 'inSample' in window && window.inSample === true;
}

const LISTED = 3;

function refuseUnevaluated(absent: readonly { run: ListedRun; stale: boolean }[], evaluation: string): never {
  const option = evaluation === 'test' ? '' : ` --window ${evaluation}`;
  const stale = absent.filter((own) => own.stale).length;
  const commands = absent.slice(0, LISTED).map(({ run }) => `openbell evaluate ${run.path}${option}`);
  const more = absent.length > LISTED ? `; and ${absent.length - LISTED} more` : '';
  const trained = stale > 0 ? ` (${stale} of them trained further since, or under another configuration)` : '';
  return fail('COMPARE_NOT_EVALUATED', {
    where: evaluation,
    value: absent.length,
    message: `${absent.length === 1 ? 'one run has' : 'so many runs have'} no such evaluation${trained}: --evaluate makes them now, or ${commands.join('; ')}${more}`,
  });
}

/** "label=a,b", "a,b" or "a". */
function groupOf(reference: string, runs: readonly ListedRun[], runsDir: string): Group {
  const labelled = /^([\w .+-]+)=(.+)$/.exec(reference);
  const list = (labelled?.[2] ?? reference).split(',').filter((part) => part !== '');
  if (list.length === 0) fail('USAGE', { where: 'compare', value: reference, message: 'names no run' });
  const parts = list.map((part) => resolvePart(part, runs, runsDir));
  const unique = new Map(parts.flatMap((part) => part.runs).map((run) => [path.resolve(run.path), run]));
  return {
    name: labelled?.[1] ?? (parts.length === 1 ? parts[0].name : list.map((part) => path.basename(part)).join(', ')),
    source: list.join(', '),
    runs: [...unique.values()],
    remarks: parts.flatMap(({ remarks }) => remarks),
  };
}

interface Part {
  readonly name: string;
  readonly runs: readonly ListedRun[];
  readonly remarks: CompareGroup['remarks'];
}

function resolvePart(reference: string, runs: readonly ListedRun[], runsDir: string): Part {
  const name = reference.replace(/\/+$/, '');
  const folder = path.resolve(name);
  if (existsSync(path.join(folder, 'run.json'))) {
    const known = runs.find((run) => path.resolve(run.path) === folder);
    const run = known ?? { id: path.basename(folder), path: folder, record: readRecord(folder) };
    return { name: path.basename(folder), runs: [run], remarks: [] };
  }
  const single = runs.find((run) => run.id === name || path.basename(run.path) === name);
  if (single !== undefined) return { name: path.basename(single.path), runs: [single], remarks: [] };
  const wanted = path.dirname(folder) === path.resolve(runsDir) ? path.basename(folder) : name;
  const own = name === 'latest' ? runs.slice(-1) : runs.filter(({ record }) => record.name === wanted);
  if (own.length === 0) {
    const names = [...new Set(runs.map(({ record }) => record.name))];
    const near = nearestName(name, [...names, ...runs.map(({ id }) => id)]);
    fail('RUN_NOT_FOUND', {
      where: 'compare',
      value: reference,
      message: `there is no such experiment or run in ${runsDir}; ${near === null ? (names.length === 0 ? 'there are no runs yet' : `there are ${names.slice(0, 8).join(', ')}`) : `did you mean "${near}"?`}`,
    });
  }
  return experimentPart(wanted, own);
}

/** An experiment's newest configuration: of each seed the newest completed run. What is left out is said. */
function experimentPart(name: string, runs: readonly ListedRun[]): Part {
  const completed = runs.filter(({ record }) => record.status === 'completed');
  if (completed.length === 0) {
    fail('RUN_STATE', {
      where: name,
      value: runs.map(({ record }) => record.status),
      message: 'none of its runs is completed: let one finish (openbell train --resume), or name a run itself',
    });
  }
  const remarks: CompareGroup['remarks'][number][] = [];
  const unfinished = runs.length - completed.length;
  if (unfinished > 0) {
    const states = [...new Set(runs.map(({ record }) => record.status))].filter((status) => status !== 'completed');
    remarks.push({
      level: 'warning',
      message: `${counted(unfinished, 'run')} not completed (${states.join(', ')}) left out: if seeds fail where training goes badly, the others flatter`,
    });
  }
  const hash = completed[completed.length - 1].record.config_hash;
  const same = completed.filter(({ record }) => record.config_hash === hash);
  if (same.length < completed.length) {
    const others = new Set(completed.map(({ record }) => record.config_hash)).size - 1;
    remarks.push({
      level: 'note',
      message: `${counted(completed.length - same.length, 'run')} of ${counted(others, 'other configuration')} of that name left out: only the newest, ${hash.slice(0, 8)}, is compared`,
    });
  }
  const bySeed = new Map(same.map((run) => [run.record.seed, run]));
  if (bySeed.size < same.length) {
    remarks.push({
      level: 'note',
      message: `${counted(same.length - bySeed.size, 'run')} of a seed that was trained again left out: the newest is compared`,
    });
  }
  return { name, runs: [...bySeed.values()].sort((a, b) => a.record.seed - b.record.seed), remarks };
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** From a run's evaluation on disk to rows of a comparison. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isTree } from '#src/config/yaml-source.js';
import { fail } from '#src/errors.js';
import { finiteSample } from '#src/stats/scores.js';
import { flatConfig } from './compare-config.js';
import type { CompareGroup, ComparedRunFacts, CompareRow, JudgedBars, RowEquity } from './compare-table.js';
import { readCurves } from './evaluate-curves.js';
import { RunDirectory, type ListedRun } from './run-directory.js';

type Json = Readonly<Record<string, unknown>>;

/** One evaluation folder of one run, read. */
export interface ReadEvaluation {
  readonly run: ListedRun;
  /** Folder under evaluation/: "test", "validation", "custom_...". */
  readonly evaluation: string;
  readonly folder: string;
  readonly summary: Json;
}

/** Whether and why an evaluation is not there, or no longer that of the run's checkpoint. */
export type Missing = 'missing' | 'stale';

/** Names of the evaluations that a run has. */
export function evaluationsOf(runPath: string): string[] {
  const folder = path.join(runPath, 'evaluation');
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(path.join(folder, entry.name, 'metrics.json')))
    .map(({ name }) => name)
    .sort();
}

/**
 * An evaluation of a run, or why there is none: never made, or made before the run was trained further. Throws
 * RUN_STATE where its files cannot be understood.
 */
export function readEvaluation(run: ListedRun, evaluation: string): ReadEvaluation | Missing {
  const folder = path.join(run.path, 'evaluation', evaluation);
  const file = path.join(folder, 'metrics.json');
  if (!existsSync(file)) return 'missing';
  const summary = parsed(file);
  return isStale(run, summary) ? 'stale' : { run, evaluation, folder, summary };
}

function isStale({ record }: ListedRun, summary: Json): boolean {
  if (summary['configHash'] !== record.config_hash) return true;
  const { result } = record;
  if (result === null) return false;
  if (summary['checkpoint'] === 'best') return result.best !== null && summary['timesteps'] !== result.best.timesteps;
  return summary['checkpoint'] === 'last' && summary['timesteps'] !== result.timesteps;
}

/** Facts of a run beside its figures; `evaluations` are those that are compared. */
export function factsOf(run: ListedRun, evaluations: readonly ReadEvaluation[]): ComparedRunFacts {
  const { record } = run;
  const [first] = evaluations;
  const { git, openbell } = record.code;
  const windows = evaluations.map(({ summary }) => treeOf(summary['window']));
  const edges = evaluations.map(({ summary }) => treeOf(summary['verdict'])['edge']);
  return {
    run: run.id,
    seed: record.seed,
    config: flatConfig(RunDirectory.open(run.path).loadConfig()),
    configHash: record.config_hash,
    checkpoint: String(first.summary['checkpoint'] ?? ''),
    timesteps: Number(first.summary['timesteps'] ?? 0),
    code: git === null ? openbell : `${git.commit.slice(0, 12)}${git.dirty ? ' with changes' : ''}`,
    inSample: windows.some((window) => window['inSample'] === true),
    synthetic: record.data.some(({ synthetic }) => synthetic),
    edge: edges.some((edge) => typeof edge !== 'string')
      ? null
      : edges.every((edge) => edge === 'evidence')
        ? 'evidence'
        : 'none',
    curves: readCurves(path.join(run.path, 'metrics.jsonl'), Number(first.summary['timesteps'] ?? 0)),
  };
}

/** Rows of one evaluation: one for the whole, or one a symbol. The experiment's name is that of its group. */
export function rowsOf(
  { run, evaluation, folder, summary }: ReadEvaluation,
  by: 'symbol' | 'window' | null,
  experiment: string,
): CompareRow[] {
  const row = { experiment, run: run.id, seed: run.record.seed };
  if (typeof summary['score'] === 'number') {
    const task = String(summary['environment'] ?? 'all');
    return [{ ...row, task, metrics: { score: summary['score'] }, equity: null }];
  }
  const columns = readEquity(folder, summary);
  const symbols = treeOf(summary['symbols']);
  const names = by === 'symbol' ? Object.keys(symbols) : [];
  if (names.length === 0) {
    const equity = columns('agent', 'hold', treeOf(summary['agent'])['initialEquity']);
    return [
      { ...row, task: wholeTask({ run, evaluation, folder, summary }, by), metrics: marketMetrics(summary), equity },
    ];
  }
  return names.map((symbol) => {
    const own = treeOf(symbols[symbol]);
    return {
      ...row,
      task: symbol,
      metrics: marketMetrics(own),
      equity: columns(`agent:${symbol}`, `hold:${symbol}`, treeOf(own['agent'])['initialEquity']),
    };
  });
}

/** What an evaluation was judged on, task by task. */
export function judgedOf({ evaluation, summary }: ReadEvaluation, by: 'symbol' | 'window' | null): JudgedBars[] {
  if (typeof summary['score'] === 'number') {
    const environment = String(summary['environment']);
    return [{ task: environment, identity: environment, label: environment }];
  }
  const data = dataOf(summary);
  const describe = (task: string, windows: readonly Json[]): JudgedBars => ({
    task,
    identity: windows
      .map((own) => [own['symbol'], own['interval'], own['sha256'], own['from'], own['to']].join(' '))
      .sort()
      .join('; '),
    label: windows
      .map((own) => `${String(own['symbol'])} ${String(own['interval'])} ${dayOf(own['from'])} to ${dayOf(own['to'])}`)
      .join(', '),
  });
  if (by !== 'symbol') return [describe(by === 'window' ? evaluation : 'all', data)];
  return symbolsOf(summary).map((symbol) =>
    describe(
      symbol,
      data.filter((own) => own['symbol'] === symbol),
    ),
  );
}

/** Buy-and-hold or another baseline of the evaluations as a group of its own: one row a task, no seeds. */
export function baselineGroup(
  name: string,
  evaluations: readonly ReadEvaluation[],
  by: 'symbol' | 'window' | null,
): CompareGroup {
  const seen = new Map<string, ReadEvaluation>();
  for (const own of evaluations) seen.set(own.evaluation, seen.get(own.evaluation) ?? own);
  const distinct = [...seen.values()];
  const rows = distinct.flatMap((own) => {
    const columns = readEquity(own.folder, own.summary);
    const symbols = treeOf(own.summary['symbols']);
    const several = by === 'symbol' && Object.keys(symbols).length > 0;
    const parts = several
      ? Object.entries(symbols).map(([symbol, of]) => ({ task: symbol, suffix: `:${symbol}`, figures: treeOf(of) }))
      : [{ task: wholeTask(own, by), suffix: '', figures: own.summary }];
    return parts.map(({ task, suffix, figures }): CompareRow => {
      const baselines = treeOf(figures['baselines']);
      const baseline = treeOf(baselines[name]);
      if (Object.keys(baseline).length === 0) {
        fail('RUN_STATE', {
          where: own.folder,
          value: name,
          message: `its evaluation knows no such baseline: ${Object.keys(baselines).join(', ') || 'none, for a classic environment'}`,
        });
      }
      return {
        experiment: name,
        run: name,
        seed: 0,
        task,
        metrics: { ...figuresOf(baseline), excessOverHold: excess(baseline, treeOf(baselines['hold'])) },
        equity: columns(`${name}${suffix}`, `hold${suffix}`, baseline['initialEquity']),
      };
    });
  });
  const judged = distinct.flatMap((own) => judgedOf(own, by));
  return { name, source: 'baseline of the evaluation', rows, judged, runs: [], remarks: [] };
}

/** What a row for the whole account is called. */
function wholeTask({ evaluation, summary }: ReadEvaluation, by: 'symbol' | 'window' | null): string {
  if (by === 'window') return evaluation;
  return by === 'symbol' ? symbolsOf(summary)[0] : 'all';
}

/** @param figures with `agent` and `baselines`: a whole evaluation, or one symbol of it */
function marketMetrics(figures: Json): Record<string, number | null> {
  const agent = treeOf(figures['agent']);
  const hold = treeOf(treeOf(figures['baselines'])['hold']);
  return { ...figuresOf(agent), excessOverHold: excess(agent, hold) };
}

/** Final wealth against buy-and-hold's, less 1. */
function excess(agent: Json, hold: Json): number | null {
  const [own, other] = [agent['totalReturn'], hold['totalReturn']];
  if (typeof own !== 'number' || typeof other !== 'number' || other <= -1) return null;
  return (1 + own) / (1 + other) - 1;
}

function figuresOf(figures: Json): Record<string, number | null> {
  return Object.fromEntries(
    Object.entries(figures).flatMap(([key, value]) =>
      typeof value === 'number' || value === null ? [[key, value]] : [],
    ),
  );
}

function dataOf(summary: Json): Json[] {
  const data = treeOf(summary['window'])['data'];
  return Array.isArray(data) ? data.filter(isTree) : [];
}

function symbolsOf(summary: Json): string[] {
  return [...new Set(dataOf(summary).map((own) => String(own['symbol'])))];
}

function dayOf(stamp: unknown): string {
  return typeof stamp === 'string' ? stamp.slice(0, 10) : '?';
}

function treeOf(value: unknown): Json {
  return isTree(value) ? value : {};
}

function parsed(file: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    fail('RUN_STATE', { where: file, message: 'is not JSON: evaluate the run again', cause });
  }
  if (!isTree(value)) fail('RUN_STATE', { where: file, message: 'holds no figures: evaluate the run again' });
  return value;
}

/** The columns of equity.csv by name; a column that is not there gives null. Throws RUN_STATE where it is damaged. */
function readEquity(
  folder: string,
  summary: Json,
): (name: string, hold: string, initialEquity: unknown) => RowEquity | null {
  const file = path.join(folder, 'equity.csv');
  if (!existsSync(file)) return () => null;
  const [header, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
  const names = header.split(',');
  const cells = lines.map((line) => line.split(','));
  const bars = treeOf(summary['agent'])['bars'];
  if (bars !== cells.length) {
    fail('RUN_STATE', {
      where: file,
      value: cells.length,
      message: `has another number of bars than its metrics.json (${String(bars)}): evaluate the run again`,
    });
  }
  const damaged = cells.findIndex((row) => row.length !== names.length);
  if (damaged >= 0) {
    fail('RUN_STATE', {
      where: `${file}:${damaged + 2}`,
      value: lines[damaged],
      message: `has ${cells[damaged].length} cells where the header has ${names.length}: evaluate the run again`,
    });
  }
  const timeMs = Float64Array.from(cells, ([stamp]) => Date.parse(stamp));
  const column = (name: string): Float64Array | null => {
    const at = names.indexOf(name);
    return at < 0
      ? null
      : finiteSample(
          Float64Array.from(cells, (row) => Number(row[at])),
          `${file} ${name}`,
        );
  };
  return (name, hold, initialEquity) => {
    const equity = column(name);
    if (equity === null || equity.length === 0 || typeof initialEquity !== 'number') return null;
    return { initialEquity, timeMs, equity, hold: column(hold) };
  };
}

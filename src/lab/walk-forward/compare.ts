/** A walk-forward as a group of a comparison. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isTree } from '#src/config/yaml-source.js';
import { fail } from '#src/errors.js';
import { factsOf, judgedOf, rowsOf, type ReadEvaluation } from '../compare-read.js';
import type { CompareGroup, CompareRow } from '../compare-table.js';
import { readRecord, type ListedRun } from '../run-directory.js';
import { readWalkForward, type WalkForwardRecord } from './record.js';

export interface WalkForwardGroup {
  readonly scheme: WalkForwardRecord['scheme'];
  readonly group: CompareGroup;
  /** All that was judged, for the baselines: a task each. */
  readonly evaluations: readonly ReadEvaluation[];
}

/**
 * by window: a task a window, each judged by a policy of its own for every seed. Otherwise the stitched account of
 * every seed; combinatorial: a task a path, whatever is asked for. Throws RUN_STATE for a record that has nothing to
 * compare, or whose runs are gone.
 */
export function walkForwardGroup(
  folder: string,
  label: string | null,
  by: 'symbol' | 'window' | null,
  runsDir: string,
): WalkForwardGroup {
  const record = readWalkForward(folder);
  const name = label ?? record.name;
  const isWalk = record.scheme !== 'combinatorial';
  const found = by === 'window' && isWalk ? byWindow(record, runsDir) : stitchedOf(record, folder, runsDir);
  if (found.length === 0) {
    fail('RUN_STATE', {
      where: folder,
      value: record.status,
      message: 'has nothing to compare yet: give the walk-forward its command again, which goes on',
    });
  }
  const symbols = by === 'symbol' && isWalk ? 'symbol' : 'window';
  const whole = by === null && isWalk ? null : symbols;
  const rows = found.flatMap(({ evaluation, run }) =>
    rowsOf(evaluation, whole, name).map((row): CompareRow => ({ ...row, run, seed: seedOf(evaluation) })),
  );
  const judged = found.flatMap(({ evaluation }) => judgedOf(evaluation, whole));
  const runs = distinctRuns(record, runsDir);
  return {
    scheme: record.scheme,
    evaluations: found.map(({ evaluation }) => evaluation),
    group: {
      name,
      source: folder,
      rows,
      judged: [...new Map(judged.map((own) => [`${own.task}\n${own.identity}`, own])).values()],
      runs: runs.map((run) => {
        const own = found.filter(({ evaluation }) => evaluation.run.record.seed === run.record.seed);
        const facts = factsOf(run, own.length === 0 ? [found[0].evaluation] : own.map(({ evaluation }) => evaluation));
        // the windows are what the walk-forward varies: they are no difference between its runs
        return { ...facts, config: withoutWindows(facts.config), configHash: record.hash };
      }),
      remarks: remarksOf(record),
    },
  };
}

interface Found {
  readonly evaluation: ReadEvaluation;
  /** Names what shares its luck: rows of one run were judged by the same policies. */
  readonly run: string;
}

function byWindow({ windows }: WalkForwardRecord, runsDir: string): Found[] {
  return windows.flatMap(({ name, runs }) =>
    runs.flatMap((own): Found[] => {
      if (own.status !== 'completed' || own.run === null) return [];
      const run = listed(own.run, runsDir);
      const folder = path.join(run.path, 'evaluation', 'test');
      return [{ evaluation: { run, evaluation: name, folder, summary: summaryIn(folder) }, run: run.id }];
    }),
  );
}

function stitchedOf({ name, stitched, windows }: WalkForwardRecord, folder: string, runsDir: string): Found[] {
  return stitched.flatMap((own): Found[] => {
    const first = windows[0].runs.find(({ seed }) => seed === own.seed)?.run ?? null;
    if (first === null) return [];
    const at = path.join(folder, own.folder);
    const evaluation = `p${own.path + 1}`;
    return [
      {
        evaluation: { run: listed(first, runsDir), evaluation, folder: at, summary: summaryIn(at) },
        run: `${name}/s${own.seed}`,
      },
    ];
  });
}

/** One a seed: they stand for the group's configuration and learning curves. */
function distinctRuns({ windows }: WalkForwardRecord, runsDir: string): ListedRun[] {
  return windows[0].runs.flatMap(({ run, status }) =>
    run === null || status !== 'completed' ? [] : [listed(run, runsDir)],
  );
}

function remarksOf({ windows, scheme, seeds, stitched }: WalkForwardRecord): CompareGroup['remarks'] {
  const missing = windows.flatMap(({ name, runs }) =>
    runs.filter(({ status }) => status !== 'completed').map(({ seed, status }) => `${name} seed ${seed} ${status}`),
  );
  const whole = new Set(stitched.map(({ seed }) => seed)).size;
  return [
    {
      level: 'note',
      message: `${scheme} walk-forward of ${windows.length} windows and ${seeds.length} seeds; learning curves are those of the first window`,
    },
    ...(missing.length === 0
      ? []
      : [
          {
            level: 'warning' as const,
            message: `${missing.length} trainings not completed left out (${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ', ...' : ''}); ${whole} of ${seeds.length} seeds are stitched`,
          },
        ]),
  ];
}

function withoutWindows(config: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map(
    [...config].filter(([key]) => !/^(name|description|data\.(train|validation|test|exclude))(\.|$)/.test(key)),
  );
}

function listed(run: string, runsDir: string): ListedRun {
  const folder = path.join(runsDir, run);
  return { id: run, path: folder, record: readRecord(folder) };
}

function seedOf({ run, summary }: ReadEvaluation): number {
  return typeof summary['seed'] === 'number' ? summary['seed'] : run.record.seed;
}

function summaryIn(folder: string): Readonly<Record<string, unknown>> {
  const file = path.join(folder, 'metrics.json');
  if (!existsSync(file))
    fail('RUN_STATE', {
      where: file,
      message: 'is gone: give the walk-forward its command again, which makes it anew',
    });
  const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!isTree(value))
    fail('RUN_STATE', { where: file, message: 'holds no figures: delete it, and give the command again' });
  return value;
}

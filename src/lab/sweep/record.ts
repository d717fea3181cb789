/**
 * What a sweep writes, in runs/<name>/sweep/:
 *
 *   sweep.json    the definition, every trial, the choice, the importance of the keys
 *   trials.csv    the table
 *   best.yaml     the best configuration, ready to be trained
 *   report.html   the pictures
 *
 * All of it can be made again from the runs, and is, whenever the sweep's command is given again.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { configYaml } from '#src/config/show.js';
import { isTree } from '#src/config/yaml-source.js';
import { makeFolder } from '#src/config/make-folder.js';
import { fail, OpenBellError } from '#src/errors.js';
import { writeFileAtomic } from '#src/registry/files.js';
import type { RunRecord } from '../run-directory.js';
import type { KeyImportance } from './importance.js';
import type { Sweep } from './sweep.js';
import { describeValues } from './sweep-text.js';
import { rankTrials, type TrialRow } from './trial-table.js';

const FORMAT = 'openbell-sweep 1';

export interface SweepState {
  readonly status: 'running' | 'completed' | 'interrupted';
  readonly rows: readonly TrialRow[];
  /** The completed trial with the best mean score; null: none is completed. */
  readonly best: TrialRow | null;
  readonly importance: readonly KeyImportance[];
}

export const sweepFolder = (runsDir: string, name: string): string => path.join(runsDir, name, 'sweep');

/** Makes the folder. Throws SWEEP_CONFLICT where a sweep of this name and another definition is there. */
export function claimFolder(sweep: Sweep, runsDir: string): string {
  const folder = sweepFolder(runsDir, sweep.definition.name);
  const file = path.join(folder, 'sweep.json');
  if (existsSync(file)) {
    const before = readSummary(file);
    if (before['definition_hash'] !== sweep.definitionHash) {
      const differing = differences(before, summaryHead(sweep));
      fail('SWEEP_CONFLICT', {
        where: sweep.file,
        value: sweep.definition.name,
        message: `${file} is a sweep of this name with another definition (${differing}): give this one another name, or delete ${path.dirname(folder)}`,
      });
    }
  }
  makeFolder(folder);
  return folder;
}

function readSummary(file: string): Readonly<Record<string, unknown>> {
  let summary: unknown;
  try {
    summary = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    fail('RUN_STATE', { where: file, message: 'is not JSON: delete it, and it is made again from the runs', cause });
  }
  if (!isTree(summary) || summary['format'] !== FORMAT) {
    const message = 'was not written by this version of OpenBell: move it away, and it is made again from the runs';
    fail('RUN_STATE', { where: file, value: isTree(summary) ? summary['format'] : summary, message });
  }
  return summary;
}

/**
 * Mean annualised Sharpe ratios on the validation window of the trials that a run was chosen from, by what the sweep has
 * recorded so far: their variance is what the deflated Sharpe ratio needs besides their number. Failed trials have none.
 * null: the run comes from no sweep, or its record is not under `runsDir` any more. Throws RUN_STATE.
 */
export function trialSharpes({ sweep }: RunRecord, runsDir: string): number[] | null {
  if ((sweep ?? null) === null) return null;
  // the id is the name, a dash and eight digits of the definition's hash
  const name = sweep?.id.slice(0, -9) ?? '';
  const file = path.join(sweepFolder(runsDir, name), 'sweep.json');
  if (!existsSync(file)) return null;
  const summary = readSummary(file);
  const { id, trials } = summary;
  if (id !== sweep?.id || !Array.isArray(trials)) return null;
  return trials.flatMap((trial: unknown) =>
    isTree(trial) && typeof trial['sharpe'] === 'number' ? [trial['sharpe']] : [],
  );
}

/**
 * Trials that early stopping has stopped, by what `folder`/sweep.json says of the sweep with this id. Empty where it says
 * nothing that can be read: a list of runs goes on without it.
 */
export function stoppedTrials(folder: string, id: string): ReadonlySet<number> {
  const file = path.join(folder, 'sweep.json');
  if (!existsSync(file)) return new Set();
  let summary: Readonly<Record<string, unknown>>;
  try {
    summary = readSummary(file);
  } catch (error) {
    if (!(error instanceof OpenBellError) || error.code !== 'RUN_STATE') throw error;
    return new Set();
  }
  const { trials } = summary;
  if (summary['id'] !== id || !Array.isArray(trials)) return new Set();
  return new Set(
    trials.flatMap((trial: unknown) =>
      isTree(trial) && trial['status'] === 'stopped' && typeof trial['trial'] === 'number' ? [trial['trial']] : [],
    ),
  );
}

function summaryHead(sweep: Sweep): Record<string, unknown> {
  const { definition, seeds, terms } = sweep;
  const { space, method, seed, score, early_stopping: earlyStopping } = definition;
  return {
    format: FORMAT,
    id: sweep.id,
    name: definition.name,
    description: definition.description,
    definition_hash: sweep.definitionHash,
    experiment: sweep.experimentFile,
    overrides: definition.overrides,
    space,
    method,
    seed,
    seeds,
    score,
    early_stopping: earlyStopping,
    rungs: terms.rungs,
    /** What statistics correct for: pruned and failed trials count. */
    trial_count: terms.trials,
  };
}

function differences(before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>): string {
  const keys = ['overrides', 'space', 'method', 'seed', 'seeds', 'score', 'early_stopping', 'rungs', 'trial_count'];
  const differing = keys.filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
  return differing.length === 0 ? 'its experiment has changed since' : `different: ${differing.join(', ')}`;
}

/** What sweep.json holds and `--json` prints. */
export function sweepSummary(sweep: Sweep, { status, rows, best, importance }: SweepState): Record<string, unknown> {
  return { ...summaryHead(sweep), status, best, importance, trials: rows };
}

export function writeSummary(folder: string, sweep: Sweep, state: SweepState): void {
  writeFileAtomic(path.join(folder, 'sweep.json'), `${JSON.stringify(sweepSummary(sweep, state), null, 2)}\n`);
}

/** trials.csv and, once there is a choice, best.yaml, whose path is returned. */
export function writeTables(folder: string, sweep: Sweep, { rows, best }: SweepState): string | null {
  writeFileAtomic(path.join(folder, 'trials.csv'), trialsCsv(sweep, rows));
  if (best === null) return null;
  const file = path.join(folder, 'best.yaml');
  writeFileAtomic(file, bestYaml(sweep, best, file));
  return file;
}

function trialsCsv({ definition, seeds }: Sweep, rows: readonly TrialRow[]): string {
  const keys = Object.keys(definition.space);
  const head = [
    'rank',
    'trial',
    'status',
    'timesteps',
    'score',
    'deviation',
    'sharpe',
    ...seeds.map((seed) => `score_seed_${seed}`),
    ...keys,
  ];
  const lines = rankTrials(rows).map((row, index) => {
    const scores = new Map(row.rungs.at(-1)?.seeds.map(({ seed, score }) => [seed, score]));
    return [
      index + 1,
      row.trial,
      row.status,
      row.timesteps,
      row.score,
      row.deviation,
      row.sharpe,
      ...seeds.map((seed) => scores.get(seed) ?? null),
      ...keys.map((key) => row.parameters[key]),
    ];
  });
  return `${[head, ...lines].map((cells) => cells.map(csvCell).join(',')).join('\n')}\n`;
}

function csvCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The whole configuration: a base that it extended might change, and with it what was chosen. */
function bestYaml({ definition, trials, seeds, terms }: Sweep, best: TrialRow, file: string): string {
  const { config } = trials[best.trial];
  const name = `${definition.name}-best`;
  const description = `The best of ${terms.trials} trials of ${definition.name}: ${describeValues(best.parameters)}`;
  const spread = best.deviation === null ? '' : `, deviation ${best.deviation.toPrecision(4)}`;
  const head = [
    `# Chosen by openbell sweep: trial ${best.trial} of ${terms.trials}, by its mean score on the validation window over`,
    `# ${seeds.length} seeds (${best.score?.toPrecision(6)}${spread}). That score is the best of many and flatters: judge on the test window,`,
    `# with seeds that the sweep has not used:  openbell train ${file} --seeds ${freshSeeds(seeds)} --evaluate`,
    ...Object.entries(best.parameters).map(([key, value]) => `#   ${key}: ${JSON.stringify(value)}`),
  ];
  return `${head.join('\n')}\n${configYaml({ config: { ...config, name, description }, origins: new Map() })}`;
}

function freshSeeds(used: readonly number[]): string {
  const first = Math.max(...used) + 1;
  return `${first}-${first + 9}`;
}

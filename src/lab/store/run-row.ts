/** A run in one flat row: what lists, filters and tables need of run.json, its annotations and its evaluation. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isTree } from '#src/config/yaml-source.js';
import { OpenBellError } from '#src/errors.js';
import { annotationsFile, readAnnotations } from './annotations.js';
import type { RunFolder } from './walk.js';

/** `run`: readable. The others are folders that are shown with what is wrong with them. */
export type RunKind = 'run' | 'half-written' | 'newer' | 'damaged' | 'foreign';

const STATUSES = ['running', 'completed', 'interrupted', 'failed'] as const;
export type RecordedStatus = (typeof STATUSES)[number];

/** Of the held-out window: the evaluation `test` of a market, `best` or `last` of a classic environment. */
export interface RunMetrics {
  readonly folder: string;
  readonly checkpoint: string | null;
  /** true: training, or the choice of the checkpoint, saw bars of this window. */
  readonly in_sample: boolean | null;
  readonly verdict: string | null;
  /** Mean return of the episodes of a classic environment. */
  readonly mean_return: number | null;
  readonly total_return: number | null;
  readonly cagr: number | null;
  readonly volatility: number | null;
  readonly sharpe: number | null;
  readonly sortino: number | null;
  readonly max_drawdown: number | null;
  readonly turnover: number | null;
  readonly exposure: number | null;
  readonly trades: number | null;
  readonly win_rate: number | null;
  readonly profit_factor: number | null;
}

export interface RunRow {
  readonly id: string;
  readonly kind: RunKind;
  /** What is wrong, and what to do; null: nothing. */
  readonly problem: string | null;
  readonly experiment: string;
  readonly description: string;
  readonly seed: number | null;
  /** As run.json says; the state that a list shows also knows whether anybody is still at work. */
  readonly status: RecordedStatus | null;
  readonly timesteps: number | null;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly heartbeat_at: string | null;
  readonly pid: number | null;
  /** The machine that began the run, or took it up last. */
  readonly hostname: string | null;
  readonly engine: string | null;
  readonly config_hash: string | null;
  readonly openbell: string | null;
  readonly git_commit: string | null;
  readonly datasets: readonly string[];
  readonly symbols: readonly string[];
  /** Best on the validation window while training. */
  readonly score: number | null;
  readonly score_timesteps: number | null;
  readonly last_score: number | null;
  readonly weights_sha256: string | null;
  readonly error: string | null;
  readonly sweep_id: string | null;
  readonly trial: number | null;
  readonly trials: number | null;
  readonly tags: readonly string[];
  readonly note: string | null;
  readonly archived_at: string | null;
  readonly metrics: RunMetrics | null;
}

const EVALUATIONS = ['test', 'best', 'last'] as const;

/** Whatever a row is made of, run.json first; where none of these has changed, the row has not. */
export const rowSources = (folder: string): string[] => [
  path.join(folder, 'run.json'),
  annotationsFile(folder),
  ...EVALUATIONS.map((name) => metricsFile(folder, name)),
];

const metricsFile = (folder: string, name: string): string => path.join(folder, 'evaluation', name, 'metrics.json');

const BLANK: Omit<RunRow, 'id' | 'kind' | 'problem' | 'experiment'> = {
  description: '',
  seed: null,
  status: null,
  timesteps: null,
  started_at: null,
  finished_at: null,
  heartbeat_at: null,
  pid: null,
  hostname: null,
  engine: null,
  config_hash: null,
  openbell: null,
  git_commit: null,
  datasets: [],
  symbols: [],
  score: null,
  score_timesteps: null,
  last_score: null,
  weights_sha256: null,
  error: null,
  sweep_id: null,
  trial: null,
  trials: null,
  tags: [],
  note: null,
  archived_at: null,
  metrics: null,
};

/** Reads what lies in a folder, whatever it is; null: a folder of ours that is no run, such as a sweep's. */
export function readRow({ id, path: folder }: RunFolder): RunRow | null {
  const experiment = id.includes('/') ? id.slice(0, id.indexOf('/')) : id;
  const unreadable = (kind: RunKind, problem: string): RunRow => ({ ...BLANK, id, kind, problem, experiment });
  const file = path.join(folder, 'run.json');
  const read = readJson(file);
  if (read === undefined) {
    if (existsSync(path.join(folder, 'sweep.json'))) return null;
    const begun = existsSync(path.join(folder, 'config.yaml'));
    if (begun && existsSync(path.join(folder, 'checkpoints'))) {
      const again = `openbell train ${path.join(folder, 'config.yaml')}`;
      return unreadable('half-written', `there is no run.json: the run was stopped before it began. Again: ${again}`);
    }
    return RUN_NAME.test(path.basename(folder))
      ? unreadable('half-written', 'there is no run.json: the run was stopped before it began, or was half copied')
      : unreadable('foreign', 'there is no run.json: this folder is no run of OpenBell');
  }
  if (read instanceof Error)
    return unreadable('damaged', `run.json cannot be read (${read.message}): restore it from a copy`);
  if (!isTree(read)) return unreadable('damaged', 'run.json holds no object: restore it from a copy');
  const { format } = read;
  const version = typeof format === 'string' ? /^openbell-run (\d+)$/.exec(format)?.[1] : undefined;
  if (version === undefined)
    return unreadable('foreign', `run.json is of format ${JSON.stringify(format)}, not OpenBell's`);
  if (version !== '1') return unreadable('newer', `written by a newer OpenBell (${String(format)}): use that one`);
  const wrong = firstWrong(read);
  if (wrong !== null) return unreadable('damaged', `run.json: ${wrong}; restore it from a copy`);
  return rowOf(id, folder, experiment, read);
}

const RUN_NAME = /^\d{8}T\d{6}Z-[0-9a-f]{8}-s\d+(-\d+)?$/;

type Tree = Readonly<Record<string, unknown>>;

/** The first entry without which a run can be neither listed nor taken up. */
function firstWrong(record: Tree): string | null {
  const seen = (key: string): string => `${key} is ${JSON.stringify(record[key]) ?? 'missing'}`;
  for (const key of ['name', 'engine']) if (typeof record[key] !== 'string') return seen(key);
  for (const key of ['started_at', 'heartbeat_at']) if (Number.isNaN(Date.parse(String(record[key])))) return seen(key);
  for (const key of ['timesteps', 'pid', 'seed']) if (!Number.isFinite(record[key])) return seen(key);
  if (statusOf(record) === null) return seen('status');
  for (const key of ['resumed', 'data']) if (!Array.isArray(record[key])) return seen(key);
  for (const key of ['host', 'code']) if (!isTree(record[key])) return seen(key);
  return record['result'] === null || isTree(record['result']) ? null : seen('result');
}

const statusOf = (record: Tree): RecordedStatus | null =>
  STATUSES.find((status) => status === record['status']) ?? null;

function rowOf(id: string, folder: string, experiment: string, record: Tree): RunRow {
  const problems: string[] = [];
  const result = treeOf(record['result']);
  const best = treeOf(result['best']);
  const sweep = treeOf(record['sweep']);
  const code = treeOf(record['code']);
  const data = treesOf(record['data']);
  const owner = textOf(treesOf(record['resumed']).at(-1)?.['hostname']) ?? textOf(treeOf(record['host'])['hostname']);
  let annotations: Pick<RunRow, 'tags' | 'note' | 'archived_at'> = BLANK;
  try {
    annotations = readAnnotations(folder);
  } catch (error) {
    // one damaged note must not hide the run, nor the others
    if (!(error instanceof OpenBellError)) throw error;
    problems.push(error.message);
  }
  const metrics = readMetrics(folder, problems);
  return {
    id,
    kind: 'run',
    problem: problems.length === 0 ? null : problems.join('; '),
    experiment: textOf(record['name']) ?? experiment,
    description: textOf(record['description']) ?? '',
    seed: numberOf(record['seed']),
    status: statusOf(record),
    timesteps: numberOf(record['timesteps']),
    started_at: textOf(record['started_at']),
    finished_at: textOf(record['finished_at']),
    heartbeat_at: textOf(record['heartbeat_at']),
    pid: numberOf(record['pid']),
    hostname: owner,
    engine: textOf(record['engine']),
    config_hash: textOf(record['config_hash']),
    openbell: textOf(code['openbell']),
    git_commit: textOf(treeOf(code['git'])['commit']),
    datasets: data.flatMap(({ dataset }) => textOf(dataset) ?? []),
    symbols: data.flatMap(({ symbol }) => textOf(symbol) ?? []),
    score: numberOf(best['score']),
    score_timesteps: numberOf(best['timesteps']),
    last_score: numberOf(result['last_score']),
    weights_sha256: textOf(result['weights_sha256']),
    error: textOf(record['error']),
    sweep_id: textOf(sweep['id']),
    trial: numberOf(sweep['trial']),
    trials: numberOf(sweep['trials']),
    tags: annotations.tags,
    note: annotations.note,
    archived_at: annotations.archived_at,
    metrics,
  };
}

function readMetrics(folder: string, problems: string[]): RunMetrics | null {
  for (const name of EVALUATIONS) {
    const file = metricsFile(folder, name);
    const read = readJson(file);
    if (read === undefined) continue;
    if (read instanceof Error || !isTree(read)) {
      problems.push(`${file} cannot be read: evaluate the run again`);
      return null;
    }
    const agent = treeOf(read['agent']);
    return {
      folder: name,
      checkpoint: textOf(read['checkpoint']),
      in_sample: booleanOf(treeOf(read['window'])['inSample']),
      verdict: textOf(treeOf(read['verdict'])['edge']),
      mean_return: numberOf(read['score']),
      total_return: numberOf(agent['totalReturn']),
      cagr: numberOf(agent['cagr']),
      volatility: numberOf(agent['volatility']),
      sharpe: numberOf(agent['sharpe']),
      sortino: numberOf(agent['sortino']),
      max_drawdown: numberOf(agent['maxDrawdown']),
      turnover: numberOf(agent['turnover']),
      exposure: numberOf(agent['exposure']),
      trades: numberOf(agent['trades']),
      win_rate: numberOf(agent['winRate']),
      profit_factor: numberOf(agent['profitFactor']),
    };
  }
  return null;
}

/** undefined: there is no such file. */
function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return error;
    if (!(error instanceof Error && 'code' in error)) throw error;
    return error.code === 'ENOENT' || error.code === 'ENOTDIR' ? undefined : error;
  }
}

const NOTHING: Tree = {};
const treeOf = (value: unknown): Tree => (isTree(value) ? value : NOTHING);
const treesOf = (value: unknown): Tree[] => (Array.isArray(value) ? value.filter(isTree) : []);
const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);
const booleanOf = (value: unknown): boolean | null => (typeof value === 'boolean' ? value : null);

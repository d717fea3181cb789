/**
 * Runs and trades as danfojs DataFrames, for notebooks. Columns and their types are the same whatever is in them: `int32`
 * for whole numbers that are always there, `float32` for other numbers (danfojs' name; the values are float64) with NaN
 * for what is missing, `string` with "" for what is missing, `boolean`.
 *
 * danfojs takes seconds to load, and is, when the first table is asked for.
 */
import type { DataFrame } from 'danfojs-node';
import { listStoredRuns, type ListOptions, type StoredRun } from './list-runs.js';
import { readTrades, type StoredTrade } from './trades.js';

type ColumnType = 'int32' | 'float32' | 'string' | 'boolean';
type Cell = string | number | boolean | null | undefined;

interface Column<Row> {
  readonly name: string;
  readonly type: ColumnType;
  readonly of: (row: Row) => Cell;
}

type NumberKey<Row> = { [K in keyof Row]: Row[K] extends number | null ? K : never }[keyof Row] & string;
type TextKey<Row> = { [K in keyof Row]: Row[K] extends string | null ? K : never }[keyof Row] & string;

const text = <Row>(name: TextKey<Row>): Column<Row> => ({ name, type: 'string', of: (row: Row) => cellOf(row[name]) });
const real = <Row>(name: NumberKey<Row>): Column<Row> => ({
  name,
  type: 'float32',
  of: (row: Row) => cellOf(row[name]),
});
const whole = <Row>(name: NumberKey<Row>): Column<Row> => ({
  name,
  type: 'int32',
  of: (row: Row) => cellOf(row[name]),
});

const cellOf = (value: unknown): Cell =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;

type Metrics = NonNullable<StoredRun['metrics']>;
const metric = (name: NumberKey<Metrics>): Column<StoredRun> => ({
  name: `test_${name}`,
  type: 'float32',
  of: ({ metrics }) => metrics?.[name],
});

/** Lists become text with a comma and a space between. */
const RUN_COLUMNS: readonly Column<StoredRun>[] = [
  text<StoredRun>('id'),
  text<StoredRun>('experiment'),
  real<StoredRun>('seed'),
  text<StoredRun>('state'),
  real<StoredRun>('timesteps'),
  text<StoredRun>('started_at'),
  text<StoredRun>('finished_at'),
  text<StoredRun>('engine'),
  text<StoredRun>('config_hash'),
  text<StoredRun>('weights_sha256'),
  { name: 'datasets', type: 'string', of: ({ datasets }) => datasets.join(', ') },
  { name: 'symbols', type: 'string', of: ({ symbols }) => symbols.join(', ') },
  text<StoredRun>('sweep_id'),
  real<StoredRun>('trial'),
  real<StoredRun>('trials'),
  real<StoredRun>('score'),
  real<StoredRun>('score_timesteps'),
  real<StoredRun>('last_score'),
  metric('mean_return'),
  metric('total_return'),
  metric('cagr'),
  metric('volatility'),
  metric('sharpe'),
  metric('sortino'),
  metric('max_drawdown'),
  metric('turnover'),
  metric('exposure'),
  metric('trades'),
  metric('win_rate'),
  metric('profit_factor'),
  { name: 'test_verdict', type: 'string', of: ({ metrics }) => metrics?.verdict },
  { name: 'tags', type: 'string', of: ({ tags }) => tags.join(', ') },
  text<StoredRun>('note'),
  { name: 'archived', type: 'boolean', of: ({ archived_at: archivedAt }) => archivedAt !== null },
  text<StoredRun>('problem'),
  text<StoredRun>('path'),
];

type RunTrade = StoredTrade & { readonly run: string };
const TRADE_COLUMNS: readonly Column<RunTrade>[] = [
  text<RunTrade>('run'),
  text<RunTrade>('symbol'),
  text<RunTrade>('side'),
  text<RunTrade>('entry_time'),
  real<RunTrade>('entry_price'),
  text<RunTrade>('exit_time'),
  real<RunTrade>('exit_price'),
  real<RunTrade>('quantity'),
  real<RunTrade>('pnl'),
  real<RunTrade>('costs'),
  real<RunTrade>('return'),
  whole<RunTrade>('bars_held'),
  whole<RunTrade>('exits'),
  text<RunTrade>('exit_reason'),
];

/** A row a run, in the order and with the filters of `listStoredRuns`. */
export async function runsFrame(runsDir: string, options: ListOptions = {}): Promise<DataFrame> {
  return toFrame(RUN_COLUMNS, listStoredRuns(runsDir, options).runs);
}

/** A row a trade of the runs' evaluations (default `test`), run by run. Throws RUN_STATE where one has none. */
export async function tradesFrame(
  runs: readonly Pick<StoredRun, 'id' | 'path'>[],
  evaluation = 'test',
): Promise<DataFrame> {
  const trades = runs.flatMap(({ id, path }) => readTrades(path, evaluation).map((trade) => ({ run: id, ...trade })));
  return toFrame(TRADE_COLUMNS, trades);
}

const MISSING = { int32: NaN, float32: NaN, string: '', boolean: false } as const;

async function toFrame<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Promise<DataFrame> {
  const { DataFrame: Frame } = await import('danfojs-node');
  const names = columns.map(({ name }) => name);
  // danfojs refuses types where there are no rows
  if (rows.length === 0) return new Frame([], { columns: names });
  const values = rows.map((row) => columns.map(({ of, type }) => of(row) ?? MISSING[type]));
  return new Frame(values, { columns: names, dtypes: columns.map(({ type }) => type) });
}

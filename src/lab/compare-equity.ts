/** The accounts of a group's runs, seed by seed, as growth since the start. */
import type { EquityFan } from '#src/report/compare-model.js';
import { concatenate, onStamps, sumSleeves, type EquityPath } from '#src/stats/equity-path.js';
import { simpleReturns } from '#src/stats/equity-path.js';
import type { CompareGroup, CompareRow, RowEquity } from './compare-table.js';

/**
 * One fan a group that has accounts. By window a seed's windows follow each other, each starting with what the one
 * before left; by symbol a run's sleeves are summed.
 */
export function equityFans(
  groups: readonly CompareGroup[],
  tasks: readonly string[],
  by: 'symbol' | 'window' | null,
): EquityFan[] {
  return groups.flatMap((group) => {
    const paths = seedPaths(group, tasks, by, ({ equity }) => equity);
    if (paths.length === 0 || group.runs.length === 0) return [];
    const { timeMs } = paths[0];
    const growth = ({ initialEquity, equity }: EquityPath): Float64Array =>
      equity.map((value) => value / initialEquity - 1);
    const aligned = (path: EquityPath): Float64Array =>
      sameStamps(path.timeMs, timeMs)
        ? growth(path)
        : onStamps(path, timeMs).map((value) => value / path.initialEquity - 1);
    const hold = seedPaths(group, tasks, by, ({ hold: own }) => own);
    return [{ name: group.name, timeMs, seeds: paths.map(aligned), hold: hold.length === 0 ? null : aligned(hold[0]) }];
  });
}

/** (T) simple returns of each seed's account; empty where rows have none, or they are not on the same bars. */
export function growthReturns(
  group: CompareGroup,
  tasks: readonly string[],
  by: 'symbol' | 'window' | null,
): Float64Array[] {
  const paths = seedPaths(group, tasks, by, ({ equity }) => equity);
  if (paths.some(({ timeMs }) => !sameStamps(timeMs, paths[0].timeMs))) return [];
  return paths.map(simpleReturns);
}

function seedPaths(
  { rows }: CompareGroup,
  tasks: readonly string[],
  by: 'symbol' | 'window' | null,
  columnOf: (equity: RowEquity) => Float64Array | null,
): EquityPath[] {
  // windows of one seed belong together though each was trained anew; otherwise a run is a run
  const keyOf = (row: CompareRow): string => (by === 'window' ? `s${row.seed}` : row.run);
  const byKey = new Map<string, EquityPath[]>();
  for (const row of rows) {
    if (!tasks.includes(row.task) || row.equity === null) continue;
    const column = columnOf(row.equity);
    if (column === null) continue;
    const list = byKey.get(keyOf(row)) ?? [];
    list.push(pathOf(row.equity, column));
    byKey.set(keyOf(row), list);
  }
  const whole = [...byKey.values()].filter((paths) => paths.length === tasks.length);
  return whole.map((paths) => (by === 'window' ? chained(paths) : sumSleeves(paths)));
}

function pathOf({ initialEquity, timeMs }: RowEquity, equity: Float64Array): EquityPath {
  const zeros = new Float64Array(equity.length);
  return { initialEquity, timeMs, equity, exposure: zeros, costs: zeros };
}

/** Windows in order of time, the equity carried over; windows that overlap keep the bars of the earlier one. */
function chained(paths: readonly EquityPath[]): EquityPath {
  const ordered = paths.toSorted((a, b) => a.timeMs[0] - b.timeMs[0]);
  const scaled: EquityPath[] = [];
  let equity = ordered[0].initialEquity;
  let untilMs = -Infinity;
  for (const path of ordered) {
    const from = path.timeMs.findIndex((time) => time > untilMs);
    if (from < 0) continue;
    const before = from === 0 ? path.initialEquity : path.equity[from - 1];
    const scale = equity / before;
    scaled.push({
      initialEquity: equity,
      timeMs: path.timeMs.subarray(from),
      equity: path.equity.subarray(from).map((value) => value * scale),
      exposure: path.exposure.subarray(from),
      costs: path.costs.subarray(from),
    });
    equity = path.equity[path.equity.length - 1] * scale;
    untilMs = path.timeMs[path.timeMs.length - 1];
  }
  return concatenate(scaled);
}

function sameStamps(a: Float64Array, b: Float64Array): boolean {
  return a.length === b.length && a[0] === b[0] && a[a.length - 1] === b[b.length - 1];
}

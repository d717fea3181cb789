/** `compareGroups`: from a table of rows to differences, intervals over seeds, probabilities and a plain verdict. */
import { fail } from '#src/errors.js';
import { nearestName } from '#src/config/suggest.js';
import type {
  ComparedGroup,
  CompareMetric,
  CompareModel,
  CompareNotice,
  Contrast,
  MetricSummary,
} from '#src/report/compare-model.js';
import { CLASSIC_METRICS, MARKET_METRICS } from '#src/report/compare-metrics.js';
import { iqm, sampleMean, sampleMedian } from '#src/stats/aggregate.js';
import { logReturns, type Interval } from '#src/stats/bootstrap.js';
import { barsContrast, contrastFigures } from '#src/stats/contrast.js';
import { profileBand } from '#src/stats/performance-profile.js';
import { pooled, type TaskScores } from '#src/stats/scores.js';
import { stratifiedBootstrap, type SeedBootstrapOptions } from '#src/stats/stratified-bootstrap.js';
import { configDifferences } from './compare-config.js';
import { equityFans, growthReturns } from './compare-equity.js';
import { learningBands } from './compare-learning.js';
import { comparabilityNotices } from './compare-notices.js';
import { selectionOf } from './compare-selection.js';
import type { CompareGroup, CompareRow } from './compare-table.js';
import { decideContrast, isBounded } from './compare-verdict.js';

export interface CompareOptions {
  /** One of the groups: what the others are compared with; default the last. */
  readonly baseline?: string;
  readonly by?: 'symbol' | 'window' | null;
  /** Key of a metric; default the Sharpe ratio, or a classic environment's score. */
  readonly metric?: string;
  /** As shown: "test". */
  readonly evaluation?: string;
  /** Of the bootstraps; default 1. */
  readonly seed?: number;
  readonly resamples?: number;
}

const CONFIDENCE = 0.95;
const PROFILE_POINTS = 200;

/**
 * Compares groups over the tasks that all of them have. Throws USAGE for fewer than two groups, a baseline or a
 * metric that is not there, STATISTICS_INPUT for groups without a common task.
 */
export function compareGroups(groups: readonly CompareGroup[], options: CompareOptions = {}): CompareModel {
  const { by = null, seed = 1, evaluation = 'test', resamples } = options;
  checkGroups(groups);
  const tasks = commonTasks(groups);
  const rows = groups.flatMap((group) => group.rows.filter(({ task }) => tasks.includes(task)));
  const metrics = metricsOf(groups);
  const metric = metricNamed(options.metric ?? metrics[0].key, metrics);
  const baseline = groupNamed(options.baseline ?? groups[groups.length - 1].name, groups);
  const notices = [...taskNotices(groups, tasks), ...comparabilityNotices(groups, tasks)];
  const strata = sharesRuns(rows) ? 'shared' : 'runs';
  const bootstrap = { seed, resamples, strata } satisfies SeedBootstrapOptions;
  const others = groups.filter((group) => group !== baseline);
  // every further comparison is another chance to be fooled: Bonferroni
  const confidence = 1 - (1 - CONFIDENCE) / others.length;
  const contrasts = others.map((group) =>
    contrastOf(group, baseline, { tasks, metric, bootstrap: { ...bootstrap, confidence }, by }),
  );
  return {
    title: groups.map(({ name }) => name).join(' against '),
    evaluation,
    windowLabel: windowLabel(groups, tasks),
    by,
    tasks,
    metric,
    metrics,
    differences: configDifferences(groups),
    notices,
    groups: groups.map((group) => summariseGroup(group, tasks, metrics, bootstrap)),
    contrasts,
    selection: notices.some(({ code }) => OBSTACLES.has(code)) ? null : selectionOf(groups, tasks, by),
    rows: rows.map(({ experiment, run, seed: runSeed, task, metrics: figures }) => ({
      group: experiment,
      run,
      seed: runSeed,
      task,
      metrics: figures,
    })),
    learning: learningBands(groups, seed),
    fans: equityFans(groups, tasks, by),
    profile: profilesOf(groups, tasks, metric, seed),
    confidence: CONFIDENCE,
    seed,
  };
}

function checkGroups(groups: readonly CompareGroup[]): void {
  if (groups.length < 2) {
    fail('USAGE', {
      where: 'compare',
      value: groups.map(({ name }) => name),
      message: 'there is nothing to compare with: name two groups or more, or a baseline such as hold',
    });
  }
  const names = groups.map(({ name }) => name);
  const twice = names.find((name, k) => names.indexOf(name) !== k);
  if (twice !== undefined) {
    fail('USAGE', {
      where: 'compare',
      value: twice,
      message: 'two groups have this name: label one, as in new=RUN,RUN',
    });
  }
}

function commonTasks(groups: readonly CompareGroup[]): string[] {
  const [first, ...rest] = groups.map(({ rows }) => [...new Set(rows.map(({ task }) => task))]);
  const common = first.filter((task) => rest.every((tasks) => tasks.includes(task)));
  if (common.length === 0) {
    fail('STATISTICS_INPUT', {
      where: 'compare',
      value: groups.map(({ name }, k) => `${name}: ${[first, ...rest][k].join(', ')}`),
      message: 'the groups were judged on nothing in common: evaluate all of them on the same symbols and windows',
    });
  }
  return common;
}

function taskNotices(groups: readonly CompareGroup[], tasks: readonly string[]): CompareNotice[] {
  return groups.flatMap(({ name, rows, remarks }) => {
    const left = [...new Set(rows.map(({ task }) => task))].filter((task) => !tasks.includes(task));
    return [
      ...remarks.map(({ level, message }): CompareNotice => ({ level, code: 'group', message: `${name}: ${message}` })),
      ...(left.length === 0
        ? []
        : [
            {
              level: 'warning' as const,
              code: 'tasks',
              message: `${name} was judged on ${left.join(', ')} too, which the others were not: left out`,
            },
          ]),
    ];
  });
}

/** Whether one trained policy was judged on several tasks. */
function sharesRuns(rows: readonly CompareRow[]): boolean {
  const keys = rows.map(({ experiment, run }) => `${experiment}\n${run}`);
  return new Set(keys).size < keys.length;
}

function metricsOf(groups: readonly CompareGroup[]): readonly CompareMetric[] {
  const classic = groups.some(({ rows }) => rows.some(({ metrics }) => 'score' in metrics));
  return classic ? CLASSIC_METRICS : MARKET_METRICS;
}

function metricNamed(key: string, metrics: readonly CompareMetric[]): CompareMetric {
  const found = metrics.find((metric) => metric.key === key);
  if (found !== undefined && found.better !== null) return found;
  const judged = metrics.filter(({ better }) => better !== null).map((metric) => metric.key);
  const near = nearestName(key, judged);
  return fail('USAGE', {
    where: '--metric',
    value: key,
    message: `${found === undefined ? 'there is no such metric' : 'more of it is neither better nor worse'}; ${near === null ? `choose one of ${judged.join(', ')}` : `did you mean "${near}"?`}`,
  });
}

function groupNamed(name: string, groups: readonly CompareGroup[]): CompareGroup {
  const found = groups.find((group) => group.name === name);
  if (found !== undefined) return found;
  return fail('USAGE', {
    where: '--baseline',
    value: name,
    message: `is none of the groups: ${groups.map((group) => group.name).join(', ')}`,
  });
}

/** One array a task; runs in the order of the rows. Missing figures are left out. */
function scoresOf(group: CompareGroup, tasks: readonly string[], key: string): TaskScores {
  return tasks.map((task) =>
    Float64Array.from(
      group.rows.flatMap((row) => {
        const value = row.task === task ? valueOf(row, key) : null;
        return value === null ? [] : [value];
      }),
    ),
  );
}

/** A run that never traded has no ratio, yet leaving it out would flatter its group: it counts as cash, 0. */
function valueOf({ metrics }: CompareRow, key: string): number | null {
  const value = metrics[key] ?? null;
  const ratio = key === 'sharpe' || key === 'sortino' || key === 'calmar';
  return value === null && ratio && metrics['totalReturn'] === 0 ? 0 : value;
}

function summariseGroup(
  group: CompareGroup,
  tasks: readonly string[],
  metrics: readonly CompareMetric[],
  bootstrap: SeedBootstrapOptions,
): ComparedGroup {
  const rows = group.rows.filter(({ task }) => tasks.includes(task));
  const perTask = tasks.map((task) => rows.filter((row) => row.task === task).length);
  const runs = [...new Map(rows.map((row) => [row.run, row])).values()];
  const edges = group.runs.map(({ edge }) => edge);
  return {
    name: group.name,
    trained: group.runs.length > 0,
    source: group.source,
    runs: runs.length,
    seeds: [...new Set(runs.map(({ seed }) => seed))].sort((a, b) => a - b),
    runsPerTask: Math.min(...perTask),
    metrics: Object.fromEntries(
      metrics.map(({ key }) => [key, summaryOf(scoresOf(group, tasks, key), rows.length, bootstrap)]),
    ),
    evidence: edges.length === 0 || edges.includes(null) ? null : edges.filter((edge) => edge === 'evidence').length,
  };
}

function summaryOf(scores: TaskScores, rows: number, bootstrap: SeedBootstrapOptions): MetricSummary | null {
  const all = pooled(scores);
  if (all.length === 0) return null;
  const known = scores.filter((runs) => runs.length > 0);
  return {
    iqm: iqm(known),
    interval: intervalOf(known, bootstrap),
    mean: sampleMean(all),
    median: sampleMedian(all),
    least: all.reduce((least, value) => Math.min(least, value), Infinity),
    most: all.reduce((most, value) => Math.max(most, value), -Infinity),
    values: all.length,
    missing: rows - all.length,
  };
}

/** Null where there is one run a task: it has no spread. Where a figure is missing somewhere, tasks are drawn apart. */
function intervalOf(scores: TaskScores, bootstrap: SeedBootstrapOptions): Interval | null {
  if (scores.some((runs) => runs.length < 2)) return null;
  const even = scores.every((runs) => runs.length === scores[0].length);
  return stratifiedBootstrap(scores, iqm, { ...bootstrap, strata: even ? bootstrap.strata : 'runs' });
}

interface ContrastContext {
  readonly tasks: readonly string[];
  readonly metric: CompareMetric;
  readonly bootstrap: SeedBootstrapOptions;
  readonly by: 'symbol' | 'window' | null;
}

function contrastOf(group: CompareGroup, baseline: CompareGroup, context: ContrastContext): Contrast {
  const { tasks, metric, bootstrap, by } = context;
  // of costs less is better: turned around, so that higher scores are always better
  const sign = metric.better === 'lower' ? -1 : 1;
  const of = (own: CompareGroup): TaskScores =>
    scoresOf(own, tasks, metric.key).map((runs) => runs.map((value) => sign * value));
  const [x, y] = [of(group), of(baseline)];
  if (x.some((runs) => runs.length === 0) || y.some((runs) => runs.length === 0)) {
    fail('STATISTICS_INPUT', {
      where: metric.key,
      value: group.name,
      message: `no run of ${group.name} or ${baseline.name} has a ${metric.label} on some task: choose another --metric`,
    });
  }
  const even = [...x, ...y].every((runs) => runs.length === x[0].length || runs.length === y[0].length);
  const figures = contrastFigures(x, y, { ...bootstrap, strata: even ? bootstrap.strata : 'runs' });
  const returns = [group, baseline].map((own) => growthReturns(own, tasks, by));
  const comparable = returns[0].length > 0 && returns[1].length > 0 && returns[0][0].length === returns[1][0].length;
  const bars = comparable
    ? barsContrast(returns[0].map(logReturns), returns[1].map(logReturns), {
        seed: bootstrap.seed,
        confidence: bootstrap.confidence,
      })
    : null;
  const runs = [x, y].map((scores) => Math.min(...scores.map((own) => own.length)));
  // a fixed rule has no seeds: it is what it is
  const sides = { runs: [runs[0], runs[1]] as const, fixedBaseline: baseline.runs.length === 0 };
  return {
    group: group.name,
    baseline: baseline.name,
    ...figures,
    bounded: isBounded(sides),
    bars,
    ...decideContrast({
      group: group.name,
      baseline: baseline.name,
      metric,
      figures,
      bars,
      ...sides,
      windows: by === 'window' ? tasks.length : 1,
      // of these two alone: a third group's costs are no matter of theirs
      obstacles: comparabilityNotices([group, baseline], tasks).filter(({ code }) => OBSTACLES.has(code)),
    }),
  };
}

/** Notices that take the ground from under any verdict. */
const OBSTACLES = new Set(['in-sample', 'bars', 'market', 'environment']);

function windowLabel(groups: readonly CompareGroup[], tasks: readonly string[]): string {
  const labels = groups.flatMap(({ judged }) => judged.filter(({ task }) => tasks.includes(task)));
  return [...new Set(labels.map(({ label }) => label))].join('; ');
}

function profilesOf(
  groups: readonly CompareGroup[],
  tasks: readonly string[],
  metric: CompareMetric,
  seed: number,
): CompareModel['profile'] {
  const scored = groups
    .filter(({ runs }) => runs.length > 0)
    .map((group) => ({ name: group.name, scores: scoresOf(group, tasks, metric.key) }))
    .filter(({ scores }) => scores.every((runs) => runs.length > 0));
  const all = scored.flatMap(({ scores }) => [...pooled(scores)]);
  if (scored.every(({ scores }) => pooled(scores).length < 3)) return null;
  // steps fall at the scores themselves; where those are many, at even distances
  const sorted = [...new Set(all)].sort((a, b) => a - b);
  const [least, most] = [sorted[0], sorted[sorted.length - 1]];
  const margin = 0.05 * Math.max(most - least, 1e-9);
  const step = (most - least) / PROFILE_POINTS;
  const inner =
    sorted.length <= PROFILE_POINTS ? sorted : Array.from({ length: PROFILE_POINTS }, (_, k) => least + k * step);
  const thresholds = Float64Array.from([least - margin, ...inner, most, most + margin]);
  return {
    thresholds,
    groups: scored.map(({ name, scores }) => ({ name, band: profileBand(scores, thresholds, { seed }) })),
  };
}

/** Tables and verdicts of docs/validation.md. */
import { sampleDeviation, sampleMean } from '#src/stats/aggregate.js';
import { quantile, type Interval } from '#src/stats/bootstrap.js';
import { table } from '../report.js';
import type { PublishedRow } from './published.js';
import { LEVEL, scoresOf, type Comparison } from './statistics.js';
import type { CurveFile } from './store.js';
import type { ParityTask } from './tasks.js';

export interface PublishedResult {
  readonly row: PublishedRow;
  readonly curves: CurveFile;
  readonly mean: number;
  /** Between seeds. */
  readonly deviation: number;
  readonly reproduced: boolean;
}

/** Reproduced: mean and deviation of both overlap, or ours is better; of a failure, every seed fails as published. */
export function judgePublished(row: PublishedRow, curves: CurveFile): PublishedResult {
  const [scores] = scoresOf(curves, 'final');
  const mean = sampleMean(scores);
  const deviation = sampleDeviation(scores) ?? 0;
  const { published, isFailure } = row;
  const reproduced = isFailure
    ? scores.every((score) => Math.abs(score - published.mean) <= published.deviation)
    : mean + deviation >= published.mean - published.deviation;
  return { row, curves, mean, deviation, reproduced };
}

export function publishedTable(results: readonly PublishedResult[]): string {
  const columns = [
    'environment',
    'settings',
    'steps',
    'published',
    'OpenBell',
    'lowest',
    'highest',
    'seeds',
    'verdict',
  ];
  const rows = results.map(({ row, curves, mean, deviation, reproduced }) => {
    const [scores] = scoresOf(curves, 'final');
    const { published, isFailure } = row;
    return [
      row.env,
      row.source,
      row.total_timesteps.toLocaleString('en'),
      `${number(published.mean)} ± ${number(published.deviation)}`,
      `${number(mean)} ± ${number(deviation)}`,
      number(Math.min(...scores)),
      number(Math.max(...scores)),
      String(scores.length),
      reproduced ? (isFailure ? 'fails as published' : 'reproduced') : 'NOT REPRODUCED',
    ];
  });
  return table(columns, rows);
}

export function comparisonTable(comparisons: readonly Comparison[]): string {
  const columns = ['task', 'score', 'OpenBell', 'stable-baselines3', 'OpenBell better', 'seeds', 'verdict'];
  const rows = comparisons.map(({ task, measure, openbell, peer, improvement, seeds, verdict }) => [
    task,
    measure === 'final' ? 'at the end' : 'along the curve',
    interval(openbell, number),
    interval(peer, number),
    interval(improvement, (share) => share.toFixed(2)),
    seeds.openbell === seeds.peer ? String(seeds.peer) : `${seeds.openbell}, ${seeds.peer}`,
    verdict,
  ]);
  const note =
    `IQM over the seeds with its 95% stratified bootstrap interval, and the probability that a training of OpenBell's does better than one of stable-baselines3's (ties half). ` +
    `Between ${LEVEL.from} and ${LEVEL.to} the two are level.`;
  return `${table(columns, rows)}\n\n${note}`;
}

/** How far the seeds of each side lie apart at the end, and how low any of them falls on the way there. */
export function spreadTable(pairs: readonly (readonly [CurveFile, CurveFile])[]): string {
  const columns = ['task', 'side', 'lowest', 'quartile', 'median', 'quartile', 'highest', 'lowest of the last third'];
  const rows = pairs.flatMap((pair) =>
    pair.map((curves) => {
      const sorted = scoresOf(curves, 'final')[0].toSorted();
      const late = curves.seeds.flatMap(({ scores }) => scores.slice(-Math.ceil(scores.length / 3)));
      const figures = [...[0, 0.25, 0.5, 0.75, 1].map((share) => quantile(sorted, share)), Math.min(...late)];
      return [curves.task, curves.side, ...figures.map(number)];
    }),
  );
  return table(columns, rows);
}

export function settingsTable(tasks: readonly ParityTask[]): string {
  const columns = ['task', 'settings', 'environments', 'n_steps', 'batch_size', 'n_epochs', 'steps', 'scored every'];
  const rows = tasks.map(({ name, settings, n_envs, config, total_timesteps: total, evaluations }) => [
    name,
    settings,
    String(n_envs),
    String(config.n_steps),
    String(config.batch_size),
    String(config.n_epochs),
    total.toLocaleString('en'),
    Math.max(total / evaluations, n_envs * config.n_steps).toLocaleString('en'),
  ]);
  return table(columns, rows);
}

/** Machines and versions of what the tables hold. */
export function madeText(command: string, files: readonly CurveFile[]): string {
  const machines = new Set(files.map(({ machine }) => machine));
  const versions = new Map<string, Set<string>>();
  for (const file of files) {
    for (const [name, version] of Object.entries(file.versions)) {
      versions.set(name, (versions.get(name) ?? new Set()).add(version));
    }
  }
  const named = [...versions].map(([name, all]) => `${name} ${[...all].join(' and ')}`);
  return `Made by \`${command}\` on ${[...machines].join('; and on ')}; ${named.join(', ')}.`;
}

const interval = ({ estimate, low, high }: Interval, text: (value: number) => string): string =>
  `${text(estimate)} [${text(low)}, ${text(high)}]`;

function number(value: number): string {
  const text = value.toFixed(Math.abs(value) < 20 ? 2 : 1);
  return /^-0\.?0*$/.test(text) ? text.slice(1) : text;
}

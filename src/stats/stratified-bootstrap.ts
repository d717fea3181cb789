/**
 * How far a figure over seeds could have been the luck of those seeds: the percentile bootstrap that resamples runs
 * within each task (Agarwal et al. 2021). It speaks of repeated TRAINING on the same tasks; how the figure would be
 * on other windows of the market it cannot say.
 */
import { RandomStream } from '#env/seeding.js';
import { fail } from '#src/errors.js';
import type { Aggregate } from './aggregate.js';
import { quantile, type BootstrapOptions, type Interval } from './bootstrap.js';
import { probabilityOfImprovement } from './improvement.js';
import { checkedScores, type TaskScores } from './scores.js';

/** As many as rliable's default. */
export const SEED_RESAMPLES = 50_000;
const CONFIDENCE = 0.95;

export interface SeedBootstrapOptions extends BootstrapOptions {
  /**
   * `runs` (default): each task draws its own runs, as in rliable: right where each (run, task) is a training of its
   * own, as in walk-forward. `shared`: one draw of runs for all tasks: right where one trained policy was judged on
   * several tasks (symbols), whose scores then rise and fall together. `shared` needs the same runs in every task.
   */
  readonly strata?: 'runs' | 'shared';
}

/**
 * Percentile interval of an aggregate. The same seed and scores give the same bits. A single run in each task has no
 * spread to resample: the interval is the estimate alone, which its user must say.
 */
export function stratifiedBootstrap(scores: TaskScores, aggregate: Aggregate, options: SeedBootstrapOptions): Interval {
  return interval([checkedScores(scores)], ([drawn]) => aggregate(drawn), options);
}

/** Interval of the probability that a run of x beats a run of y: both are resampled, independently. */
export function improvementInterval(x: TaskScores, y: TaskScores, options: SeedBootstrapOptions): Interval {
  return interval(
    [checkedScores(x, 'x'), checkedScores(y, 'y')],
    ([left, right]) => probabilityOfImprovement(left, right),
    options,
  );
}

/** Interval of aggregate(x) - aggregate(y): both are resampled, independently. */
export function differenceInterval(
  x: TaskScores,
  y: TaskScores,
  aggregate: Aggregate,
  options: SeedBootstrapOptions,
): Interval {
  return interval(
    [checkedScores(x, 'x'), checkedScores(y, 'y')],
    ([left, right]) => aggregate(left) - aggregate(right),
    options,
  );
}

function interval(
  groups: readonly TaskScores[],
  statistic: (groups: readonly TaskScores[]) => number,
  options: SeedBootstrapOptions,
): Interval {
  const { resamples = SEED_RESAMPLES, confidence = CONFIDENCE } = options;
  const figures = new Float64Array(resamples);
  let row = 0;
  resampleScores(groups, { ...options, resamples }, (drawn) => {
    figures[row] = statistic(drawn);
    row += 1;
  });
  figures.sort();
  const tail = (1 - confidence) / 2;
  const low = quantile(figures, tail);
  const high = quantile(figures, 1 - tail);
  return { estimate: statistic(groups), low, high, confidence };
}

/**
 * Calls `visit` with each resample of the groups. The arrays are reused: copy what is to be kept. Throws
 * STATISTICS_INPUT where `shared` meets tasks of different numbers of runs.
 */
export function resampleScores(
  groups: readonly TaskScores[],
  { seed, resamples = SEED_RESAMPLES, strata = 'runs' }: SeedBootstrapOptions,
  visit: (drawn: readonly TaskScores[]) => void,
): void {
  const stream = new RandomStream(seed, 'stats/stratified-bootstrap');
  const drawn = groups.map((scores) => scores.map((runs) => new Float64Array(runs.length)));
  for (const scores of strata === 'shared' ? groups : []) {
    if (scores.some((runs) => runs.length !== scores[0].length)) {
      fail('STATISTICS_INPUT', {
        where: 'scores',
        value: scores.map((runs) => runs.length),
        message: 'to draw runs for all tasks together, every task needs the same runs',
      });
    }
  }
  for (let b = 0; b < resamples; b++) {
    for (let g = 0; g < groups.length; g++) {
      if (strata === 'shared') drawShared(groups[g], drawn[g], stream);
      else drawRuns(groups[g], drawn[g], stream);
    }
    visit(drawn);
  }
}

function drawRuns(scores: TaskScores, drawn: TaskScores, stream: RandomStream): void {
  for (let task = 0; task < scores.length; task++) {
    const runs = scores[task];
    for (let i = 0; i < runs.length; i++) drawn[task][i] = runs[stream.integer(runs.length)];
  }
}

function drawShared(scores: TaskScores, drawn: TaskScores, stream: RandomStream): void {
  const runs = scores[0].length;
  for (let i = 0; i < runs; i++) {
    const row = stream.integer(runs);
    for (let task = 0; task < scores.length; task++) drawn[task][i] = scores[task][row];
  }
}

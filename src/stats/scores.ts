/** Scores of several trainings on several tasks: what every statistic over seeds is computed from. */
import { fail } from '#src/errors.js';

/**
 * One array a task (a symbol, a test window, an environment), one value a run (a seed). Tasks may have different
 * numbers of runs. rliable keeps the transpose, (runs, tasks).
 */
export type TaskScores = readonly Float64Array[];

/** From plain numbers. Throws STATISTICS_INPUT for no tasks, a task without runs, NaN or an infinity. */
export function taskScores(tasks: readonly ArrayLike<number>[], where = 'scores'): TaskScores {
  return checkedScores(
    tasks.map((runs) => Float64Array.from(runs)),
    where,
  );
}

/** The scores, if every statistic can be computed from them. Throws STATISTICS_INPUT as `taskScores` does. */
export function checkedScores(scores: TaskScores, where = 'scores'): TaskScores {
  if (scores.length === 0) {
    fail('STATISTICS_INPUT', { where, value: [], message: 'there is no task: give one array of scores a task' });
  }
  scores.forEach((runs, task) => checkedSample(runs, `${where}[${task}]`));
  return scores;
}

/** A sample that is not empty and finite throughout. Throws STATISTICS_INPUT, naming the first value that is not. */
export function checkedSample(sample: Float64Array, where: string): Float64Array {
  if (sample.length === 0) {
    fail('STATISTICS_INPUT', { where, value: [], message: 'is empty: a statistic needs at least one value' });
  }
  return finiteSample(sample, where);
}

/** A sample, perhaps empty, whose values are all finite. Throws STATISTICS_INPUT, naming the first that is not. */
export function finiteSample(sample: Float64Array, where: string): Float64Array {
  const wrong = sample.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    fail('STATISTICS_INPUT', {
      where: `${where}[${wrong}]`,
      value: String(sample[wrong]),
      message: 'is not a finite number: find out why, or leave that run out and say so',
    });
  }
  return sample;
}

/** All runs of all tasks in one array. */
export function pooled(scores: TaskScores): Float64Array {
  const all = new Float64Array(scores.reduce((sum, runs) => sum + runs.length, 0));
  let at = 0;
  for (const runs of scores) {
    all.set(runs, at);
    at += runs.length;
  }
  return all;
}

/** How everything here is timed: tasks take turns for some rounds, and the median over the rounds counts. */

/** One stretch of a task: does the work, returns what it measured. */
export type Stretch<T> = () => T;

/**
 * Every task once a round, for `rounds` rounds: what slows the machine down for a while slows all of them down.
 * Returns the samples of each task, in the order of the rounds.
 */
export function interleave<T>(tasks: readonly Stretch<T>[], rounds: number): T[][] {
  const samples: T[][] = tasks.map(() => []);
  for (let round = 0; round < rounds; round++) tasks.forEach((task, k) => samples[k].push(task()));
  return samples;
}

/** Calls `run` so often that a stretch takes about `seconds`; a stretch returns seconds a call. Warms up first. */
export function timed(run: () => void, seconds: number): Stretch<number> {
  const repeat = (count: number): number => {
    const start = performance.now();
    for (let i = 0; i < count; i++) run();
    return (performance.now() - start) / 1000;
  };
  let count = 1;
  let taken = repeat(count);
  // until a stretch is long enough; the calls before it also let the compiler settle
  while (taken < seconds / 2) {
    count *= 2;
    taken = repeat(count);
  }
  count = Math.max(1, Math.round((count * seconds) / taken));
  return () => repeat(count) / count;
}

/**
 * Share of the time since `start` in which this process had a processor, at most 1. On a busy machine others hold it
 * for a while: what one thread could have done then is no measure of how fast it is.
 */
export function processorShare(start: ProcessorTime): number {
  const { user, system } = process.cpuUsage(start.used);
  return Math.min(1, (user + system) / 1000 / (performance.now() - start.atMs));
}

export interface ProcessorTime {
  readonly used: NodeJS.CpuUsage;
  readonly atMs: number;
}

export const processorTime = (): ProcessorTime => ({ used: process.cpuUsage(), atMs: performance.now() });

/** Middle value; the mean of the two middle ones where the number is even. NaN where there is none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

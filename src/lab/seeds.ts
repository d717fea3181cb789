/** Seeds as an axis of an experiment: which ones, trained side by side, and what came of them. */
import type { ExperimentConfig } from '#src/config/schema.js';
import { fail } from '#src/errors.js';
import { runJobs, type JobOutcome, type JobPoolOptions } from './queue/job-pool.js';

const MOST_SEEDS = 10_000;
const LARGEST_SEED = 0xffffffff;

/**
 * "10": ten seeds, counted up from `first`. "1,5,9", "0-9", "0-3,7": these. In the order given. Throws USAGE where it
 * is none of these, names a seed twice, or more than 10,000.
 */
export function parseSeeds(text: string, first: number): number[] {
  const refuse = (value: string, message: string): never => fail('USAGE', { where: '--seeds', value, message });
  const forms = 'write a count such as 10, a range such as 0-9, or a list such as 1,5,9';
  const parts = text.split(',').map((part) => part.trim());
  const count = /^\d+$/.test(text.trim()) ? Number(text) : null;
  if (count !== null) {
    if (count < 1 || count > MOST_SEEDS) refuse(text, `is a count of seeds, from 1 to ${MOST_SEEDS}; ${forms}`);
    if (first + count - 1 > LARGEST_SEED)
      refuse(text, `counts up from seed ${first}, beyond the largest, ${LARGEST_SEED}`);
    return Array.from({ length: count }, (_, k) => first + k);
  }
  const seeds: number[] = [];
  for (const part of parts) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (match === null) return refuse(text, forms);
    const from = Number(match[1]);
    const to = Number(match[2] ?? match[1]);
    if (to > LARGEST_SEED) refuse(part, `a seed is at most ${LARGEST_SEED}`);
    if (to < from) refuse(part, `runs backwards: write ${to}-${from}`);
    if (seeds.length + to - from + 1 > MOST_SEEDS) refuse(text, `names more than ${MOST_SEEDS} seeds`);
    for (let seed = from; seed <= to; seed++) seeds.push(seed);
  }
  const twice = seeds.find((seed, index) => seeds.indexOf(seed) !== index);
  if (twice !== undefined) refuse(text, `names seed ${twice} twice`);
  return seeds;
}

export interface TrainSeedsOptions extends Omit<JobPoolOptions, 'queue'> {
  /** Its own seed is not looked at. */
  readonly config: ExperimentConfig;
  readonly seeds: readonly number[];
  /** Evaluate each on the test window as soon as it is trained; default false. */
  readonly evaluate?: boolean;
}

/**
 * Trains every seed in a process of its own, several at a time, each to the bits of `train` with that seed. Completed
 * runs of the same configuration, seed, data and kernels are taken as they are, interrupted ones taken up. A seed that
 * fails is an outcome and stops no other. Outcomes in the order of `seeds`. Throws DATA_ and QUEUE_ errors.
 */
export async function trainSeeds({
  config,
  seeds,
  evaluate = false,
  ...options
}: TrainSeedsOptions): Promise<JobOutcome[]> {
  return runJobs(
    seeds.map((seed) => ({ config: { ...config, seed }, stopAtTimesteps: null, evaluate })),
    options,
  );
}

/** What OpenBell promises, and whether a measurement keeps it. */

export interface Verdict {
  readonly what: string;
  readonly unit: 'x' | '%' | 'million steps/s' | 's' | 'GB';
  readonly target: number;
  /** Whether the target is a floor or a ceiling. */
  readonly sense: 'at least' | 'under';
  /** null where it could not be measured; `why` says why. */
  readonly measured: number | null;
  readonly why?: string;
}

/** Whether the target is reached; a target that could not be measured is not. */
export function reached({ measured, target, sense }: Verdict): boolean {
  if (measured === null) return false;
  return sense === 'at least' ? measured >= target : measured < target;
}

/**
 * Ratio of OpenBell's steps a second, on that number of threads or on its best, to those of stable-baselines3 on
 * its best.
 */
export const SPEED_TARGETS = [
  { key: 'defaults', threads: 1, ratio: 15 },
  { key: 'defaults', threads: 2, ratio: 25 },
  { key: 'envs8', threads: 'best', ratio: 6 },
  { key: 'envs64', threads: 'best', ratio: 3 },
  { key: 'envs64wide', threads: 'best', ratio: 1 },
] as const;

/** Percent of the best matrix product's rate in the update phase, on one thread. */
export const UPDATE_SHARE_TARGET = 70;
/** Million steps a second of 64 accounts on one thread. */
export const MARKET_TARGETS = { plain: 10, noisy: 3 } as const;
/** Features of a million bars. */
export const FEATURE_TARGETS = { seconds: 5, gigabytes: 1 } as const;
/** Peak memory of a whole training on ten million bars, loaded from CSV. */
export const SCALE_TARGET = { bars: 10_000_000, gigabytes: 2 } as const;

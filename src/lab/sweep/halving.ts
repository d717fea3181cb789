/**
 * Asynchronous successive halving (Li et al. 2020, "A system for massively parallel hyperparameter tuning", algorithm
 * 2), made deterministic: the workers of the algorithm are imagined ones, and their clock counts environment steps. A
 * trial that is due to end first, by that clock, is heard first, whichever the machine finishes first. So the same
 * results give the same decisions on any number of cores, interrupted or not, and a decision waits only for the
 * results that come before it.
 */
import { fail } from '#src/errors.js';

export interface HalvingTerms {
  readonly trials: number;
  /** Environment steps at which trials are compared, ascending; the last is the whole training. */
  readonly rungs: readonly number[];
  /** One in so many is promoted. */
  readonly factor: number;
  /** Imagined workers: trials that are under way at once. */
  readonly workers: number;
}

export interface TrialStep {
  readonly trial: number;
  readonly rung: number;
}

/** A trial's score at a rung, higher is better; null: it failed. undefined: not known yet. */
export type KnownScores = (step: TrialStep) => number | null | undefined;

export interface HalvingState {
  /** Under way by the imagined clock and not known: the machine may train all of these at once. First due first. */
  readonly needed: readonly TrialStep[];
  /** The rung that each trial has been sent to, by trial; -1: not begun. */
  readonly reached: readonly number[];
  readonly finished: boolean;
}

/** first, first x factor, ... below `total`, and `total`. */
export function rungsOf(total: number, first: number, factor: number): number[] {
  const rungs: number[] = [];
  for (let steps = first; steps < total; steps *= factor) rungs.push(Math.round(steps));
  return [...rungs, total];
}

/** Replays the algorithm from its beginning with what is known, up to the first result that is not. */
export function replayHalving(terms: HalvingTerms, scores: KnownScores): HalvingState {
  const { trials, rungs, workers } = terms;
  if (rungs.length === 0) fail('CONFIG_VALUE', { where: 'early_stopping', message: 'has no rung' });
  const heard: TrialStep[][] = rungs.map(() => []);
  const promoted: Set<number>[] = rungs.map(() => new Set());
  const reached = Array.from({ length: trials }, () => -1);
  const underway: { readonly step: TrialStep; readonly dueAt: number }[] = [];
  let begun = 0;
  let clock = 0;
  const assign = (): boolean => {
    const step = promotable(terms, heard, promoted, scores) ?? (begun < trials ? { trial: begun++, rung: 0 } : null);
    if (step === null) return false;
    if (step.rung > 0) promoted[step.rung - 1].add(step.trial);
    reached[step.trial] = step.rung;
    const steps = rungs[step.rung] - (step.rung === 0 ? 0 : rungs[step.rung - 1]);
    underway.push({ step, dueAt: clock + steps });
    underway.sort((a, b) => a.dueAt - b.dueAt || a.step.trial - b.step.trial);
    return true;
  };
  for (;;) {
    while (underway.length < workers && assign());
    const [first] = underway;
    if (first === undefined) return { needed: [], reached, finished: true };
    if (scores(first.step) === undefined) {
      const needed = underway.map(({ step }) => step).filter((step) => scores(step) === undefined);
      return { needed, reached, finished: false };
    }
    underway.shift();
    clock = first.dueAt;
    heard[first.step.rung].push(first.step);
  }
}

/** The best trial of the highest rung that is among the best 1/factor heard there, and has not gone on yet. */
function promotable(
  { rungs, factor }: HalvingTerms,
  heard: readonly (readonly TrialStep[])[],
  promoted: readonly ReadonlySet<number>[],
  scores: KnownScores,
): TrialStep | null {
  for (let rung = rungs.length - 2; rung >= 0; rung--) {
    const places = Math.floor(heard[rung].length / factor);
    const ranked = heard[rung].toSorted((a, b) => compareScores(scores(a), scores(b)) || a.trial - b.trial);
    const next = ranked
      .slice(0, places)
      .find((step) => !promoted[rung].has(step.trial) && typeof scores(step) === 'number');
    if (next !== undefined) return { trial: next.trial, rung: rung + 1 };
  }
  return null;
}

/** Higher first; failed ones last. */
function compareScores(a: number | null | undefined, b: number | null | undefined): number {
  if (typeof a !== 'number' || typeof b !== 'number')
    return Number(typeof b === 'number') - Number(typeof a === 'number');
  return b - a;
}

/** What is known of each trial, for tables, files and pictures. */
import type { TrialParameters } from './space.js';

export interface SeedScore {
  readonly seed: number;
  /** The run's folder below the folder of runs; null: none was begun. */
  readonly run: string | null;
  readonly score: number | null;
  readonly sharpe: number | null;
  readonly error: string | null;
}

/** A trial at a rung that it has reached. */
export interface RungScore {
  readonly rung: number;
  readonly timesteps: number;
  /** Mean over the seeds; null: a seed failed. */
  readonly score: number | null;
  readonly seeds: readonly SeedScore[];
}

/**
 * completed: trained to the end. stopped: compared at a rung, and others went on. failed: a seed did. open: the sweep is
 * not done with it.
 */
export type TrialStatus = 'completed' | 'stopped' | 'failed' | 'open';

export interface TrialRow {
  readonly trial: number;
  readonly parameters: TrialParameters;
  readonly status: TrialStatus;
  /** Environment steps of each seed at the furthest rung that it was scored at. */
  readonly timesteps: number;
  /** Mean over seeds at the furthest rung; null: none, or failed. */
  readonly score: number | null;
  /** Sample deviation over seeds; null: fewer than two. */
  readonly deviation: number | null;
  /** Mean of the seeds' annualised Sharpe ratios on the validation window; null: none. */
  readonly sharpe: number | null;
  /** By rung. */
  readonly rungs: readonly RungScore[];
}

/** Furthest first, then best score first, then the earlier trial; failed ones last. */
export function rankTrials(rows: readonly TrialRow[]): TrialRow[] {
  const value = (row: TrialRow): number => row.score ?? Number.NEGATIVE_INFINITY;
  return rows.toSorted(
    (a, b) =>
      Number(b.score !== null) - Number(a.score !== null) ||
      b.timesteps - a.timesteps ||
      value(b) - value(a) ||
      a.trial - b.trial,
  );
}

export function makeRow(
  trial: number,
  parameters: TrialParameters,
  rungs: readonly RungScore[],
  state: { readonly isOpen: boolean; readonly lastRung: number },
): TrialRow {
  const furthest = rungs.at(-1);
  const scores = furthest?.seeds.flatMap(({ score }) => score ?? []) ?? [];
  const sharpes = furthest?.seeds.flatMap(({ sharpe }) => sharpe ?? []) ?? [];
  const failed = furthest !== undefined && furthest.score === null;
  const completed = furthest?.rung === state.lastRung;
  return {
    trial,
    parameters,
    status: failed ? 'failed' : completed ? 'completed' : state.isOpen ? 'open' : 'stopped',
    timesteps: (failed ? rungs.at(-2)?.timesteps : furthest?.timesteps) ?? 0,
    score: furthest?.score ?? null,
    deviation: scores.length < 2 ? null : deviationOf(scores),
    sharpe: sharpes.length === 0 ? null : meanOf(sharpes),
    rungs,
  };
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function deviationOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / (values.length - 1));
}

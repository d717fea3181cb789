/**
 * What a comparison is made from: a plain table, a row a run and task. Runs on disk are one source of it
 * (compare-runs.ts), walk-forward results another, a notebook a third.
 */
import type { LearningCurve } from '#src/report/model.js';

/** An account's way, in currency; T rows. */
export interface RowEquity {
  readonly initialEquity: number;
  readonly timeMs: Float64Array;
  readonly equity: Float64Array;
  /** Buy-and-hold on the same bars; null: not known. */
  readonly hold: Float64Array | null;
}

export interface CompareRow {
  readonly experiment: string;
  /** Names the trained policy: rows of one run share their luck. */
  readonly run: string;
  readonly seed: number;
  /** What was judged: a symbol, a window, or "all". */
  readonly task: string;
  /** null: the data cannot give it. */
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly equity: RowEquity | null;
}

/** Bars that a row was judged on: two groups compare where these are the same, task by task. */
export interface JudgedBars {
  readonly task: string;
  /** What was judged on, as one text: symbol, interval, sha256, from, to. */
  readonly identity: string;
  /** The same for people. */
  readonly label: string;
}

/** What is known of one run beside its figures. */
export interface ComparedRunFacts {
  readonly run: string;
  readonly seed: number;
  /** Flat: "agent.learning_rate" -> "0.0003". */
  readonly config: ReadonlyMap<string, string>;
  readonly configHash: string;
  readonly checkpoint: string;
  readonly timesteps: number;
  /** Git commit, or the version. */
  readonly code: string;
  readonly inSample: boolean;
  readonly synthetic: boolean;
  /** "evidence" and the like, of the evaluation; null: no market. */
  readonly edge: string | null;
  readonly curves: readonly LearningCurve[];
}

export interface CompareGroup {
  readonly name: string;
  readonly source: string;
  readonly rows: readonly CompareRow[];
  readonly judged: readonly JudgedBars[];
  readonly runs: readonly ComparedRunFacts[];
  /** Said about how the group was put together: runs left out and why. */
  readonly remarks: readonly { readonly level: 'warning' | 'note'; readonly message: string }[];
}

/** What a report shows: plain data, so that anything that was evaluated can be reported. */
import type { ActionSummary, Alarm } from '#src/stats/actions.js';
import type { Interval } from '#src/stats/bootstrap.js';
import type { EquityPath } from '#src/stats/equity-path.js';
import type { Performance } from '#src/stats/performance.js';
import type { RoundTrip } from '#src/stats/round-trips.js';
import type { RandomRank, Verdict } from '#src/stats/verdict.js';

export interface ReportActor {
  /** As shown: "agent", "buy-and-hold", ... */
  readonly name: string;
  readonly performance: Performance;
  readonly path: EquityPath;
}

export interface TradeMark {
  /** Row of the sleeve. */
  readonly row: number;
  /** On the same scale as the closes. */
  readonly price: number;
  readonly kind: 'entry' | 'exit';
}

/** One symbol: its closes, and what the agent held. Columns of T rows. */
export interface ReportSleeve {
  readonly symbol: string;
  readonly timeMs: Float64Array;
  /** Adjusted where the data are, so that a split is no jump. */
  readonly close: Float64Array;
  readonly adjusted: boolean;
  /** Signed shares at the close. */
  readonly position: Float64Array;
  /** Two a trade. */
  readonly marks: readonly TradeMark[];
}

/** One learning curve: a figure against environment steps. */
export interface LearningCurve {
  readonly title: string;
  readonly steps: readonly number[];
  readonly values: readonly number[];
  /** The step whose checkpoint was evaluated; null: not marked. */
  readonly markedStep: number | null;
}

/** One line of "How sure": all as shown. */
export interface CertaintyRow {
  readonly label: string;
  readonly figure: string;
  /** Its 95% interval, or a dash. */
  readonly interval: string;
  readonly note: string;
}

export interface ReportModel {
  readonly title: string;
  /** "test", "validation", "train" or "custom", and the dates, as shown. */
  readonly windowLabel: string;
  readonly verdict: Verdict;
  readonly alarms: readonly Alarm[];
  /** True where the training saw bars of this window. */
  readonly seen: boolean;
  readonly synthetic: boolean;
  /** Label and value, in order: run, seed, sha256 of the weights, data sets, windows, costs ... */
  readonly facts: readonly (readonly [label: string, value: string])[];
  readonly agent: ReportActor;
  readonly baselines: readonly ReportActor[];
  /** Random traders at matched turnover; empty where there are none. */
  readonly random: readonly ReportActor[];
  readonly sharpe: Interval | null;
  /** How sure the figures are: label, figure, interval or what it means. */
  readonly certainty: readonly CertaintyRow[];
  readonly excessOverHold: Interval | null;
  readonly excessOverFlat: Interval | null;
  readonly randomRank: RandomRank | null;
  readonly actions: ActionSummary;
  readonly sleeves: readonly ReportSleeve[];
  readonly trades: readonly RoundTrip[];
  /** Empty where nothing was trained. */
  readonly curves: readonly LearningCurve[];
  /** The resolved configuration as YAML; empty: none. */
  readonly configuration: string;
}

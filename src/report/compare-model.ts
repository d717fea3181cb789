/** What a comparison found and shows: plain data, whatever was compared. */
import type { Interval } from '#src/stats/bootstrap.js';
import type { ProfileBand } from '#src/stats/performance-profile.js';

/** How a metric reads. */
export interface CompareMetric {
  readonly key: string;
  readonly label: string;
  /** null: more is neither better nor worse. */
  readonly better: 'higher' | 'lower' | null;
  readonly show: (value: number | null) => string;
}

/** A metric of one group over its runs and tasks. */
export interface MetricSummary {
  /** Interquartile mean with its interval over seeds; the interval is null for a single run a task. */
  readonly iqm: number;
  readonly interval: Interval | null;
  readonly mean: number;
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly values: number;
  /** Runs that have no such figure and are left out. */
  readonly missing: number;
}

/** One curve of a group: centre and band, (K) each. */
export interface Band {
  readonly at: Float64Array;
  readonly middle: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
}

export interface LearningBand {
  readonly title: string;
  readonly groups: readonly { readonly name: string; readonly band: Band; readonly runs: number }[];
}

/** Equity of a group's seeds on common stamps, as growth since the start: 0.1 is +10%. */
export interface EquityFan {
  readonly name: string;
  readonly timeMs: Float64Array;
  /** One (T) array a seed. */
  readonly seeds: readonly Float64Array[];
  /** Buy-and-hold on the same stamps; null: not known. */
  readonly hold: Float64Array | null;
}

export interface ComparedRun {
  readonly group: string;
  readonly run: string;
  readonly seed: number;
  readonly task: string;
  readonly metrics: Readonly<Record<string, number | null>>;
}

export interface ComparedGroup {
  readonly name: string;
  /** False for buy-and-hold and its like, which has neither seeds nor a configuration. */
  readonly trained: boolean;
  readonly runs: number;
  readonly seeds: readonly number[];
  /** The fewest runs that a task has. */
  readonly runsPerTask: number;
  readonly metrics: Readonly<Record<string, MetricSummary | null>>;
  /** Runs whose own evaluation found evidence of an edge; null: not judged by a market. */
  readonly evidence: number | null;
  /** Short description of where it comes from. */
  readonly source: string;
}

export type Outcome = 'better' | 'worse' | 'repeatable' | 'undecided' | 'too-few-seeds' | 'not-comparable';

export interface Contrast {
  readonly group: string;
  readonly baseline: string;
  /** Probability that a run of the group beats a run of the baseline, on the chosen metric. */
  readonly probability: Interval;
  /** IQM of the group less that of the baseline. */
  readonly difference: Interval;
  /** False where a side has a single run: its spread is not known, and the two intervals above say too little. */
  readonly bounded: boolean;
  /** Final wealth of the seeds' mean account against the baseline's, less 1, over the bars; null: no accounts. */
  readonly bars: Interval | null;
  readonly outcome: Outcome;
  readonly headline: string;
  /** One plain sentence. */
  readonly sentence: string;
}

export interface CompareNotice {
  readonly level: 'warning' | 'note';
  readonly code: string;
  readonly message: string;
}

export interface ConfigDifference {
  readonly key: string;
  /** One a group, in order. */
  readonly values: readonly string[];
}

/** What choosing the best of these groups by their accounts would be worth; the accounts are means over seeds. */
export interface Selection {
  readonly groups: number;
  /** The one with the best Sharpe ratio. */
  readonly best: string;
  /** Probability of backtest overfitting, by cross-validation over the bars. */
  readonly pbo: number;
  readonly splits: number;
  /** Probability that the best one's true Sharpe ratio is over what the best of so many would show by luck. */
  readonly deflatedSharpe: number | null;
}

export interface CompareModel {
  readonly title: string;
  /** "test", or what else was compared on. */
  readonly evaluation: string;
  readonly windowLabel: string;
  readonly by: 'symbol' | 'window' | null;
  readonly tasks: readonly string[];
  /** The metric that the verdict is about. */
  readonly metric: CompareMetric;
  readonly metrics: readonly CompareMetric[];
  readonly differences: readonly ConfigDifference[];
  readonly notices: readonly CompareNotice[];
  readonly groups: readonly ComparedGroup[];
  readonly contrasts: readonly Contrast[];
  /** Null for fewer than three trained groups, or groups that cannot be compared fairly. */
  readonly selection: Selection | null;
  readonly rows: readonly ComparedRun[];
  readonly learning: readonly LearningBand[];
  readonly fans: readonly EquityFan[];
  /** Share of runs over a score; on common thresholds (K). */
  readonly profile: {
    readonly thresholds: Float64Array;
    readonly groups: readonly { readonly name: string; readonly band: ProfileBand }[];
  } | null;
  readonly confidence: number;
  readonly seed: number;
}

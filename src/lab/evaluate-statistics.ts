/** How sure an evaluation's figures are: intervals, ranks, and what the Sharpe ratio is worth. */
import type { TradingWindow } from '#env/market/bars.js';
import { benchmarkFigures, type BenchmarkFigures } from '#src/stats/benchmark.js';
import { blockBootstrapIntervals } from '#src/stats/block-bootstrap.js';
import { excessInterval, logReturns, sharpeInterval, type Interval } from '#src/stats/bootstrap.js';
import { simpleReturns } from '#src/stats/equity-path.js';
import { growthFigures } from '#src/stats/performance.js';
import { calmarRatio, tailRisk } from '#src/stats/risk.js';
import {
  deflatedSharpe,
  expectedMaximumSharpe,
  minimumTrackRecord,
  probabilisticSharpe,
  sharpeRecord,
  type SharpeRecord,
} from '#src/stats/sharpe-significance.js';
import { timingTest, type TimingTest } from '#src/stats/timing.js';
import { rankAmong, type RandomRank } from '#src/stats/verdict.js';
import type { ActorRun, RandomRun } from './evaluate-baselines.js';
import { windowsBySymbol, type EvaluationMarket } from './evaluate-paths.js';
import type { Trials } from './trials.js';

/** Figures of a path whose luck only a resampled path can tell. */
export type PathFigure = 'sortino' | 'calmar' | 'maxDrawdown' | 'conditionalValueAtRisk';

export interface SharpeSignificance {
  /** Probability that the true Sharpe ratio is over 0: see stats/sharpe-significance.ts for what it takes for granted. */
  readonly probabilisticSharpe: number;
  /** Bars that a record like this would need to say so at 95%; null where the ratio is not over 0. */
  readonly minimumTrackRecordBars: number | null;
  /** The same against the best that so many trials without skill would show; null: nothing else was tried. */
  readonly deflated: DeflatedSharpe | null;
}

export interface DeflatedSharpe {
  readonly probability: number;
  readonly trials: number;
  /** Of the trials' Sharpe ratios, annualised. */
  readonly deviation: number;
  /** True where the deviation is not the trials' own but that of luck on so many bars. */
  readonly assumed: boolean;
  /** What the best of them would show without any skill, annualised. */
  readonly expectedMaximum: number;
}

export interface Statistics {
  /** Annualised, by stationary bootstrap. */
  readonly sharpe: Interval | null;
  /** By stationary bootstrap too; null where the window is too short, or so long that it would take minutes. */
  readonly intervals: Readonly<Record<PathFigure, Interval | null>>;
  /** Wealth against cash and against buy-and-hold, less 1. */
  readonly excessOverFlat: Interval | null;
  readonly excessOverHold: Interval | null;
  /** Total return among random traders at matched turnover; null where the agent never traded. */
  readonly randomRank: RandomRank | null;
  /** The agent's own positions, shifted in time: before costs, which every shift pays alike. */
  readonly timing: TimingTest | null;
  readonly significance: SharpeSignificance | null;
  /** Against buy-and-hold, bar by bar. */
  readonly benchmark: BenchmarkFigures | null;
  readonly seed: number;
}

export interface StatisticsOptions {
  readonly seed: number;
  readonly resamples?: number;
  /** What else was tried before this was chosen; null: nothing. */
  readonly trials?: Trials | null;
}

/** @param baselines with "flat" and "hold" among them, on the agent's bars */
export function computeStatistics(
  agent: ActorRun,
  baselines: readonly ActorRun[],
  random: RandomRun | null,
  market: EvaluationMarket,
  { seed, resamples, trials = null }: StatisticsOptions,
): Statistics {
  const bootstrap = { seed, resamples };
  const { barsPerYear, totalReturn } = agent.performance;
  const returns = simpleReturns(agent.path);
  const logs = logReturns(returns);
  const returnsOf = (name: string): Float64Array | null => {
    const other = baselines.find((run) => run.name === name);
    return other === undefined ? null : simpleReturns(other.path);
  };
  const against = (other: Float64Array | null): Interval | null => {
    if (other === null) return null;
    const otherLogs = logReturns(other);
    return excessInterval(
      logs.map((value, t) => value - otherLogs[t]),
      bootstrap,
    );
  };
  const hold = returnsOf('hold');
  return {
    sharpe: sharpeInterval(returns, barsPerYear, bootstrap),
    intervals: pathIntervals(returns, barsPerYear, bootstrap),
    excessOverFlat: against(returnsOf('flat')),
    excessOverHold: against(hold),
    randomRank:
      random === null
        ? null
        : rankAmong(
            totalReturn,
            Float64Array.from(random.paths, (run) => run.performance.totalReturn),
          ),
    timing: timingOf(agent, market, seed),
    significance: significanceOf(returns, barsPerYear, trials),
    benchmark: hold === null ? null : benchmarkFigures(returns, hold, barsPerYear),
    seed,
  };
}

/** Bars that are resampled in all: half a second. */
const RESAMPLED_BARS = 1e7;
const FEWEST_RESAMPLES = 200;
const RESAMPLES = 2000;

function pathIntervals(
  returns: Float64Array,
  barsPerYear: number,
  { seed, resamples = RESAMPLES }: StatisticsOptions,
): Statistics['intervals'] {
  const affordable = Math.min(resamples, Math.floor(RESAMPLED_BARS / Math.max(returns.length, 1)));
  if (affordable < Math.min(FEWEST_RESAMPLES, resamples)) {
    return { sortino: null, calmar: null, maxDrawdown: null, conditionalValueAtRisk: null };
  }
  const names: readonly PathFigure[] = ['sortino', 'calmar', 'maxDrawdown', 'conditionalValueAtRisk'];
  const figures = (drawn: Float64Array): Readonly<Record<PathFigure, number | null>> => {
    const { sortino, cagr, maxDrawdown } = growthFigures(drawn, barsPerYear);
    return {
      sortino,
      calmar: calmarRatio(cagr, maxDrawdown),
      maxDrawdown,
      conditionalValueAtRisk: tailRisk(drawn).conditionalValueAtRisk,
    };
  };
  const intervals = blockBootstrapIntervals(returns, names, figures, { seed, resamples: affordable });
  const of = (name: PathFigure): Interval | null => intervals.get(name) ?? null;
  return {
    sortino: of('sortino'),
    calmar: of('calmar'),
    maxDrawdown: of('maxDrawdown'),
    conditionalValueAtRisk: of('conditionalValueAtRisk'),
  };
}

function significanceOf(returns: Float64Array, barsPerYear: number, trials: Trials | null): SharpeSignificance | null {
  const record = sharpeRecord(returns);
  if (record === null) return null;
  const probability = probabilisticSharpe(record);
  if (probability === null) return null;
  return {
    probabilisticSharpe: probability,
    minimumTrackRecordBars: minimumTrackRecord(record),
    deflated: trials === null || trials.count < 2 ? null : deflatedOf(record, barsPerYear, trials),
  };
}

function deflatedOf(record: SharpeRecord, barsPerYear: number, { count, sharpeDeviation }: Trials): DeflatedSharpe {
  const year = Math.sqrt(barsPerYear);
  // without skill a Sharpe ratio over T bars has this deviation (Lo 2002)
  const deviation = sharpeDeviation === null ? 1 / Math.sqrt(record.bars - 1) : sharpeDeviation / year;
  return {
    probability: deflatedSharpe(record, count, deviation) ?? 0,
    trials: count,
    deviation: deviation * year,
    assumed: sharpeDeviation === null,
    expectedMaximum: expectedMaximumSharpe(count, deviation) * year,
  };
}

function timingOf({ sleeves }: ActorRun, market: EvaluationMarket, seed: number): TimingTest | null {
  const bySymbol = windowsBySymbol(market.windows);
  return timingTest(
    sleeves.map(({ symbol, path }) => ({
      exposure: path.exposure,
      marketReturns: marketReturns(bySymbol.get(symbol) ?? []),
    })),
    seed,
  );
}

/**
 * (T) returns over the bars that a sleeve's path has, from open to open, since a position changes at the open and is
 * what the close still shows; a window's last bar ends at its close.
 */
function marketReturns(windows: readonly TradingWindow[]): Float64Array {
  const whole = new Float64Array(windows.reduce((sum, { start, end }) => sum + end - start - 1, 0));
  let at = 0;
  for (const { bars, start, end } of windows) {
    for (let t = start + 1; t < end; t++) {
      const until = t + 1 < end ? bars.open[t + 1] : bars.close[t];
      whole[at] = until / bars.open[t] - 1;
      at += 1;
    }
  }
  return whole;
}

/**
 * What an account's path and trades come to. One pure function, as backtesting.py's `compute_stats`. A figure that
 * its data cannot give is null, never NaN or Infinity: the Sharpe ratio of a flat line, the win rate of no trades.
 */
import { pow } from '#env/math/index.js';
import { simpleReturns, type EquityPath } from './equity-path.js';
import { momentsOf, NO_DEVIATION } from './moments.js';
import { calmarRatio, omegaRatio, tailRisk, ulcerIndex } from './risk.js';
import type { RoundTrip } from './round-trips.js';
import { finiteSample } from './scores.js';

export interface PerformanceInput {
  readonly path: EquityPath;
  /** Closed round trips, costs included. */
  readonly trades: readonly RoundTrip[];
  /** Sum of |quantity| x price over all fills, in currency. */
  readonly tradedValue: number;
  readonly barsPerYear: number;
}

export interface Performance {
  readonly bars: number;
  /** bars / barsPerYear: trading time, not calendar time. */
  readonly years: number;
  readonly barsPerYear: number;
  readonly initialEquity: number;
  readonly finalEquity: number;
  readonly totalReturn: number;
  readonly cagr: number | null;
  readonly volatility: number | null;
  readonly sharpe: number | null;
  readonly sortino: number | null;
  /** Growth a year / deepest drawdown. */
  readonly calmar: number | null;
  /** Sum of the gains of all bars / sum of their losses. */
  readonly omega: number | null;
  /** The return of a bar that 5% of the bars fell under, and the mean of those 5%: negative where they are losses. */
  readonly valueAtRisk: number | null;
  readonly conditionalValueAtRisk: number | null;
  /** Root mean square of the drawdown, as a fraction. */
  readonly ulcerIndex: number | null;
  /** Of the returns bar by bar; kurtosis is raw, 3 for a normal. */
  readonly skewness: number | null;
  readonly kurtosis: number | null;
  /** 0 or negative, as a fraction of the peak. */
  readonly maxDrawdown: number;
  /** Of that drawdown: bars from its peak to the recovery, or to the end. */
  readonly maxDrawdownBars: number;
  readonly maxDrawdownDays: number;
  readonly maxDrawdownRecovered: boolean;
  /** The longest time under an earlier peak, whatever its depth. */
  readonly longestDrawdownBars: number;
  readonly longestDrawdownDays: number;
  readonly turnover: number;
  readonly turnoverPerYear: number;
  /** Share of bars that end with a position. */
  readonly exposure: number;
  /** Means of the signed exposure and of its magnitude, as shares of equity. */
  readonly meanExposure: number;
  readonly meanGrossExposure: number;
  readonly trades: number;
  readonly winRate: number | null;
  readonly profitFactor: number | null;
  readonly averageTradePnl: number | null;
  readonly averageTradeReturn: number | null;
  readonly bestTradeReturn: number | null;
  readonly worstTradeReturn: number | null;
  readonly averageBarsHeld: number | null;
  readonly costsPaid: number;
  /** costsPaid / initialEquity */
  readonly costsShare: number;
}

/**
 * Definitions. r_t = E_t / E_(t-1) - 1 is the simple return of bar t, T their number, A the bars a year, no
 * risk-free rate (rate 0).
 * - total return E_T / E_0 - 1; CAGR (E_T / E_0)^(A / T) - 1, -1 after ruin (empyrical's annual_return)
 * - volatility sd(r) sqrt A with T - 1 in the denominator
 * - Sharpe mean(r) / sd(r) sqrt A (Sharpe 1994, "The Sharpe Ratio"; annualised as in Lo 2002, independent returns)
 * - Sortino mean(r) A / (sqrt(mean(min(r, 0)^2)) sqrt A) with target 0 (Sortino and Price 1994)
 * - Calmar, Omega, value at risk, its conditional mean, Ulcer index: risk.ts; skewness and raw kurtosis: moments.ts
 * - drawdown E_t / max(E_0 .. E_t) - 1; its length from the peak's bar until the peak is reached again, or the end
 * - turnover traded value (both sides) / mean equity, in total and a year
 * - win rate: trips with pnl > 0 / trips; profit factor: sum of gains / sum of losses, null without a loss
 *
 * @param input.path T rows; T = 0 gives a performance of nothing, all ratios null. Throws STATISTICS_INPUT where its
 *   equity or costs are NaN or infinite.
 */
export function computePerformance({ path, trades, tradedValue, barsPerYear }: PerformanceInput): Performance {
  const { initialEquity, equity } = path;
  const bars = equity.length;
  const years = bars / barsPerYear;
  const finalEquity = bars > 0 ? equity[bars - 1] : initialEquity;
  const growth = finalEquity / initialEquity;
  finiteSample(equity, 'equity');
  finiteSample(path.costs, 'costs');
  const returns = simpleReturns(path);
  const { mean, deviation, skewness, kurtosis } = momentsOf(returns);
  const cagr = bars === 0 ? null : finiteOrNull(growth > 0 ? pow(growth, 1 / years) - 1 : -1);
  const down = drawdowns(path);
  const turnover = bars > 0 ? (tradedValue / sumOf(equity, bars)) * bars : 0;
  const costsPaid = sumOf(path.costs, bars);
  return {
    bars,
    years,
    barsPerYear,
    initialEquity,
    finalEquity,
    totalReturn: growth - 1,
    cagr,
    volatility: deviation === null ? null : deviation * Math.sqrt(barsPerYear),
    sharpe: ratio(mean, deviation, barsPerYear),
    sortino: ratio(mean, downsideOf(returns), barsPerYear),
    calmar: calmarRatio(cagr, down.maxDrawdown),
    omega: omegaRatio(returns),
    ...tailRisk(returns),
    ulcerIndex: ulcerIndex(path),
    skewness,
    kurtosis,
    ...down,
    turnover,
    turnoverPerYear: years > 0 ? turnover / years : 0,
    ...exposures(path.exposure),
    ...tradeFigures(trades),
    costsPaid,
    costsShare: costsPaid / initialEquity,
  };
}

/** Of a path given by its returns alone: what a bootstrap asks two thousand times, so one pass and nothing else. */
export function growthFigures(
  returns: Float64Array,
  barsPerYear: number,
): Pick<Performance, 'cagr' | 'sortino' | 'maxDrawdown'> {
  let sum = 0;
  let below = 0;
  let wealth = 1;
  let peak = 1;
  let deepest = 0;
  for (const value of returns) {
    sum += value;
    if (value < 0) below += value * value;
    wealth *= 1 + value;
    if (wealth > peak) peak = wealth;
    const drawdown = wealth / peak - 1;
    if (drawdown < deepest) deepest = drawdown;
  }
  const count = returns.length;
  if (count === 0) return { cagr: null, sortino: null, maxDrawdown: 0 };
  return {
    cagr: finiteOrNull(wealth > 0 ? pow(wealth, barsPerYear / count) - 1 : -1),
    sortino: ratio(sum / count, Math.sqrt(below / count), barsPerYear),
    maxDrawdown: deepest,
  };
}

/** Root mean square of the returns under 0; null for no returns. */
function downsideOf(returns: Float64Array): number | null {
  if (returns.length === 0) return null;
  let below = 0;
  for (const value of returns) if (value < 0) below += value * value;
  return Math.sqrt(below / returns.length);
}

function ratio(mean: number, deviation: number | null, barsPerYear: number): number | null {
  if (deviation === null || deviation < NO_DEVIATION) return null;
  return finiteOrNull((mean / deviation) * Math.sqrt(barsPerYear));
}

type Drawdowns = Pick<
  Performance,
  | 'maxDrawdown'
  | 'maxDrawdownBars'
  | 'maxDrawdownDays'
  | 'maxDrawdownRecovered'
  | 'longestDrawdownBars'
  | 'longestDrawdownDays'
>;

const DAY_MS = 86_400_000;

function drawdowns({ initialEquity, equity, timeMs }: EquityPath): Drawdowns {
  let peak = initialEquity;
  // the initial equity stands at the first bar's open
  let peakIndex = -1;
  let deepest = 0;
  let deepestPeak = -1;
  let deepestEnd = -1;
  let longestBars = 0;
  let longestMs = 0;
  for (let t = 0; t < equity.length; t++) {
    const drawdown = equity[t] / peak - 1;
    if (drawdown < deepest) {
      deepest = drawdown;
      deepestPeak = peakIndex;
      deepestEnd = -1;
    }
    // under the peak, or back at it after having been under
    if (drawdown < 0 || t - peakIndex > 1) {
      const spanMs = timeMs[t] - timeMs[Math.max(peakIndex, 0)];
      if (t - peakIndex > longestBars) longestBars = t - peakIndex;
      if (spanMs > longestMs) longestMs = spanMs;
    }
    if (equity[t] >= peak) {
      if (deepest < 0 && deepestPeak === peakIndex && deepestEnd < 0) deepestEnd = t;
      peak = equity[t];
      peakIndex = t;
    }
  }
  const end = deepestEnd >= 0 ? deepestEnd : equity.length - 1;
  const under = deepest < 0;
  return {
    maxDrawdown: deepest,
    maxDrawdownBars: under ? end - deepestPeak : 0,
    maxDrawdownDays: under ? (timeMs[end] - timeMs[Math.max(deepestPeak, 0)]) / DAY_MS : 0,
    maxDrawdownRecovered: under && deepestEnd >= 0,
    longestDrawdownBars: longestBars,
    longestDrawdownDays: longestMs / DAY_MS,
  };
}

function exposures(exposure: Float64Array): Pick<Performance, 'exposure' | 'meanExposure' | 'meanGrossExposure'> {
  const bars = exposure.length;
  if (bars === 0) return { exposure: 0, meanExposure: 0, meanGrossExposure: 0 };
  let inPosition = 0;
  let signed = 0;
  let gross = 0;
  for (const value of exposure) {
    if (value !== 0) inPosition += 1;
    signed += value;
    gross += Math.abs(value);
  }
  return { exposure: inPosition / bars, meanExposure: signed / bars, meanGrossExposure: gross / bars };
}

type TradeFigures = Pick<
  Performance,
  | 'trades'
  | 'winRate'
  | 'profitFactor'
  | 'averageTradePnl'
  | 'averageTradeReturn'
  | 'bestTradeReturn'
  | 'worstTradeReturn'
  | 'averageBarsHeld'
>;

function tradeFigures(trades: readonly RoundTrip[]): TradeFigures {
  const count = trades.length;
  if (count === 0) {
    return {
      trades: 0,
      winRate: null,
      profitFactor: null,
      averageTradePnl: null,
      averageTradeReturn: null,
      bestTradeReturn: null,
      worstTradeReturn: null,
      averageBarsHeld: null,
    };
  }
  let wins = 0;
  let gains = 0;
  let losses = 0;
  let returns = 0;
  let held = 0;
  let best = -Infinity;
  let worst = Infinity;
  for (const trade of trades) {
    if (trade.pnl > 0) {
      wins += 1;
      gains += trade.pnl;
    } else {
      losses -= trade.pnl;
    }
    returns += trade.return;
    held += trade.barsHeld;
    best = Math.max(best, trade.return);
    worst = Math.min(worst, trade.return);
  }
  return {
    trades: count,
    winRate: wins / count,
    profitFactor: losses > 0 ? gains / losses : null,
    averageTradePnl: (gains - losses) / count,
    averageTradeReturn: returns / count,
    bestTradeReturn: best,
    worstTradeReturn: worst,
    averageBarsHeld: held / count,
  };
}

function sumOf(column: Float64Array, length: number): number {
  let sum = 0;
  for (let t = 0; t < length; t++) sum += column[t];
  return sum;
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

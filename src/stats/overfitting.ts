/**
 * Probability of backtest overfitting, by combinatorially symmetric cross-validation: Bailey, Borwein, Lopez de Prado
 * and Zhu (2017), "The probability of backtest overfitting". How often does the best in one half of the time turn out
 * worse than the median in the other half?
 */
import { log } from '#env/math/index.js';
import { fail } from '#src/errors.js';
import { NO_DEVIATION } from './moments.js';
import { checkedSample } from './scores.js';

export interface Overfitting {
  /** Share of the splits whose best in sample is at or under the median out of sample. */
  readonly pbo: number;
  /** One a split: ln(w / (1 - w)) with w = rank out of sample / (N + 1), rank 1 the worst. */
  readonly logits: Float64Array;
  /** Share of the splits whose best in sample has a negative Sharpe ratio out of sample. */
  readonly probabilityOfLoss: number;
  /** Slope of the chosen one's Sharpe ratio out of sample on that in sample, by least squares; null: all alike. */
  readonly degradation: number | null;
  readonly splits: number;
  readonly chunks: number;
  /** Bars left out at the beginning, so that the chunks are of one length. */
  readonly dropped: number;
}

/** C(20, 10) is 184,756 splits. */
const MOST_CHUNKS = 20;

/**
 * PBO of N configurations over T bars: the bars are cut into S chunks of one length in order, and each of the
 * C(S, S / 2) ways to take half of them is once the sample that chooses (by the Sharpe ratio) and once the test.
 * Ties share their mean rank, and a flat line has a Sharpe ratio of 0.
 *
 * @param returns N arrays of (T) simple returns over the same bars, one a configuration that was tried
 * @param chunks S, even; 16 as in the paper
 * @throws STATISTICS_INPUT for fewer than two configurations, an odd or unfit number of chunks, other lengths, NaN
 */
export function backtestOverfitting(returns: readonly Float64Array[], chunks = 16): Overfitting {
  const count = returns.length;
  const bars = checkedMatrix(returns, chunks);
  const size = Math.floor(bars / chunks);
  const dropped = bars - size * chunks;
  const sums = returns.map((series) => chunkSums(series, chunks, size, dropped, false));
  const squares = returns.map((series) => chunkSums(series, chunks, size, dropped, true));
  const half = (chunks / 2) * size;
  const halves = combinations(chunks);
  const logits = new Float64Array(halves.length);
  const inSample = new Float64Array(halves.length);
  const outOfSample = new Float64Array(halves.length);
  const figures = new Float64Array(count);
  halves.forEach((taken, split) => {
    const figureOf = (n: number, chosen: number): number => sharpeOf(sums[n], squares[n], chosen, half);
    let best = 0;
    let bestFigure = -Infinity;
    const rest = ~taken & ((1 << chunks) - 1);
    for (let n = 0; n < count; n++) {
      const figure = figureOf(n, taken);
      if (figure > bestFigure) [best, bestFigure] = [n, figure];
      figures[n] = figureOf(n, rest);
    }
    const share = rankOf(figures, best) / (count + 1);
    logits[split] = log(share / (1 - share));
    inSample[split] = bestFigure;
    outOfSample[split] = figures[best];
  });
  return {
    pbo: logits.reduce((sum, logit) => sum + (logit <= 0 ? 1 : 0), 0) / halves.length,
    logits,
    probabilityOfLoss: outOfSample.reduce((sum, figure) => sum + (figure < 0 ? 1 : 0), 0) / halves.length,
    degradation: slope(inSample, outOfSample),
    splits: halves.length,
    chunks,
    dropped,
  };
}

function checkedMatrix(returns: readonly Float64Array[], chunks: number): number {
  if (returns.length < 2) {
    fail('STATISTICS_INPUT', {
      where: 'returns',
      value: returns.length,
      message: 'the best of one is no choice: give the returns of every configuration that was tried',
    });
  }
  const bars = returns[0].length;
  returns.forEach((series, n) => {
    checkedSample(series, `returns[${n}]`);
    if (series.length !== bars) {
      fail('STATISTICS_INPUT', {
        where: `returns[${n}]`,
        value: series.length,
        message: `all configurations need returns of the same bars: the first has ${bars}`,
      });
    }
  });
  if (!Number.isInteger(chunks) || chunks % 2 !== 0 || chunks < 2 || chunks > MOST_CHUNKS || bars < 2 * chunks) {
    fail('STATISTICS_INPUT', {
      where: 'chunks',
      value: chunks,
      message: `must be even, from 2 to ${MOST_CHUNKS}, and leave at least 2 of the ${bars} bars in each`,
    });
  }
  return bars;
}

function chunkSums(series: Float64Array, chunks: number, size: number, from: number, squared: boolean): Float64Array {
  return Float64Array.from({ length: chunks }, (_, chunk) => {
    let sum = 0;
    const first = from + chunk * size;
    for (let t = first; t < first + size; t++) sum += squared ? series[t] * series[t] : series[t];
    return sum;
  });
}

/** Sharpe ratio per bar over the chunks whose bits are set. */
function sharpeOf(sums: Float64Array, squares: Float64Array, chosen: number, bars: number): number {
  let sum = 0;
  let square = 0;
  for (let chunk = 0; chunk < sums.length; chunk++) {
    if ((chosen & (1 << chunk)) === 0) continue;
    sum += sums[chunk];
    square += squares[chunk];
  }
  const mean = sum / bars;
  const deviation = Math.sqrt(Math.max(0, square - bars * mean * mean) / (bars - 1));
  return deviation < NO_DEVIATION ? 0 : mean / deviation;
}

/** 1 the least, N the greatest; equal ones share their mean rank. */
function rankOf(figures: Float64Array, index: number): number {
  let less = 0;
  let equal = 0;
  for (const figure of figures) {
    if (figure < figures[index]) less += 1;
    else if (figure === figures[index]) equal += 1;
  }
  return less + (equal + 1) / 2;
}

/** Every way to take half of `chunks`, as bits. */
function combinations(chunks: number): number[] {
  const found: number[] = [];
  const extend = (taken: number, next: number, wanted: number): void => {
    if (wanted === 0) {
      found.push(taken);
      return;
    }
    for (let chunk = next; chunk <= chunks - wanted; chunk++) extend(taken | (1 << chunk), chunk + 1, wanted - 1);
  };
  extend(0, 0, chunks / 2);
  return found;
}

function slope(x: Float64Array, y: Float64Array): number | null {
  const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(x), mean(y)];
  let squares = 0;
  let products = 0;
  for (let i = 0; i < x.length; i++) {
    squares += (x[i] - meanX) * (x[i] - meanX);
    products += (x[i] - meanX) * (y[i] - meanY);
  }
  return squares > NO_DEVIATION * NO_DEVIATION ? products / squares : null;
}

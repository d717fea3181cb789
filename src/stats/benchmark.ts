/** A result beside that of a benchmark, bar by bar. */
import { fail } from '#src/errors.js';
import { sampleMean } from './aggregate.js';
import { NO_DEVIATION } from './moments.js';

export interface BenchmarkFigures {
  /** Covariance with the benchmark / its variance. */
  readonly beta: number | null;
  /** (mean - beta x mean of the benchmark) x bars a year: the intercept of the regression, not compounded. */
  readonly alpha: number | null;
  readonly correlation: number | null;
  /** Standard deviation of the difference x sqrt(bars a year). */
  readonly trackingError: number | null;
  /** Mean of the difference / its standard deviation x sqrt(bars a year). */
  readonly informationRatio: number | null;
}

/**
 * Alpha and beta by least squares of the returns on the benchmark's (Jensen 1968, no risk-free rate), and the
 * information ratio (Grinold and Kahn 2000, ch. 5; Sharpe 1994). Alpha is annualised by multiplication, as mean and
 * Sharpe ratio are: 0.3 bps a minute are +295% a year, and would be +1,806% compounded as empyrical does. A figure that a
 * flat line does not give is null. Throws STATISTICS_INPUT where the lengths differ.
 *
 * @param returns (T)
 * @param benchmark (T) of the same bars
 */
export function benchmarkFigures(
  returns: Float64Array,
  benchmark: Float64Array,
  barsPerYear: number,
): BenchmarkFigures {
  const count = returns.length;
  if (benchmark.length !== count) {
    fail('STATISTICS_INPUT', {
      where: 'benchmark',
      value: benchmark.length,
      message: `has another number of bars than the returns (${count}): both must be of the same bars`,
    });
  }
  if (count < 2) return { beta: null, alpha: null, correlation: null, trackingError: null, informationRatio: null };
  const mean = sampleMean(returns);
  const benchmarkMean = sampleMean(benchmark);
  const difference = mean - benchmarkMean;
  let own = 0;
  let other = 0;
  let both = 0;
  let apart = 0;
  for (let t = 0; t < count; t++) {
    const x = returns[t] - mean;
    const y = benchmark[t] - benchmarkMean;
    own += x * x;
    other += y * y;
    both += x * y;
    apart += (x - y) * (x - y);
  }
  const flat = (squares: number): boolean => Math.sqrt(squares / (count - 1)) < NO_DEVIATION;
  const beta = flat(other) ? null : both / other;
  const deviation = Math.sqrt(apart / (count - 1));
  return {
    beta,
    alpha: beta === null ? null : (mean - beta * benchmarkMean) * barsPerYear,
    correlation: flat(own) || flat(other) ? null : both / Math.sqrt(own * other),
    trackingError: deviation * Math.sqrt(barsPerYear),
    informationRatio: flat(apart) ? null : (difference / deviation) * Math.sqrt(barsPerYear),
  };
}

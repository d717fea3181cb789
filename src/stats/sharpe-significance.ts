/**
 * Is a Sharpe ratio more than luck, and than the best of many tries? Bailey and Lopez de Prado: "The Sharpe Ratio
 * Efficient Frontier" (2012) for PSR and the least track record, "The Deflated Sharpe Ratio" (2014) for DSR.
 *
 * Sharpe ratios here are PER BAR, not annualised, and kurtosis is RAW (3 for a normal): several libraries feed excess
 * kurtosis into this formula, which makes fat tails look like thin ones.
 */
import { normalQuantile } from '#env/math/index.js';
import { fail } from '#src/errors.js';
import { momentsOf, NO_DEVIATION } from './moments.js';
import { normalCdf } from './normal.js';

/** What the formulas need to know of a track record. */
export interface SharpeRecord {
  /** Per bar. */
  readonly sharpe: number;
  readonly bars: number;
  readonly skewness: number;
  /** Raw. */
  readonly kurtosis: number;
}

const EULER = 0.5772156649015329;

/** The record of a series of returns; null for a flat line or fewer than two. */
export function sharpeRecord(returns: Float64Array): SharpeRecord | null {
  const { count, mean, deviation, skewness, kurtosis } = momentsOf(returns);
  if (deviation === null || deviation < NO_DEVIATION || skewness === null || kurtosis === null) return null;
  return { sharpe: mean / deviation, bars: count, skewness, kurtosis };
}

/**
 * PSR, the probability that the true Sharpe ratio is over `benchmark` (per bar):
 * Phi[(SR - SR*) sqrt(T - 1) / sqrt(1 - g3 SR + (g4 - 1) / 4 SR^2)]. It takes returns as independent and alike in
 * distribution; where they trend or cluster it is too sure, which the block bootstrap is not. Null for a single bar.
 */
export function probabilisticSharpe(record: SharpeRecord, benchmark = 0): number | null {
  if (record.bars < 2) return null;
  return normalCdf(((record.sharpe - benchmark) * Math.sqrt(record.bars - 1)) / Math.sqrt(spread(record)));
}

/**
 * Bars from which on PSR against `benchmark` reaches `confidence`, the record's figures being what they are:
 * 1 + (1 - g3 SR + (g4 - 1) / 4 SR^2) (z / (SR - SR*))^2. Null where SR is not over the benchmark: no length would do.
 */
export function minimumTrackRecord(record: SharpeRecord, benchmark = 0, confidence = 0.95): number | null {
  if (record.sharpe <= benchmark) return null;
  const z = normalQuantile(confidence) / (record.sharpe - benchmark);
  return 1 + spread(record) * z * z;
}

/** The variance of the estimated Sharpe ratio times T - 1 (Mertens 2002). Positive for every true distribution. */
function spread({ sharpe, skewness, kurtosis }: SharpeRecord): number {
  const value = 1 - skewness * sharpe + ((kurtosis - 1) / 4) * sharpe * sharpe;
  if (!(value > 0)) {
    fail('STATISTICS_INPUT', {
      where: 'sharpe record',
      value: { sharpe, skewness, kurtosis },
      message: 'no distribution has these: kurtosis must be RAW (3 for a normal) and at least skewness^2 + 1',
    });
  }
  return value;
}

/**
 * The Sharpe ratio that the best of N trials without any skill is expected to show:
 * sigma [(1 - g) PhiInv(1 - 1 / N) + g PhiInv(1 - 1 / (N e))], g Euler's constant. 0 for a single trial. Throws
 * STATISTICS_INPUT unless N is a number of at least 1 and sigma is not negative.
 *
 * @param trials N, all that were tried, the ones thrown away included
 * @param deviation sigma: standard deviation of the trials' Sharpe ratios, in their unit
 */
export function expectedMaximumSharpe(trials: number, deviation: number): number {
  if (!(trials >= 1) || !Number.isFinite(trials)) {
    fail('STATISTICS_INPUT', { where: 'trials', value: trials, message: 'give the number of trials, 1 or more' });
  }
  if (!(deviation >= 0) || !Number.isFinite(deviation)) {
    fail('STATISTICS_INPUT', {
      where: 'deviation',
      value: String(deviation),
      message: "give the standard deviation of the trials' Sharpe ratios, 0 or more",
    });
  }
  if (trials === 1) return 0;
  return deviation * ((1 - EULER) * normalQuantile(1 - 1 / trials) + EULER * normalQuantile(1 - 1 / (trials * Math.E)));
}

/**
 * DSR: PSR against what the best of N unskilled trials would show. `trials` is the true number, from the sweep's
 * record; trials much alike count as fewer, which only makes this stricter than needed.
 *
 * @param deviation standard deviation of the trials' Sharpe ratios, PER BAR
 */
export function deflatedSharpe(record: SharpeRecord, trials: number, deviation: number): number | null {
  return probabilisticSharpe(record, expectedMaximumSharpe(trials, deviation));
}

/**
 * What could be lost, and what was earned for it. All of returns BAR BY BAR, unless a line says "a year": a value at
 * risk of one-minute bars is that of a minute.
 */
import type { EquityPath } from './equity-path.js';
import { selectInPlace } from './select.js';

/** Level of the value at risk and of its conditional mean. */
export const RISK_LEVEL = 0.95;

export interface TailRisk {
  /** The return that 1 - level of the bars fell under: historical, negative where it is a loss. */
  readonly valueAtRisk: number | null;
  /** Mean return of the worst 1 - level of the bars, negative where it is a loss. */
  readonly conditionalValueAtRisk: number | null;
}

/**
 * Historical simulation, no distribution assumed. With T returns and a = 1 - level:
 * - value at risk: quantile a of the returns, linear between order statistics (Hyndman and Fan's type 7, numpy's and
 *   empyrical's);
 * - conditional value at risk: the mean of the worst T a returns, the last of them with what is left of its weight
 *   (Acerbi and Tasche 2002, "On the coherence of expected shortfall", eq. 4.12). empyrical takes the plain mean of
 *   the floor((T - 1) a) + 1 worst.
 * Null where there is no return.
 *
 * @param returns (T)
 */
export function tailRisk(returns: Float64Array, level = RISK_LEVEL): TailRisk {
  const count = returns.length;
  if (count === 0) return { valueAtRisk: null, conditionalValueAtRisk: null };
  const share = 1 - level;
  const at = share * (count - 1);
  const scratch = returns.slice();
  const next = Math.min(Math.ceil(at), count - 1);
  const upper = selectInPlace(scratch, next);
  const below = Math.floor(at);
  // everything before `next` is at most `upper`: the order statistic under it is their greatest
  const lower = below === next ? upper : greatest(scratch.subarray(0, next));
  // rounded, since 0.05 T has no exact binary value: 20 x (1 - 0.95) is a hair above 1
  const weight = Math.round(share * count * 1e9) / 1e9;
  return { valueAtRisk: lower + (at - below) * (upper - lower), conditionalValueAtRisk: meanOfWorst(scratch, weight) };
}

/** Mean of the `weight` least values, the last with the fraction that is left; changes the order of `sample`. */
function meanOfWorst(sample: Float64Array, weight: number): number {
  const whole = Math.min(Math.floor(weight), sample.length - 1);
  const last = selectInPlace(sample, whole);
  let sum = 0;
  for (let i = 0; i < whole; i++) sum += sample[i];
  return weight > 0 ? (sum + (weight - whole) * last) / weight : last;
}

function greatest(sample: Float64Array): number {
  let most = -Infinity;
  for (const value of sample) if (value > most) most = value;
  return most;
}

/**
 * Omega: sum of what the returns had over `target`, by the sum of what they lacked (Keating and Shadwick 2002). Over 1
 * exactly where the mean return is over the target. Null where no return was under it.
 *
 * @param returns (T)
 * @param target return of a bar
 */
export function omegaRatio(returns: Float64Array, target = 0): number | null {
  let over = 0;
  let under = 0;
  for (const value of returns) {
    if (value > target) over += value - target;
    else under += target - value;
  }
  return under > 0 ? over / under : null;
}

/**
 * Ulcer index: root mean square of the drawdown over all bars, as a fraction (Martin and McCann 1989, whose figure is
 * in percent). It counts depth and length. Null where there is no bar.
 */
export function ulcerIndex({ initialEquity, equity }: EquityPath): number | null {
  if (equity.length === 0) return null;
  let peak = initialEquity;
  let squares = 0;
  for (const value of equity) {
    if (value > peak) peak = value;
    const drawdown = value / peak - 1;
    squares += drawdown * drawdown;
  }
  return Math.sqrt(squares / equity.length);
}

/**
 * Calmar ratio: growth a year by the deepest drawdown (Young 1991, over 36 months; here over the whole window, as in
 * empyrical and quantstats). Null without a drawdown.
 */
export function calmarRatio(cagr: number | null, maxDrawdown: number): number | null {
  return cagr === null || maxDrawdown >= 0 ? null : cagr / -maxDrawdown;
}

/** Bars as an account meets them from day to day: dividends are money, not a price of the past made smaller. */
import type { Bars } from '#env/market/bars.js';

/** A change of the factor from one bar to the next by more than this share is a split; less is a dividend, or noise. */
const SPLIT_FROM = 0.1;

/**
 * Bars without adjustment for dividends: adjusted price / factor, on the scale of shares after the last split. That is
 * what a broker quotes and what its history holds (split-adjusted trades). Bars without a factor are returned as they
 * are. The result has no factor: shares stay whole, and a dividend is a fall of the price that the account is not paid.
 */
export function asTraded(bars: Bars): Bars {
  const { factor } = bars;
  if (factor === null) return bars;
  const scale = splitScale(factor);
  const unadjusted = (prices: Float64Array): Float64Array =>
    prices.map((price, t) => onHundredthOfCent(price / factor[t] / scale[t]));
  return {
    ...bars,
    open: unadjusted(bars.open),
    high: unadjusted(bars.high),
    low: unadjusted(bars.low),
    close: unadjusted(bars.close),
    factor: null,
  };
}

/** Sources give prices with six digits at best, and a factor with as many: 188.589996 was 188.59. */
const onHundredthOfCent = (price: number): number => Math.round(price * 1e4) / 1e4;

/** (T) shares after the last split for one share at bar t. */
function splitScale(factor: Float64Array): Float64Array {
  const scale = new Float64Array(factor.length).fill(1);
  for (let t = factor.length - 2; t >= 0; t--) {
    const ratio = factor[t + 1] / factor[t];
    const isSplit = Math.abs(ratio - 1) > SPLIT_FROM;
    // the dividend of a day with a split is lost in it: less than a hundredth of the price
    scale[t] = isSplit ? scale[t + 1] * wholeRatio(ratio) : scale[t + 1];
  }
  return scale;
}

/** Splits are n for m: the nearest with m up to 4 (3 for 2, 5 for 4), or its inverse where shares are put together. */
function wholeRatio(ratio: number): number {
  if (ratio < 1) return 1 / wholeRatio(1 / ratio);
  let best = ratio;
  let error = Infinity;
  for (let m = 1; m <= 4; m++) {
    const candidate = Math.round(ratio * m) / m;
    const own = Math.abs(candidate / ratio - 1);
    // a greater denominator must be better by far: any ratio is near to some fraction
    if (own < error / 4) [best, error] = [candidate, own];
  }
  return best;
}

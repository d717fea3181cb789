/** The same bars with some of them made others, valid as bars and unlike in every column. */
import { sliceBars, type Bars } from '#env/market/bars.js';
import { RandomStream } from '#env/seeding.js';

/** Bars for which `isOther(t)` is true: other prices, volumes and, where there is one, factors. Times stay. */
export function otherBars(bars: Bars, isOther: (t: number) => boolean, seed = 1): Bars {
  const stream = new RandomStream(seed, 'audit/other-bars');
  const columns = {
    open: bars.open.slice(),
    high: bars.high.slice(),
    low: bars.low.slice(),
    close: bars.close.slice(),
    volume: bars.volume.slice(),
  };
  const factor = bars.factor?.slice() ?? null;
  for (let t = 0; t < bars.length; t++) {
    if (!isOther(t)) continue;
    // far from what it was, up as often as down, so that every order's side is tried
    const scale = stream.uniform() < 0.5 ? 0.5 + 0.3 * stream.uniform() : 1.3 + 0.7 * stream.uniform();
    const middle = bars.close[t] * scale;
    const open = middle * (0.97 + 0.06 * stream.uniform());
    const close = middle * (0.97 + 0.06 * stream.uniform());
    columns.open[t] = open;
    columns.close[t] = close;
    columns.high[t] = Math.max(open, close) * (1 + 0.02 * stream.uniform());
    columns.low[t] = Math.min(open, close) * (1 - 0.02 * stream.uniform());
    columns.volume[t] = 1 + Math.floor((bars.volume[t] + 1000) * 3 * stream.uniform());
    if (factor !== null) factor[t] *= 0.8 + 0.4 * stream.uniform();
  }
  return { ...bars, ...columns, factor, sha256: `${bars.sha256} with others` };
}

export const otherAfter = (bars: Bars, t: number, seed = 1): Bars => otherBars(bars, (u) => u > t, seed);

/** Bars [from, length) at prices multiplied by `scale`: tradable prices move, factors stay. */
export function scaledFrom(bars: Bars, from: number, scale: number): Bars {
  const scaled = (column: Float64Array): Float64Array => column.map((price, t) => (t >= from ? price * scale : price));
  return {
    ...bars,
    open: scaled(bars.open),
    high: scaled(bars.high),
    low: scaled(bars.low),
    close: scaled(bars.close),
    sha256: `${bars.sha256} scaled`,
  };
}

/**
 * As a data vendor would give the bars after another split or dividend: adjusted prices and factors halved, tradable
 * prices as they were. One half, so that no rounding comes in.
 */
export function rebased(bars: Bars): Bars {
  const half = (column: Float64Array): Float64Array => column.map((value) => value / 2);
  return {
    ...bars,
    open: half(bars.open),
    high: half(bars.high),
    low: half(bars.low),
    close: half(bars.close),
    factor: half(bars.factor ?? new Float64Array(bars.length).fill(1)),
    sha256: `${bars.sha256} rebased`,
  };
}

/** Bars up to t, and one more that is another: what is computed at t must not need more. */
export function cutAfter(bars: Bars, t: number, seed = 1): Bars {
  return otherAfter(sliceBars(bars, 0, Math.min(bars.length, t + 2)), t, seed);
}

/** About `count` places in [from, to), spread evenly and never at the very ends' round figures. */
export function cutPlaces(from: number, to: number, count: number): number[] {
  const places = new Set<number>();
  for (let k = 0; k < count; k++) places.add(from + Math.floor(((k + 0.5) * (to - from)) / count));
  return [...places].filter((t) => t >= from && t < to);
}

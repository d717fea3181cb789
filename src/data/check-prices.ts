/** What is odd about prices: jumps, jumps like splits, and prices that stand still. */
import type { Bars } from '#env/market/bars.js';
import { calendarNamed } from '#env/market/calendar.js';
import { DAY_MS, timeText } from './interval.js';
import { sessionDay } from './segments.js';

export interface Jump {
  readonly time: string;
  readonly bar: number;
  readonly log_return: number;
  /** Robust z: (return - median) / (1.4826 MAD), over returns of the same kind. */
  readonly z: number;
  /** intraday: between bars of one session; overnight: from one session's close to the next one's first close. */
  readonly kind: 'intraday' | 'overnight';
}

export interface SplitLike {
  readonly time: string;
  readonly bar: number;
  /** Close before / open after. */
  readonly ratio: number;
  /** The split that the ratio is near: "2:1" halves the price, "1:10" is a reverse split. */
  readonly near: string;
}

export interface StaleRun {
  readonly from: string;
  readonly bar: number;
  readonly bars: number;
  readonly price: number;
}

/** Bars with one and the same price before a run counts as stale. */
const STALE_BARS = { intraday: 10, daily: 3 };

/** Log returns from close to close within segments, overnight ones judged apart: they are of another size. */
export function findOutliers(bars: Bars, limitZ: number): Jump[] {
  const calendar = calendarNamed(bars.calendar);
  const daily = bars.interval.ms >= DAY_MS;
  const groups = { intraday: [] as { t: number; value: number }[], overnight: [] as { t: number; value: number }[] };
  for (const { start, end } of bars.segments) {
    let before = sessionDay(calendar, bars.interval, bars.openTimeMs[start]);
    for (let t = start + 1; t < end; t++) {
      const day = sessionDay(calendar, bars.interval, bars.openTimeMs[t]);
      groups[daily || day === before ? 'intraday' : 'overnight'].push({
        t,
        value: Math.log(bars.close[t] / bars.close[t - 1]),
      });
      before = day;
    }
  }
  const jumps: Jump[] = [];
  for (const kind of ['intraday', 'overnight'] as const) {
    const values = Float64Array.from(groups[kind], ({ value }) => value);
    // too few to say what is usual
    if (values.length < 20) continue;
    const centre = medianOf(values);
    const deviations = values.map((value) => Math.abs(value - centre));
    // where most bars do not move, the median deviation is 0: fall back on the mean one (1.2533 = sqrt(pi / 2))
    const scale =
      1.4826 * medianOf(deviations) || 1.2533 * (deviations.reduce((sum, value) => sum + value, 0) / deviations.length);
    if (scale === 0) continue;
    for (const { t, value } of groups[kind]) {
      const z = (value - centre) / scale;
      if (Math.abs(z) > limitZ)
        jumps.push({
          time: timeText(bars.interval, bars.openTimeMs[t]),
          bar: t,
          log_return: value,
          z,
          kind: daily ? 'overnight' : kind,
        });
    }
  }
  return jumps;
}

function medianOf(values: Float64Array): number {
  const sorted = values.toSorted();
  const middle = sorted.length >>> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Splits that happen: new shares for old. */
const SPLITS: readonly (readonly [number, number])[] = [
  [3, 2],
  [2, 1],
  [5, 2],
  [3, 1],
  [4, 1],
  [5, 1],
  [6, 1],
  [7, 1],
  [8, 1],
  [10, 1],
  [15, 1],
  [20, 1],
  [25, 1],
  [30, 1],
  [50, 1],
  [100, 1],
];
const SPLIT_TOLERANCE = 0.04;

/** Jumps from a close to the next open whose ratio is within 4% of a split's or a reverse split's. */
export function findSplitLikes(bars: Bars): SplitLike[] {
  const found: SplitLike[] = [];
  for (const { start, end } of bars.segments) {
    for (let t = start + 1; t < end; t++) {
      const ratio = bars.close[t - 1] / bars.open[t];
      if (ratio < 1.44 && ratio > 1 / 1.44) continue;
      for (const [fresh, old] of SPLITS) {
        const split = fresh / old;
        const forward = Math.abs(ratio / split - 1) < SPLIT_TOLERANCE;
        if (!forward && Math.abs(ratio * split - 1) >= SPLIT_TOLERANCE) continue;
        found.push({
          time: timeText(bars.interval, bars.openTimeMs[t]),
          bar: t,
          ratio,
          near: forward ? `${fresh}:${old}` : `${old}:${fresh}`,
        });
        break;
      }
    }
  }
  return found;
}

/** Runs of bars whose four prices are all the same one: a feed that stopped, or nobody who traded. */
export function findStaleRuns(bars: Bars): StaleRun[] {
  const least = bars.interval.ms >= DAY_MS ? STALE_BARS.daily : STALE_BARS.intraday;
  const { open, high, low, close } = bars;
  const runs: StaleRun[] = [];
  for (const { start, end } of bars.segments) {
    let from = start;
    for (let t = start; t <= end; t++) {
      const still = t < end && high[t] === low[t] && close[t] === open[t] && (t === from || close[t] === close[t - 1]);
      if (still) continue;
      if (t - from >= least)
        runs.push({
          from: timeText(bars.interval, bars.openTimeMs[from]),
          bar: from,
          bars: t - from,
          price: close[from],
        });
      // a bar that stands still at another price begins a run of its own
      from = t < end && high[t] === low[t] ? t : t + 1;
    }
  }
  return runs;
}

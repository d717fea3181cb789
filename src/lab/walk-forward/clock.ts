/** The bars that decisions can be made on, over all data sets, as one line of time to be cut into windows. */
import type { Bars } from '#env/market/bars.js';
import { windowOf } from '#env/market/window.js';
import type { WalkForwardConfig } from '#src/config/schema.js';
import { fail } from '#src/errors.js';

export type Length = NonNullable<WalkForwardConfig['train']>;

/** Positions run from 0 to `length`; position i is the i-th bar, `length` the end. */
export class Clock {
  /** (n) opens of bars with a decision in any data set, strictly increasing: those of a segment's warm-up are not among them. */
  readonly timeMs: Float64Array;
  /** A millisecond after the last bar's open. */
  readonly endMs: number;

  /** Throws DATA_WINDOW where a data set has no bar left after warm-up. */
  constructor(bars: readonly Bars[], warmup: number) {
    const times = bars.flatMap((own) =>
      windowOf(own, null, null, warmup).flatMap(({ start, end }) => [...own.openTimeMs.subarray(start, end)]),
    );
    this.timeMs = Float64Array.from(new Set(times)).sort();
    this.endMs = this.timeMs[this.timeMs.length - 1] + 1;
  }

  get length(): number {
    return this.timeMs.length;
  }

  /** Open of the bar at a position; the end is a millisecond after the last bar's open. */
  at(position: number): number {
    return position < this.length ? this.timeMs[position] : this.endMs;
  }

  /** First position whose bar opens at `timeMs` or later. */
  position(timeMs: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.timeMs[middle] < timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** `position` moved by a length, forth or back (`sign` -1); may lie before 0 or beyond the end. */
  moved(position: number, length: Length, sign: 1 | -1 = 1): number {
    if (typeof length === 'number') return position + sign * length;
    const fromMs = this.at(Math.min(position, this.length));
    const timeMs = movedTime(fromMs, length, sign);
    if (timeMs < this.timeMs[0]) return -1;
    if (timeMs > this.endMs) return this.length + 1;
    return this.position(timeMs);
  }
}

/** An instant moved by a span of the calendar. A day that a month has not is its last one. */
export function movedTime(timeMs: number, span: string, sign: 1 | -1): number {
  const match = /^(\d+)(d|w|mo|y)$/.exec(span);
  if (match === null) {
    return fail('CONFIG_VALUE', {
      where: 'walk_forward',
      value: span,
      message: 'expected a number of bars, or a span such as 10d, 6w, 3mo or 2y',
    });
  }
  const count = sign * Number(match[1]);
  const [, , unit] = match;
  if (unit === 'd' || unit === 'w') return timeMs + count * (unit === 'd' ? 1 : 7) * 86_400_000;
  const date = new Date(timeMs);
  const months = count * (unit === 'mo' ? 1 : 12);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + months);
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, last));
  return date.getTime();
}

/**
 * The ticks of one bar: a seeded path that opens at the open, touches high and low, ends at the close and shares the
 * volume out without remainder. The path of a bar depends on seed, symbol and bar alone, not on who asks or when: what
 * was streamed and what history tells of the same seconds are the same numbers.
 */
import { RandomStream } from '#env/seeding.js';
import type { PriceGrid } from './price-grid.js';

/** One bar as the path sees it: tradable prices, the instants between which it trades. */
export interface PathBar {
  startMs: number;
  endMs: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}

/** Bars up to this long tick once a second, longer ones once in five. */
const SECOND_TICKS_UP_TO_MS = 300_000;
const LEAST_TICKS = 4;

/** Milliseconds between two ticks of a bar that trades for `durationMs`. */
export function tickStepMs(durationMs: number): number {
  const step = durationMs <= SECOND_TICKS_UP_TO_MS ? 1000 : 5000;
  return durationMs / step >= LEAST_TICKS ? step : durationMs / LEAST_TICKS;
}

export class BarPath {
  /** Ticks in use. */
  length = 0;
  /** (length) epoch ms, ascending, the first at the bar's start, all before its end. */
  timeMs = new Float64Array(64);
  /** (length) traded price. */
  price = new Float64Array(64);
  /** (length) traded quantity; all of them together are the bar's volume, in any grouping, to the bit. */
  size = new Float64Array(64);
  bid = new Float64Array(64);
  ask = new Float64Array(64);
  bidSize = new Float64Array(64);
  askSize = new Float64Array(64);

  /** Fills the columns with the path of `bar`; `name` says seed, symbol and bar. */
  build(bar: PathBar, grid: PriceGrid, seed: number, name: string): void {
    const duration = bar.endMs - bar.startMs;
    const step = tickStepMs(duration);
    const n = Math.max(LEAST_TICKS, Math.ceil(duration / step));
    this.#reserve(n);
    this.length = n;
    const stream = new RandomStream(seed, name);
    for (let i = 0; i < n; i++) this.timeMs[i] = bar.startMs + i * step;
    this.#walk(bar, grid, stream);
    this.#shareOut(bar.volume, stream);
    for (let i = 0; i < n; i++) {
      const depth = grid.depth(this.size[i]);
      const side = stream.uniform();
      grid.quote(this, i, side);
      this.bidSize[i] = depth * (1 + stream.integer(5));
      this.askSize[i] = depth * (1 + stream.integer(5));
    }
  }

  #walk(bar: PathBar, grid: PriceGrid, stream: RandomStream): void {
    const { open, high, low, close } = bar;
    const n = this.length;
    // two interior ticks touch the extremes, the nearer one of the open usually first
    let first = 1 + stream.integer(n - 2);
    let second = 1 + stream.integer(n - 3);
    if (second >= first) second++;
    if (first > second) [first, second] = [second, first];
    const highFirst = stream.uniform() < (close < open ? 0.7 : 0.3);
    this.#leg(0, first, open, highFirst ? high : low, bar, grid, stream);
    this.#leg(first, second, highFirst ? high : low, highFirst ? low : high, bar, grid, stream);
    this.#leg(second, n - 1, highFirst ? low : high, close, bar, grid, stream);
  }

  /** Prices of ticks [from, to], the ends given, those between them drawn towards the end. */
  #leg(
    from: number,
    to: number,
    start: number,
    end: number,
    bar: PathBar,
    grid: PriceGrid,
    stream: RandomStream,
  ): void {
    const { price } = this;
    const swing = (0.6 * (bar.high - bar.low)) / Math.sqrt(this.length);
    let at = start;
    price[from] = start;
    for (let i = from + 1; i < to; i++) {
      at += (end - at) / (to - i + 1) + swing * (2 * stream.uniform() - 1);
      if (at > bar.high) at = bar.high;
      else if (at < bar.low) at = bar.low;
      const onTick = grid.nearest(at);
      price[i] = onTick > bar.high ? bar.high : onTick < bar.low ? bar.low : onTick;
    }
    price[to] = end;
  }

  /**
   * Every part but the last is a multiple of a unit so coarse that sums of them are exact: 1 for whole volumes, else
   * 2^-40 of the volume's binade. The last part is what is left, which is exact too.
   */
  #shareOut(volume: number, stream: RandomStream): void {
    const { size, length: n } = this;
    const unit = Number.isInteger(volume) ? 1 : coarseUnit(volume);
    let weights = 0;
    for (let i = 0; i < n; i++) {
      // the first and the last ticks of a bar are busier
      size[i] = 0.2 + stream.uniform() + (i === 0 || i === n - 1 ? 1 : 0);
      weights += size[i];
    }
    let shared = 0;
    for (let i = 0; i < n - 1; i++) {
      size[i] = Math.floor((volume * size[i]) / weights / unit) * unit;
      shared += size[i];
    }
    size[n - 1] = volume - shared;
  }

  #reserve(n: number): void {
    if (this.timeMs.length >= n) return;
    const capacity = Math.max(n, 2 * this.timeMs.length);
    for (const key of ['timeMs', 'price', 'size', 'bid', 'ask', 'bidSize', 'askSize'] as const)
      this[key] = new Float64Array(capacity);
  }
}

/** A power of two 2^-40 below the binade of `volume` (> 0). */
function coarseUnit(volume: number): number {
  let unit = 1;
  while (unit > volume) unit /= 2;
  while (unit * 2 <= volume) unit *= 2;
  return Math.max(unit * 2 ** -40, Number.MIN_VALUE);
}

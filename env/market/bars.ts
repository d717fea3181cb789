/** Columnar bars: what every data source yields and everything else reads. */
import { fail } from '#src/errors.js';
import { checkInstrument, type Instrument } from './instrument.js';

/** Bars [start, end) that belong together. An episode, an indicator or a return never crosses a segment's boundary. */
export interface Segment {
  readonly start: number;
  readonly end: number;
}

/** "1m", "5m", "1h", "1d", ...: `ms` is the nominal length (a day is 86,400,000). */
export interface Interval {
  readonly label: string;
  readonly ms: number;
}

export interface Bars {
  readonly instrument: Instrument;
  readonly interval: Interval;
  /** Name of the trading calendar, e.g. "XNYS", "FX", "24x7". */
  readonly calendar: string;
  readonly length: number;
  /** (T) the bar's OPEN, epoch milliseconds UTC, strictly increasing. A daily bar carries its session's date at 00:00 UTC. */
  readonly openTimeMs: Float64Array;
  /** (T) prices in the instrument's currency, adjusted where `factor` is given. */
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  readonly volume: Float64Array;
  /** (T) adjusted price = tradable price x factor; null: prices are tradable as they stand. */
  readonly factor: Float64Array | null;
  /** Cover [0, length) without gap or overlap, in order. */
  readonly segments: readonly Segment[];
  /** Name of the data set, shown in every output. */
  readonly source: string;
  /** Made by a generator: every output says so. */
  readonly synthetic: boolean;
  /** sha256 of the file or of the generator's parameters. */
  readonly sha256: string;
}

/**
 * What may be traded: decisions at the closes of bars [start, end) of one segment. Bars of the segment
 * before `start` serve the indicators' warm-up only. The last close, end - 1, is where an open position is
 * closed at the latest.
 */
export interface TradingWindow {
  readonly bars: Bars;
  /** The segment that contains the window. Its first bar is the observation's anchor. */
  readonly segment: Segment;
  readonly start: number;
  readonly end: number;
}

/** What `makeBars` takes: the columns are kept as they are given, not copied. */
export interface BarsInput extends Omit<Bars, 'length' | 'factor' | 'segments' | 'synthetic'> {
  readonly factor?: Float64Array | null;
  /** Left out: one segment over all bars. */
  readonly segments?: readonly Segment[];
  readonly synthetic?: boolean;
}

/**
 * Checks columns and binds them to Bars. Throws DATA_EMPTY, DATA_COLUMN (lengths), DATA_ORDER (times), DATA_VALUE
 * (prices, volumes, factors), DATA_WINDOW (segments) and DATA_MANIFEST (instrument), naming the source, the bar
 * (counted from 0) and the value.
 */
export function makeBars(input: BarsInput): Bars {
  const { openTimeMs, open, high, low, close, volume, source } = input;
  const factor = input.factor ?? null;
  const length = openTimeMs.length;
  if (length === 0) fail('DATA_EMPTY', { where: source, message: 'there are no bars' });
  for (const [name, column] of Object.entries({ open, high, low, close, volume, factor })) {
    if (column !== null && column.length !== length) {
      fail('DATA_COLUMN', {
        where: source,
        value: column.length,
        message: `column ${name} has ${column.length} values where openTimeMs has ${length}`,
      });
    }
  }
  if (!(input.interval.ms > 0))
    fail('DATA_TIME', {
      where: source,
      value: input.interval.ms,
      message: 'the interval must be a positive number of milliseconds',
    });
  checkInstrument(input.instrument, source);
  checkColumns(input, factor);
  const segments = input.segments ?? [{ start: 0, end: length }];
  checkSegments(segments, length, source);
  const { instrument, interval, calendar, sha256 } = input;
  return {
    instrument,
    interval,
    calendar,
    length,
    openTimeMs,
    open,
    high,
    low,
    close,
    volume,
    factor,
    segments,
    source,
    synthetic: input.synthetic ?? false,
    sha256,
  };
}

function checkColumns(input: BarsInput, factor: Float64Array | null): void {
  const { openTimeMs, open, high, low, close, volume, source } = input;
  let previous = -Infinity;
  for (let t = 0; t < openTimeMs.length; t++) {
    const time = openTimeMs[t];
    // NaN fails the comparison too
    if (!(time > previous && time < Infinity)) {
      const message = Number.isFinite(time)
        ? 'bar times must increase strictly: sort the bars and remove duplicates'
        : 'a bar time must be a finite number';
      fail('DATA_ORDER', { where: `${source} bar ${t}`, value: time, message });
    }
    previous = time;
    const problem = ohlcvProblem(open[t], high[t], low[t], close[t], volume[t]);
    if (problem !== null)
      fail('DATA_VALUE', { where: `${source} bar ${t}`, value: problem.value, message: problem.message });
    if (factor !== null && !(factor[t] > 0 && factor[t] < Infinity)) {
      fail('DATA_VALUE', {
        where: `${source} bar ${t}`,
        value: factor[t],
        message: 'an adjustment factor must be positive and finite',
      });
    }
  }
}

export interface BarProblem {
  readonly column: 'open' | 'high' | 'low' | 'close' | 'volume';
  readonly value: number;
  readonly message: string;
}

/** What is wrong with one bar, or null. The rules: finite, prices positive, low <= open, close <= high, volume >= 0. */
export function ohlcvProblem(
  open: number,
  high: number,
  low: number,
  close: number,
  volume: number,
): BarProblem | null {
  // the usual bar passes in one line; NaN fails every comparison
  if (
    low > 0 &&
    low <= open &&
    low <= close &&
    open <= high &&
    close <= high &&
    high < Infinity &&
    volume >= 0 &&
    volume < Infinity
  )
    return null;
  const prices = { open, high, low, close };
  for (const column of ['open', 'high', 'low', 'close'] as const) {
    const value = prices[column];
    if (!Number.isFinite(value)) return { column, value, message: `${column} must be a finite number` };
    if (value <= 0) return { column, value, message: `${column} must be positive` };
  }
  if (high < low) return { column: 'high', value: high, message: `high is below low, which is ${low}` };
  if (high < open || high < close)
    return {
      column: 'high',
      value: high,
      message: `high is below ${high < open ? `open, which is ${open}` : `close, which is ${close}`}`,
    };
  if (low > open || low > close)
    return {
      column: 'low',
      value: low,
      message: `low is above ${low > open ? `open, which is ${open}` : `close, which is ${close}`}`,
    };
  return {
    column: 'volume',
    value: volume,
    message: Number.isFinite(volume) ? 'volume must not be negative' : 'volume must be a finite number',
  };
}

function checkSegments(segments: readonly Segment[], length: number, source: string): void {
  let expected = 0;
  for (const [i, { start, end }] of segments.entries()) {
    if (start !== expected || !(end > start) || !Number.isInteger(end)) {
      fail('DATA_WINDOW', {
        where: `${source} segment ${i}`,
        value: [start, end],
        message: `segments must follow each other without gap or overlap: this one must start at ${expected} and end after it`,
      });
    }
    expected = end;
  }
  if (expected !== length)
    fail('DATA_WINDOW', {
      where: source,
      value: expected,
      message: `the segments cover ${expected} of ${length} bars`,
    });
}

/** Bars [start, end) as their own Bars; columns are views on the same memory, segments are cut to the range. */
export function sliceBars(bars: Bars, start: number, end: number): Bars {
  if (!(Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start < end && end <= bars.length)) {
    fail('DATA_WINDOW', {
      where: bars.source,
      value: [start, end],
      message: `a slice must lie within [0, ${bars.length}) and hold at least one bar`,
    });
  }
  const segments: Segment[] = [];
  for (const segment of bars.segments) {
    const from = Math.max(segment.start, start);
    const to = Math.min(segment.end, end);
    if (from < to) segments.push({ start: from - start, end: to - start });
  }
  return {
    ...bars,
    length: end - start,
    openTimeMs: bars.openTimeMs.subarray(start, end),
    open: bars.open.subarray(start, end),
    high: bars.high.subarray(start, end),
    low: bars.low.subarray(start, end),
    close: bars.close.subarray(start, end),
    volume: bars.volume.subarray(start, end),
    factor: bars.factor === null ? null : bars.factor.subarray(start, end),
    segments,
  };
}

/** Index of the first bar that opens at or after `timeMs`; `bars.length` where none does. O(log T). */
export function firstBarAtOrAfter(bars: Bars, timeMs: number): number {
  let low = 0;
  let high = bars.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (bars.openTimeMs[middle] < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

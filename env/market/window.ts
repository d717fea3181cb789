/** From dates to what may be traded: the windows of bars that training and evaluation run over. */
import { fail } from '#src/errors.js';
import { firstBarAtOrAfter, type Bars, type TradingWindow } from './bars.js';

/** A decision at the first close and a fill on the bar after it: fewer bars make no window. */
const MINIMUM_BARS = 2;

/**
 * The windows of bars that open in [fromMs, toMs), one for each segment touched. null: from the first bar, to the
 * last. Decisions start no earlier than `warmupBars` bars after the segment's first bar; bars before `fromMs` in
 * the same segment serve as warm-up, so that a test window does not lose its first bars to it. A segment that has
 * fewer than two bars left yields no window. Throws DATA_WINDOW where no window is left.
 */
export function windowOf(bars: Bars, fromMs: number | null, toMs: number | null, warmupBars: number): TradingWindow[] {
  if (!(Number.isInteger(warmupBars) && warmupBars >= 0)) {
    fail('DATA_WINDOW', {
      where: bars.source,
      value: warmupBars,
      message: 'the warm-up must be a whole number of bars, 0 or more',
    });
  }
  if (fromMs !== null && toMs !== null && !(fromMs < toMs)) {
    fail('DATA_WINDOW', {
      where: bars.source,
      value: [isoOf(fromMs), isoOf(toMs)],
      message: 'the window ends where it begins, or earlier; `to` is exclusive and must lie after `from`',
    });
  }
  const first = fromMs === null ? 0 : firstBarAtOrAfter(bars, fromMs);
  const last = toMs === null ? bars.length : firstBarAtOrAfter(bars, toMs);
  const windows: TradingWindow[] = [];
  for (const segment of bars.segments) {
    const start = Math.max(segment.start + warmupBars, first);
    const end = Math.min(segment.end, last);
    if (end - start >= MINIMUM_BARS) windows.push({ bars, segment, start, end });
  }
  if (windows.length === 0) failEmpty(bars, fromMs, toMs, warmupBars, last - first);
  return windows;
}

/**
 * `windowOf` of several data sets. A symbol's may follow one another in time: one that has no bar in the window is then
 * passed over. Throws DATA_WINDOW where a symbol is left without a window.
 */
export function windowsOf(
  bars: readonly Bars[],
  fromMs: number | null,
  toMs: number | null,
  warmupBars: number,
): TradingWindow[] {
  const hasBars = (own: Bars): boolean => {
    const first = fromMs === null ? 0 : firstBarAtOrAfter(own, fromMs);
    return first < (toMs === null ? own.length : firstBarAtOrAfter(own, toMs));
  };
  const present = new Set(bars.filter(hasBars).map(({ instrument }) => instrument.symbol));
  return bars.flatMap((own) =>
    hasBars(own) || !present.has(own.instrument.symbol) ? windowOf(own, fromMs, toMs, warmupBars) : [],
  );
}

function failEmpty(
  bars: Bars,
  fromMs: number | null,
  toMs: number | null,
  warmupBars: number,
  inWindow: number,
): never {
  const from = isoOf(fromMs ?? bars.openTimeMs[0]);
  const to = toMs === null ? 'the end' : isoOf(toMs);
  const longest = Math.max(...bars.segments.map(({ start, end }) => end - start));
  const range = `${isoOf(bars.openTimeMs[0])} to ${isoOf(bars.openTimeMs[bars.length - 1])}`;
  const message =
    inWindow === 0
      ? `no bar lies in the window; the data set runs from ${range}: choose dates inside it`
      : `the window holds ${inWindow} bars, but its segments leave fewer than ${MINIMUM_BARS} after ${warmupBars} bars of warm-up ` +
        `(${warmupBars + MINIMUM_BARS} needed in one segment; the longest has ${longest}): take a longer or later window, or shorten the warm-up`;
  fail('DATA_WINDOW', { where: bars.source, value: [from, to], message });
}

/**
 * Milliseconds of a date or an instant as configurations write it: "2011-03-01" (00:00 UTC), "2011-03-01T14:30Z",
 * "2011-03-01T09:30-05:00". A time of day needs its offset. Throws DATA_TIME.
 */
export function utcInstant(text: string, where: string): number {
  const match = /^(\d{4})-(\d{2})-(\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/.exec(text);
  const timeMs = match === null ? NaN : Date.parse(text);
  // Date.parse rolls February 30th over into March
  const real =
    match !== null &&
    new Date(Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]))).getUTCDate() === Number(match[3]);
  if (!real || Number.isNaN(timeMs)) {
    fail('DATA_TIME', {
      where,
      value: text,
      message: 'not a date: write 2011-03-01 (00:00 UTC), or an instant with its offset such as 2011-03-01T14:30Z',
    });
  }
  return timeMs;
}

function isoOf(timeMs: number): string {
  return Number.isFinite(timeMs) && Math.abs(timeMs) <= 8.64e15 ? new Date(timeMs).toISOString() : String(timeMs);
}

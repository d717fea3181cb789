/** The bars that a runner traded on, as its journal has them: from 5-second bars, repaired from history. */
import { makeBars, type Bars, type Interval, type Segment } from '#env/market/bars.js';
import { calendarNamed, type TradingCalendar } from '#env/market/calendar.js';
import type { ClosedBar } from '../core/events.js';
import type { TraderConfig } from '../core/config.js';
import { Journal } from './journal.js';
import { RecordedDecider } from './replay-journal.js';
import { walkJournal } from './walk-journal.js';

/** A hole of more bars than this ends a segment: what lies behind it is no neighbour. */
export const MOST_MISSING_BARS = 5;

/**
 * One entry a symbol of the journal that has bars, prices tradable, in one segment: the runner's indicators ran over
 * holes too. `segmentsWithoutHoles` says where training should break them. Throws LIVE_JOURNAL.
 */
export function recordedBars(journalFile: string): Bars[] {
  const journal = Journal.read(journalFile);
  const taken = new Map<string, ClosedBar[]>();
  let config: TraderConfig | null = null;
  try {
    const sha256 = journal.seal().sha256;
    for (const { trader, bars } of walkJournal(journal, new RecordedDecider(journal))) {
      config = trader.config;
      for (const { symbol, bar } of bars) {
        const list = taken.get(symbol);
        if (list === undefined) taken.set(symbol, [bar]);
        else list.push(bar);
      }
    }
    return config === null ? [] : barsOf(taken, config, sha256);
  } finally {
    journal.close();
  }
}

/** Columns from the bars of each symbol. `sha256` is the journal's. */
export function barsOf(
  taken: ReadonlyMap<string, readonly ClosedBar[]>,
  { symbols, interval, calendar, account }: TraderConfig,
  sha256: string,
): Bars[] {
  return symbols.flatMap(({ symbol, instrument }) => {
    const bars = taken.get(symbol) ?? [];
    if (bars.length === 0) return [];
    const column = (of: (bar: ClosedBar) => number): Float64Array => Float64Array.from(bars, of);
    return [
      makeBars({
        instrument,
        interval,
        calendar,
        openTimeMs: column(({ openMs }) => openMs),
        open: column(({ open }) => open),
        high: column(({ high }) => high),
        low: column(({ low }) => low),
        close: column(({ close }) => close),
        volume: column(({ volume }) => volume),
        source: `recorded in ${account}`,
        sha256,
      }),
    ];
  });
}

/** Cuts where more than MOST_MISSING_BARS bars of the calendar are missing between two neighbours. */
export function segmentsWithoutHoles({ openTimeMs, interval, calendar: name }: Bars): Segment[] {
  const calendar = calendarNamed(name);
  const segments: Segment[] = [];
  let start = 0;
  for (let t = 1; t < openTimeMs.length; t++) {
    if (missingBars(openTimeMs[t - 1], openTimeMs[t], interval, calendar) <= MOST_MISSING_BARS) continue;
    segments.push({ start, end: t });
    start = t;
  }
  return [...segments, { start, end: openTimeMs.length }];
}

const DAY_MS = 86_400_000;

/** Bars that the calendar has between two, both left out. */
export function missingBars(earlierMs: number, laterMs: number, { ms }: Interval, calendar: TradingCalendar): number {
  if (laterMs - earlierMs <= ms) return 0;
  const daily = ms >= DAY_MS;
  let count = 0;
  for (const { dayId, openMs, closeMs } of calendar.sessionsBetween(earlierMs - DAY_MS, laterMs + 1)) {
    if (daily) {
      if (dayId * DAY_MS > earlierMs && dayId * DAY_MS < laterMs) count++;
      continue;
    }
    for (let fromMs = openMs; fromMs < closeMs; fromMs += ms) if (fromMs > earlierMs && fromMs < laterMs) count++;
  }
  return count;
}

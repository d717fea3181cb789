/** The quality report: what is wrong, missing or odd in a data set. It reports; it mends nothing. */
import type { Bars } from '#env/market/bars.js';
import { calendarNamed, type Session } from '#env/market/calendar.js';
import { fail, OpenBellError } from '#src/errors.js';
import {
  findOutliers,
  findSplitLikes,
  findStaleRuns,
  type Jump,
  type SplitLike,
  type StaleRun,
} from './check-prices.js';
import { DEFAULT_CHECK, type CheckOptions } from './check-options.js';
import { DAY_MS, timeText } from './interval.js';
import { loadDatasetInFull, type LoadedDataset } from './load.js';
import { missingSessions, sessionDay } from './segments.js';
import { CollectingSink, type Violation } from './violations.js';

/** A finding: all that were counted, and the first or the largest of them. */
export interface Finding<Item> {
  readonly count: number;
  readonly listed: readonly Item[];
}

export interface Gap {
  /** Opens of the bars on both sides, ISO. */
  readonly after: string;
  readonly before: string;
  readonly missing_bars: number;
  readonly missing_sessions: number;
  /** The data set declares a break here: a segment ends. */
  readonly between_segments: boolean;
}

export interface PartialSession {
  readonly date: string;
  readonly bars: number;
  readonly expected: number;
}

export interface QualityReport {
  readonly source: string;
  readonly file: string | null;
  readonly synthetic: boolean;
  /** No violation: the data set can be used. Findings do not make it false. */
  readonly usable: boolean;
  /** Rows that loading refuses. The findings below are over the other rows. */
  readonly violations: Finding<Violation>;
  readonly inferred: readonly string[];
  /** Null where no bar could be read. */
  readonly findings: Findings | null;
}

export interface Findings {
  readonly bars: number;
  readonly interval: string;
  readonly calendar: string;
  readonly from: string;
  readonly to: string;
  readonly segments: number;
  readonly gaps: Finding<Gap>;
  readonly off_calendar: Finding<string>;
  /** Bars that begin before the one before them has ended. */
  readonly overlapping: Finding<string>;
  readonly coverage: {
    readonly sessions: number;
    readonly complete: number;
    readonly empty: number;
    /** Bars there / bars expected by the calendar, from the first session to the last. */
    readonly share: number;
    readonly partial: Finding<PartialSession>;
  };
  readonly zero_volume: { readonly count: number; readonly longest_run: number };
  readonly stale_runs: Finding<StaleRun>;
  readonly outliers: Finding<Jump>;
  readonly split_like: Finding<SplitLike>;
}

/** Never throws for what is wrong with the data itself; throws for unknown names, files that cannot be read, and manifests. */
export async function checkDataset(nameOrPath: string, options: Partial<CheckOptions> = {}): Promise<QualityReport> {
  const { limit, outlierZ, ...hints } = { ...DEFAULT_CHECK, ...options };
  if (!(Number.isInteger(limit) && limit >= 0))
    fail('USAGE', { where: '--limit', value: limit, message: 'give a whole number, 0 or more' });
  if (!(outlierZ > 0)) fail('USAGE', { where: '--outlier-z', value: outlierZ, message: 'give a number above 0' });
  const sink = new CollectingSink(limit);
  let loaded: LoadedDataset | null = null;
  try {
    loaded = await loadDatasetInFull(nameOrPath, hints, sink);
  } catch (error) {
    if (!(error instanceof OpenBellError) || !FATAL_IN_DATA.has(error.code)) throw error;
    // that no row is left follows from the rows, which have been reported
    if (sink.count === 0 || error.code !== 'DATA_EMPTY') {
      const line = /:(\d+)$/.exec(error.where ?? '');
      const prefix = error.message.indexOf(': ') + 2;
      sink.add({
        code: error.code,
        line: line === null ? null : Number(line[1]),
        value: error.value,
        message: error.message.slice(prefix),
      });
    }
  }
  return {
    source: loaded?.bars.source ?? nameOrPath,
    file: loaded === null ? nameOrPath : loaded.file,
    synthetic: loaded?.bars.synthetic ?? false,
    usable: sink.count === 0,
    violations: listed(sink.violations, limit, (a, b) => (a.line ?? 0) - (b.line ?? 0), sink.count),
    inferred: loaded?.inferred ?? [],
    findings: loaded === null ? null : findIn(loaded.bars, limit, outlierZ),
  };
}

const FATAL_IN_DATA: ReadonlySet<string> = new Set([
  'DATA_FORMAT',
  'DATA_COLUMN',
  'DATA_VALUE',
  'DATA_ORDER',
  'DATA_TIME',
  'DATA_EMPTY',
  'DATA_HASH',
  'DATA_WINDOW',
]);

/** The findings of bars that are valid. */
export function findIn(bars: Bars, limit: number, outlierZ: number): Findings {
  const { openTimeMs, length, interval } = bars;
  return {
    bars: length,
    interval: interval.label,
    calendar: bars.calendar,
    from: timeText(interval, openTimeMs[0]),
    to: timeText(interval, openTimeMs[length - 1]),
    segments: bars.segments.length,
    ...findHoles(bars, limit),
    zero_volume: zeroVolume(bars),
    stale_runs: listed(findStaleRuns(bars), limit, (a, b) => b.bars - a.bars),
    outliers: listed(findOutliers(bars, outlierZ), limit, (a, b) => Math.abs(b.z) - Math.abs(a.z)),
    split_like: listed(
      findSplitLikes(bars),
      limit,
      (a, b) => Math.abs(Math.log(b.ratio)) - Math.abs(Math.log(a.ratio)),
    ),
  };
}

function listed<Item>(
  all: readonly Item[],
  limit: number,
  order?: (a: Item, b: Item) => number,
  count: number = all.length,
): Finding<Item> {
  return { count, listed: (order === undefined ? all : all.toSorted(order)).slice(0, limit) };
}

function findHoles(bars: Bars, limit: number): Pick<Findings, 'gaps' | 'off_calendar' | 'overlapping' | 'coverage'> {
  const { openTimeMs, interval, length } = bars;
  const calendar = calendarNamed(bars.calendar);
  const daily = interval.ms >= DAY_MS;
  const sessionOf = (timeMs: number): Session | null =>
    daily ? calendar.sessionOnDay(timeMs / DAY_MS) : calendar.sessionAt(timeMs);
  const barsOf = (session: Session): number =>
    daily ? 1 : Math.ceil((session.closeMs - session.openMs) / interval.ms);
  const breaks = new Set(bars.segments.map(({ start }) => start));
  const gaps: Gap[] = [];
  const offCalendar: string[] = [];
  const overlapping: string[] = [];
  const perDay = new Map<number, number>();
  for (let t = 0; t < length; t++) {
    const session = interval.ms > DAY_MS ? null : sessionOf(openTimeMs[t]);
    if (session === null && interval.ms <= DAY_MS) offCalendar.push(timeText(interval, openTimeMs[t]));
    if (session !== null) perDay.set(session.dayId, (perDay.get(session.dayId) ?? 0) + 1);
    if (t === 0) continue;
    if (openTimeMs[t] - openTimeMs[t - 1] < interval.ms) overlapping.push(timeText(interval, openTimeMs[t]));
    const gap = gapBefore(t);
    if (gap !== null) gaps.push(gap);
  }

  /** What is missing between bar t - 1 and bar t by the calendar, or null. */
  function gapBefore(t: number): Gap | null {
    const earlier = openTimeMs[t - 1];
    const later = openTimeMs[t];
    if (interval.ms > DAY_MS || (!daily && later - earlier <= interval.ms)) return null;
    const sessions = missingSessions(calendar, interval, earlier, later);
    let missing = 0;
    if (!daily) {
      const before = sessionOf(earlier);
      const after = sessionOf(later);
      if (before !== null && before === after) missing = Math.round((later - earlier) / interval.ms) - 1;
      else {
        if (before !== null) missing += Math.max(0, Math.ceil((before.closeMs - earlier) / interval.ms) - 1);
        if (after !== null) missing += Math.floor((later - after.openMs) / interval.ms);
      }
    }
    const laterDay = sessionDay(calendar, interval, later);
    for (let dayId = sessionDay(calendar, interval, earlier) + 1; dayId < laterDay; dayId++) {
      const skipped = calendar.sessionOnDay(dayId);
      if (skipped !== null) missing += barsOf(skipped);
    }
    if (missing === 0) return null;
    return {
      after: timeText(interval, earlier),
      before: timeText(interval, later),
      missing_bars: missing,
      missing_sessions: sessions,
      between_segments: breaks.has(t),
    };
  }

  let sessions = 0;
  let complete = 0;
  let expectedBars = 0;
  let foundBars = 0;
  const partial: PartialSession[] = [];
  if (interval.ms <= DAY_MS) {
    const last = sessionDay(calendar, interval, openTimeMs[length - 1]);
    for (let dayId = sessionDay(calendar, interval, openTimeMs[0]); dayId <= last; dayId++) {
      const session = calendar.sessionOnDay(dayId);
      if (session === null) continue;
      const expected = barsOf(session);
      const found = perDay.get(dayId) ?? 0;
      sessions++;
      expectedBars += expected;
      foundBars += Math.min(found, expected);
      if (found >= expected) complete++;
      else if (found > 0)
        partial.push({ date: new Date(dayId * DAY_MS).toISOString().slice(0, 10), bars: found, expected });
    }
  }
  return {
    gaps: listed(gaps, limit, (a, b) => b.missing_bars - a.missing_bars),
    off_calendar: listed(offCalendar, limit),
    overlapping: listed(overlapping, limit),
    coverage: {
      sessions,
      complete,
      empty: sessions - complete - partial.length,
      share: expectedBars === 0 ? 1 : foundBars / expectedBars,
      partial: listed(partial, limit, (a, b) => a.bars / a.expected - b.bars / b.expected),
    },
  };
}

function zeroVolume({ volume, length }: Bars): Findings['zero_volume'] {
  let count = 0;
  let run = 0;
  let longest = 0;
  for (let t = 0; t < length; t++) {
    run = volume[t] === 0 ? run + 1 : 0;
    if (run > 0) count++;
    longest = Math.max(longest, run);
  }
  return { count, longest_run: longest };
}

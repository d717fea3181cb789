/** Where a series breaks: an episode, an indicator or a return never crosses a segment's boundary. */
import type { Interval, Segment } from '#env/market/bars.js';
import type { TradingCalendar } from '#env/market/calendar.js';
import { utcInstant } from '#env/market/window.js';
import { fail } from '#src/errors.js';
import { DAY_MS } from './interval.js';

/**
 * none: one segment. month-gap: a new segment where more than 15 sessions are missing, that is, the better part of a
 * month. max_gap_sessions: where more than so many are missing. A list: by dates, `from` inclusive, `to` exclusive,
 * UTC; every bar must lie in one of them.
 */
export type SegmentRule = 'none' | 'month-gap' | { max_gap_sessions: number } | readonly { from: string; to: string }[];

export const MONTH_GAP_SESSIONS = 15;
/** Where a manifest says nothing: a week without bars is no return. */
export const DEFAULT_SEGMENT_RULE: SegmentRule = { max_gap_sessions: 5 };

/** Sessions of which no bar is there between two neighbouring bars, those of the two bars left out. */
export function missingSessions(
  calendar: TradingCalendar,
  interval: Interval,
  earlierMs: number,
  laterMs: number,
): number {
  const first = sessionDay(calendar, interval, earlierMs);
  const last = sessionDay(calendar, interval, laterMs);
  let count = 0;
  for (let dayId = first + 1; dayId < last; dayId++) if (calendar.sessionOnDay(dayId) !== null) count++;
  return count;
}

/** Date (days since 1970-01-01) of the session to which a bar belongs; off the calendar, its UTC date. */
export function sessionDay(calendar: TradingCalendar, interval: Interval, openTimeMs: number): number {
  const utcDay = Math.floor(openTimeMs / DAY_MS);
  return interval.ms >= DAY_MS ? utcDay : (calendar.sessionAt(openTimeMs)?.dayId ?? utcDay);
}

/** Throws DATA_WINDOW where a list of segments leaves bars out, overlaps, or has an empty one. */
export function segmentsOf(
  openTimeMs: Float64Array,
  interval: Interval,
  calendar: TradingCalendar,
  rule: SegmentRule,
  where: string,
): Segment[] {
  const length = openTimeMs.length;
  if (rule === 'none') return [{ start: 0, end: length }];
  if (typeof rule === 'object' && !('max_gap_sessions' in rule)) return listedSegments(openTimeMs, rule, where);
  const limit = rule === 'month-gap' ? MONTH_GAP_SESSIONS : rule.max_gap_sessions;
  const segments: Segment[] = [];
  let start = 0;
  for (let t = 1; t < length; t++) {
    // so many sessions take at least so many days
    if (openTimeMs[t] - openTimeMs[t - 1] <= limit * DAY_MS) continue;
    if (missingSessions(calendar, interval, openTimeMs[t - 1], openTimeMs[t]) > limit) {
      segments.push({ start, end: t });
      start = t;
    }
  }
  segments.push({ start, end: length });
  return segments;
}

function listedSegments(
  openTimeMs: Float64Array,
  list: readonly { from: string; to: string }[],
  where: string,
): Segment[] {
  const segments: Segment[] = [];
  let at = 0;
  let endMs = -Infinity;
  for (const [i, { from, to }] of list.entries()) {
    const fromMs = utcInstant(from, `${where} segments[${i}].from`);
    const toMs = utcInstant(to, `${where} segments[${i}].to`);
    if (!(fromMs < toMs) || fromMs < endMs) {
      fail('DATA_WINDOW', {
        where: `${where} segments[${i}]`,
        value: [from, to],
        message: 'a segment must end after it begins, and begin where the one before it ends or later',
      });
    }
    endMs = toMs;
    if (at < openTimeMs.length && openTimeMs[at] < fromMs) {
      fail('DATA_WINDOW', {
        where: `${where} segments[${i}]`,
        value: new Date(openTimeMs[at]).toISOString(),
        message: 'this bar lies before the segment and in none before it: the list must cover all bars, in order',
      });
    }
    const start = at;
    while (at < openTimeMs.length && openTimeMs[at] < toMs) at++;
    if (at === start)
      fail('DATA_WINDOW', {
        where: `${where} segments[${i}]`,
        value: [from, to],
        message: 'no bar lies in this segment: remove it or correct its dates',
      });
    segments.push({ start, end: at });
  }
  if (at < openTimeMs.length) {
    fail('DATA_WINDOW', {
      where: `${where} segments`,
      value: new Date(openTimeMs[at]).toISOString(),
      message: 'this bar lies after the last segment: the list must cover all bars',
    });
  }
  return segments;
}

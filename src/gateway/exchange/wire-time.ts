/** Times as the TWS API writes and reads them: "20240102 09:30:00 US/Eastern", "20240102-14:30:00" (UTC), "20240102". */
import type { TradingCalendar } from '#env/market/calendar.js';
import { ZoneClock } from '#src/data/time-zone.js';

const DAY_MS = 86_400_000;
const two = (n: number): string => (n < 10 ? `0${n}` : String(n));

/** The names that IBKR gives to the zones of its contracts. */
const IBKR_ZONES: Readonly<Record<string, string>> = { 'America/New_York': 'US/Eastern' };

export function zoneName(calendar: TradingCalendar): string {
  return IBKR_ZONES[calendar.timeZone] ?? calendar.timeZone;
}

/** "yyyymmdd" of days since 1970-01-01. */
export function dateText(dayId: number): string {
  const date = new Date(dayId * DAY_MS);
  return `${date.getUTCFullYear()}${two(date.getUTCMonth() + 1)}${two(date.getUTCDate())}`;
}

function clockText(localMs: number): string {
  const date = new Date(localMs);
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
}

/** "yyyymmdd hh:mm:ss zone" in the calendar's zone. */
export function localTimeText(timeMs: number, calendar: TradingCalendar): string {
  const localMs = timeMs + calendar.utcOffsetMs(timeMs);
  return `${dateText(Math.floor(localMs / DAY_MS))} ${clockText(localMs)} ${zoneName(calendar)}`;
}

/** "yyyymmdd-hh:mm:ss", UTC. */
export function utcTimeText(timeMs: number): string {
  return `${dateText(Math.floor(timeMs / DAY_MS))}-${clockText(timeMs)}`;
}

/** "yyyymmdd:hhmm" in the calendar's zone, as trading hours write it. */
export function hoursText(timeMs: number, calendar: TradingCalendar): string {
  const localMs = timeMs + calendar.utcOffsetMs(timeMs);
  return `${dateText(Math.floor(localMs / DAY_MS))}:${clockText(localMs).slice(0, 5).replace(':', '')}`;
}

/** "hh:mm" in the calendar's zone. */
export function minuteText(timeMs: number, calendar: TradingCalendar): string {
  return clockText(timeMs + calendar.utcOffsetMs(timeMs)).slice(0, 5);
}

const zoneClocks = new Map<string, ZoneClock | null>();

/** Null where there is no such zone. */
function zoneClock(name: string): ZoneClock | null {
  let clock = zoneClocks.get(name);
  if (clock === undefined) {
    clock = isZone(name) ? new ZoneClock(name, 'time zone') : null;
    zoneClocks.set(name, clock);
  }
  return clock;
}

const MOST_ZONES = 600;

/** Whether Intl knows the zone; abbreviations (EST) name none without doubt. */
function isZone(name: string): boolean {
  if (zoneClocks.size > MOST_ZONES) zoneClocks.clear();
  if (name === 'UTC' || name === 'GMT') return true;
  if (!/^[A-Za-z]+(?:\/[A-Za-z_+\-0-9]+){1,2}$/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch (cause) {
    if (cause instanceof RangeError) return false;
    throw cause;
  }
}

export type ParsedTime = { readonly timeMs: number; readonly zoned: boolean } | 'invalid';

/**
 * An instant of the API: "yyyymmdd hh:mm:ss [zone]", "yyyymmdd-hh:mm:ss" (UTC), "yyyymmdd [zone]" (that day's midnight
 * at its end is not meant: 00:00), or "hh:mm:ss" of today. Without a zone, that of the calendar. A local time that a
 * change of the clocks skips or repeats is taken at the standard offset of the day before.
 */
export function parseTime(text: string, calendar: TradingCalendar, nowMs: number): ParsedTime {
  const match = /^(?:(\d{4})(\d{2})(\d{2}))?(?:(-| +)?(\d{1,2}):(\d{2})(?::(\d{2}))?)?(?: +([^ ]+))?$/.exec(
    text.trim(),
  );
  if (match === null) return 'invalid';
  const [, year, month, day, separator, hour, minute, second, zone] = match;
  if ((year === undefined && hour === undefined) || (separator === '-' && zone !== undefined)) return 'invalid';
  const utc = separator === '-';
  const clock = zone === undefined ? null : zoneClock(zone);
  if (zone !== undefined && clock === null) return 'invalid';
  const offsetAt = (timeMs: number): number =>
    utc ? 0 : clock === null ? calendar.utcOffsetMs(timeMs) : clock.offsetAt(timeMs);
  const today = Math.floor((nowMs + offsetAt(nowMs)) / DAY_MS) * DAY_MS;
  const dayMs = year === undefined ? today : Date.UTC(Number(year), Number(month) - 1, Number(day));
  const dayOk = year === undefined || dateText(dayMs / DAY_MS) === `${year}${month}${day}`;
  const [h, m, s] = [hour ?? 0, minute ?? 0, second ?? 0].map(Number);
  if (!dayOk || h > 24 || m > 59 || s > 60) return 'invalid';
  const localMs = dayMs + ((h * 60 + m) * 60 + s) * 1000;
  if (!(localMs >= CALENDAR_FROM_MS && localMs < CALENDAR_TO_MS)) return 'invalid';
  const guess = localMs - offsetAt(localMs - DAY_MS / 2);
  return { timeMs: localMs - offsetAt(guess), zoned: utc || zone !== undefined };
}

/** Beyond these the calendars know nothing. */
const CALENDAR_FROM_MS = Date.UTC(1980, 0, 1);
const CALENDAR_TO_MS = Date.UTC(2100, 0, 1);

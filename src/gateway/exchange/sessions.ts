/** Sessions of a calendar without its edges: days beyond the years that it knows have none. */
import type { Session, TradingCalendar } from '#env/market/calendar.js';

const DAY_MS = 86_400_000;
/** The years of the calendars in env/market, but for 24x7, which has no end. */
const FIRST_DAY = Date.UTC(2000, 0, 1) / DAY_MS;
const LAST_DAY = Date.UTC(2030, 11, 31) / DAY_MS;
/** No market is closed for longer. */
const MOST_CLOSED_DAYS = 14;

/** The session of a date; null: closed; undefined: not known. */
export function knownSession(calendar: TradingCalendar, dayId: number): Session | null | undefined {
  if (calendar.name !== '24x7' && !(dayId >= FIRST_DAY && dayId <= LAST_DAY)) return undefined;
  return calendar.sessionOnDay(dayId);
}

/** The date of an instant in the calendar's zone, days since 1970-01-01. */
export function localDay(calendar: TradingCalendar, timeMs: number): number {
  return Math.floor((timeMs + calendar.utcOffsetMs(timeMs)) / DAY_MS);
}

/** The session that contains the instant, or else the next one; null where none is known. */
export function sessionAtOrAfter(calendar: TradingCalendar, timeMs: number): Session | null {
  const first = localDay(calendar, timeMs);
  for (let dayId = first; dayId <= first + MOST_CLOSED_DAYS; dayId++) {
    const session = knownSession(calendar, dayId);
    if (session !== null && session !== undefined && timeMs < session.closeMs) return session;
  }
  return null;
}

/** Sessions that open in [fromMs, toMs), as far as they are known. */
export function knownSessionsBetween(calendar: TradingCalendar, fromMs: number, toMs: number): Session[] {
  const limits = calendar.name === '24x7' ? [-Infinity, Infinity] : [FIRST_DAY * DAY_MS, LAST_DAY * DAY_MS];
  return calendar.sessionsBetween(Math.max(fromMs, limits[0]), Math.min(toMs, limits[1]));
}

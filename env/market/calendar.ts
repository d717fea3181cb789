/** Trading calendars: dated sessions in an exchange's own time zone, half days and holidays included. */
import { fail } from '#src/errors.js';
import { DAY_MS, HOUR_MS, MINUTE_MS, dayIdOf, newYorkOffsetMs, weekdayOf } from './calendars/dates.js';
import { XNYS_FIRST_YEAR, XNYS_LAST_YEAR, xnysSessions } from './calendars/xnys.js';

export interface Session {
  /** The session's date as days since 1970-01-01 (the exchange's own date). */
  readonly dayId: number;
  readonly openMs: number;
  readonly closeMs: number;
}

export interface TradingCalendar {
  readonly name: string;
  /** IANA zone, e.g. "America/New_York". */
  readonly timeZone: string;
  /** The session that contains the instant (open <= t < close), or null where the market is closed. */
  sessionAt(timeMs: number): Session | null;
  /** The session of a daily bar that carries the session's date at 00:00 UTC, or null on a holiday. */
  sessionOnDay(dayId: number): Session | null;
  /** Sessions that open in [fromMs, toMs), in order. */
  sessionsBetween(fromMs: number, toMs: number): Session[];
  /** Local time minus UTC at the instant, in milliseconds: local minutes of day are (t + offset) modulo a day. */
  utcOffsetMs(timeMs: number): number;
}

/**
 * A calendar by its name: XNYS (New York Stock Exchange, regular hours), FX (Sunday 17:00 to Friday 17:00 New York,
 * rolling at 17:00; each session bears the date on which it closes; no holidays), 24x7 (UTC days). XNYS and FX know
 * the years 2000 to 2030 and throw DATA_TIME outside them: a guess about holidays would pass for knowledge.
 * Throws DATA_MANIFEST for an unknown name.
 */
export function calendarNamed(name: string): TradingCalendar {
  const known = built.get(name);
  if (known !== undefined) return known;
  const calendar =
    name === 'XNYS' ? makeXnys() : name === 'FX' ? makeFx() : name === '24x7' ? new RoundTheClock() : undefined;
  if (calendar === undefined) {
    fail('DATA_MANIFEST', {
      where: 'calendar',
      value: name,
      message: `unknown calendar: choose one of ${CALENDAR_NAMES.join(', ')}`,
    });
  }
  built.set(name, calendar);
  return calendar;
}

export const CALENDAR_NAMES: readonly string[] = ['XNYS', 'FX', '24x7'];

const built = new Map<string, TradingCalendar>();

/** Sessions by their date in a table: every question is a lookup of at most two days, without allocation. */
class TableCalendar implements TradingCalendar {
  readonly name: string;
  readonly timeZone = 'America/New_York';
  readonly #sessions: readonly Session[];
  readonly #firstDay: number;
  /** Index into #sessions by day, -1 where there is none. */
  readonly #indexByDay: Int32Array;

  constructor(name: string, sessions: readonly Session[], firstDay: number, lastDay: number) {
    this.name = name;
    this.#sessions = sessions;
    this.#firstDay = firstDay;
    this.#indexByDay = new Int32Array(lastDay - firstDay + 1).fill(-1);
    for (let i = 0; i < sessions.length; i++) this.#indexByDay[sessions[i].dayId - firstDay] = i;
  }

  sessionAt(timeMs: number): Session | null {
    const dayId = Math.floor(timeMs / DAY_MS);
    // New York lies west of Greenwich: a session may have opened on the UTC day before the date that it bears
    const today = this.sessionOnDay(dayId);
    if (today !== null && timeMs < today.closeMs) return timeMs >= today.openMs ? today : null;
    if (dayId + 1 - this.#firstDay >= this.#indexByDay.length) return null;
    const tomorrow = this.sessionOnDay(dayId + 1);
    return tomorrow !== null && timeMs >= tomorrow.openMs ? tomorrow : null;
  }

  sessionOnDay(dayId: number): Session | null {
    const index = this.#indexByDay[dayId - this.#firstDay];
    if (index === undefined) this.#failRange(dayId * DAY_MS);
    return index < 0 ? null : this.#sessions[index];
  }

  sessionsBetween(fromMs: number, toMs: number): Session[] {
    if (!(fromMs < toMs)) return [];
    const first = this.#firstOpeningAtOrAfter(fromMs);
    return this.#sessions.slice(first, Math.max(first, this.#firstOpeningAtOrAfter(toMs)));
  }

  utcOffsetMs(timeMs: number): number {
    return newYorkOffsetMs(timeMs);
  }

  #firstOpeningAtOrAfter(timeMs: number): number {
    const day = Math.floor(timeMs / DAY_MS);
    if (!(day >= this.#firstDay - 1 && day <= this.#firstDay + this.#indexByDay.length)) this.#failRange(timeMs);
    let low = 0;
    let high = this.#sessions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#sessions[middle].openMs < timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #failRange(timeMs: number): never {
    const value = Math.abs(timeMs) <= 8.64e15 ? new Date(timeMs).toISOString() : timeMs;
    fail('DATA_TIME', {
      where: `calendar ${this.name}`,
      value,
      message: `this calendar knows the years ${XNYS_FIRST_YEAR} to ${XNYS_LAST_YEAR}: take data inside them, or the calendar 24x7`,
    });
  }
}

function makeXnys(): TradingCalendar {
  const sessions: Session[] = [];
  for (let year = XNYS_FIRST_YEAR; year <= XNYS_LAST_YEAR; year++) {
    for (const { dayId, open, close } of xnysSessions(year)) {
      const midnight = dayId * DAY_MS - newYorkOffsetMs(dayId * DAY_MS + 14 * HOUR_MS);
      sessions.push({ dayId, openMs: midnight + open * MINUTE_MS, closeMs: midnight + close * MINUTE_MS });
    }
  }
  return new TableCalendar('XNYS', sessions, dayIdOf(XNYS_FIRST_YEAR, 1, 1), dayIdOf(XNYS_LAST_YEAR, 12, 31));
}

function makeFx(): TradingCalendar {
  const firstDay = dayIdOf(XNYS_FIRST_YEAR, 1, 1);
  const lastDay = dayIdOf(XNYS_LAST_YEAR, 12, 31);
  const sessions: Session[] = [];
  for (let dayId = firstDay; dayId <= lastDay; dayId++) {
    const weekday = weekdayOf(dayId);
    if (weekday !== 0 && weekday !== 6) sessions.push({ dayId, openMs: fivePm(dayId - 1), closeMs: fivePm(dayId) });
  }
  return new TableCalendar('FX', sessions, firstDay, lastDay);
}

/** 17:00 New York on a date: clocks change at 02:00, so the offset is that of 21:00 UTC on the same date. */
function fivePm(dayId: number): number {
  return dayId * DAY_MS + 17 * HOUR_MS - newYorkOffsetMs(dayId * DAY_MS + 21 * HOUR_MS);
}

/** Every UTC day is a session; days are made once and kept. */
class RoundTheClock implements TradingCalendar {
  readonly name = '24x7';
  readonly timeZone = 'UTC';
  readonly #byDay = new Map<number, Session>();
  #last: Session = this.sessionOnDay(0);

  sessionAt(timeMs: number): Session {
    if (timeMs >= this.#last.openMs && timeMs < this.#last.closeMs) return this.#last;
    this.#last = this.sessionOnDay(Math.floor(timeMs / DAY_MS));
    return this.#last;
  }

  sessionOnDay(dayId: number): Session {
    let session = this.#byDay.get(dayId);
    if (session === undefined) {
      session = { dayId, openMs: dayId * DAY_MS, closeMs: (dayId + 1) * DAY_MS };
      this.#byDay.set(dayId, session);
    }
    return session;
  }

  sessionsBetween(fromMs: number, toMs: number): Session[] {
    const sessions: Session[] = [];
    for (let dayId = Math.ceil(fromMs / DAY_MS); dayId * DAY_MS < toMs; dayId++)
      sessions.push(this.sessionOnDay(dayId));
    return sessions;
  }

  utcOffsetMs(): number {
    return 0;
  }
}

/** Proleptic Gregorian dates as days since 1970-01-01, and the United States' summer time. No ICU, no host zone. */

export const DAY_MS = 86_400_000;
export const HOUR_MS = 3_600_000;
export const MINUTE_MS = 60_000;

/** Days since 1970-01-01 of a civil date; month and day count from 1. */
export function dayIdOf(year: number, month: number, day: number): number {
  return Date.UTC(year, month - 1, day) / DAY_MS;
}

/** 0 Sunday .. 6 Saturday. 1970-01-01 was a Thursday. */
export function weekdayOf(dayId: number): number {
  return (((dayId + 4) % 7) + 7) % 7;
}

/** The n-th (from 1) given weekday of a month. */
export function nthWeekday(year: number, month: number, weekday: number, n: number): number {
  const first = dayIdOf(year, month, 1);
  return first + ((weekday - weekdayOf(first) + 7) % 7) + (n - 1) * 7;
}

export function lastWeekday(year: number, month: number, weekday: number): number {
  const last = dayIdOf(month === 12 ? year + 1 : year, month === 12 ? 1 : month + 1, 1) - 1;
  return last - ((weekdayOf(last) - weekday + 7) % 7);
}

/** Easter Sunday, by the anonymous Gregorian computus (Meeus, Astronomical Algorithms, chapter 8). */
export function easterSunday(year: number): number {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const d = Math.floor(b / 4);
  const e = b % 4;
  const f = Math.floor((b + 8) / 25);
  const g = Math.floor((b - f + 1) / 3);
  const h = (19 * a + b - d - g + 15) % 30;
  const i = Math.floor(c / 4);
  const k = c % 4;
  const l = (32 + 2 * e + 2 * i - h - k) % 7;
  const m = Math.floor((a + 11 * h + 22 * l) / 451);
  const monthAndDay = h + l - 7 * m + 114;
  return dayIdOf(year, Math.floor(monthAndDay / 31), (monthAndDay % 31) + 1);
}

/**
 * First and last instant of New York's summer time in a year, [start, end). Since 2007 from the second Sunday of
 * March to the first of November (Energy Policy Act of 2005); 1987 to 2006 from the first Sunday of April to the last
 * of October. Clocks change at 02:00 local: 07:00 UTC in spring, 06:00 UTC in autumn.
 */
export function newYorkSummer(year: number): readonly [startMs: number, endMs: number] {
  const start = year >= 2007 ? nthWeekday(year, 3, 0, 2) : nthWeekday(year, 4, 0, 1);
  const end = year >= 2007 ? nthWeekday(year, 11, 0, 1) : lastWeekday(year, 10, 0);
  return [start * DAY_MS + 7 * HOUR_MS, end * DAY_MS + 6 * HOUR_MS];
}

const SUMMER_FIRST_YEAR = 1987;
const SUMMER_LAST_YEAR = 2099;
const summers: (readonly [number, number])[] = [];
for (let year = SUMMER_FIRST_YEAR; year <= SUMMER_LAST_YEAR; year++) summers.push(newYorkSummer(year));

/** New York's local time minus UTC at an instant: -4 or -5 hours, by the rules of 1987 to 2099. No allocation. */
export function newYorkOffsetMs(timeMs: number): number {
  // the mean Gregorian year is exact enough: both changes lie months away from New Year
  const year = 1970 + Math.floor(timeMs / (365.2425 * DAY_MS));
  const summer = summers[Math.min(Math.max(year - SUMMER_FIRST_YEAR, 0), summers.length - 1)];
  return timeMs >= summer[0] && timeMs < summer[1] ? -4 * HOUR_MS : -5 * HOUR_MS;
}

/**
 * The New York Stock Exchange's sessions, 2000 to 2030: regular 09:30 to 16:00, by NYSE rule 7.2 and the exchange's
 * announcements of special closings.
 */
import { dayIdOf, easterSunday, lastWeekday, nthWeekday, weekdayOf } from './dates.js';

export const XNYS_FIRST_YEAR = 2000;
export const XNYS_LAST_YEAR = 2030;

/** Minutes after local midnight. */
const OPEN = 9 * 60 + 30;
const CLOSE = 16 * 60;
const EARLY_CLOSE = 13 * 60;

/** Closed by decision, not by rule. */
const SPECIAL_CLOSINGS: readonly (readonly [number, number, number])[] = [
  [2001, 9, 11],
  [2001, 9, 12],
  [2001, 9, 13],
  [2001, 9, 14], // attacks on New York
  [2004, 6, 11], // funeral of President Reagan
  [2007, 1, 2], // funeral of President Ford
  [2012, 10, 29],
  [2012, 10, 30], // hurricane Sandy
  [2018, 12, 5], // funeral of President G. H. W. Bush
  [2025, 1, 9], // funeral of President Carter
];

export interface SessionHours {
  readonly dayId: number;
  /** Minutes after local midnight. */
  readonly open: number;
  readonly close: number;
}

/** All sessions of a year, in order, in local minutes. */
export function xnysSessions(year: number): SessionHours[] {
  const closed = closedDays(year);
  const early = earlyCloses(year);
  const sessions: SessionHours[] = [];
  for (let dayId = dayIdOf(year, 1, 1); dayId < dayIdOf(year + 1, 1, 1); dayId++) {
    const weekday = weekdayOf(dayId);
    if (weekday === 0 || weekday === 6 || closed.has(dayId)) continue;
    // a ceremony at the anniversary of the attacks delayed the opening to noon
    const open = dayId === dayIdOf(2002, 9, 11) ? 12 * 60 : OPEN;
    sessions.push({ dayId, open, close: early.has(dayId) ? EARLY_CLOSE : CLOSE });
  }
  return sessions;
}

function closedDays(year: number): Set<number> {
  const days = new Set<number>();
  const newYear = dayIdOf(year, 1, 1);
  // a New Year's Day on a Saturday is not made up for on Friday: the year's accounts close on that day
  days.add(weekdayOf(newYear) === 0 ? newYear + 1 : newYear);
  days.add(nthWeekday(year, 1, 1, 3)); // Martin Luther King Jr. Day
  days.add(nthWeekday(year, 2, 1, 3)); // Washington's Birthday
  days.add(easterSunday(year) - 2); // Good Friday
  days.add(lastWeekday(year, 5, 1)); // Memorial Day
  if (year >= 2022) days.add(observed(dayIdOf(year, 6, 19))); // Juneteenth
  days.add(observed(dayIdOf(year, 7, 4)));
  days.add(nthWeekday(year, 9, 1, 1)); // Labor Day
  days.add(nthWeekday(year, 11, 4, 4)); // Thanksgiving
  days.add(observed(dayIdOf(year, 12, 25)));
  for (const [y, month, day] of SPECIAL_CLOSINGS) if (y === year) days.add(dayIdOf(y, month, day));
  return days;
}

function earlyCloses(year: number): Set<number> {
  const days = new Set<number>();
  days.add(nthWeekday(year, 11, 4, 4) + 1); // the Friday after Thanksgiving
  const independence = weekdayOf(dayIdOf(year, 7, 4));
  // before a Tuesday, Wednesday or Friday the day before is short; around a Thursday it was the Friday until 2012
  if (independence === 2 || independence === 3 || independence === 5) days.add(dayIdOf(year, 7, 3));
  if (independence === 4) days.add(year <= 2012 ? dayIdOf(year, 7, 5) : dayIdOf(year, 7, 3));
  const christmasEve = dayIdOf(year, 12, 24);
  if (weekdayOf(christmasEve) >= 1 && weekdayOf(christmasEve) <= 4) days.add(christmasEve);
  if (year === 2003) days.add(dayIdOf(2003, 12, 26));
  return days;
}

/** A holiday on Saturday is kept on Friday, one on Sunday on Monday. */
function observed(dayId: number): number {
  const weekday = weekdayOf(dayId);
  return weekday === 6 ? dayId - 1 : weekday === 0 ? dayId + 1 : dayId;
}

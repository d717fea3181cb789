/**
 * Options of the simulation: listed by rule, since no listing of the real ones is part of it. Expirations are the next
 * six Fridays, the third Fridays of a year, and those of January, June and December for three years, the session before
 * where a Friday is none; strikes stand from half to one and a half times the stock's price.
 */
import { calendarNamed } from '#env/market/calendar.js';
import { knownSession } from './sessions.js';
import { dateText } from './wire-time.js';

const DAY_MS = 86_400_000;
const WEEKLIES = 6;
const MONTHLIES = 12;
const LEAPS_MONTHS = 36;
const FRIDAY = 5;

/** Days since 1970-01-01 of a month's third Friday; `month` counts from 0 and may lie beyond the year. */
export function thirdFriday(year: number, month: number): number {
  const firstDay = Date.UTC(year, month, 1) / DAY_MS;
  return firstDay + ((FRIDAY - weekday(firstDay) + 7) % 7) + 14;
}

const weekday = (dayId: number): number => new Date(dayId * DAY_MS).getUTCDay();

/** "yyyymmdd", ascending, from the day of `nowMs` on. */
export function listedExpirations(nowMs: number): string[] {
  const today = Math.floor(nowMs / DAY_MS);
  const now = new Date(nowMs);
  const days = new Set<number>();
  const nextFriday = today + ((FRIDAY - weekday(today) + 7) % 7);
  for (let k = 0; k < WEEKLIES; k++) days.add(nextFriday + 7 * k);
  for (let k = 0; k <= LEAPS_MONTHS; k++) {
    const month = now.getUTCMonth() + k;
    const isLeaps = month % 12 === 0 || month % 12 === 5 || month % 12 === 11;
    if (k < MONTHLIES || isLeaps) days.add(thirdFriday(now.getUTCFullYear(), month));
  }
  return [...days]
    .filter((day) => day >= today)
    .map(tradingDayUpTo)
    .sort((a, b) => a - b)
    .map(dateText);
}

function tradingDayUpTo(friday: number): number {
  return knownSession(calendarNamed('XNYS'), friday) === null ? friday - 1 : friday;
}

/** Of a stock that trades at `price`, ascending; none where there is no price. */
export function listedStrikes(price: number): number[] {
  if (!(price > 0)) return [];
  const step = price < 25 ? 0.5 : price < 200 ? 1 : price < 500 ? 2.5 : 5;
  const strikes: number[] = [];
  for (let k = Math.ceil(price / 2 / step); k * step <= price * 1.5; k++) strikes.push(k * step);
  return strikes;
}

/** How many bars a year has: what turns a figure per bar into a figure per year. */

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const DAYS_PER_YEAR = 365.25;

/** Sessions a year and minutes a session, by calendar. XNYS: 252 is the convention (251 to 253 in practice). */
const YEARS: Readonly<Record<string, { readonly sessions: number; readonly minutes: number }>> = {
  XNYS: { sessions: 252, minutes: 390 },
  // Sunday 17:00 to Friday 17:00 New York, no holidays: 260.9 sessions of 24 hours
  FX: { sessions: (DAYS_PER_YEAR * 5) / 7, minutes: 1440 },
  '24x7': { sessions: DAYS_PER_YEAR, minutes: 1440 },
};

/**
 * Bars a year of a calendar: daily XNYS 252, one-minute XNYS 252 x 390 = 98,280, hourly FX 6,261. A session's last
 * bar may be short (an hourly XNYS session has 7 bars). Intervals over a day count calendar time. A calendar
 * without a rule is measured: bars over elapsed years, from the stamps; one bar or none counts as one a day.
 *
 * @param calendar name of the trading calendar
 * @param intervalMs nominal length of a bar in milliseconds
 * @param timeMs stamps of the bars, for calendars without a rule
 */
export function barsPerYear(calendar: string, intervalMs: number, timeMs: Float64Array): number {
  if (intervalMs > DAY_MS) return (DAYS_PER_YEAR * DAY_MS) / intervalMs;
  const year = YEARS[calendar];
  if (year !== undefined) return year.sessions * Math.ceil((year.minutes * MINUTE_MS) / intervalMs);
  const last = timeMs.length - 1;
  if (last < 1) return DAYS_PER_YEAR;
  return (last * DAYS_PER_YEAR * DAY_MS) / (timeMs[last] - timeMs[0]);
}

/** What a session holds at the least of its bars on average, for `barsPerYear` to be taken at its word. */
export const FULL_SESSIONS = 0.9;

/**
 * Share of the bars that full sessions would hold which are really there, over the days that have any, without the
 * first and the last, which a window may cut: 0.7 says that three minutes in ten are missing (halts, no trades, holes
 * in the data). Figures a year then count more bars than a year has: a Sharpe ratio by 1 / sqrt(share). Null where
 * a day says nothing: daily bars and longer, calendars whose sessions cross midnight UTC, fewer than five days.
 */
export function sessionCoverage(calendar: string, intervalMs: number, timeMs: Float64Array): number | null {
  const year = YEARS[calendar];
  if (year === undefined || calendar === 'FX' || intervalMs >= DAY_MS) return null;
  const counts = new Map<number, number>();
  for (const time of timeMs) {
    const day = Math.floor(time / DAY_MS);
    counts.set(day, (counts.get(day) ?? 0) + 1);
  }
  const days = [...counts.keys()].sort((a, b) => a - b).slice(1, -1);
  if (days.length < 3) return null;
  const bars = days.reduce((sum, day) => sum + (counts.get(day) ?? 0), 0);
  return bars / (days.length * Math.ceil((year.minutes * MINUTE_MS) / intervalMs));
}

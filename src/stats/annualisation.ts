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

/**
 * The x axis counts bars, so that nights and weekends take no room; its ticks stand where days, weeks, months or
 * years begin. All dates are UTC.
 */

export interface TimeAxis {
  /** Rows with a tick. */
  readonly rows: readonly number[];
  /** Their labels. */
  readonly labels: readonly string[];
}

const DAY_MS = 86_400_000;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

interface Unit {
  /** A number that changes where the unit begins anew. */
  readonly key: (date: Date) => number;
  readonly label: (date: Date) => string;
  /** A time of day says nothing where there are several days. */
  readonly withinDay?: boolean;
}

const year = (date: Date): number => date.getUTCFullYear();
const month = (date: Date): number => 12 * year(date) + date.getUTCMonth();
const day = (date: Date): number => Math.floor(date.getTime() / DAY_MS);
const monthLabel = (date: Date): string => `${MONTHS[date.getUTCMonth()]} ${year(date)}`;
const dayLabel = (date: Date): string => `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
const clock = (date: Date): string => `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
const two = (value: number): string => String(value).padStart(2, '0');

/** From fine to coarse; the first that gives few enough ticks is taken. */
const UNITS: readonly Unit[] = [
  ...[10, 60, 240].map((minutes) => ({
    key: (date: Date) => Math.floor(date.getTime() / (minutes * 60_000)),
    label: clock,
    withinDay: true,
  })),
  { key: day, label: dayLabel },
  // weeks begin on Monday: day 0 was a Thursday
  { key: (date) => Math.floor((day(date) + 3) / 7), label: dayLabel },
  ...[1, 2, 3, 6].map((months) => ({ key: (date: Date) => Math.floor(month(date) / months), label: monthLabel })),
  ...[1, 2, 5, 10].map((years) => ({
    key: (date: Date) => Math.floor(year(date) / years),
    label: (date: Date) => String(year(date)),
  })),
];

/**
 * Ticks for T rows, at most `limit` of them.
 *
 * @param timeMs (T) ascending stamps
 */
export function timeAxis(timeMs: Float64Array, limit = 14): TimeAxis {
  const spanMs = timeMs.length > 0 ? timeMs[timeMs.length - 1] - timeMs[0] : 0;
  for (const unit of UNITS) {
    if (unit.withinDay === true && spanMs > 1.5 * DAY_MS) continue;
    const rows = beginnings(timeMs, unit, limit);
    if (rows !== null) return { rows, labels: rows.map((row) => unit.label(new Date(timeMs[row]))) };
  }
  return { rows: [], labels: [] };
}

/** Rows where the unit begins anew; null where they are more than `limit`, or none in many rows. */
function beginnings(timeMs: Float64Array, { key }: Unit, limit: number): number[] | null {
  const rows: number[] = [];
  for (let t = 0; t < timeMs.length; t++) {
    const begins = t === 0 ? timeMs.length === 1 : key(new Date(timeMs[t])) !== key(new Date(timeMs[t - 1]));
    if (begins) rows.push(t);
    if (rows.length > limit) return null;
  }
  return rows;
}

/** Bar intervals: "30s", "1m", "5m", "1h", "1d", "1w". */
import type { Interval } from '#env/market/bars.js';
import { fail } from '#src/errors.js';

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
export const DAY_MS = 86_400_000;

/** Throws DATA_TIME. */
export function parseInterval(label: string, where: string): Interval {
  const match = /^([1-9]\d{0,4})([smhdw])$/.exec(label);
  if (match === null)
    fail('DATA_TIME', { where, value: label, message: 'not an interval: write 30s, 1m, 5m, 1h, 1d or 1w' });
  return intervalOfMs(Number(match[1]) * UNIT_MS[match[2]], where);
}

/** The interval of a length, in its largest whole unit: 3,600,000 ms is "1h". Throws DATA_TIME. */
export function intervalOfMs(ms: number, where: string): Interval {
  if (ms > UNIT_MS['w']) {
    fail('DATA_TIME', {
      where,
      value: `${ms / DAY_MS}d`,
      message: 'bars longer than a week are not supported (months have no one length): take daily or weekly bars',
    });
  }
  for (const unit of ['w', 'd', 'h', 'm', 's']) {
    if (ms > 0 && ms % UNIT_MS[unit] === 0) return { label: `${ms / UNIT_MS[unit]}${unit}`, ms };
  }
  return fail('DATA_TIME', { where, value: `${ms} ms`, message: 'an interval must be a whole number of seconds' });
}

/**
 * The most frequent difference between neighbours. Throws DATA_TIME where fewer than two times are there, or where
 * no difference stands for at least half of them: then the file mixes intervals and the user must say which it is.
 */
export function detectInterval(times: Float64Array, where: string): Interval {
  if (times.length < 2)
    fail('DATA_TIME', { where, message: 'one bar does not tell its interval: say it (--interval 1m)' });
  const counts = new Map<number, number>();
  for (let t = 1; t < times.length; t++) {
    // times need not be in order yet: what is out of order is complained about elsewhere
    const difference = Math.abs(times[t] - times[t - 1]);
    if (difference > 0) counts.set(difference, (counts.get(difference) ?? 0) + 1);
  }
  let mode = 0;
  let most = 0;
  let all = 0;
  for (const [difference, count] of counts) {
    all += count;
    if (count > most || (count === most && difference < mode)) {
      mode = difference;
      most = count;
    }
  }
  if (most * 2 < all || most === 0) {
    fail('DATA_TIME', {
      where,
      value: `${(mode / 60_000).toFixed(2)} minutes in ${most} of ${all} steps`,
      message: 'the steps between bars do not tell one interval: say it (--interval 1m), or split the file by interval',
    });
  }
  return intervalOfMs(mode, where);
}

/**
 * Refuses an interval that the times speak against: where most bars begin before the one before them would end, or
 * no two bars stand one interval apart. Throws DATA_TIME.
 */
export function checkInterval(times: Float64Array, interval: Interval, where: string): void {
  const steps = times.length - 1;
  let shorter = 0;
  let exact = 0;
  let least = Infinity;
  for (let t = 1; t < times.length; t++) {
    const step = times[t] - times[t - 1];
    least = Math.min(least, step);
    if (step < interval.ms) shorter++;
    else if (step === interval.ms) exact++;
  }
  const problem =
    shorter * 2 > steps
      ? `${shorter} of ${steps} bars begin before the one before them would end`
      : steps >= 3 && exact === 0 && least > interval.ms
        ? `no two bars begin so close to each other, the closest ${least / 60_000} minutes apart`
        : null;
  if (problem !== null)
    fail('DATA_TIME', { where, value: interval.label, message: `${problem}: correct the interval that was said` });
}

/** A bar's open as people read it: ISO in UTC, of a daily bar the date alone. */
export function timeText(interval: Interval, timeMs: number): string {
  const iso = new Date(timeMs).toISOString();
  return interval.ms >= DAY_MS ? iso.slice(0, 10) : iso.replace('.000Z', 'Z');
}

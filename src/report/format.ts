/** Figures as people read them. A missing figure is an en dash, never NaN. */
import type { Interval } from '#src/stats/bootstrap.js';

export const MISSING = '–';
export const MINUS = '−';

/** 0.1234 as "12.3%"; `plus` writes the sign of gains too. */
export function percent(share: number | null, digits = 1, plus = false): string {
  if (share === null || !Number.isFinite(share)) return MISSING;
  const text = fixed(100 * share, digits);
  return `${plus && share > 0 && !/^0(\.0*)?$/.test(text) ? '+' : ''}${text}%`;
}

/** A threshold as it was set, not rounded: 0.995 is 99.5%. */
export const exactPercent = (share: number): string => `${Number((100 * share).toPrecision(12))}%`;

/** A probability that was estimated: what rounds to certainty is none, and is written "over 99.9%" or "under 0.1%". */
export function chance(probability: number): string {
  if (probability > 0.9995) return 'over 99.9%';
  return probability < 0.0005 ? 'under 0.1%' : percent(probability);
}

/** With thousands separators and a true minus sign; never "-0". */
export function decimal(value: number | null, digits = 2): string {
  return value === null || !Number.isFinite(value) ? MISSING : fixed(value, digits);
}

export function whole(value: number | null): string {
  return decimal(value, 0);
}

/** "0.12 to 1.30" by the given format. */
export function range(interval: Interval | null, format: (value: number) => string): string {
  return interval === null ? MISSING : `${format(interval.low)} to ${format(interval.high)}`;
}

/** 2011-03-01, or 2011-03-01 14:30 where the time of day says something; UTC. */
export function dateOf(timeMs: number): string {
  const text = new Date(timeMs).toISOString();
  return text.slice(11, 16) === '00:00' ? text.slice(0, 10) : `${text.slice(0, 10)} ${text.slice(11, 16)}`;
}

/** 3 bars, 1 bar. */
export function counted(count: number, noun: string): string {
  return `${whole(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function fixed(value: number, digits: number): string {
  const [integer, fraction] = Math.abs(value).toFixed(digits).split('.');
  const grouped = integer.replace(/\B(?=(\d{3})+$)/g, ',');
  const text = fraction === undefined ? grouped : `${grouped}.${fraction}`;
  return value < 0 && /[1-9]/.test(text) ? MINUS + text : text;
}

import type { TradingCalendar } from '#env/market/calendar.js';

const DAY_MS = 86_400_000;

/** Milliseconds of [fromMs, toMs) in which the market is open. */
export function openTime(calendar: TradingCalendar, fromMs: number, toMs: number): number {
  const inside = calendar.sessionAt(fromMs);
  if (inside !== null && toMs <= inside.closeMs) return toMs - fromMs;
  let sum = 0;
  for (const { openMs, closeMs } of calendar.sessionsBetween(fromMs - 2 * DAY_MS, toMs))
    sum += Math.max(0, Math.min(closeMs, toMs) - Math.max(openMs, fromMs));
  return sum;
}

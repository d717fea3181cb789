import { describe, expect, it } from 'vitest';
import { DecidedBars, type DecidedSession } from './decided-bars.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A whole day of New York, in winter; 2020-11-27 closed at 13:00. */
const OPEN_MS = Date.parse('2020-01-03T14:30:00Z');
const SHORT_OPEN_MS = Date.parse('2020-11-27T14:30:00Z');
const dayOf = (timeMs: number): number => Math.floor(timeMs / DAY_MS);

const minutes = (count: number, fromMs = OPEN_MS, symbols = ['A'], deciding = symbols): DecidedSession => ({
  config: { interval: { label: '1m', ms: MINUTE_MS }, calendar: 'XNYS', symbols },
  decisions: new Map(
    deciding.map((symbol) => [
      symbol,
      Array.from({ length: count }, (_, k) => ({ barOpenMs: fromMs + k * MINUTE_MS })),
    ]),
  ),
});

function partDays(...sessions: DecidedSession[]): number[] {
  const decided = new DecidedBars();
  for (const session of sessions) decided.add(session);
  return decided.partDays();
}

describe('a day on paper', () => {
  it('is one with decisions on half of its 390 minutes', () => {
    expect(partDays(minutes(195))).toEqual([]);
    expect(partDays(minutes(194))).toEqual([dayOf(OPEN_MS)]);
    expect(partDays()).toEqual([]);
  });

  it('is as long as its session', () => {
    expect(partDays(minutes(105, SHORT_OPEN_MS))).toEqual([]);
    expect(partDays(minutes(104, SHORT_OPEN_MS))).toEqual([dayOf(SHORT_OPEN_MS)]);
  });

  it('may be made of several sessions, and a bar that was replayed twice is one', () => {
    expect(partDays(minutes(100), minutes(100, OPEN_MS + 100 * MINUTE_MS))).toEqual([]);
    expect(partDays(minutes(100), minutes(100))).toEqual([dayOf(OPEN_MS)]);
  });

  it('is one of all symbols', () => {
    expect(partDays(minutes(195, OPEN_MS, ['A', 'B']))).toEqual([]);
    expect(partDays(minutes(195, OPEN_MS, ['A', 'B'], ['A']))).toEqual([dayOf(OPEN_MS)]);
  });

  it('of daily bars is a decision', () => {
    const daily = { label: '1d', ms: DAY_MS };
    const decisions = new Map([['A', [{ barOpenMs: dayOf(OPEN_MS) * DAY_MS }]]]);
    expect(partDays({ config: { interval: daily, calendar: 'XNYS', symbols: ['A'] }, decisions })).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { barsPerYear, sessionCoverage } from './annualisation.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Minutes of the sessions of ten weekdays, of which `kept` says which are there. */
function minutes(kept: (minute: number) => boolean): Float64Array {
  const stamps: number[] = [];
  for (let day = 0; day < 12; day++) {
    const opens = Date.UTC(2024, 0, 8, 14, 30) + day * DAY_MS;
    if ([0, 6].includes(new Date(opens).getUTCDay())) continue;
    for (let minute = 0; minute < 390; minute++) if (kept(minute)) stamps.push(opens + minute * MINUTE_MS);
  }
  return Float64Array.from(stamps);
}

describe('bars a year', () => {
  it('does not change with gaps: a missing minute is no shorter year', () => {
    expect(
      barsPerYear(
        'XNYS',
        MINUTE_MS,
        minutes(() => true),
      ),
    ).toBe(252 * 390);
    expect(
      barsPerYear(
        'XNYS',
        MINUTE_MS,
        minutes((minute) => minute % 3 === 0),
      ),
    ).toBe(252 * 390);
  });
});

describe('session coverage', () => {
  it('is 1 for full sessions and the share of the bars for sparse ones', () => {
    expect(
      sessionCoverage(
        'XNYS',
        MINUTE_MS,
        minutes(() => true),
      ),
    ).toBe(1);
    expect(
      sessionCoverage(
        'XNYS',
        MINUTE_MS,
        minutes((minute) => minute % 3 === 0),
      ),
    ).toBeCloseTo(1 / 3, 12);
  });

  it('leaves out the first and last day, which a window may cut', () => {
    const cut = minutes(() => true).subarray(200, -150);
    expect(sessionCoverage('XNYS', MINUTE_MS, cut)).toBe(1);
  });

  it('says nothing of daily bars, of few days, of sessions that cross midnight', () => {
    const daily = Float64Array.from({ length: 20 }, (_, t) => t * DAY_MS);
    expect(sessionCoverage('XNYS', DAY_MS, daily)).toBeNull();
    expect(
      sessionCoverage(
        'FX',
        MINUTE_MS,
        minutes(() => true),
      ),
    ).toBeNull();
    expect(sessionCoverage('XNYS', MINUTE_MS, minutes(() => true).subarray(0, 390))).toBeNull();
    expect(
      sessionCoverage(
        'unknown',
        MINUTE_MS,
        minutes(() => true),
      ),
    ).toBeNull();
    expect(sessionCoverage('24x7', MINUTE_MS, new Float64Array())).toBeNull();
  });
});

import { describe, expect, it } from 'vitest';
import { calendarNamed } from './calendar.js';
import { BUY, ClockRules, entryQuantity, HOLD, minutesOfDay, rebalanceQuantity, SELL, sideOfAction } from './rules.js';

const MINUTE = { label: '1m', ms: 60_000 };
const NONE = { trading_windows: null, max_cycles_per_day: null, flat_before_close_minutes: null };
/** New York stands at UTC-4 in June, at UTC-5 in December. */
const june = (time: string): number => Date.parse(`2018-06-04T${time}-04:00`);

describe('the clock', () => {
  it('follows the local time over daylight saving', () => {
    const clock = new ClockRules({ ...NONE, trading_windows: [['09:35', '15:45']] }, calendarNamed('XNYS'), MINUTE);
    expect(
      [june('09:34:00'), june('09:35:00'), june('15:44:00'), june('15:45:00')].map((ms) => clock.entryAllowed(ms)),
    ).toEqual([false, true, true, false]);
    const december = (time: string): number => Date.parse(`2018-12-04T${time}-05:00`);
    expect([december('09:34:00'), december('09:35:00')].map((ms) => clock.entryAllowed(ms))).toEqual([false, true]);
  });

  it('knows windows over midnight', () => {
    const clock = new ClockRules({ ...NONE, trading_windows: [['22:00', '02:00']] }, calendarNamed('24x7'), MINUTE);
    const utc = (time: string): number => Date.parse(`2018-06-04T${time}Z`);
    expect(['21:59:00', '22:00:00', '01:59:00', '02:00:00'].map((time) => clock.entryAllowed(utc(time)))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it('is flat in time on half days too', () => {
    // 3 July 2018: New York closed at 13:00
    const clock = new ClockRules({ ...NONE, flat_before_close_minutes: 5 }, calendarNamed('XNYS'), MINUTE);
    const july = (time: string): number => Date.parse(`2018-07-03T${time}-04:00`);
    expect(['12:54:00', '12:55:00', '12:59:00', '13:00:00'].map((time) => clock.mustBeFlat(july(time)))).toEqual([
      false,
      true,
      true,
      true,
    ]);
    expect(clock.mustBeFlat(june('12:55:00'))).toBe(false);
  });

  it('ends a bar at the close of its session', () => {
    const clock = new ClockRules(NONE, calendarNamed('XNYS'), { label: '1h', ms: 3_600_000 });
    expect(clock.decisionMs(june('15:30:00'))).toBe(june('16:00:00'));
    expect(clock.decisionMs(june('14:30:00'))).toBe(june('15:30:00'));
  });

  it('reads times of day, and refuses what is none', () => {
    expect([minutesOfDay('00:00'), minutesOfDay('09:35'), minutesOfDay('24:00')]).toEqual([0, 575, 1440]);
    for (const text of ['9:35', '24:01', '12:60', 'noon', '']) expect(minutesOfDay(text)).toBeNaN();
  });
});

describe('orders', () => {
  it('close against a position, and open only where entries are allowed', () => {
    const table = [BUY, SELL, HOLD].map((action) =>
      [-5, 0, 5].map((position) => sideOfAction(action, position, 'long_short', true)),
    );
    expect(table).toEqual([
      [1, 1, 0],
      [0, -1, -1],
      [0, 0, 0],
    ]);
    expect(sideOfAction(SELL, 0, 'long_only', true)).toBe(0);
    expect(sideOfAction(BUY, 0, 'long_short', false)).toBe(0);
    expect(sideOfAction(BUY, -5, 'long_short', false)).toBe(1);
  });

  it('are sized in whole lots, rounded down, and never from what is not there', () => {
    expect(entryQuantity(10_000, 0.95, 101, 1)).toBe(94);
    expect(entryQuantity(10_000, 0.95, 101, 10)).toBe(90);
    expect(entryQuantity(-1, 0.95, 101, 1)).toBe(0);
  });

  it('rebalance towards a target, without growing where that is not allowed', () => {
    const rebalance = (target: number, position: number, mayAdd: boolean): number =>
      rebalanceQuantity(target, position, 'long_short', true, mayAdd, 10_000, 1, 100, 1);
    expect(rebalance(0.5, 20, true)).toBe(30);
    expect(rebalance(0.5, 20, false)).toBe(0);
    expect(rebalance(0.1, 20, false)).toBe(-10);
    expect(rebalance(-0.5, 20, true)).toBe(-20);
    expect(rebalance(-0.5, 0, true)).toBe(-50);
    expect(rebalanceQuantity(-0.5, 20, 'long_only', true, true, 10_000, 1, 100, 1)).toBe(-20);
  });
});

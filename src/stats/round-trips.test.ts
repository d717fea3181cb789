import { describe, expect, it } from 'vitest';
import { roundTrips, tradedValue, type TradeFill } from './round-trips.js';

function fill(
  barIndex: number,
  quantity: number,
  price: number,
  positionAfter: number,
  more: Partial<TradeFill> = {},
): TradeFill {
  return { barIndex, timeMs: 1000 * barIndex, quantity, price, commission: 0, reason: 'sell', positionAfter, ...more };
}

describe('roundTrips', () => {
  it('averages additions and partial exits into one trade', () => {
    const trips = roundTrips('AAPL', [
      fill(1, 100, 10, 100, { commission: 1 }),
      fill(2, 50, 13, 150, { commission: 1 }),
      fill(4, -60, 14, 90, { commission: 1, reason: 'take-profit' }),
      fill(6, -90, 9, 0, { commission: 1, reason: 'stop' }),
    ]);
    expect(trips).toHaveLength(1);
    expect(trips[0]).toMatchObject({
      symbol: 'AAPL',
      side: 'long',
      quantity: 150,
      entryPrice: 11,
      exitPrice: 11,
      entryValue: 1650,
      costs: 4,
      barsHeld: 5,
      exits: 2,
      exitReason: 'stop',
      entryTimeMs: 1000,
      exitTimeMs: 6000,
    });
    expect(trips[0].pnl).toBeCloseTo(60 * 14 + 90 * 9 - 1650 - 4, 10);
    expect(trips[0].return).toBeCloseTo(-4 / 1650, 12);
  });

  it('takes a short from its sale', () => {
    const [trip] = roundTrips('X', [fill(1, -10, 20, -10), fill(3, 10, 15, 0)]);
    expect(trip).toMatchObject({ side: 'short', entryPrice: 20, exitPrice: 15, pnl: 50, return: 0.25 });
  });

  it('splits a fill that reverses the position, and shares its commission by quantity', () => {
    const trips = roundTrips('X', [fill(1, 10, 10, 10), fill(2, -30, 12, -20, { commission: 3 }), fill(5, 20, 11, 0)]);
    expect(trips.map((trip) => [trip.side, trip.quantity])).toEqual([
      ['long', 10],
      ['short', 20],
    ]);
    expect(trips[0].pnl).toBeCloseTo(20 - 1, 10);
    expect(trips[1].pnl).toBeCloseTo(20 - 2, 10);
  });

  it('leaves an open position out', () => {
    expect(roundTrips('X', [fill(1, 10, 10, 10), fill(2, -4, 12, 6)])).toEqual([]);
    expect(roundTrips('X', [])).toEqual([]);
  });

  it('follows a position through a split', () => {
    // 100 shares at 70 become 700 at about 10
    const [trip] = roundTrips('AAPL', [fill(1, 100, 70, 100), fill(9, -700, 11, 0)]);
    expect(trip).toMatchObject({ quantity: 100, entryPrice: 70, exitPrice: 11, pnl: 700, return: 0.1 });
  });

  it('adds spread, slippage and borrow from the bars, so that trips add up to the change of equity', () => {
    const path = {
      initialEquity: 1000,
      timeMs: new Float64Array(6),
      equity: Float64Array.of(1000, 996, 999, 1010, 1008, 1003),
      exposure: new Float64Array(6),
      costs: Float64Array.of(0, 2, 0.5, 3, 1, 1),
    };
    const fills = [
      fill(101, -10, 20, -10, { commission: 1 }),
      fill(103, 10, 19, 0, { commission: 1 }),
      fill(104, 5, 19, 5, { commission: 1 }),
      fill(105, -5, 18, 0, { commission: 1 }),
    ];
    const trips = roundTrips('X', fills, { firstBar: 100, path });
    expect(trips.map((trip) => trip.costs)).toEqual([5.5, 2]);
    expect(trips.map((trip) => trip.pnl)).toEqual([10, -7]);
    expect(tradedValue(fills)).toBe(200 + 190 + 95 + 90);
  });

  it('counts entry and exit in one bar as no bars held', () => {
    expect(roundTrips('X', [fill(3, 10, 10, 10), fill(3, -10, 9, 0)])[0].barsHeld).toBe(0);
  });
});

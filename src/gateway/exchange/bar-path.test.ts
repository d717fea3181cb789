import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BarPath, type PathBar } from './bar-path.js';
import { PriceGrid } from './price-grid.js';

const grid = (securityType: 'STK' | 'CASH', increment: number, spreadBps: number): PriceGrid =>
  new PriceGrid(
    {
      symbol: 'TEST',
      securityType,
      currency: 'USD',
      exchange: 'SMART',
      ticks: [{ lowEdge: 0, increment }],
      lotSize: 1,
    },
    spreadBps,
  );

/** Bars on and off tick, of a second to a day, with whole and broken volumes. */
const bar = fc
  .record({
    prices: fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 4, maxLength: 4 }),
    unit: fc.constantFrom(0.01, 0.05, 0.0001, 0.00001, 0.37),
    durationMs: fc.constantFrom(1000, 5000, 60_000, 300_000, 1_800_000, 23_400_000),
    volume: fc.oneof(
      fc.constant(0),
      fc.integer({ min: 0, max: 5_000_000 }),
      fc.double({ min: 0, max: 1e9, noNaN: true }),
    ),
  })
  .map(({ prices, unit, durationMs, volume }): PathBar => {
    const sorted = [...prices].sort((a, b) => a - b).map((k) => k * unit);
    const startMs = Date.UTC(2020, 0, 2, 14, 30);
    const [open, close] = prices[0] < prices[1] ? [sorted[1], sorted[2]] : [sorted[2], sorted[1]];
    return { startMs, endMs: startMs + durationMs, open, high: sorted[3], low: sorted[0], close, volume };
  });

describe('the tick path of a bar', () => {
  it('opens at the open, touches high and low, ends at the close, and never leaves the range', () => {
    fc.assert(
      fc.property(bar, fc.nat(1000), fc.constantFrom(0.01, 0.05), (one, seed, increment) => {
        const path = new BarPath();
        path.build(one, grid('STK', increment, 2), seed, 'a');
        const prices = [...path.price.subarray(0, path.length)];
        expect(prices[0]).toBe(one.open);
        expect(prices[prices.length - 1]).toBe(one.close);
        expect(Math.max(...prices)).toBe(one.high);
        expect(Math.min(...prices)).toBe(one.low);
        expect(path.timeMs[0]).toBe(one.startMs);
        let ascends = true;
        for (let i = 1; i < path.length; i++) ascends &&= path.timeMs[i] > path.timeMs[i - 1];
        expect(ascends).toBe(true);
        expect(path.timeMs[path.length - 1]).toBeLessThan(one.endMs);
      }),
    );
  });

  it('shares the volume out to the bit, in any grouping of its ticks', () => {
    fc.assert(
      fc.property(bar, fc.nat(1000), fc.integer({ min: 1, max: 50 }), (one, seed, group) => {
        const path = new BarPath();
        path.build(one, grid('STK', 0.01, 2), seed, 'b');
        let total = 0;
        for (let i = 0; i < path.length; i += group) {
          let part = 0;
          for (let k = i; k < Math.min(i + group, path.length); k++) {
            part += path.size[k] >= 0 ? path.size[k] : NaN;
          }
          total += part;
        }
        expect(total).toBe(one.volume);
      }),
    );
  });

  it('quotes a bid under an ask, the trade between or at them, at least an increment and the spread apart', () => {
    fc.assert(
      fc.property(bar, fc.nat(1000), fc.constantFrom(0, 2, 50), (one, seed, spreadBps) => {
        const path = new BarPath();
        const prices = grid('STK', 0.01, spreadBps);
        path.build(one, prices, seed, 'c');
        const wrong: string[] = [];
        for (let i = 0; i < path.length; i++) {
          const [price, bid, ask] = [path.price[i], path.bid[i], path.ask[i]];
          const apart = bid <= 0.01 || ask - bid >= spreadBps * 1e-4 * price - 1e-9;
          const sized = path.bidSize[i] > 0 && path.askSize[i] > 0;
          if (!(bid <= price + 1e-9 && price <= ask + 1e-9 && bid < ask && bid > 0 && apart && sized))
            wrong.push(`${bid} ${price} ${ask}`);
        }
        expect(wrong).toEqual([]);
      }),
    );
  });

  it('is the same for the same seed and bar, another for another', () => {
    const one: PathBar = { startMs: 0, endMs: 60_000, open: 100, high: 101, low: 99, close: 100.5, volume: 1000 };
    const prices = (seed: number, name: string): number[] => {
      const path = new BarPath();
      path.build(one, grid('STK', 0.01, 2), seed, name);
      return [...path.price.subarray(0, path.length)];
    };
    expect(prices(1, 'x')).toEqual(prices(1, 'x'));
    expect(prices(1, 'x')).not.toEqual(prices(2, 'x'));
    expect(prices(1, 'x')).not.toEqual(prices(1, 'y'));
  });
});

import { describe, expect, it } from 'vitest';
import { testBars } from '#env/market/test-bars.fixture.js';
import { asTraded } from './as-traded.js';
import { loadDataset } from './load.js';

const flat = (price: number): readonly [number, number, number, number] => [price, price, price, price];

describe('asTraded', () => {
  it('takes a dividend out of the prices before it, and keeps those after', () => {
    // 1.00 of dividend on 100: adjusted prices before it are 99
    const bars = asTraded(testBars({ prices: [flat(100), flat(100), flat(99)], factor: [0.99, 0.99, 1] }));
    expect([...bars.close]).toEqual([100, 100, 99]);
    expect(bars.factor).toBeNull();
  });

  it('keeps the scale of shares after a split', () => {
    const bars = asTraded(testBars({ prices: [flat(100), flat(102), flat(52)], factor: [0.5, 0.5, 1] }));
    expect([...bars.close]).toEqual([50, 51, 52]);
  });

  it('finds three for two, and shares put together, beside a dividend', () => {
    const up = asTraded(testBars({ prices: [flat(150), flat(101)], factor: [0.66, 1] }));
    expect([...up.close]).toEqual([100, 101]);
    const down = asTraded(testBars({ prices: [flat(1), flat(10)], factor: [10, 1] }));
    expect([...down.close]).toEqual([10, 10]);
  });

  it('leaves bars without a factor alone', () => {
    const bars = testBars({ prices: [flat(10), flat(11)] });
    expect(asTraded(bars)).toBe(bars);
  });

  it('gives Apple the prices that were quoted, on ticks, with the split of 2014 in scale', async () => {
    const bars = await loadDataset('aapl-daily');
    const traded = asTraded(bars);
    const offTick = [...traded.close].filter(
      (price, t) => bars.openTimeMs[t] > Date.UTC(2014, 5, 9) && Math.abs(price * 100 - Math.round(price * 100)) > 1e-6,
    );
    expect(offTick).toEqual([]);
    // 700 dollars a share before the split of seven for one
    expect(traded.close[0]).toBeGreaterThan(55);
    expect(traded.close[0]).toBeLessThan(75);
    expect(
      Math.max(...[...traded.close].map((price, t) => (t === 0 ? 0 : Math.abs(Math.log(price / traded.close[t - 1]))))),
    ).toBeLessThan(0.12);
  });
});

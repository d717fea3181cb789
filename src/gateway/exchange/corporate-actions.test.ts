/** Splits and reinvested dividends, as the bars' factor carries them; and the borrow of shorts over night. */
import { describe, expect, it } from 'vitest';
import { borrowCost } from '#env/market/costs.js';
import { MONDAY_MS, testBars } from '#env/market/test-bars.fixture.js';
import { order, query, runToBoundary, TestClient, testExchange } from './exchange.fixture.js';

const flat = (price: number): readonly [number, number, number, number] => [price, price, price, price];
const COSTS = { model: 'none', percent_bps: 0, spread_bps: 0, slippage_bps: 0, borrow_rate: 0 } as const;

describe('a split', () => {
  it.each(['path', 'backtest'] as const)(
    'passes over position and resting orders without a gain or a loss (fills: %s)',
    (fills) => {
      // two for one before the third day: tradable prices halve, the factor doubles
      const bars = testBars({ prices: [flat(100), flat(100), flat(50), flat(50), flat(40)], factor: [1, 1, 2, 2, 2] });
      const exchange = testExchange([bars], { fills, costs: COSTS });
      const client = new TestClient(exchange);
      client.place(order('BUY', 100, { tif: 'GTC' }));
      const resting = client.place(order('BUY', 11, { orderType: 'LMT', lmtPrice: 90, tif: 'GTC' }));
      const stop = client.place(order('SELL', 100, { orderType: 'STP', auxPrice: 84, tif: 'GTC' }));
      runToBoundary(exchange);
      runToBoundary(exchange);
      const before = exchange.truth();
      expect(before.positions).toMatchObject([{ position: 100 }]);
      runToBoundary(exchange);
      const after = exchange.truth();
      expect(after.positions).toMatchObject([{ position: 200, marketPrice: 50 }]);
      expect(Math.abs(after.netLiquidation - before.netLiquidation)).toBeLessThan(2.01);
      expect(client.orders.get(resting)?.order).toMatchObject({ totalQuantity: 22, lmtPrice: 45 });
      expect(client.orders.get(stop)?.order).toMatchObject({ totalQuantity: 200, auxPrice: 42 });
      const [adjusted] = client.ask({
        type: 'reqHistoricalData',
        reqId: 1,
        contract: query('TEST'),
        endDateTime: '',
        duration: '3 D',
        barSize: '1 day',
        whatToShow: 'ADJUSTED_LAST',
        useRth: true,
        formatDate: 1,
        keepUpToDate: false,
      });
      expect(adjusted).toMatchObject({ bars: [{ close: 50 }, { close: 50 }, { close: 50 }] });
      while (runToBoundary(exchange));
      expect(client.fills(stop).reduce((sum, { shares }) => sum + shares, 0)).toBe(200);
    },
  );
});

describe('a short', () => {
  it('pays its borrow for the nights, by the price of the day before', () => {
    const day = 86_400_000;
    const bars = testBars({
      prices: [flat(100), flat(100), flat(110)],
      openTimeMs: [MONDAY_MS, MONDAY_MS + day, MONDAY_MS + 4 * day],
    });
    const exchange = testExchange([bars], { fills: 'backtest', costs: { ...COSTS, borrow_rate: 0.036 } });
    const client = new TestClient(exchange);
    client.place(order('SELL', 1000, { tif: 'GTC' }));
    runToBoundary(exchange);
    const { cash } = exchange.truth();
    expect(cash).toBe(1_100_000);
    runToBoundary(exchange);
    runToBoundary(exchange);
    const owed = borrowCost(1000, 100, 0.036, 1) + borrowCost(1000, 100, 0.036, 3);
    expect(exchange.truth().cash).toBeCloseTo(cash - owed, 6);
  });
});

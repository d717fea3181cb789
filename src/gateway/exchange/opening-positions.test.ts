import { describe, expect, it } from 'vitest';
import { calendarNamed } from '#env/market/calendar.js';
import { testBars } from '#env/market/test-bars.fixture.js';
import type { Exchange, OpeningPosition } from '../exchange-port.js';
import { order, runUntil, TestClient, testExchange } from './exchange.fixture.js';

const MINUTE_MS = 60_000;
const [FRIDAY] = calendarNamed('XNYS').sessionsBetween(Date.UTC(2024, 6, 12), Date.UTC(2024, 6, 13));
const BARS = testBars({
  prices: [100, 101, 102].map((price) => [price, price, price, price]),
  openTimeMs: [0, 1, 2].map((k) => FRIDAY.openMs + k * MINUTE_MS),
  interval: { label: '1m', ms: MINUTE_MS },
});

describe('an account that begins with positions', () => {
  const opening = (positions: readonly OpeningPosition[]) => (): Exchange =>
    testExchange([BARS], { startTimeMs: FRIDAY.openMs + MINUTE_MS, positions });

  it('has them beside its cash, at the cost that it names or the last price, and no execution', () => {
    const client = new TestClient(opening([{ symbol: 'TEST', quantity: -100, averageCost: 101.5 }])());
    const { cash, positions, executions, netLiquidation } = client.exchange.truth();
    expect(cash).toBe(1_000_000);
    expect(positions).toMatchObject([{ position: -100, averageCost: 101.5 }]);
    expect(executions).toEqual([]);
    expect(netLiquidation).toBe(1_000_000 - 100 * positions[0].marketPrice);
    client.ask({ type: 'reqPnL', reqId: 1, account: 'DU1234567', modelCode: '' });
    const { marketPrice } = positions[0];
    expect(client.of('pnl')[0]).toMatchObject({ daily: 0, realized: 0 });
    expect(client.of('pnl')[0].unrealized).toBeCloseTo(100 * (101.5 - marketPrice), 6);
    runUntil(client.exchange, FRIDAY.openMs + 1.5 * MINUTE_MS);
    const bought = client.place(order('BUY', 100));
    expect(client.statuses(bought).at(-1)).toBe('Filled');
    expect(client.exchange.truth().positions).toEqual([]);
    const atLast = new TestClient(opening([{ symbol: 'TEST', quantity: 7 }])()).exchange.truth();
    expect(atLast.positions).toMatchObject([{ position: 7, averageCost: atLast.positions[0].marketPrice }]);
  });

  it.each([
    [{ symbol: 'NOPE', quantity: 1 }, /NOPE.*no such instrument is replayed; there are TEST/],
    [{ symbol: 'TEST', quantity: 0 }, /whole lots/],
    [{ symbol: 'TEST', quantity: 1.5 }, /whole lots/],
    [{ symbol: 'TEST', quantity: NaN }, /whole lots/],
    [{ symbol: 'TEST', quantity: 1, averageCost: -3 }, /a unit cost more than 0/],
  ])('refuses %o', (position, message) => {
    expect(opening([position])).toThrow(message);
  });

  it('refuses an instrument twice, and one that has no price yet', () => {
    const one = { symbol: 'TEST', quantity: 1 };
    expect(opening([one, one])).toThrow(/named twice/);
    expect(() => testExchange([BARS], { positions: [one] })).toThrow(/no price yet/);
  });
});

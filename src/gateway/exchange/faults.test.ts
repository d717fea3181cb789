/** Faults of the market and of matching: each strikes once, says what the broker would say, and the books stay true. */
import { describe, expect, it } from 'vitest';
import { calendarNamed } from '#env/market/calendar.js';
import { testBars } from '#env/market/test-bars.fixture.js';
import { order, query, runUntil, TestClient, testExchange } from './exchange.fixture.js';

const MINUTE_MS = 60_000;
const [SESSION] = calendarNamed('XNYS').sessionsBetween(Date.UTC(2024, 6, 12), Date.UTC(2024, 6, 13));

function open(): TestClient {
  const prices = Array.from({ length: 10 }, () => [100, 100, 100, 100] as const);
  const openTimeMs = prices.map((_, k) => SESSION.openMs + k * MINUTE_MS);
  const client = new TestClient(
    testExchange([testBars({ prices, openTimeMs, interval: { label: '1m', ms: MINUTE_MS } })]),
  );
  runUntil(client.exchange, SESSION.openMs);
  return client;
}

const later = (client: TestClient, minutes: number): void =>
  runUntil(client.exchange, client.exchange.nowMs + minutes * MINUTE_MS);

describe('faults', () => {
  it('refuse an order, with a status or, as for a price off tick, without', () => {
    const client = open();
    client.exchange.inject({
      kind: 'rejectOrder',
      match: { action: 'SELL' },
      code: 201,
      message: 'no',
      withStatus: true,
    });
    client.exchange.inject({
      kind: 'rejectOrder',
      match: { orderType: 'STP' },
      code: 110,
      message: 'off tick',
      withStatus: false,
    });
    expect(client.fills(client.place(order('BUY', 10)))).toHaveLength(1);
    const refused = client.place(order('SELL', 10));
    expect([client.errors(refused), client.statuses(refused)]).toEqual([[201], ['Inactive']]);
    const silent = client.place(order('SELL', 10, { orderType: 'STP', auxPrice: 90 }));
    expect([client.errors(silent), client.statuses(silent)]).toEqual([[110], []]);
    expect(client.fills(client.place(order('SELL', 10)))).toHaveLength(1);
  });

  it('refuse a change, and leave the order as it was', () => {
    const client = open();
    const id = client.place(order('BUY', 10, { orderType: 'LMT', lmtPrice: 90 }));
    client.exchange.inject({ kind: 'rejectModify', match: { orderId: id }, code: 201, message: 'no' });
    client.place(order('BUY', 20, { orderType: 'LMT', lmtPrice: 91 }), id);
    expect(client.errors(id)).toEqual([201]);
    expect(client.exchange.truth().orders[0].order).toMatchObject({ totalQuantity: 10, lmtPrice: 90 });
    client.place(order('BUY', 20, { orderType: 'LMT', lmtPrice: 91 }), id);
    expect(client.exchange.truth().orders[0].order).toMatchObject({ totalQuantity: 20, lmtPrice: 91 });
  });

  it('fill a part and cancel the rest', () => {
    const client = open();
    client.exchange.inject({ kind: 'partialThenCancel', match: {}, fraction: 0.3 });
    const id = client.place(order('BUY', 100));
    expect(client.fills(id)).toMatchObject([{ shares: 30 }]);
    expect(client.statuses(id).at(-1)).toBe('Cancelled');
    expect(client.exchange.truth().positions[0].position).toBe(30);
  });

  it('fill after a confirmed cancel', () => {
    const client = open();
    const id = client.place(order('BUY', 10, { orderType: 'LMT', lmtPrice: 90 }));
    client.exchange.inject({ kind: 'fillAfterCancel', match: { orderId: id }, delayMs: 30_000 });
    client.cancel(id);
    expect(client.statuses(id).at(-1)).toBe('Cancelled');
    later(client, 1);
    expect(client.fills(id)).toMatchObject([{ shares: 10, price: 100.01 }]);
    expect(client.exchange.truth().positions[0].position).toBe(10);
  });

  it('correct an execution: the correction replaces its predecessor in the books', () => {
    const client = open();
    client.exchange.inject({ kind: 'correctExecution', match: {}, delayMs: 1000, priceOffset: 0.5, sharesFactor: 2 });
    const id = client.place(order('BUY', 10));
    client.place(order('SELL', 4));
    later(client, 1);
    const [first, second] = client.of('execDetails').filter(({ execution }) => execution.orderId === id);
    expect(first.execution.execId.replace(/01$/, '02')).toBe(second.execution.execId);
    expect(second.execution).toMatchObject({ shares: 20, price: 100.51 });
    const { executions, positions, cash } = client.exchange.truth();
    expect(executions.map(({ superseded }) => superseded)).toEqual([true, false, false]);
    expect(positions).toMatchObject([{ position: 16 }]);
    const paid = executions
      .filter(({ superseded }) => !superseded)
      .reduce(
        (sum, { execution: e, commission }) => sum + (e.side === 'BOT' ? 1 : -1) * e.shares * e.price + commission,
        0,
      );
    expect(cash).toBeCloseTo(1_000_000 - paid, 6);
  });

  it('silence one symbol for a while', () => {
    const client = open();
    client.ask({
      type: 'reqRealTimeBars',
      reqId: 1,
      contract: query('TEST'),
      barSize: 5,
      whatToShow: 'TRADES',
      useRth: true,
    });
    client.ask({
      type: 'reqMktData',
      reqId: 2,
      contract: query('TEST'),
      genericTicks: [],
      snapshot: false,
      regulatorySnapshot: false,
    });
    later(client, 1);
    client.exchange.inject({ kind: 'staleFeed', symbol: 'TEST', durationMs: 2 * MINUTE_MS });
    client.messages = [];
    later(client, 1.9);
    expect(client.messages).toEqual([]);
    later(client, 1);
    expect(client.of('realtimeBar').length).toBeGreaterThan(0);
    expect(client.of('tickPrice').length + client.of('tickSize').length).toBeGreaterThan(0);
  });

  it('turn market data to another type and back', () => {
    const client = open();
    client.ask({
      type: 'reqMktData',
      reqId: 2,
      contract: query('TEST'),
      genericTicks: [],
      snapshot: false,
      regulatorySnapshot: false,
    });
    client.exchange.inject({ kind: 'marketDataType', marketDataType: 3 });
    expect(client.of('marketDataType').map(({ marketDataType }) => marketDataType)).toEqual([1, 3]);
    expect(client.of('tickPrice').at(-1)?.tickType).toBeGreaterThan(60);
    client.exchange.inject({ kind: 'marketDataType', marketDataType: 1 });
    expect(client.of('tickPrice').at(-1)?.tickType).toBeLessThan(20);
  });

  it('forget subscriptions', () => {
    const client = open();
    client.ask({
      type: 'reqRealTimeBars',
      reqId: 1,
      contract: query('TEST'),
      barSize: 5,
      whatToShow: 'TRADES',
      useRth: true,
    });
    client.exchange.inject({ kind: 'dropSubscriptions' });
    later(client, 2);
    expect(client.of('realtimeBar')).toEqual([]);
  });

  it('roll the next valid id back: ids in use are refused, and never change an order that is there', () => {
    const client = open();
    const first = client.place(order('BUY', 10, { orderType: 'LMT', lmtPrice: 90, orderRef: 'one' }));
    client.place(order('BUY', 10));
    expect(client.exchange.nextValidId(1)).toBe(3);
    client.exchange.inject({ kind: 'rollbackNextValidId', orderId: 1 });
    expect(client.exchange.nextValidId(1)).toBe(1);
    client.place(order('BUY', 99, { orderType: 'LMT', lmtPrice: 80, orderRef: 'another' }), first);
    client.place(order('BUY', 99, { orderRef: 'another' }), 2);
    expect([client.errors(1), client.errors(2)]).toEqual([[103], [103]]);
    expect(client.exchange.truth().orders).toHaveLength(2);
    client.place(order('BUY', 1), 3);
    expect(client.exchange.nextValidId(1)).toBe(4);
  });

  it.each([
    { kind: 'staleFeed', symbol: 'NOPE', durationMs: 1 },
    { kind: 'partialThenCancel', match: {}, fraction: 1.5 },
    { kind: 'correctExecution', match: {}, delayMs: -1, priceOffset: 0, sharesFactor: 1 },
    { kind: 'rollbackNextValidId', orderId: 0 },
  ] as const)('that make no sense are refused: %j', (fault) => {
    expect(() => open().exchange.inject(fault)).toThrow(/GATEWAY_FAULT/);
  });
});

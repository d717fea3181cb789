/** Quotes, ticks, contracts and the account, as clients ask for them. */
import { describe, expect, it } from 'vitest';
import { calendarNamed } from '#env/market/calendar.js';
import { testBars } from '#env/market/test-bars.fixture.js';
import { order, query, runUntil, TestClient, testExchange } from './exchange.fixture.js';

const MINUTE_MS = 60_000;
const [FRIDAY, MONDAY] = calendarNamed('XNYS').sessionsBetween(Date.UTC(2024, 6, 12), Date.UTC(2024, 6, 16));

function open(): TestClient {
  const prices = [100, 101, 102, 103].map((price) => [price, price + 0.5, price - 0.5, price] as const);
  const openTimeMs = [FRIDAY.openMs, FRIDAY.openMs + MINUTE_MS, MONDAY.openMs, MONDAY.openMs + MINUTE_MS];
  const client = new TestClient(
    testExchange([testBars({ prices, openTimeMs, interval: { label: '1m', ms: MINUTE_MS } })]),
  );
  runUntil(client.exchange, FRIDAY.openMs + 30_000);
  return client;
}

const mktData = (client: TestClient, reqId: number, snapshot: boolean, symbol = 'TEST'): void => {
  client.ask({
    type: 'reqMktData',
    reqId,
    contract: query(symbol),
    genericTicks: [],
    snapshot,
    regulatorySnapshot: false,
  });
};

describe('market data', () => {
  it('in a snapshot is the quote as it stands, and an end', () => {
    const client = open();
    mktData(client, 1, true);
    const prices = Object.fromEntries(client.of('tickPrice').map(({ tickType, price }) => [tickType, price]));
    expect(prices[1]).toBeLessThan(prices[4]);
    expect(prices[2]).toBeGreaterThan(prices[4]);
    expect(prices[6]).toBeGreaterThanOrEqual(prices[4]);
    expect(prices[14]).toBe(100);
    expect(client.messages.at(-1)).toEqual({ type: 'tickSnapshotEnd', reqId: 1 });
    const before = client.messages.length;
    runUntil(client.exchange, FRIDAY.openMs + MINUTE_MS);
    expect(client.messages.length).toBe(before);
  });

  it('streams changes until it is cancelled, and knows the close of the day before', () => {
    const client = open();
    mktData(client, 1, false);
    runUntil(client.exchange, MONDAY.openMs + 10_000);
    const close = client.of('tickPrice').findLast(({ tickType }) => tickType === 9);
    expect(close?.price).toBe(101);
    const volume = client.of('tickSize').findLast(({ tickType }) => tickType === 8);
    expect(volume?.size).toBeLessThan(1000);
    client.ask({ type: 'cancelMktData', reqId: 1 });
    client.messages = [];
    runUntil(client.exchange, MONDAY.openMs + 2 * MINUTE_MS);
    expect(client.messages).toEqual([]);
    expect(client.ask({ type: 'cancelMktData', reqId: 1 })).toMatchObject([{ code: 300 }]);
  });

  it('is refused for what is not there, not replayed, or subscribed already', () => {
    const client = open();
    mktData(client, 1, false);
    mktData(client, 1, false);
    mktData(client, 2, false, 'NOPE');
    mktData(client, 3, false, 'SPY');
    expect([1, 2, 3].map((reqId) => client.errors(reqId))).toEqual([[322], [200], [354]]);
  });

  it('tick by tick comes as trades, quotes and midpoints', () => {
    const client = open();
    const kinds = ['Last', 'AllLast', 'BidAsk', 'MidPoint'];
    for (const [reqId, tickType] of kinds.entries())
      client.ask({
        type: 'reqTickByTickData',
        reqId,
        contract: query('TEST'),
        tickType,
        numberOfTicks: 0,
        ignoreSize: false,
      });
    runUntil(client.exchange, FRIDAY.openMs + MINUTE_MS - 1);
    const lasts = client.of('tickByTickLast').filter(({ all }) => !all);
    expect(lasts.length).toBeGreaterThan(20);
    expect(client.of('tickByTickLast').filter(({ all }) => all)).toHaveLength(lasts.length);
    for (const quote of client.of('tickByTickBidAsk')) expect(quote.bidPrice).toBeLessThan(quote.askPrice);
    expect(client.of('tickByTickMidPoint').length).toBeGreaterThan(5);
    expect(
      client.ask({
        type: 'reqTickByTickData',
        reqId: 9,
        contract: query('TEST'),
        tickType: 'Best',
        numberOfTicks: 0,
        ignoreSize: false,
      }),
    ).toMatchObject([{ code: 321 }]);
  });
});

describe('ticks that have happened', () => {
  it('come first where a subscription asks for them', () => {
    const client = open();
    runUntil(client.exchange, FRIDAY.openMs + MINUTE_MS / 2);
    const subscribe = (reqId: number, tickType: string, numberOfTicks: number) =>
      client.ask({
        type: 'reqTickByTickData',
        reqId,
        contract: query('TEST'),
        tickType,
        numberOfTicks,
        ignoreSize: false,
      });
    expect(subscribe(1, 'Last', 0)).toEqual([]);
    expect(subscribe(2, 'AllLast', 5)).toMatchObject([{ type: 'historicalTicksLast', reqId: 2, done: true }]);
    expect(subscribe(3, 'BidAsk', 5)).toMatchObject([{ type: 'historicalTicksBidAsk', reqId: 3 }]);
    expect(subscribe(4, 'MidPoint', 5)).toMatchObject([{ type: 'historicalTicks', reqId: 4 }]);
    const [{ ticks }] = client.of('historicalTicksLast');
    expect(ticks).toHaveLength(5);
    expect(ticks.at(-1)?.timeSec).toBeLessThanOrEqual(client.exchange.nowMs / 1000);
    expect(subscribe(2, 'AllLast', 5)).toMatchObject([{ code: 322 }]);
  });

  it('bear whole milliseconds as real-time volume, whatever the clock says', () => {
    const client = open();
    client.exchange.advanceClock(client.exchange.nowMs + 200.4);
    client.ask({
      type: 'reqMktData',
      reqId: 1,
      contract: query('TEST'),
      genericTicks: ['233'],
      snapshot: false,
      regulatorySnapshot: false,
    });
    const volumes = client.of('tickString').filter(({ tickType }) => tickType === 48);
    expect(volumes.length).toBeGreaterThan(0);
    for (const { value } of volumes) expect(value.split(';')[2]).toMatch(/^\d+$/);
  });
});

describe('contracts', () => {
  const details = (client: TestClient, contract: ReturnType<typeof query>) =>
    client
      .ask({ type: 'reqContractDetails', reqId: 1, contract })
      .flatMap((one) => (one.type === 'contractDetails' ? [one.details] : []));

  it('have hours from the calendar, an increment and a rule that can be asked for', () => {
    const client = open();
    const [one] = details(client, query('TEST'));
    expect(one).toMatchObject({ minTick: 0.01, timeZoneId: 'US/Eastern' });
    expect(one.liquidHours).toMatch(
      /^20240712:0930-20240712:1600;20240713:CLOSED;20240714:CLOSED;20240715:0930-20240715:1600/,
    );
    expect(one.tradingHours).toMatch(/^20240712:0400-20240712:2000;/);
    expect(one.validExchanges.split(',').length).toBe(one.marketRuleIds.split(',').length);
    const marketRuleId = Number(one.marketRuleIds.split(',')[0]);
    expect(client.ask({ type: 'reqMarketRule', marketRuleId })).toEqual([
      { type: 'marketRule', marketRuleId, increments: [{ lowEdge: 0, increment: 0.01 }] },
    ]);
    expect(details(client, query('', { conId: one.contract.conId, secType: '' }))).toHaveLength(1);
    const [pair] = details(client, query('EUR', { secType: 'CASH', exchange: 'IDEALPRO' }));
    expect(pair.marketRuleIds).toBe('239');
    expect(client.ask({ type: 'reqMarketRule', marketRuleId: 239 })).toMatchObject([
      { increments: [{ lowEdge: 0, increment: 0.00005 }] },
    ]);
    expect(client.ask({ type: 'reqMarketRule', marketRuleId: 4711 })).toMatchObject([{ code: 321 }]);
  });

  it.each([
    ['a stock by its primary exchange', query('SPY', { exchange: 'ARCA' }), 756733],
    ['a currency pair', query('EUR', { secType: 'CASH', exchange: 'IDEALPRO' }), 12087792],
    [
      'an option',
      query('SPY', { secType: 'OPT', lastTradeDateOrContractMonth: '20260116', strike: 440, right: 'C' }),
      653318228,
    ],
    ['an index', query('SPX', { secType: 'IND', exchange: 'CBOE' }), 416904],
    ['a cryptocurrency', query('BTC', { secType: 'CRYPTO', exchange: 'PAXOS' }), 479624278],
    ['a stock by its identifier', query('', { secType: '', conId: 265598 }), 265598],
  ])('are known without bars: %s', (_, contract, conId) => {
    expect(details(open(), contract).map((one) => one.contract.conId)).toEqual([conId]);
  });

  it('of a future are its quarters, one by its month or its local symbol', () => {
    const client = open();
    const es = query('ES', { secType: 'FUT', exchange: 'CME' });
    expect(details(client, es).map(({ contract }) => contract.localSymbol)).toEqual([
      'ESH4',
      'ESM4',
      'ESU4',
      'ESZ4',
      'ESH5',
      'ESM5',
      'ESU5',
      'ESZ5',
    ]);
    expect(
      details(client, { ...es, lastTradeDateOrContractMonth: '202503', localSymbol: 'ESH5', multiplier: '50' })[0]
        .realExpirationDate,
    ).toBe('20250321');
    expect(details(client, { ...es, symbol: '', localSymbol: 'ESH5' })).toHaveLength(1);
  });

  it('that are not there are 200', () => {
    const client = open();
    expect(details(client, query('NOPE'))).toEqual([]);
    expect(details(client, query('TEST', { currency: 'EUR' }))).toEqual([]);
    expect(client.errors(1)).toEqual([200, 200]);
  });

  it('are found by a part of their name', () => {
    const [samples] = open().ask({ type: 'reqMatchingSymbols', reqId: 4, pattern: 'apple' });
    expect(samples).toMatchObject({
      type: 'symbolSamples',
      samples: [{ contract: { symbol: 'AAPL', conId: 265598 } }],
    });
  });
});

describe('the account', () => {
  it('tells summary, values, portfolio and positions that agree with the books', () => {
    const client = open();
    client.place(order('BUY', 100));
    const { netLiquidation, cash } = client.exchange.truth();
    const summary = client.ask({
      type: 'reqAccountSummary',
      reqId: 1,
      group: 'All',
      tags: ['NetLiquidation', 'TotalCashValue', 'BuyingPower', 'AccountType', '$LEDGER:ALL'],
    });
    const value = (tag: string, currency: string): string | undefined =>
      summary.flatMap((one) =>
        one.type === 'accountSummary' && one.tag === tag && one.currency === currency ? [one.value] : [],
      )[0];
    expect(value('NetLiquidation', 'USD')).toBe(netLiquidation.toFixed(2));
    expect(value('TotalCashValue', 'USD')).toBe(cash.toFixed(2));
    expect(value('CashBalance', 'BASE')).toBe(cash.toFixed(2));
    expect(value('AccountType', '')).toBe('INDIVIDUAL');
    expect(summary.at(-1)?.type).toBe('accountSummaryEnd');
    const updates = client.ask({ type: 'reqAccountUpdates', subscribe: true, account: 'DU1234567' });
    expect(updates.filter(({ type }) => type === 'portfolioValue')).toMatchObject([{ position: 100 }]);
    expect(updates.at(-1)?.type).toBe('accountDownloadEnd');
    expect(client.ask({ type: 'reqPositions' })).toMatchObject([{ position: 100 }, { type: 'positionEnd' }]);
    client.messages = [];
    client.place(order('SELL', 100));
    expect(client.of('position')).toMatchObject([{ position: 0 }]);
    expect(client.of('portfolioValue')).toMatchObject([{ position: 0, averageCost: 0 }]);
    expect(client.of('accountValue').map(({ key }) => key)).toContain('NetLiquidation');
  });

  it('tells its gain, of the day, open and realized, for all and for one', () => {
    const client = open();
    client.place(order('BUY', 100));
    const conId = client.exchange.truth().positions[0].contract.conId;
    client.ask({ type: 'reqPnL', reqId: 1, account: 'DU1234567', modelCode: '' });
    client.ask({ type: 'reqPnLSingle', reqId: 2, account: 'DU1234567', modelCode: '', conId });
    runUntil(client.exchange, MONDAY.openMs - 1);
    client.place(order('SELL', 100), undefined);
    runUntil(client.exchange, MONDAY.openMs + 20_000);
    const { cash } = client.exchange.truth();
    const pnl = client.of('pnl').at(-1);
    expect(pnl?.unrealized).toBe(0);
    expect(pnl?.realized).toBeCloseTo(cash - 1_000_000, 4);
    expect(client.of('pnlSingle').at(-1)).toMatchObject({ position: 0, value: 0 });
    // the day began with the shares at Friday's last price
    expect(pnl?.daily).toBeCloseTo(client.of('pnlSingle').at(-1)?.daily ?? NaN, 4);
    expect(client.ask({ type: 'reqPnL', reqId: 9, account: 'DU9', modelCode: '' })).toMatchObject([{ code: 321 }]);
  });
});

describe('options of an exchange', () => {
  it.each([
    [{ bars: [] }, /nothing to replay/],
    [{ account: 'me' }, /DU1234567/],
    [{ seed: -1 }, /seed/],
    [{ initialCash: 0 }, /initial cash/],
  ])('%j are refused', (wrong, message) => {
    const bars = [testBars({ prices: [[1, 1, 1, 1]] })];
    expect(() => testExchange(bars, wrong)).toThrow(message);
  });
});

/** Whatever is asked, the exchange answers: with messages or an error, never by throwing; and its books stay finite. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { syntheticBars } from '#src/data/synthetic.js';
import type { Bars } from '#env/market/bars.js';
import type { ExchangeRequest } from '../wire/requests.js';
import { order, query, TestClient, testExchange } from './exchange.fixture.js';

const RUNS = Number(process.env['OPENBELL_PROPERTY_RUNS'] ?? 25);

function bars(symbol: string, securityType: 'STK' | 'CASH' | 'IND', label: string, ms: number, calendar: string): Bars {
  return syntheticBars({
    seed: 3,
    from: '2024-03-07',
    sessions: 6,
    start_price: securityType === 'CASH' ? 1.1 : 50,
    annual_drift: 0,
    regimes: [{ annual_volatility: 0.4, mean_sessions: 10 }],
    overnight_share: 0.2,
    session_volume: 100_000,
    name: symbol,
    instrument: {
      symbol,
      securityType,
      currency: 'USD',
      exchange: 'NASDAQ',
      ticks: [{ lowEdge: 0, increment: securityType === 'CASH' ? 0.00005 : 0.01 }],
      lotSize: 1,
    },
    interval: { label, ms },
    calendar,
  });
}

const DATA = [
  bars('AAPL', 'STK', '5m', 300_000, 'XNYS'),
  bars('EURUSD', 'CASH', '1h', 3_600_000, 'FX'),
  bars('SPX', 'IND', '1d', 86_400_000, 'XNYS'),
  bars('ROUND', 'STK', '1h', 3_600_000, '24x7'),
];

const text = fc.oneof(
  fc.constantFrom(
    '',
    'AAPL',
    'EUR',
    'SPX',
    'ROUND',
    'ES',
    'SPY',
    'SMART',
    'USD',
    'DU1234567',
    'All',
    '1 D',
    '30 S',
    '1 min',
    '1 day',
    '5 secs',
    'TRADES',
    'MIDPOINT',
    'BID_ASK',
    'SCHEDULE',
    '20240308-15:00:00',
    '20500101-00:00:00',
    '19850101 10:00:00 UTC',
    '2 Y',
    '20240308 09:40:00 US/Eastern',
    '3 days',
    'Last',
    'BidAsk',
    'MidPoint',
  ),
  fc.string({ maxLength: 12 }),
);
const number = fc.oneof(
  fc.integer({ min: -3, max: 30 }),
  fc.constantFrom(NaN, Infinity, -Infinity, 1e300, -1e300, 0.5, 1e-9, 265598, 12087792),
);
const price = fc.oneof(
  fc.constant(null),
  number,
  fc.double({ min: 40, max: 60, noNaN: true }).map((x) => Math.round(x * 100) / 100),
);

const contract = fc.oneof(
  fc.constantFrom(
    query('AAPL'),
    query('EUR', { secType: 'CASH', exchange: 'IDEALPRO' }),
    query('SPX', { secType: 'IND', exchange: '' }),
    query('ROUND'),
    query('SPY'),
  ),
  fc
    .record({
      conId: number,
      symbol: text,
      secType: fc.constantFrom('STK', 'CASH', 'OPT', 'FUT', 'BAG', ''),
      exchange: text,
      currency: text,
      right: text,
      strike: number,
      lastTradeDateOrContractMonth: fc.constantFrom('', '202412', '20241220', '2024-12-20', '99999999'),
    })
    .map((more) => query('', more)),
);

const placed = fc
  .record({
    action: fc.constantFrom('BUY', 'SELL', 'BUY', 'SELL', 'SSHORT', ''),
    totalQuantity: fc.oneof(number, fc.integer({ min: 1, max: 3000 })),
    orderType: fc.constantFrom(
      'MKT',
      'LMT',
      'STP',
      'STP LMT',
      'TRAIL',
      'TRAIL LIMIT',
      'MIT',
      'LIT',
      'MOC',
      'LOC',
      'REL',
      '',
    ),
    lmtPrice: price,
    auxPrice: price,
    trailStopPrice: price,
    trailingPercent: price,
    lmtPriceOffset: price,
    tif: fc.constantFrom('DAY', 'GTC', 'IOC', 'FOK', 'GTD', ''),
    goodTillDate: fc.constantFrom('', '20240311 10:00:00 US/Eastern', 'x'),
    parentId: fc.integer({ min: 0, max: 12 }),
    ocaGroup: fc.constantFrom('', 'a', 'b'),
    ocaType: fc.integer({ min: 0, max: 3 }),
    outsideRth: fc.boolean(),
    transmit: fc.boolean(),
    whatIf: fc.boolean(),
    triggerMethod: fc.integer({ min: 0, max: 8 }),
    cashQty: price,
    account: fc.constantFrom('', 'DU1234567', 'x'),
  })
  .map((terms) => ({ ...order('BUY', 1), ...terms }));

/** Stands for the next identifier. */
const NEXT = 1000;

/** Orders that mostly make sense. */
const sane = fc
  .record({
    action: fc.constantFrom('BUY' as const, 'SELL' as const),
    totalQuantity: fc.integer({ min: 1, max: 3000 }),
    orderType: fc.constantFrom('MKT', 'LMT', 'STP', 'TRAIL', 'MOC'),
    level: fc.integer({ min: 4500, max: 5500 }).map((cents) => cents / 100),
    tif: fc.constantFrom('DAY', 'GTC', 'IOC'),
    parentId: fc.constantFrom(0, 0, 0, 1, 2, 3),
    ocaGroup: fc.constantFrom('', '', 'a'),
    transmit: fc.constantFrom(true, true, false),
  })
  .map(({ level, ...terms }) => ({
    ...order('BUY', 1),
    ...terms,
    lmtPrice: level,
    auxPrice: terms.orderType === 'TRAIL' ? 0.25 : level,
  }));
const good = fc.constantFrom(query('AAPL'), query('ROUND'), query('EUR', { secType: 'CASH', exchange: 'IDEALPRO' }));

const id = fc.integer({ min: -1, max: 25 });
const flag = fc.boolean();
const request: fc.Arbitrary<ExchangeRequest> = fc.oneof(
  fc.record({ type: fc.constant('placeOrder' as const), orderId: id, contract, order: placed }),
  fc.record({
    type: fc.constant('placeOrder' as const),
    orderId: fc.integer({ min: 1, max: 25 }),
    contract,
    order: placed,
  }),
  ...Array.from({ length: 8 }, () =>
    fc.record({
      type: fc.constant('placeOrder' as const),
      orderId: fc.integer({ min: 1, max: 60 }),
      contract: good,
      order: sane,
    }),
  ),
  fc.record({ type: fc.constantFrom('cancelOrder' as const), orderId: id }),
  fc.record({
    type: fc.constantFrom(
      'reqGlobalCancel' as const,
      'reqOpenOrders' as const,
      'reqAllOpenOrders' as const,
      'reqPositions' as const,
      'cancelPositions' as const,
    ),
  }),
  fc.record({ type: fc.constant('reqContractDetails' as const), reqId: id, contract }),
  fc.record({ type: fc.constant('reqMatchingSymbols' as const), reqId: id, pattern: text }),
  fc.record({ type: fc.constant('reqMarketRule' as const), marketRuleId: number }),
  fc.record({
    type: fc.constant('reqMktData' as const),
    reqId: id,
    contract,
    genericTicks: fc.array(text, { maxLength: 2 }),
    snapshot: flag,
    regulatorySnapshot: flag,
  }),
  fc.record({ type: fc.constant('reqMarketDataType' as const), marketDataType: number }),
  fc.record({
    type: fc.constant('reqTickByTickData' as const),
    reqId: id,
    contract,
    tickType: text,
    numberOfTicks: number,
    ignoreSize: flag,
  }),
  fc.record({
    type: fc.constant('reqRealTimeBars' as const),
    reqId: id,
    contract,
    barSize: fc.constantFrom(5, 0, 7),
    whatToShow: text,
    useRth: flag,
  }),
  fc.record({
    type: fc.constant('reqHistoricalData' as const),
    reqId: id,
    contract,
    endDateTime: text,
    duration: text,
    barSize: text,
    whatToShow: text,
    useRth: flag,
    formatDate: number,
    keepUpToDate: flag,
  }),
  fc.record({
    type: fc.constant('reqHeadTimestamp' as const),
    reqId: id,
    contract,
    useRth: flag,
    whatToShow: text,
    formatDate: number,
  }),
  fc.record({
    type: fc.constant('reqHistoricalTicks' as const),
    reqId: id,
    contract,
    startDateTime: text,
    endDateTime: text,
    numberOfTicks: number,
    whatToShow: text,
    useRth: flag,
    ignoreSize: flag,
  }),
  fc.record({ type: fc.constant('reqHistogramData' as const), reqId: id, contract, useRth: flag, timePeriod: text }),
  fc.record({
    type: fc.constantFrom(
      'cancelMktData' as const,
      'cancelRealTimeBars' as const,
      'cancelHistoricalData' as const,
      'cancelTickByTickData' as const,
      'cancelPnL' as const,
      'cancelPnLSingle' as const,
      'cancelAccountSummary' as const,
    ),
    reqId: id,
  }),
  fc.record({
    type: fc.constant('reqExecutions' as const),
    reqId: id,
    filter: fc.record({
      clientId: id,
      account: text,
      time: text,
      symbol: text,
      secType: text,
      exchange: text,
      side: text,
    }),
  }),
  fc.record({ type: fc.constant('reqCompletedOrders' as const), apiOnly: flag }),
  fc.record({ type: fc.constant('reqAccountUpdates' as const), subscribe: flag, account: text }),
  fc.record({
    type: fc.constant('reqAccountSummary' as const),
    reqId: id,
    group: text,
    tags: fc.array(text, { maxLength: 3 }),
  }),
  fc.record({
    type: fc.constantFrom('reqPnL' as const, 'reqPositionsMulti' as const),
    reqId: id,
    account: text,
    modelCode: text,
  }),
  fc.record({ type: fc.constant('reqPnLSingle' as const), reqId: id, account: text, modelCode: text, conId: number }),
);

/** Requests that may be answered by silence: they end something, begin a stream, or are kept at the gateway. */
function mayBeSilent(one: ExchangeRequest): boolean {
  if (one.type === 'placeOrder') return !one.order.transmit && !one.order.whatIf;
  if (one.type === 'reqAccountUpdates') return !one.subscribe;
  const quiet = ['reqGlobalCancel', 'reqMarketDataType', 'reqTickByTickData', 'reqRealTimeBars'];
  return one.type.startsWith('cancel') || quiet.includes(one.type);
}

describe('the exchange under any requests', () => {
  it('answers, and keeps finite books', () => {
    let executions = 0;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(request, fc.integer({ min: 0, max: 60 })), { minLength: 30, maxLength: 60 }),
        fc.constantFrom('path' as const, 'backtest' as const),
        (asked, fills) => {
          const exchange = testExchange(DATA, { fills, startTimeMs: DATA[0].openTimeMs[78] });
          const client = new TestClient(exchange);
          let next = 1;
          for (const [drawn, steps] of asked) {
            const one = drawn.type === 'placeOrder' && drawn.orderId === NEXT ? { ...drawn, orderId: next++ } : drawn;
            const answers = client.ask(one);
            expect(answers.length > 0 || mayBeSilent(one) ? '' : JSON.stringify(one)).toBe('');
            for (let k = 0; k < steps && exchange.nextEventMs !== null; k++) exchange.step();
          }
          const { cash, netLiquidation, orders, executions: done } = exchange.truth();
          executions += done.length;
          expect(Number.isFinite(cash) && Number.isFinite(netLiquidation)).toBe(true);
          for (const { filled, remaining } of orders)
            expect(Number.isFinite(filled) && Number.isFinite(remaining)).toBe(true);
        },
      ),
      { numRuns: RUNS },
    );
    expect(executions).toBeGreaterThan(0);
  });
});

/** Orders along the tick path: what is filled, refused, held and told, fact by fact. */
import { describe, expect, it } from 'vitest';
import type { Bars } from '#env/market/bars.js';
import { calendarNamed } from '#env/market/calendar.js';
import { testBars } from '#env/market/test-bars.fixture.js';
import type { ExchangeOptions } from '../exchange-port.js';
import type { Order } from '../wire/types.js';
import { order, query, runToBoundary, runUntil, TestClient, testExchange } from './exchange.fixture.js';

const MINUTE_MS = 60_000;
const [FRIDAY, MONDAY] = calendarNamed('XNYS').sessionsBetween(Date.UTC(2024, 6, 12), Date.UTC(2024, 6, 16));

type Ohlc = readonly [number, number, number, number];

/** Minute bars from Friday's open on; `after` from Monday's. 1,000 shares each. */
function minutes(friday: readonly Ohlc[], monday: readonly Ohlc[] = []): Bars {
  const times = [
    ...friday.map((_, k) => FRIDAY.openMs + k * MINUTE_MS),
    ...monday.map((_, k) => MONDAY.openMs + k * MINUTE_MS),
  ];
  return testBars({ prices: [...friday, ...monday], openTimeMs: times, interval: { label: '1m', ms: MINUTE_MS } });
}

const flat = (price: number): Ohlc => [price, price, price, price];

function open(bars: Bars, more: Partial<ExchangeOptions> = {}): TestClient {
  const client = new TestClient(testExchange([bars], more));
  runUntil(client.exchange, bars.openTimeMs[0]);
  return client;
}

const NO_COSTS = { model: 'none', percent_bps: 0, spread_bps: 2, slippage_bps: 0, borrow_rate: 0 } as const;

describe('an order at the market', () => {
  it('takes the quote at once: execution, status and commission are told', () => {
    const client = open(minutes([flat(100), flat(100)]));
    const id = client.place(order('BUY', 100));
    expect(client.fills(id)).toMatchObject([{ shares: 100, price: 100.01 }]);
    expect(client.statuses(id)).toEqual(['Submitted', 'Filled']);
    expect(client.of('commissionReport')).toMatchObject([{ commission: 1, currency: 'USD', realizedPnl: null }]);
    const { cash, positions, netLiquidation } = client.exchange.truth();
    expect(cash).toBe(1_000_000 - 10_001 - 1);
    expect(positions).toMatchObject([{ position: 100, averageCost: 100.02, marketPrice: 100 }]);
    expect(netLiquidation).toBe(1_000_000 - 2);
  });

  it('is filled in parts where the quote is small, and pays its commission once', () => {
    const client = open(minutes([flat(100), flat(100), flat(100), flat(100)]));
    const id = client.place(order('BUY', 2500));
    expect(client.statuses(id)).toContain('Submitted');
    runUntil(client.exchange, FRIDAY.openMs + 3 * MINUTE_MS);
    const fills = client.fills(id);
    expect(fills.length).toBeGreaterThan(2);
    expect(fills.reduce((sum, { shares }) => sum + shares, 0)).toBe(2500);
    expect(client.of('commissionReport').reduce((sum, { commission }) => sum + commission, 0)).toBeCloseTo(12.5, 6);
    expect(client.statuses(id).at(-1)).toBe('Filled');
  });

  it('waits for the opening when the market is closed, warned with 399, and then takes the first quote', () => {
    const client = open(minutes([flat(100)], [flat(110)]));
    runUntil(client.exchange, FRIDAY.closeMs + MINUTE_MS);
    const id = client.place(order('BUY', 10));
    expect(client.errors(id)).toEqual([399]);
    expect(client.statuses(id)).toEqual(['PreSubmitted']);
    runUntil(client.exchange, MONDAY.openMs);
    expect(client.fills(id)).toMatchObject([{ shares: 10, price: 110.02, time: '20240715 09:30:00 US/Eastern' }]);
    expect(client.statuses(id)).toEqual(['PreSubmitted', 'Submitted', 'Filled']);
  });

  it('does not wait where it may not', () => {
    const client = open(minutes([flat(100)], [flat(110)]));
    runUntil(client.exchange, FRIDAY.closeMs + MINUTE_MS);
    const id = client.place(order('BUY', 10, { tif: 'IOC' }));
    expect(client.errors(id)).toEqual([201]);
    expect(client.statuses(id)).toEqual(['Inactive']);
  });
});

describe('a limit order', () => {
  it('rests, and is filled at its limit when the market comes to it', () => {
    const client = open(minutes([flat(100), [100, 100, 98, 98], flat(98)]));
    const id = client.place(order('BUY', 50, { orderType: 'LMT', lmtPrice: 99 }));
    expect(client.statuses(id)).toEqual(['Submitted']);
    runUntil(client.exchange, FRIDAY.openMs + 2 * MINUTE_MS);
    expect(client.fills(id)).toMatchObject([{ shares: 50, price: 99 }]);
  });

  it('is filled at the better price beyond a gap', () => {
    const client = open(minutes([flat(100), flat(95)]));
    const id = client.place(order('BUY', 50, { orderType: 'LMT', lmtPrice: 99 }));
    runUntil(client.exchange, FRIDAY.openMs + MINUTE_MS);
    expect(client.fills(id)[0].price).toBeLessThanOrEqual(95.02);
  });

  it('of the day ends with the session, told with 202; one until cancelled lives on', () => {
    const client = open(minutes([flat(100)], [[98, 98, 98, 98]]));
    const day = client.place(order('BUY', 10, { orderType: 'LMT', lmtPrice: 99 }));
    const gtc = client.place(order('BUY', 10, { orderType: 'LMT', lmtPrice: 99, tif: 'GTC' }));
    runUntil(client.exchange, MONDAY.openMs);
    expect(client.statuses(day).at(-1)).toBe('Cancelled');
    expect(client.errors(day)).toEqual([202]);
    expect(client.fills(gtc)).toHaveLength(1);
  });

  it('can be changed and cancelled; what is done cannot', () => {
    const client = open(minutes([flat(100), flat(100)]));
    const id = client.place(order('BUY', 10, { orderType: 'LMT', lmtPrice: 90 }));
    client.place(order('BUY', 20, { orderType: 'LMT', lmtPrice: 91 }), id);
    expect(client.of('openOrder').at(-1)?.order).toMatchObject({ totalQuantity: 20, lmtPrice: 91 });
    client.place(order('SELL', 20, { orderType: 'LMT', lmtPrice: 91 }), id);
    expect(client.errors(id)).toEqual([105]);
    client.cancel(id);
    expect(client.statuses(id).slice(-2)).toEqual(['PendingCancel', 'Cancelled']);
    expect(client.errors(id)).toEqual([105, 202]);
    expect(client.cancel(id)).toMatchObject([{ code: 10148 }]);
    expect(client.cancel(99)).toMatchObject([{ code: 10147 }]);
    client.place(order('BUY', 10), id);
    expect(client.errors(id).at(-1)).toBe(103);
    const filled = client.place(order('BUY', 10));
    client.place(order('BUY', 20), filled);
    expect(client.errors(filled)).toEqual([104]);
    client.place(order('BUY', 20, { orderType: 'LMT', lmtPrice: 150 }), 7);
    expect(client.fills(7)).toHaveLength(1);
    client.place(order('BUY', 20), 5);
    expect(client.errors(5)).toEqual([103]);
  });

  it('that must fill at once or not at all does one of both', () => {
    const client = open(minutes([flat(100), flat(100)]));
    const far = client.place(order('BUY', 10, { orderType: 'LMT', lmtPrice: 90, tif: 'IOC' }));
    expect(client.statuses(far).at(-1)).toBe('Cancelled');
    const large = client.place(order('BUY', 5000, { orderType: 'LMT', lmtPrice: 101, tif: 'FOK' }));
    expect(client.fills(large)).toEqual([]);
    const part = client.place(order('BUY', 5000, { orderType: 'LMT', lmtPrice: 101, tif: 'IOC' }));
    expect(client.fills(part)).toHaveLength(1);
    expect(client.statuses(part).at(-1)).toBe('Cancelled');
  });
});

describe('stops', () => {
  it('wait for their price, then take the market', () => {
    const client = open(minutes([flat(100), [100, 100, 97, 97], flat(97)]));
    client.place(order('BUY', 100));
    const id = client.place(order('SELL', 100, { orderType: 'STP', auxPrice: 99, tif: 'GTC' }));
    expect(client.of('orderStatus').at(-1)).toMatchObject({ status: 'PreSubmitted', whyHeld: 'trigger' });
    runUntil(client.exchange, FRIDAY.openMs + 2 * MINUTE_MS);
    expect(client.fills(id)[0].price).toBeLessThan(99);
    expect(client.statuses(id)).toEqual(['PreSubmitted', 'Submitted', 'Filled']);
    const { realizedPnl } = client.of('commissionReport').at(-1) ?? { realizedPnl: null };
    expect(realizedPnl).toBeLessThan(-100);
  });

  it('with a limit rest beyond it', () => {
    const client = open(minutes([flat(100), flat(95), flat(100), flat(100)]));
    const id = client.place(order('SELL', 100, { orderType: 'STP LMT', auxPrice: 99, lmtPrice: 98, tif: 'GTC' }));
    runUntil(client.exchange, FRIDAY.openMs + 2 * MINUTE_MS - 1);
    expect(client.statuses(id).at(-1)).toBe('Submitted');
    runUntil(client.exchange, FRIDAY.openMs + 2 * MINUTE_MS);
    expect(client.fills(id)[0].price).toBeGreaterThanOrEqual(98);
  });

  it.each([
    ['amount', { auxPrice: 1, trailingPercent: null }],
    ['percent', { auxPrice: null, trailingPercent: 1 }],
  ])('that trail by %s follow the best price and fill a distance from it', (_, trail) => {
    const rising = [100, 101, 102, 103, 104].map(flat);
    const client = open(minutes([...rising, [104, 104, 101, 101], flat(101)]), { costs: NO_COSTS });
    client.place(order('BUY', 100));
    const id = client.place(order('SELL', 100, { orderType: 'TRAIL', ...trail }));
    runUntil(client.exchange, FRIDAY.openMs + 5 * MINUTE_MS - 1);
    expect(client.statuses(id)).toEqual(['PreSubmitted']);
    expect(client.ask({ type: 'reqOpenOrders' })[0]).toMatchObject({
      order: { trailStopPrice: trail.auxPrice === null ? 102.96 : 103 },
    });
    runUntil(client.exchange, FRIDAY.openMs + 6 * MINUTE_MS);
    expect(client.fills(id)[0].price).toBeLessThanOrEqual(103);
    expect(client.fills(id)[0].price).toBeGreaterThan(102);
  });
});

describe('brackets and groups', () => {
  const bracket = (client: TestClient): [number, number, number] => {
    const parent = client.place(order('BUY', 100, { orderType: 'LMT', lmtPrice: 99, transmit: false }));
    const target = client.place(
      order('SELL', 100, { orderType: 'LMT', lmtPrice: 103, parentId: parent, transmit: false, tif: 'GTC' }),
    );
    const stop = client.place(order('SELL', 100, { orderType: 'STP', auxPrice: 97, parentId: parent, tif: 'GTC' }));
    return [parent, target, stop];
  };

  it('hold their exits until the entry fills; one exit cancels the other', () => {
    const client = open(minutes([flat(100), [100, 100, 98, 98], [98, 104, 98, 104], flat(104)]));
    const [parent, target, stop] = bracket(client);
    expect(client.of('orderStatus').map(({ orderId, status, whyHeld }) => [orderId, status, whyHeld])).toEqual([
      [parent, 'Submitted', ''],
      [target, 'PreSubmitted', 'child'],
      [stop, 'PreSubmitted', 'child,trigger'],
    ]);
    runUntil(client.exchange, FRIDAY.openMs + 3 * MINUTE_MS);
    expect(client.fills(parent)).toMatchObject([{ shares: 100, price: 99 }]);
    // the parent's fill sets them free: the target is in the market, the stop waits for its price alone
    expect(client.statuses(target)).toEqual(['PreSubmitted', 'Submitted', 'Filled']);
    const held = client.of('orderStatus').flatMap((one) => (one.orderId === stop ? [one.whyHeld] : []));
    expect(held).toEqual(['child,trigger', 'trigger', '']);
    expect(client.fills(target)).toMatchObject([{ shares: 100, price: 103 }]);
    expect(client.fills(stop)).toEqual([]);
    expect(client.statuses(stop).at(-1)).toBe('Cancelled');
    expect(client.exchange.truth().positions).toEqual([]);
  });

  it('say nothing until they are transmitted, and go with their entry', () => {
    const client = open(minutes([flat(100), flat(100)]));
    const parent = client.place(order('BUY', 100, { orderType: 'LMT', lmtPrice: 99, transmit: false }));
    expect(client.messages.filter(({ type }) => type === 'openOrder' || type === 'orderStatus')).toEqual([]);
    const child = client.place(order('SELL', 100, { orderType: 'STP', auxPrice: 97, parentId: parent, tif: 'GTC' }));
    client.cancel(parent);
    expect(client.statuses(parent).at(-1)).toBe('Cancelled');
    expect(client.statuses(child).at(-1)).toBe('Cancelled');
    const orphan = client.place(order('SELL', 100, { orderType: 'STP', auxPrice: 97, parentId: 77 }));
    expect(client.errors(orphan)).toEqual([10006]);
  });

  it('reduce one another by what was filled, or cancel, as their type says', () => {
    const prices: Ohlc[] = [flat(100), [100, 102, 100, 102], flat(102)];
    for (const ocaType of [1, 2, 3]) {
      const client = open(minutes(prices));
      client.place(order('BUY', 2000));
      runUntil(client.exchange, FRIDAY.openMs + 50_000);
      const group = { ocaGroup: 'exits', ocaType, tif: 'GTC' };
      const target = client.place(order('SELL', 2000, { ...group, orderType: 'LMT', lmtPrice: 101 }));
      const stop = client.place(order('SELL', 2000, { ...group, orderType: 'STP', auxPrice: 90 }));
      while (client.fills(target).length === 0) client.exchange.step();
      const filled = client.fills(target).reduce((sum, { shares }) => sum + shares, 0);
      expect(filled).toBeLessThan(2000);
      const status = client.of('orderStatus').findLast(({ orderId }) => orderId === stop);
      expect([status?.status, status?.remaining]).toEqual(
        ocaType === 1 ? ['Cancelled', 2000] : ['PreSubmitted', 2000 - filled],
      );
      runUntil(client.exchange, FRIDAY.openMs + 3 * MINUTE_MS);
      expect(client.exchange.truth().positions).toEqual([]);
    }
  });

  it('protect what a part of the entry has filled when the rest is cancelled', () => {
    const client = open(minutes([flat(100), [100, 100, 95, 95], flat(95)]));
    const parent = client.place(order('BUY', 5000, { transmit: false }));
    const stop = client.place(order('SELL', 5000, { orderType: 'STP', auxPrice: 97, parentId: parent, tif: 'GTC' }));
    const filled = client.fills(parent)[0].shares;
    expect(filled).toBeLessThan(5000);
    client.cancel(parent);
    expect(client.orders.get(stop)?.order.totalQuantity).toBe(filled);
    runUntil(client.exchange, FRIDAY.openMs + 3 * MINUTE_MS);
    expect(client.exchange.truth().positions).toEqual([]);
  });
});

describe('the broker refuses', () => {
  it.each<[string, Partial<Order>, number]>([
    ['a price off tick', { orderType: 'LMT', lmtPrice: 99.005 }, 110],
    ['a limit without a price', { orderType: 'LMT' }, 321],
    ['a negative stop', { orderType: 'STP', auxPrice: -1 }, 321],
    ['no quantity', { totalQuantity: 0 }, 434],
    ['a negative quantity', { totalQuantity: -5 }, 321],
    ['a fraction of a share', { totalQuantity: 1.5 }, 10243],
    ['another account', { account: 'DU999' }, 321],
    ['an unknown order type', { orderType: 'PEG MID' }, 387],
    ['an unknown time in force', { tif: 'OPG' }, 10052],
    ['more than the equity carries', { totalQuantity: 25_000 }, 201],
    ['trailing by nothing', { orderType: 'TRAIL' }, 321],
    ['an algorithm', { algoStrategy: 'Adaptive' }, 439],
    ['an action that is none', { action: 'HOLD' }, 321],
    ['a good-till date in the past', { tif: 'GTD', goodTillDate: '20200101 10:00:00 US/Eastern' }, 321],
  ])('%s', (_, terms, code) => {
    const client = open(minutes([flat(100), flat(100)]));
    const id = client.place({ ...order('BUY', 10), ...terms });
    expect(client.errors(id)).toEqual([code]);
    expect(client.exchange.truth().executions).toEqual([]);
  });

  it('short sales where they are not allowed, but not the sale of what is held', () => {
    const client = open(minutes([flat(100), flat(100)]), { allowShorting: false });
    client.place(order('BUY', 100));
    const resting = client.place(order('SELL', 60, { orderType: 'LMT', lmtPrice: 110 }));
    expect(client.errors(resting)).toEqual([]);
    expect(client.errors(client.place(order('SELL', 60)))).toEqual([201]);
    expect(client.errors(client.place(order('SELL', 40)))).toEqual([]);
  });

  it('contracts that are not there, and descriptions without an exchange', () => {
    const client = open(minutes([flat(100), flat(100)]));
    expect(client.errors(client.place(order('BUY', 1), undefined, query('NOPE')))).toEqual([200]);
    expect(client.errors(client.place(order('BUY', 1), undefined, query('TEST', { exchange: '' })))).toEqual([321]);
    expect(client.errors(client.place(order('BUY', 1), undefined, query('TEST', { secType: 'BAG' })))).toEqual([321]);
    const known = client.place(order('BUY', 1, { orderType: 'LMT', lmtPrice: 1 }), undefined, query('SPY'));
    expect(client.statuses(known)).toEqual(['PreSubmitted']);
  });
});

describe('what if', () => {
  it('tells margin and commission in numbers, and places nothing', () => {
    const client = open(minutes([flat(100), flat(100)]));
    const id = client.place(order('BUY', 1000, { whatIf: true }));
    const { orderState } = client.of('openOrder').at(-1) ?? {};
    expect(orderState).toMatchObject({
      initMarginBefore: 0,
      equityWithLoanBefore: 1_000_000,
      commission: 5,
      minCommission: 5,
      commissionCurrency: 'USD',
    });
    expect(orderState?.initMarginChange).toBeCloseTo(0.5 * 100.01 * 1000, 6);
    expect(orderState?.maintMarginChange).toBeCloseTo(0.25 * 100.01 * 1000, 6);
    expect(client.of('orderStatus')).toEqual([]);
    expect(client.exchange.truth().orders).toEqual([]);
    client.place(order('BUY', 10), id);
    expect(client.fills(id)).toHaveLength(1);
  });

  it('prices a US stock without bars by the price list, at its limit or at the least', () => {
    const client = open(minutes([flat(100), flat(100)]));
    const ask = (terms: Partial<Order>): number | null | undefined => {
      client.place(order('BUY', 100, { whatIf: true, ...terms }), undefined, query('MMM'));
      return client.of('openOrder').at(-1)?.orderState.commission;
    };
    expect(ask({})).toBe(1);
    expect(ask({ orderType: 'LMT', lmtPrice: 0.5 })).toBe(0.5);
    expect(client.of('openOrder').at(-1)?.orderState.initMarginChange).toBe(25);
  });
});

describe('several clients', () => {
  it('see their own orders, or all; orders outlive the connection; executions are filtered', () => {
    const client = open(minutes([flat(100), flat(100), flat(100)]));
    const other = new TestClient(client.exchange, 2);
    const resting = client.place(order('BUY', 10, { orderType: 'LMT', lmtPrice: 90 }));
    other.place(order('SELL', 10));
    expect(other.ask({ type: 'reqOpenOrders' }).map(({ type }) => type)).toEqual(['openOrderEnd']);
    expect(other.ask({ type: 'reqAllOpenOrders' }).map(({ type }) => type)).toEqual([
      'openOrder',
      'orderStatus',
      'openOrderEnd',
    ]);
    expect(other.cancel(resting + 40)).toMatchObject([{ code: 10147 }]);
    client.exchange.detach(client);
    const again = new TestClient(client.exchange, 1);
    expect(again.ask({ type: 'reqOpenOrders' })).toMatchObject([{ orderId: resting }, { orderId: resting }, {}]);
    expect(client.exchange.nextValidId(1)).toBe(resting + 1);
    const filter = { clientId: 0, account: '', time: '', symbol: '', secType: '', exchange: '', side: '' };
    expect(again.ask({ type: 'reqExecutions', reqId: 5, filter }).map(({ type }) => type)).toEqual(['execDetailsEnd']);
    expect(other.ask({ type: 'reqExecutions', reqId: 5, filter }).map(({ type }) => type)).toEqual([
      'execDetails',
      'commissionReport',
      'execDetailsEnd',
    ]);
    const buys = other.ask({ type: 'reqExecutions', reqId: 6, filter: { ...filter, side: 'BUY' } });
    expect(buys.map(({ type }) => type)).toEqual(['execDetailsEnd']);
    again.ask({ type: 'reqGlobalCancel' });
    expect(again.statuses(resting).at(-1)).toBe('Cancelled');
    expect(
      again.ask({ type: 'reqCompletedOrders', apiOnly: false }).filter(({ type }) => type === 'completedOrder'),
    ).toHaveLength(2);
  });
});

describe('a replay', () => {
  it('ends, and still answers', () => {
    const client = open(minutes([flat(100), flat(101)]));
    while (runToBoundary(client.exchange));
    expect(client.exchange.nextEventMs).toBeNull();
    expect(() => client.exchange.step()).toThrow(/over/);
    expect(client.ask({ type: 'reqPositions' })).toEqual([{ type: 'positionEnd' }]);
    client.place(order('BUY', 1));
    expect(client.exchange.truth().executions).toEqual([]);
  });
});

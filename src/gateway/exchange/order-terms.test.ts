/** Orders that wait for a time or for conditions. */
import { describe, expect, it } from 'vitest';
import type { Bars } from '#env/market/bars.js';
import { calendarNamed } from '#env/market/calendar.js';
import { testBars } from '#env/market/test-bars.fixture.js';
import type { OrderCondition } from '../wire/types.js';
import { order, query, runUntil, TestClient, testExchange } from './exchange.fixture.js';

const MINUTE_MS = 60_000;
const [FRIDAY, MONDAY] = calendarNamed('XNYS').sessionsBetween(Date.UTC(2024, 6, 12), Date.UTC(2024, 6, 16));

/** Minute bars of Friday, then of Monday, that stand still at each price; 1,000 shares each. */
function minutes(friday: readonly number[], monday: readonly number[] = [], symbol = 'TEST'): Bars {
  const openTimeMs = [
    ...friday.map((_, k) => FRIDAY.openMs + k * MINUTE_MS),
    ...monday.map((_, k) => MONDAY.openMs + k * MINUTE_MS),
  ];
  const prices = [...friday, ...monday].map((price): [number, number, number, number] => [price, price, price, price]);
  return testBars({ prices, openTimeMs, interval: { label: '1m', ms: MINUTE_MS }, symbol });
}

function open(...bars: Bars[]): TestClient {
  const client = new TestClient(testExchange(bars));
  runUntil(client.exchange, FRIDAY.openMs);
  return client;
}

function conIdOf(client: TestClient, symbol: string): string {
  client.ask({ type: 'reqContractDetails', reqId: 1, contract: query(symbol) });
  return String(client.of('contractDetails').at(-1)?.details.contract.conId);
}

const condition = (type: number, fields: readonly string[], conjunction = 'a'): OrderCondition => ({
  type,
  conjunction,
  fields,
});

/** Minutes after Friday's open at which the order was filled. */
const filledAt = (client: TestClient, id: number): string[] => client.fills(id).map(({ time }) => time.slice(9, 17));

describe('good after a time', () => {
  it('is held until then, without a warning, and then meets the market', () => {
    const client = open(minutes([100, 101, 102, 103]));
    const id = client.place(order('BUY', 10, { goodAfterTime: '20240712 09:32:30 US/Eastern' }));
    expect(client.statuses(id)).toEqual(['PreSubmitted']);
    expect(client.errors(id)).toEqual([]);
    runUntil(client.exchange, FRIDAY.openMs + 4 * MINUTE_MS);
    expect(client.statuses(id)).toEqual(['PreSubmitted', 'Submitted', 'Filled']);
    expect(client.fills(id)).toMatchObject([{ shares: 10, price: 102.02, time: '20240712 09:32:30 US/Eastern' }]);
  });

  it('is a day order of its own day, and can be cancelled before', () => {
    const client = open(minutes([100, 100], [90]));
    const monday = client.place(
      order('BUY', 10, { orderType: 'LMT', lmtPrice: 95, goodAfterTime: '20240715-13:30:00' }),
    );
    const gone = client.place(order('BUY', 10, { goodAfterTime: '20300101-01:01:01' }));
    client.cancel(gone);
    expect(client.statuses(gone)).toEqual(['PreSubmitted', 'PendingCancel', 'Cancelled']);
    runUntil(client.exchange, MONDAY.openMs);
    expect(client.fills(monday)).toMatchObject([{ price: 90.01 }]);
  });

  it('of a time that has gone by acts at once; one that is none is refused', () => {
    const client = open(minutes([100, 100]));
    const past = client.place(order('BUY', 10, { goodAfterTime: '20240701-13:30:00' }));
    expect(client.statuses(past)).toEqual(['Submitted', 'Filled']);
    const broken = client.place(order('BUY', 10, { goodAfterTime: 'tomorrow' }));
    expect(client.errors(broken)).toEqual([321]);
    expect(client.statuses(broken)).toEqual([]);
  });

  it('keeps an IOC order until its moment', () => {
    const client = open(minutes([100, 100, 100]));
    const id = client.place(
      order('BUY', 10, { orderType: 'LMT', lmtPrice: 90, tif: 'IOC', goodAfterTime: '20240712 09:31:00 US/Eastern' }),
    );
    expect(client.statuses(id)).toEqual(['PreSubmitted']);
    runUntil(client.exchange, FRIDAY.openMs + 2 * MINUTE_MS);
    expect(client.statuses(id)).toEqual(['PreSubmitted', 'Submitted', 'Cancelled']);
  });
});

describe('a condition', () => {
  it('on a price lets the order go once the price is reached, for good', () => {
    const client = open(minutes([100, 101, 105, 100, 100]), minutes([50, 50, 50, 50, 50], [], 'OTHER'));
    const fields = ['1', '105', conIdOf(client, 'TEST'), 'SMART', '0'];
    const id = client.place(
      order('BUY', 10, { orderType: 'LMT', lmtPrice: 49, conditions: [condition(1, fields)] }),
      1,
      query('OTHER'),
    );
    expect(client.statuses(id)).toEqual(['PreSubmitted']);
    runUntil(client.exchange, FRIDAY.openMs + 4 * MINUTE_MS);
    expect(client.statuses(id)).toEqual(['PreSubmitted', 'Submitted']);
  });

  it('on a price at or under a level, a volume, a change since yesterday', () => {
    const client = open(minutes([100, 100], [100, 98, 96, 101]));
    const conId = conIdOf(client, 'TEST');
    runUntil(client.exchange, MONDAY.openMs);
    const under = client.place(order('BUY', 10, { conditions: [condition(1, ['0', '98', conId, 'SMART', '2'])] }));
    const volume = client.place(order('BUY', 10, { conditions: [condition(6, ['1', '3000', conId, 'SMART'])] }));
    const change = client.place(order('BUY', 10, { conditions: [condition(7, ['1', '1', conId, 'SMART'])] }));
    runUntil(client.exchange, MONDAY.openMs + 4 * MINUTE_MS);
    expect(filledAt(client, under)).toEqual(['09:31:00']);
    expect(filledAt(client, volume)).toEqual(['09:32:59']);
    expect(filledAt(client, change)).toEqual(['09:33:00']);
  });

  it('on a trade of the account waits for one that comes after it', () => {
    const client = open(minutes([100, 100, 100]), minutes([50, 50, 50], [], 'OTHER'));
    client.place(order('BUY', 1), 1, query('OTHER'));
    const id = client.place(order('BUY', 10, { conditions: [condition(5, ['STK', 'SMART', 'OTHER'])] }), 2);
    runUntil(client.exchange, FRIDAY.openMs + MINUTE_MS);
    expect(client.statuses(id)).toEqual(['PreSubmitted']);
    client.place(order('SELL', 1), 3, query('OTHER'));
    expect(client.statuses(id).at(-1)).toBe('Filled');
  });

  it('on the margin cushion looks at the account', () => {
    const client = open(minutes([100, 100, 100]));
    const id = client.place(order('BUY', 1, { conditions: [condition(4, ['0', '90'])] }));
    expect(client.statuses(id)).toEqual(['PreSubmitted']);
    for (let k = 0; k < 2; k++) client.place(order('BUY', 3000));
    runUntil(client.exchange, FRIDAY.openMs + 3 * MINUTE_MS);
    expect(client.statuses(id).at(-1)).toBe('Filled');
  });

  it('joins the next by and, which binds closer, or by or', () => {
    const client = open(minutes([100, 101, 102, 103]));
    const at = (minute: string, conjunction: string): OrderCondition =>
      condition(3, ['1', `20240712 09:${minute}:00 US/Eastern`], conjunction);
    const or = client.place(order('BUY', 1, { conditions: [at('59', 'a'), at('31', 'o'), at('32', 'a')] }));
    const and = client.place(order('BUY', 1, { conditions: [at('31', 'a'), at('33', 'a')] }));
    runUntil(client.exchange, FRIDAY.openMs + 4 * MINUTE_MS);
    expect(filledAt(client, or)).toEqual(['09:32:00']);
    expect(filledAt(client, and)).toEqual(['09:33:00']);
  });

  it('cancels the order where it says so, which works until then', () => {
    const client = open(minutes([100, 101, 102]));
    const cancels = { conditions: [condition(3, ['1', '20240712 09:31:30 US/Eastern'])], conditionsCancelOrder: true };
    const rests = client.place(order('BUY', 1, { orderType: 'LMT', lmtPrice: 90, ...cancels }));
    const fills = client.place(order('BUY', 1, cancels));
    expect(client.statuses(rests)).toEqual(['Submitted']);
    expect(client.statuses(fills)).toEqual(['Submitted', 'Filled']);
    runUntil(client.exchange, FRIDAY.openMs + 3 * MINUTE_MS);
    expect(client.statuses(rests)).toEqual(['Submitted', 'Cancelled']);
    expect(client.errors(rests)).toEqual([202]);
  });

  it('counts in regular hours only, unless told otherwise', () => {
    const client = open(minutes([100, 100], [100, 100]));
    runUntil(client.exchange, FRIDAY.closeMs + MINUTE_MS);
    const conditions = [condition(3, ['1', '20240712 15:00:00 US/Eastern'])];
    const regular = client.place(order('BUY', 1, { tif: 'GTC', conditions }));
    const always = client.place(order('BUY', 1, { tif: 'GTC', conditions, conditionsIgnoreRth: true }));
    const truth = client.exchange.truth().orders.map(({ status }) => status);
    expect(truth).toEqual(['PreSubmitted', 'PreSubmitted']);
    // the second has met its condition, and is warned that it waits for the opening
    expect([client.errors(regular), client.errors(always)]).toEqual([[], [399]]);
    runUntil(client.exchange, MONDAY.openMs);
    expect(filledAt(client, regular)).toEqual(['09:30:00']);
    expect(filledAt(client, always)).toEqual(['09:30:00']);
  });

  it('stays met through a change of the order, and can be changed or taken away', () => {
    const client = open(minutes([100, 101, 100, 100]));
    const conditions = [condition(1, ['1', '101', conIdOf(client, 'TEST'), 'SMART', '0'])];
    const met = client.place(order('BUY', 1, { orderType: 'LMT', lmtPrice: 90, conditions }));
    const waits = client.place(order('BUY', 1, { conditions: [condition(3, ['1', '20240712 15:00:00 US/Eastern'])] }));
    runUntil(client.exchange, FRIDAY.openMs + 2.5 * MINUTE_MS);
    client.place(order('BUY', 1, { orderType: 'LMT', lmtPrice: 91, conditions }), met);
    expect(client.statuses(met)).toEqual(['PreSubmitted', 'Submitted', 'Submitted']);
    client.place(order('BUY', 1), waits);
    expect(client.statuses(waits)).toEqual(['PreSubmitted', 'Submitted', 'Filled']);
  });

  it('that cannot be read is refused, on a contract without bars it is never met', () => {
    const client = open(minutes([100, 100, 100]));
    const broken = [
      condition(1, ['1', '100', '4711', 'SMART', '0']),
      condition(1, ['1', 'high', conIdOf(client, 'TEST'), 'SMART', '0']),
      condition(3, ['1', 'noon']),
      condition(4, ['1', '']),
    ];
    for (const one of broken)
      expect(client.errors(client.place(order('BUY', 1, { conditions: [one] })))).toEqual([321]);
    const aapl = client.place(order('BUY', 1, { conditions: [condition(1, ['1', '1', '265598', 'SMART', '0'])] }));
    runUntil(client.exchange, FRIDAY.openMs + 3 * MINUTE_MS);
    expect(client.statuses(aapl)).toEqual(['PreSubmitted']);
  });

  it('is refused where fills follow the backtest, which knows no moments within a bar', () => {
    const client = new TestClient(testExchange([minutes([100, 100])], { fills: 'backtest' }));
    const conditions = [condition(3, ['1', '20240712 15:00:00 US/Eastern'])];
    const conditional = client.place(order('BUY', 1, { conditions }));
    const later = client.place(order('BUY', 1, { goodAfterTime: '20240712 15:00:00 US/Eastern' }));
    expect([client.errors(conditional), client.errors(later)]).toEqual([[321], [321]]);
  });
});

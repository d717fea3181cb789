/**
 * What the broker's contract promises, over real sockets: against the simulated gateway, and against a real one of a
 * paper account where IB_HOST, IB_PORT and IB_ACCOUNT say where it is (IB_TEST_SYMBOL: what to trade there, by
 * default SPY; the market has to be open).
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Instrument } from '#env/market/instrument.js';
import type { Gateway } from '#src/gateway/start-gateway.js';
import { gatewayOf } from '../support/gateway.js';
import { ACCOUNT, cents, order, QUICK, STOCK, TestBroker, value } from '../support/broker.js';

interface Place {
  readonly port: number;
  readonly host: string;
  readonly account: string;
  readonly stock: Instrument;
  close(): Promise<void>;
}

async function simulated(versionCap: number): Promise<Place> {
  const gateway: Gateway = await gatewayOf({ versionCap, speed: 60 });
  return { host: QUICK.host, port: gateway.port, account: ACCOUNT, stock: STOCK, close: () => gateway.close() };
}

const { IB_HOST, IB_PORT, IB_ACCOUNT, IB_TEST_SYMBOL } = process.env;
const real = IB_HOST !== undefined && IB_PORT !== undefined && IB_ACCOUNT !== undefined;

async function paper(): Promise<Place> {
  const stock = { ...STOCK, symbol: IB_TEST_SYMBOL ?? 'SPY' };
  return { host: String(IB_HOST), port: Number(IB_PORT), account: String(IB_ACCOUNT), stock, close: async () => {} };
}

const places: [string, () => Promise<Place>][] = [
  ['the simulated gateway at version 193', () => simulated(193)],
  ['the simulated gateway at version 176', () => simulated(176)],
];
if (real) places.push(['a paper gateway', paper]);

describe.each(places)('%s', (_name, open) => {
  let place: Place;
  let test: TestBroker;

  beforeEach(async () => {
    place = await open();
    const { host, port, account } = place;
    test = new TestBroker({ ...QUICK, host, port, account });
    const { accounts } = await test.event('connected');
    // real money is not for tests
    if (!accounts.every((one) => /^D[UF]/.test(one))) {
      await test.broker.close();
      throw new Error(`not every account is a paper account: ${accounts.join(', ')}`);
    }
    value(await test.broker.contract(place.stock));
  });

  afterEach(async () => {
    await test.broker.close();
    await place.close();
  });

  const mine = () => ({ symbol: place.stock.symbol });

  async function quote(): Promise<{ readonly bid: number; readonly ask: number }> {
    test.broker.subscribe(place.stock);
    const { bid, ask } = await test.event('quote', (event) => event.bid !== null && event.ask !== null);
    return { bid: bid ?? NaN, ask: ask ?? NaN };
  }

  it('knows the contract: ticks of its market rule, zone, hours', async () => {
    const info = value(await test.broker.contract(place.stock));
    expect(info.conId).toBeGreaterThan(0);
    expect(info.instrument.ticks[0].lowEdge).toBe(0);
    expect(info.instrument.ticks[0].increment).toBeGreaterThan(0);
    expect(info.timeZone).toMatch(/\//);
    expect(info.liquidHours.length).toBeGreaterThan(0);
    expect(info.liquidHours.every(({ openMs, closeMs }) => closeMs > openMs)).toBe(true);
    const none = await test.broker.contract({ ...place.stock, symbol: 'NOSUCHNAME' });
    expect(none).toMatchObject({ known: false, code: 200 });
  });

  it('answers on account, time, positions, orders and executions', async () => {
    const account = value(await test.broker.accountValues());
    expect(account.netLiquidation).toBeGreaterThan(0);
    expect(account.currency).toMatch(/^[A-Z]{3}$/);
    expect(value(await test.broker.currentTime())).toBeGreaterThan(1e12);
    const answers = await Promise.all([
      test.broker.positions(),
      test.broker.openOrders(),
      test.broker.completedOrders(),
      test.broker.executions(),
      test.broker.positions(),
      test.broker.openOrders(),
    ]);
    for (const answer of answers) expect(answer.known).toBe(true);
  });

  it('streams quotes and 5-second bars, and says which type of data they are', async () => {
    await quote();
    const { bar } = await test.event('fiveSecondBar');
    expect(bar.openMs % 5000).toBe(0);
    expect(bar.low).toBeLessThanOrEqual(bar.high);
    expect(await test.event('marketDataType')).toMatchObject(mine());
    test.broker.unsubscribe(place.stock.symbol);
  });

  it('gives history in order, within the range, closed bars only', async () => {
    const now = value(await test.broker.currentTime());
    const bars = value(
      await test.broker.history({
        symbol: place.stock.symbol,
        interval: '1m',
        fromMs: now - 3_600_000,
        toMs: now,
        regularHoursOnly: true,
      }),
    );
    const opens = bars.map(({ openMs }) => openMs);
    expect(opens).toEqual([...new Set(opens)].sort((a, b) => a - b));
    expect(opens.every((openMs) => openMs >= now - 3_600_000 && openMs + 60_000 <= now)).toBe(true);
  });

  it('fills a market order: reports, execution, commission, position, and the flat again', async () => {
    await quote();
    const buy = test.ref();
    const before = value(await test.broker.positions()).find((one) => one.symbol === place.stock.symbol)?.quantity ?? 0;
    const announced = test.broker.nextOrderId;
    const orderId = test.broker.place(order(buy, mine()));
    expect(orderId).toBe(announced);
    expect(test.broker.nextOrderId).toBe(orderId + 1);
    await test.state(buy, 'filled');
    const { report } = await test.event('execution', (event) => event.report.orderRef === buy);
    expect(report).toMatchObject({ ...mine(), side: 'BUY', orderId, clientId: QUICK.clientId });
    expect(report.permId).toBeGreaterThan(0);
    const commission = await test.event('commission', (event) => event.report.execRoot === report.execRoot);
    expect(commission.report).toMatchObject({ revision: report.revision, currency: 'USD' });
    expect(commission.report.amount).toBeGreaterThan(0);
    const positions = value(await test.broker.positions());
    expect(positions.find((one) => one.symbol === place.stock.symbol)?.quantity).toBe(before + 10);
    const executions = value(await test.broker.executions());
    const again = executions.filter(({ orderRef }) => orderRef === buy);
    expect(again.reduce((sum, { quantity }) => sum + quantity, 0)).toBe(10);
    expect(again.find(({ execRoot }) => execRoot === report.execRoot)).toEqual(report);
    const sell = test.ref();
    test.broker.place(order(sell, { ...mine(), side: 'SELL' }));
    await test.state(sell, 'filled');
    const completed = value(await test.broker.completedOrders());
    expect(completed.find(({ orderRef }) => orderRef === sell)).toMatchObject({ state: 'filled', filled: 10 });
  });

  it('places, modifies and cancels a limit order under one id', async () => {
    const { bid } = await quote();
    const ref = test.ref();
    const far = cents(bid * 0.9);
    const limit = { ...mine(), orderType: 'LMT', limitPrice: far } as const;
    const orderId = test.broker.place(order(ref, limit));
    await test.state(ref, 'working');
    expect(test.broker.place(order(ref, { ...limit, limitPrice: cents(far - 0.05), quantity: 7 }))).toBe(orderId);
    await test.event(
      'order',
      ({ report }) => report.orderRef === ref && report.limitPrice === cents(far - 0.05) && report.quantity === 7,
    );
    const resting = value(await test.broker.openOrders()).filter(({ orderRef }) => orderRef === ref);
    expect(resting).toMatchObject([{ orderId, quantity: 7, filled: 0, state: 'working', clientId: QUICK.clientId }]);
    test.broker.cancel(ref);
    await test.state(ref, 'cancelled');
    expect(value(await test.broker.openOrders()).some(({ orderRef }) => orderRef === ref)).toBe(false);
    expect(() => test.broker.place(order(ref, limit))).toThrow(/BROKER_ORDER.*has ended/);
  });

  it('holds a bracket back until its last order, then links stop and target', async () => {
    const { bid } = await quote();
    const [entry, stop, target] = [test.ref(), test.ref(), test.ref()];
    const out = {
      ...mine(),
      side: 'SELL',
      parentRef: entry,
      ocaGroup: `g-${entry}-${test.broker.nextOrderId}`,
    } as const;
    test.broker.place(order(entry, { ...mine(), transmit: false }));
    test.broker.place(order(target, { ...out, orderType: 'LMT', limitPrice: cents(bid * 1.2), transmit: false }));
    test.broker.place(order(stop, { ...out, orderType: 'STP', stopPrice: cents(bid * 0.8) }));
    await test.state(entry, 'filled');
    await test.state(target, 'working');
    await test.state(stop, 'working');
    const described = await test.event('order', ({ report }) => report.orderRef === stop && report.stopPrice !== null);
    expect(described.report).toMatchObject({ quantity: 10, stopPrice: cents(bid * 0.8) });
    test.broker.cancel(target);
    await test.state(target, 'cancelled');
    test.broker.cancel(stop);
    await test.state(stop, 'cancelled');
    const flat = test.ref();
    test.broker.place(order(flat, { ...mine(), side: 'SELL' }));
    await test.state(flat, 'filled');
  });

  it('cancels an order of an earlier process, found by its reference', async () => {
    const { bid } = await quote();
    const [known, found] = [test.ref(), test.ref()];
    const limit = { ...mine(), orderType: 'LMT', limitPrice: cents(bid * 0.9), tif: 'GTC' } as const;
    const orderId = test.broker.place(order(known, limit));
    test.broker.place(order(found, limit));
    await test.state(known, 'working');
    await test.state(found, 'working');
    await test.broker.close();
    const { host, port, account } = place;
    test = new TestBroker({ ...QUICK, host, port, account, firstOrderId: orderId + 500 });
    await test.event('connected');
    value(await test.broker.contract(place.stock));
    expect(test.broker.nextOrderId).toBeGreaterThanOrEqual(orderId + 500);
    test.broker.restore([{ orderRef: known, orderId }]);
    test.broker.cancel(known);
    await test.state(known, 'cancelled');
    expect(() => test.broker.cancel(found)).toThrow(/BROKER_STATE/);
    const open = value(await test.broker.openOrders());
    expect(open.filter(({ orderRef }) => orderRef === found)).toHaveLength(1);
    test.broker.cancel(found);
    await test.state(found, 'cancelled');
  });

  it('says what a refused order is: rejected, and nothing left at the broker', async () => {
    await quote();
    const ref = test.ref();
    test.broker.place(order(ref, { ...mine(), quantity: 500_000_000 }));
    const error = await test.event('orderError', (event) => event.orderRef === ref && event.effect !== 'warning');
    expect(error.effect).toMatch(/rejected|doubtful/);
    expect(value(await test.broker.openOrders()).some(({ orderRef }) => orderRef === ref)).toBe(false);
  });
});

/** The unmodified @stoqey/ib as a client: connect to reconnect, at the version that it negotiates (193) and at 176. */
import { ErrorCode, EventName, IBApi, OrderAction, OrderType, SecType, TimeInForce, type Order } from '@stoqey/ib';
import { afterEach, describe, expect, it } from 'vitest';
import type { Gateway } from '#src/gateway/start-gateway.js';
import { gatewayOf } from '../support/gateway.js';

const SYN = { symbol: 'SYN', secType: SecType.STK, exchange: 'SMART', currency: 'USD' };

const open: { close(): void | Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

type Args = readonly unknown[];

/** Listens to everything that the library emits. */
class Client {
  readonly api: IBApi;
  readonly events: { readonly name: string; readonly args: Args }[] = [];
  nextId = 0;
  #gone = false;

  constructor(port: number, clientId: number) {
    this.api = new IBApi({ host: '127.0.0.1', port, clientId });
    this.api.on(EventName.all, (name: string, args: Args) => {
      this.events.push({ name, args });
    });
    // without a listener of its own an error event would be thrown
    this.api.on(EventName.error, () => undefined);
    this.api.on(EventName.disconnected, () => {
      this.#gone = true;
    });
  }

  static async start(port: number, clientId: number): Promise<Client> {
    const client = new Client(port, clientId);
    open.push(client);
    client.api.connect();
    const [[id]] = await client.some('nextValidId');
    client.nextId = Number(id);
    return client;
  }

  get(name: string): readonly Args[] {
    return this.events.filter((event) => event.name === name).map(({ args }) => args);
  }

  /** The events of a name, once `enough` of them fit. */
  async some(name: string, fits: (args: Args) => boolean = () => true, enough = 1): Promise<readonly Args[]> {
    const deadline = performance.now() + 30_000;
    for (;;) {
      const found = this.get(name).filter(fits);
      if (found.length >= enough) return found;
      if (performance.now() > deadline)
        throw new Error(
          `${name} did not come; errors: ${JSON.stringify([...this.get('error'), ...this.get('info')]).slice(0, 600)}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Places an order and returns its id. */
  place(order: Omit<Order, 'transmit'> & { readonly transmit?: boolean }): number {
    const id = this.nextId++;
    this.api.placeOrder(id, SYN, { tif: TimeInForce.DAY, transmit: true, account: 'DU1234567', ...order });
    return id;
  }

  status(id: number, status: string): Promise<readonly Args[]> {
    return this.some('orderStatus', (args) => args[0] === id && args[1] === status);
  }

  async quote(): Promise<{ readonly bid: number; readonly ask: number }> {
    this.api.reqMktData(9000 + this.nextId, SYN, '', true, false);
    await this.some('tickSnapshotEnd', ([id]) => id === 9000 + this.nextId);
    const price = (type: number): number =>
      Number(this.get('tickPrice').findLast(([id, t]) => id === 9000 + this.nextId && t === type)?.[2]);
    return { bid: price(1), ask: price(2) };
  }

  close(): void {
    if (!this.#gone) this.api.disconnect();
  }
}

async function gateway(options: Parameters<typeof gatewayOf>[0] = {}): Promise<Gateway> {
  const started = await gatewayOf({ speed: 120, requestsPerSecond: 1000, ...options });
  open.push(started);
  return started;
}

describe.each([193, 176])('@stoqey/ib at server version %i', (versionCap) => {
  it('connects, and learns contract, rules, history, ticks and account', async () => {
    const { port } = await gateway({ versionCap });
    const client = await Client.start(port, 7);
    expect(client.get('server')[0][0]).toBe(versionCap);
    const { api } = client;
    api.reqContractDetails(1, SYN);
    api.reqMatchingSymbols(2, 'SY');
    api.reqHistoricalData(3, SYN, '', '1 D', '5 mins' as never, 'TRADES' as never, 1, 1, true);
    api.reqHeadTimestamp(4, SYN, 'TRADES', true, 1);
    api.reqMktData(5, SYN, '233', false, false);
    api.reqRealTimeBars(6, SYN, 5, 'TRADES' as never, true);
    api.reqTickByTickData(7, SYN, 'BidAsk' as never, 0, false);
    api.reqAccountSummary(8, 'All', 'NetLiquidation,BuyingPower');
    api.reqAccountUpdates(true, 'DU1234567');
    api.reqPositions();
    api.reqPnL(9, 'DU1234567', '');
    api.reqCurrentTime();
    await client.some('contractDetailsEnd');
    expect(client.get('contractDetails')[0][1]).toMatchObject({
      contract: { symbol: 'SYN', currency: 'USD' },
      minTick: 0.01,
      timeZoneId: 'US/Eastern',
      liquidHours: expect.stringMatching(/^2024010\d:0930-2024010\d:1600/),
    });
    await client.some('symbolSamples', ([id]) => id === 2);
    await client.some('historicalData', ([id, date]) => id === 3 && String(date).startsWith('finished'));
    await client.some('historicalDataUpdate', ([id]) => id === 3);
    await client.some('headTimestamp', ([id]) => id === 4);
    await client.some('tickPrice', ([id, type]) => id === 5 && type === 1);
    const [[, , , , , , , volume]] = await client.some('realtimeBar', ([id]) => id === 6, 2);
    expect(Number(volume)).toBeGreaterThan(0);
    await client.some('tickByTickBidAsk', ([id]) => id === 7);
    await client.some('accountSummaryEnd');
    await client.some('accountDownloadEnd');
    await client.some('positionEnd');
    await client.some('pnl');
    await client.some('currentTime');
    expect(client.get('error')).toEqual([]);
  });

  it('trades: market, limit with modify and cancel, stop, trailing, bracket with OCA, what-if', async () => {
    const { port, control } = await gateway({ versionCap });
    const client = await Client.start(port, 7);
    const { bid, ask } = await client.quote();
    expect(ask).toBeGreaterThan(bid);

    const market = client.place({ action: OrderAction.BUY, orderType: OrderType.MKT, totalQuantity: 100 });
    await client.status(market, 'Filled');
    const [[, , execution]] = await client.some('execDetails', ([id]) => id === -1);
    expect(execution).toMatchObject({ orderId: market, side: 'BOT', shares: 100, acctNumber: 'DU1234567' });
    const [[report]] = await client.some('commissionReport');
    expect(report).toMatchObject({ commission: 1, currency: 'USD' });

    const low = Math.round((bid - 10) * 100) / 100;
    const limit = client.place({
      action: OrderAction.BUY,
      orderType: OrderType.LMT,
      totalQuantity: 10,
      lmtPrice: low,
    });
    await client.status(limit, 'Submitted');
    client.api.placeOrder(limit, SYN, {
      action: OrderAction.BUY,
      orderType: OrderType.LMT,
      totalQuantity: 10,
      lmtPrice: low - 1,
      tif: TimeInForce.DAY,
      transmit: true,
    });
    await client.some(
      'openOrder',
      ([id, , order]) => id === limit && Reflect.get(Object(order), 'lmtPrice') === low - 1,
    );
    client.api.cancelOrder(limit);
    await client.status(limit, 'Cancelled');
    await client.some('error', (args) => args[1] === ErrorCode.ORDER_CANCELLED || args[1] === 202);

    const stop = client.place({ action: OrderAction.SELL, orderType: OrderType.STP, totalQuantity: 50, auxPrice: low });
    const trail = client.place({
      action: OrderAction.SELL,
      orderType: OrderType.TRAIL,
      totalQuantity: 50,
      auxPrice: 5,
    });
    await client.status(stop, 'PreSubmitted');
    await client.status(trail, 'PreSubmitted');

    const parent = client.place({
      action: OrderAction.BUY,
      orderType: OrderType.MKT,
      totalQuantity: 10,
      transmit: false,
    });
    const target = client.place({
      action: OrderAction.SELL,
      orderType: OrderType.LMT,
      totalQuantity: 10,
      lmtPrice: low + 30,
      parentId: parent,
      ocaGroup: 'bracket',
      ocaType: 1,
      transmit: false,
    });
    const protection = client.place({
      action: OrderAction.SELL,
      orderType: OrderType.STP,
      totalQuantity: 10,
      auxPrice: low,
      parentId: parent,
      ocaGroup: 'bracket',
      ocaType: 1,
    });
    await client.status(parent, 'Filled');
    await client.status(target, 'Submitted');
    await client.status(protection, 'PreSubmitted');
    client.api.cancelOrder(target);
    await client.status(target, 'Cancelled');

    client.place({
      action: OrderAction.BUY,
      orderType: OrderType.LMT,
      totalQuantity: 10,
      lmtPrice: low,
      whatIf: true,
    });
    const [[, , , whatIf]] = await client.some(
      'openOrder',
      ([, , order]) => Reflect.get(Object(order), 'whatIf') === true,
    );
    expect(whatIf).toMatchObject({ commission: expect.any(Number), initMarginChange: expect.any(Number) });

    client.api.reqExecutions(70, {});
    await client.some('execDetailsEnd', ([id]) => id === 70);
    client.api.reqAllOpenOrders();
    await client.some('openOrderEnd');
    client.api.reqCompletedOrders(false);
    await client.some('completedOrdersEnd');
    client.api.reqGlobalCancel();
    await client.status(stop, 'Cancelled');
    await client.status(trail, 'Cancelled');
    await client.status(protection, 'Cancelled');
    expect(control.truth().positions).toMatchObject([{ position: 110 }]);
    const codes = client.get('error').map((args) => args[1]);
    expect(codes.every((code) => code === 202)).toBe(true);
  });

  it('reconnects with the same id and finds its order, its position and its executions again', async () => {
    const { port } = await gateway({ versionCap });
    const first = await Client.start(port, 7);
    const { bid } = await first.quote();
    const market = first.place({ action: OrderAction.BUY, orderType: OrderType.MKT, totalQuantity: 100 });
    await first.status(market, 'Filled');
    const limit = first.place({
      action: OrderAction.BUY,
      orderType: OrderType.LMT,
      totalQuantity: 10,
      lmtPrice: Math.round((bid - 10) * 100) / 100,
      tif: TimeInForce.GTC,
    });
    await first.status(limit, 'Submitted');
    first.close();
    const second = await Client.start(port, 7);
    expect(second.nextId).toBeGreaterThan(limit);
    second.api.reqOpenOrders();
    second.api.reqPositions();
    second.api.reqExecutions(1, {});
    await second.some('openOrder', ([id]) => id === limit);
    await second.some('position', ([, , position]) => position === 100);
    await second.some('execDetails', ([id]) => id === 1);
    second.api.cancelOrder(limit);
    await second.status(limit, 'Cancelled');
  });
});

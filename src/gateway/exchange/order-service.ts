/** Requests about orders that are there: cancel, list, executions; and what befalls orders between two bars. */
import { borrowCost } from '#env/market/costs.js';
import { withoutNoise } from '#env/market/ticks.js';
import type { ExchangeClient } from '../exchange-port.js';
import type { ExecutionFilter } from '../wire/requests.js';
import type { Desk } from './desk.js';
import type { Feed } from './feed.js';
import { toMicros } from './ledger.js';
import { openOrderMessage, orderState, orderStatusMessage, shownOrder, type WorkingOrder } from './working-order.js';
import { localTimeText } from './wire-time.js';

export class OrderService {
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  cancel(client: ExchangeClient, orderId: number): void {
    const working = this.#desk.books.find(client.clientId, orderId);
    if (working === undefined) {
      const message = `OrderId ${orderId} that needs to be cancelled is not found.`;
      return client.send({ type: 'error', id: orderId, code: 10147, message });
    }
    if (working.isDone) {
      const message = `OrderId ${orderId} that needs to be cancelled can not be cancelled, state: ${working.status}.`;
      return client.send({ type: 'error', id: orderId, code: 10148, message });
    }
    this.#cancelByClient(working);
  }

  cancelAll(): void {
    for (const working of this.#desk.books.working()) if (working.isWorking) this.#cancelByClient(working);
    for (const working of this.#desk.books.all) if (!working.isDone) this.#desk.cancel(working);
  }

  #cancelByClient(working: WorkingOrder): void {
    if (working.isWorking) {
      working.status = 'PendingCancel';
      this.#desk.tell(working, orderStatusMessage(working));
    }
    this.#desk.cancel(working);
    const late = this.#desk.faults.take('fillAfterCancel', working);
    if (late === null) return;
    const { world } = this.#desk;
    const feed = world.feeds[working.entry.feed];
    if (feed === undefined) return;
    world.timers.at(world.nowMs + late.delayMs, () => {
      feed.settle();
      const price = working.side > 0 ? feed.ask : feed.bid;
      this.#desk.fillAfterEnd(working, price);
    });
  }

  /** Working orders of the client, or of all clients; client 0 sees its own, since there are no manual ones. */
  openOrders(client: ExchangeClient, all: boolean): void {
    for (const working of this.#desk.books.working()) {
      if (!all && working.clientId !== client.clientId) continue;
      client.send(openOrderMessage(working, this.#desk.world.account));
      client.send(orderStatusMessage(working));
    }
    client.send({ type: 'openOrderEnd' });
  }

  /** Binding of manual orders is for client 0; there are no manual orders to bind. */
  autoOpenOrders(client: ExchangeClient): void {
    if (client.clientId !== 0)
      client.send({
        type: 'error',
        id: -1,
        code: 321,
        message: "Error validating request.-'bW' : cause - Only the default client (i.e 0) can auto bind orders.",
      });
  }

  executions(client: ExchangeClient, reqId: number, filter: ExecutionFilter): void {
    const { world } = this.#desk;
    const answer = this.#desk.executions.answer(reqId, filter, client.clientId, this.#dayStartMs(), world.nowMs);
    if (answer === 'invalid') {
      const message = `Error validating request.-'bW' : cause - Execution filter time is invalid: '${filter.time}'`;
      return client.send({ type: 'error', id: reqId, code: 321, message });
    }
    for (const message of answer) client.send(message);
    client.send({ type: 'execDetailsEnd', reqId });
  }

  /** Executions are those of the trading day: since the latest turn of a day, seen from now. */
  #dayStartMs(): number {
    const { feeds, nowMs } = this.#desk.world;
    let startMs = nowMs;
    for (const feed of feeds) {
      if (feed.dayId < 0) continue;
      const t = Math.min(feed.isOpen ? feed.bar : Math.max(feed.bar - 1, 0), feed.bars.length - 1);
      let first = t;
      while (first > 0 && feed.market.day[first - 1] === feed.market.day[t]) first--;
      startMs = Math.min(startMs, feed.startOf(first));
    }
    return startMs;
  }

  completedOrders(client: ExchangeClient): void {
    const { account } = this.#desk.world;
    for (const working of this.#desk.books.all) {
      if (!working.isDone || !working.transmitted) continue;
      client.send({
        type: 'completedOrder',
        permId: working.permId,
        contract: working.contract,
        order: shownOrder(working, account),
        orderState: orderState(working.status, {
          completedTime: localTimeText(working.completedMs, working.entry.calendar),
          completedStatus:
            working.status === 'Filled' ? `Filled Size: ${working.filled}` : `${working.status} by Trader`,
        }),
        filledQuantity: working.filled,
        parentPermId: working.parent?.permId ?? 0,
      });
    }
    client.send({ type: 'completedOrdersEnd' });
  }

  /** For `nights` that a short was held, at the last session's close. */
  chargeBorrow(feed: Feed, nights: number): void {
    const { market, bar: t, index } = feed;
    if (nights <= 0 || market.costs.borrowRate === 0) return;
    const { ledger } = this.#desk.world;
    const amount = borrowCost(-ledger.positions[index].quantity, market.close[t - 1], market.costs.borrowRate, nights);
    ledger.book({ kind: 'borrow', feed: index, micros: toMicros(amount) });
  }

  /** One old share became `ratio` new ones: the position, and the orders that rest, follow. */
  adjustShares(feed: Feed, ratio: number): void {
    const { ledger } = this.#desk.world;
    if (ledger.positions[feed.index].quantity !== 0) ledger.book({ kind: 'shares', feed: feed.index, ratio });
    feed.rescale(ratio);
    for (const working of this.#desk.books.of(feed.index)) {
      working.total = working.filled + working.remaining * ratio;
      const limit = withoutNoise(working.limit / ratio);
      // exits keep their level, an order to trade must be on tick
      const exits = working.parent !== null || working.ocaKey !== '' || Number.isNaN(limit);
      working.limit = exits ? limit : feed.grid.ticks.roundAgainst(limit, working.side);
      working.stop = withoutNoise(working.stop / ratio);
      const { order } = working;
      working.order = {
        ...order,
        lmtPrice: order.lmtPrice === null || order.lmtPrice === 0 ? order.lmtPrice : working.limit,
        auxPrice: working.isStop && !working.isTrailing ? working.stop : order.auxPrice,
      };
      working.best = withoutNoise(working.best / ratio);
      working.heldWhenGiven *= ratio;
      this.#desk.show(working);
    }
  }
}

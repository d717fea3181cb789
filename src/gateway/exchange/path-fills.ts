/** Orders meet the tick path: market orders take the quote, limits rest, stops trigger, size on offer is the limit. */
import { isInside, stopReached, targetReached } from '#env/market/fills.js';
import { floorLots } from '#env/market/ticks.js';
import { ADDED_LIQUIDITY, REMOVED_LIQUIDITY, type Desk } from './desk.js';
import type { Feed } from './feed.js';
import type { Matcher } from './matcher.js';
import { follow } from './trailing.js';
import { watchedPrice } from './trigger-price.js';
import type { WorkingOrder } from './working-order.js';

export class PathMatcher implements Matcher {
  readonly needsTicks = true;
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  onBarOpen(): boolean {
    return false;
  }

  onTick(feed: Feed): void {
    const working = this.#desk.books.of(feed.index);
    if (working.length === 0) return;
    // the first tick of a bar may lie beyond a gap, where resting orders are filled at the better price
    for (const one of working.slice()) this.#match(one, feed, feed.ticked === 1);
  }

  onBarClose(feed: Feed): void {
    if (this.#desk.books.of(feed.index).length === 0) return;
    const session = feed.calendar.sessionAt(feed.endMs - 1);
    if (session === null || session.closeMs !== feed.endMs) return;
    for (const working of this.#desk.books.of(feed.index).slice()) this.#matchAtClose(working, feed);
  }

  /** A new or changed order meets the quote as it stands. */
  onGiven(working: WorkingOrder): void {
    const feed = this.#desk.world.feeds[working.entry.feed];
    if (feed === undefined) return;
    if (feed.isOpen && feed.ticked > 0) this.#match(working, feed, false);
    if (isImmediate(working) && working.isWorking && !working.isHeldByParent && !working.dormant)
      this.#desk.cancel(working);
  }

  #match(working: WorkingOrder, feed: Feed, gap: boolean): void {
    const { order, side } = working;
    if (!working.isWorking || working.isHeldByParent || !this.#desk.mayTrade(working)) return;
    if (order.orderType === 'MOC' || order.orderType === 'LOC') return;
    if (working.waitsForTrigger && !this.#triggers(working, feed)) return;
    const price = side > 0 ? feed.ask : feed.bid;
    if (working.isLimited && !isInside(side, working.limit, price)) {
      working.rested = true;
      if (isImmediate(working)) this.#desk.cancel(working);
      return;
    }
    const onOffer = side > 0 ? feed.askSize : feed.bidSize;
    const quantity = Math.min(
      working.fillable,
      onOffer < working.fillable ? floorLots(onOffer, working.entry.lotSize) : Infinity,
    );
    const falls = order.tif === 'FOK' && quantity < working.remaining;
    if (quantity > 0 && !falls) {
      const rests = working.isLimited && working.rested && !gap;
      const filled = this.#desk.fill(working, {
        quantity,
        price: rests ? working.limit : price,
        liquidity: rests ? ADDED_LIQUIDITY : REMOVED_LIQUIDITY,
        timeMs: this.#desk.world.nowMs,
      });
      if (side > 0) feed.askSize -= filled;
      else feed.bidSize -= filled;
    }
    // what is left of a marketable limit waits at its limit, and takes what comes there
    if (isImmediate(working) && working.isWorking) this.#desk.cancel(working);
  }

  #triggers(working: WorkingOrder, feed: Feed): boolean {
    const { side } = working;
    const price = watchedPrice(working.order.triggerMethod, side, working.entry, feed);
    if (working.isTrailing) follow(working, price, feed.grid.ticks);
    // a stop of a sale protects a long position
    const reached = working.triggersOnTouch
      ? targetReached(-side, working.stop, price)
      : stopReached(-side, working.stop, price);
    if (!reached) return false;
    working.triggered = true;
    this.#desk.refresh(working);
    return true;
  }

  #matchAtClose(working: WorkingOrder, feed: Feed): void {
    const { orderType } = working.order;
    if ((orderType !== 'MOC' && orderType !== 'LOC') || !working.isWorking || working.isHeldByParent) return;
    if (working.dormant) return;
    if (orderType === 'LOC' && !isInside(working.side, working.limit, feed.last)) return;
    this.#desk.fill(working, {
      quantity: working.fillable,
      price: feed.last,
      liquidity: REMOVED_LIQUIDITY,
      timeMs: feed.endMs - 1,
    });
  }
}

const isImmediate = ({ order }: WorkingOrder): boolean => order.tif === 'IOC' || order.tif === 'FOK';

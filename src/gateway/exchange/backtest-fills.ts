/**
 * Orders are filled as in the environment (env/market/simulator.ts): bar by bar, at prices of env/market/fills.ts.
 *
 * 1. Open: resting exits that the open has gapped through; they cancel discretionary orders. Then the orders: market
 *    orders take the open, limits inside it too.
 * 2. Within the bar, known when it is complete: limits that open or add; stops; then targets by their distance, and
 *    between them a limit that leaves.
 * 3. Close: trailing orders follow, last.
 *
 * A stop is an exit. So is a limit order that belongs to a bracket or a group: a target. All other orders are
 * discretionary; one given against a position closes no more than what is left of it. An order whose orderRef contains
 * `forced` is a rule's, and is not cancelled by an exit. One whose orderRef contains `-X` leaves by decision, though it
 * be a limit order in a group; those that leave together are one order to the commission, as in the environment.
 */
import { isInside, paidPrice, stopBase, stopReached, targetReached, tradesThrough } from '#env/market/fills.js';
import { floorLots } from '#env/market/ticks.js';
import { ADDED_LIQUIDITY, REMOVED_LIQUIDITY, type Desk } from './desk.js';
import type { Feed } from './feed.js';
import { toMicros } from './ledger.js';
import type { Matcher } from './matcher.js';
import { follow } from './trailing.js';
import type { WorkingOrder } from './working-order.js';

/** A share of a position that is float noise of a corporate action's ratio. */
const DUST = 1e-9;

export class BacktestMatcher implements Matcher {
  readonly needsTicks = false;
  readonly #desk: Desk;
  /** (feeds) of the bar under way: the base price from which the position is live, ... */
  readonly #liveFrom: Float64Array;
  /** ... and whether an order opened it within the bar: what the bar did before that is no price for us. */
  readonly #openedWithin: Uint8Array;

  constructor(desk: Desk) {
    this.#desk = desk;
    this.#liveFrom = new Float64Array(desk.world.feeds.length);
    this.#openedWithin = new Uint8Array(desk.world.feeds.length);
  }

  onBarOpen(feed: Feed): boolean {
    const open = feed.market.open[feed.bar];
    this.#liveFrom[feed.index] = open;
    this.#openedWithin[feed.index] = 0;
    const fillsBefore = this.#desk.executions.records.length;
    const orders = this.#active(feed);
    if (orders.length === 0) return false;
    if (this.#exitsAtOpen(feed, orders, open)) {
      for (const working of orders) if (isDiscretionary(working) && !isForced(working)) this.#desk.cancel(working);
    }
    this.#leaveAtOpen(feed, orders, open);
    for (const working of orders) this.#orderAtOpen(working, feed, open);
    for (const working of this.#active(feed))
      if (working.isTrailing && Number.isNaN(working.best)) this.#begin(working, feed);
    return this.#desk.executions.records.length > fillsBefore;
  }

  onTick(): void {}

  onGiven(): void {}

  onBarClose(feed: Feed): void {
    const t = feed.bar;
    const high = feed.market.high[t];
    const low = feed.market.low[t];
    for (const working of this.#active(feed)) this.#growWithin(working, feed, high, low);
    this.#exitsWithin(feed, high, low);
    this.#atClose(feed);
    for (const working of this.#active(feed)) this.#afterBar(working, feed, high, low);
  }

  /** Orders that may be filled, in the order of their arrival. */
  #active(feed: Feed): WorkingOrder[] {
    return this.#desk.books.of(feed.index).filter((working) => working.isWorking && !working.isHeldByParent);
  }

  #held(feed: Feed): number {
    return this.#desk.world.ledger.positions[feed.index].quantity;
  }

  #reduces(working: WorkingOrder, feed: Feed): boolean {
    const held = this.#held(feed);
    return held !== 0 && working.side > 0 !== held > 0;
  }

  /** Resting exits that the open has gapped through. Returns whether one filled. */
  #exitsAtOpen(feed: Feed, orders: readonly WorkingOrder[], open: number): boolean {
    const held = this.#held(feed);
    if (held === 0) return false;
    const side = held > 0 ? 1 : -1;
    const stops = orders.filter((o) => isLiveStop(o) && this.#reduces(o, feed) && stopReached(side, o.stop, open));
    if (stops.length > 0) {
      this.#takeStops(feed, stops, () => open, this.#desk.world.nowMs);
      return true;
    }
    let filled = false;
    for (const target of targetsByDistance(orders, side)) {
      if (!targetReached(side, target.limit, open)) break;
      if (!target.isWorking || !this.#reduces(target, feed)) continue;
      this.#take(target, feed, target.fillable, open, target.limit, this.#desk.world.nowMs);
      filled = true;
    }
    return filled;
  }

  /** The parts of one decision to leave. */
  #leaveAtOpen(feed: Feed, orders: readonly WorkingOrder[], open: number): void {
    const parts = orders.filter(
      (o) =>
        o.isWorking &&
        isPartOfLeaving(o) &&
        this.#reduces(o, feed) &&
        (!o.isLimited || isInside(o.side, o.limit, open)),
    );
    if (parts.length < 2) return;
    const { limit, isLimited, side } = parts[0];
    const price = this.#pricePaid(feed, side, open, isLimited ? limit : NaN);
    this.#fillTogether(feed, parts, price, REMOVED_LIQUIDITY, this.#desk.world.nowMs);
  }

  /** Discretionary orders and stops that open a position. */
  #orderAtOpen(working: WorkingOrder, feed: Feed, open: number): void {
    if (!working.isWorking) return;
    const { orderType } = working.order;
    if (orderType === 'MOC' || orderType === 'LOC') return;
    const nowMs = this.#desk.world.nowMs;
    if (working.waitsForTrigger) {
      if (Number.isNaN(working.stop) || (working.isStop && this.#reduces(working, feed))) return;
      const reached = working.triggersOnTouch
        ? targetReached(-working.side, working.stop, open)
        : stopReached(-working.side, working.stop, open);
      if (!reached) return;
      working.triggered = true;
      if (!working.isLimited) this.#take(working, feed, working.fillable, open, NaN, nowMs);
      else if (isInside(working.side, working.limit, open))
        this.#take(working, feed, working.fillable, open, working.limit, nowMs);
      return;
    }
    if (working.isLimited && !isInside(working.side, working.limit, open)) return;
    const quantity = this.#quantityLeft(working, feed);
    if (quantity === 0) this.#desk.cancel(working, 'the position that it was to close is gone');
    else this.#take(working, feed, quantity, open, working.isLimited ? working.limit : NaN, nowMs);
  }

  /** A limit that opens or adds, and that the bar trades through; a stop that opens, and that the bar reaches. */
  #growWithin(working: WorkingOrder, feed: Feed, high: number, low: number): void {
    if (!working.isWorking || !isSimple(working)) return;
    if (this.#reduces(working, feed) && !working.triggersOnTouch) return;
    const { side } = working;
    const timeMs = feed.endMs - 1;
    const wasFlat = this.#held(feed) === 0;
    if (working.waitsForTrigger) {
      if (Number.isNaN(working.stop)) return;
      const extreme = working.triggersOnTouch === side > 0 ? low : high;
      const reached = working.triggersOnTouch
        ? targetReached(-side, working.stop, extreme)
        : stopReached(-side, working.stop, extreme);
      if (!reached) return;
      working.triggered = true;
      const base = working.triggersOnTouch ? working.stop : stopBase(-side, working.stop, this.#liveFrom[feed.index]);
      if (working.isLimited && !isInside(side, working.limit, base)) return;
      this.#take(working, feed, working.fillable, base, working.isLimited ? working.limit : NaN, timeMs);
      if (wasFlat) this.#openWithin(feed, base);
      return;
    }
    if (!working.isLimited) return;
    const quantity = this.#quantityLeft(working, feed);
    if (quantity === 0 || !tradesThrough(side, working.limit, high, low)) return;
    if (wasFlat) this.#openWithin(feed, working.limit);
    this.#rest(working, feed, quantity, timeMs);
  }

  #openWithin(feed: Feed, price: number): void {
    this.#liveFrom[feed.index] = price;
    this.#openedWithin[feed.index] = 1;
  }

  #exitsWithin(feed: Feed, high: number, low: number): void {
    const held = this.#held(feed);
    if (held === 0) return;
    const side = held > 0 ? 1 : -1;
    const liveFrom = this.#liveFrom[feed.index];
    const timeMs = feed.endMs - 1;
    const orders = this.#active(feed).filter((o) => this.#reduces(o, feed));
    for (const working of orders) if (working.isTrailing && Number.isNaN(working.best)) this.#begin(working, feed);
    const stops = orders.filter((o) => isLiveStop(o) && stopReached(side, o.stop, side > 0 ? low : high));
    if (stops.length > 0) this.#takeStops(feed, stops, (o) => stopBase(side, o.stop, liveFrom), timeMs);
    if (this.#held(feed) === 0 || this.#held(feed) > 0 !== side > 0) return;
    // opened within the bar: its better prices may lie before our entry, its close surely does not
    const favourable = side > 0 ? high : low;
    const reached = this.#openedWithin[feed.index] === 1 ? feed.market.close[feed.bar] : favourable;
    const leaving = orders.find((o) => o.isWorking && leavesAtLimit(o));
    const parts = orders.filter((o) => o !== leaving && o.isWorking && leavesAtLimit(o) && isPartOfLeaving(o));
    for (const target of targetsByDistance(orders, side)) {
      const limitIsNearer = leaving !== undefined && !targetReached(side, target.limit, leaving.limit);
      if (limitIsNearer || !targetReached(side, target.limit, reached)) break;
      if (!target.isWorking || !this.#reduces(target, feed)) continue;
      if (targetReached(side, target.limit, liveFrom))
        this.#take(target, feed, target.fillable, liveFrom, target.limit, timeMs);
      else this.#rest(target, feed, target.fillable, timeMs);
    }
    if (leaving === undefined || !tradesThrough(leaving.side, leaving.limit, high, low)) return;
    const left = [leaving, ...parts].filter((o) => o.isWorking);
    if (left.length > 1) {
      const price = feed.market.ticks.roundAgainst(leaving.limit, leaving.side);
      this.#fillTogether(feed, left, price, ADDED_LIQUIDITY, timeMs);
      return;
    }
    for (const working of left) {
      const quantity = this.#quantityLeft(working, feed);
      if (quantity > 0) this.#rest(working, feed, quantity, timeMs);
    }
  }

  #atClose(feed: Feed): void {
    const session = feed.calendar.sessionAt(feed.endMs - 1);
    if (session === null || session.closeMs !== feed.endMs) return;
    const close = feed.market.close[feed.bar];
    for (const working of this.#active(feed)) {
      const { orderType } = working.order;
      if (orderType !== 'MOC' && (orderType !== 'LOC' || !isInside(working.side, working.limit, close))) continue;
      this.#take(working, feed, working.fillable, close, orderType === 'LOC' ? working.limit : NaN, feed.endMs - 1);
    }
  }

  /** Trailing orders follow; what was good for one bar is over. */
  #afterBar(working: WorkingOrder, feed: Feed, high: number, low: number): void {
    const { tif } = working.order;
    if (working.isTrailing && !Number.isNaN(working.best)) {
      const favourable = working.side < 0 ? high : low;
      follow(working, this.#openedWithin[feed.index] === 1 ? feed.market.close[feed.bar] : favourable, feed.grid.ticks);
    }
    if (tif === 'IOC' || tif === 'FOK') this.#desk.cancel(working);
  }

  /** A trailing order begins at its parent's fill, or at the market. */
  #begin(working: WorkingOrder, feed: Feed): void {
    follow(working, working.parent?.averagePrice ?? feed.market.open[feed.bar], feed.grid.ticks);
  }

  /** What a discretionary order may fill: one that was given against a position no more than what is left of it. */
  #quantityLeft(working: WorkingOrder, feed: Feed): number {
    const { heldWhenGiven, side, fillable } = working;
    if (!isDiscretionary(working)) return fillable;
    const given = Math.abs(heldWhenGiven);
    const reduces = heldWhenGiven !== 0 && heldWhenGiven > 0 !== side > 0 && working.total <= given * (1 + DUST);
    if (reduces && !this.#reduces(working, feed)) return 0;
    const held = Math.abs(this.#held(feed));
    if (reduces && working.total >= given * (1 - DUST)) return held;
    // a corporate action may have left a fraction of a lot
    const lots = feed.market.shareRatio === null ? fillable : floorLots(fillable, working.entry.lotSize);
    return reduces ? Math.min(lots, held) : lots;
  }

  /** Stops that fill together at one price are one order to the commission, as they are one in the environment. */
  #takeStops(feed: Feed, stops: readonly WorkingOrder[], baseOf: (stop: WorkingOrder) => number, timeMs: number): void {
    const byBase = new Map<number, WorkingOrder[]>();
    for (const stop of stops) {
      const base = baseOf(stop);
      stop.triggered = true;
      if (stop.isLimited) {
        if (isInside(stop.side, stop.limit, base)) this.#take(stop, feed, stop.fillable, base, stop.limit, timeMs);
        continue;
      }
      const group = byBase.get(base);
      if (group === undefined) byBase.set(base, [stop]);
      else group.push(stop);
    }
    for (const [base, group] of byBase) {
      const price = this.#pricePaid(feed, group[0].side, base, NaN);
      this.#fillTogether(feed, group, price, REMOVED_LIQUIDITY, timeMs);
    }
  }

  /** Fills all of them at one price; the commission is that of one order, each bears its share. */
  #fillTogether(feed: Feed, orders: readonly WorkingOrder[], price: number, liquidity: number, timeMs: number): void {
    const total = orders.reduce((sum, { fillable }) => sum + fillable, 0);
    let leftMicros = toMicros(this.#commission(feed, orders[0].side * total, price));
    let leftQuantity = total;
    for (const working of orders) {
      const quantity = working.fillable;
      if (!working.isWorking || quantity === 0) continue;
      const shareMicros = quantity === leftQuantity ? leftMicros : Math.round((leftMicros * quantity) / leftQuantity);
      leftMicros -= shareMicros;
      leftQuantity -= quantity;
      this.#desk.fill(working, { quantity, price, liquidity, timeMs, commission: shareMicros / 1e6 });
    }
  }

  #commission(feed: Feed, quantity: number, price: number): number {
    return feed.market.costs.commission(quantity, price, feed.market.feePeriod[feed.bar]);
  }

  #pricePaid(feed: Feed, side: number, base: number, limit: number): number {
    return paidPrice(side, base, feed.market.costs.takingShare, 0, limit, feed.market.ticks);
  }

  /** Takes the market's price: half the spread and slippage, never beyond `limit`. */
  #take(working: WorkingOrder, feed: Feed, quantity: number, base: number, limit: number, timeMs: number): void {
    const price = this.#pricePaid(feed, working.side, base, limit);
    this.#fillWhole(working, quantity, price, REMOVED_LIQUIDITY, timeMs);
  }

  /** Rests and is reached: filled at its own price. */
  #rest(working: WorkingOrder, feed: Feed, quantity: number, timeMs: number): void {
    const price = feed.market.ticks.roundAgainst(working.limit, working.side);
    this.#fillWhole(working, quantity, price, ADDED_LIQUIDITY, timeMs);
  }

  #fillWhole(working: WorkingOrder, quantity: number, price: number, liquidity: number, timeMs: number): void {
    if (quantity === 0) return;
    this.#desk.fill(working, { quantity, price, liquidity, timeMs });
    // capped at what was left of the position: the rest is void
    if (working.isWorking && isDiscretionary(working)) this.#desk.cancel(working);
  }
}

/** Neither a stop nor a target. */
function isDiscretionary(working: WorkingOrder): boolean {
  return !working.isStop && !isTarget(working);
}

/** A limit order that belongs to a bracket or a group. */
function isTarget(working: WorkingOrder): boolean {
  return (
    working.order.orderType === 'LMT' && (working.parent !== null || working.ocaKey !== '') && !isPartOfLeaving(working)
  );
}

/** One of the orders, each for its part of the position, that leave together. */
const isPartOfLeaving = ({ order }: WorkingOrder): boolean => order.orderRef.includes('-X');

/** A limit order to leave: given as such, or a stop-limit that has triggered. */
function leavesAtLimit(working: WorkingOrder): boolean {
  return working.isLimited && isSimple(working) && !working.waitsForTrigger && !isTarget(working);
}

function isLiveStop(working: WorkingOrder): boolean {
  return working.isStop && working.waitsForTrigger && !Number.isNaN(working.stop);
}

/** Orders for the close have their own moment. */
function isSimple(working: WorkingOrder): boolean {
  return working.order.orderType !== 'MOC' && working.order.orderType !== 'LOC';
}

const isForced = ({ order }: WorkingOrder): boolean => order.orderRef.includes('forced');

/** Nearest first, for a position of `side`. */
function targetsByDistance(orders: readonly WorkingOrder[], side: number): WorkingOrder[] {
  return orders.filter((o) => isTarget(o) && o.side > 0 !== side > 0).sort((a, b) => side * (a.limit - b.limit));
}

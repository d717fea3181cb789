/** placeOrder: a new order, a change of one, or a question what it would cost. */
import {
  UNKNOWN_CONTRACT,
  AMBIGUOUS_CONTRACT,
  checkOrder,
  checkQuery,
  CLOSED_FOR_NOW,
  marginRefusal,
  SHORTING_REFUSED,
  type Refusal,
} from './order-checks.js';
import { ibkrFixedCommission } from '#env/market/costs.js';
import type { ExchangeClient } from '../exchange-port.js';
import type { ContractQuery, Order } from '../wire/types.js';
import type { ContractEntry } from './contract-book.js';
import type { Desk } from './desk.js';
import type { Dormancy } from './dormancy.js';
import type { Matcher } from './matcher.js';
import { MICROS } from './ledger.js';
import { marginsOf } from './margin.js';
import { readTerms, type OrderTerms } from './order-terms.js';
import { openOrderMessage, orderState, WorkingOrder } from './working-order.js';
import { sessionAtOrAfter } from './sessions.js';
import { localTimeText, parseTime } from './wire-time.js';

const HOUR_MS = 3_600_000;
/** Orders that may trade outside regular hours are good until so long after the close. */
const LATE_MS = 4 * HOUR_MS;

export interface PlacementRules {
  readonly allowShorting: boolean;
}

export class Placement {
  readonly #desk: Desk;
  readonly #matcher: Matcher;
  readonly #dormancy: Dormancy;
  readonly #rules: PlacementRules;

  constructor(desk: Desk, matcher: Matcher, dormancy: Dormancy, rules: PlacementRules) {
    this.#desk = desk;
    this.#matcher = matcher;
    this.#dormancy = dormancy;
    this.#rules = rules;
  }

  place(client: ExchangeClient, orderId: number, query: ContractQuery, order: Order): void {
    const { clientId } = client;
    const existing = this.#desk.books.find(clientId, orderId);
    const refused = (refusal: Refusal): void => {
      client.send({ type: 'error', id: orderId, code: refusal.code, message: refusal.message });
    };
    if (order.whatIf) this.#whatIf(client, orderId, query, order, refused);
    else if (existing === undefined) this.#placeNew(clientId, orderId, query, order, refused);
    else this.#modify(existing, query, order, refused);
  }

  /** The contract that the order is for, or why there is none. */
  #lookUp(query: ContractQuery): ContractEntry | Refusal {
    const problem = checkQuery(query);
    if (problem !== null) return problem;
    const found = this.#desk.world.contracts.matches(query, this.#desk.world.nowMs);
    if (found.length === 0) return UNKNOWN_CONTRACT;
    return found.length > 1 ? AMBIGUOUS_CONTRACT : found[0];
  }

  #check(entry: ContractEntry, order: Order, changed?: WorkingOrder): Refusal | null {
    const { world } = this.#desk;
    const grid = world.feeds[entry.feed]?.grid ?? null;
    const held = world.ledger.positions[entry.feed]?.quantity ?? 0;
    const isSame = (quantity: number): boolean => Math.abs(order.totalQuantity - quantity) < 1e-9;
    const mayBeFractional = isSame(Math.abs(held)) || (changed !== undefined && isSame(changed.total));
    return checkOrder(order, world.account, grid, entry.lotSize, mayBeFractional);
  }

  /** What the order waits for. A backtest knows bars, and no moments between them. */
  #termsOf(entry: ContractEntry, order: Order): OrderTerms | Refusal {
    if (!this.#matcher.needsTicks && (order.goodAfterTime !== '' || order.conditions.length > 0)) return NO_TERMS_HERE;
    return readTerms(order, entry, this.#desk.world, this.#desk.executions);
  }

  #placeNew(
    clientId: number,
    orderId: number,
    query: ContractQuery,
    order: Order,
    refused: (r: Refusal) => void,
  ): void {
    const { books } = this.#desk;
    if (!(orderId > 0) || orderId < books.highest(clientId)) return refused(DUPLICATE_ID);
    const entry = this.#lookUp(query);
    if ('code' in entry) return refused(entry);
    const terms = this.#termsOf(entry, order);
    if ('code' in terms) return refused(terms);
    const parent = order.parentId > 0 ? books.find(clientId, order.parentId) : undefined;
    const problem =
      this.#check(entry, order) ??
      (order.parentId > 0 && (parent === undefined || parent.status === 'Cancelled' || parent.status === 'Inactive')
        ? MISSING_PARENT
        : null) ??
      (books.isClosedGroup(order.ocaGroup) ? CLOSED_GROUP : null) ??
      this.#checkAccount(entry, order, parent ?? null);
    if (problem !== null) return refused(problem);
    const contract = { ...entry.contract, exchange: query.exchange };
    const working = new WorkingOrder({ orderId, clientId, permId: books.nextPermId() }, entry, contract, order);
    if (parent !== undefined) {
      working.parent = parent;
      parent.children.push(working);
    }
    const expiryMs = this.#expiryOf(working, terms);
    if (expiryMs === null)
      return refused({
        code: 321,
        message: `Error validating request.-'bW' : cause - Invalid good till date '${order.goodTillDate}'`,
      });
    books.add(working);
    this.#take(working, expiryMs, terms);
    const rejection = this.#desk.faults.take('rejectOrder', working);
    if (rejection !== null) return this.#desk.reject(working, rejection.code, rejection.message, rejection.withStatus);
    if (order.transmit) this.#transmitFamily(working);
  }

  /** Prices, group and expiry of the order as it was given. */
  #take(working: WorkingOrder, expiryMs: number, terms: OrderTerms): void {
    const { order, parent } = working;
    const { world } = this.#desk;
    working.limit = working.isLimited && order.lmtPrice !== null ? order.lmtPrice : NaN;
    if (!working.isTrailing)
      working.stop = working.waitsForTrigger || working.triggered ? (order.auxPrice ?? NaN) : NaN;
    else if ((order.trailStopPrice ?? 0) > 0 && Number.isNaN(working.best)) working.stop = order.trailStopPrice ?? NaN;
    // children of one parent are a group of their own, in which a fill reduces the others
    const bracket = parent !== null && order.ocaGroup === '';
    working.ocaKey = bracket ? String(parent.permId) : order.ocaGroup;
    working.ocaType = order.ocaType > 0 && !bracket ? order.ocaType : 3;
    working.heldWhenGiven = world.ledger.positions[working.entry.feed]?.quantity ?? 0;
    working.expiryMs = expiryMs;
    this.#dormancy.set(working, terms);
    if (expiryMs < Infinity) {
      world.timers.at(expiryMs, () => {
        if (!working.isDone && working.expiryMs <= world.nowMs) this.#desk.cancel(working);
      });
    }
  }

  /** An order that is transmitted takes its untransmitted parent and siblings along. */
  #transmitFamily(working: WorkingOrder): void {
    const head = working.parent ?? working;
    const family = [head, ...head.children].filter((one) => !one.transmitted && !one.isDone);
    const held = working.parent === null ? [working] : family;
    for (const one of held) this.#transmit(one);
    for (const one of held) if (one.isWorking) this.#matcher.onGiven(one);
  }

  #transmit(working: WorkingOrder): void {
    const { order } = working;
    const open = this.#desk.mayTrade(working);
    working.transmitted = true;
    if (
      !open &&
      !working.dormant &&
      working.entry.feed >= 0 &&
      (order.tif === 'IOC' || order.tif === 'FOK') &&
      this.#desk.keepsHours
    )
      return this.#desk.reject(working, CLOSED_FOR_NOW.code, CLOSED_FOR_NOW.message, true);
    this.#desk.books.enter(working);
    const held = working.isHeldByParent || working.waitsForTrigger || !open;
    working.status = held ? 'PreSubmitted' : 'Submitted';
    this.#desk.show(working);
    if (!open && !working.dormant && working.parent === null) this.#warnClosed(working);
  }

  /** 399: an order outside its hours is kept until they begin. */
  #warnClosed(working: WorkingOrder): void {
    const { world } = this.#desk;
    const { calendar } = working.entry;
    const next = sessionAtOrAfter(calendar, world.nowMs);
    if (next === null || next.openMs <= world.nowMs) return;
    const { order, contract } = working;
    this.#desk.tell(working, {
      type: 'error',
      id: working.orderId,
      code: 399,
      message: `Order Message:\n${order.action} ${order.totalQuantity} ${contract.symbol} ${contract.tradingClass}\nWarning: your order will not be placed at the exchange until ${localTimeText(next.openMs, calendar)}`,
    });
  }

  #modify(working: WorkingOrder, query: ContractQuery, order: Order, refused: (r: Refusal) => void): void {
    const { books } = this.#desk;
    if (working.status === 'Filled')
      return refused(books.mayBeReissued(working.orderId) ? DUPLICATE_ID : FILLED_ALREADY);
    if (working.isDone) return refused(DUPLICATE_ID);
    // after a rollback the client may believe that this identifier is new
    if (books.mayBeReissued(working.orderId) && order.orderRef !== working.order.orderRef) return refused(DUPLICATE_ID);
    const entry = this.#lookUp(query);
    if ('code' in entry) return refused(entry);
    if (entry !== working.entry || order.action !== working.order.action) return refused(NOT_THE_SAME);
    const problem = this.#check(entry, order, working) ?? this.#checkAccount(entry, order, working.parent, working);
    if (problem !== null) return refused(problem);
    const terms = this.#termsOf(entry, order);
    if ('code' in terms) return refused(terms);
    if (order.totalQuantity <= working.filled)
      return refused({
        code: 321,
        message: `Error validating request.-'bW' : cause - The quantity ${order.totalQuantity} is filled already`,
      });
    const rejection = this.#desk.faults.take('rejectModify', working);
    if (rejection !== null) return refused({ code: rejection.code, message: rejection.message });
    const changed = order.orderType !== working.order.orderType;
    working.order = { ...order, parentId: working.order.parentId };
    working.total = order.totalQuantity;
    working.rested = false;
    if (changed) {
      working.triggered = false;
      working.best = NaN;
      working.stop = NaN;
    }
    this.#take(working, this.#expiryOf(working, terms) ?? working.expiryMs, terms);
    if (!working.transmitted) {
      if (order.transmit) this.#transmitFamily(working);
      return;
    }
    working.status =
      working.isHeldByParent || working.waitsForTrigger || !this.#desk.mayTrade(working) ? 'PreSubmitted' : 'Submitted';
    this.#desk.show(working);
    this.#matcher.onGiven(working);
  }

  /** Market time at which the order ends by itself; null: its date cannot be read. */
  #expiryOf({ order, entry }: WorkingOrder, terms: OrderTerms): number | null {
    const { calendar } = entry;
    // an order for the day is one for the day on which it begins
    const nowMs = Math.max(this.#desk.world.nowMs, terms.afterMs);
    if (order.tif === 'GTC') return Infinity;
    if (order.tif === 'GTD') {
      const parsed = parseTime(order.goodTillDate, calendar, nowMs);
      return parsed === 'invalid' || parsed.timeMs <= nowMs ? null : parsed.timeMs;
    }
    const late = order.outsideRth && calendar.name === 'XNYS' ? LATE_MS : 0;
    const session = sessionAtOrAfter(calendar, nowMs - late);
    return session === null ? Infinity : session.closeMs + late;
  }

  /** Short sales and buying power. Children of a bracket close what their parent opens. */
  #checkAccount(
    entry: ContractEntry,
    order: Order,
    parent: WorkingOrder | null,
    changed?: WorkingOrder,
  ): Refusal | null {
    const { world } = this.#desk;
    if (entry.feed < 0 || parent !== null) return null;
    const held = world.ledger.positions[entry.feed].quantity;
    const signed = (order.action === 'BUY' ? 1 : -1) * (order.totalQuantity - (changed?.filled ?? 0));
    if (!this.#rules.allowShorting && signed < 0) {
      const sold = this.#workingQuantity(entry.feed, -1, changed);
      if (held + signed - sold < -1e-9) return SHORTING_REFUSED;
    }
    const grows = Math.abs(held + signed) > Math.abs(held) + 1e-9;
    if (!grows) return null;
    const before = this.#margins(null, 0, NaN, changed);
    const after = this.#margins(entry, signed, this.#priceOf(entry, order), changed);
    const equity = this.equityWithLoan;
    return after.initial > equity && after.initial > before.initial
      ? marginRefusal(equity, after.initial, world.currency)
      : null;
  }

  get equityWithLoan(): number {
    const { world } = this.#desk;
    return world.ledger.netLiquidationMicros((feed) => world.mark(feed)) / MICROS;
  }

  /** Remaining quantity of discretionary orders of a side: of a group only one will fill, and exits do not add. */
  #workingQuantity(feed: number, side: number, except?: WorkingOrder): number {
    let quantity = 0;
    for (const one of this.#desk.books.of(feed)) {
      if (one !== except && one.side === side && one.parent === null && one.ocaKey === '' && !one.isStop)
        quantity += one.remaining;
    }
    return quantity;
  }

  #priceOf(entry: ContractEntry, order: Order): number {
    const feed = this.#desk.world.feeds[entry.feed];
    // a backtest has no quotes, and what it charges must not depend on who looks at them
    const quote = this.#desk.keepsHours ? (order.action === 'BUY' ? feed?.ask : feed?.bid) : feed?.last;
    const market = quote ?? NaN;
    const limit = order.orderType === 'LMT' || order.orderType === 'LOC' ? (order.lmtPrice ?? NaN) : NaN;
    return Number.isNaN(limit) ? (Number.isNaN(market) ? 0 : market) : limit;
  }

  /** Margins of the positions with all working orders, and `signed` units of `entry` at `price`, filled. */
  #margins(
    entry: ContractEntry | null,
    signed: number,
    price: number,
    except?: WorkingOrder,
  ): { initial: number; maintenance: number } {
    const { world } = this.#desk;
    const holdings = world.feeds.map((feed) => {
      const held = world.ledger.positions[feed.index].quantity;
      const own = entry?.feed === feed.index ? signed : 0;
      const long = held + this.#workingQuantity(feed.index, 1, except) + Math.max(own, 0);
      const short = held - this.#workingQuantity(feed.index, -1, except) + Math.min(own, 0);
      const quantity = Math.abs(long) >= Math.abs(short) ? long : short;
      return { quantity, price: own !== 0 && price > 0 ? price : world.mark(feed.index) };
    });
    return marginsOf(holdings);
  }

  #whatIf(
    client: ExchangeClient,
    orderId: number,
    query: ContractQuery,
    order: Order,
    refused: (r: Refusal) => void,
  ): void {
    const entry = this.#lookUp(query);
    if ('code' in entry) return refused(entry);
    const problem = this.#check(entry, order);
    if (problem !== null) return refused(problem);
    const terms = this.#termsOf(entry, order);
    if ('code' in terms) return refused(terms);
    const { world } = this.#desk;
    const side = order.action === 'BUY' ? 1 : -1;
    const price = this.#priceOf(entry, order);
    const feed = world.feeds[entry.feed];
    const holdings = world.feeds.map(({ index }) => ({
      quantity: world.ledger.positions[index].quantity,
      price: world.mark(index),
    }));
    const before = marginsOf(holdings);
    const own = holdings[entry.feed];
    const others = marginsOf(holdings.filter((_, index) => index !== entry.feed));
    const changed = marginsOf([{ quantity: (own?.quantity ?? 0) + side * order.totalQuantity, price }]);
    const initial = others.initial + changed.initial;
    const maintenance = others.maintenance + changed.maintenance;
    const equity = this.equityWithLoan;
    const t = feed === undefined ? 0 : Math.min(feed.bar, feed.bars.length - 1);
    const commission =
      feed === undefined
        ? leastCommission(entry, order.totalQuantity, price)
        : price > 0
          ? feed.market.costs.commission(side * order.totalQuantity, price, feed.market.feePeriod[t])
          : null;
    const working = new WorkingOrder(
      { orderId, clientId: client.clientId, permId: 0 },
      entry,
      { ...entry.contract, exchange: query.exchange },
      order,
    );
    const state = orderState('PreSubmitted', {
      initMarginBefore: before.initial,
      maintMarginBefore: before.maintenance,
      equityWithLoanBefore: equity,
      initMarginChange: initial - before.initial,
      maintMarginChange: maintenance - before.maintenance,
      equityWithLoanChange: commission === null ? 0 : -commission,
      initMarginAfter: initial,
      maintMarginAfter: maintenance,
      equityWithLoanAfter: equity - (commission ?? 0),
      commission,
      minCommission: commission,
      maxCommission: commission,
      commissionCurrency: entry.contract.currency,
      warningText:
        feed === undefined ? 'No bars of this contract are replayed: its margin and commission are not known.' : '',
    });
    client.send(openOrderMessage(working, world.account, state));
  }
}

/** Least commission of an order in a currency pair, USD, by IBKR's price list. */
const LEAST_PAIR_COMMISSION = 2;

/** Of a US stock without bars: by its limit, or the least that an order costs; of a pair the least; of others nothing. */
function leastCommission({ known }: ContractEntry, quantity: number, price: number): number | null {
  if (known.secType === 'CASH' && known.currency === 'USD') return LEAST_PAIR_COMMISSION;
  if (known.secType !== 'STK' || known.currency !== 'USD') return null;
  return ibkrFixedCommission(quantity, price > 0 ? price : Infinity);
}

const DUPLICATE_ID: Refusal = { code: 103, message: 'Duplicate order id' };
const FILLED_ALREADY: Refusal = { code: 104, message: 'Cannot modify a filled order.' };
const NOT_THE_SAME: Refusal = { code: 105, message: 'Order being modified does not match original order' };
const CLOSED_GROUP: Refusal = {
  code: 201,
  message: 'Order rejected - reason:An order of this OCA group was filled already: its name cannot be used again.',
};
const NO_TERMS_HERE: Refusal = {
  code: 321,
  message: "Error validating request.-'bW' : cause - Conditions and good after time need the fills of the tick path",
};
const MISSING_PARENT: Refusal = { code: 10006, message: 'Missing parent order.' };

/** What happens to an order once it is taken: it is shown, filled, reduced, released, cancelled; and who is told. */
import type { ServerMessage } from '../wire/responses.js';
import { commissionMessage, executionMessage, Executions, makeExecution, type ExecutionRecord } from './executions.js';
import { OrderFaults } from './order-faults.js';
import { OrderBooks } from './order-books.js';
import { toMicros } from './ledger.js';
import { openOrderMessage, orderStatusMessage, type WorkingOrder } from './working-order.js';
import type { World } from './world.js';

/** 1: the order stood in the book and was met; 2: it took what was on offer. */
export const ADDED_LIQUIDITY = 1;
export const REMOVED_LIQUIDITY = 2;

export interface FillTerms {
  readonly quantity: number;
  readonly price: number;
  readonly liquidity: number;
  /** Market time that the execution bears. */
  readonly timeMs: number;
  /** Commission of the fill, currency; left out: what the order owes after it, less what it paid before. */
  readonly commission?: number;
}

export class Desk {
  readonly world: World;
  readonly books: OrderBooks;
  readonly executions: Executions;
  readonly faults = new OrderFaults();
  /** false: a bar's hours are the market's hours, as in the environment. */
  readonly keepsHours: boolean;
  /** Called after every fill: positions have changed. */
  onFill: (record: ExecutionRecord) => void = () => undefined;

  constructor(world: World, keepsHours: boolean) {
    this.world = world;
    this.keepsHours = keepsHours;
    this.books = new OrderBooks(world.feeds.length, world.seed);
    this.executions = new Executions(world.seed);
  }

  tell(working: WorkingOrder, message: ServerMessage): void {
    this.world.send(working.clientId, message);
  }

  /** The order and its status as they stand. */
  show(working: WorkingOrder): void {
    working.shownWhyHeld = working.whyHeld;
    this.tell(working, openOrderMessage(working, this.world.account));
    this.tell(working, orderStatusMessage(working));
  }

  /** The status of an order in the books follows from the market's hours, its parent and its trigger. */
  refresh(working: WorkingOrder): void {
    if (!working.isWorking) return;
    const status =
      working.isHeldByParent || working.waitsForTrigger || !this.mayTrade(working) ? 'PreSubmitted' : 'Submitted';
    if (status === working.status && working.whyHeld === working.shownWhyHeld) return;
    working.status = status;
    this.show(working);
  }

  /**
   * Whether the market is open for the order: its time has come, and it is regular hours, or others where it says so
   * and is no market order.
   */
  mayTrade(working: WorkingOrder): boolean {
    if (working.dormant) return false;
    const feed = this.world.feeds[working.entry.feed];
    if (feed === undefined) return false;
    if (feed.isOpen) return !this.keepsHours || feed.isRegular(feed.bar) || mayTradeOutside(working);
    return feed.inSession(this.world.nowMs);
  }

  /** Fills; the faults that wait for a fill strike. Returns the quantity that was filled. */
  fill(working: WorkingOrder, terms: FillTerms): number {
    const partial = this.faults.takePartial(working);
    if (partial === null) {
      this.#book(working, terms);
      return terms.quantity;
    }
    const lot = working.entry.lotSize;
    const quantity = Math.max(lot, Math.floor((partial * working.remaining) / lot) * lot);
    if (quantity < Math.min(terms.quantity, working.remaining)) {
      this.#book(working, { ...terms, quantity });
      this.cancel(working);
      return quantity;
    }
    this.#book(working, terms);
    return terms.quantity;
  }

  #book(working: WorkingOrder, terms: FillTerms): void {
    const { world } = this;
    const feed = world.feeds[working.entry.feed];
    const { quantity, price, timeMs } = terms;
    const remainingBefore = working.remaining;
    working.filled += quantity;
    working.filledValue += quantity * price;
    working.lastFillPrice = price;
    const left = working.remaining;
    if (left < 1e-9 * working.total) working.filled = working.total;
    const owed = terms.commission ?? this.#commissionOwed(working) - working.commission;
    working.commission += owed;
    const execId = this.executions.nextId(timeMs);
    const signed = working.side * quantity;
    const commissionMicros = toMicros(owed);
    const realizedMicros = world.ledger.book({
      kind: 'fill',
      feed: feed.index,
      quantity: signed,
      price,
      commissionMicros,
      execId,
    });
    const record: ExecutionRecord = {
      working,
      execution: makeExecution(working, world.account, execId, timeMs, feed.calendar, quantity, price, terms.liquidity),
      timeMs,
      feed: feed.index,
      quantity: signed,
      commissionMicros,
      realizedMicros,
      superseded: false,
    };
    this.executions.records.push(record);
    if (working.remaining === 0) this.#end(working, 'Filled');
    else if (working.isWorking) working.status = 'Submitted';
    this.tell(working, executionMessage(record, -1));
    this.show(working);
    this.tell(working, commissionMessage(record));
    this.#settleGroup(working, quantity, remainingBefore);
    for (const child of working.children) if (child.isWorking) this.refresh(child);
    this.onFill(record);
    const correction = this.faults.takeCorrection(working);
    if (correction !== null) world.timers.at(world.nowMs + correction.delayMs, () => this.#correct(record, correction));
  }

  /** Commission and fees of all that the order has filled: minimum and maximum count for the order as a whole. */
  #commissionOwed(working: WorkingOrder): number {
    const { market, bar } = this.world.feeds[working.entry.feed];
    const period = market.feePeriod[Math.min(bar, market.feePeriod.length - 1)];
    return market.costs.commission(working.side * working.filled, working.averagePrice, period);
  }

  /** The rest of the group: cancelled (type 1), or reduced in proportion (types 2 and 3). */
  #settleGroup(working: WorkingOrder, quantity: number, remainingBefore: number): void {
    if (working.ocaType === 1 || working.remaining === 0) this.books.closeGroup(working.order.ocaGroup);
    for (const sibling of this.books.groupOf(working)) {
      if (!sibling.isWorking) continue;
      if (working.ocaType === 1) {
        this.cancel(sibling);
        continue;
      }
      const lot = sibling.entry.lotSize;
      const share = Math.min(1, quantity / remainingBefore);
      const reduced = share === 1 ? 0 : sibling.remaining - Math.round((sibling.remaining * share) / lot) * lot;
      if (reduced <= 0) this.cancel(sibling);
      else if (reduced < sibling.remaining) {
        sibling.total = sibling.filled + reduced;
        this.show(sibling);
      }
    }
  }

  /** A working order ends as Cancelled, told with 202, and its bracket with it as far as it was not filled. */
  cancel(working: WorkingOrder, reason = ''): void {
    if (working.isDone) return;
    const wasWorking = working.isWorking;
    this.#end(working, 'Cancelled');
    if (wasWorking) this.tell(working, orderStatusMessage(working));
    this.tell(working, { type: 'error', id: working.orderId, code: 202, message: `Order Canceled - reason:${reason}` });
    for (const child of working.children) {
      if (child.isDone) continue;
      if (working.filled === 0) this.cancel(child);
      else this.#shrinkChild(child, working);
    }
  }

  /** A bracket protects what its parent has filled, and no more: each child keeps its share. */
  #shrinkChild(child: WorkingOrder, parent: WorkingOrder): void {
    const lot = child.entry.lotSize;
    const whole = child.total >= parent.total;
    const kept = whole ? parent.filled : Math.floor((child.total * parent.filled) / parent.total / lot + 1e-6) * lot;
    if (kept >= child.total) return;
    child.total = Math.max(kept, child.filled);
    if (child.remaining > 0) this.show(child);
    else this.cancel(child);
  }

  /** Refused by the broker after it was taken. */
  reject(working: WorkingOrder, code: number, message: string, withStatus: boolean): void {
    this.tell(working, { type: 'error', id: working.orderId, code, message });
    this.#end(working, 'Inactive');
    if (withStatus) this.show(working);
    for (const child of working.children) this.cancel(child);
  }

  #end(working: WorkingOrder, status: 'Filled' | 'Cancelled' | 'Inactive'): void {
    working.status = status;
    working.completedMs = this.world.nowMs;
    this.books.leave(working);
  }

  /** A late execution of an order that was confirmed as cancelled. */
  fillAfterEnd(working: WorkingOrder, price: number): void {
    const quantity = working.remaining;
    if (!(quantity > 0)) return;
    this.#book(working, { quantity, price, liquidity: REMOVED_LIQUIDITY, timeMs: this.world.nowMs });
  }

  #correct(record: ExecutionRecord, change: { priceOffset: number; sharesFactor: number }): void {
    const { working, execution } = record;
    const shares = execution.shares * change.sharesFactor;
    const price = execution.price + change.priceOffset;
    const quantity = working.side * shares;
    const execId = Executions.corrected(execution.execId);
    const { commissionMicros, feed, timeMs } = record;
    const realizedMicros = this.world.ledger.replaceFill(execution.execId, {
      kind: 'fill',
      feed,
      quantity,
      price,
      commissionMicros,
      execId,
    });
    working.filled += shares - execution.shares;
    working.filledValue += shares * price - execution.shares * execution.price;
    working.total = Math.max(working.total, working.filled);
    record.superseded = true;
    const corrected: ExecutionRecord = {
      ...record,
      execution: {
        ...execution,
        execId,
        shares,
        price,
        cumQty: execution.cumQty + shares - execution.shares,
        avgPrice: working.averagePrice,
      },
      timeMs,
      quantity,
      realizedMicros,
      superseded: false,
    };
    this.executions.records.push(corrected);
    this.tell(working, executionMessage(corrected, -1));
    this.tell(working, commissionMessage(corrected));
    this.onFill(corrected);
  }
}

/** Market orders stay within regular hours whatever they say. */
function mayTradeOutside(working: WorkingOrder): boolean {
  const { outsideRth, orderType } = working.order;
  return outsideRth && orderType !== 'MKT' && orderType !== 'MOC' && orderType !== 'LOC' && orderType !== 'MIT';
}

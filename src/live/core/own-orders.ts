/** Our orders as far as we know them. Executions are the truth about fills; a status only about being alive. */
import type { OrderReport, OrderState } from '#src/broker/contract.js';
import type { OrderRequest, OrderRole } from './intents.js';

export interface OwnOrder {
  /** As it shall stand: changed by modifications. */
  request: OrderRequest;
  state: OrderState | 'unresolved';
  /** From executions. */
  filled: number;
  /** The most that statuses have told of: what executions do not explain of it is still owed to us. */
  toldFilled: number;
  /** A status says that nothing of it is left; it ends with the executions that prove it. */
  toldWhole: boolean;
  /** An execution of it was corrected: statuses may count what was taken back. */
  corrected: boolean;
  /** 0: not known yet. */
  orderId: number;
  permId: number;
  sentWallMs: number;
  /** When the last thing was asked of it: its placement or its end. */
  askedWallMs: number;
  cancelAsked: boolean;
  /** An error has named it, and nothing has confirmed it since. */
  erred: boolean;
  /** Terms that no report has shown yet: those before the replacements that are on their way, then theirs. */
  unconfirmed: Terms[];
  /** Since when the broker is to end it without being asked: wall milliseconds; null: it is not. */
  endDueSinceWallMs: number | null;
  /** Since when the order is in doubt: an error without a status, or a restart; null: it is not. */
  doubtSinceWallMs: number | null;
  /** Full reconciliations after the quarantine that did not know it. */
  misses: number;
  /** Belongs to this slice of the position; -1: none. */
  readonly slot: number;
  readonly cycle: string;
}

/** What of an order a replacement changes. */
interface Terms {
  readonly quantity: number;
  readonly stopPrice: number | null;
  readonly limitPrice: number | null;
}

const isSame = (a: Terms, b: Terms): boolean =>
  a.quantity === b.quantity && a.stopPrice === b.stopPrice && a.limitPrice === b.limitPrice;

export const isLive = ({ state }: OwnOrder): boolean =>
  state === 'pending' || state === 'working' || state === 'cancelling' || state === 'unresolved';

/** Whether a status has told of fills whose executions have not come. */
export const owesFills = ({ toldFilled, filled, corrected, toldWhole, state }: OwnOrder): boolean =>
  (!corrected && toldFilled > filled) || (toldWhole && state !== 'filled');

export const remainingOf = ({ request, filled }: OwnOrder): number => Math.max(request.quantity - filled, 0);

export class OwnOrders {
  readonly #byRef = new Map<string, OwnOrder>();
  readonly #live = new Set<OwnOrder>();
  readonly #byCycle = new Map<string, OwnOrder[]>();
  readonly #owing = new Set<OwnOrder>();

  add(request: OrderRequest, cycle: string, slot: number, wallMs: number): OwnOrder {
    const order: OwnOrder = {
      request,
      state: 'pending',
      filled: 0,
      toldFilled: 0,
      toldWhole: false,
      corrected: false,
      orderId: 0,
      permId: 0,
      sentWallMs: wallMs,
      askedWallMs: wallMs,
      cancelAsked: false,
      erred: false,
      unconfirmed: [],
      endDueSinceWallMs: null,
      doubtSinceWallMs: null,
      misses: 0,
      slot,
      cycle,
    };
    this.#byRef.set(request.orderRef, order);
    this.#live.add(order);
    const siblings = this.#byCycle.get(cycle);
    if (siblings === undefined) this.#byCycle.set(cycle, [order]);
    else siblings.push(order);
    return order;
  }

  /** Units that left the position through orders of one slice. */
  filledIn(cycle: string, slot: number): number {
    let sum = 0;
    for (const order of this.#byCycle.get(cycle) ?? [])
      if (order.slot === slot && order.request.role !== 'entry') sum += order.filled;
    return sum;
  }

  /** Units that opened or enlarged the position. */
  openedIn(cycle: string): number {
    let sum = 0;
    for (const order of this.#byCycle.get(cycle) ?? []) if (order.request.role === 'entry') sum += order.filled;
    return sum;
  }

  get(orderRef: string): OwnOrder | undefined {
    return this.#byRef.get(orderRef);
  }

  /** Whether executions that statuses tell of are missing. */
  get owed(): boolean {
    return this.#owing.size > 0;
  }

  /** Those that may still fill, in the order in which they were sent. */
  live(...roles: OrderRole[]): OwnOrder[] {
    return [...this.#live].filter(({ request }) => roles.length === 0 || roles.includes(request.role));
  }

  /**
   * Whether a part of the entry's bracket has ended before the entry has filled, or an error says that it may have: what
   * is left of it would fill bare, or, not transmitted, would wait at the broker for ever.
   */
  isBroken({ request, filled, toldFilled, cycle }: OwnOrder): boolean {
    if (filled > 0 || toldFilled > 0) return false;
    const parts = this.#byCycle.get(cycle) ?? [];
    return parts.some(
      (part) => part.request.parentRef === request.orderRef && part.filled === 0 && (part.erred || !isLive(part)),
    );
  }

  /** The live order of a slice. */
  inSlot(role: OrderRole, cycle: string, slot: number): OwnOrder | undefined {
    return this.live(role).find((order) => order.slot === slot && order.cycle === cycle);
  }

  /**
   * The OCA group of a slice's orders. One whose member has filled wholly is used up at the broker: what is left of the
   * slice needs another name.
   */
  groupOf(cycle: string, slot: number): string {
    const usedUp = new Set<string>();
    for (const { request, state, toldWhole } of this.#byCycle.get(cycle) ?? [])
      if (request.ocaGroup !== null && (state === 'filled' || toldWhole)) usedUp.add(request.ocaGroup);
    const base = `${cycle}-G${slot}`;
    for (let n = 0; ; n++) {
      const name = n === 0 ? base : `${base}.${n}`;
      if (!usedUp.has(name)) return name;
    }
  }

  /** A reference that was not used yet: a second stop of a slice is another order. */
  freshRef(base: string): string {
    for (let n = 0; ; n++) {
      const ref = n === 0 ? base : `${base}.${n}`;
      if (!this.#byRef.has(ref)) return ref;
    }
  }

  /** Takes over what the broker says. What has ended stays ended, but for a fill. */
  report(order: OwnOrder, { orderId, permId, state, quantity, filled, stopPrice, limitPrice }: OrderReport): void {
    if (orderId !== 0) order.orderId = orderId;
    if (permId !== 0) order.permId = permId;
    const doubted = order.doubtSinceWallMs !== null;
    if (quantity > 0) {
      const { request } = order;
      const shown: Terms = {
        quantity,
        stopPrice: request.orderType === 'STP' ? (stopPrice ?? request.stopPrice) : null,
        limitPrice: request.orderType === 'LMT' ? (limitPrice ?? request.limitPrice) : null,
      };
      this.#showTerms(order, shown, doubted);
    }
    this.told(order, state, filled);
    if (!isLive(order) && state !== 'filled') return;
    if (state === 'filled' && owesFills(order)) return;
    // it lives although we asked for its end: the question was lost
    if (doubted && quantity > 0 && state === 'working') order.cancelAsked = false;
    this.#setState(order, order.cancelAsked && state === 'working' ? 'cancelling' : state);
    if (state !== 'pending') this.#resolve(order);
  }

  /** A replacement was sent. */
  replaced(order: OwnOrder, request: OrderRequest, wallMs: number): void {
    if (order.unconfirmed.length === 0) order.unconfirmed.push(order.request);
    order.unconfirmed.push(request);
    order.request = request;
    order.askedWallMs = wallMs;
  }

  /** The connection is gone: what was on its way may never come. */
  forgetReplacements(): void {
    for (const order of this.#live) order.unconfirmed = [];
  }

  /**
   * A report of terms that we had before, or that a newer replacement follows, is an echo from before it. Other terms are
   * the broker's own: a partial fill of a sibling has reduced the order, or a replacement was refused.
   */
  #showTerms(order: OwnOrder, shown: Terms, doubted: boolean): void {
    const { request, unconfirmed } = order;
    const known = doubted ? -1 : unconfirmed.findIndex((terms) => isSame(terms, shown));
    if (known === unconfirmed.length - 1) order.unconfirmed = [];
    else unconfirmed.splice(0, known);
    if (known >= 0) return;
    order.unconfirmed = [];
    if ((request.ocaGroup !== null || doubted) && !isSame(request, shown)) order.request = { ...request, ...shown };
  }

  /**
   * Whether the broker ends it without being asked: a fill of the whole of another in its group, or the end of a parent
   * that never filled.
   */
  endsByItself({ request, cycle }: OwnOrder): boolean {
    const { ocaGroup, parentRef, orderRef } = request;
    const parent = parentRef === null ? undefined : this.#byRef.get(parentRef);
    if (parent !== undefined && !isLive(parent) && parent.filled === 0) return true;
    if (ocaGroup === null) return false;
    const siblings = this.#byCycle.get(cycle) ?? [];
    return siblings.some(
      ({ request: other, state, toldWhole }) =>
        other.ocaGroup === ocaGroup && other.orderRef !== orderRef && (state === 'filled' || toldWhole),
    );
  }

  /**
   * Whether a full report says of an order that we took for ended that more of it is to come: a bracket's child grows
   * with its parent's fills, and may have filled wholly before it grew.
   */
  isBack(order: OwnOrder, { state, quantity }: OrderReport): boolean {
    return !isLive(order) && state === 'working' && quantity > order.filled;
  }

  /** An answer of the broker's says that it lives; the next one will say it again, or it has ended meanwhile. */
  revive(order: OwnOrder, wallMs: number): void {
    order.cancelAsked = false;
    order.toldWhole = false;
    this.doubt(order, wallMs, 'unresolved');
  }

  /** What a status says of fills: executions alone are believed, but those that it tells of must come. */
  told(order: OwnOrder, state: OrderState, filled: number): void {
    order.toldFilled = Math.max(order.toldFilled, filled);
    if (state === 'filled') order.toldWhole = true;
    this.#settleDebt(order);
  }

  filledTo(order: OwnOrder, filled: number, corrected: boolean): void {
    order.filled = filled;
    order.corrected ||= corrected;
    if (filled >= order.request.quantity) this.#setState(order, 'filled');
    this.#settleDebt(order);
  }

  end(order: OwnOrder, state: 'cancelled' | 'rejected' | 'filled'): void {
    this.#setState(order, state);
  }

  /** After a restart, or an error without a status: nobody knows whether it lives. */
  doubt(order: OwnOrder, wallMs: number, state: 'unresolved' | null): void {
    order.doubtSinceWallMs ??= wallMs;
    order.misses = 0;
    if (state !== null) this.#setState(order, state);
  }

  #settleDebt(order: OwnOrder): void {
    // a group's sibling may have shrunk it: whole is what the statuses count
    if (order.toldWhole && order.toldFilled > 0 && order.filled >= order.toldFilled) this.#setState(order, 'filled');
    if (owesFills(order)) this.#owing.add(order);
    else this.#owing.delete(order);
  }

  #resolve(order: OwnOrder): void {
    order.erred = false;
    order.doubtSinceWallMs = null;
    order.misses = 0;
  }

  #setState(order: OwnOrder, state: OwnOrder['state']): void {
    order.state = state;
    if (isLive(order)) this.#live.add(order);
    else {
      this.#live.delete(order);
      this.#resolve(order);
    }
  }
}

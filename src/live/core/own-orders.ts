/** Our orders as far as we know them. Executions are the truth about fills; a status only about being alive. */
import type { OrderReport, OrderState } from '#src/broker/contract.js';
import type { OrderRequest, OrderRole } from './intents.js';

export interface OwnOrder {
  /** As it shall stand: changed by modifications. */
  request: OrderRequest;
  state: OrderState | 'unresolved';
  /** From executions. */
  filled: number;
  /** 0: not known yet. */
  orderId: number;
  permId: number;
  sentWallMs: number;
  /** When the last thing was asked of it: its placement or its end. */
  askedWallMs: number;
  cancelAsked: boolean;
  /** Since when the order is in doubt: an error without a status, or a restart; null: it is not. */
  doubtSinceWallMs: number | null;
  /** Full reconciliations after the quarantine that did not know it. */
  misses: number;
  /** Belongs to this slice of the position; -1: none. */
  readonly slot: number;
  readonly cycle: string;
}

export const isLive = ({ state }: OwnOrder): boolean =>
  state === 'pending' || state === 'working' || state === 'cancelling' || state === 'unresolved';

export const remainingOf = ({ request, filled }: OwnOrder): number => Math.max(request.quantity - filled, 0);

export class OwnOrders {
  readonly #byRef = new Map<string, OwnOrder>();
  readonly #live = new Set<OwnOrder>();
  readonly #byCycle = new Map<string, OwnOrder[]>();

  add(request: OrderRequest, cycle: string, slot: number, wallMs: number): OwnOrder {
    const order: OwnOrder = {
      request,
      state: 'pending',
      filled: 0,
      orderId: 0,
      permId: 0,
      sentWallMs: wallMs,
      askedWallMs: wallMs,
      cancelAsked: false,
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

  /** Those that may still fill, in the order in which they were sent. */
  live(...roles: OrderRole[]): OwnOrder[] {
    return [...this.#live].filter(({ request }) => roles.length === 0 || roles.includes(request.role));
  }

  /** The live order of a slice. */
  inSlot(role: OrderRole, cycle: string, slot: number): OwnOrder | undefined {
    return this.live(role).find((order) => order.slot === slot && order.cycle === cycle);
  }

  /** A reference that was not used yet: a second stop of a slice is another order. */
  freshRef(base: string): string {
    for (let n = 0; ; n++) {
      const ref = n === 0 ? base : `${base}.${n}`;
      if (!this.#byRef.has(ref)) return ref;
    }
  }

  /** Takes over what the broker says. What has ended stays ended, but for a fill. */
  report(order: OwnOrder, { orderId, permId, state, quantity, stopPrice, limitPrice }: OrderReport): void {
    if (orderId !== 0) order.orderId = orderId;
    if (permId !== 0) order.permId = permId;
    const doubted = order.doubtSinceWallMs !== null;
    // a partial fill of a sibling has reduced it, or our replacement was refused
    if (quantity > 0 && (order.request.ocaGroup !== null || doubted)) {
      const { request } = order;
      order.request = {
        ...request,
        quantity,
        stopPrice: request.orderType === 'STP' ? (stopPrice ?? request.stopPrice) : null,
        limitPrice: request.orderType === 'LMT' ? (limitPrice ?? request.limitPrice) : null,
      };
    }
    if (!isLive(order) && state !== 'filled') return;
    // it lives although we asked for its end: the question was lost
    if (doubted && quantity > 0 && state === 'working') order.cancelAsked = false;
    this.#setState(order, order.cancelAsked && state === 'working' ? 'cancelling' : state);
    if (state !== 'pending') this.#resolve(order);
  }

  filledTo(order: OwnOrder, filled: number): void {
    order.filled = filled;
    if (filled >= order.request.quantity) this.#setState(order, 'filled');
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

  #resolve(order: OwnOrder): void {
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

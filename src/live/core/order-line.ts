/** A symbol's orders on their way to the broker: placed, replaced, cancelled; and how long to wait after a refusal. */
import type { OrderRequest, TraderIntent } from './intents.js';
import { isLive, OwnOrders, type OwnOrder } from './own-orders.js';

/** Refused orders that protect or leave are sent again, each time after twice as long. */
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 16_000;
const MOST_REFUSALS = 5;
/** What the broker is to end by itself is cancelled where this long nothing has said that it did. */
const ENDS_WITHIN_MS = 2_000;

export class OrderLine {
  readonly orders = new OwnOrders();
  readonly #out: TraderIntent[];
  #refusals = 0;
  #againAtWallMs = -Infinity;

  constructor(out: TraderIntent[]) {
    this.#out = out;
  }

  place(request: OrderRequest, cycle: string, slot: number, wallMs: number): void {
    this.orders.add(request, cycle, slot, wallMs);
    this.#out.push({ type: 'place', order: request });
  }

  replace(order: OwnOrder, request: OrderRequest, wallMs: number): void {
    this.orders.replaced(order, request, wallMs);
    this.#out.push({ type: 'modify', order: request });
  }

  cancel(order: OwnOrder, wallMs: number): void {
    if (order.cancelAsked || !isLive(order)) return;
    order.cancelAsked = true;
    order.askedWallMs = wallMs;
    if (order.state !== 'unresolved') order.state = 'cancelling';
    this.#out.push({ type: 'cancel', orderRef: order.request.orderRef });
  }

  /** Nothing is left for it to do. What the broker ends by itself is cancelled only where that fails to come. */
  release(order: OwnOrder, wallMs: number): void {
    if (this.orders.endsByItself(order)) {
      order.endDueSinceWallMs ??= wallMs;
      if (wallMs - order.endDueSinceWallMs < ENDS_WITHIN_MS) return;
    }
    this.cancel(order, wallMs);
  }

  /** Whether what protects or leaves may be sent, or has to wait after a refusal. */
  maySend(wallMs: number): boolean {
    return wallMs >= this.#againAtWallMs;
  }

  /** The broker will never carry out this order. */
  refused(order: OwnOrder, wallMs: number): void {
    this.orders.end(order, order.filled >= order.request.quantity ? 'filled' : 'rejected');
    if (order.request.role !== 'entry') this.#setBack(wallMs);
  }

  /** A replacement, or an end, was refused, or an error left the order in doubt: only the broker knows how it stands. */
  unsure(order: OwnOrder, wallMs: number): void {
    this.orders.doubt(order, wallMs, null);
    order.erred = true;
    this.#setBack(wallMs);
  }

  /** The position is gone: the next refusal is the first. */
  forgetRefusals(): void {
    this.#refusals = 0;
  }

  #setBack(wallMs: number): void {
    this.#againAtWallMs = wallMs + Math.min(FIRST_RETRY_MS * (1 << this.#refusals), LONGEST_RETRY_MS);
    this.#refusals = Math.min(this.#refusals + 1, MOST_REFUSALS);
  }
}

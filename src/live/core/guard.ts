/** Keeps what rests at the broker in line with the position: a stop and a target for each of its slices, no more, no less. */
import type { OrderSide } from '#src/broker/contract.js';
import type { OrderRequest, TraderIntent } from './intents.js';
import type { OrderLine } from './order-line.js';
import { remainingOf } from './own-orders.js';
import type { PositionBook } from './position-book.js';

type ProtectiveRole = 'stop' | 'target';

/** Where a protective order belongs. */
interface Place {
  readonly cycle: string;
  readonly side: OrderSide;
  /** null: it stands alone, since its parent has filled. */
  readonly parentRef: string | null;
  readonly transmit: boolean;
}

export class Guard {
  /** Since when a position is without its protection; null: it has it, or needs none. */
  unprotectedSinceWallMs: number | null = null;
  readonly #symbol: string;
  readonly #outsideRth: boolean;
  readonly #book: PositionBook;
  readonly #line: OrderLine;
  readonly #out: TraderIntent[];

  constructor(symbol: string, outsideRth: boolean, book: PositionBook, line: OrderLine, out: TraderIntent[]) {
    this.#symbol = symbol;
    this.#outsideRth = outsideRth;
    this.#book = book;
    this.#line = line;
    this.#out = out;
  }

  /** Brings the resting orders to what the position needs. Notes since when it lacks it. */
  protect(wallMs: number): void {
    const { orders } = this.#line;
    const { cycle } = this.#book;
    const held = Math.abs(this.#book.quantity);
    const slices = this.#book.slices(orders);
    const exiting = orders.live('exit').length > 0;
    let covered = 0;
    for (const { slot, quantity, stop, target } of slices) {
      if (stop !== null) covered += this.#rest('stop', slot, quantity, stop, exiting, wallMs);
      if (target !== null) this.#rest('target', slot, quantity, target, exiting, wallMs);
    }
    const entering = orders.live('entry').some((entry) => entry.cycle === cycle || held === 0);
    for (const order of orders.live('stop', 'target')) {
      // of two for one slice, one too many would fill
      const first = orders.inSlot(order.request.role, order.cycle, order.slot) === order;
      const wanted = first && slices.some(({ slot }) => slot === order.slot) && order.cycle === cycle;
      if (!wanted && !(entering && held === 0)) this.#line.release(order, wallMs);
    }
    if (held === 0) for (const order of orders.live('exit')) this.#line.release(order, wallMs);
    const wants = slices.some(({ stop }) => stop !== null);
    const bare = wants && covered < held && !exiting;
    this.unprotectedSinceWallMs = bare ? (this.unprotectedSinceWallMs ?? wallMs) : null;
  }

  /** An entry goes with its whole bracket, or not at all. */
  withdrawBroken(wallMs: number): void {
    const { orders } = this.#line;
    for (const entry of orders.live('entry')) {
      if (entry.cancelAsked || !orders.isBroken(entry)) continue;
      const text = `a part of the bracket is missing: withdraws ${entry.request.orderRef}`;
      this.#out.push({
        type: 'alert',
        alert: { level: 'warning', code: 'BRACKET_BROKEN', symbol: this.#symbol, text },
      });
      this.#line.cancel(entry, wallMs);
    }
  }

  /** A stop or a target of a slice as it is to be sent. */
  request(role: ProtectiveRole, slot: number, quantity: number, price: number, place: Place): OrderRequest {
    const { orders } = this.#line;
    return {
      orderRef: orders.freshRef(`${place.cycle}-${role === 'stop' ? 'S' : 'T'}${slot}`),
      symbol: this.#symbol,
      role,
      side: place.side,
      quantity,
      orderType: role === 'stop' ? 'STP' : 'LMT',
      limitPrice: role === 'target' ? price : null,
      stopPrice: role === 'stop' ? price : null,
      tif: 'GTC',
      outsideRth: this.#outsideRth,
      parentRef: place.parentRef,
      ocaGroup: orders.groupOf(place.cycle, slot),
      transmit: place.transmit,
    };
  }

  /** One resting order of a slice: placed, replaced or left as it is. Returns how many units it stands for. */
  #rest(role: ProtectiveRole, slot: number, quantity: number, price: number, exiting: boolean, wallMs: number): number {
    const { cycle } = this.#book;
    const order = this.#line.orders.inSlot(role, cycle, slot);
    if (order === undefined) {
      const side = this.#book.quantity > 0 ? 'SELL' : 'BUY';
      const place: Place = { cycle, side, parentRef: null, transmit: true };
      if (!exiting && this.#line.maySend(wallMs))
        this.#line.place(this.request(role, slot, quantity, price, place), cycle, slot, wallMs);
      // it stands from when the broker confirms it
      return 0;
    }
    const { request } = order;
    const standing = role === 'stop' ? request.stopPrice : request.limitPrice;
    // while an exit works, the broker itself shrinks what shares its group
    const wanted = exiting ? request.quantity : order.filled + quantity;
    const known = (order.state === 'working' || order.state === 'pending') && this.#line.maySend(wallMs);
    if (known && !order.cancelAsked && (standing !== price || request.quantity !== wanted)) {
      const stopPrice = role === 'stop' ? price : null;
      const limitPrice = role === 'target' ? price : null;
      this.#line.replace(order, { ...request, quantity: wanted, stopPrice, limitPrice }, wallMs);
    }
    return order.state === 'working' ? remainingOf(order) : 0;
  }
}

/** An order between the decision at a close and the next open. */
import type { FillReason } from './recorder.js';

/** Reasons by number, so that a saved state can hold them. */
export const FILL_REASONS = [
  'buy',
  'sell',
  'target',
  'stop',
  'take-profit',
  'ema',
  'flat-before-close',
  'end-of-data',
  'ruin',
] as const satisfies readonly FillReason[];
export const [BY_BUY, BY_SELL, BY_TARGET, BY_STOP, BY_TAKE_PROFIT, BY_EMA, BY_FLAT_RULE, BY_END_OF_DATA, BY_RUIN] =
  FILL_REASONS.map((_, index) => index);

export const NO_ORDER = 0;
/** Opens a position: void unless flat. */
export const OPEN = 1;
/** Closes the whole position, whatever is left of it: void when flat. */
export const CLOSE = 2;
/** Changes a position without closing it: void when flat, never past zero. */
export const ADJUST = 3;

export class Order {
  kind = NO_ORDER;
  /** Signed shares; its sign alone counts for CLOSE. */
  quantity = NaN;
  /** Tradable limit price, NaN: a market order. */
  limit = NaN;
  reason = 0;
  /** 1: a rule's order, which a resting exit that fills at the open does not cancel. */
  forced = 0;

  place(kind: number, quantity: number, limit: number, reason: number, forced: number): void {
    this.kind = kind;
    this.quantity = quantity;
    this.limit = limit;
    this.reason = reason;
    this.forced = forced;
  }

  clear(): void {
    this.kind = NO_ORDER;
  }

  /** Takes over the other order, which is gone then. */
  takeFrom(other: Order): void {
    this.place(other.kind, other.quantity, other.limit, other.reason, other.forced);
    other.kind = NO_ORDER;
  }
}

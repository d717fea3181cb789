/** The limits of the whole account: sizes, the pace of orders, the day's loss, the drawdown. */
import type { RiskLimits } from './config.js';
import type { HaltLevel } from './events.js';
import type { OrderRequest } from './intents.js';

const MINUTE_MS = 60_000;

export class Risk {
  readonly #limits: RiskLimits;
  /** Wall times of what was sent in the last minute. */
  #sent: number[] = [];
  #day = NaN;
  #dayStartEquity = NaN;
  #peakEquity = NaN;

  constructor(limits: RiskLimits) {
    this.#limits = limits;
  }

  get dayStartEquity(): number {
    return this.#dayStartEquity;
  }

  get peakEquity(): number {
    return this.#peakEquity;
  }

  countOrder(wallMs: number): void {
    this.#sent = this.#sent.filter((at) => wallMs - at < MINUTE_MS);
    this.#sent.push(wallMs);
  }

  /** Why an entry of `order` at about `price`, on top of `position`, is refused; null: it is not. */
  refusal(order: OrderRequest, price: number, position: number, wallMs: number): string | null {
    const { max_order_quantity, max_order_notional, max_position_notional, max_orders_per_minute } = this.#limits;
    const { quantity, side } = order;
    if (max_order_quantity !== null && quantity > max_order_quantity)
      return `${quantity} exceeds risk.max_order_quantity ${max_order_quantity}`;
    if (max_order_notional !== null && quantity * price > max_order_notional)
      return `${(quantity * price).toFixed(2)} exceeds risk.max_order_notional ${max_order_notional}`;
    const after = Math.abs(position + (side === 'BUY' ? quantity : -quantity)) * price;
    if (max_position_notional !== null && after > max_position_notional)
      return `a position of ${after.toFixed(2)} exceeds risk.max_position_notional ${max_position_notional}`;
    const lately = this.#sent.filter((at) => wallMs - at < MINUTE_MS).length;
    if (lately >= max_orders_per_minute) return `${lately} orders in the last minute reach risk.max_orders_per_minute`;
    return null;
  }

  /** Looks at the equity on a trading day; returns the halt that it calls for, or null. */
  watch(equity: number, day: number): { level: HaltLevel; reason: string } | null {
    if (!Number.isFinite(equity)) return null;
    if (day !== this.#day) {
      this.#day = day;
      this.#dayStartEquity = equity;
    }
    this.#peakEquity = Number.isNaN(this.#peakEquity) ? equity : Math.max(this.#peakEquity, equity);
    const { max_drawdown, max_daily_loss } = this.#limits;
    const drawdown = 1 - equity / this.#peakEquity;
    if (max_drawdown !== null && drawdown >= max_drawdown)
      return { level: 'halted', reason: `a drawdown of ${share(drawdown)} reaches risk.max_drawdown` };
    const loss = 1 - equity / this.#dayStartEquity;
    if (max_daily_loss !== null && loss >= max_daily_loss)
      return { level: 'reducing', reason: `a loss of ${share(loss)} today reaches risk.max_daily_loss` };
    return null;
  }

  /** After a person has resumed: the present equity is the new measure. */
  rebase(equity: number): void {
    this.#dayStartEquity = equity;
    this.#peakEquity = equity;
  }
}

const share = (value: number): string => `${(100 * value).toFixed(2)}%`;

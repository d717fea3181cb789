/** Orders from their placement to their last execution, with what the broker charged for them. */
import type { TraderEvent } from '#src/live/core/events.js';
import type { OrderRequest, OrderRole, TraderIntent } from '#src/live/core/intents.js';

export interface OrderExecution {
  /** Of the broker: without the number of the correction. */
  readonly execRoot: string;
  /** > 0 */
  readonly quantity: number;
  readonly price: number;
  readonly marketMs: number;
  readonly wallMs: number;
  /** Signed position after it. */
  readonly positionAfter: number;
  /** In the account's currency; null: the broker has not told it. */
  readonly commission: number | null;
}

export interface OrderRecord {
  readonly symbol: string;
  readonly orderRef: string;
  readonly role: OrderRole;
  /** +1 buys. */
  readonly side: 1 | -1;
  /** As it stood when it was first filled, or at the end. */
  readonly request: OrderRequest;
  readonly placedMarketMs: number;
  readonly placedWallMs: number;
  /** The market's clock when its levels were last changed. */
  readonly changedMarketMs: number;
  /** In the order of their arrival, corrections in place of what they correct. */
  readonly executions: readonly OrderExecution[];
}

interface Building {
  request: OrderRequest;
  readonly placedMarketMs: number;
  readonly placedWallMs: number;
  changedMarketMs: number;
  readonly executions: Map<string, Omit<OrderExecution, 'commission'>>;
}

export class OrderLog {
  readonly #orders = new Map<string, Building>();
  readonly #commissions = new Map<string, { revision: number; amount: number }>();

  intent(intent: TraderIntent, { marketMs, wallMs }: TraderEvent): void {
    if (intent.type === 'place') {
      this.#orders.set(intent.order.orderRef, {
        request: intent.order,
        placedMarketMs: marketMs,
        placedWallMs: wallMs,
        changedMarketMs: marketMs,
        executions: new Map(),
      });
    } else if (intent.type === 'modify') {
      const order = this.#orders.get(intent.order.orderRef);
      if (order === undefined || order.executions.size > 0) return;
      order.request = intent.order;
      order.changedMarketMs = marketMs;
    } else if (intent.type === 'trade') {
      const { trade } = intent;
      const execRoot = trade.execRoot.slice(0, trade.execRoot.lastIndexOf('.'));
      this.#orders.get(trade.orderRef)?.executions.set(execRoot, {
        execRoot,
        quantity: trade.quantity,
        price: trade.price,
        marketMs: trade.marketMs,
        wallMs,
        positionAfter: trade.positionAfter,
      });
    }
  }

  commission({ execRoot, revision, amount }: Extract<TraderEvent, { type: 'commission' }>): void {
    const known = this.#commissions.get(execRoot);
    if (known === undefined || revision >= known.revision) this.#commissions.set(execRoot, { revision, amount });
  }

  /** In the order of their placement. */
  orders(): OrderRecord[] {
    return [...this.#orders.values()].map(({ executions, ...order }) => ({
      ...order,
      symbol: order.request.symbol,
      orderRef: order.request.orderRef,
      role: order.request.role,
      side: order.request.side === 'BUY' ? 1 : -1,
      executions: [...executions.values()].map((execution) => ({
        ...execution,
        commission: this.#commissions.get(execution.execRoot)?.amount ?? null,
      })),
    }));
  }
}

export const filledOf = ({ executions }: OrderRecord): number =>
  executions.reduce((sum, { quantity }) => sum + quantity, 0);

/** Average price over its executions, to the bit where they are all equal; NaN: there are none. */
export function priceOf(order: OrderRecord): number {
  const { executions } = order;
  if (executions.length > 0 && executions.every(({ price }) => price === executions[0].price))
    return executions[0].price;
  return executions.reduce((sum, { quantity, price }) => sum + quantity * price, 0) / filledOf(order);
}

/** Total that was charged; what is not known yet counts as nothing. */
export const chargedFor = ({ executions }: OrderRecord): number =>
  executions.reduce((sum, { commission }) => sum + (commission ?? 0), 0);

/** What the trader wants done. The shell makes an intent durable before it acts on it. */
import type { OrderRequest as BrokerOrder, OrderSide } from '#src/broker/contract.js';

export type OrderRole = 'entry' | 'exit' | 'stop' | 'target';

/** An order with its part in the position. */
export interface OrderRequest extends BrokerOrder {
  readonly role: OrderRole;
}

export type Alert = {
  readonly level: 'info' | 'warning' | 'critical';
  readonly code: string;
  readonly symbol: string | null;
  readonly text: string;
};

/** A decision with all that led to it. */
export interface DecisionRecord {
  readonly symbol: string;
  readonly barOpenMs: number;
  /** The whole observation, account features last. */
  readonly features: readonly number[];
  readonly mask: readonly number[] | null;
  /** Of the discrete actions, or the mean of a target. */
  readonly probabilities: readonly number[];
  readonly action: number;
  readonly position: number;
  readonly equity: number;
  readonly close: number;
}

/** A row of the trade log. */
export interface TradeRecord {
  readonly marketMs: number;
  readonly symbol: string;
  readonly action: OrderSide;
  readonly quantity: number;
  readonly price: number;
  readonly orderId: number;
  readonly orderRef: string;
  readonly role: OrderRole | 'foreign';
  readonly execRoot: string;
  readonly positionAfter: number;
}

export type TraderIntent =
  | { readonly type: 'place'; readonly order: OrderRequest }
  /** A replacement under the same reference: quantity, stop and limit as they shall stand. */
  | { readonly type: 'modify'; readonly order: OrderRequest }
  | { readonly type: 'cancel'; readonly orderRef: string }
  /** Full answers on positions, open and completed orders and executions. */
  | { readonly type: 'reconcile' }
  | { readonly type: 'subscribe'; readonly symbol: string }
  /** Bars of the interval; from the anchor, or those after `fromMs`. */
  | { readonly type: 'history'; readonly symbol: string; readonly fromMs: number | null }
  | { readonly type: 'alert'; readonly alert: Alert }
  | { readonly type: 'decision'; readonly decision: DecisionRecord }
  | { readonly type: 'trade'; readonly trade: TradeRecord };

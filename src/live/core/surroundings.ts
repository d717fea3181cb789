import type { OrderRequest } from './intents.js';

/** What the whole trader says to one of its symbols. */
export interface Surroundings {
  readonly wallMs: number;
  readonly marketMs: number;
  /** Connected and reconciled: orders may be sent. */
  readonly ready: boolean;
  /** Discretionary decisions are made. */
  readonly deciding: boolean;
  /** Positions may be opened and enlarged. */
  readonly entering: boolean;
  /** null, or why the limits refuse this order. */
  refusal(order: OrderRequest, price: number, position: number): string | null;
}

/** An instrument, as far as prices, quantities and fees need it. */
export interface Instrument {
  readonly symbol: string;
  /** Interactive Brokers' security type: STK, CASH, IND. */
  readonly securityType: 'STK' | 'CASH' | 'IND';
  readonly currency: string;
  readonly exchange: string;
  /** Price increments by price band, ascending by `lowEdge`, the first at 0: a market rule as IBKR states it. */
  readonly ticks: readonly { readonly lowEdge: number; readonly increment: number }[];
  /** Smallest tradable quantity, and the step of quantities. */
  readonly lotSize: number;
}

/** What an evaluation, a trade list or a parity check hears from the market environment. */
export type FillReason =
  | 'buy'
  | 'sell'
  | 'target'
  | 'stop'
  | 'take-profit'
  | 'ema'
  | 'flat-before-close'
  | 'end-of-data'
  | 'ruin';

export interface Fill {
  /** Which account, and the index into its window's bars. */
  readonly account: number;
  readonly barIndex: number;
  readonly timeMs: number;
  /** Signed, in tradable shares: positive bought. */
  readonly quantity: number;
  /** Tradable (unadjusted) price per share, spread and slippage included, on tick. */
  readonly price: number;
  /** Everything charged beyond the price: commission and regulatory fees, in currency. */
  readonly commission: number;
  readonly reason: FillReason;
  /** Signed position in tradable shares after the fill. */
  readonly positionAfter: number;
}

export interface BarRecord {
  readonly account: number;
  readonly barIndex: number;
  readonly timeMs: number;
  /** Marked to market at the close, in currency. */
  readonly equity: number;
  /** Signed position value / equity at the close. */
  readonly exposure: number;
  /** Signed tradable shares at the close. */
  readonly position: number;
  /** The action decided at the PREVIOUS close and carried out on this bar. */
  readonly action: number;
  /** Costs of this bar: commission, fees, spread, slippage and borrow, in currency. */
  readonly costs: number;
}

export interface MarketRecorder {
  onFill(fill: Fill): void;
  onBar(record: BarRecord): void;
}

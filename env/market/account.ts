/** The environment's ledger in float64: cash, position and average fill price of n accounts, in columns. */

/** A position smaller than this share of a lot is float noise of a division by a factor, and is none. */
const DUST = 1e-9;

export class Ledger {
  /** (n) currency. */
  readonly cash: Float64Array;
  /** (n) signed tradable shares. */
  readonly shares: Float64Array;
  /** (n) average fill price of the open position, tradable, commission excluded; 0 when flat. */
  readonly averagePrice: Float64Array;
  /** (n) cash plus position at the last close. */
  readonly equity: Float64Array;
  /** (n) costs of the current bar: commission, fees, borrow, and what was paid away from the base price. */
  readonly costs: Float64Array;

  constructor(n: number) {
    this.cash = new Float64Array(n);
    this.shares = new Float64Array(n);
    this.averagePrice = new Float64Array(n);
    this.equity = new Float64Array(n);
    this.costs = new Float64Array(n);
  }

  open(i: number, equity: number): void {
    this.cash[i] = equity;
    this.equity[i] = equity;
    this.shares[i] = 0;
    this.averagePrice[i] = 0;
    this.costs[i] = 0;
  }

  /** Books a fill of `quantity` (signed) at `price`, with `commission` beside it; `base` is the price before costs. */
  fill(i: number, quantity: number, price: number, base: number, commission: number): void {
    const before = this.shares[i];
    let after = before + quantity;
    if (Math.abs(after) < DUST) after = 0;
    if (after === 0) this.averagePrice[i] = 0;
    else if (before === 0) this.averagePrice[i] = price;
    else if (quantity > 0 === before > 0) {
      this.averagePrice[i] = (before * this.averagePrice[i] + quantity * price) / after;
    }
    this.shares[i] = after;
    this.cash[i] -= quantity * price + commission;
    this.costs[i] += commission + quantity * (price - base);
  }

  /** Charges what is no fill: borrow. */
  charge(i: number, amount: number): void {
    this.cash[i] -= amount;
    this.costs[i] += amount;
  }

  /** A corporate action: `ratio` new shares for each old one. */
  rescale(i: number, ratio: number): void {
    this.shares[i] *= ratio;
    this.averagePrice[i] /= ratio;
  }

  markToMarket(i: number, close: number): void {
    this.equity[i] = this.cash[i] + this.shares[i] * close;
  }

  /** Signed return of the open position at `close`; 0 when flat. */
  unrealizedReturn(i: number, close: number): number {
    const shares = this.shares[i];
    if (shares === 0) return 0;
    const average = this.averagePrice[i];
    return (shares > 0 ? close - average : average - close) / average;
  }
}

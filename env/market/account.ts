/** One account of the environment: its ledger in float64, its orders, its exits, and where it stands in the market. */
import { PositionExits } from './exits.js';
import type { ExitPlan } from './exits.js';
import { Order } from './orders.js';

/** A position smaller than this is float noise of a division by a factor, and is none. */
const DUST = 1e-9;

export class Account {
  readonly index: number;
  /** Currency. Fields that hold fractions start as NaN, so that the engine lays them out as doubles at once. */
  cash = NaN;
  /** Signed tradable shares. */
  shares = NaN;
  /** Average fill price of the open position, tradable, commission excluded; 0 when flat. */
  averagePrice = NaN;
  /** Cash plus position at the last close. */
  equity = NaN;
  /** Costs of the current bar: commission, fees, borrow, and what was paid away from the base price. */
  costs = NaN;
  /** The sleeve at the episode's start. */
  initialEquity = NaN;

  /** Index of the window, of its noisy copy; the bar at whose close the next decision is made; the last bar. */
  window = 0;
  replica = 0;
  bar = 0;
  lastBar = 0;
  /** Episodes begun. */
  episodes = 0;

  /** What the next decision may do (order-desk.ts). */
  choices = 0;
  /** Cycles begun on trading day `cycleDay`. */
  cycles = 0;
  cycleDay = 0;
  /** 1: the EMA rule asks to be out at the next open. */
  exitAsked = 0;
  /** The order that acts at the next open, and one that is late by a bar. */
  readonly due = new Order();
  readonly late = new Order();
  readonly exits: PositionExits;

  constructor(index: number, plan: ExitPlan) {
    this.index = index;
    this.exits = new PositionExits(plan);
  }

  /** A fresh account at the start of an episode. */
  begin(equity: number): void {
    this.cash = equity;
    this.equity = equity;
    this.initialEquity = equity;
    this.shares = 0;
    this.averagePrice = 0;
    this.costs = 0;
    this.cycles = 0;
    this.exitAsked = 0;
    this.due.clear();
    this.late.clear();
  }

  /** Books a fill of `quantity` (signed) at `price`, with `commission` beside it; `base` is the price before costs. */
  fill(quantity: number, price: number, base: number, commission: number): void {
    const before = this.shares;
    let after = before + quantity;
    if (Math.abs(after) < DUST) after = 0;
    if (after === 0) this.averagePrice = 0;
    else if (before === 0) this.averagePrice = price;
    else if (quantity > 0 === before > 0) this.averagePrice = (before * this.averagePrice + quantity * price) / after;
    this.shares = after;
    this.cash -= quantity * price + commission;
    this.costs += commission + quantity * (price - base);
  }

  /** Charges what is no fill: borrow. */
  charge(amount: number): void {
    this.cash -= amount;
    this.costs += amount;
  }

  markToMarket(close: number): void {
    this.equity = this.cash + this.shares * close;
  }

  /** Signed return of the open position at `close`; 0 when flat. */
  unrealizedReturn(close: number): number {
    if (this.shares === 0) return 0;
    return (this.shares > 0 ? close - this.averagePrice : this.averagePrice - close) / this.averagePrice;
  }
}

const DOUBLES = ['cash', 'shares', 'averagePrice', 'equity', 'costs', 'initialEquity'] as const;
const INTEGERS = [
  'window',
  'replica',
  'bar',
  'lastBar',
  'episodes',
  'choices',
  'cycles',
  'cycleDay',
  'exitAsked',
] as const;
const ORDER_LENGTH = 5;
const EXIT_LENGTH = 5;

/** Numbers in an account's saved row. */
export function accountRowLength(plan: ExitPlan): number {
  return DOUBLES.length + INTEGERS.length + 2 * ORDER_LENGTH + EXIT_LENGTH + plan.stages;
}

/** Writes all that an account is to row[offset ...]. */
export function saveAccount(account: Account, row: Float64Array, offset: number): void {
  const { due, late, exits } = account;
  const values = [...DOUBLES.map((key) => account[key]), ...INTEGERS.map((key) => account[key])];
  for (const { kind, quantity, limit, reason, forced } of [due, late])
    values.push(kind, quantity, limit, reason, forced);
  values.push(exits.stop, exits.best, exits.entryPrice, exits.initialShares, exits.stage, ...exits.targets);
  row.set(values, offset);
}

/** The other way round. Integers are restored as such: the engine lays them out differently from fractions. */
export function restoreAccount(account: Account, row: Float64Array, offset: number): void {
  let k = offset;
  for (const key of DOUBLES) account[key] = row[k++];
  for (const key of INTEGERS) account[key] = row[k++] | 0;
  for (const order of [account.due, account.late]) {
    order.place(row[k] | 0, row[k + 1], row[k + 2], row[k + 3] | 0, row[k + 4] | 0);
    k += ORDER_LENGTH;
  }
  const { exits } = account;
  exits.stop = row[k];
  exits.best = row[k + 1];
  exits.entryPrice = row[k + 2];
  exits.initialShares = row[k + 3];
  exits.stage = row[k + 4] | 0;
  exits.targets.set(row.subarray(k + EXIT_LENGTH, k + EXIT_LENGTH + exits.targets.length));
}

/** The position of one symbol: the exact ledger, and beside it the environment's account with the levels of the exits. */
import { Account } from '#env/market/account.js';
import { borrowCost } from '#env/market/costs.js';
import { ExitPlan, openExits, ratchetExits } from '#env/market/exits.js';
import type { SymbolConfig, TraderConfig } from './config.js';
import type { ClosedBar } from './events.js';
import { Ledger, MICRO } from './ledger.js';
import { CLOSED, type MarketRow } from './market-row.js';
import type { OwnOrders } from './own-orders.js';
import { slicesOf, type Slice } from './protection.js';

export class PositionBook {
  readonly ledger: Ledger;
  readonly account: Account;
  readonly plan: ExitPlan;
  /** Names the position under way; its orders begin with it. */
  cycle = '';
  /** It was opened within the bar under way, by a limit: the bar's range before that is no price for it. */
  openedWithin = false;
  /** Borrow charged by the model since the start, in currency. */
  accruedBorrow = 0;
  /** Units held when the last bar closed. */
  heldAtClose = 0;
  readonly #sleeveEquity: number;
  readonly #borrowRate: number;
  readonly #row: MarketRow;

  constructor({ symbol, sleeveEquity }: SymbolConfig, { market }: TraderConfig, row: MarketRow) {
    this.plan = new ExitPlan(market.exits);
    this.ledger = new Ledger(symbol);
    this.account = new Account(0, this.plan);
    this.account.begin(sleeveEquity);
    this.#sleeveEquity = sleeveEquity;
    this.#borrowRate = market.costs.borrow_rate;
    this.#row = row;
  }

  /** Signed units held. */
  get quantity(): number {
    return this.ledger.position;
  }

  get cash(): number {
    return this.#sleeveEquity + this.ledger.cashMicro / MICRO - this.accruedBorrow;
  }

  equityAt(price: number): number {
    return this.cash + (this.quantity === 0 ? 0 : this.quantity * price);
  }

  /** Slices of the open position; one without levels where the plan has no exits. */
  slices(orders: OwnOrders): Slice[] {
    const held = Math.abs(this.quantity);
    if (held === 0) return [];
    const opened = Math.max(orders.openedIn(this.cycle), held);
    const filledIn = (slot: number): number => orders.filledIn(this.cycle, slot);
    return slicesOf(this.plan, this.account.exits, opened, held, filledIn, this.#row.lotSize);
  }

  /** Brings the account to what the ledger and the last close say. */
  syncAccount(): void {
    const { account } = this;
    account.shares = this.quantity;
    account.averagePrice = this.ledger.averagePrice;
    account.cash = this.cash;
    account.equity = this.equityAt(this.#row.close[CLOSED]);
  }

  /** Levels of the opening fills as they stand: measured from their average price. */
  openLevels(): void {
    const side = this.quantity > 0 ? 1 : -1;
    const { averagePrice } = this.ledger;
    openExits(this.plan, this.account.exits, side, averagePrice, Math.abs(this.quantity), this.#row.ticks);
  }

  /** NaN as close and EMA: between bars, where the EMA rule has no say. */
  moveLevels(best: number, close: number, ema: number): void {
    if (!this.plan.ratchets) return;
    const side = this.quantity > 0 ? 1 : -1;
    const asks = ratchetExits(this.plan, this.account.exits, side, best, close, ema, this.#row.ticks);
    if (!Number.isNaN(close)) this.account.exitAsked = asks ? 1 : 0;
  }

  /**
   * What a short that was held over the last close pays in borrow by the model; the broker books the true amount as
   * interest, which no execution reports.
   */
  chargeNights({ openMs }: ClosedBar): void {
    const row = this.#row;
    const rate = this.#borrowRate;
    const nights = Number.isFinite(row.stampMs) ? row.clock.dayOfBar(openMs) - row.day[CLOSED] : 0;
    if (nights > 0 && this.heldAtClose < 0 && rate > 0)
      this.accruedBorrow += borrowCost(-this.heldAtClose, row.close[CLOSED], rate, nights);
  }
}

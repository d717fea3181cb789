/** From a decision at a bar's close to the order that waits for the next open: rules first, then the agent's will. */
import type { Account } from './account.js';
import type { MarketConfig } from './config.js';
import { limitPrice } from './fills.js';
import { ENTRY_ALLOWED, MUST_BE_FLAT, SAME_DAY } from './market-columns.js';
import type { MarketColumns } from './market-columns.js';
import type { MarketNoise } from './noise.js';
import { ADJUST, BY_BUY, BY_EMA, BY_FLAT_RULE, BY_SELL, BY_TARGET, CLOSE, NO_ORDER, OPEN } from './orders.js';
import { BUY, entryQuantity, HOLD, mayTradeLots, rebalanceQuantity, SELL, sideOfAction } from './rules.js';

/** Bits of `Account.choices`: a rule closes the position; a position may be opened; buying, selling does something. */
const MUST_LEAVE = 1;
const MAY_ENTER = 2;
const MAY_BUY = 4;
const MAY_SELL = 8;

/** What the desk reads of the market: rows of bars, or of the live bar alone. */
export type DeskColumns = Pick<MarketColumns, 'day' | 'flags' | 'close' | 'lotSize' | 'ticks'>;

export class OrderDesk {
  readonly #noise: MarketNoise;
  readonly #direction: MarketConfig['direction'];
  readonly #positionFraction: number;
  readonly #isLimit: boolean;
  readonly #bufferBps: number;
  readonly #maxCycles: number;

  constructor(config: MarketConfig, noise: MarketNoise) {
    this.#noise = noise;
    this.#direction = config.direction;
    this.#positionFraction = config.position_fraction;
    this.#isLimit = config.order.type === 'limit';
    this.#bufferBps = config.order.buffer_bps;
    this.#maxCycles = config.rules.max_cycles_per_day ?? Infinity;
  }

  /** Counts a cycle that begins on the day of bar t. */
  countCycle(account: Account, market: DeskColumns, t: number): void {
    if (account.cycleDay !== market.day[t]) account.cycles = 0;
    account.cycleDay = market.day[t];
    account.cycles++;
  }

  /** Whether a cycle may begin on bar t: bars outside sessions may bring an order earlier than its day. */
  mayBeginCycle(account: Account, market: DeskColumns, t: number): boolean {
    return account.cycleDay !== market.day[t] || account.cycles < this.#maxCycles;
  }

  /** Works out, at the close of t, what the next decision may do. */
  prepare(account: Account, market: DeskColumns, t: number): void {
    const flags = market.flags[t];
    const { shares } = account;
    let choices = 0;
    if ((flags & ENTRY_ALLOWED) !== 0) {
      const counts = (flags & SAME_DAY) !== 0 && account.cycleDay === market.day[t];
      if (!counts || account.cycles < this.#maxCycles) choices = MAY_ENTER;
    }
    if (shares !== 0) {
      if (account.exitAsked === 1 || (flags & MUST_BE_FLAT) !== 0) choices |= MUST_LEAVE;
      else choices |= shares > 0 ? MAY_SELL : MAY_BUY;
    } else if (
      choices === MAY_ENTER &&
      mayTradeLots(account.equity, this.#positionFraction, market.close[t], market.lotSize)
    ) {
      choices |= this.#direction === 'long_short' ? MAY_BUY | MAY_SELL : MAY_BUY;
    }
    account.choices = choices;
  }

  /** (3) 1 where a discrete action would do something; holding is always allowed. */
  writeMask(account: Account, mask: Uint8Array): void {
    const at = 3 * account.index;
    const { choices } = account;
    mask[at + HOLD] = 1;
    mask[at + BUY] = (choices & MAY_BUY) !== 0 ? 1 : 0;
    mask[at + SELL] = (choices & MAY_SELL) !== 0 ? 1 : 0;
  }

  /** Discrete actions: the order of a decision at the close of t. Returns whether the action may do something. */
  decide(account: Account, market: DeskColumns, t: number, action: number): boolean {
    const { choices } = account;
    const useful = action === HOLD || (choices & (action === BUY ? MAY_BUY : MAY_SELL)) !== 0;
    if (this.#begin(account)) return useful;
    if (action === HOLD || !useful) {
      this.#resume(account, market, t);
      return useful;
    }
    const position = account.shares;
    const side = sideOfAction(action, position, this.#direction, true);
    const quantity =
      position === 0
        ? entryQuantity(account.equity, this.#positionFraction, market.close[t], market.lotSize)
        : Math.abs(position);
    if (quantity > 0) {
      this.#place(account, market, t, position === 0 ? OPEN : CLOSE, side * quantity, side > 0 ? BY_BUY : BY_SELL);
    }
    return true;
  }

  /** Target actions: the order that brings the position to `target` x the budget. */
  rebalance(account: Account, market: DeskColumns, t: number, target: number): void {
    if (this.#begin(account)) return;
    const position = account.shares;
    const quantity = rebalanceQuantity(
      target,
      position,
      this.#direction,
      (account.choices & MAY_ENTER) !== 0,
      (market.flags[t] & ENTRY_ALLOWED) !== 0,
      account.equity,
      this.#positionFraction,
      market.close[t],
      market.lotSize,
    );
    if (quantity === 0) this.#resume(account, market, t);
    else
      this.#place(
        account,
        market,
        t,
        position === 0 ? OPEN : quantity === -position ? CLOSE : ADJUST,
        quantity,
        BY_TARGET,
      );
  }

  /** Clears the desk; where a rule closes the position, places that order and returns true. */
  #begin(account: Account): boolean {
    account.due.clear();
    if ((account.choices & MUST_LEAVE) === 0) return false;
    account.due.place(CLOSE, -account.shares, NaN, account.exitAsked === 1 ? BY_EMA : BY_FLAT_RULE, 1);
    account.late.clear();
    return true;
  }

  /** A new order replaces a late one. */
  #place(account: Account, market: DeskColumns, t: number, kind: number, quantity: number, reason: number): void {
    const side = quantity > 0 ? 1 : -1;
    const limit = this.#isLimit ? limitPrice(side, market.close[t], this.#bufferBps, market.ticks) : NaN;
    account.late.clear();
    const order = this.#noise.isLate(account.index) ? account.late : account.due;
    order.place(kind, quantity, limit, reason, 0);
  }

  /** A late order arrives at the next open, if the rules still allow it. */
  #resume(account: Account, market: DeskColumns, t: number): void {
    const { due, late } = account;
    if (late.kind === NO_ORDER) return;
    due.takeFrom(late);
    const grows = due.kind === ADJUST && due.quantity > 0 === account.shares > 0;
    const refused =
      due.kind === OPEN ? (account.choices & MAY_ENTER) === 0 : grows && (market.flags[t] & ENTRY_ALLOWED) === 0;
    if (refused) due.clear();
  }
}

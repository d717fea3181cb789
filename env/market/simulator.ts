/**
 * One bar of one account: what happens when.
 *
 * 1. Open: exits that the open has gapped through fill at the open and cancel a discretionary order. Then the order.
 * 2. Within the bar: stop before targets, at the levels set at the previous close (or by this bar's own entry).
 * 3. Close: marked to market; the levels move, last.
 */
import type { Account } from './account.js';
import { borrowCost } from './costs.js';
import { openExits, ratchetExits, rescaleExits, stageShares } from './exits.js';
import type { ExitPlan } from './exits.js';
import { isInside, paidPrice, stopBase, stopReached, targetReached, tradesThrough } from './fills.js';
import type { MarketColumns } from './market-columns.js';
import type { MarketNoise } from './noise.js';
import type { OrderDesk } from './order-desk.js';
import { BY_STOP, BY_TAKE_PROFIT, CLOSE, FILL_REASONS, NO_ORDER, OPEN } from './orders.js';
import type { MarketRecorder } from './recorder.js';
import { floorLots, withoutNoise } from './ticks.js';

export class Simulator {
  readonly #desk: OrderDesk;
  readonly #plan: ExitPlan;
  readonly #noise: MarketNoise;
  readonly #recorder: MarketRecorder | null;
  /** Of the account and bar under way: the base price from which its position is live, ... */
  #liveFrom = 0;
  /** ... and whether a limit order opened it within the bar: what the bar did before that is no price for us. */
  #openedWithin = false;

  constructor(desk: OrderDesk, plan: ExitPlan, noise: MarketNoise, recorder: MarketRecorder | null) {
    this.#desk = desk;
    this.#plan = plan;
    this.#noise = noise;
    this.#recorder = recorder;
  }

  /** Runs bar t for account i, its order waiting in the desk, up to the mark at the close. */
  runBar(account: Account, market: MarketColumns, t: number): void {
    const { due } = account;
    account.costs = 0;
    this.#liveFrom = market.open[t];
    this.#openedWithin = false;
    this.#overnight(account, market, t);

    // 1. Open
    const exited = this.#plan.rests && account.shares !== 0 && this.#exitsAtOpen(account, market, t);
    if (exited && due.forced === 0) due.kind = NO_ORDER;
    const waiting = due.kind !== NO_ORDER && !this.#orderAtOpen(account, market, t);
    // 2. Within the bar
    if (waiting && !this.#reduces(account)) this.#growWithin(account, market, t);
    const leaving = waiting && account.shares !== 0 && this.#reduces(account);
    if (this.#plan.rests && account.shares !== 0) this.#exitsWithin(account, market, t, leaving);
    else if (leaving) this.#leaveWithin(account, market, t);
    // 3. Close
    account.markToMarket(market.close[t]);
  }

  /** Moves the levels at the close of t, for what is still held. Asks for an exit where the EMA rule does. */
  ratchet(account: Account, market: MarketColumns, t: number): void {
    const side = account.shares;
    if (side === 0 || !this.#plan.ratchets) return;
    const close = market.close[t];
    const favourable = this.#openedWithin ? close : side > 0 ? market.high[t] : market.low[t];
    const ema = market.ema === null ? NaN : market.ema[t];
    const asks = ratchetExits(this.#plan, account.exits, side > 0 ? 1 : -1, favourable, close, ema, market.ticks);
    account.exitAsked = asks ? 1 : 0;
  }

  /** Closes whatever is held at the close of t, with costs: end of the episode. */
  closeOut(account: Account, market: MarketColumns, t: number, reason: number): void {
    const held = account.shares;
    if (held !== 0) this.#take(account, market, t, -held, market.close[t], NaN, reason);
    account.markToMarket(market.close[t]);
  }

  /** Between two bars: corporate actions, then borrow for the nights that a short was held. */
  #overnight(account: Account, market: MarketColumns, t: number): void {
    const nights = market.day[t] - market.day[t - 1];
    if (nights > 0 && account.shares < 0 && market.costs.borrowRate > 0) {
      account.charge(borrowCost(-account.shares, market.close[t - 1], market.costs.borrowRate, nights));
    }
    const ratio = market.shareRatio === null ? 1 : market.shareRatio[t];
    if (ratio === 1) return;
    account.shares *= ratio;
    account.averagePrice /= ratio;
    rescaleExits(this.#plan, account.exits, ratio);
    for (const order of [account.due, account.late]) {
      order.quantity *= ratio;
      order.limit /= ratio;
    }
  }

  /** Resting exits that the open has gapped through. Returns whether one filled. */
  #exitsAtOpen(account: Account, market: MarketColumns, t: number): boolean {
    const held = account.shares;
    const side = held > 0 ? 1 : -1;
    const open = market.open[t];
    if (stopReached(side, account.exits.stop, open)) {
      this.#take(account, market, t, -held, open, NaN, BY_STOP);
      return true;
    }
    const stages = this.#plan.stages;
    let filled = false;
    for (let k = account.exits.stage; k < stages && account.shares !== 0; k++) {
      const target = account.exits.targets[k];
      if (!targetReached(side, target, open)) break;
      filled = this.#closeStage(account, market, t, side, open, target) || filled;
    }
    return filled;
  }

  /** The order at the open: true where it is done with (filled or void), false where its limit waits for the bar. */
  #orderAtOpen(account: Account, market: MarketColumns, t: number): boolean {
    const { due } = account;
    const quantity = this.#orderQuantity(account, market);
    if (quantity === 0 || (due.kind === OPEN && !this.#desk.mayBeginCycle(account, market, t))) return true;
    const limit = this.#orderLimit(account, market);
    const open = market.open[t];
    if (!Number.isNaN(limit) && !isInside(quantity, limit, open)) return false;
    this.#take(account, market, t, quantity, open, limit, due.reason);
    return true;
  }

  /** A limit order to open or add that the bar trades through fills at its limit. */
  #growWithin(account: Account, market: MarketColumns, t: number): void {
    const { due } = account;
    const quantity = this.#orderQuantity(account, market);
    const limit = this.#orderLimit(account, market);
    if (!tradesThrough(quantity, limit, market.high[t], market.low[t])) return;
    if (account.shares === 0) {
      this.#liveFrom = limit;
      this.#openedWithin = true;
    }
    this.#rest(account, market, t, quantity, limit, due.reason);
  }

  /** A limit order to leave that the bar trades through fills at its limit. */
  #leaveWithin(account: Account, market: MarketColumns, t: number): void {
    const { due } = account;
    const quantity = this.#orderQuantity(account, market);
    const limit = this.#orderLimit(account, market);
    if (tradesThrough(quantity, limit, market.high[t], market.low[t])) {
      this.#rest(account, market, t, quantity, limit, due.reason);
    }
  }

  /**
   * The stop first, since a bar does not tell in which order it saw its prices; then the targets in the order of
   * their distance, and between them a waiting limit order to leave (`leaving`).
   */
  #exitsWithin(account: Account, market: MarketColumns, t: number, leaving: boolean): void {
    const held = account.shares;
    const side = held > 0 ? 1 : -1;
    const high = market.high[t];
    const low = market.low[t];
    const stop = account.exits.stop;
    if (stopReached(side, stop, side > 0 ? low : high)) {
      this.#take(account, market, t, -held, stopBase(side, stop, this.#liveFrom), NaN, BY_STOP);
      return;
    }
    // opened within the bar: its better prices may lie before our entry, its close surely does not
    const reached = this.#openedWithin ? market.close[t] : side > 0 ? high : low;
    const limit = this.#orderLimit(account, market);
    const stages = this.#plan.stages;
    for (let k = account.exits.stage; k < stages && account.shares !== 0; k++) {
      const target = account.exits.targets[k];
      const limitIsNearer = leaving && !targetReached(side, target, limit);
      if (limitIsNearer || !targetReached(side, target, reached)) break;
      this.#closeStage(account, market, t, side, this.#liveFrom, target);
    }
    if (leaving && account.shares !== 0) this.#leaveWithin(account, market, t);
  }

  /** Closes the stage in turn at its target, or at `price` where that is better already. Returns whether lots filled. */
  #closeStage(
    account: Account,
    market: MarketColumns,
    t: number,
    side: number,
    price: number,
    target: number,
  ): boolean {
    const quantity = stageShares(this.#plan, account.exits, Math.abs(account.shares), market.lotSize);
    account.exits.stage++;
    if (quantity === 0) return false;
    if (targetReached(side, target, price))
      this.#take(account, market, t, -side * quantity, price, target, BY_TAKE_PROFIT);
    else this.#rest(account, market, t, -side * quantity, target, BY_TAKE_PROFIT);
    return true;
  }

  /** Whether the waiting order makes the position smaller. */
  #reduces(account: Account): boolean {
    const held = account.shares;
    return held !== 0 && account.due.quantity > 0 !== held > 0;
  }

  /** Signed quantity of the order as the position now stands; 0 where it is void. */
  #orderQuantity(account: Account, market: MarketColumns): number {
    const held = account.shares;
    const { kind, quantity: ordered } = account.due;
    if (kind === CLOSE) return held !== 0 && ordered > 0 !== held > 0 ? -held : 0;
    if ((kind === OPEN) !== (held === 0)) return 0;
    // a corporate action may have left a fraction of a lot
    const lots = market.shareRatio === null ? Math.abs(ordered) : floorLots(Math.abs(ordered), market.lotSize);
    const quantity = ordered > 0 ? lots : -lots;
    // never past zero: exits may have made the position smaller since the decision
    return kind === OPEN || quantity > 0 === held > 0 || lots < Math.abs(held) ? quantity : -held;
  }

  /** The order's limit, NaN for a market order; on tick, which a corporate action may have moved it off. */
  #orderLimit(account: Account, market: MarketColumns): number {
    const { limit, quantity } = account.due;
    if (market.shareRatio === null || Number.isNaN(limit)) return limit;
    return market.ticks.roundAgainst(withoutNoise(limit), quantity);
  }

  /** Takes the market's price `base`: pays half the spread and slippage, though never beyond `limit`. */
  #take(
    account: Account,
    market: MarketColumns,
    t: number,
    quantity: number,
    base: number,
    limit: number,
    reason: number,
  ): void {
    const multiplier = this.#noise.costMultiplier(account.index);
    const share = market.costs.takingShare * multiplier;
    const price = paidPrice(
      quantity > 0 ? 1 : -1,
      base,
      share,
      this.#noise.fillShare(account.index),
      limit,
      market.ticks,
    );
    this.#fill(account, market, t, quantity, price, base, multiplier, reason);
  }

  /** A resting order is filled at its own price, without spread or slippage. */
  #rest(account: Account, market: MarketColumns, t: number, quantity: number, limit: number, reason: number): void {
    const price = market.ticks.roundAgainst(limit, quantity);
    this.#fill(account, market, t, quantity, price, limit, this.#noise.costMultiplier(account.index), reason);
  }

  #fill(
    account: Account,
    market: MarketColumns,
    t: number,
    quantity: number,
    price: number,
    base: number,
    costMultiplier: number,
    reason: number,
  ): void {
    const opens = account.shares === 0;
    const commission = market.costs.commission(quantity, price, market.feePeriod[t]) * costMultiplier;
    account.fill(quantity, price, base, commission);
    if (opens) {
      this.#desk.countCycle(account, market, t);
      openExits(this.#plan, account.exits, quantity > 0 ? 1 : -1, price, Math.abs(quantity), market.ticks);
    } else if (account.shares === 0) account.exitAsked = 0;
    if (this.#recorder !== null) {
      this.#recorder.onFill({
        account: account.index,
        barIndex: t,
        timeMs: market.bars.openTimeMs[t],
        quantity,
        price,
        commission,
        reason: FILL_REASONS[reason],
        positionAfter: account.shares,
      });
    }
  }
}

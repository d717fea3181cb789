/**
 * At which price an order fills on a bar, before costs (the base price), and what is paid in the end. The base
 * price always lies within the bar's range. Training, the backtest and the simulated gateway share this file.
 * Sides are +1 (buys, or a long position) and -1 (sales, or a short position). Prices are tradable.
 */
import type { TickTable } from './ticks.js';

/** A limit order's price: `bufferBps` beyond the decision's close, against us, on tick. */
export function limitPrice(side: number, decisionClose: number, bufferBps: number, ticks: TickTable): number {
  return ticks.roundAgainst(decisionClose * (1 + side * bufferBps * 1e-4), side);
}

/** Whether a limit order may be filled at once at `price`: a buy at or under its limit, a sale at or over it. */
export function isInside(side: number, limit: number, price: number): boolean {
  return side > 0 ? price <= limit : price >= limit;
}

/** Whether the bar trades through the limit. A touch is not enough: others stood in the queue before us. */
export function tradesThrough(side: number, limit: number, high: number, low: number): boolean {
  return side > 0 ? low < limit : high > limit;
}

/** Whether a price has reached the stop of a position (`side` +1 long). */
export function stopReached(side: number, stop: number, price: number): boolean {
  return side > 0 ? price <= stop : price >= stop;
}

/** Whether a price has reached the target of a position (`side` +1 long). */
export function targetReached(side: number, target: number, price: number): boolean {
  return side > 0 ? price >= target : price <= target;
}

/**
 * Base price of a stop that is reached within a bar: the level, or, where the position was entered beyond its
 * own stop (spread and slippage put the fill above a tight stop), the price at which it was entered.
 */
export function stopBase(side: number, stop: number, enteredAt: number): number {
  return side > 0 ? Math.min(stop, enteredAt) : Math.max(stop, enteredAt);
}

/**
 * What is paid or received per share: the base price moved against us by `takingShare` (half the spread and
 * slippage), noise included, never beyond `limit` (NaN: a market order), then on tick, against us.
 */
export function paidPrice(
  side: number,
  base: number,
  takingShare: number,
  noiseShare: number,
  limit: number,
  ticks: TickTable,
): number {
  let price = base * (1 + side * takingShare + noiseShare);
  if (side > 0 ? price > limit : price < limit) price = limit;
  return ticks.roundAgainst(price, side);
}

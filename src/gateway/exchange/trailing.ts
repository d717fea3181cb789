/** Prices of trailing orders: the stop follows the best price at its distance, on tick, and never moves away. */
import type { TickTable } from '#env/market/ticks.js';
import type { WorkingOrder } from './working-order.js';

/** Distance between a trailing order's best price and its stop. */
function distance(working: WorkingOrder, best: number): number {
  const { trailingPercent, auxPrice } = working.order;
  return (trailingPercent ?? 0) > 0 ? (best * (trailingPercent ?? 0)) / 100 : (auxPrice ?? 0);
}

/** Moves the stop where `price` is the best since the order began to follow; the first call begins it. */
export function follow(working: WorkingOrder, price: number, ticks: TickTable): void {
  const { side, order } = working;
  const begins = Number.isNaN(working.best);
  if (begins || (side < 0 ? price > working.best : price < working.best)) {
    working.best = price;
    const level = ticks.roundAgainst(price + side * distance(working, price), side);
    if (begins && (order.trailStopPrice ?? 0) > 0) working.stop = order.trailStopPrice ?? level;
    else if (Number.isNaN(working.stop) || (side < 0 ? level > working.stop : level < working.stop))
      working.stop = level;
  }
  if (order.orderType === 'TRAIL LIMIT')
    working.limit = ticks.roundAgainst(working.stop + side * limitOffset(working), side);
}

/** How far beyond its stop a trailing limit order goes. */
function limitOffset({ order, side }: WorkingOrder): number {
  if (order.lmtPriceOffset !== null) return order.lmtPriceOffset;
  return order.lmtPrice === null || order.trailStopPrice === null ? 0 : side * (order.lmtPrice - order.trailStopPrice);
}

/**
 * What the world that the policy was trained in would have charged for an order: the price at the market's open moved
 * by half the spread and slippage, or the level at which it rested (env/market/fills.ts, simulator.ts).
 */
import type { Bars } from '#env/market/bars.js';
import { CostModel } from '#env/market/costs.js';
import { isInside, paidPrice, stopBase, targetReached } from '#env/market/fills.js';
import { TickTable } from '#env/market/ticks.js';
import type { TraderConfig } from '#src/live/core/config.js';
import type { OrderRecord } from './order-log.js';
import { barAt } from './bar-at.js';
import type { SessionRecord, Slot } from './session-record.js';

interface SymbolModel {
  readonly bars: Bars;
  readonly slots: readonly Slot[];
  readonly costs: CostModel;
  readonly ticks: TickTable;
}

export class PriceModel {
  readonly #bySymbol = new Map<string, SymbolModel>();

  constructor({ bars, slots, config }: Pick<SessionRecord, 'bars' | 'slots' | 'config'>) {
    for (const own of bars) {
      const { instrument } = own;
      this.#bySymbol.set(instrument.symbol, {
        bars: own,
        slots: slots.get(instrument.symbol) ?? [],
        costs: costsOf(config, instrument.symbol),
        ticks: new TickTable(instrument.ticks, instrument.symbol),
      });
    }
  }

  /** Price per unit, on tick; null: it was not filled, or the bar in which it was filled is not known. */
  priceOf(order: OrderRecord): number | null {
    const model = this.#bySymbol.get(order.symbol);
    if (model === undefined || order.executions.length === 0) return null;
    const { side, request, role } = order;
    const { costs, ticks } = model;
    const take = (base: number, limit = NaN): number => paidPrice(side, base, costs.takingShare, 0, limit, ticks);
    if (role === 'stop' || role === 'target') {
      const open = openOfFillBar(model, order);
      if (open === null) return null;
      // the position's side is the other one
      if (role === 'stop') return request.stopPrice === null ? null : take(stopBase(-side, request.stopPrice, open));
      const limit = request.limitPrice;
      if (limit === null) return null;
      return targetReached(-side, limit, open) ? take(open, limit) : ticks.roundAgainst(limit, side);
    }
    const reference = referenceOf(model, order);
    if (reference === null) return null;
    const limit = request.limitPrice;
    if (limit === null) return take(reference);
    return isInside(side, limit, reference) ? take(reference, limit) : ticks.roundAgainst(limit, side);
  }
}

export function costsOf(config: TraderConfig, symbol: string): CostModel {
  const found = config.symbols.find((one) => one.symbol === symbol);
  if (found === undefined) throw new RangeError(`${symbol} is none of the session's symbols`);
  return new CostModel(config.market.costs, found.instrument);
}

function openOfFillBar({ bars }: SymbolModel, { executions }: OrderRecord): number | null {
  const at = barAt(bars, executions[0].marketMs);
  if (at < 0 || executions[0].marketMs - bars.openTimeMs[at] > bars.interval.ms) return null;
  return bars.open[at];
}

/**
 * The market's price when the order came: the open of the first 5-second bar at or after it, which for an order given at
 * a bar's close is the next bar's open; of the bar itself where its 5-second bars were not seen.
 */
function referenceOf({ bars, slots }: SymbolModel, { placedMarketMs, executions }: OrderRecord): number | null {
  const slot = slots[firstAtOrAfter(slots.length, (index) => slots[index].openMs, placedMarketMs)];
  const next = firstAtOrAfter(bars.length, (index) => bars.openTimeMs[index], placedMarketMs);
  const barMs = next < bars.length ? bars.openTimeMs[next] : Infinity;
  const [timeMs, price] =
    slot !== undefined && slot.openMs <= barMs ? [slot.openMs, slot.open] : [barMs, bars.open[next]];
  return timeMs - executions[0].marketMs < bars.interval.ms ? price : null;
}

/** The first index whose time is at least `timeMs`; `length` where none is. */
function firstAtOrAfter(length: number, timeAt: (index: number) => number, timeMs: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timeAt(middle) < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Prices paid and commissions charged, against what the cost model says of the same orders. */
import { calendarNamed, type TradingCalendar } from '#env/market/calendar.js';
import { feePeriodOf } from '#env/market/regulatory-fees.js';
import { sessionDay } from '#src/data/segments.js';
import { blockBootstrapInterval } from '#src/stats/block-bootstrap.js';
import { quantile, type Interval } from '#src/stats/bootstrap.js';
import { barAt } from './bar-at.js';
import { costsOf, PriceModel } from './model-price.js';
import { openTime } from './open-time.js';
import { chargedFor, filledOf, priceOf, type OrderRecord } from './order-log.js';
import type { SessionRecord } from './session-record.js';

export type OrderKind = OrderRecord['role'];

/** An order that was filled, beside the model. */
export interface FillComparison {
  readonly symbol: string;
  readonly orderRef: string;
  readonly kind: OrderKind;
  readonly side: 1 | -1;
  readonly timeMs: number;
  readonly quantity: number;
  /** Average per unit. */
  readonly price: number;
  readonly modelPrice: number;
  /** Against us: more paid, or less received, than the model says; basis points of the model's price. */
  readonly slippageBps: number;
  /** The same for the whole order, in currency. */
  readonly slippageCost: number;
}

export interface SlippageGroup {
  readonly orders: number;
  readonly meanBps: number;
  readonly cost: number;
}

export interface FillStatistics {
  /** Orders that were filled, wholly or in part, ... */
  readonly orders: number;
  /** ... and their executions. */
  readonly executions: number;
  /** Orders whose price the model can tell. */
  readonly compared: number;
  /** Orders that took more than one execution; those that ended with less than was asked. */
  readonly inParts: number;
  readonly incomplete: number;
  /** Mean over the orders, against us; null: none could be compared. */
  readonly meanBps: number | null;
  /** Of the mean, 95%, stationary bootstrap over orders; null: fewer than 20, or all are equal. */
  readonly intervalBps: Interval | null;
  /** Of the orders: 5%, 25%, 50%, 75%, 95%, and the worst. */
  readonly quantilesBps: Readonly<Record<'p05' | 'p25' | 'p50' | 'p75' | 'p95' | 'worst', number>> | null;
  /** All of it together, in currency. */
  readonly cost: number;
  readonly bySide: Readonly<Record<'buy' | 'sell', SlippageGroup>>;
  readonly byKind: Readonly<Partial<Record<OrderKind, SlippageGroup>>>;
  /** Seconds of open market from order to last execution, of entries and exits; null: there were none. */
  readonly secondsToFill: Readonly<Record<'p50' | 'p95' | 'longest', number>> | null;
}

export interface CommissionStatistics {
  readonly charged: number;
  readonly modelled: number;
  /** charged - modelled; and as a share of what was modelled (null: that is nothing). */
  readonly difference: number;
  readonly share: number | null;
  /** Orders that were filled; what the model takes for one order (slices of one exit at one time are one). */
  readonly orders: number;
  readonly modelOrders: number;
  /** Largest difference over one of those, in currency. */
  readonly largest: number;
  /** Executions whose commission the broker never told. */
  readonly unknown: number;
}

export const filledOrders = ({ orders }: Pick<SessionRecord, 'orders'>): OrderRecord[] =>
  orders.filter(({ executions }) => executions.length > 0);

export function compareFills(session: SessionRecord): FillComparison[] {
  const model = new PriceModel(session);
  return filledOrders(session).flatMap((order) => {
    const modelPrice = model.priceOf(order);
    if (modelPrice === null) return [];
    const price = priceOf(order);
    const against = order.side * (price - modelPrice);
    return [
      {
        symbol: order.symbol,
        orderRef: order.orderRef,
        kind: order.role,
        side: order.side,
        timeMs: order.executions[0].marketMs,
        quantity: filledOf(order),
        price,
        modelPrice,
        slippageBps: against / modelPrice / 1e-4,
        slippageCost: against * filledOf(order),
      },
    ];
  });
}

const SEED = 1;

/** Mean and its interval; null: too few. */
export function meanInterval(series: Float64Array): Interval | null {
  return blockBootstrapInterval(series, mean, { seed: SEED });
}

const mean = (series: Float64Array): number => series.reduce((sum, value) => sum + value, 0) / series.length;

export function fillStatistics(session: SessionRecord, compared: readonly FillComparison[]): FillStatistics {
  const filled = filledOrders(session);
  const bps = Float64Array.from(compared, ({ slippageBps }) => slippageBps);
  const sorted = bps.slice().sort();
  const at = (share: number): number => quantile(sorted, share);
  const group = (own: readonly FillComparison[]): SlippageGroup => ({
    orders: own.length,
    meanBps: own.length === 0 ? 0 : mean(Float64Array.from(own, ({ slippageBps }) => slippageBps)),
    cost: own.reduce((sum, { slippageCost }) => sum + slippageCost, 0),
  });
  const kinds = new Set(compared.map(({ kind }) => kind));
  return {
    orders: filled.length,
    executions: filled.reduce((sum, { executions }) => sum + executions.length, 0),
    compared: compared.length,
    inParts: filled.filter(({ executions }) => executions.length > 1).length,
    incomplete: filled.filter((order) => filledOf(order) < order.request.quantity).length,
    meanBps: bps.length === 0 ? null : mean(bps),
    intervalBps: meanInterval(bps),
    quantilesBps:
      bps.length === 0
        ? null
        : { p05: at(0.05), p25: at(0.25), p50: at(0.5), p75: at(0.75), p95: at(0.95), worst: at(1) },
    cost: group(compared).cost,
    bySide: {
      buy: group(compared.filter(({ side }) => side > 0)),
      sell: group(compared.filter(({ side }) => side < 0)),
    },
    byKind: Object.fromEntries([...kinds].map((kind) => [kind, group(compared.filter((own) => own.kind === kind))])),
    secondsToFill: secondsToFill(filled, calendarNamed(session.config.calendar)),
  };
}

function secondsToFill(filled: readonly OrderRecord[], calendar: TradingCalendar): FillStatistics['secondsToFill'] {
  const waited = filled
    .filter(({ role }) => role === 'entry' || role === 'exit')
    .map(({ placedMarketMs, executions }) => {
      const lastMs = executions[executions.length - 1].marketMs;
      return lastMs <= placedMarketMs ? 0 : openTime(calendar, placedMarketMs, lastMs) / 1000;
    });
  if (waited.length === 0) return null;
  const sorted = Float64Array.from(waited).sort();
  return { p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), longest: sorted[sorted.length - 1] };
}

/**
 * The model takes what leaves a position in one bar, on one side and in one role for one order; a target at a price of
 * its own is another. A broker charges each slice for itself.
 */
export function commissionStatistics(session: SessionRecord): CommissionStatistics {
  const { config, bars } = session;
  const calendar = calendarNamed(config.calendar);
  const groups = new Map<string, { orders: OrderRecord[]; dayId: number }>();
  const filled = filledOrders(session);
  for (const order of filled) {
    const { symbol, role, side } = order;
    const own = bars.find(({ instrument }) => instrument.symbol === symbol);
    const timeMs = order.executions[0].marketMs;
    const bar = own === undefined ? -1 : barAt(own, timeMs);
    const stampMs = own === undefined || bar < 0 ? timeMs : own.openTimeMs[bar];
    const level = role === 'target' ? order.orderRef : '';
    const key = [symbol, role, side, stampMs, level].join(' ');
    const known = groups.get(key);
    if (known === undefined)
      groups.set(key, { orders: [order], dayId: sessionDay(calendar, config.interval, stampMs) });
    else known.orders.push(order);
  }
  let charged = 0;
  let modelled = 0;
  let largest = 0;
  for (const { orders, dayId } of groups.values()) {
    const [{ symbol, side }] = orders;
    const quantity = orders.reduce((sum, order) => sum + filledOf(order), 0);
    const price = orders.reduce((sum, order) => sum + filledOf(order) * priceOf(order), 0) / quantity;
    const paid = orders.reduce((sum, order) => sum + chargedFor(order), 0);
    const expected = costsOf(config, symbol).commission(side * quantity, price, feePeriodOf(dayId));
    charged += paid;
    modelled += expected;
    largest = Math.max(largest, Math.abs(paid - expected));
  }
  return {
    charged,
    modelled,
    difference: charged - modelled,
    share: modelled > 0 ? (charged - modelled) / modelled : null,
    orders: filled.length,
    modelOrders: groups.size,
    largest,
    unknown: filled.reduce(
      (sum, { executions }) => sum + executions.filter(({ commission }) => commission === null).length,
      0,
    ),
  };
}

/**
 * Everything about a bar that does not depend on the account, computed once: tradable prices, trading days, what
 * the rules say at its close, fee periods, the EMA of the exit rule. (T) columns; one object serves all accounts.
 */
import type { Bars, TradingWindow } from './bars.js';
import { calendarNamed } from './calendar.js';
import type { MarketConfig } from './config.js';
import { CostModel } from './costs.js';
import { EmaNode } from './observation/technical-indicators.js';
import { feePeriodOf } from './regulatory-fees.js';
import { ClockRules } from './rules.js';
import { TickTable, withoutNoise } from './ticks.js';

/** Bits of `flags`: an order given at this bar's close may open or enlarge a position. */
export const ENTRY_ALLOWED = 1;
/** A position must be closed by an order given at this bar's close. */
export const MUST_BE_FLAT = 2;
/** An order given at this bar's close acts on the same trading day. */
export const SAME_DAY = 4;

export interface MarketColumns {
  readonly bars: Bars;
  readonly ticks: TickTable;
  readonly costs: CostModel;
  readonly lotSize: number;
  /** Tradable prices: adjusted price / factor, without the division's noise. */
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  /** New shares for each share held over from the bar before (a split, a reinvested dividend); null: always 1. */
  readonly shareRatio: Float64Array | null;
  /** Trading day as days since 1970-01-01. */
  readonly day: Int32Array;
  readonly flags: Uint8Array;
  readonly feePeriod: Uint8Array;
  /** Tradable EMA of the exit rule, NaN until it exists; null without the rule. */
  readonly ema: Float64Array | null;
}

/** Columns of the bars that the windows touch; other rows stay 0. Throws ENV_CONFIG where a rule does not fit them. */
export function marketColumns(bars: Bars, windows: readonly TradingWindow[], config: MarketConfig): MarketColumns {
  const clock = new ClockRules(config.rules, calendarNamed(bars.calendar), bars.interval);
  const day = new Int32Array(bars.length);
  const flags = new Uint8Array(bars.length);
  const feePeriod = new Uint8Array(bars.length);
  const emaRule = config.exits.ema_rule;
  const ema = emaRule === null ? null : new Float64Array(bars.length).fill(NaN);
  for (const { segment, start, end } of windows) {
    for (let t = start; t < end; t++) {
      const openMs = bars.openTimeMs[t];
      const decisionMs = clock.decisionMs(openMs);
      day[t] = clock.dayOfBar(openMs);
      flags[t] =
        (clock.entryAllowed(decisionMs) ? ENTRY_ALLOWED : 0) |
        (clock.mustBeFlat(decisionMs) ? MUST_BE_FLAT : 0) |
        (clock.actsOnDay(decisionMs, day[t]) ? SAME_DAY : 0);
      feePeriod[t] = t > start && day[t] === day[t - 1] ? feePeriod[t - 1] : feePeriodOf(day[t]);
    }
    if (ema !== null && emaRule !== null) emaColumn(ema, bars, emaRule.period, segment.start, end);
  }
  const { factor } = bars;
  const tradable = (adjusted: Float64Array): Float64Array =>
    factor === null ? adjusted : adjusted.map((price, t) => withoutNoise(price / factor[t]));
  return {
    bars,
    ticks: new TickTable(bars.instrument.ticks, bars.instrument.symbol),
    costs: new CostModel(config.costs, bars.instrument),
    lotSize: bars.instrument.lotSize,
    open: tradable(bars.open),
    high: tradable(bars.high),
    low: tradable(bars.low),
    close: tradable(bars.close),
    shareRatio: factor === null ? null : factor.map((f, t) => (t === 0 ? 1 : f / factor[t - 1])),
    day,
    flags,
    feePeriod,
    ema: ema === null ? null : tradable(ema),
  };
}

/** ema[anchor, end) of the adjusted closes since the anchor bar. */
function emaColumn(ema: Float64Array, bars: Bars, period: number, anchor: number, end: number): void {
  const bar = { open: 0, high: 0, low: 0, close: 0, volume: 0 };
  const node = new EmaNode(period, ({ close }) => close);
  for (let t = anchor; t < end; t++) {
    bar.close = bars.close[t];
    node.update(bar);
    ema[t] = node.value;
  }
}

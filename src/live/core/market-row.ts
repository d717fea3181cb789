/** The live market as the order desk and the exits see it: the last closed bar, and the day of the one under way. */
import type { TradingCalendar } from '#env/market/calendar.js';
import type { Interval } from '#env/market/bars.js';
import type { MarketConfig } from '#env/market/config.js';
import type { Instrument } from '#env/market/instrument.js';
import { ENTRY_ALLOWED, MUST_BE_FLAT, SAME_DAY } from '#env/market/market-columns.js';
import { EmaNode } from '#env/market/observation/technical-indicators.js';
import type { DeskColumns } from '#env/market/order-desk.js';
import { ClockRules } from '#env/market/rules.js';
import { TickTable } from '#env/market/ticks.js';
import type { ClosedBar } from './events.js';

/** Rows: the last closed bar, and the one under way, of which only the day is known. */
export const CLOSED = 0;
export const FORMING = 1;

export class MarketRow implements DeskColumns {
  readonly day = new Int32Array(2);
  readonly flags = new Uint8Array(2);
  readonly close = new Float64Array(2).fill(NaN);
  readonly lotSize: number;
  readonly ticks: TickTable;
  high = NaN;
  low = NaN;
  /** Of the exit rule; NaN until it exists, or without the rule. */
  ema = NaN;
  /** Stamp of the last closed bar. */
  stampMs = -Infinity;
  readonly clock: ClockRules;
  readonly #calendar: TradingCalendar;
  readonly #ema: EmaNode | null;
  readonly #bar = { open: 0, high: 0, low: 0, close: 0, volume: 0 };

  constructor(instrument: Instrument, config: MarketConfig, calendar: TradingCalendar, interval: Interval) {
    this.lotSize = instrument.lotSize;
    this.ticks = new TickTable(instrument.ticks, instrument.symbol);
    this.clock = new ClockRules(config.rules, calendar, interval);
    this.#calendar = calendar;
    const rule = config.exits.ema_rule;
    this.#ema = rule === null ? null : new EmaNode(rule.period, ({ close }) => close);
  }

  /** Takes the bar that closed, and the rules' word at the instant of its decision. */
  closeBar(bar: ClosedBar): void {
    const decisionMs = this.clock.decisionMs(bar.openMs);
    const day = this.clock.dayOfBar(bar.openMs);
    this.stampMs = bar.openMs;
    this.close[CLOSED] = bar.close;
    this.high = bar.high;
    this.low = bar.low;
    this.day[CLOSED] = day;
    this.day[FORMING] = this.#dayAfter(decisionMs, day);
    this.flags[CLOSED] =
      (this.clock.entryAllowed(decisionMs) ? ENTRY_ALLOWED : 0) |
      (this.clock.mustBeFlat(decisionMs) ? MUST_BE_FLAT : 0) |
      (this.clock.actsOnDay(decisionMs, day) ? SAME_DAY : 0);
    if (this.#ema === null) return;
    Object.assign(this.#bar, bar);
    this.#ema.update(this.#bar);
    this.ema = this.#ema.value;
  }

  /** The day on which an execution at this instant falls: what a cycle is counted on. */
  setFormingDay(timeMs: number): void {
    this.day[FORMING] = this.#calendar.sessionAt(timeMs)?.dayId ?? this.day[FORMING];
  }

  #dayAfter(decisionMs: number, day: number): number {
    const session = this.#calendar.sessionAt(decisionMs);
    if (session !== null) return session.dayId;
    // a week holds a session in every calendar
    return this.#calendar.sessionsBetween(decisionMs, decisionMs + WEEK_MS).at(0)?.dayId ?? day;
  }
}

const WEEK_MS = 7 * 86_400_000;

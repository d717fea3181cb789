/**
 * When trading is allowed, and which order an action becomes. The same functions decide in training, in an
 * evaluation and live; all of them look at the instant of the decision, which is the bar's close.
 */
import { fail } from '#src/errors.js';
import type { Interval } from './bars.js';
import type { TradingCalendar } from './calendar.js';
import type { MarketConfig, RulesConfig } from './config.js';
import { coversLot, floorLots } from './ticks.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const DAY_MINUTES = 1440;

/** Minutes of the day of "HH:MM" (24:00 allowed), or NaN. */
export function minutesOfDay(text: string): number {
  const match = /^([01]\d|2[0-4]):([0-5]\d)$/.exec(text);
  const minutes = match === null ? NaN : Number(match[1]) * 60 + Number(match[2]);
  return minutes <= DAY_MINUTES ? minutes : NaN;
}

/** The rules of the clock for one calendar and bar interval. */
export class ClockRules {
  readonly #calendar: TradingCalendar;
  readonly #intervalMs: number;
  /** Daily bars and longer: an order acts in a later session, and there is no time of day. */
  readonly #daily: boolean;
  /** Minutes of the local day, [from, to); over midnight where from > to. null: always. */
  readonly #windows: readonly (readonly [number, number])[] | null;
  readonly #flatBeforeMs: number | null;

  /** Throws ENV_CONFIG where a rule needs a time of day and the bars have none. */
  constructor(rules: RulesConfig, calendar: TradingCalendar, interval: Interval) {
    this.#calendar = calendar;
    this.#intervalMs = interval.ms;
    this.#daily = interval.ms >= DAY_MS;
    if (this.#daily && (rules.trading_windows !== null || rules.flat_before_close_minutes !== null)) {
      fail('ENV_CONFIG', {
        where: rules.trading_windows === null ? 'rules.flat_before_close_minutes' : 'rules.trading_windows',
        value: rules.trading_windows ?? rules.flat_before_close_minutes,
        message: `bars of ${interval.label} have no time of day; set it to null, or take intraday bars`,
      });
    }
    this.#windows =
      rules.trading_windows === null
        ? null
        : rules.trading_windows.map(([from, to]) => [minutesOfDay(from), minutesOfDay(to)] as const);
    this.#flatBeforeMs = rules.flat_before_close_minutes === null ? null : rules.flat_before_close_minutes * MINUTE_MS;
  }

  /** The instant at which bar `openMs` is complete and the decision is made: no later than its session's close. */
  decisionMs(openMs: number): number {
    const closeMs = openMs + this.#intervalMs;
    const session = this.#daily ? null : this.#calendar.sessionAt(openMs);
    return session === null ? closeMs : Math.min(closeMs, session.closeMs);
  }

  /** The trading day of a bar as days since 1970-01-01: its session's date, else the local date. */
  dayOfBar(openMs: number): number {
    if (this.#daily) return Math.floor(openMs / DAY_MS);
    return this.#calendar.sessionAt(openMs)?.dayId ?? this.#localDay(openMs);
  }

  /**
   * Whether an order given at `decisionMs` is expected to act on the trading day `dayId`. One that is given at a
   * session's close acts in the next session, whose cycles are counted anew.
   */
  actsOnDay(decisionMs: number, dayId: number): boolean {
    return !this.#daily && this.#calendar.sessionAt(decisionMs)?.dayId === dayId;
  }

  /**
   * Whether the decision at this instant is the last one from which a position can still be flat in time:
   * the next bar would close too late. Outside sessions nothing may be held either.
   */
  mustBeFlat(decisionMs: number): boolean {
    if (this.#flatBeforeMs === null) return false;
    const session = this.#calendar.sessionAt(decisionMs);
    if (session === null) return true;
    const leftAtNextDecisionMs = session.closeMs - decisionMs - this.#intervalMs;
    return leftAtNextDecisionMs <= 0 || leftAtNextDecisionMs < this.#flatBeforeMs;
  }

  /** Whether a position may be opened, or made larger, by an order given at this instant. */
  entryAllowed(decisionMs: number): boolean {
    if (this.mustBeFlat(decisionMs)) return false;
    if (this.#windows === null) return true;
    const minute = this.#localMinute(decisionMs);
    return this.#windows.some(([from, to]) =>
      from < to ? minute >= from && minute < to : minute >= from || minute < to,
    );
  }

  #localMinute(timeMs: number): number {
    const localMs = timeMs + this.#calendar.utcOffsetMs(timeMs);
    return (localMs - Math.floor(localMs / DAY_MS) * DAY_MS) / MINUTE_MS;
  }

  #localDay(timeMs: number): number {
    return Math.floor((timeMs + this.#calendar.utcOffsetMs(timeMs)) / DAY_MS);
  }
}

export const HOLD = 0;
export const BUY = 1;
export const SELL = 2;

/**
 * The side of the order that a discrete action asks for: +1, -1, or 0 where it does nothing. Against a position
 * it closes it; the other side may be opened at the next decision. There is no adding to a position.
 */
export function sideOfAction(
  action: number,
  position: number,
  direction: MarketConfig['direction'],
  mayEnter: boolean,
): -1 | 0 | 1 {
  if (action === BUY) return position < 0 || (position === 0 && mayEnter) ? 1 : 0;
  if (action === SELL) {
    return position > 0 || (position === 0 && mayEnter && direction === 'long_short') ? -1 : 0;
  }
  return 0;
}

/** Shares of a new position: its share of the sleeve's equity at the decision's close, in whole lots, rounded down. */
export function entryQuantity(equity: number, positionFraction: number, close: number, lotSize: number): number {
  return equity > 0 ? floorLots((positionFraction * equity) / close, lotSize) : 0;
}

/** Whether `entryQuantity` is at least one lot, without its division: the mask asks at every bar. */
export function mayTradeLots(equity: number, positionFraction: number, close: number, lotSize: number): boolean {
  return equity > 0 && coversLot(positionFraction * equity, close * lotSize);
}

/**
 * Signed quantity that brings `position` to `target` x the budget (position_fraction of the equity), in whole
 * lots; 0 where the lots do not change. A target of the other sign, or of 0, closes the whole position and no
 * more. Where entries are not allowed the position is not made larger.
 */
export function rebalanceQuantity(
  target: number,
  position: number,
  direction: MarketConfig['direction'],
  mayEnter: boolean,
  mayAdd: boolean,
  equity: number,
  positionFraction: number,
  close: number,
  lotSize: number,
): number {
  const share = direction === 'long_only' ? Math.max(target, 0) : target;
  const lots = entryQuantity(equity, positionFraction * Math.abs(share), close, lotSize);
  const wanted = share > 0 ? lots : -lots;
  if (position === 0) return mayEnter ? wanted : 0;
  if (wanted === 0 || wanted > 0 !== position > 0) return -position;
  const change = floorLots(Math.abs(wanted - position), lotSize);
  const grows = Math.abs(wanted) > Math.abs(position);
  if (change === 0 || (grows && !mayAdd)) return 0;
  return wanted > position ? change : -change;
}

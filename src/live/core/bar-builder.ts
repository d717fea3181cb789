/** Bars of the trading interval from 5-second bars, to the bit of a backtest's; what has a hole is not believed. */
import type { TradingCalendar } from '#env/market/calendar.js';
import type { ClosedBar } from './events.js';

const SLOT_MS = 5_000;
const DAY_MS = 86_400_000;

/** A bar's place in time: its stamp, and the instants between which its 5-second bars lie. */
export interface BarSpan {
  /** The stamp that bars of history bear: the open, or of daily bars the session's date at 00:00 UTC. */
  readonly stampMs: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** The bar of `intervalMs` that holds the instant, or null where the market is closed. */
export function spanAt(timeMs: number, intervalMs: number, calendar: TradingCalendar): BarSpan | null {
  const session = calendar.sessionAt(timeMs);
  if (session === null) return null;
  const { dayId, openMs, closeMs } = session;
  if (intervalMs >= DAY_MS) return { stampMs: dayId * DAY_MS, fromMs: openMs, toMs: closeMs };
  const fromMs = openMs + Math.floor((timeMs - openMs) / intervalMs) * intervalMs;
  return { stampMs: fromMs, fromMs, toMs: Math.min(fromMs + intervalMs, closeMs) };
}

/** More days without a session than any calendar has. */
const LONGEST_BREAK_DAYS = 20;

/** The stamp of the bar that comes before; null where the calendar knows of none. */
export function stampBefore(
  { stampMs, fromMs }: BarSpan,
  intervalMs: number,
  calendar: TradingCalendar,
): number | null {
  const session = calendar.sessionAt(fromMs);
  if (session === null) return null;
  if (fromMs > session.openMs) return stampMs - intervalMs;
  for (let dayId = session.dayId - 1; dayId >= session.dayId - LONGEST_BREAK_DAYS; dayId--) {
    const before = calendar.sessionOnDay(dayId);
    if (before !== null) return spanAt(before.closeMs - 1, intervalMs, calendar)?.stampMs ?? null;
  }
  return null;
}

export interface BuiltBar {
  readonly span: BarSpan;
  readonly bar: ClosedBar;
  /** Whether every 5-second bar of its span was seen. */
  readonly whole: boolean;
}

export class BarBuilder {
  readonly #intervalMs: number;
  readonly #calendar: TradingCalendar;
  #span: BarSpan | null = null;
  #slots = 0;
  #lastSlotMs = -Infinity;
  #open = 0;
  #high = 0;
  #low = 0;
  #close = 0;
  #volume = 0;

  constructor(intervalMs: number, calendar: TradingCalendar) {
    this.#intervalMs = intervalMs;
    this.#calendar = calendar;
  }

  /** The span under way; null before the first 5-second bar and after a closed one. */
  get span(): BarSpan | null {
    return this.#span;
  }

  /**
   * Takes a 5-second bar; returns the bars that it closes: one that a hole left open, and its own where it is the
   * last of its span. Bars outside sessions, repeated and late ones are passed over.
   */
  add(slot: ClosedBar): BuiltBar[] {
    if (slot.openMs <= this.#lastSlotMs) return [];
    const span = spanAt(slot.openMs, this.#intervalMs, this.#calendar);
    if (span === null) return [];
    this.#lastSlotMs = slot.openMs;
    const closed: BuiltBar[] = [];
    if (this.#span !== null && this.#span.fromMs !== span.fromMs) closed.push(this.#finish(this.#span));
    if (this.#span === null) this.#begin(span, slot);
    else {
      this.#high = Math.max(this.#high, slot.high);
      this.#low = Math.min(this.#low, slot.low);
      this.#close = slot.close;
      this.#volume += slot.volume;
      this.#slots++;
    }
    if (slot.openMs + SLOT_MS >= span.toMs) closed.push(this.#finish(span));
    return closed;
  }

  /** The bar under way where its span has ended by `timeMs`, incomplete as it is; null where none is due. */
  overdue(timeMs: number): BuiltBar | null {
    return this.#span !== null && timeMs >= this.#span.toMs ? this.#finish(this.#span) : null;
  }

  #begin(span: BarSpan, { open, high, low, close, volume }: ClosedBar): void {
    this.#span = span;
    this.#slots = 1;
    this.#open = open;
    this.#high = high;
    this.#low = low;
    this.#close = close;
    this.#volume = volume;
  }

  #finish(span: BarSpan): BuiltBar {
    this.#span = null;
    return {
      span,
      bar: {
        openMs: span.stampMs,
        open: this.#open,
        high: this.#high,
        low: this.#low,
        close: this.#close,
        volume: this.#volume,
      },
      whole: this.#slots === Math.ceil((span.toMs - span.fromMs) / SLOT_MS),
    };
  }
}

/** On how much of each market day decisions were made, over all sessions together. */
import { calendarNamed } from '#env/market/calendar.js';
import { DAY_MS } from '#src/data/interval.js';
import { sessionDay } from '#src/data/segments.js';
import type { TraderConfig } from '#src/live/core/config.js';

/** Of a day's bars, so that it counts as a day: a minute a day for twenty days is no month on paper. */
const LEAST_SHARE = 0.5;

/** What counts of a `SessionRecord`. */
export interface DecidedSession {
  /** By symbol. */
  readonly decisions: ReadonlyMap<string, readonly { readonly barOpenMs: number }[]>;
  readonly config: Pick<TraderConfig, 'interval' | 'calendar'> & { readonly symbols: readonly unknown[] };
}

interface Day {
  /** "symbol bar" of every decision: two sessions that replay the same bar have seen one. */
  readonly made: Set<string>;
  readonly due: number;
}

export class DecidedBars {
  readonly #days = new Map<number, Day>();

  add({ decisions, config }: DecidedSession): void {
    const { interval } = config;
    const calendar = calendarNamed(config.calendar);
    const dueOn = (dayId: number): number => {
      if (interval.ms >= DAY_MS) return 1;
      const session = calendar.sessionOnDay(dayId);
      return session === null ? 1 : Math.ceil((session.closeMs - session.openMs) / interval.ms);
    };
    for (const [symbol, made] of decisions)
      for (const { barOpenMs } of made) {
        const dayId = sessionDay(calendar, interval, barOpenMs);
        const day = this.#days.get(dayId) ?? { made: new Set<string>(), due: dueOn(dayId) * config.symbols.length };
        day.made.add(`${symbol} ${barOpenMs}`);
        this.#days.set(dayId, day);
      }
  }

  /** Days since 1970-01-01 with decisions on less than half of their bars. */
  partDays(): number[] {
    return [...this.#days].filter(([, { made, due }]) => made.size < LEAST_SHARE * due).map(([dayId]) => dayId);
  }
}

/** The two clocks that events are stamped with: the market's, as the broker tells it, and the wall's, which never goes back. */
import type { TraderEvent, TraderNews } from '../core/events.js';

export interface RunnerClock {
  /** Epoch milliseconds of the wall. */
  nowMs(): number;
  /** Monotonic, of this process. */
  elapsedMs(): number;
}

export const SYSTEM_CLOCK: RunnerClock = { nowMs: () => Date.now(), elapsedMs: () => performance.now() };

const FIVE_SECONDS_MS = 5_000;

export class EventClock {
  readonly #clock: RunnerClock;
  /** Wall time at which this process began, never such that a journal's time would go back. */
  readonly #startMs: number;
  #marketMs: number;

  /** `marketMs`, `wallMs`: the last ones that the journal holds; 0 in a new one. */
  constructor(clock: RunnerClock, marketMs: number, wallMs: number) {
    this.#clock = clock;
    this.#marketMs = marketMs;
    this.#startMs = Math.max(clock.nowMs(), wallMs) - clock.elapsedMs();
  }

  get marketMs(): number {
    return this.#marketMs;
  }

  get wallMs(): number {
    return this.#startMs + this.#clock.elapsedMs();
  }

  get elapsedMs(): number {
    return this.#clock.elapsedMs();
  }

  /** The market has come at least so far. */
  passed(marketMs: number): void {
    this.#marketMs = Math.max(this.#marketMs, marketMs);
  }

  stamped(news: TraderNews): TraderEvent {
    if (news.type === 'fiveSecondBar') this.passed(news.bar.openMs + FIVE_SECONDS_MS);
    else if (news.type === 'execution') this.passed(news.report.marketMs);
    return { ...news, marketMs: this.#marketMs, wallMs: this.wallMs };
  }
}

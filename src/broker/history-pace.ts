/** How often history may be asked for: 50 requests at once, identical ones 15 s apart, of small bars 60 in 10 minutes. */

const SMALL_BAR_MS = 30_000;
const WINDOW_MS = 600_000;
const MOST_IN_WINDOW = 60;
const IDENTICAL_MS = 15_000;
const MOST_AT_ONCE = 50;
/** Six of one contract within two seconds are a violation too. */
const BURST_MS = 2_000;
const MOST_IN_BURST = 5;
/** What IBKR asks for after a violation. */
const AFTER_VIOLATION_MS = 15_000;

interface Asked {
  readonly atMs: number;
  readonly key: string;
  readonly symbol: string;
  readonly small: boolean;
}

export class HistoryPace {
  readonly #nowMs: () => number;
  #asked: Asked[] = [];
  #underWay = 0;
  #notBeforeMs = -Infinity;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** How long this request has to wait yet (ms, 0: it may leave). Infinity: until another one has been answered. */
  waitMs(key: string, symbol: string, barMs: number): number {
    const now = this.#nowMs();
    this.#asked = this.#asked.filter(({ atMs }) => now - atMs < WINDOW_MS);
    if (this.#underWay >= MOST_AT_ONCE) return Infinity;
    let earliestMs = this.#notBeforeMs;
    const same = this.#asked.findLast((one) => one.key === key);
    if (same !== undefined) earliestMs = Math.max(earliestMs, same.atMs + IDENTICAL_MS);
    const burst = this.#asked.filter((one) => one.symbol === symbol);
    if (burst.length >= MOST_IN_BURST)
      earliestMs = Math.max(earliestMs, burst[burst.length - MOST_IN_BURST].atMs + BURST_MS);
    if (barMs <= SMALL_BAR_MS) {
      const small = this.#asked.filter((one) => one.small);
      if (small.length >= MOST_IN_WINDOW)
        earliestMs = Math.max(earliestMs, small[small.length - MOST_IN_WINDOW].atMs + WINDOW_MS);
    }
    return Math.max(0, earliestMs - now);
  }

  began(key: string, symbol: string, barMs: number): void {
    this.#underWay++;
    this.#asked.push({ atMs: this.#nowMs(), key, symbol, small: barMs <= SMALL_BAR_MS });
  }

  ended(): void {
    this.#underWay--;
  }

  /** The gateway complained. */
  violated(): void {
    this.#notBeforeMs = this.#nowMs() + AFTER_VIOLATION_MS;
  }
}

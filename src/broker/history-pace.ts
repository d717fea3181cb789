/** How often history may be asked for: 50 requests at once, identical ones 15 s apart, of small bars 60 in 10 minutes. */

const SMALL_BAR_MS = 30_000;
const WINDOW_MS = 600_000;
const BURST_MS = 2_000;

export interface HistoryLimits {
  /** Requests for bars of 30 seconds or less in ten minutes. */
  readonly smallBarsInTenMinutes: number;
  /** Between identical requests, wall milliseconds. */
  readonly identicalMs: number;
  readonly atOnce: number;
  /** Requests for one contract within two seconds: the sixth is a violation. */
  readonly perContractInTwoSeconds: number;
  /** Silence after a violation, wall milliseconds. */
  readonly afterViolationMs: number;
}

/** As IBKR states them. */
export const IBKR_HISTORY_LIMITS: HistoryLimits = {
  smallBarsInTenMinutes: 60,
  identicalMs: 15_000,
  atOnce: 50,
  perContractInTwoSeconds: 5,
  afterViolationMs: 15_000,
};

interface Asked {
  readonly atMs: number;
  readonly key: string;
  readonly symbol: string;
  readonly small: boolean;
}

export class HistoryPace {
  readonly #limits: HistoryLimits;
  readonly #nowMs: () => number;
  #asked: Asked[] = [];
  #underWay = 0;
  #notBeforeMs = -Infinity;

  constructor(limits: HistoryLimits, nowMs: () => number) {
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  /** How long this request has to wait yet (ms, 0: it may leave). Infinity: until another one has been answered. */
  waitMs(key: string, symbol: string, barMs: number): number {
    const { smallBarsInTenMinutes, identicalMs, atOnce, perContractInTwoSeconds } = this.#limits;
    const now = this.#nowMs();
    this.#asked = this.#asked.filter(({ atMs }) => now - atMs < WINDOW_MS);
    if (this.#underWay >= atOnce) return Infinity;
    let earliestMs = this.#notBeforeMs;
    const same = this.#asked.findLast((one) => one.key === key);
    if (same !== undefined) earliestMs = Math.max(earliestMs, same.atMs + identicalMs);
    const burst = this.#asked.filter((one) => one.symbol === symbol);
    if (burst.length >= perContractInTwoSeconds)
      earliestMs = Math.max(earliestMs, burst[burst.length - perContractInTwoSeconds].atMs + BURST_MS);
    if (barMs <= SMALL_BAR_MS) {
      const small = this.#asked.filter((one) => one.small);
      if (small.length >= smallBarsInTenMinutes)
        earliestMs = Math.max(earliestMs, small[small.length - smallBarsInTenMinutes].atMs + WINDOW_MS);
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
    this.#notBeforeMs = this.#nowMs() + this.#limits.afterViolationMs;
  }
}

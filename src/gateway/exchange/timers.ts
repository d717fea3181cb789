/** What happens at a market time that no bar gives: expiries, late reports, faults that end. In order of time, then of setting. */
export class Timers {
  readonly #queue: { readonly timeMs: number; readonly run: () => void }[] = [];

  /** Runs once, at the first step at or after `timeMs`. */
  at(timeMs: number, run: () => void): void {
    let k = this.#queue.length;
    while (k > 0 && this.#queue[k - 1].timeMs > timeMs) k--;
    this.#queue.splice(k, 0, { timeMs, run });
  }

  /** Market time of the next; Infinity: none. */
  get nextMs(): number {
    return this.#queue.length === 0 ? Infinity : this.#queue[0].timeMs;
  }

  /** Runs all that are due at `nowMs`. */
  run(nowMs: number): void {
    while (this.#queue.length > 0 && this.#queue[0].timeMs <= nowMs) this.#queue.shift()?.run();
  }
}

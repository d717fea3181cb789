/** Moving windows over a ring buffer, summed anew in a fixed order, so that no bit depends on older history. */

/**
 * The last `period` values. Every value is written twice, `period` apart, so that the window always lies in
 * one piece, oldest first.
 */
export class MovingWindow {
  readonly period: number;
  readonly #ring: Float64Array;
  #next = 0;
  #count = 0;

  constructor(period: number) {
    this.period = period;
    this.#ring = new Float64Array(2 * period);
  }

  get full(): boolean {
    return this.#count === this.period;
  }

  push(value: number): void {
    this.#ring[this.#next] = value;
    this.#ring[this.#next + this.period] = value;
    this.#next = this.#next + 1 === this.period ? 0 : this.#next + 1;
    if (this.#count < this.period) this.#count++;
  }

  /**
   * Mean of a full window. Summed as differences from the newest value: equal values then have exactly
   * their own value as mean.
   */
  mean(): number {
    const ring = this.#ring;
    const start = this.#next;
    const end = start + this.period;
    const newest = ring[end - 1];
    let sum = 0;
    for (let i = start; i < end; i++) sum += ring[i] - newest;
    return newest + sum / this.period;
  }

  /** Population standard deviation of a full window about its mean (divisor: period, as Bollinger has it). */
  deviation(mean: number): number {
    const ring = this.#ring;
    const start = this.#next;
    const end = start + this.period;
    let sum = 0;
    for (let i = start; i < end; i++) {
      const difference = ring[i] - mean;
      sum += difference * difference;
    }
    return Math.sqrt(sum / this.period);
  }
}

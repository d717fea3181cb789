/** Numbers that are given out once. */
import { fail } from '#src/errors.js';

export class IdRange {
  readonly #what: string;
  readonly #last: number;
  #next: number;

  constructor(what: string, first: number, last: number) {
    this.#what = what;
    this.#next = first;
    this.#last = last;
  }

  /** The one that `next` will give. */
  get peek(): number {
    return this.#next;
  }

  /** Throws BROKER_STATE where the range is used up. */
  next(): number {
    if (this.#next > this.#last)
      fail('BROKER_STATE', {
        where: this.#what,
        value: this.#next,
        message: 'the range of ids is used up: reset the order id sequence in the gateway',
      });
    return this.#next++;
  }

  /**
   * Gives out nothing below this any more. Never goes back: the gateway's own counter does, after a restart. What is no
   * id of the range is passed over.
   */
  raise(least: number): void {
    if (Number.isInteger(least) && least <= this.#last + 1) this.#next = Math.max(this.#next, least);
  }
}

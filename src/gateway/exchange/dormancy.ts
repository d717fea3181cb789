/** Orders that wait for a time or for conditions, and those that conditions will cancel. */
import type { Desk } from './desk.js';
import type { Feed } from './feed.js';
import type { Matcher } from './matcher.js';
import type { OrderTerms } from './order-terms.js';
import type { WorkingOrder } from './working-order.js';

export class Dormancy {
  readonly #desk: Desk;
  readonly #matcher: Matcher;
  /** Live orders with terms that are not met yet, in the order of arrival. */
  readonly #waiting = new Map<WorkingOrder, OrderTerms>();
  /** Terms that an order came with last, whether or not they are met. */
  readonly #keys = new WeakMap<WorkingOrder, string>();

  constructor(desk: Desk, matcher: Matcher) {
    this.#desk = desk;
    this.#matcher = matcher;
  }

  /** Before the order is handed on. Terms that a change of the order leaves as they were stay met where they were. */
  set(working: WorkingOrder, terms: OrderTerms): void {
    if (this.#keys.get(working) === terms.key) return;
    this.#keys.set(working, terms.key);
    const { timers, nowMs } = this.#desk.world;
    const waits = terms.afterMs > nowMs || (terms.conditions !== null && (terms.cancels || !terms.conditions.areMet));
    working.dormant = waits && (terms.afterMs > nowMs || !terms.cancels);
    if (!waits) {
      this.#waiting.delete(working);
      return;
    }
    this.#waiting.set(working, terms);
    for (const timeMs of [terms.afterMs, ...(terms.conditions?.timesMs ?? [])])
      if (timeMs > nowMs) timers.at(timeMs, () => this.check());
  }

  /** Whether an order waits for what the feed's ticks say. */
  watches(feed: Feed): boolean {
    if (this.#waiting.size === 0) return false;
    for (const { conditions } of this.#waiting.values()) if (conditions?.watches(feed) === true) return true;
    return false;
  }

  /** Wakes the orders of which the time has come. */
  check(): void {
    if (this.#waiting.size === 0) return;
    for (const [working, { afterMs, conditions, cancels }] of this.#waiting) {
      if (working.isDone) this.#waiting.delete(working);
      else if (afterMs <= this.#desk.world.nowMs) this.#checkOne(working, conditions?.areMet ?? true, cancels);
    }
  }

  #checkOne(working: WorkingOrder, met: boolean, cancels: boolean): void {
    if (met) this.#waiting.delete(working);
    if (met && cancels) return this.#desk.cancel(working);
    if (!working.dormant || !(met || cancels)) return;
    working.dormant = false;
    if (!working.isWorking) return;
    this.#desk.refresh(working);
    this.#matcher.onGiven(working);
  }
}

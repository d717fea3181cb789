/** The five seconds under way of one feed, gathered tick by tick for those who watch. */
import type { Feed } from './feed.js';
import { addTick, GatheredBar, type Show } from './show.js';

export const WINDOW_MS = 5000;

export class Windows {
  readonly #bars = new Map<Show, GatheredBar>();
  readonly #isCash: boolean;
  /** End of the window under way; Infinity: no tick has fallen into one. */
  endMs = Infinity;

  constructor(feed: Feed) {
    this.#isCash = feed.bars.instrument.securityType === 'CASH';
  }

  /** The bar of a kind; gathered from the next window on. */
  bar(show: Show): GatheredBar {
    let bar = this.#bars.get(show);
    if (bar === undefined) {
      bar = new GatheredBar();
      this.#bars.set(show, bar);
    }
    return bar;
  }

  /** The feed's latest tick. */
  add(feed: Feed): void {
    const i = feed.ticked - 1;
    const startMs = Math.floor(feed.path.timeMs[i] / WINDOW_MS) * WINDOW_MS;
    if (this.endMs === Infinity) {
      this.endMs = startMs + WINDOW_MS;
      for (const bar of this.#bars.values()) bar.begin(startMs);
    }
    for (const [show, bar] of this.#bars) {
      // one that was asked for in the middle of a window begins with the next
      if (!Number.isNaN(bar.startMs)) addTick(bar, feed.path, i, show, this.#isCash);
    }
  }

  /** The window is over and told. */
  end(): void {
    this.endMs = Infinity;
  }
}

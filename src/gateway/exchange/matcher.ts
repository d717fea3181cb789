/** How orders become fills: along the tick path, or bar by bar as in the environment. */
import type { Feed } from './feed.js';
import type { WorkingOrder } from './working-order.js';

export interface Matcher {
  /** Whether orders meet single ticks. */
  readonly needsTicks: boolean;
  /** Bar `feed.bar` has begun; before its first tick. Returns whether anything was filled. */
  onBarOpen(feed: Feed): boolean;
  /** A tick has happened. */
  onTick(feed: Feed): void;
  /** Bar `feed.bar` is complete, all of its ticks have happened. */
  onBarClose(feed: Feed): void;
  /** An order is new in the market or was changed. */
  onGiven(working: WorkingOrder): void;
}

/**
 * What leaves for the gateway, in order of importance and below its limit of 50 messages a second: orders and cancels
 * never wait behind requests, since a part of every second is kept for them.
 */

export const PRIORITY = { order: 0, query: 1, subscription: 2, history: 3 } as const;
export type Priority = (typeof PRIORITY)[keyof typeof PRIORITY];

export interface Pace {
  /** In any second (wall clock). */
  readonly messagesPerSecond: number;
  /** Of these, kept for orders and cancels. */
  readonly keptForOrders: number;
}

/** IBKR allows 50. */
export const DEFAULT_PACE: Pace = { messagesPerSecond: 45, keptForOrders: 20 };

const WINDOW_MS = 1_000;

interface Waiting {
  readonly send: () => void;
  /** Told instead of `send` where the connection ends first. */
  readonly dropped: () => void;
}

export class SendQueue {
  readonly #pace: Pace;
  readonly #nowMs: () => number;
  readonly #waiting: Waiting[][] = [[], [], [], []];
  /** Times of the last messages, as a ring. */
  readonly #sentMs: Float64Array;
  #at = 0;
  #timer: NodeJS.Timeout | null = null;
  #pausedUntilMs = -Infinity;

  constructor(pace: Pace, nowMs: () => number) {
    this.#pace = pace;
    this.#nowMs = nowMs;
    this.#sentMs = new Float64Array(pace.messagesPerSecond).fill(-Infinity);
  }

  /** Sends now where the pace allows it, else as soon as it does. */
  push(priority: Priority, send: () => void, dropped: () => void): void {
    this.#waiting[priority].push({ send, dropped });
    if (this.#timer === null || priority === PRIORITY.order) this.#run();
  }

  /** The gateway complains: nothing but orders leaves for a while. */
  pause(durationMs: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#nowMs() + durationMs);
  }

  /** The connection is gone: nothing that waits is ever sent. */
  clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const dropped = this.#waiting.flatMap((level) => level.splice(0));
    for (const one of dropped) one.dropped();
  }

  #run(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const [priority, level] of this.#waiting.entries()) {
      while (level.length > 0) {
        const waitMs = this.#waitMs(priority);
        if (waitMs > 0) {
          this.#timer = setTimeout(() => this.#run(), Math.ceil(waitMs));
          return;
        }
        const next = level.shift();
        if (next === undefined) break;
        this.#sentMs[this.#at] = this.#nowMs();
        this.#at = (this.#at + 1) % this.#sentMs.length;
        next.send();
      }
    }
  }

  /** Until a message of this priority may leave. */
  #waitMs(priority: number): number {
    const { messagesPerSecond, keptForOrders } = this.#pace;
    const now = this.#nowMs();
    const most = priority === PRIORITY.order ? messagesPerSecond : messagesPerSecond - keptForOrders;
    // the message that was sent `most` messages ago has to be a second old
    const before = this.#sentMs[(this.#at - most + 2 * messagesPerSecond) % messagesPerSecond];
    const pausedMs = priority === PRIORITY.order ? 0 : this.#pausedUntilMs - now;
    return Math.max(before + WINDOW_MS - now, pausedMs, 0);
  }
}

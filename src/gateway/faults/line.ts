/**
 * The line from the gateway to one client: messages pass it in order, unless a fault stalls, silences, delays or
 * suppresses them. Delays are wall time.
 */
import type { RandomStream } from '#env/seeding.js';
import type { ServerMessage } from '../wire/responses.js';

/** What an outage keeps back. */
export type Suppressed = 'market_data' | 'broker';

export class Line {
  readonly #deliver: (message: ServerMessage) => void;
  readonly #random: RandomStream;
  readonly #suppressed = new Set<Suppressed>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #stalled: ServerMessage[] | null = null;
  #silent = false;
  #latency: { readonly delayMs: number; readonly jitterMs: number } | null = null;
  /** Messages on their way, in order: latency never lets one overtake another. */
  #travelling: { readonly message: ServerMessage; readonly dueMs: number }[] = [];
  #travelTimer: NodeJS.Timeout | null = null;

  constructor(deliver: (message: ServerMessage) => void, random: RandomStream) {
    this.#deliver = deliver;
    this.#random = random;
  }

  send(message: ServerMessage): void {
    if (this.#suppressed.size > 0 && this.#isSuppressed(message)) return;
    if (this.#silent) return;
    if (this.#stalled !== null) this.#stalled.push(message);
    else if (this.#latency !== null || this.#travelling.length > 0) this.#travel(message);
    else this.#deliver(message);
  }

  /** Delivers a message after a time, outside the order of the others. */
  later(message: ServerMessage, delayMs: number): void {
    this.#after(delayMs, () => this.send(message));
  }

  /** Holds everything for this long, then delivers it in order. */
  stall(durationMs: number, done: () => void): void {
    this.#stalled ??= [];
    this.#after(durationMs, () => {
      const held = this.#stalled ?? [];
      this.#stalled = null;
      for (const message of held) this.send(message);
      done();
    });
  }

  /** Loses everything for this long. */
  silence(durationMs: number): void {
    this.#silent = true;
    this.#after(durationMs, () => {
      this.#silent = false;
    });
  }

  latency(delayMs: number, jitterMs: number, durationMs: number): void {
    const latency = { delayMs, jitterMs };
    this.#latency = latency;
    this.#after(durationMs, () => {
      if (this.#latency === latency) this.#latency = null;
    });
  }

  suppress(what: Suppressed): void {
    this.#suppressed.add(what);
  }

  restore(what: Suppressed): void {
    this.#suppressed.delete(what);
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    if (this.#travelTimer !== null) clearTimeout(this.#travelTimer);
    this.#travelTimer = null;
    this.#travelling = [];
    this.#stalled = null;
  }

  #travel(message: ServerMessage): void {
    const { delayMs, jitterMs } = this.#latency ?? { delayMs: 0, jitterMs: 0 };
    const last = this.#travelling.at(-1)?.dueMs ?? 0;
    const dueMs = Math.max(last, performance.now() + delayMs + jitterMs * this.#random.uniform());
    this.#travelling.push({ message, dueMs });
    this.#scheduleTravel();
  }

  #scheduleTravel(): void {
    if (this.#travelTimer !== null || this.#travelling.length === 0) return;
    this.#travelTimer = setTimeout(
      () => {
        this.#travelTimer = null;
        const now = performance.now();
        while (this.#travelling.length > 0 && this.#travelling[0].dueMs <= now) {
          const arrived = this.#travelling.shift();
          if (arrived !== undefined) this.#deliver(arrived.message);
        }
        this.#scheduleTravel();
      },
      Math.max(0, this.#travelling[0].dueMs - performance.now()),
    );
  }

  #after(delayMs: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, delayMs);
    this.#timers.add(timer);
  }

  #isSuppressed(message: ServerMessage): boolean {
    switch (message.type) {
      case 'tickPrice':
      case 'tickSize':
      case 'tickGeneric':
      case 'tickString':
      case 'tickByTickLast':
      case 'tickByTickBidAsk':
      case 'tickByTickMidPoint':
      case 'realtimeBar':
      case 'historicalDataUpdate':
        return true;
      // the broker's side cannot be heard: what happens there is to be asked for again
      case 'orderStatus':
      case 'openOrder':
      case 'commissionReport':
      case 'portfolioValue':
      case 'accountValue':
      case 'pnl':
      case 'pnlSingle':
        return this.#suppressed.has('broker');
      case 'execDetails':
        return this.#suppressed.has('broker') && message.reqId === -1;
      default:
        return false;
    }
  }
}

/**
 * Lets market time pass: at a speed (market seconds a wall second), or as fast as clients read and runners
 * acknowledge. Hours without events (nights, weekends) are skipped.
 */
import type { Exchange, StepResult } from '../exchange-port.js';

export type Speed = number | 'max';

/** Market time without events that is longer than this passes at once. */
const SKIP_MS = 300_000;
/** The event loop gets its turn at least this often while the market runs (wall clock). */
const SLICE_MS = 8;
const LONGEST_SLEEP_MS = 250;

export interface PacerHost {
  /** A step has been done: boundaries, faults that are due. */
  stepped(result: StepResult): void;
  /** Whether the market must stand still for now: nobody is there, a client is slow, or a runner decides. */
  holds(): boolean;
  over(): void;
  /** After the replay: market time at which an outage ends; null: there is none. */
  pendingMs(): number | null;
  /** After the replay: the clock has gone on. */
  moved(): void;
}

export class Pacer {
  readonly #exchange: Exchange;
  readonly #host: PacerHost;
  #speed: Speed;
  #paused = false;
  #closed = false;
  #stepsLeft = Infinity;
  #scheduled: { cancel(): void } | null = null;
  #overSaid = false;
  /** Wall and market time that belong together. */
  #wallMs = performance.now();
  #marketMs: number;

  constructor(exchange: Exchange, speed: Speed, host: PacerHost) {
    this.#exchange = exchange;
    this.#host = host;
    this.#speed = speed;
    this.#marketMs = exchange.nowMs;
  }

  get speed(): Speed {
    return this.#speed;
  }

  get paused(): boolean {
    return this.#paused;
  }

  start(): void {
    this.#anchor();
    this.wake();
  }

  setSpeed(speed: Speed): void {
    this.syncClock();
    this.#speed = speed;
    this.#anchor();
    this.wake();
  }

  pause(): void {
    this.syncClock();
    this.#paused = true;
    this.#scheduled?.cancel();
    this.#scheduled = null;
  }

  resume(): void {
    this.#paused = false;
    this.#stepsLeft = Infinity;
    this.#anchor();
    this.wake();
  }

  /** Runs, as fast as it can, to the `count`th bar boundary from here, and pauses there. */
  stepBoundaries(count: number): void {
    this.#paused = false;
    this.#stepsLeft = count;
    this.wake();
  }

  close(): void {
    this.#closed = true;
    this.#scheduled?.cancel();
    this.#scheduled = null;
  }

  /** Something that held the market may have gone. */
  wake(): void {
    if (this.#closed || this.#paused || this.#scheduled !== null) return;
    const immediate = setImmediate(() => this.#run());
    this.#scheduled = { cancel: () => clearImmediate(immediate) };
  }

  /** Brings the exchange's clock to the moment (between events it stands still by itself). */
  syncClock(): void {
    if (this.#speed === 'max' || this.#paused || this.#stepsLeft !== Infinity) return;
    const next = this.#exchange.nextEventMs;
    const now = Math.min(this.#target(), next ?? Infinity);
    if (now > this.#exchange.nowMs) this.#exchange.advanceClock(now);
  }

  #target(): number {
    const speed = this.#speed === 'max' ? 0 : this.#speed;
    return this.#marketMs + (performance.now() - this.#wallMs) * speed;
  }

  #anchor(): void {
    this.#wallMs = performance.now();
    this.#marketMs = this.#exchange.nowMs;
  }

  #run(): void {
    this.#scheduled = null;
    if (this.#closed || this.#paused) return;
    const until = performance.now() + SLICE_MS;
    const fast = this.#speed === 'max' || this.#stepsLeft !== Infinity;
    for (;;) {
      const next = this.#exchange.nextEventMs;
      if (next === null) {
        if (!this.#overSaid) {
          this.#overSaid = true;
          this.#host.over();
        }
        // no boundary will come that a step could end at
        if (this.#stepsLeft !== Infinity) this.pause();
        else this.#goOn();
        return;
      }
      if (fast) {
        if (this.#host.holds()) return;
      } else {
        if (next - this.#exchange.nowMs > SKIP_MS && next - this.#target() > SKIP_MS) {
          this.#wallMs = performance.now();
          this.#marketMs = next;
        }
        const waitMs = this.#speed === 'max' ? 0 : (next - this.#target()) / this.#speed;
        if (waitMs > 0) {
          this.#sleep(Math.min(waitMs, LONGEST_SLEEP_MS));
          return;
        }
      }
      const result = this.#exchange.step();
      if (result.boundaryMs !== null && this.#stepsLeft !== Infinity) this.#stepsLeft--;
      this.#host.stepped(result);
      if (this.#stepsLeft === 0) {
        this.pause();
        return;
      }
      if (this.#closed || this.#paused) return;
      if (performance.now() >= until) {
        this.wake();
        return;
      }
    }
  }

  /** The clock goes on for clients that stay: an outage that nothing ends would part them from their orders for good. */
  #goOn(): void {
    if (this.#speed === 'max') {
      const pendingMs = this.#host.pendingMs();
      if (pendingMs === null) return;
      this.#exchange.advanceClock(Math.max(pendingMs, this.#exchange.nowMs));
      this.#host.moved();
      this.wake();
      return;
    }
    this.syncClock();
    this.#host.moved();
    this.#sleep(LONGEST_SLEEP_MS);
  }

  #sleep(waitMs: number): void {
    const timer = setTimeout(
      () => {
        this.#scheduled = null;
        this.#run();
      },
      Math.max(1, waitMs),
    );
    this.#scheduled = { cancel: () => clearTimeout(timer) };
  }
}

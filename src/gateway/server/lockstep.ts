/**
 * Lockstep: at a bar boundary the market waits until every registered runner has acknowledged it. A runner registers
 * over the control channel, hears of a boundary there, reads what its socket brought, decides, sends its orders, and
 * acknowledges. (The socket and the control channel are two lines: a runner makes sure that its orders have arrived
 * by a reqCurrentTime and its answer before it acknowledges.)
 */
import { fail } from '#src/errors.js';

export interface Boundary {
  /** Market time, epoch milliseconds. */
  readonly timeMs: number;
  /** Bars close here, or orders have filled at the open of bars that begin here. */
  readonly kind: 'close' | 'open_fills';
}

interface Runner {
  readonly name: string;
  /** Number of the last boundary that it acknowledged. */
  acknowledged: number;
}

export class Lockstep {
  readonly #runners = new Map<string, Runner>();
  readonly #waiting = new Set<() => void>();
  readonly #released: () => void;
  #number = 0;
  #boundary: Boundary | null = null;
  #over = false;

  /** `released`: every runner has acknowledged; the market may go on. */
  constructor(released: () => void) {
    this.#released = released;
  }

  get runners(): readonly string[] {
    return [...this.#runners.keys()];
  }

  /** Whether the market has to stand still. */
  get holds(): boolean {
    return this.#boundary !== null && this.#missing().length > 0;
  }

  get current(): { readonly number: number; readonly boundary: Boundary | null; readonly missing: readonly string[] } {
    return { number: this.#number, boundary: this.#boundary, missing: this.#missing() };
  }

  /** Throws GATEWAY_STATE where the name is taken. */
  register(name: string): void {
    if (this.#runners.has(name))
      fail('GATEWAY_STATE', { where: 'lockstep', value: name, message: 'a runner of this name is registered already' });
    this.#runners.set(name, { name, acknowledged: this.#number });
  }

  leave(name: string): void {
    this.#runners.delete(name);
    this.#check();
  }

  /** The market has come to a boundary. */
  reach(boundary: Boundary): void {
    this.#number++;
    this.#boundary = boundary;
    this.#wake();
  }

  /** The replay is over: nobody waits for a boundary any longer. */
  end(): void {
    this.#over = true;
    this.#wake();
  }

  /** Throws GATEWAY_STATE for a runner that is not registered or a boundary that has not come. */
  acknowledge(name: string, number: number): void {
    const runner = this.#runner(name);
    if (!(Number.isInteger(number) && number >= 1 && number <= this.#number))
      fail('GATEWAY_STATE', {
        where: 'lockstep',
        value: number,
        message: `the boundary to acknowledge is ${this.#number}`,
      });
    runner.acknowledged = Math.max(runner.acknowledged, number);
    this.#check();
  }

  /**
   * The boundary after number `after`, as soon as it is there; null where `timeoutMs` (wall) passes or the replay ends.
   */
  async next(after: number, timeoutMs: number): Promise<{ number: number; boundary: Boundary; over: boolean } | null> {
    const deadline = performance.now() + timeoutMs;
    while (this.#number <= after && !this.#over) {
      const left = deadline - performance.now();
      if (left <= 0) return null;
      await this.#change(left);
    }
    if (this.#boundary === null || this.#number <= after) return null;
    return { number: this.#number, boundary: this.#boundary, over: this.#over };
  }

  get over(): boolean {
    return this.#over;
  }

  #runner(name: string): Runner {
    return (
      this.#runners.get(name) ??
      fail('GATEWAY_STATE', { where: 'lockstep', value: name, message: 'there is no such runner: register it first' })
    );
  }

  #missing(): readonly string[] {
    return [...this.#runners.values()]
      .filter(({ acknowledged }) => acknowledged < this.#number)
      .map(({ name }) => name);
  }

  #check(): void {
    if (this.#boundary !== null && this.#missing().length === 0) this.#released();
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    for (const wake of waiting) wake();
  }

  #change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#waiting.add(done);
    });
  }
}

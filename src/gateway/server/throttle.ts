/** Lets bytes through at a limited rate (wall clock), in order: how a slow reader looks from the gateway. */

const TICK_MS = 20;

export class Throttle {
  readonly #deliver: (bytes: Buffer) => void;
  #bytesPerSecond: number | null = null;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(deliver: (bytes: Buffer) => void) {
    this.#deliver = deliver;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  write(bytes: Buffer): void {
    if (this.#bytesPerSecond === null && this.#heldBytes === 0) {
      this.#deliver(bytes);
      return;
    }
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
  }

  /** null: no limit (what was held goes out); 0: nothing goes out. */
  limit(bytesPerSecond: number | null): void {
    this.#bytesPerSecond = bytesPerSecond;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    if (bytesPerSecond === null) this.#release(Infinity);
    else if (bytesPerSecond > 0) {
      this.#timer = setInterval(() => this.#release((bytesPerSecond * TICK_MS) / 1000), TICK_MS);
      this.#timer.unref();
    }
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#held = [];
    this.#heldBytes = 0;
  }

  #release(bytes: number): void {
    let left = Math.max(1, Math.floor(bytes));
    while (this.#held.length > 0 && left > 0) {
      const [first] = this.#held;
      if (first.length <= left) this.#held.shift();
      else this.#held[0] = first.subarray(left);
      const part = first.length <= left ? first : first.subarray(0, left);
      this.#heldBytes -= part.length;
      left -= part.length;
      this.#deliver(part);
    }
  }
}

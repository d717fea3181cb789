/**
 * Garbage collected while nothing waits, so that V8 does not begin with it between a bar and its order: a full
 * collection of a runner's heap takes 6 to 9 ms, and came every few bars.
 */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Less new garbage than this is not worth a collection. */
const WORTH_BYTES = 2_000_000;
/** The last part of a bar's time is left alone: its close may come at any moment. */
const QUIET_UNTIL = 0.8;

export class IdleCollection {
  readonly #collect: () => void;
  #leftBytes = 0;

  constructor() {
    setFlagsFromString('--expose-gc');
    const collect: unknown = runInNewContext('gc');
    this.#collect = typeof collect === 'function' ? () => void collect() : () => undefined;
  }

  /** To be called when nothing is on its way. */
  rest(marketMs: number, barMs: number): void {
    if ((marketMs % barMs) / barMs > QUIET_UNTIL) return;
    if (getHeapStatistics().used_heap_size - this.#leftBytes < WORTH_BYTES) return;
    this.#collect();
    this.#leftBytes = getHeapStatistics().used_heap_size;
  }
}

/** A client after START_API: what the exchange sends passes the faults and the line to its connection. */
import type { RandomStream } from '#env/seeding.js';
import { Line } from '../faults/line.js';
import { MessageFaults, type ArmedFault } from '../faults/message-faults.js';
import type { ExchangeClient } from '../exchange-port.js';
import type { ServerMessage } from '../wire/responses.js';
import type { Connection } from './connection.js';
import { HistoryPacing } from './history-pacing.js';

/** A client may say so much in a second (wall clock); the real gateway answers more with error 100. */
const WINDOW_MS = 1_000;

export class Session implements ExchangeClient {
  readonly clientId: number;
  readonly connection: Connection;
  readonly line: Line;
  readonly historyPacing = new HistoryPacing();
  readonly #faults: MessageFaults;
  readonly #passing: ((message: ServerMessage, session: Session, phase: 'before' | 'after') => void) | null;
  /** Times of the last requests, as a ring; empty: they are not counted. */
  readonly #requestTimes: Float64Array;
  #requestAt = 0;
  #ended = false;

  constructor(
    connection: Connection,
    clientId: number,
    armed: ArmedFault[],
    random: RandomStream,
    mostRequestsPerSecond: number | null,
    passing: ((message: ServerMessage, session: Session, phase: 'before' | 'after') => void) | null,
  ) {
    this.clientId = clientId;
    this.connection = connection;
    this.#requestTimes = new Float64Array(mostRequestsPerSecond ?? 0).fill(-Infinity);
    this.#passing = passing;
    this.line = new Line((message) => connection.send(message), random);
    this.#faults = new MessageFaults(
      armed,
      random,
      (message) => this.line.send(message),
      (message, delayMs) => this.line.later(message, delayMs),
    );
  }

  send(message: ServerMessage): void {
    if (this.#ended) return;
    this.#passing?.(message, this, 'before');
    this.#faults.send(message);
    this.#passing?.(message, this, 'after');
  }

  /** Notices of the gateway itself: they pass the line, not the faults of the broker's messages. */
  notice(code: number, message: string): void {
    if (!this.#ended) this.line.send({ type: 'error', id: -1, code, message });
  }

  /** Counts a request; false where it is one too many in this second. */
  countRequest(): boolean {
    if (this.#requestTimes.length === 0) return true;
    const now = performance.now();
    const oldest = this.#requestTimes[this.#requestAt];
    if (now - oldest < WINDOW_MS) return false;
    this.#requestTimes[this.#requestAt] = now;
    this.#requestAt = (this.#requestAt + 1) % this.#requestTimes.length;
    return true;
  }

  end(): void {
    this.#ended = true;
    this.line.close();
  }
}

/** One client's TCP connection: hello, framing, parsing, and the line on which messages go out. */
import type { Socket } from 'node:net';
import { encodeMessage } from '../wire/encode.js';
import { FieldError } from '../wire/fields.js';
import { FrameError, FrameReader, FrameWriter, parseHello } from '../wire/framing.js';
import { knowsMessage, parseRequest } from '../wire/parse.js';
import type { ClientRequest } from '../wire/requests.js';
import type { ServerMessage } from '../wire/responses.js';
import { MIN_SERVER_VERSION } from '../wire/versions.js';
import { Throttle } from './throttle.js';

/** A hello and START_API have to come within this time (wall clock). */
const HANDSHAKE_TIMEOUT_MS = 30_000;
/** More than this waiting to be read: maximum speed pauses. */
export const CONGESTED_BYTES = 0x40000;
/** More than this waiting: in real time the client has `SLOW_READER_GRACE_MS` to take it, or is dropped. */
const SLOW_READER_BYTES = 0x400000;
const SLOW_READER_GRACE_MS = 5_000;
/** Nobody may make the gateway hold more than this. */
const MAX_PENDING_BYTES = 0x8000000;
/** A burst that has grown so far is handed to the socket at once. */
const FLUSH_BYTES = 0x10000;

const ERROR_READING_REQUEST = 320;
const UNKNOWN_MESSAGE = 505;

export interface ConnectionEvents {
  /** A request that was understood, START_API included. */
  request(connection: Connection, request: ClientRequest): void;
  /** The socket has gone; nothing is said after this. */
  closed(connection: Connection, reason: string): void;
  /** Bytes that waited have been taken. */
  drained(): void;
  /** Whether a slow reader may hold up the market (maximum speed) or is dropped. */
  mayWait(): boolean;
  /** Text of the moment for the hello's reply: market time. */
  connectionTime(): string;
}

export class Connection {
  readonly remote: string;
  /** Negotiated server version; 0 before the hello. */
  version = 0;
  /** Set by START_API. */
  clientId: number | null = null;
  /** Requests that arrived, for the control channel. */
  requestsRead = 0;
  messagesSent = 0;

  readonly #socket: Socket;
  readonly #events: ConnectionEvents;
  readonly #versionCap: number;
  readonly #reader = new FrameReader();
  readonly #writer = new FrameWriter();
  readonly #throttle: Throttle;
  #flushAsked = false;
  #open = true;
  #reason = 'closed by the client';
  #handshakeTimer: NodeJS.Timeout | null;
  #slowTimer: NodeJS.Timeout | null = null;

  constructor(socket: Socket, versionCap: number, events: ConnectionEvents) {
    this.#socket = socket;
    this.#events = events;
    this.#versionCap = versionCap;
    this.remote = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`;
    this.#throttle = new Throttle((bytes) => this.#toSocket(bytes));
    socket.setNoDelay(true);
    this.#handshakeTimer = setTimeout(
      () => this.close(`no START_API within ${HANDSHAKE_TIMEOUT_MS / 1000} s`),
      HANDSHAKE_TIMEOUT_MS,
    );
    this.#handshakeTimer.unref();
    socket.on('data', (packet) => this.#received(packet));
    socket.on('drain', () => this.#drained());
    socket.on('end', () => this.close('closed by the client'));
    // a reset by the client is an end like another; 'close' follows
    socket.on('error', (error) => {
      this.#reason = `the line broke: ${error.message}`;
    });
    socket.on('close', () => {
      this.#open = false;
      this.#stopTimers();
      this.#events.closed(this, this.#reason);
    });
  }

  get open(): boolean {
    return this.#open;
  }

  /** Bytes that the client has not taken yet. */
  get pendingBytes(): number {
    return this.#socket.writableLength + this.#writer.length + this.#throttle.heldBytes;
  }

  /** Puts a message on the line. What is said in one turn of the event loop goes out as one write. */
  send(message: ServerMessage): void {
    if (!this.#open) return;
    this.messagesSent++;
    this.#writer.push(encodeMessage(message, this.version));
    if (this.#writer.length >= FLUSH_BYTES) this.flush();
    else if (!this.#flushAsked) {
      this.#flushAsked = true;
      queueMicrotask(() => this.flush());
    }
  }

  flush(): void {
    this.#flushAsked = false;
    if (!this.#open || this.#writer.length === 0) return;
    this.#throttle.write(this.#writer.take());
    this.#watchPending();
  }

  /** START_API has come: the handshake is over. */
  started(clientId: number): void {
    this.clientId = clientId;
    if (this.#handshakeTimer !== null) clearTimeout(this.#handshakeTimer);
    this.#handshakeTimer = null;
  }

  /** Says what is still to be said, then ends the connection. */
  close(reason: string): void {
    if (!this.#open) return;
    this.flush();
    this.#open = false;
    this.#reason = reason;
    this.#stopTimers();
    this.#socket.end();
    // a client that never closes its half does not hold ours
    const timer = setTimeout(() => this.#socket.destroy(), 1_000);
    timer.unref();
    this.#socket.once('close', () => clearTimeout(timer));
  }

  /** Ends it with a TCP reset: what waits is lost. */
  reset(reason: string): void {
    this.#open = false;
    this.#reason = reason;
    this.#stopTimers();
    this.#socket.resetAndDestroy();
  }

  stopReading(): void {
    this.#socket.pause();
  }

  readOn(): void {
    if (this.#open) this.#socket.resume();
  }

  /** From now on nothing is read and nothing written, and the socket stays open: a half-open connection. */
  freeze(): void {
    this.#socket.pause();
    this.#throttle.limit(0);
  }

  /** Writes at most this many bytes a second (as if the client read slowly); null: no limit. */
  limitRate(bytesPerSecond: number | null): void {
    this.#throttle.limit(bytesPerSecond);
  }

  #toSocket(bytes: Buffer): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }

  #received(packet: Buffer): void {
    try {
      for (const part of this.#reader.push(packet)) {
        if (!this.#open) return;
        if ('hello' in part) this.#hello(part.hello);
        else this.#message(part.fields);
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.close(`malformed frame: ${error.message}`);
    }
  }

  #hello(text: string): void {
    const { min, max } = parseHello(text);
    const version = Math.min(max, this.#versionCap);
    if (min > this.#versionCap || version < MIN_SERVER_VERSION) {
      this.close(`no common version: the client speaks ${min} to ${max}`);
      return;
    }
    this.version = version;
    this.#writer.push(`${version}\0${this.#events.connectionTime()}\0`);
    this.flush();
  }

  #message(fields: readonly string[]): void {
    const [first] = fields;
    if (!/^\d{1,9}$/.test(first)) throw new FrameError('a message without a number at its head');
    const id = Number(first);
    if (!knowsMessage(id)) {
      this.send({ type: 'error', id: -1, code: UNKNOWN_MESSAGE, message: `Fatal Error: Unknown message id. (${id})` });
      return;
    }
    let request: ClientRequest;
    try {
      request = parseRequest(fields, this.version);
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      const message = `Error reading request. ${error.message} (message ${id}, server version ${this.version})`;
      this.send({ type: 'error', id: guessId(fields, this.version), code: ERROR_READING_REQUEST, message });
      return;
    }
    this.requestsRead++;
    this.#events.request(this, request);
  }

  #watchPending(): void {
    const pending = this.pendingBytes;
    if (pending > MAX_PENDING_BYTES) {
      this.reset(`slow reader: ${pending} bytes wait`);
    } else if (pending > SLOW_READER_BYTES && this.#slowTimer === null && !this.#events.mayWait()) {
      this.#slowTimer = setTimeout(() => {
        this.#slowTimer = null;
        if (this.#open && this.pendingBytes > SLOW_READER_BYTES && !this.#events.mayWait())
          this.reset(`slow reader: ${this.pendingBytes} bytes wait`);
      }, SLOW_READER_GRACE_MS);
      this.#slowTimer.unref();
    }
  }

  #drained(): void {
    if (this.#slowTimer !== null && this.pendingBytes < SLOW_READER_BYTES) {
      clearTimeout(this.#slowTimer);
      this.#slowTimer = null;
    }
    this.#events.drained();
  }

  #stopTimers(): void {
    if (this.#handshakeTimer !== null) clearTimeout(this.#handshakeTimer);
    if (this.#slowTimer !== null) clearTimeout(this.#slowTimer);
    this.#handshakeTimer = null;
    this.#slowTimer = null;
    this.#throttle.stop();
  }
}

/** The request or order that a message which could not be read speaks of, as far as its head tells; -1: none. */
function guessId(fields: readonly string[], version: number): number {
  const id = Number(fields[0]);
  // no version field before the id: placeOrder, historicalData, and most messages from 78 on
  const bare = id === 3 || id === 20 || id === 22 || id >= 78 || (id === 4 && version >= 192);
  const text = fields[bare ? 1 : 2];
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : -1;
}

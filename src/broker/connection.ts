/**
 * One connection: opened once, given up once, never used again. It is up when the handshake is done and accounts and
 * the first order id are in; it watches that bytes keep coming.
 */
import { EventName, type IBApi } from '@stoqey/ib';
import { sessionEffect } from './codes.js';
import { PRIORITY, SendQueue, type Priority } from './send-queue.js';
import type { Settings } from './options.js';
import { stoqeyConnection, type StoqeyConnection } from './stoqey.js';

export interface ConnectionUp {
  readonly accounts: readonly string[];
  readonly nextValidId: number;
  readonly serverVersion: number;
}

export interface ConnectionListener {
  up(facts: ConnectionUp): void;
  /** An error or notice; `id` -1: it names no request. */
  error(id: number, code: number, text: string): void;
  /** It is over. `code`: what the gateway said before it was up, if that explains it. */
  ended(reason: string, code: number | null): void;
  /** Something of ours failed at a message. */
  fault(what: string, error: unknown): void;
}

const CHECK_EVERY_MS = 250;
const ERR_MSG = '4';

export class Connection {
  readonly #settings: Settings;
  readonly #listener: ConnectionListener;
  readonly #wire: StoqeyConnection;
  readonly #queue: SendQueue;
  readonly #check: NodeJS.Timeout;
  #state: 'starting' | 'up' | 'ended' = 'starting';
  #accounts: readonly string[] | null = null;
  #nextValidId: number | null = null;
  #serverVersion = 0;
  #sent = 0;
  #explanation: { readonly code: number; readonly text: string } | null = null;
  /** Wall time that we lived through since the last byte: while this process sleeps, nobody counts. */
  #silentMs = 0;
  #startingMs = 0;
  #checkedMs: number;
  #askedForTime = false;

  constructor(settings: Settings, listener: ConnectionListener) {
    this.#settings = settings;
    this.#listener = listener;
    this.#queue = new SendQueue(settings.pace, () => settings.clock.nowMs());
    this.#checkedMs = settings.clock.nowMs();
    this.#wire = stoqeyConnection(settings, {
      bytes: () => {
        this.#silentMs = 0;
        this.#askedForTime = false;
      },
      malformed: (reason) => this.abandon(`the gateway does not speak the TWS protocol: ${reason}`),
      // not sooner: the library lets commands through once all listeners of nextValidId have been called
      handled: this.guard('start', () => this.#start()),
      undecodable: (fields, error) => this.#undecodable(fields, error),
      closed: () => this.#end('the gateway closed the connection'),
    });
    this.#listen(this.#wire.api);
    this.#check = setInterval(() => this.#watch(), CHECK_EVERY_MS);
    this.#wire.connect();
  }

  get isUp(): boolean {
    return this.#state === 'up';
  }

  /** Registers a guarded listener: an exception of ours is reported, and the connection goes on. */
  guard<Args extends readonly unknown[]>(what: string, handle: (...args: Args) => void): (...args: Args) => void {
    return (...args) => {
      if (this.#state === 'ended') return;
      try {
        handle(...args);
      } catch (error) {
        this.#listener.fault(what, error);
      }
    };
  }

  get api(): IBApi {
    return this.#wire.api;
  }

  /**
   * Sends when the pace allows it: at once, or `dropped` is told where the connection ends first. Only while it is up.
   */
  send(priority: Priority, call: (api: IBApi) => void, dropped: () => void = () => undefined): void {
    if (this.#state !== 'up') {
      dropped();
      return;
    }
    this.#queue.push(
      priority,
      () => {
        const before = this.#sent;
        try {
          call(this.#wire.api);
        } catch (error) {
          // the library's queue is wedged after an exception in its encoder
          this.#listener.fault('send', error);
          this.abandon('the library failed to encode a message');
          return;
        }
        if (this.#sent === before) this.abandon('the library kept a message back');
      },
      dropped,
    );
  }

  /** The gateway says that there were too many messages. */
  slowDown(): void {
    this.#queue.pause(1_000);
  }

  /** Gives it up with a reset. What the gateway has read already may still be carried out. */
  abandon(reason: string): void {
    if (this.#state === 'ended') return;
    this.#wire.reset();
    this.#end(reason);
  }

  /** Ends in good order: what is written is delivered. */
  async close(): Promise<void> {
    if (this.#state === 'ended') return;
    this.#end('closed');
    await this.#wire.end();
  }

  #listen(api: IBApi): void {
    api.on(EventName.sent, () => {
      this.#sent++;
    });
    api.on(
      EventName.server,
      this.guard('server', (version: number) => {
        this.#serverVersion = version;
      }),
    );
    api.on(
      EventName.managedAccounts,
      this.guard('managedAccounts', (list: string) => {
        this.#accounts = list.split(',').filter((account) => account !== '');
      }),
    );
    api.on(
      EventName.nextValidId,
      this.guard('nextValidId', (id: number) => {
        this.#nextValidId = id;
      }),
    );
    api.on(
      EventName.info,
      this.guard('info', (text: string, code: number) => this.#error(-1, code, text)),
    );
    api.on(
      EventName.error,
      this.guard('error', (error: Error, code: number, id: number, advanced?: unknown) =>
        this.#error(id, code, advanced === undefined ? error.message : `${error.message} ${JSON.stringify(advanced)}`),
      ),
    );
  }

  #start(): void {
    if (this.#state !== 'starting' || this.#accounts === null || this.#nextValidId === null) return;
    this.#state = 'up';
    this.#listener.up({
      accounts: this.#accounts,
      nextValidId: this.#nextValidId,
      serverVersion: this.#serverVersion,
    });
  }

  #error(id: number, code: number, text: string): void {
    if (id === -1 && this.#state === 'starting' && sessionEffect(code, text) !== 'information')
      this.#explanation = { code, text };
    this.#listener.error(id, code, text);
  }

  /** The library's decoder failed. A rejection must not be lost because its JSON is malformed. */
  #undecodable(fields: readonly string[], error: unknown): void {
    if (this.#state === 'ended') return;
    const [type, version, id, code, text] = fields;
    if (type === ERR_MSG && version === '2' && Number.isInteger(Number(id)) && Number.isInteger(Number(code)))
      this.#error(Number(id), Number(code), text);
    else this.#listener.fault(`message ${type}`, error);
  }

  #watch(): void {
    const nowMs = this.#settings.clock.nowMs();
    // a process that was suspended finds the bytes of the meantime in its socket: they are read first
    const livedMs = Math.min(nowMs - this.#checkedMs, 4 * CHECK_EVERY_MS);
    this.#checkedMs = nowMs;
    this.#silentMs += livedMs;
    const { handshakeTimeoutMs, heartbeatMs, heartbeatDeadlineMs } = this.#settings;
    if (this.#state === 'starting') {
      this.#startingMs += livedMs;
      if (this.#startingMs >= handshakeTimeoutMs) this.abandon(`no handshake within ${handshakeTimeoutMs} ms`);
      return;
    }
    if (this.#silentMs >= heartbeatMs + heartbeatDeadlineMs) {
      this.abandon(`silent for ${Math.round(this.#silentMs)} ms`);
    } else if (this.#silentMs >= heartbeatMs && !this.#askedForTime) {
      this.#askedForTime = true;
      this.send(PRIORITY.query, (api) => api.reqCurrentTime());
    }
  }

  #end(reason: string): void {
    if (this.#state === 'ended') return;
    const wasUp = this.#state === 'up';
    this.#state = 'ended';
    clearInterval(this.#check);
    this.#queue.clear();
    const told = wasUp || this.#explanation === null ? null : this.#explanation;
    this.#listener.ended(told === null ? reason : `${reason}: ${told.text}`, told?.code ?? null);
  }
}

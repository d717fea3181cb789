/** The gateway's socket side: listens, lets clients in, hands their requests to the exchange. */
import { createServer, type Server, type Socket } from 'node:net';
import { RandomStream } from '#env/seeding.js';
import { fail } from '#src/errors.js';
import type { ArmedFault } from '../faults/message-faults.js';
import { isMessageFault } from '../faults/message-faults.js';
import type { FaultPlan } from '../faults/plan.js';
import type { Fault } from '../faults/schema.js';
import type { Exchange } from '../exchange-port.js';
import type { ClientRequest, ExchangeRequest, SessionRequest } from '../wire/requests.js';
import type { ServerMessage } from '../wire/responses.js';
import { CONGESTED_BYTES, Connection } from './connection.js';
import { Outages } from './outages.js';
import { NOTICE } from './notices.js';
import { answerSessionRequest, CODE, error } from './session-requests.js';
import { Session } from './session.js';
import { scan } from './scanner.js';
import { isExchangeRequest } from './request-kinds.js';
import { toExchangeFault } from './exchange-faults.js';

export const HOST = '127.0.0.1';

export interface ServerOptions {
  readonly port: number;
  /** Highest protocol version offered. */
  readonly versionCap: number;
  readonly seed: number;
  /** A client's requests a second (wall clock), beyond which error 100 answers; null: no limit. */
  readonly requestsPerSecond: number | null;
  /** What is replayed. */
  readonly symbols: readonly string[];
}

export interface ServerHost {
  /** Before a request: market time is brought up to the moment. */
  syncClock(): void;
  /** Something that held the market may have gone. */
  wake(): void;
  /** Maximum speed: slow readers hold up the market, and no one counts requests a second. */
  fast(): boolean;
  log(message: string): void;
}

export interface FaultRecord {
  readonly timeMs: number;
  readonly fault: Fault;
}

const FORGET_FAULTS_AFTER = 10_000;

export class GatewayServer {
  readonly #exchange: Exchange;
  readonly #plan: FaultPlan;
  readonly #options: ServerOptions;
  readonly #host: ServerHost;
  readonly #connections = new Set<Connection>();
  readonly #sessions = new Map<number, Session>();
  readonly #armed: ArmedFault[] = [];
  readonly #outages: Outages;
  readonly #records: FaultRecord[] = [];
  readonly #restartTimers = new Set<NodeJS.Timeout>();
  #server: Server;
  #port = 0;
  #everStarted = false;
  #closing = false;

  constructor(exchange: Exchange, plan: FaultPlan, options: ServerOptions, host: ServerHost) {
    this.#exchange = exchange;
    this.#plan = plan;
    this.#options = options;
    this.#host = host;
    this.#outages = new Outages(exchange, () => this.#sessions.values());
    this.#server = this.#makeServer();
  }

  get port(): number {
    return this.#port;
  }

  /** Clients that have started their session. */
  get clients(): readonly { clientId: number; version: number; remote: string; pendingBytes: number; sent: number }[] {
    return [...this.#sessions.values()].map(({ clientId, connection }) => ({
      clientId,
      version: connection.version,
      remote: connection.remote,
      pendingBytes: connection.pendingBytes,
      sent: connection.messagesSent,
    }));
  }

  get openConnections(): number {
    return this.#connections.size;
  }

  /** Whether any client has ever started a session, and whether one is there now. */
  get everStarted(): boolean {
    return this.#everStarted;
  }

  get hasClients(): boolean {
    return this.#sessions.size > 0;
  }

  /** Whether some client has too much to read for the market to go on at maximum speed. */
  get congested(): boolean {
    for (const { connection } of this.#sessions.values())
      if (connection.open && connection.pendingBytes > CONGESTED_BYTES) return true;
    return false;
  }

  get faults(): { readonly armed: readonly ArmedFault[]; readonly done: readonly FaultRecord[] } {
    return { armed: this.#armed, done: this.#records };
  }

  /** Market time at which the next of the outages ends; null: there is none. */
  get nextOutageEndMs(): number | null {
    return this.#outages.nextEndMs;
  }

  /** Throws GATEWAY_OPTIONS where the port cannot be had. */
  async listen(): Promise<void> {
    await this.#listen(this.#options.port);
  }

  async close(): Promise<void> {
    this.#closing = true;
    for (const timer of this.#restartTimers) clearTimeout(timer);
    for (const session of this.#sessions.values()) session.end();
    for (const connection of this.#connections) connection.close('the gateway closes');
    if (this.#server.listening) await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** After a step of the market: outages end, faults that are due happen. */
  stepped(): void {
    this.#outages.stepped();
    for (const fault of this.#plan.due(this.#exchange.nowMs)) this.inject(fault);
  }

  /** Throws GATEWAY_FAULT where the fault makes no sense here. */
  inject(fault: Fault): void {
    this.#records.push({ timeMs: this.#exchange.nowMs, fault });
    if (this.#records.length > FORGET_FAULTS_AFTER) this.#records.shift();
    if (isMessageFault(fault)) {
      this.#armed.push({ fault, left: fault.count });
      return;
    }
    switch (fault.kind) {
      case 'disconnect':
        for (const session of this.#targets(fault.client_id)) this.#disconnect(session, fault.how, fault.release);
        return;
      case 'stall':
        for (const session of this.#targets(fault.client_id)) {
          session.connection.stopReading();
          session.line.stall(fault.duration, () => session.connection.readOn());
        }
        return;
      case 'silence':
        for (const session of this.#targets(fault.client_id)) session.line.silence(fault.duration);
        return;
      case 'latency':
        for (const session of this.#targets(fault.client_id))
          session.line.latency(fault.delay, fault.jitter, fault.duration);
        return;
      case 'slow_reader':
        for (const session of this.#targets(fault.client_id)) {
          session.connection.limitRate(fault.bytes_per_second);
          const timer = setTimeout(() => session.connection.limitRate(null), fault.duration);
          timer.unref();
        }
        return;
      case 'notice':
        for (const session of this.#targets(fault.client_id)) session.notice(fault.code, fault.message);
        return;
      case 'restart':
        this.#restart(fault.down, fault.next_valid_id);
        return;
      case 'connectivity_lost':
      case 'farm_broken':
      case 'server_link_broken':
        this.#outages.begin(fault);
        // after the replay only the outage itself moves the clock
        this.#host.wake();
        return;
      default:
        this.#exchange.inject(toExchangeFault(fault));
    }
  }

  #makeServer(): Server {
    return createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  #listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const refused = (cause: NodeJS.ErrnoException): void => {
        try {
          fail('GATEWAY_OPTIONS', {
            where: `port ${port}`,
            value: cause.code,
            message:
              cause.code === 'EADDRINUSE'
                ? 'another program listens there: choose another port, or 0 for a free one'
                : `the system refuses to listen there (${cause.message})`,
            cause,
          });
        } catch (error) {
          reject(error);
        }
      };
      this.#server.once('error', refused);
      this.#server.listen(port, HOST, () => {
        this.#server.off('error', refused);
        const address = this.#server.address();
        if (typeof address === 'object' && address !== null) this.#port = address.port;
        resolve();
      });
    });
  }

  #accept(socket: Socket): void {
    const connection = new Connection(socket, this.#options.versionCap, {
      request: (from, request) => this.#request(from, request),
      closed: (from, reason) => this.#closed(from, reason),
      drained: () => this.#host.wake(),
      mayWait: () => this.#host.fast(),
      connectionTime: () => connectionTime(this.#exchange.nowMs),
    });
    this.#connections.add(connection);
  }

  #closed(connection: Connection, reason: string): void {
    this.#connections.delete(connection);
    this.#host.log(`connection ${connection.remote} (client ${connection.clientId ?? '-'}): ${reason}`);
    const session = connection.clientId === null ? undefined : this.#sessions.get(connection.clientId);
    if (session?.connection === connection) this.#end(session);
    this.#host.wake();
  }

  /** The session is over, whatever becomes of its socket. */
  #end(session: Session): void {
    session.end();
    if (this.#sessions.get(session.clientId) === session) this.#sessions.delete(session.clientId);
    // the exchange may be in the middle of telling this very client something
    queueMicrotask(() => this.#exchange.detach(session));
  }

  #request(connection: Connection, request: ClientRequest): void {
    this.#host.syncClock();
    const session = connection.clientId === null ? undefined : this.#sessions.get(connection.clientId);
    if (session === undefined || session.connection !== connection) {
      if (request.type === 'startApi') this.#start(connection, request.clientId);
      else connection.send(error(idOf(request), CODE.NOT_CONNECTED, 'Not connected'));
      return;
    }
    if (!this.#host.fast() && !session.countRequest()) {
      const most = this.#options.requestsPerSecond ?? 0;
      session.notice(
        CODE.RATE_EXCEEDED,
        `Max rate of messages per second has been exceeded: max=${most} rec=${most + 1}`,
      );
      return;
    }
    if (this.#plan.watches) this.#setOff({ request: request.type }, session, 'before');
    if (!connection.open) return;
    this.#dispatch(session, request);
    if (this.#plan.watches) this.#setOff({ request: request.type }, session, 'after');
  }

  #dispatch(session: Session, request: ClientRequest): void {
    if (isExchangeRequest(request)) {
      const refusal = this.#outages.refusal(request) ?? this.#paced(session, request);
      if (refusal === null) this.#exchange.handle(session, request);
      else session.line.send(refusal);
      return;
    }
    for (const message of this.#answer(session, request)) session.send(message);
  }

  /** Historical data asked for too often; not counted at maximum speed, as there wall time says nothing. */
  #paced(session: Session, request: ExchangeRequest): ServerMessage | null {
    if (request.type !== 'reqHistoricalData' || this.#host.fast()) return null;
    const violation = session.historyPacing.violation(request, performance.now());
    if (violation === null) return null;
    const message = `Historical Market Data Service error message:Historical data request pacing violation: ${violation}`;
    return error(request.reqId, CODE.PACING, message);
  }

  #answer(session: Session, request: SessionRequest): readonly ServerMessage[] {
    return answerSessionRequest(request, {
      accounts: this.#exchange.accounts,
      nextValidId: this.#exchange.nextValidId(session.clientId),
      nowMs: this.#exchange.nowMs,
      scan: (scanned) => scan(this.#exchange, this.#options.symbols, scanned),
    });
  }

  #start(connection: Connection, clientId: number): void {
    if (clientId < 0) {
      connection.send(error(-1, CODE.VALIDATION, `Error validating request.-'bP' : cause - Invalid client id`));
      connection.close(`client id ${clientId}`);
      return;
    }
    if (this.#sessions.has(clientId)) {
      connection.send(
        error(
          -1,
          CODE.CLIENT_ID_IN_USE,
          'Unable to connect as the client id is already in use. Retry with a unique client id.',
        ),
      );
      connection.close(`client id ${clientId} is in use`);
      return;
    }
    connection.started(clientId);
    const session = new Session(
      connection,
      clientId,
      this.#armed,
      new RandomStream(this.#options.seed, `gateway-line-${clientId}`),
      this.#options.requestsPerSecond,
      this.#plan.watches ? (message, from, phase) => this.#setOff({ message: message.type }, from, phase) : null,
    );
    this.#sessions.set(clientId, session);
    this.#everStarted = true;
    this.#exchange.attach(session);
    session.send({ type: 'managedAccounts', accounts: this.#exchange.accounts });
    session.send({ type: 'nextValidId', orderId: this.#exchange.nextValidId(clientId) });
    if (!this.#outages.joined(session)) {
      session.notice(...NOTICE.MARKET_DATA_OK);
      session.notice(...NOTICE.HISTORICAL_OK);
      session.notice(...NOTICE.SECDEF_OK);
    }
    this.#host.wake();
  }

  #setOff(
    what: { readonly request: string } | { readonly message: string },
    session: Session,
    phase: 'before' | 'after',
  ): void {
    for (const fault of this.#plan.passing(what, session.clientId, phase)) this.inject(fault);
  }

  #targets(clientId: number | undefined): readonly Session[] {
    return [...this.#sessions.values()].filter((session) => clientId === undefined || session.clientId === clientId);
  }

  #disconnect(session: Session, how: 'clean' | 'reset' | 'half_open', releaseMs: number): void {
    if (how === 'half_open') {
      // the gateway believes in the connection, and holds its clientId, until it notices
      session.connection.freeze();
      const timer = setTimeout(() => session.connection.reset('half-open: released'), releaseMs);
      timer.unref();
      return;
    }
    if (how === 'clean') session.connection.close('fault: disconnect');
    else session.connection.reset('fault: disconnect (reset)');
    this.#end(session);
  }

  #restart(downMs: number, nextValidId: number | undefined): void {
    for (const session of this.#targets(undefined)) this.#disconnect(session, 'reset', 0);
    for (const connection of this.#connections) if (connection.open) connection.reset('fault: restart');
    if (nextValidId !== undefined) this.#exchange.inject({ kind: 'rollbackNextValidId', orderId: nextValidId });
    this.#server.close();
    // one that falls into another begins its time anew: two servers would want the port, and one would never be closed
    for (const earlier of this.#restartTimers) clearTimeout(earlier);
    this.#restartTimers.clear();
    const timer = setTimeout(() => {
      this.#restartTimers.delete(timer);
      if (this.#closing) return;
      this.#server = this.#makeServer();
      this.#listen(this.#port).catch((cause: unknown) => {
        this.#host.log(`after a restart the port is gone: ${cause instanceof Error ? cause.message : String(cause)}`);
      });
    }, downMs);
    this.#restartTimers.add(timer);
  }
}

/** The request or order that a request names; -1: none. */
function idOf(request: ClientRequest): number {
  if ('orderId' in request) return request.orderId;
  return 'reqId' in request ? request.reqId : -1;
}

/** "yyyymmdd hh:mm:ss UTC" */
function connectionTime(timeMs: number): string {
  const text = new Date(timeMs).toISOString();
  return `${text.slice(0, 10).replaceAll('-', '')} ${text.slice(11, 19)} UTC`;
}

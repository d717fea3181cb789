/** Outages between the gateway and the broker, in market time: what they keep from clients, and what clients hear. */
import type { Exchange } from '../exchange-port.js';
import type { Suppressed } from '../faults/line.js';
import type { Fault } from '../faults/schema.js';
import type { ExchangeRequest } from '../wire/requests.js';
import type { ServerMessage } from '../wire/responses.js';
import { NOTICE, type Notice } from './notices.js';
import type { Session } from './session.js';

type OutageFault = Extract<Fault, { readonly kind: 'connectivity_lost' | 'farm_broken' | 'server_link_broken' }>;

interface Outage {
  readonly begins: Notice;
  readonly ends: Notice;
  readonly suppresses: readonly Suppressed[];
  readonly historical: boolean;
  /** After it the subscriptions are gone. */
  readonly losesData: boolean;
  readonly endMs: number;
}

const NOT_CONNECTED = 504;
const HISTORICAL_ERROR = 162;

export class Outages {
  readonly #exchange: Exchange;
  readonly #sessions: () => Iterable<Session>;
  readonly #current = new Set<Outage>();

  constructor(exchange: Exchange, sessions: () => Iterable<Session>) {
    this.#exchange = exchange;
    this.#sessions = sessions;
  }

  /** Market time; null: there is no outage. */
  get nextEndMs(): number | null {
    let next: number | null = null;
    for (const { endMs } of this.#current) if (next === null || endMs < next) next = endMs;
    return next;
  }

  begin(fault: OutageFault): void {
    const outage = outageOf(fault, this.#exchange.nowMs + fault.duration);
    this.#current.add(outage);
    for (const session of this.#sessions()) this.#cut(session, outage);
  }

  /** Ends the outages whose time has come. */
  stepped(): void {
    if (this.#current.size === 0) return;
    const ended = [...this.#current].filter(({ endMs }) => endMs <= this.#exchange.nowMs);
    for (const outage of ended) {
      this.#current.delete(outage);
      if (outage.losesData) this.#exchange.inject({ kind: 'dropSubscriptions' });
      for (const session of this.#sessions()) {
        for (const what of outage.suppresses) if (!this.#suppresses(what)) session.line.restore(what);
        session.notice(...outage.ends);
      }
    }
  }

  /** A session that begins during an outage: it shares it. False where there is none. */
  joined(session: Session): boolean {
    for (const outage of this.#current) this.#cut(session, outage);
    return this.#current.size > 0;
  }

  /** What cannot be done while the broker is out of reach is refused; null: it can. */
  refusal(request: ExchangeRequest): ServerMessage | null {
    if (this.#current.size === 0) return null;
    const id = 'orderId' in request ? request.orderId : 'reqId' in request ? request.reqId : -1;
    if (request.type === 'reqHistoricalData' && [...this.#current].some(({ historical }) => historical)) {
      const message = 'Historical Market Data Service error message:HMDS connection is broken';
      return { type: 'error', id, code: HISTORICAL_ERROR, message };
    }
    const needsBroker =
      request.type === 'placeOrder' || request.type === 'cancelOrder' || request.type === 'reqGlobalCancel';
    if (!needsBroker || !this.#suppresses('broker')) return null;
    return { type: 'error', id, code: NOT_CONNECTED, message: 'Not connected' };
  }

  #suppresses(what: Suppressed): boolean {
    for (const { suppresses } of this.#current) if (suppresses.includes(what)) return true;
    return false;
  }

  #cut(session: Session, outage: Outage): void {
    session.notice(...outage.begins);
    for (const what of outage.suppresses) session.line.suppress(what);
  }
}

function outageOf(fault: OutageFault, endMs: number): Outage {
  switch (fault.kind) {
    case 'connectivity_lost':
      return {
        begins: NOTICE.CONNECTIVITY_LOST,
        ends: fault.data === 'lost' ? NOTICE.RESTORED_DATA_LOST : NOTICE.RESTORED_DATA_KEPT,
        suppresses: ['market_data', 'broker'],
        historical: true,
        losesData: fault.data === 'lost',
        endMs,
      };
    case 'server_link_broken':
      return {
        begins: NOTICE.SERVER_LINK_BROKEN,
        ends: NOTICE.RESTORED_DATA_KEPT,
        suppresses: ['market_data', 'broker'],
        historical: true,
        losesData: false,
        endMs,
      };
    case 'farm_broken':
      return fault.farm === 'market_data'
        ? {
            begins: NOTICE.MARKET_DATA_BROKEN,
            ends: NOTICE.MARKET_DATA_OK,
            suppresses: ['market_data'],
            historical: false,
            losesData: !fault.data_returns,
            endMs,
          }
        : {
            begins: NOTICE.HISTORICAL_BROKEN,
            ends: NOTICE.HISTORICAL_OK,
            suppresses: [],
            historical: true,
            losesData: false,
            endMs,
          };
  }
}

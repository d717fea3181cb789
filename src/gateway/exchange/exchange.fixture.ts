/** A client of the exchange for tests, and the markets that it trades on. */
import type { Bars } from '#env/market/bars.js';
import type { Exchange, ExchangeClient, ExchangeOptions } from '../exchange-port.js';
import { plainOrder } from '../wire/order.fixture.js';
import type { ExchangeRequest } from '../wire/requests.js';
import type { ServerMessage } from '../wire/responses.js';
import type { ContractQuery, Order, OrderStatus } from '../wire/types.js';
import { createExchange } from './exchange.js';

export type MessageOf<Type extends ServerMessage['type']> = Extract<ServerMessage, { readonly type: Type }>;

export function query(symbol: string, more: Partial<ContractQuery> = {}): ContractQuery {
  return {
    conId: 0,
    symbol,
    secType: 'STK',
    lastTradeDateOrContractMonth: '',
    strike: 0,
    right: '',
    multiplier: '',
    exchange: 'SMART',
    primaryExchange: '',
    currency: 'USD',
    localSymbol: '',
    tradingClass: '',
    includeExpired: false,
    secIdType: '',
    secId: '',
    issuerId: '',
    comboLegs: [],
    deltaNeutralContract: null,
    ...more,
  };
}

const BLANK = plainOrder({});

/** An order to buy or sell, transmitted, good for the day. */
export function order(action: 'BUY' | 'SELL', totalQuantity: number, more: Partial<Order> = {}): Order {
  return { ...BLANK, action, totalQuantity, orderType: 'MKT', tif: 'DAY', transmit: true, ...more };
}

export class TestClient implements ExchangeClient {
  readonly exchange: Exchange;
  readonly clientId: number;
  readonly symbol: string;
  messages: ServerMessage[] = [];
  /** Orders as last shown. */
  readonly orders = new Map<number, { order: Order; status: OrderStatus }>();
  #nextId = 1;

  constructor(exchange: Exchange, clientId = 1, symbol = 'TEST') {
    this.exchange = exchange;
    this.clientId = clientId;
    this.symbol = symbol;
    exchange.attach(this);
  }

  send(message: ServerMessage): void {
    this.messages.push(message);
    if (message.type === 'openOrder')
      this.orders.set(message.orderId, { order: message.order, status: message.orderState.status });
    const known = message.type === 'orderStatus' ? this.orders.get(message.orderId) : undefined;
    if (known !== undefined && message.type === 'orderStatus') known.status = message.status;
  }

  ask(request: ExchangeRequest): ServerMessage[] {
    const from = this.messages.length;
    this.exchange.handle(this, request);
    return this.messages.slice(from);
  }

  /** Places an order under the next identifier, or under a given one; returns it. */
  place(placed: Order, orderId = this.#nextId, contract = query(this.symbol)): number {
    this.#nextId = Math.max(this.#nextId, orderId + 1);
    this.exchange.handle(this, { type: 'placeOrder', orderId, contract, order: placed });
    return orderId;
  }

  cancel(orderId: number): ServerMessage[] {
    return this.ask({ type: 'cancelOrder', orderId });
  }

  of<Type extends ServerMessage['type']>(type: Type): MessageOf<Type>[] {
    return this.messages.filter((message): message is MessageOf<Type> => message.type === type);
  }

  /** Statuses that an order has gone through. */
  statuses(orderId: number): string[] {
    return this.of('orderStatus').flatMap((one) => (one.orderId === orderId ? [one.status] : []));
  }

  errors(id: number): number[] {
    return this.of('error').flatMap((one) => (one.id === id ? [one.code] : []));
  }

  fills(orderId: number): { shares: number; price: number; time: string }[] {
    return this.of('execDetails').flatMap(({ execution: e }) =>
      e.orderId === orderId ? [{ shares: e.shares, price: e.price, time: e.time }] : [],
    );
  }
}

/** An exchange of one or more data sets with plenty of cash, at the start of the first bar. */
export function testExchange(bars: readonly Bars[], more: Partial<ExchangeOptions> = {}): Exchange {
  return createExchange({
    bars,
    account: 'DU1234567',
    seed: 7,
    fills: 'path',
    initialCash: 1_000_000,
    startTimeMs: Math.min(...bars.map((one) => one.openTimeMs[0])),
    ...more,
  });
}

/** Steps until market time `timeMs` is done with, or the replay is over. */
export function runUntil(exchange: Exchange, timeMs: number): void {
  while (exchange.nextEventMs !== null && exchange.nextEventMs <= timeMs) exchange.step();
  exchange.advanceClock(Math.max(timeMs, exchange.nowMs));
}

/** Steps to the next bar boundary; false: there is none. */
export function runToBoundary(exchange: Exchange): boolean {
  while (exchange.nextEventMs !== null) if (exchange.step().boundaryMs !== null) return true;
  return false;
}

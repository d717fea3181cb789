/**
 * Our orders at the broker: their ids, what is sent for them, and what comes back. An id is given out once and never
 * again, and an order is known by its reference, since ids come back after a gateway's restart.
 */
import {
  EventName,
  OrderAction,
  OrderType,
  TimeInForce,
  type CommissionReport,
  type Contract,
  type Execution,
  type IBApi,
  type Order,
  type OrderState as IbOrderState,
} from '@stoqey/ib';
import { fail } from '#src/errors.js';
import { checkOrder } from './check-order.js';
import { orderEffect, type OrderEffect } from './codes.js';
import type { Connection } from './connection.js';
import type { BrokerEvent, OrderReport, OrderRequest, OrderState } from './contract.js';
import type { Contracts } from './contracts.js';
import { IdRange } from './ids.js';
import { FIRST_REQUEST_ID, type Settings } from './options.js';
import { PRIORITY } from './send-queue.js';
import { commissionReport, executionReport, finite, openOrderReport, stateOf } from './translate.js';

const DUPLICATE_ID = 103;
const RATE_EXCEEDED = 100;
const NOT_SENT = 504;
/** What a duplicate id leaves behind: whoever holds it may hold its neighbours. */
const ID_GAP = 1_000;
/** An order that was sent so shortly before a complaint about the rate may be what was thrown away. */
const RATE_WINDOW_MS = 2_000;
/** Reduce with block: a partial fill of one order reduces the others of its group. */
const OCA_REDUCE = 2;

const ORDER_TYPES = { MKT: OrderType.MKT, LMT: OrderType.LMT, STP: OrderType.STP } as const;

interface OwnOrder {
  readonly orderRef: string;
  readonly orderId: number;
  symbol: string;
  /** A report has called it alive. */
  acknowledged: boolean;
  /** A status or a rejection has ended it. */
  ended: boolean;
  /** The replacement that no report has confirmed yet. */
  replacing: OrderRequest | null;
  sentMs: number;
}

export class Orders {
  readonly #settings: Settings;
  readonly #contracts: Contracts;
  readonly #emit: (event: BrokerEvent) => void;
  readonly #ids: IdRange;
  #connection: Connection | null = null;
  #account = '';
  readonly #byRef = new Map<string, OwnOrder>();
  readonly #byId = new Map<number, OwnOrder>();
  /** Of every order that an openOrder has described. */
  readonly #byPermId = new Map<number, { readonly orderRef: string; readonly symbol: string }>();
  /** Filled so far, by permId: openOrder does not say it. */
  readonly #filled = new Map<number, number>();

  constructor(settings: Settings, contracts: Contracts, emit: (event: BrokerEvent) => void) {
    this.#settings = settings;
    this.#contracts = contracts;
    this.#emit = emit;
    this.#ids = new IdRange('order ids', settings.firstOrderId, FIRST_REQUEST_ID - 1);
  }

  get nextOrderId(): number {
    return this.#ids.peek;
  }

  attach(connection: Connection): void {
    const { api } = connection;
    api.on(
      EventName.nextValidId,
      connection.guard('nextValidId', (id: number) => this.#ids.raise(id)),
    );
    api.on(
      EventName.openOrder,
      connection.guard('openOrder', (_id: number, contract: Contract, order: Order, state: IbOrderState) =>
        this.#openOrder(contract, order, state),
      ),
    );
    api.on(
      EventName.orderStatus,
      connection.guard(
        'orderStatus',
        (
          orderId: number,
          status: string,
          filled: number | undefined,
          remaining: number | undefined,
          _average: number | undefined,
          permId?: number,
          _parentId?: number,
          _lastPrice?: number,
          clientId?: number,
        ) => this.#orderStatus(orderId, status, finite(filled), finite(remaining), permId ?? 0, clientId ?? 0),
      ),
    );
    api.on(
      EventName.execDetails,
      connection.guard('execDetails', (reqId: number, contract: Contract, execution: Execution) => {
        if (reqId !== -1 || execution.acctNumber !== this.#account) return;
        const report = executionReport(execution, this.#contracts.symbolOf(contract));
        this.#emit({ type: 'execution', report });
      }),
    );
    api.on(
      EventName.commissionReport,
      connection.guard('commissionReport', (row: CommissionReport) => {
        const report = commissionReport(row);
        if (report !== null) this.#emit({ type: 'commission', report });
      }),
    );
  }

  /** The connection is up: orders may leave. */
  begin(connection: Connection, account: string): void {
    this.#connection = connection;
    this.#account = account;
  }

  end(): void {
    this.#connection = null;
  }

  restore(orders: readonly { readonly orderRef: string; readonly orderId: number }[]): void {
    for (const { orderRef, orderId } of orders) {
      this.#ids.raise(orderId + 1);
      if (!this.#byRef.has(orderRef)) this.#add(orderRef, orderId, '').acknowledged = true;
    }
  }

  /** Throws BROKER_ORDER and BROKER_STATE; nothing has been sent then. */
  place(request: OrderRequest, linkUp: boolean): number {
    const known = this.#contracts.get(request.symbol);
    const connection = this.#ready(`order ${JSON.stringify(request.orderRef)}`, linkUp);
    if (known === undefined)
      return fail('BROKER_ORDER', {
        where: `order ${JSON.stringify(request.orderRef)} symbol`,
        value: request.symbol,
        message: 'its contract is not known: ask for contract() first',
      });
    const order = checkOrder(request, known.info.instrument);
    const own = this.#byRef.get(order.orderRef);
    if (own?.ended === true)
      fail('BROKER_ORDER', {
        where: `order ${JSON.stringify(order.orderRef)}`,
        message: 'it has ended, and a replacement would be a new order: place one under another reference',
      });
    const parent = order.parentRef === null ? null : this.#byRef.get(order.parentRef);
    if (parent === undefined)
      return fail('BROKER_ORDER', {
        where: `order ${JSON.stringify(order.orderRef)} parentRef`,
        value: order.parentRef,
        message: 'the parent was not placed: place it first, or restore() it after a restart',
      });
    const target = own ?? this.#add(order.orderRef, this.#ids.next(), order.symbol);
    target.symbol = order.symbol;
    const isNew = own === undefined;
    if (!isNew) target.replacing = order;
    const wire = wireOrder(order, parent?.orderId ?? 0, this.#account);
    connection.send(
      PRIORITY.order,
      (api: IBApi) => {
        target.sentMs = this.#settings.clock.nowMs();
        api.placeOrder(target.orderId, known.contract, wire);
      },
      () => {
        if (isNew) target.ended = true;
        this.#report(target, isNew ? 'rejected' : 'modify', NOT_SENT, 'not sent: the connection ended before');
      },
    );
    return target.orderId;
  }

  /** Throws BROKER_STATE; nothing has been sent then. */
  cancel(orderRef: string, linkUp: boolean): void {
    const connection = this.#ready(`cancel of ${JSON.stringify(orderRef)}`, linkUp);
    const own = this.#byRef.get(orderRef);
    if (own === undefined)
      return fail('BROKER_STATE', {
        where: `cancel of ${JSON.stringify(orderRef)}`,
        message: 'no order of ours has this reference: restore() those of an earlier process',
      });
    connection.send(
      PRIORITY.order,
      (api: IBApi) => api.cancelOrder(own.orderId),
      () => this.#report(own, 'cancel', NOT_SENT, 'not sent: the connection ended before'),
    );
  }

  /** An error that names an id below those of requests. True where it is an order of ours. */
  error(id: number, code: number, text: string): boolean {
    const own = this.#byId.get(id);
    if (own === undefined) return false;
    let effect = orderEffect(code, text);
    // the broker refuses the replacement: what becomes of the order itself only its books tell
    if (effect === 'rejected' && own.acknowledged && own.replacing !== null) effect = 'modify';
    if (effect === 'rejected') own.ended = true;
    if (effect === 'modify') own.replacing = null;
    if (code === DUPLICATE_ID) {
      this.#ids.raise(this.#ids.peek + ID_GAP);
      this.#connection?.send(PRIORITY.query, (api) => api.reqIds());
    }
    this.#report(own, effect, code, text);
    return true;
  }

  /** Too many messages a second: what was sent just now may be lost. */
  rateExceeded(text: string): void {
    const since = this.#settings.clock.nowMs() - RATE_WINDOW_MS;
    for (const own of this.#byId.values())
      if (!own.ended && own.sentMs >= since) this.#report(own, 'doubtful', RATE_EXCEEDED, text);
  }

  #ready(where: string, linkUp: boolean): Connection {
    const connection = this.#connection;
    if (connection === null || !connection.isUp)
      return fail('BROKER_STATE', { where, message: 'not connected: nothing was sent' });
    if (!linkUp)
      fail('BROKER_STATE', {
        where,
        message: 'the gateway has lost its link to the broker: nothing was sent',
      });
    return connection;
  }

  #add(orderRef: string, orderId: number, symbol: string): OwnOrder {
    const own: OwnOrder = {
      orderRef,
      orderId,
      symbol,
      acknowledged: false,
      ended: false,
      replacing: null,
      sentMs: -Infinity,
    };
    this.#byRef.set(orderRef, own);
    this.#byId.set(orderId, own);
    return own;
  }

  #openOrder(contract: Contract, order: Order, state: IbOrderState): void {
    if (order.whatIf === true || (order.account ?? this.#account) !== this.#account) return;
    const symbol = this.#contracts.symbolOf(contract);
    const { orderRef = '', orderId = 0, permId = 0, clientId } = order;
    if (permId !== 0) this.#byPermId.set(permId, { orderRef, symbol });
    const mine = clientId === this.#settings.clientId && orderRef !== '' && orderId > 0;
    if (mine && !this.#byRef.has(orderRef) && !this.#byId.has(orderId)) {
      // placed under our clientId by an earlier process
      this.#ids.raise(orderId + 1);
      this.#add(orderRef, orderId, symbol);
    }
    const report = this.withFilled(openOrderReport(order, state, symbol));
    if (mine) this.#note(this.#byId.get(orderId), report.state, report);
    this.#emit({ type: 'order', report });
  }

  /** An openOrder's report with what statuses and executions have told of its fills. */
  withFilled(report: OrderReport): OrderReport {
    const filled = Math.max(report.filled, this.#filled.get(report.permId) ?? 0);
    return { ...report, filled, remaining: Math.max(0, report.quantity - filled) };
  }

  #orderStatus(
    orderId: number,
    status: string,
    filled: number,
    remaining: number,
    permId: number,
    clientId: number,
  ): void {
    if (permId !== 0) this.#filled.set(permId, Math.max(filled, this.#filled.get(permId) ?? 0));
    const own = clientId === this.#settings.clientId ? this.#byId.get(orderId) : undefined;
    const who = own ?? this.#byPermId.get(permId);
    // a bare status of an order that nobody has described: the next openOrder or reconciliation tells of it
    if (who === undefined) return;
    const report: OrderReport = {
      orderRef: who.orderRef,
      orderId,
      permId,
      clientId,
      symbol: who.symbol,
      state: stateOf(status),
      quantity: 0,
      filled,
      remaining,
      stopPrice: null,
      limitPrice: null,
    };
    this.#note(own, report.state, null);
    this.#emit({ type: 'order', report });
  }

  #note(own: OwnOrder | undefined, state: OrderState, described: OrderReport | null): void {
    if (own === undefined) return;
    if (state === 'working') own.acknowledged = true;
    if (state === 'cancelled' || state === 'filled' || state === 'rejected') own.ended = true;
    const { replacing } = own;
    if (
      replacing !== null &&
      described !== null &&
      described.quantity === replacing.quantity &&
      described.limitPrice === replacing.limitPrice &&
      described.stopPrice === replacing.stopPrice
    )
      own.replacing = null;
  }

  #report({ orderRef, orderId }: OwnOrder, effect: OrderEffect, code: number, text: string): void {
    this.#emit({ type: 'orderError', orderRef, orderId, effect, code, text });
  }
}

function wireOrder(order: OrderRequest, parentId: number, account: string): Order {
  return {
    action: order.side === 'BUY' ? OrderAction.BUY : OrderAction.SELL,
    totalQuantity: order.quantity,
    orderType: ORDER_TYPES[order.orderType],
    ...(order.limitPrice === null ? {} : { lmtPrice: order.limitPrice }),
    ...(order.stopPrice === null ? {} : { auxPrice: order.stopPrice }),
    tif: order.tif === 'GTC' ? TimeInForce.GTC : TimeInForce.DAY,
    outsideRth: order.outsideRth,
    orderRef: order.orderRef,
    parentId,
    ...(order.ocaGroup === null ? {} : { ocaGroup: order.ocaGroup, ocaType: OCA_REDUCE }),
    transmit: order.transmit,
    account,
  };
}

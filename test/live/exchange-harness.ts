/**
 * The trader's core against the simulated broker in one process, without sockets: the exchange's messages become
 * events, the intents requests. It waits where the gateway's lockstep waits. Everything is synchronous and seeded.
 */
import { calendarNamed } from '#env/market/calendar.js';
import type { ExecutionReport, OrderReport, OrderState } from '#src/broker/contract.js';
import type { Exchange, ExchangeClient } from '#src/gateway/exchange-port.js';
import { parseTime } from '#src/gateway/exchange/wire-time.js';
import type { ServerMessage } from '#src/gateway/wire/responses.js';
import type { Contract, ContractQuery, Execution, OrderStatus } from '#src/gateway/wire/types.js';
import type { TraderConfig } from '#src/live/core/config.js';
import type { Command, TraderEvent, TraderNews } from '#src/live/core/events.js';
import type { OrderRequest, TraderIntent } from '#src/live/core/intents.js';
import type { Trader } from '#src/live/core/trader.js';
import { CONTRACT, plainOrder } from '#src/gateway/wire/order.fixture.js';

const STATES: Readonly<Record<OrderStatus, OrderState>> = {
  ApiPending: 'pending',
  PendingSubmit: 'pending',
  PendingCancel: 'cancelling',
  PreSubmitted: 'working',
  Submitted: 'working',
  ApiCancelled: 'cancelled',
  Cancelled: 'cancelled',
  Filled: 'filled',
  Inactive: 'rejected',
};

const BARS = new Map([
  [60_000, '1 min'],
  [300_000, '5 mins'],
  [1_800_000, '30 mins'],
  [86_400_000, '1 day'],
]);

/** As often as the shell lets the clocks tick, at least. */
const CLOCK_EVERY_MS = 1_000;
const MOST_EVENTS = 400_000;

export interface HarnessOptions {
  readonly exchange: Exchange;
  readonly trader: Trader;
  readonly config: TraderConfig;
  /** Wall milliseconds that one step of the exchange takes. */
  readonly wallStepMs?: number;
}

export class ExchangeHarness {
  readonly exchange: Exchange;
  trader: Trader;
  readonly config: TraderConfig;
  readonly events: TraderEvent[] = [];
  readonly intents: TraderIntent[] = [];
  /** Called after every event. */
  onEvent: ((event: TraderEvent, intents: readonly TraderIntent[]) => void) | null = null;
  wallMs = 1_000;
  readonly #wallStepMs: number;
  #clockWallMs = 0;
  readonly #client: ExchangeClient;
  #connected = false;
  readonly #queue: TraderNews[] = [];
  #draining = false;
  readonly #symbolOf = new Map<number, string>();
  readonly #idOf = new Map<string, number>();
  readonly #refOf = new Map<number, string>();
  #nextId = 1;
  #nextReq = 1_000_000;
  /** Answers that are being collected. */
  #collected: {
    positions: Map<string, number>;
    open: OrderReport[];
    done: OrderReport[];
    fills: ExecutionReport[];
    beganWallMs: number;
  } | null = null;
  #wanted = 0;
  readonly #histories = new Map<number, { symbol: string; fromMs: number | null }>();
  readonly #barsReq = new Map<string, number>();

  constructor({ exchange, trader, config, wallStepMs = 100 }: HarnessOptions) {
    this.exchange = exchange;
    this.trader = trader;
    this.config = config;
    this.#wallStepMs = wallStepMs;
    this.#client = { clientId: 7, send: (message) => this.#hear(message) };
  }

  start(): void {
    this.feed({ type: 'started', config: this.config });
    this.connect();
  }

  connect(): void {
    this.#connected = true;
    this.exchange.attach(this.#client);
    this.#nextId = Math.max(this.#nextId, this.exchange.nextValidId(this.#client.clientId));
    this.feed({ type: 'connected' });
  }

  disconnect(): void {
    this.#connected = false;
    this.exchange.detach(this.#client);
    this.#collected = null;
    this.#histories.clear();
    this.#barsReq.clear();
    this.feed({ type: 'disconnected' });
  }

  /** A process that took the journal up in place of the other. */
  replaceTrader(trader: Trader): void {
    this.trader = trader;
  }

  get connected(): boolean {
    return this.#connected;
  }

  command(command: Command): void {
    this.feed({ type: 'command', command });
  }

  /** One step of the market, and a tick of the clocks. False where the replay is over. */
  step(): boolean {
    if (this.exchange.nextEventMs === null) return false;
    const { boundaryMs, openFillsMs } = this.exchange.step();
    this.wallMs += this.#wallStepMs;
    if (boundaryMs !== null || openFillsMs !== null || this.wallMs - this.#clockWallMs >= CLOCK_EVERY_MS) {
      this.#clockWallMs = this.wallMs;
      this.feed({ type: 'clock' });
    }
    return true;
  }

  run(): void {
    while (this.step());
  }

  /** Gives the trader an event now; what it asks for is done at once. */
  feed(news: TraderNews): void {
    this.#queue.push(news);
    if (this.#draining) return;
    this.#draining = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const event: TraderEvent = Object.assign({}, next, { marketMs: this.exchange.nowMs, wallMs: this.wallMs });
      this.events.push(event);
      if (this.events.length > MOST_EVENTS) throw new Error(`more than ${MOST_EVENTS} events: it runs in a circle`);
      const intents = this.trader.handle(event);
      this.intents.push(...intents);
      this.onEvent?.(event, intents);
      for (const intent of intents) this.#carryOut(intent);
    }
    this.#draining = false;
  }

  #carryOut(intent: TraderIntent): void {
    if (!this.#connected) return;
    switch (intent.type) {
      case 'place':
      case 'modify':
        return this.#place(intent.order);
      case 'cancel': {
        const orderId = this.#idOf.get(intent.orderRef);
        if (orderId !== undefined) this.exchange.handle(this.#client, { type: 'cancelOrder', orderId });
        return;
      }
      case 'reconcile':
        return this.#reconcile();
      case 'subscribe':
        return this.#subscribe(intent.symbol);
      case 'history':
        return this.#history(intent.symbol, intent.fromMs);
      default:
    }
  }

  #place(request: OrderRequest): void {
    let orderId = this.#idOf.get(request.orderRef);
    if (orderId === undefined) {
      orderId = this.#nextId++;
      this.#idOf.set(request.orderRef, orderId);
      this.#refOf.set(orderId, request.orderRef);
    }
    const order = plainOrder({
      action: request.side,
      totalQuantity: request.quantity,
      orderType: request.orderType,
      lmtPrice: request.limitPrice,
      auxPrice: request.stopPrice,
      tif: request.tif,
      outsideRth: request.outsideRth,
      orderRef: request.orderRef,
      parentId: request.parentRef === null ? 0 : (this.#idOf.get(request.parentRef) ?? 0),
      ocaGroup: request.ocaGroup ?? '',
      ocaType: request.ocaGroup === null ? 0 : 2,
      transmit: request.transmit,
    });
    this.exchange.handle(this.#client, {
      type: 'placeOrder',
      orderId,
      contract: this.#contract(request.symbol),
      order,
    });
  }

  #contract(symbol: string): ContractQuery {
    return {
      ...CONTRACT,
      conId: 0,
      symbol,
      primaryExchange: '',
      localSymbol: '',
      tradingClass: '',
      includeExpired: false,
      secIdType: '',
      secId: '',
      issuerId: '',
      comboLegs: [],
      deltaNeutralContract: null,
    };
  }

  #reconcile(): void {
    this.#collected = { positions: new Map(), open: [], done: [], fills: [], beganWallMs: this.wallMs };
    this.#wanted = 4;
    const ask = this.exchange.handle.bind(this.exchange, this.#client);
    ask({ type: 'reqPositions' });
    ask({ type: 'reqAllOpenOrders' });
    ask({ type: 'reqCompletedOrders', apiOnly: true });
    ask({
      type: 'reqExecutions',
      reqId: this.#nextReq++,
      filter: { clientId: 0, account: '', time: '', symbol: '', secType: '', exchange: '', side: '' },
    });
  }

  #answered(): void {
    if (--this.#wanted > 0 || this.#collected === null) return;
    const { positions, open, done, fills, beganWallMs } = this.#collected;
    this.#collected = null;
    this.feed({
      type: 'reconciled',
      beganWallMs,
      positions: [...positions].map(([symbol, quantity]) => ({ symbol, quantity })),
      openOrders: open,
      completedOrders: done,
      executions: fills,
    });
  }

  #subscribe(symbol: string): void {
    const before = this.#barsReq.get(symbol);
    if (before !== undefined) this.exchange.handle(this.#client, { type: 'cancelRealTimeBars', reqId: before });
    const reqId = this.#nextReq++;
    this.#barsReq.set(symbol, reqId);
    this.#symbolOf.set(reqId, symbol);
    this.exchange.handle(this.#client, {
      type: 'reqRealTimeBars',
      reqId,
      contract: this.#contract(symbol),
      barSize: 5,
      whatToShow: 'TRADES',
      useRth: true,
    });
  }

  #history(symbol: string, fromMs: number | null): void {
    const reqId = this.#nextReq++;
    this.#histories.set(reqId, { symbol, fromMs });
    this.exchange.handle(this.#client, {
      type: 'reqHistoricalData',
      reqId,
      contract: this.#contract(symbol),
      endDateTime: '',
      duration: '30 D',
      barSize: BARS.get(this.config.interval.ms) ?? '',
      whatToShow: 'TRADES',
      useRth: true,
      formatDate: 2,
      keepUpToDate: false,
    });
  }

  #hear(message: ServerMessage): void {
    switch (message.type) {
      case 'orderStatus':
        return this.feed({ type: 'order', report: this.#statusReport(message) });
      case 'openOrder': {
        const report = openReport(message);
        this.#refOf.set(message.orderId, report.orderRef);
        if (this.#collected !== null) this.#collected.open.push(report);
        return this.feed({ type: 'order', report });
      }
      case 'completedOrder':
        this.#collected?.done.push(completedReport(message));
        return;
      case 'execDetails': {
        const report = executionReport(message.contract, message.execution);
        if (message.reqId === -1) return this.feed({ type: 'execution', report });
        this.#collected?.fills.push(report);
        return;
      }
      case 'commissionReport': {
        const { root, revision } = splitExecId(message.execId);
        return this.feed({ type: 'commission', execRoot: root, revision, amount: message.commission });
      }
      case 'position':
        this.#collected?.positions.set(message.contract.symbol, message.position);
        return;
      case 'positionEnd':
      case 'openOrderEnd':
      case 'completedOrdersEnd':
      case 'execDetailsEnd':
        return this.#answered();
      case 'realtimeBar': {
        const symbol = this.#symbolOf.get(message.reqId);
        const { timeSec, open, high, low, close, volume } = message;
        if (symbol !== undefined)
          this.feed({ type: 'fiveSecondBar', symbol, bar: { openMs: timeSec * 1000, open, high, low, close, volume } });
        return;
      }
      case 'historicalData':
        return this.#historyAnswer(message);
      case 'error': {
        const orderRef = this.#refOf.get(message.id);
        if (orderRef === undefined) return;
        const effect = effectOf(message.code);
        return this.feed({ type: 'orderError', orderRef, effect, code: message.code, text: message.message });
      }
      default:
    }
  }

  #historyAnswer({ reqId, bars }: Extract<ServerMessage, { type: 'historicalData' }>): void {
    const asked = this.#histories.get(reqId);
    if (asked === undefined) return;
    this.#histories.delete(reqId);
    const daily = this.config.interval.ms >= 86_400_000;
    const nowMs = this.exchange.nowMs;
    const all = bars
      .map(({ date, open, high, low, close, volume }) => ({
        openMs: daily
          ? Date.parse(`${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6, 8)}T00:00:00Z`)
          : Number(date) * 1000,
        open,
        high,
        low,
        close,
        volume,
      }))
      .filter(({ openMs }) => openMs + this.config.interval.ms <= nowMs && openMs > (asked.fromMs ?? -Infinity));
    this.feed({ type: 'history', symbol: asked.symbol, anchor: asked.fromMs === null, bars: all });
  }

  #statusReport(message: Extract<ServerMessage, { type: 'orderStatus' }>): OrderReport {
    const { orderId, permId, clientId, status, filled, remaining } = message;
    const orderRef = this.#refOf.get(orderId) ?? '';
    return {
      orderRef,
      orderId,
      permId,
      clientId,
      symbol: '',
      state: STATES[status],
      quantity: 0,
      filled,
      remaining,
      stopPrice: null,
      limitPrice: null,
    };
  }
}

function openReport({
  orderId,
  permId,
  clientId,
  contract,
  order,
  orderState,
}: Extract<ServerMessage, { type: 'openOrder' }>): OrderReport {
  return {
    orderRef: order.orderRef,
    orderId,
    permId,
    clientId,
    symbol: contract.symbol,
    state: STATES[orderState.status],
    quantity: order.totalQuantity,
    filled: 0,
    remaining: order.totalQuantity,
    stopPrice: order.auxPrice,
    limitPrice: order.lmtPrice,
  };
}

function completedReport({
  permId,
  contract,
  order,
  orderState,
  filledQuantity,
}: Extract<ServerMessage, { type: 'completedOrder' }>): OrderReport {
  return {
    orderRef: order.orderRef,
    orderId: 0,
    permId,
    clientId: 0,
    symbol: contract.symbol,
    state: orderState.status === 'Filled' ? 'filled' : 'cancelled',
    quantity: 0,
    filled: filledQuantity,
    remaining: 0,
    stopPrice: null,
    limitPrice: null,
  };
}

function executionReport(contract: Contract, execution: Execution): ExecutionReport {
  const { root, revision } = splitExecId(execution.execId);
  return {
    execRoot: root,
    revision,
    orderRef: execution.orderRef,
    orderId: execution.orderId,
    permId: execution.permId,
    clientId: execution.clientId,
    symbol: contract.symbol,
    side: execution.side === 'BOT' ? 'BUY' : 'SELL',
    quantity: execution.shares,
    price: execution.price,
    marketMs: timeOf(execution.time),
  };
}

function splitExecId(execId: string): { root: string; revision: number } {
  const dot = execId.lastIndexOf('.');
  return { root: execId.slice(0, dot), revision: Number(execId.slice(dot + 1)) };
}

function effectOf(code: number): 'rejected' | 'doubtful' | 'modify' | 'cancel' | 'warning' {
  if (code === 201 || code === 103) return 'rejected';
  // 202 says that an order was cancelled; its status says it too, unless it is lost
  if (code === 110 || code === 202) return 'doubtful';
  if (code === 10147 || code === 10148 || code === 161) return 'cancel';
  return 'warning';
}

function timeOf(text: string): number {
  const parsed = parseTime(text, calendarNamed('XNYS'), 0);
  if (parsed === 'invalid') throw new Error(`the exchange wrote a time that it cannot read: ${text}`);
  return parsed.timeMs;
}

/**
 * Questions to the gateway and their answers, as rows. An answer is known when its end has come; a timeout, an error or
 * the end of the connection make it unknown, whatever rows were there.
 *
 * Positions, open and completed orders bear no request id. One of a kind is asked at a time, and after a timeout the
 * next one waits for the late end: otherwise the rows of the first would pass for those of the second.
 */
import {
  EventName,
  type Contract,
  type ContractDetails,
  type Execution,
  type IBApi,
  type Order,
  type OrderState,
  type WhatToShow,
} from '@stoqey/ib';
import type { Connection } from './connection.js';
import type { Answer } from './contract.js';
import { dataEffect } from './codes.js';
import type { IdRange } from './ids.js';
import type { Settings } from './options.js';
import { PRIORITY, type Priority } from './send-queue.js';

export interface SummaryRow {
  readonly account: string;
  readonly tag: string;
  readonly value: string;
  readonly currency: string;
}

export interface ExecutionRow {
  readonly contract: Contract;
  readonly execution: Execution;
}

export interface PositionRow {
  readonly account: string;
  readonly contract: Contract;
  readonly quantity: number | undefined;
  readonly averageCost: number | undefined;
}

export interface OrderRow {
  readonly contract: Contract;
  readonly order: Order;
  readonly state: OrderState;
}

export interface HistoryRow {
  readonly date: string;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

export type Rows<Row> = Answer<readonly Row[]>;

export function unknown(code: number | null, reason: string): Answer<never> {
  return { known: false, code, reason };
}

/** Rows until their end. */
class Collector<Row> {
  readonly rows: Row[] = [];
  readonly answer: Promise<Rows<Row>>;
  #settle: (answer: Rows<Row>) => void = () => undefined;
  #timer: NodeJS.Timeout | null = null;
  settled = false;

  constructor() {
    this.answer = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  startTimer(timeoutMs: number, late: () => void): void {
    if (this.settled) return;
    this.#timer = setTimeout(() => {
      late();
      this.fail(null, `no whole answer within ${timeoutMs} ms`);
    }, timeoutMs);
  }

  end(): void {
    this.#finish({ known: true, value: this.rows });
  }

  fail(code: number | null, reason: string): void {
    this.#finish(unknown(code, reason));
  }

  #finish(answer: Rows<Row>): void {
    if (this.settled) return;
    this.settled = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#settle(answer);
  }
}

/** One kind of question that bears no id. */
interface Lane<Row> {
  readonly name: string;
  current: Collector<Row> | null;
  /** Timed out, and its end may still come. */
  owed: boolean;
  readonly waiting: (() => void)[];
}

const lane = <Row>(name: string): Lane<Row> => ({ name, current: null, owed: false, waiting: [] });

export class Questions {
  readonly #settings: Settings;
  readonly #ids: IdRange;
  #connection: Connection | null = null;
  readonly #details = new Map<number, Collector<ContractDetails>>();
  readonly #summaries = new Map<number, Collector<SummaryRow>>();
  readonly #executions = new Map<number, Collector<ExecutionRow>>();
  readonly #bars = new Map<number, Collector<HistoryRow>>();
  readonly #heads = new Map<number, Collector<string>>();
  readonly #rules = new Map<number, Collector<unknown>>();
  readonly #positions = lane<PositionRow>('positions');
  readonly #openOrders = lane<OrderRow>('open orders');
  readonly #completedOrders = lane<OrderRow>('completed orders');
  readonly #times = lane<number>('the time');

  constructor(settings: Settings, ids: IdRange) {
    this.#settings = settings;
    this.#ids = ids;
  }

  attach(connection: Connection): void {
    this.#connection = connection;
    const { api } = connection;
    const on = <Args extends readonly unknown[]>(what: string, handle: (...args: Args) => void) =>
      connection.guard(what, handle);
    api.on(
      EventName.contractDetails,
      on('contractDetails', (id: number, row: ContractDetails) => this.#details.get(id)?.rows.push(row)),
    );
    api.on(
      EventName.contractDetailsEnd,
      on('contractDetailsEnd', (id: number) => this.#details.get(id)?.end()),
    );
    api.on(
      EventName.accountSummary,
      on('accountSummary', (id: number, account: string, tag: string, value: string, currency: string) =>
        this.#summaries.get(id)?.rows.push({ account, tag, value, currency }),
      ),
    );
    api.on(
      EventName.accountSummaryEnd,
      on('accountSummaryEnd', (id: number) => this.#summaries.get(id)?.end()),
    );
    api.on(
      EventName.execDetails,
      on('execDetails', (id: number, contract: Contract, execution: Execution) =>
        this.#executions.get(id)?.rows.push({ contract, execution }),
      ),
    );
    api.on(
      EventName.execDetailsEnd,
      on('execDetailsEnd', (id: number) => this.#executions.get(id)?.end()),
    );
    api.on(
      EventName.historicalData,
      on(
        'historicalData',
        (id: number, date: string, open: number, high: number, low: number, close: number, volume: number) => {
          const collector = this.#bars.get(id);
          if (collector === undefined) return;
          if (date.startsWith('finished')) collector.end();
          else collector.rows.push({ date, open, high, low, close, volume });
        },
      ),
    );
    api.on(
      EventName.headTimestamp,
      on('headTimestamp', (id: number, text: string) => {
        const collector = this.#heads.get(id);
        collector?.rows.push(text);
        collector?.end();
      }),
    );
    api.on(
      EventName.marketRule,
      on('marketRule', (ruleId: number, increments: unknown[]) => {
        const collector = this.#rules.get(ruleId);
        collector?.rows.push(...increments);
        collector?.end();
      }),
    );
    api.on(
      EventName.position,
      on('position', (account: string, contract: Contract, quantity?: number, averageCost?: number) =>
        this.#positions.current?.rows.push({ account, contract, quantity, averageCost }),
      ),
    );
    api.on(
      EventName.positionEnd,
      on('positionEnd', () => this.#lateOrEnd(this.#positions)),
    );
    api.on(
      EventName.openOrder,
      on('openOrder', (_id: number, contract: Contract, order: Order, state: OrderState) =>
        this.#openOrders.current?.rows.push({ contract, order, state }),
      ),
    );
    api.on(
      EventName.openOrderEnd,
      on('openOrderEnd', () => this.#lateOrEnd(this.#openOrders)),
    );
    api.on(
      EventName.completedOrder,
      on('completedOrder', (contract: Contract, order: Order, state: OrderState) =>
        this.#completedOrders.current?.rows.push({ contract, order, state }),
      ),
    );
    api.on(
      EventName.completedOrdersEnd,
      on('completedOrdersEnd', () => this.#lateOrEnd(this.#completedOrders)),
    );
    api.on(
      EventName.currentTime,
      on('currentTime', (seconds: number) => {
        this.#times.current?.rows.push(seconds);
        this.#lateOrEnd(this.#times);
      }),
    );
  }

  /** Nothing that was asked will be answered. */
  detach(reason: string): void {
    this.#connection = null;
    for (const table of [this.#details, this.#summaries, this.#executions, this.#bars, this.#heads, this.#rules])
      for (const collector of table.values()) collector.fail(null, reason);
    for (const one of [this.#positions, this.#openOrders, this.#completedOrders, this.#times]) {
      one.owed = false;
      one.current?.fail(null, reason);
      for (const wake of one.waiting.splice(0)) wake();
    }
  }

  /** An error that names a request. True where it is one of these. */
  error(id: number, code: number, text: string): boolean {
    for (const table of [this.#details, this.#summaries, this.#executions, this.#bars, this.#heads]) {
      const collector = table.get(id);
      if (collector === undefined) continue;
      const effect = dataEffect(code, text);
      // no data is an answer, but only of what was asked for data
      if (effect === 'none' && table === this.#bars) collector.end();
      else if (effect !== 'goesOn') collector.fail(code, text);
      return true;
    }
    return false;
  }

  details(contract: Contract): Promise<Rows<ContractDetails>> {
    return this.#ask(this.#details, (api, id) => api.reqContractDetails(id, contract));
  }

  summary(tags: string): Promise<Rows<SummaryRow>> {
    return this.#ask(
      this.#summaries,
      (api, id) => api.reqAccountSummary(id, 'All', tags),
      (api, id) => api.cancelAccountSummary(id),
    );
  }

  executions(account: string): Promise<Rows<ExecutionRow>> {
    // clientId 0: of every client
    const filter = { clientId: '0', acctCode: account, time: '', symbol: '', exchange: '' };
    return this.#ask(this.#executions, (api, id) => api.reqExecutions(id, filter));
  }

  bars(send: (api: IBApi, id: number) => void): Promise<Rows<HistoryRow>> {
    return this.#ask(this.#bars, send, undefined, PRIORITY.history, this.#settings.historyTimeoutMs, (api, id) =>
      api.cancelHistoricalData(id),
    );
  }

  /** Where the data of a contract begin: one row. */
  head(contract: Contract, show: WhatToShow, regularHoursOnly: boolean): Promise<Rows<string>> {
    return this.#ask(
      this.#heads,
      (api, id) => api.reqHeadTimestamp(id, contract, show, regularHoursOnly, 2),
      (api, id) => api.cancelHeadTimestamp(id),
      PRIORITY.history,
    );
  }

  /** The answer to a market rule names the rule: those who ask for the same one share it. */
  rule(ruleId: number): Promise<Rows<unknown>> {
    const asked = this.#rules.get(ruleId);
    if (asked !== undefined) return asked.answer;
    const collector = new Collector<unknown>();
    this.#rules.set(ruleId, collector);
    this.#send(collector, PRIORITY.query, this.#settings.answerTimeoutMs, (api) => api.reqMarketRule(ruleId));
    return collector.answer.finally(() => this.#rules.delete(ruleId));
  }

  async positions(): Promise<Rows<PositionRow>> {
    const answer = await this.#askLane(this.#positions, (api) => api.reqPositions());
    // the request subscribes: without this the next answer would be mixed with news
    if (answer.known) this.#connection?.send(PRIORITY.query, (api) => api.cancelPositions());
    return answer;
  }

  openOrders(): Promise<Rows<OrderRow>> {
    return this.#askLane(this.#openOrders, (api) => api.reqAllOpenOrders());
  }

  completedOrders(): Promise<Rows<OrderRow>> {
    return this.#askLane(this.#completedOrders, (api) => api.reqCompletedOrders(false));
  }

  /** Epoch seconds. The heartbeat's own answer serves as well: it is later than the question. */
  time(): Promise<Rows<number>> {
    return this.#askLane(this.#times, (api) => api.reqCurrentTime());
  }

  async #ask<Row>(
    table: Map<number, Collector<Row>>,
    send: (api: IBApi, id: number) => void,
    after?: (api: IBApi, id: number) => void,
    priority: Priority = PRIORITY.query,
    timeoutMs: number = this.#settings.answerTimeoutMs,
    giveUp?: (api: IBApi, id: number) => void,
  ): Promise<Rows<Row>> {
    const id = this.#ids.next();
    const collector = new Collector<Row>();
    table.set(id, collector);
    const end = (what: ((api: IBApi, id: number) => void) | undefined): void => {
      if (what !== undefined) this.#connection?.send(PRIORITY.query, (api) => what(api, id));
    };
    this.#send(
      collector,
      priority,
      timeoutMs,
      (api) => send(api, id),
      () => end(giveUp),
    );
    const answer = await collector.answer;
    table.delete(id);
    if (answer.known) end(after);
    return answer;
  }

  async #askLane<Row>(lane: Lane<Row>, send: (api: IBApi) => void): Promise<Rows<Row>> {
    const { answerTimeoutMs } = this.#settings;
    const connection = this.#connection;
    while ((lane.current !== null || lane.owed) && this.#connection === connection) {
      const free = await new Promise<boolean>((resolve) => {
        const timer = lane.owed ? setTimeout(() => resolve(false), answerTimeoutMs) : null;
        lane.waiting.push(() => {
          if (timer !== null) clearTimeout(timer);
          resolve(true);
        });
      });
      if (!free) {
        const reason = `the gateway does not answer the request for ${lane.name}`;
        connection?.abandon(reason);
        return unknown(null, reason);
      }
    }
    if (this.#connection !== connection) return unknown(null, 'the connection ended');
    const collector = new Collector<Row>();
    lane.current = collector;
    this.#send(collector, PRIORITY.query, answerTimeoutMs, send, () => {
      lane.owed = true;
    });
    const answer = await collector.answer;
    lane.current = null;
    if (!lane.owed) lane.waiting.shift()?.();
    return answer;
  }

  /** The end of the question under way, or of the one that had timed out. */
  #lateOrEnd<Row>(lane: Lane<Row>): void {
    if (lane.owed) {
      lane.owed = false;
      lane.waiting.shift()?.();
    } else lane.current?.end();
  }

  #send<Row>(
    collector: Collector<Row>,
    priority: Priority,
    timeoutMs: number,
    send: (api: IBApi) => void,
    late: () => void = () => undefined,
  ): void {
    const connection = this.#connection;
    if (connection === null || !connection.isUp) {
      collector.fail(null, 'not connected');
      return;
    }
    connection.send(
      priority,
      (api) => {
        collector.startTimer(timeoutMs, late);
        send(api);
      },
      () => collector.fail(null, 'the connection ended before the question was sent'),
    );
  }
}

/** The broker over Interactive Brokers' gateway, real or simulated: it connects, supervises, and connects again. */
import { fail } from '#src/errors.js';
import { checkInstrument, type Instrument } from '#env/market/instrument.js';
import { sessionEffect } from './codes.js';
import { Connection, type ConnectionUp } from './connection.js';
import type {
  AccountValues,
  Answer,
  Broker,
  BrokerBar,
  BrokerEvent,
  ContractInfo,
  ExecutionReport,
  HistoryRequest,
  OrderReport,
  OrderRequest,
  Position,
} from './contract.js';
import { Contracts, contractInfo, contractOf, marketRuleId, ticksOf, type Ticks } from './contracts.js';
import { BrokerHistory } from './history.js';
import { IdRange } from './ids.js';
import { MarketData } from './market-data.js';
import { FIRST_REQUEST_ID, LAST_REQUEST_ID, settingsOf, type IbBrokerOptions, type Settings } from './options.js';
import { Orders } from './orders.js';
import { Questions, unknown } from './questions.js';
import { completedOrderReport, executionReport, finite, openOrderReport } from './translate.js';

const CLIENT_ID_IN_USE = 326;
/** A connection that held so long was a good one: the next backoff begins anew. */
const GOOD_AFTER_MS = 10_000;
const SUMMARY_TAGS = 'NetLiquidation,TotalCashValue,BuyingPower';

export class IbBroker implements Broker {
  readonly #settings: Settings;
  readonly #contracts = new Contracts();
  readonly #requestIds = new IdRange('request ids', FIRST_REQUEST_ID, LAST_REQUEST_ID);
  readonly #orders: Orders;
  readonly #questions: Questions;
  readonly #marketData: MarketData;
  readonly #history: BrokerHistory;
  #listener: ((event: BrokerEvent) => void) | null = null;
  readonly #events: BrokerEvent[] = [];
  #delivering = false;
  #state: 'new' | 'open' | 'closed' = 'new';
  #connection: Connection | null = null;
  #account = '';
  #linkUp = true;
  #upSinceMs = 0;
  #failures = 0;
  #retry: NodeJS.Timeout | null = null;

  /** Throws CONFIG_VALUE. */
  constructor(options: IbBrokerOptions) {
    this.#settings = settingsOf(options);
    const emit = (event: BrokerEvent): void => this.#emit(event);
    this.#orders = new Orders(this.#settings, this.#contracts, emit);
    this.#questions = new Questions(this.#settings, this.#requestIds);
    this.#marketData = new MarketData(this.#requestIds, emit);
    this.#history = new BrokerHistory(this.#questions, this.#settings.historyLimits, () =>
      this.#settings.clock.nowMs(),
    );
  }

  open(listener: (event: BrokerEvent) => void): void {
    if (this.#state !== 'new')
      fail('BROKER_STATE', { where: 'open', value: this.#state, message: 'a broker is opened once: make another one' });
    this.#state = 'open';
    this.#listener = listener;
    this.#connect();
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    if (this.#retry !== null) clearTimeout(this.#retry);
    await this.#connection?.close();
    // the last events leave
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Ends at once with a reset of the connection: what is still to be sent is lost. */
  abandon(): void {
    this.#state = 'closed';
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#connection?.abandon('abandoned');
  }

  get connected(): boolean {
    return this.#connection?.isUp === true && this.#account !== '';
  }

  get nextOrderId(): number {
    return this.#orders.nextOrderId;
  }

  async contract(instrument: Instrument): Promise<Answer<ContractInfo>> {
    checkInstrument(instrument, `instrument ${instrument.symbol}`);
    const details = await this.#questions.details(contractOf(instrument));
    if (!details.known) return details;
    const rows = details.value;
    if (rows.length !== 1)
      return unknown(null, `${rows.length} contracts fit ${instrument.symbol}: name its exchange and currency`);
    const ticks = await this.#ticks(marketRuleId(rows[0], instrument.exchange), rows[0].minTick);
    if (!ticks.known) return ticks;
    const info = contractInfo(instrument, rows, ticks.value);
    if (info.known) this.#contracts.add(info.value);
    return info;
  }

  async #ticks(ruleId: number | null, minTick: number | undefined): Promise<Answer<Ticks>> {
    const increments =
      ruleId === null
        ? ({ known: true, value: [{ lowEdge: 0, increment: minTick }] } as const)
        : await this.#questions.rule(ruleId);
    if (!increments.known) return increments;
    const ticks = ticksOf(increments.value);
    return ticks === null ? unknown(null, `market rule ${ruleId} makes no sense`) : { known: true, value: ticks };
  }

  async accountValues(): Promise<Answer<AccountValues>> {
    const account = this.#account;
    const answer = await this.#questions.summary(SUMMARY_TAGS);
    if (!answer.known) return answer;
    const values = { netLiquidation: NaN, totalCash: NaN, buyingPower: NaN };
    let currency = '';
    for (const row of answer.value) {
      if (row.account !== account) continue;
      if (row.tag === 'NetLiquidation') values.netLiquidation = numberOf(row.value);
      else if (row.tag === 'TotalCashValue') values.totalCash = numberOf(row.value);
      else if (row.tag === 'BuyingPower') values.buyingPower = numberOf(row.value);
      currency = row.currency || currency;
    }
    if (!Object.values(values).every(Number.isFinite))
      return unknown(null, `the summary of ${account} is not whole: ${JSON.stringify(answer.value)}`);
    return { known: true, value: { ...values, currency } };
  }

  async positions(): Promise<Answer<readonly Position[]>> {
    const account = this.#account;
    const answer = await this.#questions.positions();
    if (!answer.known) return answer;
    const bySymbol = new Map<string, Position>();
    for (const row of answer.value) {
      if (row.account !== account) continue;
      const symbol = this.#contracts.symbolOf(row.contract);
      const { quantity, averageCost } = row;
      if (quantity === undefined || !Number.isFinite(quantity))
        return unknown(null, `the position of ${symbol} makes no sense: ${JSON.stringify(row)}`);
      if (quantity === 0) bySymbol.delete(symbol);
      else bySymbol.set(symbol, { symbol, quantity, averageCost: finite(averageCost) });
    }
    return { known: true, value: [...bySymbol.values()] };
  }

  async openOrders(): Promise<Answer<readonly OrderReport[]>> {
    const answer = await this.#questions.openOrders();
    if (!answer.known) return answer;
    const byOrder = new Map<string, OrderReport>();
    for (const { contract, order, state } of answer.value) {
      if (order.whatIf === true || (order.account ?? this.#account) !== this.#account) continue;
      const report = openOrderReport(order, state, this.#contracts.symbolOf(contract));
      byOrder.set(report.permId === 0 ? `${report.clientId} ${report.orderId}` : String(report.permId), report);
    }
    return { known: true, value: [...byOrder.values()].map((report) => this.#orders.withFilled(report)) };
  }

  async completedOrders(): Promise<Answer<readonly OrderReport[]>> {
    const answer = await this.#questions.completedOrders();
    if (!answer.known) return answer;
    const reports = answer.value
      .filter(({ order }) => (order.account ?? this.#account) === this.#account)
      .map(({ contract, order, state }) => completedOrderReport(order, state, this.#contracts.symbolOf(contract)));
    return { known: true, value: reports };
  }

  async executions(): Promise<Answer<readonly ExecutionReport[]>> {
    const answer = await this.#questions.executions(this.#account);
    if (!answer.known) return answer;
    const reports: ExecutionReport[] = [];
    for (const { contract, execution } of answer.value) {
      if (execution.acctNumber !== this.#account) continue;
      try {
        reports.push(executionReport(execution, this.#contracts.symbolOf(contract)));
      } catch (error) {
        // one that cannot be read makes the whole answer worthless: a fill may be missing
        return unknown(null, error instanceof Error ? error.message : String(error));
      }
    }
    return { known: true, value: reports };
  }

  async history(request: HistoryRequest): Promise<Answer<readonly BrokerBar[]>> {
    const known = this.#contracts.get(request.symbol);
    if (known === undefined) return unknown(null, `the contract of ${request.symbol} is not known: ask for it first`);
    return this.#history.bars(request, known);
  }

  async currentTime(): Promise<Answer<number>> {
    const answer = await this.#questions.time();
    if (!answer.known) return answer;
    const seconds = answer.value[0];
    return seconds > 0 ? { known: true, value: seconds * 1000 } : unknown(null, 'the time makes no sense');
  }

  subscribe(instrument: Instrument): void {
    const known = this.#contracts.get(instrument.symbol);
    if (!this.connected) fail('BROKER_STATE', { where: `subscribe ${instrument.symbol}`, message: 'not connected' });
    if (known === undefined)
      return fail('BROKER_STATE', {
        where: `subscribe ${instrument.symbol}`,
        message: 'its contract is not known: ask for contract() first',
      });
    return this.#marketData.subscribe(known);
  }

  unsubscribe(symbol: string): void {
    this.#marketData.unsubscribe(symbol);
  }

  place(order: OrderRequest): number {
    return this.#orders.place(order, this.#linkUp);
  }

  cancel(orderRef: string): void {
    this.#orders.cancel(orderRef, this.#linkUp);
  }

  restore(orders: readonly { readonly orderRef: string; readonly orderId: number }[]): void {
    this.#orders.restore(orders);
  }

  #connect(): void {
    this.#retry = null;
    const connection = new Connection(this.#settings, {
      up: (facts) => this.#up(connection, facts),
      error: (id, code, text) => this.#error(connection, id, code, text),
      ended: (reason, code) => this.#ended(reason, code),
      fault: (what, error) =>
        this.#emit({
          type: 'notice',
          level: 'error',
          code: 0,
          text: `${what} could not be taken in: ${error instanceof Error ? error.message : String(error)}`,
        }),
    });
    this.#connection = connection;
    this.#linkUp = true;
    this.#orders.attach(connection);
    this.#questions.attach(connection);
    this.#marketData.attach(connection);
  }

  #up(connection: Connection, { accounts, nextValidId, serverVersion }: ConnectionUp): void {
    const { account: wanted, dataOnly } = this.#settings;
    const account = wanted ?? (accounts.length === 1 || dataOnly ? accounts[0] : undefined);
    const problem =
      account === undefined
        ? `the gateway manages ${accounts.length} accounts: say which one to trade`
        : !accounts.includes(account)
          ? `the gateway does not manage the account ${account}`
          : nextValidId >= FIRST_REQUEST_ID
            ? `the gateway's order ids have come to ${nextValidId}: reset its order id sequence`
            : null;
    if (account === undefined || problem !== null) {
      this.#emit({ type: 'notice', level: 'error', code: 0, text: problem ?? '' });
      // a person has to do something about it
      this.#failures = Math.max(this.#failures, 10);
      connection.abandon(problem ?? '');
      return;
    }
    this.#account = account;
    this.#upSinceMs = this.#settings.clock.nowMs();
    if (!dataOnly) this.#orders.begin(connection, account);
    this.#emit({ type: 'connected', accounts, serverVersion });
  }

  #ended(reason: string, code: number | null): void {
    const wasConnected = this.#account !== '';
    const good = wasConnected && this.#settings.clock.nowMs() - this.#upSinceMs >= GOOD_AFTER_MS;
    this.#failures = good ? 0 : this.#failures + 1;
    this.#connection = null;
    this.#account = '';
    this.#orders.end();
    this.#questions.detach(`the connection ended: ${reason}`);
    this.#marketData.detach();
    if (wasConnected) this.#emit({ type: 'disconnected', reason });
    else if (this.#state === 'open')
      this.#emit({ type: 'notice', level: 'warning', code: code ?? 0, text: `cannot connect: ${reason}` });
    if (this.#state !== 'open') return;
    const { first, most } = this.#settings.backoffMs;
    const backoffMs = Math.min(first * 2 ** Math.min(this.#failures, 20), most);
    const waitMs = code === CLIENT_ID_IN_USE ? Math.max(backoffMs, this.#settings.clientIdInUseBackoffMs) : backoffMs;
    this.#retry = setTimeout(() => this.#connect(), waitMs);
  }

  #error(connection: Connection, id: number, code: number, text: string): void {
    if (id !== -1) {
      if (this.#orders.error(id, code, text)) return;
      if (this.#questions.error(id, code, text)) return;
      if (this.#marketData.error(id, code, text)) return;
      // about a request that has ended, or an order of another program
      this.#emit({ type: 'notice', level: 'info', code, text: `${id}: ${text}` });
      return;
    }
    const effect = sessionEffect(code, text);
    switch (effect) {
      case 'linkDown':
        this.#linkUp = false;
        return this.#emit({ type: 'link', state: 'down', dataLost: false, code });
      case 'linkUp':
      case 'linkUpDataLost':
        this.#linkUp = true;
        if (effect === 'linkUpDataLost') this.#marketData.lost();
        return this.#emit({ type: 'link', state: 'up', dataLost: effect === 'linkUpDataLost', code });
      case 'marketDataBroken':
      case 'marketDataOk':
        return this.#emit({
          type: 'dataFarm',
          state: effect === 'marketDataOk' ? 'ok' : 'broken',
          code,
          text,
        });
      case 'rate':
        connection.slowDown();
        this.#orders.rateExceeded(text);
        return this.#emit({ type: 'notice', level: 'error', code, text });
      case 'clientIdInUse':
        return this.#emit({ type: 'notice', level: 'error', code, text });
      case 'ended':
      case 'warning':
        return this.#emit({ type: 'notice', level: 'warning', code, text });
      case 'information':
        return this.#emit({ type: 'notice', level: 'info', code, text });
    }
  }

  /** Events leave one at a time, after whatever is running now. */
  #emit(event: BrokerEvent): void {
    this.#events.push(event);
    if (this.#delivering) return;
    this.#delivering = true;
    queueMicrotask(() => {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
        try {
          this.#listener?.(next);
        } catch (error) {
          this.#settings.onListenerError(error, next);
        }
      }
      this.#delivering = false;
    });
  }
}

/** A number as the summary writes it. */
function numberOf(text: string): number {
  return text.trim() === '' ? NaN : Number(text);
}

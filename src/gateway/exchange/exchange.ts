/** The simulated broker: market, matching and account behind the port. Deterministic; see exchange-port.ts. */
import type { Bars } from '#env/market/bars.js';
import { calendarNamed } from '#env/market/calendar.js';
import { DEFAULT_MARKET_CONFIG, type CostsConfig } from '#env/market/config.js';
import { validSeed } from '#env/seeding.js';
import { fail } from '#src/errors.js';
import type { Exchange, ExchangeClient, ExchangeFault, ExchangeOptions, StepResult, Truth } from '../exchange-port.js';
import type { ExchangeRequest } from '../wire/requests.js';
import { AccountService } from './account-service.js';
import { BacktestMatcher } from './backtest-fills.js';
import { ContractBook } from './contract-book.js';
import { detailsOf, matchingSymbols, optionParameters } from './contract-details.js';
import { Desk } from './desk.js';
import { Dormancy } from './dormancy.js';
import { injectFault } from './faults.js';
import { Feed } from './feed.js';
import { HistoryService } from './history-service.js';
import { MarketData, NO_DEFINITION } from './market-data.js';
import type { Matcher } from './matcher.js';
import { openLedger } from './opening-positions.js';
import { OrderService } from './order-service.js';
import { PathMatcher } from './path-fills.js';
import { Placement } from './placement.js';
import { truthOf } from './truth.js';
import { World } from './world.js';

const DAY_MS = 86_400_000;

/** Throws GATEWAY_OPTIONS, and ENV_CONFIG where the costs do not price an instrument. */
export function createExchange(options: ExchangeOptions): Exchange {
  return new SimulatedExchange(options);
}

const ORDER_REQUESTS: ReadonlySet<ExchangeRequest['type']> = new Set(['placeOrder', 'cancelOrder', 'reqGlobalCancel']);

class SimulatedExchange implements Exchange {
  readonly accounts: readonly string[];
  readonly #world: World;
  readonly #desk: Desk;
  readonly #matcher: Matcher;
  readonly #dormancy: Dormancy;
  readonly #placement: Placement;
  readonly #orders: OrderService;
  readonly #marketData: MarketData;
  readonly #history: HistoryService;
  readonly #account: AccountService;
  /** Bars that close at this instant are done with, those that open at it are to come; NaN: no such moment. */
  #closedAtMs = NaN;

  constructor(options: ExchangeOptions) {
    const { bars, account } = options;
    checkOptions(options);
    this.accounts = [account];
    const startMs = options.startTimeMs ?? secondSession(bars);
    const feeds = bars.map((one, index) => new Feed(index, one, costsOf(one, options.costs), options.seed, startMs));
    this.#world = new World({
      account,
      currency: bars[0].instrument.currency,
      seed: options.seed,
      contracts: new ContractBook(bars, (feed) => feeds[feed].last),
      feeds,
      ledger: openLedger(options.initialCash, feeds, options.positions ?? []),
      nowMs: startMs,
    });
    this.#desk = new Desk(this.#world, options.fills === 'path');
    this.#matcher = options.fills === 'path' ? new PathMatcher(this.#desk) : new BacktestMatcher(this.#desk);
    this.#dormancy = new Dormancy(this.#desk, this.#matcher);
    this.#placement = new Placement(this.#desk, this.#matcher, this.#dormancy, {
      allowShorting: options.allowShorting ?? true,
    });
    this.#orders = new OrderService(this.#desk);
    this.#marketData = new MarketData(this.#world);
    this.#history = new HistoryService(this.#world);
    this.#account = new AccountService(this.#world);
    this.#desk.onFill = ({ feed }) => this.#account.onFill(feed);
  }

  get nowMs(): number {
    return this.#world.nowMs;
  }

  get nextEventMs(): number | null {
    let next = this.#world.timers.nextMs;
    if (!Number.isNaN(this.#closedAtMs)) next = Math.min(next, this.#closedAtMs);
    let over = true;
    for (const feed of this.#world.feeds) {
      const ownMs = feed.nextMs();
      if (ownMs < Infinity) over = false;
      next = Math.min(next, ownMs, feed.quiet ? Infinity : this.#marketData.windows[feed.index].endMs);
    }
    // expiries of orders that outlive the bars are no events of the replay
    if (over && next === this.#world.timers.nextMs) return null;
    return next === Infinity ? null : Math.max(next, this.#world.nowMs);
  }

  step(): StepResult {
    const timeMs = this.nextEventMs;
    if (timeMs === null)
      fail('GATEWAY_STATE', { where: 'exchange', message: 'the replay is over: there is nothing left to do' });
    const world = this.#world;
    world.nowMs = timeMs;
    if (this.#closedAtMs !== timeMs) {
      const closed = this.#closeBars(timeMs);
      this.#endWindows(timeMs);
      world.timers.run(timeMs);
      if (closed) {
        this.#closedAtMs = timeMs;
        this.#account.onTime();
        return { timeMs, boundaryMs: timeMs, openFillsMs: null };
      }
    }
    this.#closedAtMs = NaN;
    const filled = this.#openBars(timeMs);
    this.#listen();
    // ticks of this instant follow in a step of their own, after what the fills have brought about
    if (filled && !this.#matcher.needsTicks) return { timeMs, boundaryMs: null, openFillsMs: timeMs };
    this.#tick(timeMs);
    this.#account.onTime();
    return { timeMs, boundaryMs: null, openFillsMs: null };
  }

  /** Ticks that nobody looked at have happened all the same. */
  #catchUp(): void {
    for (const feed of this.#world.feeds) {
      if (feed.quiet) this.#catchUpFeed(feed);
      feed.settle();
    }
  }

  #catchUpFeed(feed: Feed): void {
    const { nowMs } = this.#world;
    while (feed.isDue(nowMs)) {
      feed.tick();
      this.#marketData.catchUp(feed);
    }
  }

  /** A feed goes quiet where nobody looks: then its bars go by in one step. */
  #listen(): void {
    const marks = this.#account.watchesMarks;
    for (const feed of this.#world.feeds) {
      const held = this.#world.ledger.positions[feed.index].quantity !== 0;
      const matched = this.#matcher.needsTicks && this.#desk.books.of(feed.index).length > 0;
      const watched = this.#marketData.isWatched(feed) || this.#history.follows(feed) || this.#dormancy.watches(feed);
      feed.quiet = !(matched || (marks && held) || watched);
    }
  }

  #closeBars(timeMs: number): boolean {
    let closed = false;
    for (const feed of this.#world.feeds) {
      if (!feed.isOpen || feed.endMs > timeMs) continue;
      if (feed.quiet) {
        feed.skim();
        // windows that nobody looks at have no end of their own
        this.#marketData.windows[feed.index].end();
      } else if (feed.ticked < feed.path.length) continue;
      this.#matcher.onBarClose(feed);
      feed.close();
      closed = true;
    }
    return closed;
  }

  #endWindows(timeMs: number): void {
    for (const feed of this.#world.feeds) {
      const { endMs } = this.#marketData.windows[feed.index];
      if (endMs > timeMs || feed.quiet) continue;
      this.#marketData.onWindow(feed);
      if (!this.#marketData.isStale(feed)) this.#history.onWindow(feed, endMs);
    }
  }

  #openBars(timeMs: number): boolean {
    const opening = this.#world.feeds.filter(
      (feed) => !feed.isOpen && feed.bar < feed.bars.length && feed.startOf(feed.bar) <= timeMs,
    );
    let filled = false;
    for (const feed of opening) filled = this.#overnight(feed) || filled;
    const marks = opening.length === 0 ? null : this.#marks();
    let newDay = false;
    for (const feed of opening) newDay = (feed.open() && this.#isNewDay(feed)) || newDay;
    if (newDay && marks !== null) this.#world.ledger.book({ kind: 'day', marks });
    for (const feed of opening) {
      for (const working of this.#desk.books.of(feed.index).slice()) this.#desk.refresh(working);
      filled = this.#matcher.onBarOpen(feed) || filled;
    }
    return filled;
  }

  /** The account's day turns with the first feed whose day turns. */
  #accountDay = -1;
  #isNewDay(feed: Feed): boolean {
    if (feed.dayId <= this.#accountDay) return false;
    this.#accountDay = feed.dayId;
    return true;
  }

  #marks(): Float64Array {
    return Float64Array.from(this.#world.feeds, ({ index }) => this.#world.mark(index));
  }

  /** Between two bars: borrow for the nights of a short, then corporate actions. Returns whether these moved an order. */
  #overnight(feed: Feed): boolean {
    const { market, bar: t, index } = feed;
    const position = this.#world.ledger.positions[index];
    if (t > 0 && position.quantity < 0) this.#orders.chargeBorrow(feed, market.day[t] - market.day[t - 1]);
    const ratio = market.shareRatio === null || t === 0 ? 1 : market.shareRatio[t];
    if (ratio === 1) return false;
    this.#orders.adjustShares(feed, ratio);
    return this.#desk.books.of(index).length > 0;
  }

  #tick(timeMs: number): void {
    for (const feed of this.#world.feeds) {
      if (feed.quiet || !feed.isDue(timeMs)) continue;
      feed.tick();
      this.#marketData.onTick(feed);
      this.#matcher.onTick(feed);
    }
    this.#dormancy.check();
  }

  advanceClock(timeMs: number): void {
    const next = this.nextEventMs;
    if (!(timeMs >= this.nowMs && (next === null || timeMs <= next))) {
      fail('GATEWAY_STATE', {
        where: 'exchange clock',
        value: timeMs,
        message: `market time goes from ${this.nowMs} to the next event${next === null ? '' : ` at ${next}`}, not elsewhere`,
      });
    }
    this.#world.nowMs = timeMs;
    if (next === null) this.#world.timers.run(timeMs);
  }

  attach(client: ExchangeClient): void {
    this.#world.clients.add(client);
  }

  detach(client: ExchangeClient): void {
    this.#catchUp();
    this.#world.clients.delete(client);
    this.#marketData.detach(client);
    this.#history.detach(client);
    this.#account.detach(client);
    this.#listen();
  }

  nextValidId(clientId: number): number {
    return this.#desk.books.nextValidId(clientId);
  }

  inject(fault: ExchangeFault): void {
    this.#catchUp();
    injectFault(fault, this.#world, this.#desk, this.#marketData, this.#history);
  }

  truth(): Truth {
    for (const feed of this.#world.feeds) if (feed.quiet && feed.isOpen) this.#catchUpFeed(feed);
    return truthOf(this.#world, this.#desk);
  }

  handle(client: ExchangeClient, request: ExchangeRequest): void {
    // in a backtest orders meet bars, and need no quote
    if (this.#matcher.needsTicks || !ORDER_REQUESTS.has(request.type)) this.#catchUp();
    this.#answer(client, request);
    if (ORDER_REQUESTS.has(request.type)) this.#dormancy.check();
    this.#listen();
  }

  #answer(client: ExchangeClient, request: ExchangeRequest): void {
    switch (request.type) {
      case 'reqContractDetails':
        return this.#contractDetails(client, request);
      case 'reqMatchingSymbols':
        return client.send(matchingSymbols(this.#world.contracts, request.reqId, request.pattern));
      case 'reqSecDefOptParams':
        return optionParameters(this.#world.contracts, request, this.nowMs).forEach((message) => client.send(message));
      case 'reqMarketRule':
        return this.#marketRule(client, request.marketRuleId);
      case 'reqMktData':
        return this.#marketData.reqMktData(client, request);
      case 'cancelMktData':
        return this.#marketData.cancelMktData(client, request.reqId);
      case 'reqMarketDataType':
        return this.#marketData.reqMarketDataType(client, request.marketDataType);
      case 'reqTickByTickData':
        return this.#marketData.reqTickByTick(client, request, (feed, show, wanted) =>
          this.#history.recentTicks(client, request.reqId, feed, show, wanted),
        );
      case 'cancelTickByTickData':
        return this.#marketData.cancelTickByTick(client, request.reqId);
      case 'reqRealTimeBars':
        return this.#marketData.reqRealTimeBars(client, request);
      case 'cancelRealTimeBars':
        return this.#marketData.cancelRealTimeBars(client, request.reqId);
      case 'reqHistoricalData':
        return this.#history.reqHistoricalData(client, request);
      case 'cancelHistoricalData':
        return this.#history.cancelHistoricalData(client, request.reqId);
      case 'reqHeadTimestamp':
        return this.#history.reqHeadTimestamp(client, request);
      case 'reqHistoricalTicks':
        return this.#history.reqHistoricalTicks(client, request);
      case 'reqHistogramData':
        return this.#history.reqHistogramData(client, request);
      case 'cancelHeadTimestamp':
      case 'cancelHistogramData':
        // answered at once: there is nothing left to cancel
        return;
      case 'placeOrder':
        return this.#placement.place(client, request.orderId, request.contract, request.order);
      case 'cancelOrder':
        return this.#orders.cancel(client, request.orderId);
      case 'reqGlobalCancel':
        return this.#orders.cancelAll();
      case 'reqOpenOrders':
        return this.#orders.openOrders(client, false);
      case 'reqAllOpenOrders':
        return this.#orders.openOrders(client, true);
      case 'reqAutoOpenOrders':
        return this.#orders.autoOpenOrders(client);
      case 'reqExecutions':
        return this.#orders.executions(client, request.reqId, request.filter);
      case 'reqCompletedOrders':
        return this.#orders.completedOrders(client);
      case 'reqAccountUpdates':
        return this.#account.reqAccountUpdates(client, request.subscribe, request.account);
      case 'reqAccountUpdatesMulti':
        return this.#account.reqAccountUpdatesMulti(client, request.reqId, request.account, request.modelCode);
      case 'cancelAccountUpdatesMulti':
        return this.#account.cancel(client, 'updatesMulti', request.reqId);
      case 'reqAccountSummary':
        return this.#account.reqAccountSummary(client, request.reqId, request.group, request.tags);
      case 'cancelAccountSummary':
        return this.#account.cancel(client, 'summary', request.reqId);
      case 'reqPositions':
        return this.#account.reqPositions(client);
      case 'cancelPositions':
        return this.#account.cancel(client, 'positions', 0);
      case 'reqPositionsMulti':
        return this.#account.reqPositionsMulti(client, request.reqId, request.account, request.modelCode);
      case 'cancelPositionsMulti':
        return this.#account.cancel(client, 'positionsMulti', request.reqId);
      case 'reqPnL':
        return this.#account.reqPnl(client, request.reqId, request.account);
      case 'cancelPnL':
        return this.#account.cancel(client, 'pnl', request.reqId);
      case 'reqPnLSingle':
        return this.#account.reqPnlSingle(client, request.reqId, request.account, request.conId);
      case 'cancelPnLSingle':
        return this.#account.cancel(client, 'pnlSingle', request.reqId);
    }
  }

  #contractDetails(client: ExchangeClient, request: Extract<ExchangeRequest, { type: 'reqContractDetails' }>): void {
    const { reqId, contract } = request;
    const found = this.#world.contracts.matches(contract, this.nowMs);
    if (found.length === 0) return client.send({ type: 'error', id: reqId, code: 200, message: NO_DEFINITION });
    for (const entry of found) {
      const price = this.#world.feeds[entry.feed]?.last ?? NaN;
      client.send({ type: 'contractDetails', reqId, details: detailsOf(entry, contract, this.nowMs, price) });
    }
    client.send({ type: 'contractDetailsEnd', reqId });
  }

  #marketRule(client: ExchangeClient, marketRuleId: number): void {
    const increments = this.#world.contracts.increments(marketRuleId);
    if (increments !== undefined) return client.send({ type: 'marketRule', marketRuleId, increments });
    client.send({
      type: 'error',
      id: -1,
      code: 321,
      message: `Error validating request.-'bW' : cause - Market rule ${marketRuleId} is not known`,
    });
  }
}

function checkOptions({ bars, account, seed, initialCash, startTimeMs }: ExchangeOptions): void {
  if (bars.length === 0)
    fail('GATEWAY_OPTIONS', { where: 'bars', message: 'there is nothing to replay: name at least one data set' });
  validSeed(seed, 'seed');
  if (!/^D?U\d{1,9}$|^DF\d{1,9}$/.test(account))
    fail('GATEWAY_OPTIONS', { where: 'account', value: account, message: 'write an account as DU1234567' });
  if (!(initialCash > 0 && initialCash <= 1e9))
    fail('GATEWAY_OPTIONS', {
      where: 'initialCash',
      value: initialCash,
      message: 'initial cash lies above 0 and up to 1e9',
    });
  const names = new Set<string>();
  for (const { instrument } of bars) {
    const { symbol, currency } = instrument;
    if (currency !== bars[0].instrument.currency) {
      fail('GATEWAY_OPTIONS', {
        where: `instrument ${symbol}`,
        value: currency,
        message: `the account has one currency, ${bars[0].instrument.currency}, that of the first data set: replay instruments of other currencies in another gateway`,
      });
    }
    if (names.has(symbol))
      fail('GATEWAY_OPTIONS', {
        where: 'bars',
        value: symbol,
        message: 'two data sets have the same symbol: replay them one at a time',
      });
    names.add(symbol);
  }
  if (startTimeMs !== undefined && !Number.isFinite(startTimeMs))
    fail('GATEWAY_OPTIONS', { where: 'startTimeMs', value: startTimeMs, message: 'the start must be an instant' });
}

/** Charge on instruments that the fixed pricing of US stocks does not cover: IBKR's least for currency pairs. */
const OTHER_BPS = 0.2;

function costsOf({ instrument }: Bars, given: CostsConfig | undefined): CostsConfig {
  if (given !== undefined) return given;
  const { costs } = DEFAULT_MARKET_CONFIG;
  const usStock = instrument.securityType === 'STK' && instrument.currency === 'USD';
  return usStock ? costs : { ...costs, model: 'percent', percent_bps: OTHER_BPS };
}

/** Open of the second session of the earliest data set: one day of history is there at the start. */
function secondSession(bars: readonly Bars[]): number {
  const first = bars.reduce((a, b) => (b.openTimeMs[0] < a.openTimeMs[0] ? b : a));
  const calendar = calendarNamed(first.calendar);
  const daily = first.interval.ms >= DAY_MS;
  const dayOf = (timeMs: number): number =>
    daily ? Math.floor(timeMs / DAY_MS) : (calendar.sessionAt(timeMs)?.dayId ?? Math.floor(timeMs / DAY_MS));
  const day = dayOf(first.openTimeMs[0]);
  const second = first.openTimeMs.find((timeMs) => dayOf(timeMs) > day) ?? first.openTimeMs[0];
  return daily ? (calendar.sessionOnDay(Math.floor(second / DAY_MS))?.openMs ?? second) : second;
}

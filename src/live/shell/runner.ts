/**
 * The shell around the trader: what the broker says goes in as events, what the trader wants goes to the journal and
 * then to the broker. It decides nothing. One event at a time: the next is taken when the intents of the last are sent.
 */
import { calendarNamed } from '#env/market/calendar.js';
import type { Instrument } from '#env/market/instrument.js';
import type { Answer, Broker, BrokerEvent, ContractInfo } from '#src/broker/contract.js';
import { OpenBellError } from '#src/errors.js';
import type { TraderConfig } from '../core/config.js';
import type { Decider } from '../core/decider.js';
import type { Command, TraderEvent, TraderNews } from '../core/events.js';
import type { Alert, DecisionRecord, TraderIntent, TradeRecord } from '../core/intents.js';
import { Trader } from '../core/trader.js';
import type { Journal } from './journal.js';

/** Whoever wants to know what happens. */
export interface RunnerListener {
  onAlert?(alert: Alert, event: TraderEvent): void;
  onDecision?(decision: DecisionRecord, event: TraderEvent): void;
  onTrade?(trade: TradeRecord, event: TraderEvent): void;
  onOrder?(intent: Extract<TraderIntent, { type: 'place' | 'modify' | 'cancel' }>, event: TraderEvent): void;
  onEvent?(event: TraderEvent): void;
}

export interface RunnerClock {
  /** Epoch milliseconds of the wall. */
  nowMs(): number;
  /** Monotonic, of this process. */
  elapsedMs(): number;
}

/**
 * The way of an event's intents. `heard`: nothing is on the disk. `durable`: all is, and nothing was done. `done`: so
 * many of them were carried out.
 */
export type RunnerStep = 'heard' | 'durable' | 'done';

export interface RunnerOptions {
  readonly broker: Broker;
  readonly journal: Journal;
  /** Of a new journal; one that was begun keeps its own. */
  readonly config: TraderConfig;
  readonly decider: Decider;
  readonly listener?: RunnerListener;
  readonly clock?: RunnerClock;
  /** Wall milliseconds between two looks at the clock. */
  readonly tickEveryMs?: number;
  /** An error of our own has ended the runner. Default: the process ends with it. */
  readonly onFailure?: (error: unknown) => void;
  /** Called as an event with intents goes its way: where tests let the process die. */
  readonly onStep?: (step: RunnerStep, intents: readonly TraderIntent[], done: number) => void;
}

const SYSTEM_CLOCK: RunnerClock = { nowMs: () => Date.now(), elapsedMs: () => performance.now() };
const TICK_EVERY_MS = 1_000;
const RECONCILE_AGAIN_MS = 1_000;
const CONTRACT_AGAIN_MS = 5_000;
const FIVE_SECONDS_MS = 5_000;
const DAY_MS = 86_400_000;
/** Quotes come in floods; one a second says all that a plausibility check needs. */
const QUOTE_EVERY_MS = 1_000;
/** Sessions before the one under way that the bars since the anchor may reach into, beyond what the warm-up needs. */
const SPARE_SESSIONS = 2;

export class Runner {
  readonly trader: Trader;
  readonly config: TraderConfig;
  readonly #broker: Broker;
  readonly #journal: Journal;
  readonly #listener: RunnerListener;
  readonly #clock: RunnerClock;
  readonly #tickEveryMs: number;
  readonly #onStep: RunnerOptions['onStep'] | null;
  readonly #onFailure: (error: unknown) => void;
  /** Wall clock of the journal: never behind what it holds already. */
  readonly #wallStartMs: number;
  #marketMs = 0;
  readonly #queue: TraderNews[] = [];
  #draining = false;
  #ended = false;
  #timer: NodeJS.Timeout | null = null;
  /** Answers to the trader's questions that are on their way. */
  #asking = 0;
  readonly #idle = new Set<() => void>();
  readonly #orderIds = new Map<string, number>();
  readonly #quotedAtMs = new Map<string, number>();

  /** Throws LIVE_JOURNAL where the journal was begun for another account or deployment. */
  constructor(options: RunnerOptions) {
    const { broker, journal, config, decider, listener = {}, clock = SYSTEM_CLOCK } = options;
    this.#broker = broker;
    this.#journal = journal;
    this.#listener = listener;
    this.#clock = clock;
    this.#tickEveryMs = options.tickEveryMs ?? TICK_EVERY_MS;
    this.#onStep = options.onStep ?? null;
    this.#onFailure = options.onFailure ?? throwOutside;
    this.trader = new Trader(decider);
    let lastWallMs = 0;
    for (const { event } of journal.entries()) {
      this.trader.handle(event);
      this.#noteIds(event);
      lastWallMs = event.wallMs;
      this.#marketMs = event.marketMs;
    }
    this.#wallStartMs = Math.max(clock.nowMs() - clock.elapsedMs(), lastWallMs - clock.elapsedMs());
    if (journal.length === 0) this.#take({ type: 'started', config });
    else this.#take({ type: 'restarted' });
    this.config = this.trader.config;
  }

  /** Connects, and works until `stop`. */
  start(): void {
    // a stop is modified under the id of its parent, though that has long been filled
    const refs = this.trader.symbols.flatMap(({ orders }) =>
      orders
        .live()
        .flatMap(({ request: { orderRef, parentRef } }) => (parentRef === null ? [orderRef] : [parentRef, orderRef])),
    );
    this.#broker.restore(
      [...new Set(refs)].flatMap((orderRef) => {
        const orderId = this.#orderIds.get(orderRef);
        return orderId === undefined ? [] : [{ orderRef, orderId }];
      }),
    );
    this.#orderIds.clear();
    this.#broker.open((event) => this.#hear(event));
    this.#timer = setInterval(() => {
      try {
        this.feed({ type: 'clock' });
        // what is held back now need not be written when an order waits for it
        if (!this.#ended) this.#journal.flush();
      } catch (error) {
        this.#fail(error);
      }
    }, this.#tickEveryMs);
  }

  /** The broker's ids of our orders, as far as the journal heard of them. */
  #noteIds(event: TraderEvent): void {
    const reports =
      event.type === 'order' || event.type === 'execution'
        ? [event.report]
        : event.type === 'reconciled'
          ? [...event.openOrders, ...event.executions]
          : [];
    for (const { orderRef, orderId } of reports)
      if (orderRef !== '' && orderId > 0) this.#orderIds.set(orderRef, orderId);
  }

  command(command: Command): void {
    this.feed({ type: 'command', command });
  }

  /** Whether nothing is on its way: no order without an answer, no question without one. */
  get settled(): boolean {
    return this.#asking === 0 && this.trader.settled;
  }

  /** Waits until orders may be sent, or `withinMs` (wall) have passed. Returns whether they may. */
  async ready(withinMs: number): Promise<boolean> {
    const deadline = this.#clock.elapsedMs() + withinMs;
    while (!this.trader.ready && this.#clock.elapsedMs() < deadline && !this.#ended)
      await this.#change(Math.min(deadline - this.#clock.elapsedMs(), RECONCILE_AGAIN_MS));
    return this.trader.ready;
  }

  /** Waits until nothing is on its way, or `withinMs` (wall) have passed. Returns whether it is settled. */
  async settle(withinMs: number): Promise<boolean> {
    const deadline = this.#clock.elapsedMs() + withinMs;
    while (!this.settled) {
      const left = deadline - this.#clock.elapsedMs();
      if (left <= 0) return false;
      await this.#change(Math.min(left, RECONCILE_AGAIN_MS));
    }
    return true;
  }

  /** Stops deciding, lets settle what is in flight, disconnects. Resting orders stay. */
  async stop(withinMs: number): Promise<boolean> {
    this.command({ kind: 'shutdown' });
    const flat = (): boolean =>
      this.trader.symbols.every(({ position, leaving }) => position === 0 || leaving === null);
    const deadline = this.#clock.elapsedMs() + withinMs;
    while (this.#broker.connected && !(this.settled && flat()) && this.#clock.elapsedMs() < deadline)
      await this.#change(Math.min(deadline - this.#clock.elapsedMs(), RECONCILE_AGAIN_MS));
    const settled = this.settled && flat();
    await this.end();
    return settled;
  }

  /** Ends at once: what rests at the broker rests on. */
  async end(): Promise<void> {
    this.#ended = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#broker.close();
    this.#journal.close();
  }

  /** Hears and does nothing more from here on. Broker and journal are left as they are. */
  abandon(): void {
    this.#ended = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    for (const wake of this.#idle) wake();
  }

  /** Gives the trader an event, and does what it wants. */
  feed(news: TraderNews): void {
    if (this.#ended) return;
    this.#queue.push(news);
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#take(next);
    } finally {
      this.#draining = false;
    }
    for (const wake of this.#idle) wake();
  }

  #take(news: TraderNews): void {
    const event = this.#stamped(news);
    const intents = this.trader.handle(event);
    const placed = intents.filter(({ type }) => type === 'place').length;
    if (intents.length > 0) this.#onStep?.('heard', intents, 0);
    this.#journal.append(event, intents, placed === 0 ? 0 : this.#broker.nextOrderId + placed);
    if (intents.length > 0) this.#onStep?.('durable', intents, 0);
    this.#listener.onEvent?.(event);
    for (const [index, intent] of intents.entries()) {
      this.#carryOut(intent, event);
      this.#onStep?.('done', intents, index + 1);
    }
  }

  #stamped(news: TraderNews): TraderEvent {
    if (news.type === 'fiveSecondBar') this.#marketMs = Math.max(this.#marketMs, news.bar.openMs + FIVE_SECONDS_MS);
    if (news.type === 'execution') this.#marketMs = Math.max(this.#marketMs, news.report.marketMs);
    return { ...news, marketMs: this.#marketMs, wallMs: this.#wallStartMs + this.#clock.elapsedMs() };
  }

  #carryOut(intent: TraderIntent, event: TraderEvent): void {
    switch (intent.type) {
      case 'alert':
        return this.#listener.onAlert?.(intent.alert, event);
      case 'decision':
        return this.#listener.onDecision?.(intent.decision, event);
      case 'trade':
        return this.#listener.onTrade?.(intent.trade, event);
      case 'place':
      case 'modify': {
        this.#listener.onOrder?.(intent, event);
        return this.#send(intent.order.orderRef, () => this.#broker.place(intent.order));
      }
      case 'cancel':
        this.#listener.onOrder?.(intent, event);
        return this.#send(intent.orderRef, () => this.#broker.cancel(intent.orderRef));
      case 'subscribe': {
        const symbol = this.config.symbols.find((one) => one.symbol === intent.symbol);
        if (symbol !== undefined) this.#broker.subscribe(symbol.instrument);
        return;
      }
      case 'reconcile':
        return this.#ask(() => this.#reconcile());
      case 'history':
        return this.#ask(() => this.#history(intent.symbol, intent.fromMs));
    }
  }

  /** What the broker refuses before sending becomes an event, so that a replay knows of it. */
  #send(orderRef: string, act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof OpenBellError)) throw error;
      const effect = error.code === 'BROKER_ORDER' ? 'rejected' : 'doubtful';
      this.#queue.push({ type: 'orderError', orderRef, effect, code: 0, text: error.message });
    }
  }

  #ask(question: () => Promise<void>): void {
    this.#asking++;
    question()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#asking--;
        for (const wake of this.#idle) wake();
      });
  }

  /** Contracts first: neither orders nor market data go without. */
  async #begin(): Promise<void> {
    const answers = await Promise.all(
      this.config.symbols.map(async ({ instrument }) => ({
        instrument,
        answer: await this.#broker.contract(instrument),
      })),
    );
    for (const { instrument, answer } of answers) {
      const problem = contractProblem(instrument, answer);
      if (problem === null) continue;
      this.#tell('critical', 'CONTRACT', instrument.symbol, `${problem}: nothing is traded; asking again`);
      await this.#change(CONTRACT_AGAIN_MS);
      return this.#broker.connected && !this.#ended ? this.#begin() : undefined;
    }
    // which bars are missing, and whether the market is open, is a question of its time
    const now = await this.#broker.currentTime();
    if (!now.known) return this.#broker.connected && !this.#ended ? this.#begin() : undefined;
    this.#marketMs = Math.max(this.#marketMs, now.value);
    if (this.#broker.connected) this.feed({ type: 'connected' });
  }

  #tell(level: Alert['level'], code: string, symbol: string | null, text: string): void {
    this.#listener.onAlert?.({ level, code, symbol, text }, this.#stamped({ type: 'clock' }));
  }

  async #reconcile(): Promise<void> {
    const beganWallMs = this.#wallStartMs + this.#clock.elapsedMs();
    const [positions, openOrders, completedOrders, executions] = await Promise.all([
      this.#broker.positions(),
      this.#broker.openOrders(),
      this.#broker.completedOrders(),
      this.#broker.executions(),
    ]);
    const unknown = [positions, openOrders, completedOrders, executions].find(({ known }) => !known);
    if (!positions.known || !openOrders.known || !completedOrders.known || !executions.known) {
      const reason = unknown !== undefined && !unknown.known ? unknown.reason : 'no reason';
      return this.feed({ type: 'unreconciled', reason });
    }
    this.feed({
      type: 'reconciled',
      beganWallMs,
      positions: positions.value.map(({ symbol, quantity }) => ({ symbol, quantity })),
      openOrders: openOrders.value,
      completedOrders: completedOrders.value,
      executions: executions.value,
    });
  }

  async #history(symbol: string, fromMs: number | null): Promise<void> {
    const { interval } = this.config;
    const now = await this.#broker.currentTime();
    if (now.known) this.#marketMs = Math.max(this.#marketMs, now.value);
    const toMs = this.#marketMs;
    const answer = await this.#broker.history({
      symbol,
      interval: interval.label,
      fromMs: fromMs ?? this.config.anchorMs ?? anchorBefore(toMs, this.config),
      toMs,
      regularHoursOnly: true,
    });
    if (!answer.known) {
      this.#tell('warning', 'HISTORY_UNKNOWN', symbol, `no bars came (${answer.reason}): asking again`);
      await this.#change(RECONCILE_AGAIN_MS);
      if (this.#broker.connected && !this.#ended) return this.#history(symbol, fromMs);
      return;
    }
    const bars = answer.value.filter(({ openMs }) => openMs > (fromMs ?? -Infinity));
    this.feed({ type: 'history', symbol, anchor: fromMs === null, bars });
  }

  /** An error of our own leaves nothing to rely on: no more events are taken, and what rests at the broker rests on. */
  #hear(event: BrokerEvent): void {
    try {
      this.#translate(event);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#ended) return;
    this.abandon();
    this.#onFailure(error);
  }

  #translate(event: BrokerEvent): void {
    switch (event.type) {
      case 'connected':
        return this.#ask(() => this.#begin());
      case 'disconnected':
        return this.feed({ type: 'disconnected' });
      case 'link':
        return event.state === 'down' ? this.feed({ type: 'disconnected' }) : this.#ask(() => this.#begin());
      case 'marketDataType':
        return this.feed({ type: 'dataType', symbol: event.symbol, marketDataType: event.marketDataType });
      case 'commission': {
        const { execRoot, revision, amount } = event.report;
        return this.feed({ type: 'commission', execRoot, revision, amount });
      }
      case 'orderError': {
        const { orderRef, effect, code, text } = event;
        return this.feed({ type: 'orderError', orderRef, effect, code, text });
      }
      case 'fiveSecondBar':
      case 'execution':
      case 'order':
        return this.feed(event);
      case 'quote':
        return this.#quote(event);
      case 'trade':
        // between closes only levels that follow every tick look at trades
        if (this.config.market.exits.ratchet === 'tick')
          this.feed({ type: 'trade', symbol: event.symbol, price: event.price });
        return;
      case 'dataFarm':
      case 'dataError':
      case 'notice':
        return this.#notice(event);
    }
  }

  #quote(event: Extract<BrokerEvent, { type: 'quote' }>): void {
    const elapsedMs = this.#clock.elapsedMs();
    if (elapsedMs - (this.#quotedAtMs.get(event.symbol) ?? -Infinity) < QUOTE_EVERY_MS) return;
    this.#quotedAtMs.set(event.symbol, elapsedMs);
    this.feed(event);
  }

  /** What changes nothing for the trader is still told. */
  #notice(event: Extract<BrokerEvent, { type: 'dataFarm' | 'dataError' | 'notice' }>): void {
    const level = event.type === 'notice' ? (event.level === 'info' ? 'info' : 'warning') : 'info';
    this.#tell(level, `BROKER_${event.code}`, event.type === 'dataError' ? event.symbol : null, event.text);
  }

  #change(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#idle.delete(done);
        resolve();
      };
      const timer = setTimeout(done, withinMs);
      this.#idle.add(done);
    });
  }
}

/** The open of a session so far back that the bars since then are warm by `toMs`. */
function anchorBefore(toMs: number, { calendar: name, interval, warmup }: TraderConfig): number {
  const calendar = calendarNamed(name);
  const daily = interval.ms >= DAY_MS;
  let needed = warmup + 1;
  let spare = SPARE_SESSIONS;
  for (let dayId = Math.floor(toMs / DAY_MS); ; dayId--) {
    const session = calendar.sessionOnDay(dayId);
    if (session === null || session.closeMs > toMs) continue;
    needed -= daily ? 1 : Math.ceil((session.closeMs - session.openMs) / interval.ms);
    if (needed > 0) continue;
    if (spare-- === 0) return daily ? session.dayId * DAY_MS : session.openMs;
  }
}

/** What the broker says of a contract must be what the policy was trained for. */
export function contractProblem(instrument: Instrument, answer: Answer<ContractInfo>): string | null {
  if (!answer.known) return `the contract is not known (${answer.reason})`;
  const { ticks, lotSize } = answer.value.instrument;
  if (JSON.stringify(ticks) !== JSON.stringify(instrument.ticks))
    return `the broker's ticks are ${JSON.stringify(ticks)}, the bundle's ${JSON.stringify(instrument.ticks)}`;
  return lotSize === instrument.lotSize ? null : `the broker's lot is ${lotSize}, the bundle's ${instrument.lotSize}`;
}

/** Where no caller could catch it. */
function throwOutside(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/**
 * The shell around the trader: what the broker says goes in as events, what the trader wants goes to the journal and
 * then to the broker. It decides nothing. What the broker says in one breath is one batch: the trader hears all of it,
 * one sync makes it durable with all that it led to, then the orders leave, and only then is anybody told.
 */
import type { Broker, BrokerEvent } from '#src/broker/contract.js';
import { OpenBellError } from '#src/errors.js';
import type { TraderConfig } from '../core/config.js';
import type { Decider } from '../core/decider.js';
import type { Command, TraderEvent, TraderNews } from '../core/events.js';
import type { Alert, DecisionRecord, TraderIntent, TradeRecord } from '../core/intents.js';
import { Trader } from '../core/trader.js';
import { BrokerNews } from './broker-news.js';
import { BrokerQuestions } from './broker-questions.js';
import { EventClock, SYSTEM_CLOCK, type RunnerClock } from './event-clock.js';
import { IdleCollection } from './idle-collection.js';
import type { Journal } from './journal.js';

/** Whoever wants to know what happens. */
export interface RunnerListener {
  onAlert?(alert: Alert, event: TraderEvent): void;
  onDecision?(decision: DecisionRecord, event: TraderEvent): void;
  onTrade?(trade: TradeRecord, event: TraderEvent): void;
  onOrder?(intent: Extract<TraderIntent, { type: 'place' | 'modify' | 'cancel' }>, event: TraderEvent): void;
  onEvent?(event: TraderEvent): void;
}

/**
 * The way of a batch's intents. `heard`: nothing is on the disk. `durable`: all is, and nothing was done. `done`: so
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
  /** Called as a batch with intents goes its way: where tests let the process die. */
  readonly onStep?: (step: RunnerStep, intents: readonly TraderIntent[], done: number) => void;
}

const TICK_EVERY_MS = 1_000;
const LOOK_AGAIN_MS = 1_000;
/** Events that go through together at most: a flood must not keep an order waiting. */
const MOST_AT_ONCE = 32;

interface Heard {
  readonly event: TraderEvent;
  readonly intents: readonly TraderIntent[];
}

export class Runner {
  readonly trader: Trader;
  readonly config: TraderConfig;
  readonly #broker: Broker;
  readonly #journal: Journal;
  readonly #listener: RunnerListener;
  readonly #clock: EventClock;
  readonly #news: BrokerNews;
  readonly #questions: BrokerQuestions;
  readonly #tickEveryMs: number;
  readonly #onStep: RunnerOptions['onStep'] | null;
  readonly #onFailure: (error: unknown) => void;
  readonly #queue: TraderNews[] = [];
  #drainsSoon = false;
  #draining = false;
  #ended = false;
  #timer: NodeJS.Timeout | null = null;
  readonly #garbage = new IdleCollection();
  /** Answers to the trader's questions that are on their way. */
  #asking = 0;
  readonly #idle = new Set<() => void>();
  readonly #orderIds = new Map<string, number>();

  /** Throws LIVE_JOURNAL where the journal was begun for another account or deployment. */
  constructor(options: RunnerOptions) {
    const { broker, journal, config, decider, listener = {}, clock = SYSTEM_CLOCK } = options;
    this.#broker = broker;
    this.#journal = journal;
    this.#listener = listener;
    this.#tickEveryMs = options.tickEveryMs ?? TICK_EVERY_MS;
    this.#onStep = options.onStep ?? null;
    this.#onFailure = options.onFailure ?? throwOutside;
    this.trader = new Trader(decider);
    let last = { marketMs: 0, wallMs: 0 };
    for (const { event } of journal.entries()) {
      this.trader.handle(event);
      this.#noteIds(event);
      last = event;
    }
    this.#clock = new EventClock(clock, last.marketMs, last.wallMs);
    this.#queue.push(journal.length === 0 ? { type: 'started', config } : { type: 'restarted' });
    this.#takeBatch();
    this.config = this.trader.config;
    this.#questions = new BrokerQuestions(broker, this);
    this.#news = new BrokerNews(
      {
        began: () => this.#ask(() => this.#questions.begin()),
        news: (news) => this.#feedSoon(news),
        told: (alert) => this.tell(alert),
      },
      () => this.#clock.elapsedMs,
      this.config.market.exits.ratchet === 'tick',
    );
  }

  get clock(): EventClock {
    return this.#clock;
  }

  get ended(): boolean {
    return this.#ended;
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
        if (!this.#ended) this.#journal.rest();
        if (this.settled) this.#garbage.rest(this.#clock.marketMs, this.config.interval.ms);
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

  /** Whether nothing is on its way: no order without an answer, no question without one, nothing heard and not taken. */
  get settled(): boolean {
    return this.#queue.length === 0 && this.#asking === 0 && this.trader.settled;
  }

  /** Waits until orders may be sent, or `withinMs` (wall) have passed. Returns whether they may. */
  async ready(withinMs: number): Promise<boolean> {
    const deadline = this.#clock.elapsedMs + withinMs;
    while (!this.trader.ready && this.#clock.elapsedMs < deadline && !this.#ended)
      await this.change(Math.min(deadline - this.#clock.elapsedMs, LOOK_AGAIN_MS));
    return this.trader.ready;
  }

  /** Waits until nothing is on its way, or `withinMs` (wall) have passed. Returns whether it is settled. */
  async settle(withinMs: number): Promise<boolean> {
    const deadline = this.#clock.elapsedMs + withinMs;
    while (!this.settled) {
      const left = deadline - this.#clock.elapsedMs;
      if (left <= 0 || this.#ended) return false;
      await this.change(Math.min(left, LOOK_AGAIN_MS));
    }
    return true;
  }

  /** Stops deciding, lets settle what is in flight, disconnects. Resting orders stay. */
  async stop(withinMs: number): Promise<boolean> {
    this.command({ kind: 'shutdown' });
    const flat = (): boolean =>
      this.trader.symbols.every(({ position, leaving }) => position === 0 || leaving === null);
    const deadline = this.#clock.elapsedMs + withinMs;
    while (this.#broker.connected && !(this.settled && flat()) && this.#clock.elapsedMs < deadline)
      await this.change(Math.min(deadline - this.#clock.elapsedMs, LOOK_AGAIN_MS));
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

  /** Gives the trader an event now, and does what it wants. */
  feed(news: TraderNews): void {
    if (this.#ended) return;
    this.#queue.push(news);
    this.#drain();
  }

  /** With whatever else comes in one breath: as soon as what is running now has ended. */
  #feedSoon(news: TraderNews): void {
    if (this.#ended) return;
    this.#queue.push(news);
    if (this.#drainsSoon) return;
    this.#drainsSoon = true;
    queueMicrotask(() => {
      this.#drainsSoon = false;
      try {
        this.#drain();
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    try {
      while (this.#queue.length > 0 && !this.#ended) this.#takeBatch();
    } finally {
      this.#draining = false;
    }
    for (const wake of this.#idle) wake();
  }

  #takeBatch(): void {
    const heard: Heard[] = [];
    const all: TraderIntent[] = [];
    let placed = 0;
    for (const news of this.#queue.splice(0, MOST_AT_ONCE)) {
      const event = this.#clock.stamped(news);
      const intents = this.trader.handle(event);
      heard.push({ event, intents });
      for (const intent of intents) {
        all.push(intent);
        if (intent.type === 'place') placed++;
      }
    }
    if (all.length > 0) this.#onStep?.('heard', all, 0);
    this.#journal.appendAll(heard, placed === 0 ? 0 : this.#broker.nextOrderId + placed);
    if (all.length > 0) this.#onStep?.('durable', all, 0);
    for (const [index, intent] of all.entries()) {
      this.#carryOut(intent);
      this.#onStep?.('done', all, index + 1);
    }
    for (const one of heard) this.#report(one);
  }

  /** Tells whoever wants to know. After the orders have left: logs are written to a disk. */
  #report({ event, intents }: Heard): void {
    const listener = this.#listener;
    listener.onEvent?.(event);
    for (const intent of intents)
      switch (intent.type) {
        case 'alert':
          listener.onAlert?.(intent.alert, event);
          break;
        case 'decision':
          listener.onDecision?.(intent.decision, event);
          break;
        case 'trade':
          listener.onTrade?.(intent.trade, event);
          break;
        case 'place':
        case 'modify':
        case 'cancel':
          listener.onOrder?.(intent, event);
      }
  }

  #carryOut(intent: TraderIntent): void {
    switch (intent.type) {
      case 'place':
      case 'modify':
        return this.#send(intent.order.orderRef, () => this.#broker.place(intent.order));
      case 'cancel':
        return this.#send(intent.orderRef, () => this.#broker.cancel(intent.orderRef));
      case 'subscribe': {
        const symbol = this.config.symbols.find((one) => one.symbol === intent.symbol);
        // one that is gone meanwhile: the next connection subscribes anew
        if (symbol !== undefined && this.#broker.connected) this.#broker.subscribe(symbol.instrument);
        return;
      }
      case 'reconcile':
        return this.#ask(() => this.#questions.reconcile());
      case 'history':
        return this.#ask(() => this.#questions.history(intent.symbol, intent.fromMs));
      case 'alert':
      case 'decision':
      case 'trade':
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

  /** Tells what the trader does not hear of. */
  tell(alert: Alert): void {
    this.#listener.onAlert?.(alert, this.#clock.stamped({ type: 'clock' }));
  }

  /** An error of our own leaves nothing to rely on: no more events are taken, and what rests at the broker rests on. */
  #hear(event: BrokerEvent): void {
    try {
      this.#news.hear(event);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#ended) return;
    this.abandon();
    this.#onFailure(error);
  }

  /** Resolves when something has happened, or after so long (wall). */
  change(withinMs: number): Promise<void> {
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

/** Where no caller could catch it. */
function throwOutside(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** The runner under test, with its broker and journal, as one life: from its start to its end, orderly or not. */
import { IbBroker } from '#src/broker/ib-broker.js';
import type { TraderIntent } from '#src/live/core/intents.js';
import { isLive } from '#src/live/core/own-orders.js';
import { MICRO } from '#src/live/core/ledger.js';
import { Journal } from '#src/live/shell/journal.js';
import { Runner, type RunnerStep } from '#src/live/shell/runner.js';
import { dice } from './chance.js';
import { ACCOUNT, barsOf, CLIENT_ID, configOf, type KillHow, type Script } from './script.js';

/** The runner's clock goes so much faster than the wall, so that its waits do not make the scenarios slow. */
export const CLOCK_SPEED = 10;
const TICK_EVERY_MS = 50;
const UNPACED = { messagesPerSecond: 100_000, keptForOrders: 1_000 };

export interface LifeReport {
  readonly ready: boolean;
  readonly settled: boolean;
  readonly halt: string | null;
  readonly leaving: string | null;
  readonly position: number;
  /** In millionths of the currency, since the start. */
  readonly cashMicro: number;
  readonly executions: number;
  /** References of the orders that are believed to live. */
  readonly live: readonly string[];
  readonly alerts: Readonly<Record<string, number>>;
}

export interface Life {
  /** Resolves when the process is dead, however. */
  readonly died: Promise<string>;
  readonly dead: boolean;
  /** Takes what the market has brought; at most `limitMs` of wall time. */
  boundary(limitMs: number): Promise<LifeReport>;
  report(): Promise<LifeReport>;
  /** The last things that it did, for whoever reads of a failure. */
  story(): readonly string[];
  /** Ends it now as `how` says. */
  kill(): Promise<void>;
  /** Ends it in good order. */
  end(): Promise<void>;
}

export interface LifeOptions {
  readonly script: Script;
  readonly port: number;
  readonly journalFile: string;
  /** Whether the kill point of the script is still to come. */
  readonly mayDie: boolean;
}

class Killed extends Error {}

const STORY_LINES = 60;

export class LocalLife implements Life {
  readonly died: Promise<string>;
  dead = false;
  readonly #runner: Runner;
  readonly #broker: IbBroker;
  readonly #journal: Journal;
  readonly #script: Script;
  readonly #how: KillHow;
  readonly #alerts: Record<string, number> = {};
  readonly #story: string[] = [];
  #sayDied: (why: string) => void = () => undefined;
  #seen = 0;
  #armed: boolean;

  constructor({ script, port, journalFile, mayDie }: LifeOptions) {
    this.#script = script;
    this.#how = script.kill.how;
    this.#armed = mayDie;
    this.died = new Promise((resolve) => {
      this.#sayDied = resolve;
    });
    const bars = barsOf(script);
    this.#journal = Journal.open(journalFile);
    this.#broker = new IbBroker({
      host: '127.0.0.1',
      port,
      clientId: CLIENT_ID,
      account: ACCOUNT,
      firstOrderId: this.#journal.orderIdMark,
      pace: UNPACED,
      handshakeTimeoutMs: 2_000,
      answerTimeoutMs: 2_000,
      historyTimeoutMs: 3_000,
      heartbeatMs: 500,
      heartbeatDeadlineMs: 1_000,
      backoffMs: { first: 20, most: 300 },
      clientIdInUseBackoffMs: 100,
    });
    this.#runner = new Runner({
      broker: this.#broker,
      journal: this.#journal,
      config: configOf(script, bars),
      decider: dice(script.seed),
      clock: { nowMs: () => performance.now() * CLOCK_SPEED, elapsedMs: () => performance.now() * CLOCK_SPEED },
      tickEveryMs: TICK_EVERY_MS,
      onStep: (step, intents, done) => this.#step(step, intents, done),
      onFailure: (error) => {
        if (error instanceof Killed) void this.#die('killed');
        else void this.#die(error instanceof Error ? (error.stack ?? error.message) : String(error));
      },
      listener: {
        onAlert: ({ level, code, text }) => {
          this.#alerts[code] = (this.#alerts[code] ?? 0) + 1;
          this.#tell(`${level} ${code} ${text}`);
        },
        onOrder: (intent) =>
          this.#tell(
            intent.type === 'cancel'
              ? `cancel ${intent.orderRef}`
              : `${intent.type} ${intent.order.orderRef} ${intent.order.side} ${intent.order.quantity} ${intent.order.orderType} ${intent.order.stopPrice ?? intent.order.limitPrice ?? ''}`,
          ),
        onTrade: ({ orderRef, action, quantity, price, positionAfter }) =>
          this.#tell(`trade ${orderRef} ${action} ${quantity} @ ${price} -> ${positionAfter}`),
        onEvent: (event) => {
          if (event.type === 'order')
            this.#tell(`heard order ${event.report.orderRef} ${event.report.state} filled ${event.report.filled}`);
          else if (event.type === 'reconciled')
            this.#tell(
              `reconciled positions ${JSON.stringify(event.positions)} open ${event.openOrders.map(({ orderRef, state }) => `${orderRef}:${state}`).join(',')} executions ${event.executions.length}`,
            );
          else if (event.type === 'connected' || event.type === 'disconnected' || event.type === 'restarted')
            this.#tell(event.type);
        },
      },
    });
    this.#runner.start();
  }

  async boundary(limitMs: number): Promise<LifeReport> {
    const until = performance.now() + limitMs;
    const left = (): number => Math.max(until - performance.now(), 0);
    while (!this.dead && left() > 0) {
      // an answer comes behind everything that was said before it
      await Promise.race([this.#broker.currentTime(), pause(left())]);
      if (this.#runner.settled && this.#runner.trader.ready) break;
      if (this.#broker.connected) await Promise.race([this.#runner.settle(left() * CLOCK_SPEED), pause(left())]);
      else await pause(Math.min(left(), 5));
    }
    return this.#report();
  }

  report(): Promise<LifeReport> {
    return Promise.resolve(this.#report());
  }

  #report(): LifeReport {
    const { trader } = this.#runner;
    const [symbol] = trader.symbols;
    return {
      ready: trader.ready,
      settled: this.#runner.settled,
      halt: trader.halt === null ? null : `${trader.halt.level}: ${trader.halt.reason}`,
      leaving: symbol.leaving,
      position: symbol.position,
      cashMicro: symbol.ledger.cashMicro - Math.round(symbol.accruedBorrow * MICRO),
      executions: symbol.ledger.executions,
      live: symbol.orders
        .live()
        .filter(isLive)
        .map(({ request }) => request.orderRef)
        .sort(),
      alerts: this.#alerts,
    };
  }

  story(): readonly string[] {
    return this.#story;
  }

  kill(): Promise<void> {
    return this.#die('killed');
  }

  async end(): Promise<void> {
    this.dead = true;
    await this.#runner.end();
  }

  /** The script's kill point, where the runner goes by it. */
  #step(step: RunnerStep, intents: readonly TraderIntent[], done: number): void {
    if (!this.#armed || this.dead) return;
    const { kill } = this.#script;
    const orders = intents.filter(({ type }) => type === 'place' || type === 'modify' || type === 'cancel').length;
    const sent = intents
      .slice(0, done)
      .filter(({ type }) => type === 'place' || type === 'modify' || type === 'cancel').length;
    const last = step === 'done' ? intents[done - 1] : undefined;
    const isOrder = last?.type === 'place' || last?.type === 'modify' || last?.type === 'cancel';
    const here =
      (kill.step === 'before the append' && step === 'heard' && orders > 0) ||
      (kill.step === 'durable, nothing sent' && step === 'durable' && orders > 0) ||
      (kill.step === 'first of several sent' && isOrder && orders > 1 && sent === 1) ||
      (kill.step === 'all sent' && isOrder && sent === orders);
    const later =
      (kill.step === 'while reconciling' && last?.type === 'reconcile') ||
      (kill.step === 'while history is awaited' && last?.type === 'history');
    if ((!here && !later) || ++this.#seen < kill.nth) return;
    this.#armed = false;
    if (later) {
      setTimeout(() => void this.#die('killed'), kill.delayMs);
      return;
    }
    if (this.#how === 'SIGKILL') process.kill(process.pid, 'SIGKILL');
    throw new Killed();
  }

  async #die(why: string): Promise<void> {
    if (this.dead) return;
    if (this.#how === 'SIGKILL' && why === 'killed') process.kill(process.pid, 'SIGKILL');
    this.dead = true;
    this.#runner.abandon();
    if (this.#how === 'end') await this.#broker.close();
    else this.#broker.abandon();
    this.#journal.abandon();
    this.#sayDied(why);
  }

  #tell(text: string): void {
    this.#story.push(text);
    if (this.#story.length > STORY_LINES) this.#story.shift();
  }
}

export const pause = (waitMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, waitMs));

/** What the runner asks of the broker, again and again until it is answered, and how the answers become news. */
import { calendarNamed } from '#env/market/calendar.js';
import type { Instrument } from '#env/market/instrument.js';
import type { Answer, Broker, ContractInfo } from '#src/broker/contract.js';
import type { TraderConfig } from '../core/config.js';
import type { TraderNews } from '../core/events.js';
import type { Alert } from '../core/intents.js';
import type { EventClock } from './event-clock.js';

/** Whoever wants the answers. */
export interface Asker {
  readonly config: TraderConfig;
  readonly clock: EventClock;
  /** No answer is wanted any more. */
  readonly ended: boolean;
  feed(news: TraderNews): void;
  tell(alert: Alert): void;
  /** Resolves when something has happened, or after so long (wall). */
  change(withinMs: number): Promise<void>;
}

const AGAIN_MS = 1_000;
const CONTRACT_AGAIN_MS = 5_000;
const DAY_MS = 86_400_000;
/** Sessions before the one under way that the bars since the anchor may reach into, beyond what the warm-up needs. */
const SPARE_SESSIONS = 2;

export class BrokerQuestions {
  readonly #broker: Broker;
  readonly #asker: Asker;

  constructor(broker: Broker, asker: Asker) {
    this.#broker = broker;
    this.#asker = asker;
  }

  /** Contracts first: neither orders nor market data go without. Feeds `connected`. */
  async begin(): Promise<void> {
    const asker = this.#asker;
    const answers = await Promise.all(
      asker.config.symbols.map(async ({ instrument }) => ({
        instrument,
        answer: await this.#broker.contract(instrument),
      })),
    );
    for (const { instrument, answer } of answers) {
      const problem = contractProblem(instrument, answer);
      if (problem === null) continue;
      asker.tell({
        level: 'critical',
        code: 'CONTRACT',
        symbol: instrument.symbol,
        text: `${problem}: nothing is traded; asking again`,
      });
      await asker.change(CONTRACT_AGAIN_MS);
      return this.#asks ? this.begin() : undefined;
    }
    // which bars are missing, and whether the market is open, is a question of its time
    if (!(await this.#lookAtClock())) return this.#asks ? this.begin() : undefined;
    if (this.#broker.connected) asker.feed({ type: 'connected' });
  }

  /** Feeds `reconciled`, or `unreconciled` where an answer is missing. */
  async reconcile(): Promise<void> {
    const asker = this.#asker;
    const beganWallMs = asker.clock.wallMs;
    const [positions, openOrders, completedOrders, executions] = await Promise.all([
      this.#broker.positions(),
      this.#broker.openOrders(),
      this.#broker.completedOrders(),
      this.#broker.executions(),
    ]);
    const unknown = [positions, openOrders, completedOrders, executions].find(({ known }) => !known);
    if (!positions.known || !openOrders.known || !completedOrders.known || !executions.known) {
      const reason = unknown !== undefined && !unknown.known ? unknown.reason : 'no reason';
      return asker.feed({ type: 'unreconciled', reason });
    }
    asker.feed({
      type: 'reconciled',
      beganWallMs,
      positions: positions.value.map(({ symbol, quantity }) => ({ symbol, quantity })),
      openOrders: openOrders.value,
      completedOrders: completedOrders.value,
      executions: executions.value,
    });
  }

  /** Bars after `fromMs`; null: since the anchor. Feeds `history`. */
  async history(symbol: string, fromMs: number | null): Promise<void> {
    const asker = this.#asker;
    const { config } = asker;
    await this.#lookAtClock();
    const toMs = asker.clock.marketMs;
    const answer = await this.#broker.history({
      symbol,
      interval: config.interval.label,
      fromMs: fromMs ?? config.anchorMs ?? anchorBefore(toMs, config),
      toMs,
      regularHoursOnly: true,
    });
    if (!answer.known) {
      asker.tell({
        level: 'warning',
        code: 'HISTORY_UNKNOWN',
        symbol,
        text: `no bars came (${answer.reason}): asking again`,
      });
      await asker.change(AGAIN_MS);
      if (this.#asks) return this.history(symbol, fromMs);
      return;
    }
    const bars = answer.value.filter(({ openMs }) => openMs > (fromMs ?? -Infinity));
    asker.feed({ type: 'history', symbol, anchor: fromMs === null, bars });
  }

  get #asks(): boolean {
    return this.#broker.connected && !this.#asker.ended;
  }

  /** Whether the market's time is known. */
  async #lookAtClock(): Promise<boolean> {
    const now = await this.#broker.currentTime();
    if (now.known) this.#asker.clock.passed(now.value);
    return now.known;
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

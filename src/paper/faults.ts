/** What a session met: time connected and deciding, connections lost, alerts, refusals, time without protection. */
import { calendarNamed, type TradingCalendar } from '#env/market/calendar.js';
import type { TraderEvent } from '#src/live/core/events.js';
import type { TraderIntent } from '#src/live/core/intents.js';
import type { Trader } from '#src/live/core/trader.js';
import { openTime } from './open-time.js';

export interface Outage {
  /** Market time at its start, epoch milliseconds. */
  readonly fromMs: number;
  /** Until the next whole reconciliation, or the end. */
  readonly wallSeconds: number;
  /** Of the market's open hours. */
  readonly marketSeconds: number;
  readonly cause: 'connection' | 'restart';
}

export interface Faults {
  /** Seconds of the market's open hours from the first connection to the last event, ... */
  readonly marketSeconds: number;
  /** ... of those connected and reconciled, ... */
  readonly readySeconds: number;
  /** ... and of those neither paused nor halted. */
  readonly decidingSeconds: number;
  /** Warnings and worse, by code. */
  readonly alerts: Readonly<Record<string, number>>;
  readonly outages: readonly Outage[];
  readonly restarts: number;
  /** Orders that the broker refused. */
  readonly rejected: number;
  /** Decisions that came too late and were not made. */
  readonly lateDecisions: number;
  /** Longest time, by the wall, that a position lacked a working stop that it should have had. */
  readonly unprotectedSeconds: number;
  readonly halted: boolean;
}

export class FaultLog {
  readonly #alerts: Record<string, number> = {};
  readonly #outages: Outage[] = [];
  #calendar: TradingCalendar | null = null;
  #marketMs = 0;
  #connectedOnce = false;
  #ready = false;
  #deciding = false;
  #totals = { marketMs: 0, readyMs: 0, decidingMs: 0 };
  #outage: { fromMs: number; fromWallMs: number; marketMs: number; cause: Outage['cause'] } | null = null;
  #restarts = 0;
  #rejected = 0;
  #unprotectedMs = 0;
  #halted = false;
  #wallMs = 0;

  intent(intent: TraderIntent): void {
    // what is only told goes well: an exit that is sent, an order that waits for the open
    if (intent.type !== 'alert' || intent.alert.level === 'info') return;
    const { code } = intent.alert;
    this.#alerts[code] = (this.#alerts[code] ?? 0) + 1;
  }

  /** `trader`: as the event left it. */
  event(event: TraderEvent, trader: Trader): void {
    if (event.type === 'started') this.#calendar = calendarNamed(event.config.calendar);
    // what passed before this event passed in the state that the last one left
    this.#pass(event.marketMs);
    this.#wallMs = event.wallMs;
    if (event.type === 'connected') this.#connectedOnce = true;
    if (event.type === 'restarted') this.#restarts++;
    if (event.type === 'orderError' && event.effect === 'rejected') this.#rejected++;
    this.#ready = trader.ready;
    this.#halted = trader.halt !== null;
    this.#deciding = trader.ready && !trader.paused && trader.halt?.level !== 'halted';
    const lost = event.type === 'disconnected' || event.type === 'restarted';
    if (lost && this.#connectedOnce)
      this.#outage ??= {
        fromMs: event.marketMs,
        fromWallMs: event.wallMs,
        marketMs: 0,
        cause: event.type === 'restarted' ? 'restart' : 'connection',
      };
    if (this.#ready) this.#endOutage();
    for (const { unprotectedSinceWallMs } of trader.symbols)
      if (unprotectedSinceWallMs !== null)
        this.#unprotectedMs = Math.max(this.#unprotectedMs, event.wallMs - unprotectedSinceWallMs);
  }

  end(): Faults {
    this.#endOutage();
    const { marketMs, readyMs, decidingMs } = this.#totals;
    return {
      marketSeconds: marketMs / 1000,
      readySeconds: readyMs / 1000,
      decidingSeconds: decidingMs / 1000,
      alerts: { ...this.#alerts },
      outages: [...this.#outages],
      restarts: this.#restarts,
      rejected: this.#rejected,
      lateDecisions: this.#alerts['DECISION_LATE'] ?? 0,
      unprotectedSeconds: this.#unprotectedMs / 1000,
      halted: this.#halted,
    };
  }

  #pass(marketMs: number): void {
    const fromMs = this.#marketMs;
    this.#marketMs = Math.max(fromMs, marketMs);
    if (!this.#connectedOnce || fromMs === 0 || marketMs <= fromMs || this.#calendar === null) return;
    const openMs = openTime(this.#calendar, fromMs, marketMs);
    this.#totals.marketMs += openMs;
    if (this.#ready) this.#totals.readyMs += openMs;
    if (this.#deciding) this.#totals.decidingMs += openMs;
    if (this.#outage !== null) this.#outage.marketMs += openMs;
  }

  #endOutage(): void {
    const outage = this.#outage;
    if (outage === null) return;
    this.#outage = null;
    const { fromMs, fromWallMs, marketMs, cause } = outage;
    this.#outages.push({
      fromMs,
      wallSeconds: (this.#wallMs - fromWallMs) / 1000,
      marketSeconds: marketMs / 1000,
      cause,
    });
  }
}

/**
 * What a person reads of a trading day, in the deployment's folder:
 *   trades.csv        a row an execution, as it happens; fees follow in their own column of later rows of the ledger
 *   decisions.jsonl   a line a decision, with features, mask and probabilities
 *   runner.log        JSON lines (pino) of everything else, with levels
 */
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { destination, pino, type Logger } from 'pino';
import type { LogLevel } from '#src/config/runtime.js';
import type { TraderEvent } from '../core/events.js';
import type { Alert, DecisionRecord, TradeRecord } from '../core/intents.js';
import type { RunnerListener } from './runner.js';

const TRADE_COLUMNS = [
  'timestamp',
  'symbol',
  'action',
  'quantity',
  'price',
  'order_id',
  'info',
  'fees',
  'reason',
] as const;
const PINO_LEVELS = { debug: 'debug', info: 'info', warning: 'warn', error: 'error' } as const;

export class DeploymentLogs implements RunnerListener {
  readonly #trades: string;
  readonly #decisions: string;
  readonly #log: Logger;
  /** Fees by execution, as their reports come. */
  readonly #fees = new Map<string, number>();
  readonly #waiting = new Map<string, TradeRecord>();

  constructor(folder: string, level: LogLevel) {
    this.#trades = path.join(folder, 'trades.csv');
    this.#decisions = path.join(folder, 'decisions.jsonl');
    this.#log = pino(
      { level: PINO_LEVELS[level], base: null, timestamp: () => `,"time":"${new Date().toISOString()}"` },
      destination({ dest: path.join(folder, 'runner.log'), sync: true }),
    );
    if (!existsSync(this.#trades)) writeFileSync(this.#trades, `${TRADE_COLUMNS.join(',')}\n`);
  }

  onTrade(trade: TradeRecord, event: TraderEvent): void {
    // the commission report comes with the execution, before or after it: the row waits for both
    const fees = this.#fees.get(trade.execRoot);
    if (fees === undefined) this.#waiting.set(trade.execRoot, trade);
    else this.#writeTrade(trade, fees);
    this.#log.info({ marketMs: event.marketMs, trade }, 'execution');
  }

  onAlert(alert: Alert, event: TraderEvent): void {
    const write = { info: 'info', warning: 'warn', critical: 'error' } as const;
    this.#log[write[alert.level]]({ marketMs: event.marketMs, code: alert.code, symbol: alert.symbol }, alert.text);
  }

  onDecision(decision: DecisionRecord, event: TraderEvent): void {
    appendFileSync(this.#decisions, `${JSON.stringify({ marketMs: event.marketMs, ...decision })}\n`);
  }

  onOrder(intent: Parameters<NonNullable<RunnerListener['onOrder']>>[0], event: TraderEvent): void {
    this.#log.info({ marketMs: event.marketMs, intent }, intent.type);
  }

  onEvent(event: TraderEvent): void {
    if (event.type === 'commission') {
      const execRoot = `${event.execRoot}.${String(event.revision).padStart(2, '0')}`;
      this.#fees.set(execRoot, event.amount);
      const trade = this.#waiting.get(execRoot);
      if (trade === undefined) return;
      this.#waiting.delete(execRoot);
      this.#writeTrade(trade, event.amount);
    } else if (event.type === 'connected' || event.type === 'disconnected' || event.type === 'command')
      this.#log.info(event, event.type);
  }

  /** Rows whose fees never came are written without them. */
  close(): void {
    for (const trade of this.#waiting.values()) this.#writeTrade(trade, null);
    this.#waiting.clear();
    this.#log.flush();
  }

  #writeTrade(
    { marketMs, symbol, action, quantity, price, orderId, orderRef, role }: TradeRecord,
    fees: number | null,
  ): void {
    const row = [
      new Date(marketMs).toISOString(),
      symbol,
      action,
      quantity,
      price,
      orderId,
      orderRef,
      fees ?? '',
      role,
    ];
    appendFileSync(this.#trades, `${row.join(',')}\n`);
  }
}

/** What a runner says of itself over its socket. */
import type { Bundle } from '#src/registry/bundle.js';
import { remainingOf } from '../core/own-orders.js';
import type { Trader } from '../core/trader.js';
import type { PromotionStatus } from './promotion-text.js';

export interface OrderStatus {
  readonly orderRef: string;
  readonly role: string;
  readonly side: string;
  readonly remaining: number;
  readonly price: number | null;
  readonly state: string;
}

export interface SymbolStatus {
  readonly symbol: string;
  readonly position: number;
  readonly averagePrice: number;
  readonly lastPrice: number | null;
  readonly cash: number;
  readonly equity: number | null;
  /** Why the position is being left; null: it is not. */
  readonly leaving: string | null;
  readonly inDoubt: boolean;
  /** Whether the bars since the anchor are in, and suffice for a decision. */
  readonly warm: boolean;
  readonly orders: readonly OrderStatus[];
}

export interface RunnerStatus {
  readonly account: string;
  readonly pid: number;
  readonly bundle: string;
  readonly name: string;
  readonly promotion: PromotionStatus;
  readonly journal: string;
  /** A change that waits until the account is flat; null: none. */
  readonly waiting: string | null;
  /** Connected and reconciled. */
  readonly ready: boolean;
  readonly paused: boolean;
  readonly halt: { readonly level: string; readonly reason: string } | null;
  readonly equity: number | null;
  /** Of the process, bytes. */
  readonly memory: { readonly rss: number; readonly heapUsed: number };
  readonly symbols: readonly SymbolStatus[];
}

const finiteOrNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

export function symbolsOf(trader: Trader): SymbolStatus[] {
  return trader.symbols.map((one) => ({
    symbol: one.symbol,
    position: one.position,
    averagePrice: one.ledger.averagePrice,
    lastPrice: finiteOrNull(one.lastPrice),
    cash: one.cash,
    equity: finiteOrNull(one.equity),
    leaving: one.leaving,
    inDoubt: one.inDoubt,
    warm: one.market.warm && !one.market.awaitingHistory,
    orders: one.orders.live().map((order) => ({
      orderRef: order.request.orderRef,
      role: order.request.role,
      side: order.request.side,
      remaining: remainingOf(order),
      price: order.request.stopPrice ?? order.request.limitPrice,
      state: order.state,
    })),
  }));
}

export function statusOf(
  trader: Trader,
  bundle: Bundle,
  promotion: PromotionStatus,
  journal: string,
  waiting: string | null,
): RunnerStatus {
  return {
    account: trader.config.account,
    pid: process.pid,
    bundle: bundle.sha256,
    name: bundle.manifest.name,
    promotion,
    journal,
    waiting,
    ready: trader.ready,
    paused: trader.paused,
    halt: trader.halt,
    equity: finiteOrNull(trader.equity),
    memory: memoryOf(process.memoryUsage()),
    symbols: symbolsOf(trader),
  };
}

const memoryOf = ({ rss, heapUsed }: NodeJS.MemoryUsage): RunnerStatus['memory'] => ({ rss, heapUsed });

/** One line a symbol and one an order: "SPY 100 at 131.2; stop SELL 100 at 130.5 (working)". */
export function holdingsText(symbols: readonly SymbolStatus[]): string[] {
  return symbols.flatMap(({ symbol, position, averagePrice, orders, leaving, inDoubt }) => [
    `${symbol} ${position === 0 ? 'flat' : `holds ${position} at ${averagePrice.toFixed(4)}`}${leaving === null ? '' : `, leaving: ${leaving}`}${inDoubt ? ', in doubt: the broker holds another quantity' : ''}`,
    ...orders.map(
      ({ orderRef, role, side, remaining, price, state }) =>
        `  ${role.padEnd(6)} ${side} ${remaining}${price === null ? ' at the market' : ` at ${price}`}, ${state} (${orderRef})`,
    ),
  ]);
}

/**
 * Our books against the broker's: asked for after every connection, in every doubt and now and then, compared as a whole.
 * No order is sent before the two have agreed.
 */
import type { OrderReport } from '#src/broker/contract.js';
import type { TraderEvent } from './events.js';
import type { Floor } from './floor.js';
import type { OwnOrder } from './own-orders.js';
import type { SymbolTrader } from './symbol-trader.js';

/** Reconciliations that disagree before trading halts. */
const MOST_DISAGREEMENTS = 3;
/** Misses of an order in full answers before it is believed gone. */
const MISSES_TO_END = 2;
const EVERY_MS = 2_000;
/** Nothing seems to be missing, and it is asked all the same: a message can be lost without a trace. */
const AT_LEAST_EVERY_MS = 60_000;
/** The shell answers every reconciliation, if only with a failure; one that it forgot is asked for again. */
const ANSWERED_WITHIN_MS = 60_000;
/** Reconciliations in a row that fills overtook, before one counts as a disagreement all the same. */
const MOST_OVERTAKEN = 10;

type Reconciled = Extract<TraderEvent, { type: 'reconciled' }>;

export class Reconciliation {
  readonly #floor: Floor;
  #done = false;
  #askedWallMs: number | null = null;
  #lastWallMs = -Infinity;
  #disagreements = 0;
  #overtaken = 0;
  #foreign: string | null = null;

  constructor(floor: Floor) {
    this.#floor = floor;
  }

  /** Our books and the broker's have agreed since the connection. */
  get done(): boolean {
    return this.#done;
  }

  /** An answer is on its way. */
  get asked(): boolean {
    return this.#askedWallMs !== null;
  }

  /** Wall time of the last question. */
  get lastWallMs(): number {
    return this.#lastWallMs;
  }

  /** Agreed, and nobody else's orders are about. */
  get allowsOrders(): boolean {
    return this.#done && this.#foreign === null;
  }

  /** A connection has begun. */
  begin(): void {
    this.#done = false;
    this.#ask();
  }

  /** The connection, or the process, has ended. */
  drop(): void {
    this.#done = false;
    this.#askedWallMs = null;
  }

  /** The answer did not come whole. */
  failed(): void {
    this.#askedWallMs = null;
  }

  /** A person has looked at it. */
  forgive(): void {
    this.#disagreements = 0;
  }

  /** Asks where it is time to, or where orders, fills or commissions are in doubt. */
  watch(commissionMissing: () => boolean): void {
    const { symbols, wallMs } = this.#floor;
    const doubtful = symbols.some(({ orders }) => orders.live().some((order) => order.doubtSinceWallMs !== null));
    const owed = symbols.some(({ orders, inDoubt }) => orders.owed || inDoubt);
    const longAgo = wallMs - this.#lastWallMs >= AT_LEAST_EVERY_MS;
    if (longAgo || doubtful || owed || !this.#done || commissionMissing()) this.askSoon();
  }

  /** At once, or at a later tick where the last one is not long ago. */
  askSoon(): void {
    if (!this.#floor.connected || this.#floor.wallMs - this.#lastWallMs <= EVERY_MS) return;
    const asked = this.#askedWallMs;
    if (asked === null || this.#floor.wallMs - asked > ANSWERED_WITHIN_MS) this.#ask();
  }

  /** What the broker says against what we believe; the broker is right. */
  compare(event: Reconciled): void {
    this.#askedWallMs = null;
    if (!this.#floor.connected) return;
    // fills first: they explain the positions
    const around = this.#floor.around();
    for (const report of event.executions) {
      if (!this.isOurs(report.orderRef)) continue;
      this.#floor.symbolNamed(report.symbol)?.execute(report, { ...around, ready: false });
    }
    for (const report of [...event.completedOrders, ...event.openOrders]) this.#adopt(report);
    for (const symbol of this.#floor.symbols) this.#settleDoubts(symbol, event);
    this.#foreign = this.#floor.config.care.foreign === 'refuse' ? this.#foreignIn(event) : null;
    const heldOf = (symbol: SymbolTrader): number =>
      event.positions.find((position) => position.symbol === symbol.symbol)?.quantity ?? 0;
    if (this.#wasOvertaken(event, heldOf)) return;
    const wrong = this.#floor.symbols.filter((symbol) => {
      const held = heldOf(symbol);
      symbol.inDoubt = held !== symbol.position;
      if (symbol.inDoubt)
        this.#floor.alert(
          'critical',
          'POSITION_MISMATCH',
          `the broker holds ${held}, our executions sum to ${symbol.position}`,
          symbol.symbol,
        );
      return symbol.inDoubt;
    });
    if (this.#foreign !== null) {
      this.#floor.alert(
        'critical',
        'FOREIGN',
        `${this.#foreign} is not ours: no trading (care.foreign: ignore would leave it alone)`,
      );
      return;
    }
    this.#disagreements = wrong.length > 0 ? this.#disagreements + 1 : 0;
    if (this.#disagreements >= MOST_DISAGREEMENTS)
      this.#floor.haltAt('halted', `positions disagree after ${this.#disagreements} reconciliations`);
    const first = !this.#done;
    this.#done = wrong.length === 0;
    if (!this.#done) return;
    if (first) this.#resumeMarket();
    for (const symbol of this.#floor.symbols) symbol.pursue(this.#floor.around());
  }

  /** Something that is not ours has shown itself. */
  meetForeign(what: string): void {
    if (this.#floor.config.care.foreign === 'ignore') return;
    this.#foreign = what;
    this.#floor.alert('critical', 'FOREIGN', `${what} is not ours: no more trading until a reconciliation without it`);
  }

  isOurs(orderRef: string): boolean {
    return orderRef.startsWith(`${this.#floor.config.tag}-`);
  }

  find(orderRef: string): { symbol: SymbolTrader; order: OwnOrder } | null {
    for (const symbol of this.#floor.symbols) {
      const order = symbol.orders.get(orderRef);
      if (order !== undefined) return { symbol, order };
    }
    return null;
  }

  #ask(): void {
    this.#lastWallMs = this.#floor.wallMs;
    this.#askedWallMs = this.#floor.wallMs;
    this.#floor.want({ type: 'reconcile' });
  }

  /**
   * Whether positions differ where fills came while the answers did: the four are not of one instant, so that this says
   * nothing yet. Asked again at the next tick.
   */
  #wasOvertaken({ beganWallMs }: Reconciled, heldOf: (symbol: SymbolTrader) => number): boolean {
    const apart = this.#floor.symbols.filter((symbol) => heldOf(symbol) !== symbol.position);
    const overtaken =
      apart.length > 0 &&
      apart.every(({ lastExecutedWallMs }) => lastExecutedWallMs >= beganWallMs) &&
      this.#overtaken < MOST_OVERTAKEN;
    this.#overtaken = overtaken ? this.#overtaken + 1 : 0;
    if (overtaken) for (const symbol of apart) symbol.inDoubt = true;
    return overtaken;
  }

  /** After every connection: market data, and the bars since the last one that we have. */
  #resumeMarket(): void {
    for (const symbol of this.#floor.symbols) {
      symbol.market.staleSinceWallMs = null;
      symbol.market.lastDataWallMs = this.#floor.wallMs;
      this.#floor.want({ type: 'subscribe', symbol: symbol.symbol });
      this.#floor.repair(symbol);
    }
  }

  /** An order that is nowhere in answers begun after the doubt has ended, once two of them agree. */
  #settleDoubts(symbol: SymbolTrader, event: Reconciled): void {
    const { quarantine_seconds } = this.#floor.config.care;
    const known = new Set([...event.openOrders, ...event.completedOrders].map(({ orderRef }) => orderRef));
    for (const order of symbol.orders.live()) {
      const since = order.doubtSinceWallMs ?? (order.state === 'pending' ? order.sentWallMs : null);
      if (since === null || known.has(order.request.orderRef)) continue;
      if (event.beganWallMs - since < quarantine_seconds * 1000) {
        symbol.orders.doubt(order, since, null);
        continue;
      }
      order.misses++;
      if (order.misses < MISSES_TO_END) continue;
      this.#floor.alert(
        'warning',
        'ORDER_GONE',
        `${order.request.orderRef} is in no answer of the broker: it has ended`,
        symbol.symbol,
      );
      symbol.orders.end(order, order.filled >= order.request.quantity ? 'filled' : 'cancelled');
    }
  }

  #foreignIn({ positions, openOrders }: Reconciled): string | null {
    const order = openOrders.find(
      ({ orderRef, state }) => !this.isOurs(orderRef) && state !== 'cancelled' && state !== 'filled',
    );
    if (order !== undefined) return `order ${order.orderId} (${order.symbol}, client ${order.clientId})`;
    const position = positions.find(
      ({ symbol, quantity }) => quantity !== 0 && this.#floor.symbolNamed(symbol) === undefined,
    );
    return position === undefined ? null : `a position of ${position.quantity} ${position.symbol}`;
  }

  #adopt(report: OrderReport): void {
    const found = this.find(report.orderRef);
    if (found !== null) {
      const { orders } = found.symbol;
      orders.report(found.order, report);
      if (orders.isBack(found.order, report)) orders.revive(found.order, this.#floor.wallMs);
    } else if (this.isOurs(report.orderRef) && (report.state === 'working' || report.state === 'pending'))
      // bears our name and is not in our journal: an older one's, which nobody watches
      this.#floor.want({ type: 'cancel', orderRef: report.orderRef });
  }
}

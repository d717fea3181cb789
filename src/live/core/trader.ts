/**
 * The trader: a state machine without I/O, clock or randomness. `handle` takes one event and returns what is to be
 * done about it; the same events give the same intents, which is how a journal is replayed and a restart resumes.
 */
import { calendarNamed, type TradingCalendar } from '#env/market/calendar.js';
import type { OrderReport } from '#src/broker/contract.js';
import { fail } from '#src/errors.js';
import type { TraderConfig } from './config.js';
import type { Decider } from './decider.js';
import type { Command, HaltLevel, TraderEvent } from './events.js';
import type { Alert, TraderIntent } from './intents.js';
import { isLive, type OwnOrder } from './own-orders.js';
import { Risk } from './risk.js';
import { SymbolTrader, type Surroundings } from './symbol-trader.js';

/** Reconciliations that disagree before trading halts. */
const MOST_DISAGREEMENTS = 3;
/** Misses of an order in full answers before it is believed gone. */
const MISSES_TO_END = 2;
const RECONCILE_EVERY_MS = 2_000;
/** Nothing seems to be missing, and it is asked all the same: a message can be lost without a trace. */
const RECONCILE_AT_LEAST_EVERY_MS = 60_000;
/** A placement, a replacement or a cancel that nobody has answered after this long is asked about. */
const ANSWER_WITHIN_MS = 5_000;
/** The shell answers every reconciliation, if only with a failure; one that it forgot is asked for again. */
const RECONCILED_WITHIN_MS = 60_000;
/** A commission that is missing after this long is asked for, each time after twice as long. */
const CHARGED_WITHIN_MS = 3_000;
const LONGEST_CHARGE_WAIT_MS = 300_000;
/** Reconciliations in a row that fills overtook, before one counts as a disagreement all the same. */
const MOST_OVERTAKEN = 10;

type Reconciled = Extract<TraderEvent, { type: 'reconciled' }>;

export class Trader {
  readonly #decider: Decider;
  readonly #out: TraderIntent[] = [];
  #config: TraderConfig | null = null;
  #calendar: TradingCalendar | null = null;
  #symbols = new Map<string, SymbolTrader>();
  #risk: Risk | null = null;
  #wallMs = 0;
  #marketMs = 0;
  #connected = false;
  #reconciled = false;
  #reconcileAskedWallMs: number | null = null;
  #lastReconcileWallMs = -Infinity;
  #disagreements = 0;
  #overtaken = 0;
  #chargeWaitMs = CHARGED_WITHIN_MS;
  #foreign: string | null = null;
  #halt: HaltLevel | null = null;
  #haltReason = '';
  #paused = false;
  #stopping = false;

  constructor(decider: Decider) {
    this.#decider = decider;
  }

  /** Takes an event; returns its intents, in the order in which they are to be carried out. Throws LIVE_EVENT on one that cannot be. */
  handle(event: TraderEvent): readonly TraderIntent[] {
    this.#out.length = 0;
    this.#wallMs = Math.max(this.#wallMs, event.wallMs);
    this.#marketMs = Math.max(this.#marketMs, event.marketMs);
    if (event.type === 'started') this.#start(event.config);
    else this.#take(event);
    const risk = this.#risk;
    for (const intent of this.#out)
      if (risk !== null && (intent.type === 'place' || intent.type === 'modify')) risk.countOrder(this.#wallMs);
    return [...this.#out];
  }

  get config(): TraderConfig {
    return this.#config ?? fail('LIVE_EVENT', { message: 'the first event of a journal must be "started"' });
  }

  get symbols(): readonly SymbolTrader[] {
    return [...this.#symbols.values()];
  }

  /** Connected and reconciled, with nobody else's orders about: what may be sent is sent. */
  get ready(): boolean {
    return this.#connected && this.#reconciled && this.#foreign === null;
  }

  get halt(): { readonly level: HaltLevel; readonly reason: string } | null {
    return this.#halt === null ? null : { level: this.#halt, reason: this.#haltReason };
  }

  get paused(): boolean {
    return this.#paused;
  }

  get equity(): number {
    return this.symbols.reduce((sum, symbol) => sum + symbol.equity, 0);
  }

  /** Whether nothing of ours is on its way: the market may go on, or the process end. */
  get settled(): boolean {
    return (
      !this.#connected ||
      (this.#reconcileAskedWallMs === null && this.symbols.every((symbol) => symbol.settled && !symbol.awaitingHistory))
    );
  }

  #start(config: TraderConfig): void {
    if (this.#config !== null) fail('LIVE_EVENT', { value: 'started', message: 'a journal starts once' });
    this.#config = config;
    this.#calendar = calendarNamed(config.calendar);
    this.#risk = new Risk(config.risk);
    for (const symbol of config.symbols)
      this.#symbols.set(symbol.symbol, new SymbolTrader(symbol, config, this.#decider, this.#out));
  }

  #take(event: Exclude<TraderEvent, { type: 'started' }>): void {
    switch (event.type) {
      case 'restarted':
        return this.#restart();
      case 'clock':
        return this.#tick();
      case 'connected':
        this.#connected = true;
        this.#reconciled = false;
        return this.#reconcile();
      case 'disconnected':
        this.#connected = false;
        this.#reconciled = false;
        this.#reconcileAskedWallMs = null;
        for (const symbol of this.symbols) {
          symbol.awaitingHistory = true;
          symbol.orders.forgetReplacements();
        }
        return this.#alert(
          'warning',
          'DISCONNECTED',
          'the broker is not reachable: nothing is sent, resting stops stay at the broker',
        );
      case 'reconciled':
        return this.#compare(event);
      case 'unreconciled':
        this.#reconcileAskedWallMs = null;
        return this.#alert('warning', 'RECONCILE_UNKNOWN', `an answer is missing (${event.reason}): asking again`);
      case 'command':
        return this.#obey(event.command);
      case 'order':
        return this.#orderNews(event.report);
      case 'orderError':
        return this.#orderError(event);
      case 'commission':
        for (const symbol of this.symbols) symbol.charge(event.execRoot, event.revision, event.amount);
        return;
      case 'execution': {
        const symbol = this.#symbols.get(event.report.symbol);
        if (symbol === undefined || !this.#isOurs(event.report.orderRef))
          return this.#meetForeign(`an execution of ${event.report.symbol}`);
        symbol.execute(event.report, this.#around());
        return this.#watchRisk();
      }
      default:
        return this.#marketNews(event);
    }
  }

  #marketNews(
    event: Extract<TraderEvent, { type: 'fiveSecondBar' | 'history' | 'quote' | 'trade' | 'dataType' }>,
  ): void {
    const symbol = this.#symbols.get(event.symbol);
    if (symbol === undefined) return;
    const around = this.#around();
    if (event.type !== 'dataType' && event.type !== 'history') {
      symbol.lastDataWallMs = this.#wallMs;
      if (symbol.staleSinceWallMs !== null)
        this.#alert('info', 'DATA_BACK', 'market data has come back', symbol.symbol);
      symbol.staleSinceWallMs = null;
    }
    switch (event.type) {
      case 'fiveSecondBar': {
        const { bar } = event;
        symbol.see(bar.high, bar.low, bar.close);
        for (const built of symbol.builder.add(bar)) {
          if (symbol.awaitingHistory) continue;
          if (built.whole) symbol.closeBar(built.bar, around);
          else this.#repair(symbol);
        }
        break;
      }
      case 'history':
        this.#history(symbol, event.anchor, event.bars);
        break;
      case 'quote':
        symbol.bid = event.bid;
        symbol.ask = event.ask;
        break;
      case 'trade':
        symbol.see(event.price, event.price, event.price);
        symbol.pursue(around);
        break;
      case 'dataType':
        if (event.marketDataType !== symbol.marketDataType && event.marketDataType !== 1)
          this.#alert(
            'critical',
            'DATA_NOT_LIVE',
            `market data of type ${event.marketDataType} is not live: entries are off`,
            symbol.symbol,
          );
        symbol.marketDataType = event.marketDataType;
    }
    this.#watchRisk();
  }

  /** Bars that we missed, or all of them since the anchor. The last one is decided upon if it has only just closed. */
  #history(symbol: SymbolTrader, anchor: boolean, bars: Extract<TraderEvent, { type: 'history' }>['bars']): void {
    if (anchor && symbol.barsSeen === 0) symbol.reanchor();
    symbol.awaitingHistory = false;
    const { decide_within_seconds } = this.config.care;
    for (const [index, bar] of bars.entries()) {
      const fresh = this.#marketMs - symbol.row.clock.decisionMs(bar.openMs) < decide_within_seconds * 1000;
      if (index === bars.length - 1 && fresh && this.#marketMs >= symbol.row.clock.decisionMs(bar.openMs))
        symbol.closeBar(bar, this.#around());
      else symbol.feed(bar);
    }
    if (!symbol.warm)
      this.#alert(
        'warning',
        'NOT_WARM',
        `${symbol.barsSeen} bars since the anchor, ${this.config.warmup} needed: no decisions yet`,
        symbol.symbol,
      );
  }

  #repair(symbol: SymbolTrader): void {
    symbol.awaitingHistory = true;
    this.#out.push({
      type: 'history',
      symbol: symbol.symbol,
      fromMs: Number.isFinite(symbol.row.stampMs) ? symbol.row.stampMs : null,
    });
  }

  /** Time has passed: bars that are due, data that is stale, orders in doubt. */
  #tick(): void {
    if (this.#config === null) return;
    const around = this.#around();
    const { care } = this.#config;
    for (const symbol of this.symbols) {
      if (!this.#connected) continue;
      const overdue = symbol.builder.overdue(this.#marketMs - care.stale_after_seconds * 1000);
      if (overdue !== null && !symbol.awaitingHistory) this.#repair(symbol);
      if (this.#reconciled) this.#watchData(symbol, around);
      for (const order of symbol.orders.live()) this.#watchSilence(symbol, order);
      symbol.pursue(around);
      this.#watchProtection(symbol, around);
    }
    const doubtful = this.symbols.some((symbol) =>
      symbol.orders.live().some((order) => order.doubtSinceWallMs !== null),
    );
    const owed = this.symbols.some(({ orders, inDoubt }) => orders.owed || inDoubt);
    const longAgo = this.#wallMs - this.#lastReconcileWallMs >= RECONCILE_AT_LEAST_EVERY_MS;
    if (longAgo || doubtful || owed || !this.#reconciled || this.#commissionsMissing()) this.#reconcileSoon();
    this.#watchRisk();
  }

  /** Whether a commission has been missing for so long that it is worth a question: executions come with theirs. */
  #commissionsMissing(): boolean {
    let missing = false;
    for (const symbol of this.symbols) {
      if (symbol.ledger.uncharged === 0) symbol.unchargedSinceWallMs = null;
      else symbol.unchargedSinceWallMs ??= this.#wallMs;
      const since = symbol.unchargedSinceWallMs;
      if (since === null) continue;
      missing = true;
      if (this.#wallMs - Math.max(since, this.#lastReconcileWallMs) < this.#chargeWaitMs) continue;
      this.#chargeWaitMs = Math.min(2 * this.#chargeWaitMs, LONGEST_CHARGE_WAIT_MS);
      return true;
    }
    if (!missing) this.#chargeWaitMs = CHARGED_WITHIN_MS;
    return false;
  }

  /** What was asked of an order and never answered leaves it in doubt. */
  #watchSilence(symbol: SymbolTrader, order: OwnOrder): void {
    const waits = order.state === 'pending' || order.state === 'cancelling' || order.unconfirmed.length > 0;
    if (!waits || order.doubtSinceWallMs !== null || this.#wallMs - order.askedWallMs < ANSWER_WITHIN_MS) return;
    symbol.orders.doubt(order, this.#wallMs, null);
  }

  #watchData(symbol: SymbolTrader, around: Surroundings): void {
    // nothing is known of the market's time before the broker has told it
    if (this.#marketMs === 0 || symbol.lastDataWallMs === 0) return;
    const open = this.#calendar?.sessionAt(this.#marketMs) ?? null;
    if (open === null) return;
    const { stale_after_seconds, close_when_stale_seconds } = this.config.care;
    const ageMs = this.#wallMs - symbol.lastDataWallMs;
    if (ageMs < stale_after_seconds * 1000) return;
    if (symbol.staleSinceWallMs === null) {
      symbol.staleSinceWallMs = this.#wallMs;
      this.#alert(
        'warning',
        'DATA_STALE',
        `no market data for ${Math.round(ageMs / 1000)} s: subscribing anew`,
        symbol.symbol,
      );
      this.#out.push({ type: 'subscribe', symbol: symbol.symbol });
    } else if (
      this.#wallMs - symbol.staleSinceWallMs >= close_when_stale_seconds * 1000 &&
      symbol.position !== 0 &&
      symbol.leaving === null
    ) {
      this.#alert(
        'critical',
        'DATA_DEAD',
        'market data stays away while the broker is connected: leaving the position',
        symbol.symbol,
      );
      symbol.flatten('market data is dead', around);
    }
  }

  /** A position that stays bare too long is left. */
  #watchProtection(symbol: SymbolTrader, around: Surroundings): void {
    const since = symbol.unprotectedSinceWallMs;
    if (since === null || symbol.leaving !== null || !around.ready) return;
    if (this.#wallMs - since < this.config.care.protect_within_seconds * 1000) return;
    this.#alert(
      'critical',
      'UNPROTECTED',
      `no working stop for ${Math.round((this.#wallMs - since) / 1000)} s: leaving the position`,
      symbol.symbol,
    );
    symbol.flatten('it could not be protected', around);
  }

  #watchRisk(): void {
    // nothing is known of the market's time before the broker has told it
    if (this.#risk === null || this.#calendar === null || this.#marketMs === 0) return;
    const day = this.#calendar.sessionAt(this.#marketMs)?.dayId;
    if (day === undefined) return;
    const halt = this.#risk.watch(this.equity, day);
    if (halt === null || this.#halt === 'halted' || this.#halt === halt.level) return;
    this.#halted(halt.level, halt.reason);
    const around = this.#around();
    for (const symbol of this.symbols) {
      if (halt.level === 'halted') symbol.flatten(halt.reason, around);
      else symbol.cancelEntries(around);
    }
  }

  #halted(level: HaltLevel, reason: string): void {
    this.#halt = level;
    this.#haltReason = reason;
    this.#alert('critical', level === 'halted' ? 'HALTED' : 'REDUCING', `${reason}; only "resume" ends this`);
  }

  #restart(): void {
    this.#connected = false;
    this.#reconciled = false;
    this.#reconcileAskedWallMs = null;
    this.#stopping = false;
    for (const symbol of this.symbols) {
      symbol.awaitingHistory = true;
      symbol.dueDecision = null;
      for (const order of symbol.orders.live()) {
        // what was asked of the broker may have been lost with the process
        order.cancelAsked = false;
        symbol.orders.doubt(order, this.#wallMs, 'unresolved');
      }
    }
  }

  /** At once, or at a later tick where the last one is not long ago. */
  #reconcileSoon(): void {
    if (!this.#connected || this.#wallMs - this.#lastReconcileWallMs <= RECONCILE_EVERY_MS) return;
    const asked = this.#reconcileAskedWallMs;
    if (asked === null || this.#wallMs - asked > RECONCILED_WITHIN_MS) this.#reconcile();
  }

  #reconcile(): void {
    this.#lastReconcileWallMs = this.#wallMs;
    this.#reconcileAskedWallMs = this.#wallMs;
    this.#out.push({ type: 'reconcile' });
  }

  #compare(event: Reconciled): void {
    this.#reconcileAskedWallMs = null;
    if (!this.#connected) return;
    // fills first: they explain the positions
    const around = this.#around();
    for (const report of event.executions) {
      if (!this.#isOurs(report.orderRef)) continue;
      this.#symbols.get(report.symbol)?.execute(report, { ...around, ready: false });
    }
    for (const report of [...event.completedOrders, ...event.openOrders]) this.#adopt(report);
    for (const symbol of this.symbols) this.#settleDoubts(symbol, event);
    this.#foreign = this.config.care.foreign === 'refuse' ? this.#foreignIn(event) : null;
    const heldOf = (symbol: SymbolTrader): number =>
      event.positions.find((position) => position.symbol === symbol.symbol)?.quantity ?? 0;
    if (this.#wasOvertaken(event, heldOf)) return;
    const wrong = this.symbols.filter((symbol) => {
      const held = heldOf(symbol);
      symbol.inDoubt = held !== symbol.position;
      if (symbol.inDoubt)
        this.#alert(
          'critical',
          'POSITION_MISMATCH',
          `the broker holds ${held}, our executions sum to ${symbol.position}`,
          symbol.symbol,
        );
      return symbol.inDoubt;
    });
    if (this.#foreign !== null) {
      this.#alert(
        'critical',
        'FOREIGN',
        `${this.#foreign} is not ours: no trading (care.foreign: ignore would leave it alone)`,
      );
      return;
    }
    this.#disagreements = wrong.length > 0 ? this.#disagreements + 1 : 0;
    if (this.#disagreements >= MOST_DISAGREEMENTS && this.#halt !== 'halted')
      this.#halted('halted', `positions disagree after ${this.#disagreements} reconciliations`);
    const first = !this.#reconciled;
    this.#reconciled = wrong.length === 0;
    if (!this.#reconciled) return;
    if (first) this.#resumeMarket();
    for (const symbol of this.symbols) symbol.pursue(this.#around());
  }

  /**
   * Whether positions differ where fills came while the answers did: the four are not of one instant, so that this says
   * nothing yet. Asked again at the next tick.
   */
  #wasOvertaken({ beganWallMs }: Reconciled, heldOf: (symbol: SymbolTrader) => number): boolean {
    const apart = this.symbols.filter((symbol) => heldOf(symbol) !== symbol.position);
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
    for (const symbol of this.symbols) {
      symbol.staleSinceWallMs = null;
      symbol.lastDataWallMs = this.#wallMs;
      this.#out.push({ type: 'subscribe', symbol: symbol.symbol });
      this.#repair(symbol);
    }
  }

  /** An order that is nowhere in answers begun after the doubt has ended, once two of them agree. */
  #settleDoubts(symbol: SymbolTrader, event: Reconciled): void {
    const { quarantine_seconds } = this.config.care;
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
      this.#alert(
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
      ({ orderRef, state }) => !this.#isOurs(orderRef) && state !== 'cancelled' && state !== 'filled',
    );
    if (order !== undefined) return `order ${order.orderId} (${order.symbol}, client ${order.clientId})`;
    const position = positions.find(({ symbol, quantity }) => quantity !== 0 && !this.#symbols.has(symbol));
    return position === undefined ? null : `a position of ${position.quantity} ${position.symbol}`;
  }

  #meetForeign(what: string): void {
    if (this.config.care.foreign === 'ignore') return;
    this.#foreign = what;
    this.#alert('critical', 'FOREIGN', `${what} is not ours: no more trading until a reconciliation without it`);
  }

  #isOurs(orderRef: string): boolean {
    return orderRef.startsWith(`${this.config.tag}-`);
  }

  #find(orderRef: string): { symbol: SymbolTrader; order: OwnOrder } | null {
    for (const symbol of this.symbols) {
      const order = symbol.orders.get(orderRef);
      if (order !== undefined) return { symbol, order };
    }
    return null;
  }

  #adopt(report: OrderReport): void {
    const found = this.#find(report.orderRef);
    if (found !== null) {
      const { orders } = found.symbol;
      orders.report(found.order, report);
      if (orders.isBack(found.order, report)) orders.revive(found.order, this.#wallMs);
    } else if (this.#isOurs(report.orderRef) && (report.state === 'working' || report.state === 'pending'))
      // bears our name and is not in our journal: an older one's, which nobody watches
      this.#out.push({ type: 'cancel', orderRef: report.orderRef });
  }

  #orderNews(report: OrderReport): void {
    const found = this.#find(report.orderRef);
    if (found === null) {
      if (!this.#isOurs(report.orderRef)) this.#meetForeign(`order ${report.orderId} (${report.symbol})`);
      return;
    }
    const { symbol, order } = found;
    symbol.orders.told(order, report.state, report.filled);
    // a bare end of an order that nobody and nothing asked to end is a refusal, whatever the broker calls it
    const unasked = !order.cancelAsked && !symbol.orders.endsByItself(order);
    const ended = report.state === 'rejected' || (report.state === 'cancelled' && unasked);
    const alone = order.request.ocaGroup === null || symbol.position !== 0;
    if (ended && alone && isLive(order) && order.request.role !== 'entry') return symbol.refused(order, this.#around());
    symbol.orders.report(order, report);
    if (symbol.orders.isBack(order, report)) this.#reconcileSoon();
    symbol.pursue(this.#around());
  }

  #orderError({ orderRef, effect, code, text }: Extract<TraderEvent, { type: 'orderError' }>): void {
    const found = this.#find(orderRef);
    if (found === null) return;
    const { symbol, order } = found;
    const level = effect === 'warning' ? 'info' : 'warning';
    this.#alert(level, 'ORDER_ERROR', `${orderRef}: ${code} ${text}`, symbol.symbol);
    if (effect === 'warning' || !isLive(order)) return;
    // of a working order it is a replacement that was refused: it ends by its status, or by its absence
    if (effect === 'rejected' && order.state === 'pending') {
      symbol.refused(order, this.#around());
      // what protects or leaves is refused where the position is another than we believe
      if (order.request.role !== 'entry') this.#reconcileSoon();
      return;
    }
    symbol.unsure(order, this.#wallMs);
    symbol.pursue(this.#around());
    this.#reconcileSoon();
  }

  #obey(command: Command): void {
    const around = this.#around();
    switch (command.kind) {
      case 'pause':
        this.#paused = true;
        for (const symbol of this.symbols) symbol.cancelEntries(around);
        return this.#alert('info', 'PAUSED', 'no decisions until "resume"; protection goes on');
      case 'resume':
        this.#paused = false;
        this.#halt = null;
        this.#disagreements = 0;
        this.#risk?.rebase(this.equity);
        return this.#alert('info', 'RESUMED', 'decisions are made again');
      case 'flatten':
        for (const symbol of this.symbols) symbol.flatten('asked to', around);
        return;
      case 'cancel-all':
        for (const symbol of this.symbols) symbol.cancelEntries(around);
        return;
      case 'kill':
        if (this.#halt !== 'halted') this.#halted('halted', 'the kill switch');
        for (const symbol of this.symbols) symbol.flatten('the kill switch', around);
        return;
      case 'shutdown':
        this.#stopping = true;
        for (const symbol of this.symbols) {
          symbol.dueDecision = null;
          if (this.config.care.on_shutdown === 'close') symbol.flatten('shutdown', around);
          else symbol.cancelEntries(around);
        }
    }
  }

  #around(): Surroundings {
    const risk = this.#risk;
    const wallMs = this.#wallMs;
    const deciding = !this.#paused && !this.#stopping && this.#halt !== 'halted';
    return {
      wallMs,
      marketMs: this.#marketMs,
      ready: this.ready,
      deciding,
      entering: deciding && this.#halt === null && this.symbols.every(({ marketDataType }) => marketDataType === 1),
      refusal: (order, price, position) => risk?.refusal(order, price, position, wallMs) ?? null,
    };
  }

  #alert(level: Alert['level'], code: string, text: string, symbol: string | null = null): void {
    this.#out.push({ type: 'alert', alert: { level, code, symbol, text } });
  }
}

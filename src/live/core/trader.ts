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
import type { Floor } from './floor.js';
import type { Alert, TraderIntent } from './intents.js';
import { isLive } from './own-orders.js';
import { Reconciliation } from './reconciliation.js';
import { Risk } from './risk.js';
import type { Surroundings } from './surroundings.js';
import { SymbolTrader } from './symbol-trader.js';
import { Watch } from './watch.js';

/** What a journal's first event brings about. */
interface Parts {
  readonly config: TraderConfig;
  readonly calendar: TradingCalendar;
  readonly risk: Risk;
  readonly reconciliation: Reconciliation;
  readonly watch: Watch;
}

export class Trader {
  readonly #decider: Decider;
  readonly #out: TraderIntent[] = [];
  readonly #symbols = new Map<string, SymbolTrader>();
  #parts: Parts | null = null;
  #wallMs = 0;
  #marketMs = 0;
  #connected = false;
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
    const risk = this.#parts?.risk;
    for (const intent of this.#out)
      if (risk !== undefined && (intent.type === 'place' || intent.type === 'modify')) risk.countOrder(this.#wallMs);
    return [...this.#out];
  }

  get config(): TraderConfig {
    return this.#begun.config;
  }

  get #begun(): Parts {
    return this.#parts ?? fail('LIVE_EVENT', { message: 'the first event of a journal must be "started"' });
  }

  get symbols(): readonly SymbolTrader[] {
    return [...this.#symbols.values()];
  }

  /** Connected and reconciled, with nobody else's orders about: what may be sent is sent. */
  get ready(): boolean {
    return this.#connected && this.#parts?.reconciliation.allowsOrders === true;
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
      (this.#parts?.reconciliation.asked !== true &&
        this.symbols.every((symbol) => symbol.settled && !symbol.market.awaitingHistory))
    );
  }

  #start(config: TraderConfig): void {
    if (this.#parts !== null) fail('LIVE_EVENT', { value: 'started', message: 'a journal starts once' });
    const floor = this.#floorOf(config);
    this.#parts = {
      config,
      calendar: calendarNamed(config.calendar),
      risk: new Risk(config.risk),
      reconciliation: new Reconciliation(floor),
      watch: new Watch(floor),
    };
    for (const symbol of config.symbols)
      this.#symbols.set(symbol.symbol, new SymbolTrader(symbol, config, this.#decider, this.#out));
  }

  #floorOf(config: TraderConfig): Floor {
    const now = (): { wallMs: number; marketMs: number } => ({ wallMs: this.#wallMs, marketMs: this.#marketMs });
    const symbols = (): readonly SymbolTrader[] => this.symbols;
    const connected = (): boolean => this.#connected;
    return {
      config,
      get symbols() {
        return symbols();
      },
      get wallMs() {
        return now().wallMs;
      },
      get marketMs() {
        return now().marketMs;
      },
      get connected() {
        return connected();
      },
      symbolNamed: (symbol) => this.#symbols.get(symbol),
      around: () => this.#around(),
      want: (intent) => this.#out.push(intent),
      alert: (level, code, text, symbol) => this.#alert(level, code, text, symbol),
      haltAt: (level, reason) => this.#haltAt(level, reason),
      repair: (symbol) => this.#repair(symbol),
    };
  }

  #take(event: Exclude<TraderEvent, { type: 'started' }>): void {
    const { reconciliation } = this.#begun;
    switch (event.type) {
      case 'restarted':
        return this.#restart();
      case 'clock':
        return this.#tick();
      case 'connected':
        this.#connected = true;
        return reconciliation.begin();
      case 'disconnected':
        this.#connected = false;
        reconciliation.drop();
        for (const symbol of this.symbols) {
          symbol.market.awaitingHistory = true;
          symbol.market.dropHeld();
          symbol.orders.forgetReplacements();
        }
        return this.#alert(
          'warning',
          'DISCONNECTED',
          'the broker is not reachable: nothing is sent, resting stops stay at the broker',
        );
      case 'reconciled':
        return reconciliation.compare(event);
      case 'unreconciled':
        reconciliation.failed();
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
        if (symbol === undefined || !reconciliation.isOurs(event.report.orderRef))
          return reconciliation.meetForeign(`an execution of ${event.report.symbol}`);
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
      symbol.market.lastDataWallMs = this.#wallMs;
      if (symbol.market.staleSinceWallMs !== null)
        this.#alert('info', 'DATA_BACK', 'market data has come back', symbol.symbol);
      symbol.market.staleSinceWallMs = null;
    }
    switch (event.type) {
      case 'fiveSecondBar': {
        const { bar } = event;
        symbol.see(bar.high, bar.low, bar.close);
        for (const built of symbol.market.builder.add(bar)) {
          if (symbol.market.awaitingHistory) symbol.market.hold(built);
          else if (symbol.market.continues(built)) symbol.closeBar(built.bar, around);
          else this.#repair(symbol);
        }
        break;
      }
      case 'history':
        this.#history(symbol, event.anchor, event.bars);
        break;
      case 'quote':
        symbol.market.bid = event.bid;
        symbol.market.ask = event.ask;
        break;
      case 'trade':
        symbol.see(event.price, event.price, event.price);
        symbol.pursue(around);
        break;
      case 'dataType':
        if (event.marketDataType !== symbol.market.dataType && event.marketDataType !== 1)
          this.#alert(
            'critical',
            'DATA_NOT_LIVE',
            `market data of type ${event.marketDataType} is not live: entries are off`,
            symbol.symbol,
          );
        symbol.market.dataType = event.marketDataType;
    }
    this.#watchRisk();
  }

  /** Bars that we missed, or all of them since the anchor. The last one is decided upon if it has only just closed. */
  #history(symbol: SymbolTrader, anchor: boolean, brought: Extract<TraderEvent, { type: 'history' }>['bars']): void {
    if (anchor && symbol.market.barsSeen === 0) symbol.market.reanchor();
    symbol.market.awaitingHistory = false;
    const { decide_within_seconds } = this.config.care;
    const { bars, gap } = symbol.market.joined(brought);
    for (const [index, bar] of bars.entries()) {
      const fresh = this.#marketMs - symbol.market.row.clock.decisionMs(bar.openMs) < decide_within_seconds * 1000;
      if (index === bars.length - 1 && fresh && this.#marketMs >= symbol.market.row.clock.decisionMs(bar.openMs))
        symbol.closeBar(bar, this.#around());
      else symbol.feed(bar);
    }
    if (gap) this.#repair(symbol);
    if (!symbol.market.warm)
      this.#alert(
        'warning',
        'NOT_WARM',
        `${symbol.market.barsSeen} bars since the anchor, ${this.config.warmup} needed: no decisions yet`,
        symbol.symbol,
      );
  }

  #repair(symbol: SymbolTrader): void {
    symbol.market.awaitingHistory = true;
    this.#out.push({
      type: 'history',
      symbol: symbol.symbol,
      fromMs: Number.isFinite(symbol.market.row.stampMs) ? symbol.market.row.stampMs : null,
    });
  }

  /** Time has passed: bars that are due, data that is stale, orders in doubt. */
  #tick(): void {
    const { config, reconciliation, watch } = this.#begun;
    const around = this.#around();
    for (const symbol of this.symbols) {
      if (!this.#connected) continue;
      const { market } = symbol;
      const overdue = market.builder.overdue(this.#marketMs - config.care.stale_after_seconds * 1000);
      if (overdue !== null && market.awaitingHistory) market.hold(overdue);
      else if (overdue !== null) this.#repair(symbol);
      if (reconciliation.done) watch.data(symbol);
      for (const order of symbol.orders.live()) watch.silence(symbol, order);
      symbol.pursue(around);
      watch.protection(symbol);
    }
    reconciliation.watch(() => watch.commissionMissing(reconciliation.lastWallMs));
    this.#watchRisk();
  }

  #watchRisk(): void {
    const { calendar, risk } = this.#begun;
    // nothing is known of the market's time before the broker has told it
    if (this.#marketMs === 0) return;
    const day = calendar.sessionAt(this.#marketMs)?.dayId;
    if (day === undefined) return;
    const halt = risk.watch(this.equity, day);
    if (halt === null || this.#halt === 'halted' || this.#halt === halt.level) return;
    this.#haltAt(halt.level, halt.reason);
    const around = this.#around();
    for (const symbol of this.symbols) {
      if (halt.level === 'halted') symbol.flatten(halt.reason, around);
      else symbol.cancelEntries(around);
    }
  }

  #haltAt(level: HaltLevel, reason: string): void {
    if (this.#halt === 'halted') return;
    this.#halt = level;
    this.#haltReason = reason;
    this.#alert('critical', level === 'halted' ? 'HALTED' : 'REDUCING', `${reason}; only "resume" ends this`);
  }

  #restart(): void {
    this.#connected = false;
    this.#begun.reconciliation.drop();
    this.#stopping = false;
    for (const symbol of this.symbols) {
      symbol.market.awaitingHistory = true;
      symbol.market.dropHeld();
      symbol.dueDecision = null;
      for (const order of symbol.orders.live()) {
        // what was asked of the broker may have been lost with the process
        order.cancelAsked = false;
        symbol.orders.doubt(order, this.#wallMs, 'unresolved');
      }
    }
  }

  #orderNews(report: OrderReport): void {
    const { reconciliation } = this.#begun;
    const found = reconciliation.find(report.orderRef);
    if (found === null) {
      if (!reconciliation.isOurs(report.orderRef))
        reconciliation.meetForeign(`order ${report.orderId} (${report.symbol})`);
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
    if (symbol.orders.isBack(order, report)) reconciliation.askSoon();
    symbol.pursue(this.#around());
  }

  #orderError({ orderRef, effect, code, text }: Extract<TraderEvent, { type: 'orderError' }>): void {
    const { reconciliation } = this.#begun;
    const found = reconciliation.find(orderRef);
    if (found === null) return;
    const { symbol, order } = found;
    const level = effect === 'warning' ? 'info' : 'warning';
    this.#alert(
      level,
      effect === 'warning' ? 'ORDER_NOTE' : 'ORDER_ERROR',
      `${orderRef}: ${code} ${text}`,
      symbol.symbol,
    );
    if (effect === 'warning' || !isLive(order)) return;
    // of a working order it is a replacement that was refused: it ends by its status, or by its absence
    if (effect === 'rejected' && order.state === 'pending') {
      symbol.refused(order, this.#around());
      // what protects or leaves is refused where the position is another than we believe
      if (order.request.role !== 'entry') reconciliation.askSoon();
      return;
    }
    symbol.unsure(order, this.#wallMs);
    symbol.pursue(this.#around());
    reconciliation.askSoon();
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
        this.#begun.reconciliation.forgive();
        this.#begun.risk.rebase(this.equity);
        return this.#alert('info', 'RESUMED', 'decisions are made again');
      case 'flatten':
        for (const symbol of this.symbols) symbol.flatten('asked to', around);
        return;
      case 'cancel-all':
        for (const symbol of this.symbols) symbol.cancelEntries(around);
        return;
      case 'kill':
        this.#haltAt('halted', 'the kill switch');
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
    const { risk } = this.#begun;
    const wallMs = this.#wallMs;
    const deciding = !this.#paused && !this.#stopping && this.#halt !== 'halted';
    return {
      wallMs,
      marketMs: this.#marketMs,
      ready: this.ready,
      deciding,
      entering: deciding && this.#halt === null && this.symbols.every(({ market }) => market.dataType === 1),
      refusal: (order, price, position) => risk.refusal(order, price, position, wallMs),
    };
  }

  #alert(level: Alert['level'], code: string, text: string, symbol: string | null = null): void {
    this.#out.push({ type: 'alert', alert: { level, code, symbol, text } });
  }
}

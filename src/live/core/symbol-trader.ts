/**
 * One symbol: bars in, decisions and orders out. The rules, the sizes, the exits and the observation are those of
 * `env/market`; what stands here is what the market does not do for us live: waiting, partial fills, lost answers.
 */
import { calendarNamed, type TradingCalendar } from '#env/market/calendar.js';
import { openExits, PositionExits } from '#env/market/exits.js';
import { limitPrice } from '#env/market/fills.js';
import { MarketNoise } from '#env/market/noise.js';
import { ACCOUNT_FEATURE_COUNT, writeAccountFeatures } from '#env/market/observation/index.js';
import { OrderDesk } from '#env/market/order-desk.js';
import { CLOSE, FILL_REASONS, NO_ORDER, OPEN } from '#env/market/orders.js';
import type { ExecutionReport, OrderSide } from '#src/broker/contract.js';
import type { SymbolConfig, TraderConfig } from './config.js';
import { dayOrder } from './day-order.js';
import type { Decider } from './decider.js';
import type { ClosedBar } from './events.js';
import { Guard } from './guard.js';
import type { Alert, TraderIntent } from './intents.js';
import type { Ledger } from './ledger.js';
import { CLOSED, FORMING } from './market-row.js';
import { OrderLine } from './order-line.js';
import type { OwnOrder, OwnOrders } from './own-orders.js';
import { PositionBook } from './position-book.js';
import { slicesOf, type Slice } from './protection.js';
import type { Surroundings } from './surroundings.js';
import { SymbolMarket } from './symbol-market.js';

/** A fill this long after its bar's open was not made at the open. */
const AT_THE_OPEN_MS = 5_000;
const DISCRETE_ACTIONS = 3;

export class SymbolTrader {
  readonly config: SymbolConfig;
  readonly market: SymbolMarket;
  /** Why the position is being left at once, whatever the policy says; null: it is not. */
  leaving: string | null = null;
  /** The bar whose decision is still to be made; null: none. */
  dueDecision: { readonly barOpenMs: number; readonly bornWallMs: number } | null = null;
  /** The broker says that we hold another quantity than our executions sum to. */
  inDoubt = false;
  /** When an execution was last booked. */
  lastExecutedWallMs = -Infinity;
  /** Since when a commission is missing; null: none is. */
  unchargedSinceWallMs: number | null = null;

  readonly #trader: TraderConfig;
  readonly #decider: Decider;
  readonly #calendar: TradingCalendar;
  readonly #book: PositionBook;
  readonly #line: OrderLine;
  readonly #guard: Guard;
  readonly #desk: OrderDesk;
  readonly #mask: Uint8Array | null;
  readonly #probabilities: Float32Array;
  readonly #out: TraderIntent[];

  constructor(config: SymbolConfig, trader: TraderConfig, decider: Decider, out: TraderIntent[]) {
    this.config = config;
    this.#trader = trader;
    this.#decider = decider;
    this.#out = out;
    this.#calendar = calendarNamed(trader.calendar);
    this.market = new SymbolMarket(config, trader);
    this.#book = new PositionBook(config, trader, this.market.row);
    this.#line = new OrderLine(out);
    this.#guard = new Guard(config.symbol, trader.care.protect_outside_rth, this.#book, this.#line, out);
    const noise = new MarketNoise({ ...trader.market.noise, fill_price_bps: 0, cost: 0, delay: 0, observation: 0 }, 1);
    this.#desk = new OrderDesk(trader.market, noise);
    const discrete = trader.market.actions === 'discrete';
    this.#mask = discrete && trader.market.mask_actions ? new Uint8Array(DISCRETE_ACTIONS) : null;
    this.#probabilities = new Float32Array(discrete ? DISCRETE_ACTIONS : 1);
  }

  get symbol(): string {
    return this.config.symbol;
  }

  get orders(): OwnOrders {
    return this.#line.orders;
  }

  get ledger(): Ledger {
    return this.#book.ledger;
  }

  /** Signed units held. */
  get position(): number {
    return this.#book.quantity;
  }

  /** The exits' levels of the open position. */
  get exits(): Readonly<PositionExits> {
    return this.#book.account.exits;
  }

  get lastPrice(): number {
    return this.market.lastPrice;
  }

  get cash(): number {
    return this.#book.cash;
  }

  /** At the last price that was seen. */
  get equity(): number {
    return this.#book.equityAt(this.market.lastPrice);
  }

  /** Borrow charged by the model since the start, in currency. */
  get accruedBorrow(): number {
    return this.#book.accruedBorrow;
  }

  /** Since when a position is without its protection; null: it has it, or needs none. */
  get unprotectedSinceWallMs(): number | null {
    return this.#guard.unprotectedSinceWallMs;
  }

  /** Whether nothing of ours is on its way. */
  get settled(): boolean {
    return (
      this.dueDecision === null &&
      !this.orders.owed &&
      !this.orders.live().some(({ state }) => state === 'pending' || state === 'cancelling')
    );
  }

  /** A closed bar of history that lies behind us: features and levels, no decision. */
  feed(bar: ClosedBar): void {
    if (bar.openMs <= this.market.row.stampMs) return;
    this.#book.chargeNights(bar);
    this.market.closeBar(bar);
  }

  /** A bar that has just closed: its levels move, and a decision falls due. */
  closeBar(bar: ClosedBar, around: Surroundings): void {
    if (bar.openMs <= this.market.row.stampMs) return;
    this.feed(bar);
    this.#book.heldAtClose = this.position;
    this.#ratchet(bar);
    this.#book.openedWithin = false;
    this.market.beginBar();
    // what was ordered at the last close was good for this bar
    for (const order of this.orders.live('entry', 'exit')) this.#line.cancel(order, around.wallMs);
    this.dueDecision = { barOpenMs: bar.openMs, bornWallMs: around.wallMs };
    this.pursue(around);
  }

  /** A trade or a 5-second bar's range: raises the best price, if it can be believed. */
  see(high: number, low: number, last: number): void {
    if (!this.market.see(high, low, last)) return;
    if (this.#trader.market.exits.ratchet === 'tick' && this.position !== 0) this.#book.moveLevels(last, NaN, NaN);
  }

  /** Books an execution. The position it makes is protected at once. */
  execute(report: ExecutionReport, around: Surroundings): void {
    const before = this.position;
    const booked = this.ledger.book(report);
    if (booked === 'known') return;
    const order = this.orders.get(report.orderRef);
    if (order !== undefined) this.orders.filledTo(order, this.ledger.filledOf(report.orderRef), booked === 'corrected');
    this.lastExecutedWallMs = around.wallMs;
    this.#tellTrade(report, order);
    this.#book.syncAccount();
    const after = this.position;
    if (after !== 0 && (before === 0 || after > 0 !== before > 0)) {
      this.#beginPosition(report, order);
      // a stop that filled after its cancel, an exit that overshot: nobody decided on this position
      if (order?.request.role !== 'entry') this.#leaveUnintended(after);
    } else if (after !== 0 && Math.abs(after) > Math.abs(before)) {
      this.#book.openLevels();
      // an order of an earlier position has filled into this one
      if (order?.cycle !== this.#book.cycle) this.#leaveUnintended(after);
    }
    if (after === 0) {
      this.#line.forgetRefusals();
      this.#book.account.exitAsked = 0;
      this.leaving = null;
      for (const left of this.orders.live('stop', 'target', 'exit')) this.#line.release(left, around.wallMs);
    }
    this.pursue(around);
  }

  charge(execRoot: string, revision: number, amount: number): void {
    this.ledger.charge(execRoot, revision, amount);
    this.#book.syncAccount();
  }

  /** The broker will never carry out this order. */
  refused(order: OwnOrder, around: Surroundings): void {
    this.#line.refused(order, around.wallMs);
    this.pursue(around);
  }

  /** A replacement, or an end, was refused, or an error left the order in doubt: only the broker knows how it stands. */
  unsure(order: OwnOrder, wallMs: number): void {
    this.#line.unsure(order, wallMs);
  }

  /** Does what can be done now: protection first, then leaving, then the decision that is due. */
  pursue(around: Surroundings): void {
    if (!around.ready) return;
    this.#guard.withdrawBroken(around.wallMs);
    // a fill that we know of and have not seen would make all of this about another position
    if (this.inDoubt || this.orders.owed) return;
    this.#guard.protect(around.wallMs);
    if (this.leaving !== null) this.#leave(this.leaving, around);
    this.#decideIfDue(around);
  }

  /** Leaves the position at the market, now and whatever else is decided. */
  flatten(reason: string, around: Surroundings): void {
    this.cancelEntries(around);
    this.dueDecision = null;
    if (this.position !== 0) this.leaving ??= reason;
    this.pursue(around);
  }

  cancelEntries(around: Surroundings): void {
    for (const order of this.orders.live('entry')) this.#line.cancel(order, around.wallMs);
  }

  #tellTrade(report: ExecutionReport, order: OwnOrder | undefined): void {
    this.#out.push({
      type: 'trade',
      trade: {
        marketMs: report.marketMs,
        symbol: this.symbol,
        action: report.side,
        quantity: report.quantity,
        price: report.price,
        orderId: report.orderId,
        orderRef: report.orderRef,
        role: order?.request.role ?? 'foreign',
        execRoot: `${report.execRoot}.${String(report.revision).padStart(2, '0')}`,
        positionAfter: this.position,
      },
    });
  }

  #beginPosition(report: ExecutionReport, order: OwnOrder | undefined): void {
    const { row, builder } = this.market;
    const book = this.#book;
    book.cycle = order?.cycle ?? `${this.#trader.tag}-${this.symbol}-x${report.marketMs.toString(36)}`;
    row.setFormingDay(report.marketMs);
    this.#desk.countCycle(book.account, row, FORMING);
    book.account.exitAsked = 0;
    const barFromMs = builder.span?.fromMs ?? report.marketMs;
    book.openedWithin = order?.request.orderType === 'LMT' && report.marketMs - barFromMs >= AT_THE_OPEN_MS;
    book.openLevels();
  }

  #leaveUnintended(position: number): void {
    this.leaving = 'nobody decided on this position';
    this.#alert('critical', 'UNINTENDED', `a late fill left ${position}: leaving it at the market`);
  }

  #ratchet(bar: ClosedBar): void {
    if (this.position === 0) return;
    const believed = this.market.bestOf(bar, this.position > 0);
    // without a believed trade of its own the bar's close is all that is sure
    const best = this.#book.openedWithin || Number.isNaN(believed) ? bar.close : believed;
    this.#book.moveLevels(best, bar.close, this.market.row.ema);
  }

  /** An exit for each slice in its own group, so that stop and exit can never both fill; what has no stop goes alone. */
  #leave(reason: string, around: Surroundings, limit: number | null = null, forced = true): void {
    if (this.position === 0 || this.orders.live('exit').length > 0 || !this.#line.maySend(around.wallMs)) return;
    const held = Math.abs(this.position);
    const side: OrderSide = this.position > 0 ? 'SELL' : 'BUY';
    const { cycle } = this.#book;
    const parts = this.#book.slices(this.orders).map(({ slot, quantity }) => {
      const resting = this.orders.inSlot('stop', cycle, slot) ?? this.orders.inSlot('target', cycle, slot);
      return { slot, quantity, ocaGroup: resting?.request.ocaGroup ?? null };
    });
    for (const { quantity, slot, ocaGroup } of parts) {
      // "forced" tells a simulated market that a resting exit which fills first does not cancel this one
      const orderRef = this.orders.freshRef(`${cycle}-X${forced ? 'forced' : ''}${slot}`);
      const order = dayOrder({
        orderRef,
        symbol: this.symbol,
        role: 'exit',
        side,
        quantity,
        limitPrice: limit,
        ocaGroup,
      });
      this.#line.place(order, cycle, slot, around.wallMs);
    }
    this.#alert('info', 'LEAVING', `leaves ${held} at ${limit ?? 'the market'}: ${reason}`);
  }

  #decideIfDue(around: Surroundings): void {
    const due = this.dueDecision;
    if (due === null) return;
    if (around.wallMs - due.bornWallMs > this.#trader.care.decide_within_seconds * 1000) {
      this.dueDecision = null;
      this.#alert(
        'warning',
        'DECISION_LATE',
        'the decision came too late and was not made: orders of the last one were still open',
      );
      return;
    }
    // an order that may still fill would make this decision about a position that is not there
    if (this.orders.live('entry', 'exit').length > 0) return;
    this.dueDecision = null;
    if (!this.market.warm || this.leaving !== null || !around.deciding) return;
    this.#decide(due.barOpenMs, around);
  }

  #decide(barOpenMs: number, around: Surroundings): void {
    const { account } = this.#book;
    const { row, observation } = this.market;
    const close = row.close[CLOSED];
    this.#book.syncAccount();
    writeAccountFeatures(
      observation,
      observation.length - ACCOUNT_FEATURE_COUNT,
      account.shares,
      account.averagePrice,
      close,
      account.equity,
    );
    this.#desk.prepare(account, row, CLOSED);
    if (this.#mask !== null) this.#desk.writeMask(account, this.#mask);
    const action = this.#decider.decide(observation, this.#mask, this.#probabilities);
    this.#out.push({
      type: 'decision',
      decision: {
        symbol: this.symbol,
        barOpenMs,
        features: [...observation],
        mask: this.#mask === null ? null : [...this.#mask],
        probabilities: [...this.#probabilities],
        action,
        position: account.shares,
        equity: account.equity,
        close,
      },
    });
    if (this.#trader.market.actions === 'discrete') this.#desk.decide(account, row, CLOSED, action);
    else this.#desk.rebalance(account, row, CLOSED, action);
    this.#order(barOpenMs, around);
  }

  /** What the desk has put on the table, sent. */
  #order(barOpenMs: number, around: Surroundings): void {
    const { due } = this.#book.account;
    const { kind, quantity, forced } = due;
    if (kind === NO_ORDER) return;
    const limit = Number.isNaN(due.limit) ? null : due.limit;
    due.clear();
    if (kind === CLOSE) {
      const reason = FILL_REASONS[due.reason];
      // a rule's exit that has to wait after a refusal is not lost
      if (!this.#line.maySend(around.wallMs) && forced === 1) this.leaving = reason;
      else this.#leave(reason, around, limit, forced === 1);
    } else if (kind === OPEN || quantity > 0 === this.position > 0)
      this.#enter(kind === OPEN, quantity, limit, barOpenMs, around);
    else this.#reduce(quantity, limit, barOpenMs, around);
  }

  #enter(opens: boolean, quantity: number, limit: number | null, barOpenMs: number, around: Surroundings): void {
    if (!around.entering)
      return this.#alert('info', 'ENTRY_HELD', 'an entry was decided and not sent: entries are off');
    if (opens && !this.#desk.mayBeginCycle(this.#book.account, this.market.row, FORMING)) return;
    const side = quantity > 0 ? 1 : -1;
    let price = limit;
    if (this.#calendar.sessionAt(around.marketMs) === null && this.#trader.care.before_open !== 'as_decided') {
      if (this.#trader.care.before_open === 'none')
        return this.#alert('info', 'ENTRY_HELD', 'an entry was decided while the market is closed, and not sent');
      price ??= limitPrice(
        side,
        this.market.row.close[CLOSED],
        this.#trader.market.order.buffer_bps,
        this.market.row.ticks,
      );
    }
    const cycle = opens ? `${this.#trader.tag}-${this.symbol}-${barOpenMs.toString(36)}` : this.#book.cycle;
    const reference = price ?? this.market.row.close[CLOSED];
    const size = Math.abs(quantity);
    const slices = opens ? this.#plannedSlices(side, reference, size) : [];
    const protective = slices.flatMap(({ stop, target }) => [
      ...(stop === null ? [] : ['stop']),
      ...(target === null ? [] : ['target']),
    ]);
    const entry = dayOrder({
      orderRef: this.orders.freshRef(`${cycle}-${opens ? 'E' : `A${barOpenMs.toString(36)}`}`),
      symbol: this.symbol,
      role: 'entry',
      side: side > 0 ? 'BUY' : 'SELL',
      quantity: size,
      limitPrice: price,
      transmit: protective.length === 0,
    });
    const refusal = around.refusal(entry, reference, this.position);
    if (refusal !== null) return this.#alert('warning', 'RISK_REFUSED', refusal);
    this.#line.place(entry, cycle, -1, around.wallMs);
    const bracket = { cycle, side: side > 0 ? 'SELL' : 'BUY', parentRef: entry.orderRef } as const;
    let left = protective.length;
    for (const { slot, quantity: part, stop, target } of slices) {
      for (const [role, level] of [
        ['stop', stop],
        ['target', target],
      ] as const) {
        if (level === null) continue;
        left--;
        const request = this.#guard.request(role, slot, part, level, { ...bracket, transmit: left === 0 });
        this.#line.place(request, cycle, slot, around.wallMs);
      }
    }
  }

  /** Levels before there is a fill: measured from the price that is expected, mended when the fill is known. */
  #plannedSlices(side: number, reference: number, size: number): Slice[] {
    if (!this.#book.plan.rests) return [];
    const exits = new PositionExits(this.#book.plan);
    openExits(this.#book.plan, exits, side, reference, size, this.market.row.ticks);
    return slicesOf(this.#book.plan, exits, size, size, () => 0, this.market.row.lotSize);
  }

  /** A smaller target position: the stops shrink when the fill is known. */
  #reduce(quantity: number, limit: number | null, barOpenMs: number, around: Surroundings): void {
    const { cycle, plan } = this.#book;
    const order = dayOrder({
      orderRef: this.orders.freshRef(`${cycle}-R${barOpenMs.toString(36)}`),
      symbol: this.symbol,
      role: 'exit',
      side: quantity > 0 ? 'BUY' : 'SELL',
      quantity: Math.min(Math.abs(quantity), Math.abs(this.position)),
      limitPrice: limit,
    });
    this.#line.place(order, cycle, plan.stages + 2, around.wallMs);
  }

  #alert(level: Alert['level'], code: string, text: string): void {
    this.#out.push({ type: 'alert', alert: { level, code, symbol: this.symbol, text } });
  }
}

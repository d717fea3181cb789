/**
 * One symbol: bars in, decisions and orders out. The rules, the sizes, the exits and the observation are those of
 * `env/market`; what stands here is what the market does not do for us live: waiting, partial fills, lost answers.
 */
import { Account } from '#env/market/account.js';
import { borrowCost } from '#env/market/costs.js';
import { calendarNamed, type TradingCalendar } from '#env/market/calendar.js';
import { ExitPlan, openExits, PositionExits, ratchetExits } from '#env/market/exits.js';
import { limitPrice } from '#env/market/fills.js';
import { MarketNoise } from '#env/market/noise.js';
import { ACCOUNT_FEATURE_COUNT, FEATURE_SETS, writeAccountFeatures } from '#env/market/observation/index.js';
import { FeatureStream } from '#env/market/observation/stream.js';
import { OrderDesk } from '#env/market/order-desk.js';
import { CLOSE, FILL_REASONS, NO_ORDER, OPEN } from '#env/market/orders.js';
import type { ExecutionReport, OrderSide } from '#src/broker/contract.js';
import { BarBuilder } from './bar-builder.js';
import type { SymbolConfig, TraderConfig } from './config.js';
import type { Decider } from './decider.js';
import type { ClosedBar } from './events.js';
import type { Alert, OrderRequest, TraderIntent } from './intents.js';
import { Ledger, MICRO } from './ledger.js';
import { CLOSED, FORMING, MarketRow } from './market-row.js';
import { isLive, OwnOrders, remainingOf, type OwnOrder } from './own-orders.js';
import { slicesOf, type Slice } from './protection.js';

/** A fill this long after its bar's open was not made at the open. */
const AT_THE_OPEN_MS = 5_000;
const DISCRETE_ACTIONS = 3;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 16_000;
const MOST_REFUSALS = 5;
/** What the broker is to end by itself is cancelled where this long nothing has said that it did. */
const ENDS_WITHIN_MS = 2_000;

/** What the whole trader says to one of its symbols. */
export interface Surroundings {
  readonly wallMs: number;
  readonly marketMs: number;
  /** Connected and reconciled: orders may be sent. */
  readonly ready: boolean;
  /** Discretionary decisions are made. */
  readonly deciding: boolean;
  /** Positions may be opened and enlarged. */
  readonly entering: boolean;
  /** null, or why the limits refuse this order. */
  refusal(order: OrderRequest, price: number, position: number): string | null;
}

export class SymbolTrader {
  readonly config: SymbolConfig;
  readonly ledger: Ledger;
  readonly orders = new OwnOrders();
  readonly row: MarketRow;
  readonly builder: BarBuilder;
  /** Features of the last closed bar, account features last. */
  readonly observation: Float32Array;
  /** Why the position is being left at once, whatever the policy says; null: it is not. */
  leaving: string | null = null;
  /** Whether bars since the anchor suffice for a decision. */
  warm = false;
  /** History was asked for and has not come; bars wait for it. */
  awaitingHistory = true;
  /** The bar whose decision is still to be made; null: none. */
  dueDecision: { readonly barOpenMs: number; readonly bornWallMs: number } | null = null;
  lastPrice = NaN;
  bid: number | null = null;
  ask: number | null = null;
  /** Wall time of the last news of the market. */
  lastDataWallMs = 0;
  /** Since when the market data is believed dead; null: it is not. */
  staleSinceWallMs: number | null = null;
  /** Not 1: delayed or frozen. */
  marketDataType = 1;
  /** Since when a position is without its protection; null: it has it, or needs none. */
  unprotectedSinceWallMs: number | null = null;
  /** The broker says that we hold another quantity than our executions sum to. */
  inDoubt = false;
  /** When an execution was last booked. */
  lastExecutedWallMs = -Infinity;
  /** Since when a commission is missing; null: none is. */
  unchargedSinceWallMs: number | null = null;
  /** Borrow charged by the model since the start, in currency. */
  accruedBorrow = 0;

  readonly #trader: TraderConfig;
  readonly #decider: Decider;
  readonly #calendar: TradingCalendar;
  readonly #plan: ExitPlan;
  readonly #account: Account;
  readonly #desk: OrderDesk;
  readonly #stream: FeatureStream;
  readonly #mask: Uint8Array | null;
  readonly #probabilities: Float32Array;
  readonly #out: TraderIntent[];
  /** Names the position under way; its orders begin with it. */
  #cycle = '';
  #openedWithin = false;
  /** Refused orders that protect or leave are sent again, each time after twice as long. */
  #refusals = 0;
  #againAtWallMs = -Infinity;
  /** Units held when the last bar closed. */
  #heldAtClose = 0;
  /** Best prices of trades that are believed, since the bar under way began. */
  #believedHigh = NaN;
  #believedLow = NaN;

  constructor(config: SymbolConfig, trader: TraderConfig, decider: Decider, out: TraderIntent[]) {
    this.config = config;
    this.#trader = trader;
    this.#decider = decider;
    this.#out = out;
    this.#calendar = calendarNamed(trader.calendar);
    this.#plan = new ExitPlan(trader.market.exits);
    this.ledger = new Ledger(config.symbol);
    this.#account = new Account(0, this.#plan);
    this.#account.begin(config.sleeveEquity);
    const noise = new MarketNoise({ ...trader.market.noise, fill_price_bps: 0, cost: 0, delay: 0, observation: 0 }, 1);
    this.#desk = new OrderDesk(trader.market, noise);
    this.row = new MarketRow(config.instrument, trader.market, this.#calendar, trader.interval);
    this.builder = new BarBuilder(trader.interval.ms, this.#calendar);
    const spec = FEATURE_SETS[trader.featureSet];
    this.#stream = new FeatureStream(spec);
    this.observation = new Float32Array(spec.marketFeatures.length + ACCOUNT_FEATURE_COUNT);
    const discrete = trader.market.actions === 'discrete';
    this.#mask = discrete && trader.market.mask_actions ? new Uint8Array(DISCRETE_ACTIONS) : null;
    this.#probabilities = new Float32Array(discrete ? DISCRETE_ACTIONS : 1);
  }

  get symbol(): string {
    return this.config.symbol;
  }

  get position(): number {
    return this.ledger.position;
  }

  /** The exits' levels of the open position. */
  get exits(): Readonly<PositionExits> {
    return this.#account.exits;
  }

  get barsSeen(): number {
    return this.#stream.barsSeen;
  }

  get cash(): number {
    return this.config.sleeveEquity + this.ledger.cashMicro / MICRO - this.accruedBorrow;
  }

  /** At the last price that was seen. */
  get equity(): number {
    return this.cash + (this.position === 0 ? 0 : this.position * this.lastPrice);
  }

  /** Whether nothing of ours is on its way. */
  get settled(): boolean {
    return (
      this.dueDecision === null &&
      !this.orders.owed &&
      !this.orders.live().some(({ state }) => state === 'pending' || state === 'cancelling')
    );
  }

  /** Forgets the indicators: the next bar is the anchor. */
  reanchor(): void {
    this.#stream.reset();
    this.warm = false;
  }

  /** A closed bar of history that lies behind us: features and levels, no decision. */
  feed(bar: ClosedBar): void {
    if (bar.openMs <= this.row.stampMs) return;
    this.#chargeNights(bar);
    this.row.closeBar(bar);
    this.#stream.next(bar.open, bar.high, bar.low, bar.close, bar.volume, this.observation, 0);
    this.warm = this.#stream.barsSeen > this.#trader.warmup;
    this.lastPrice = bar.close;
  }

  /** A bar that has just closed: its levels move, and a decision falls due. */
  closeBar(bar: ClosedBar, around: Surroundings): void {
    if (bar.openMs <= this.row.stampMs) return;
    this.feed(bar);
    this.#heldAtClose = this.position;
    this.#ratchet(bar);
    this.#openedWithin = false;
    this.#believedHigh = NaN;
    this.#believedLow = NaN;
    // what was ordered at the last close was good for this bar
    for (const order of this.orders.live('entry', 'exit')) this.#cancel(order, around.wallMs);
    this.dueDecision = { barOpenMs: bar.openMs, bornWallMs: around.wallMs };
    this.pursue(around);
  }

  /** A trade or a 5-second bar's range: raises the best price, if it can be believed. */
  see(high: number, low: number, last: number): void {
    const { bid, ask } = this;
    const reference = bid !== null && ask !== null ? (bid + ask) / 2 : this.lastPrice;
    const band = this.#trader.care.price_band;
    const believed = (price: number): boolean =>
      price > 0 && (Number.isNaN(reference) || Math.abs(price / reference - 1) <= band);
    if (believed(high) && !(high <= this.#believedHigh)) this.#believedHigh = high;
    if (believed(low) && !(low >= this.#believedLow)) this.#believedLow = low;
    if (!believed(last)) return;
    this.lastPrice = last;
    if (this.#trader.market.exits.ratchet === 'tick' && this.position !== 0) this.#moveLevels(last, NaN, NaN);
  }

  /** Books an execution. The position it makes is protected at once. */
  execute(report: ExecutionReport, around: Surroundings): void {
    const before = this.position;
    const booked = this.ledger.book(report);
    if (booked === 'known') return;
    const order = this.orders.get(report.orderRef);
    if (order !== undefined) this.orders.filledTo(order, this.ledger.filledOf(report.orderRef), booked === 'corrected');
    this.lastExecutedWallMs = around.wallMs;
    const after = this.position;
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
        positionAfter: after,
      },
    });
    this.#syncAccount();
    if (after !== 0 && (before === 0 || after > 0 !== before > 0)) {
      this.#beginPosition(report, order);
      // a stop that filled after its cancel, an exit that overshot: nobody decided on this position
      if (order?.request.role !== 'entry') this.#leaveUnintended(after);
    } else if (after !== 0 && Math.abs(after) > Math.abs(before)) {
      this.#levelsFrom(after);
      // an order of an earlier position has filled into this one
      if (order?.cycle !== this.#cycle) this.#leaveUnintended(after);
    }
    if (after === 0) {
      this.#refusals = 0;
      this.#account.exitAsked = 0;
      this.leaving = null;
      for (const left of this.orders.live('stop', 'target', 'exit')) this.#release(left, around.wallMs);
    }
    this.pursue(around);
  }

  charge(execRoot: string, revision: number, amount: number): void {
    this.ledger.charge(execRoot, revision, amount);
    this.#syncAccount();
  }

  /** The broker will never carry out this order. */
  refused(order: OwnOrder, around: Surroundings): void {
    this.orders.end(order, order.filled >= order.request.quantity ? 'filled' : 'rejected');
    if (order.request.role !== 'entry') this.#setBack(around.wallMs);
    this.pursue(around);
  }

  /** A replacement, or an end, was refused, or an error left the order in doubt: only the broker knows how it stands. */
  unsure(order: OwnOrder, wallMs: number): void {
    this.orders.doubt(order, wallMs, null);
    order.erred = true;
    this.#setBack(wallMs);
  }

  #setBack(wallMs: number): void {
    this.#againAtWallMs = wallMs + Math.min(FIRST_RETRY_MS * (1 << this.#refusals), LONGEST_RETRY_MS);
    this.#refusals = Math.min(this.#refusals + 1, MOST_REFUSALS);
  }

  /** Does what can be done now: protection first, then leaving, then the decision that is due. */
  pursue(around: Surroundings): void {
    if (!around.ready) return;
    this.#withdrawBroken(around);
    // a fill that we know of and have not seen would make all of this about another position
    if (this.inDoubt || this.orders.owed) return;
    this.protect(around);
    if (this.leaving !== null) this.#leave(this.leaving, around);
    this.#decideIfDue(around);
  }

  /** An entry goes with its whole bracket, or not at all. */
  #withdrawBroken(around: Surroundings): void {
    for (const entry of this.orders.live('entry')) {
      if (entry.cancelAsked || !this.orders.isBroken(entry)) continue;
      this.#alert('warning', 'BRACKET_BROKEN', `a part of the bracket is missing: withdraws ${entry.request.orderRef}`);
      this.#cancel(entry, around.wallMs);
    }
  }

  /** Leaves the position at the market, now and whatever else is decided. */
  flatten(reason: string, around: Surroundings): void {
    for (const order of this.orders.live('entry')) this.#cancel(order, around.wallMs);
    this.dueDecision = null;
    if (this.position !== 0) this.leaving ??= reason;
    this.pursue(around);
  }

  cancelEntries(around: Surroundings): void {
    for (const order of this.orders.live('entry')) this.#cancel(order, around.wallMs);
  }

  /** Brings the resting orders to what the position needs. Says since when it lacks it. */
  protect(around: Surroundings): void {
    const held = Math.abs(this.position);
    const slices = this.#slices();
    const exiting = this.orders.live('exit').length > 0;
    let covered = 0;
    for (const { slot, quantity, stop, target } of slices) {
      if (stop !== null) covered += this.#rest('stop', slot, quantity, stop, exiting, around);
      if (target !== null) this.#rest('target', slot, quantity, target, exiting, around);
    }
    const entering = this.orders.live('entry').some(({ cycle }) => cycle === this.#cycle || held === 0);
    for (const order of this.orders.live('stop', 'target')) {
      // of two for one slice, one too many would fill
      const first = this.orders.inSlot(order.request.role, order.cycle, order.slot) === order;
      const wanted = first && slices.some(({ slot }) => slot === order.slot) && order.cycle === this.#cycle;
      if (!wanted && !(entering && held === 0)) this.#release(order, around.wallMs);
    }
    if (held === 0) for (const order of this.orders.live('exit')) this.#release(order, around.wallMs);
    const wants = slices.some(({ stop }) => stop !== null);
    const bare = wants && covered < held && !exiting;
    this.unprotectedSinceWallMs = bare ? (this.unprotectedSinceWallMs ?? around.wallMs) : null;
  }

  /** One resting order of a slice: placed, replaced or left as it is. Returns how many units it stands for. */
  #rest(
    role: 'stop' | 'target',
    slot: number,
    quantity: number,
    price: number,
    exiting: boolean,
    around: Surroundings,
  ): number {
    const order = this.orders.inSlot(role, this.#cycle, slot);
    if (order === undefined) {
      if (!exiting && around.wallMs >= this.#againAtWallMs)
        this.#place(this.#protective(role, slot, quantity, price, null, true), this.#cycle, slot, around);
      // it stands from when the broker confirms it
      return 0;
    }
    const { request } = order;
    const standing = role === 'stop' ? request.stopPrice : request.limitPrice;
    // while an exit works, the broker itself shrinks what shares its group
    const wanted = exiting ? request.quantity : order.filled + quantity;
    const known = (order.state === 'working' || order.state === 'pending') && around.wallMs >= this.#againAtWallMs;
    if (known && !order.cancelAsked && (standing !== price || request.quantity !== wanted)) {
      const changed: OrderRequest = {
        ...request,
        quantity: wanted,
        stopPrice: role === 'stop' ? price : null,
        limitPrice: role === 'target' ? price : null,
      };
      this.orders.replaced(order, changed, around.wallMs);
      this.#out.push({ type: 'modify', order: changed });
    }
    return order.state === 'working' ? remainingOf(order) : 0;
  }

  #leaveUnintended(position: number): void {
    this.leaving = 'nobody decided on this position';
    this.#alert('critical', 'UNINTENDED', `a late fill left ${position}: leaving it at the market`);
  }

  /** Of the open position; one slice without levels where the plan has no exits. */
  #slices(): Slice[] {
    const held = Math.abs(this.position);
    if (held === 0) return [];
    const opened = Math.max(this.orders.openedIn(this.#cycle), held);
    const filledIn = (slot: number): number => this.orders.filledIn(this.#cycle, slot);
    return slicesOf(this.#plan, this.#account.exits, opened, held, filledIn, this.row.lotSize);
  }

  #protective(
    role: 'stop' | 'target',
    slot: number,
    quantity: number,
    price: number,
    parentRef: string | null,
    transmit: boolean,
    side: OrderSide = this.position > 0 ? 'SELL' : 'BUY',
    cycle: string = this.#cycle,
  ): OrderRequest {
    return {
      orderRef: this.orders.freshRef(`${cycle}-${role === 'stop' ? 'S' : 'T'}${slot}`),
      symbol: this.symbol,
      role,
      side,
      quantity,
      orderType: role === 'stop' ? 'STP' : 'LMT',
      limitPrice: role === 'target' ? price : null,
      stopPrice: role === 'stop' ? price : null,
      tif: 'GTC',
      outsideRth: this.#trader.care.protect_outside_rth,
      parentRef,
      ocaGroup: this.orders.groupOf(cycle, slot),
      transmit,
    };
  }

  /** An exit for each slice in its own group, so that stop and exit can never both fill; what has no stop goes alone. */
  #leave(reason: string, around: Surroundings, limit: number | null = null, forced = true): void {
    if (this.position === 0 || this.orders.live('exit').length > 0 || around.wallMs < this.#againAtWallMs) return;
    const held = Math.abs(this.position);
    const side: OrderSide = this.position > 0 ? 'SELL' : 'BUY';
    const parts = this.#slices().map(({ slot, quantity }) => {
      const resting = this.orders.inSlot('stop', this.#cycle, slot) ?? this.orders.inSlot('target', this.#cycle, slot);
      return { slot, quantity, ocaGroup: resting?.request.ocaGroup ?? null };
    });
    for (const { quantity, slot, ocaGroup } of parts) {
      this.#place(
        {
          // "forced" tells a simulated market that a resting exit which fills first does not cancel this one
          orderRef: this.orders.freshRef(`${this.#cycle}-X${forced ? 'forced' : ''}${slot}`),
          symbol: this.symbol,
          role: 'exit',
          side,
          quantity,
          orderType: limit === null ? 'MKT' : 'LMT',
          limitPrice: limit,
          stopPrice: null,
          tif: 'DAY',
          outsideRth: false,
          parentRef: null,
          ocaGroup,
          transmit: true,
        },
        this.#cycle,
        slot,
        around,
      );
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
    if (!this.warm || this.leaving !== null || !around.deciding) return;
    this.#decide(due.barOpenMs, around);
  }

  #decide(barOpenMs: number, around: Surroundings): void {
    const account = this.#account;
    const { row, observation } = this;
    const close = row.close[CLOSED];
    this.#syncAccount();
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
    const { due } = this.#account;
    const { kind, quantity, forced } = due;
    if (kind === NO_ORDER) return;
    const limit = Number.isNaN(due.limit) ? null : due.limit;
    due.clear();
    if (kind === CLOSE) {
      const reason = FILL_REASONS[due.reason];
      // a rule's exit that has to wait after a refusal is not lost
      if (around.wallMs < this.#againAtWallMs && forced === 1) this.leaving = reason;
      else this.#leave(reason, around, limit, forced === 1);
    } else if (kind === OPEN || quantity > 0 === this.position > 0)
      this.#enter(kind === OPEN, quantity, limit, barOpenMs, around);
    else this.#reduce(quantity, limit, barOpenMs, around);
  }

  #enter(opens: boolean, quantity: number, limit: number | null, barOpenMs: number, around: Surroundings): void {
    if (!around.entering)
      return this.#alert('info', 'ENTRY_HELD', 'an entry was decided and not sent: entries are off');
    if (opens && !this.#desk.mayBeginCycle(this.#account, this.row, FORMING)) return;
    const side = quantity > 0 ? 1 : -1;
    let price = limit;
    if (this.#calendar.sessionAt(around.marketMs) === null && this.#trader.care.before_open !== 'as_decided') {
      if (this.#trader.care.before_open === 'none')
        return this.#alert('info', 'ENTRY_HELD', 'an entry was decided while the market is closed, and not sent');
      price ??= limitPrice(side, this.row.close[CLOSED], this.#trader.market.order.buffer_bps, this.row.ticks);
    }
    const cycle = opens ? `${this.#trader.tag}-${this.symbol}-${barOpenMs.toString(36)}` : this.#cycle;
    const reference = price ?? this.row.close[CLOSED];
    const size = Math.abs(quantity);
    const slices = opens ? this.#plannedSlices(side, reference, size) : [];
    const protective = slices.flatMap(({ stop, target }) => [
      ...(stop === null ? [] : ['stop']),
      ...(target === null ? [] : ['target']),
    ]);
    const entry: OrderRequest = {
      orderRef: this.orders.freshRef(`${cycle}-${opens ? 'E' : `A${barOpenMs.toString(36)}`}`),
      symbol: this.symbol,
      role: 'entry',
      side: side > 0 ? 'BUY' : 'SELL',
      quantity: size,
      orderType: price === null ? 'MKT' : 'LMT',
      limitPrice: price,
      stopPrice: null,
      tif: 'DAY',
      outsideRth: false,
      parentRef: null,
      ocaGroup: null,
      transmit: protective.length === 0,
    };
    const refusal = around.refusal(entry, reference, this.position);
    if (refusal !== null) return this.#alert('warning', 'RISK_REFUSED', refusal);
    this.#place(entry, cycle, -1, around);
    let left = protective.length;
    for (const { slot, quantity: part, stop, target } of slices) {
      for (const [role, level] of [
        ['stop', stop],
        ['target', target],
      ] as const) {
        if (level === null) continue;
        left--;
        const request = this.#protective(
          role,
          slot,
          part,
          level,
          entry.orderRef,
          left === 0,
          side > 0 ? 'SELL' : 'BUY',
          cycle,
        );
        this.#place(request, cycle, slot, around);
      }
    }
  }

  /** Levels before there is a fill: measured from the price that is expected, mended when the fill is known. */
  #plannedSlices(side: number, reference: number, size: number): Slice[] {
    if (!this.#plan.rests) return [];
    const exits = new PositionExits(this.#plan);
    openExits(this.#plan, exits, side, reference, size, this.row.ticks);
    return slicesOf(this.#plan, exits, size, size, () => 0, this.row.lotSize);
  }

  /** A smaller target position: the stops shrink when the fill is known. */
  #reduce(quantity: number, limit: number | null, barOpenMs: number, around: Surroundings): void {
    this.#place(
      {
        orderRef: this.orders.freshRef(`${this.#cycle}-R${barOpenMs.toString(36)}`),
        symbol: this.symbol,
        role: 'exit',
        side: quantity > 0 ? 'BUY' : 'SELL',
        quantity: Math.min(Math.abs(quantity), Math.abs(this.position)),
        orderType: limit === null ? 'MKT' : 'LMT',
        limitPrice: limit,
        stopPrice: null,
        tif: 'DAY',
        outsideRth: false,
        parentRef: null,
        ocaGroup: null,
        transmit: true,
      },
      this.#cycle,
      this.#plan.stages + 2,
      around,
    );
  }

  #place(request: OrderRequest, cycle: string, slot: number, around: Surroundings): void {
    this.orders.add(request, cycle, slot, around.wallMs);
    this.#out.push({ type: 'place', order: request });
  }

  /** Nothing is left for it to do. What the broker ends by itself is cancelled only where that fails to come. */
  #release(order: OwnOrder, wallMs: number): void {
    if (this.orders.endsByItself(order)) {
      order.endDueSinceWallMs ??= wallMs;
      if (wallMs - order.endDueSinceWallMs < ENDS_WITHIN_MS) return;
    }
    this.#cancel(order, wallMs);
  }

  #cancel(order: OwnOrder, wallMs: number): void {
    if (order.cancelAsked || !isLive(order)) return;
    order.cancelAsked = true;
    order.askedWallMs = wallMs;
    if (order.state !== 'unresolved') order.state = 'cancelling';
    this.#out.push({ type: 'cancel', orderRef: order.request.orderRef });
  }

  #beginPosition(report: ExecutionReport, order: OwnOrder | undefined): void {
    this.#cycle = order?.cycle ?? `${this.#trader.tag}-${this.symbol}-x${report.marketMs.toString(36)}`;
    this.row.setFormingDay(report.marketMs);
    this.#desk.countCycle(this.#account, this.row, FORMING);
    this.#account.exitAsked = 0;
    const barFromMs = this.builder.span?.fromMs ?? report.marketMs;
    this.#openedWithin = order?.request.orderType === 'LMT' && report.marketMs - barFromMs >= AT_THE_OPEN_MS;
    this.#levelsFrom(this.position);
  }

  /** Levels of the opening fills as they stand: measured from their average price. */
  #levelsFrom(position: number): void {
    openExits(
      this.#plan,
      this.#account.exits,
      position > 0 ? 1 : -1,
      this.ledger.averagePrice,
      Math.abs(position),
      this.row.ticks,
    );
  }

  /**
   * What a short that was held over the last close pays in borrow by the model; the broker books the true amount as
   * interest, which no execution reports.
   */
  #chargeNights({ openMs }: ClosedBar): void {
    const rate = this.#trader.market.costs.borrow_rate;
    const nights = Number.isFinite(this.row.stampMs) ? this.row.clock.dayOfBar(openMs) - this.row.day[CLOSED] : 0;
    if (nights > 0 && this.#heldAtClose < 0 && rate > 0)
      this.accruedBorrow += borrowCost(-this.#heldAtClose, this.row.close[CLOSED], rate, nights);
  }

  #ratchet(bar: ClosedBar): void {
    if (this.position === 0) return;
    const long = this.position > 0;
    const believed = long ? Math.min(bar.high, this.#believedHigh) : Math.max(bar.low, this.#believedLow);
    // without a believed trade of its own the bar's close is all that is sure
    const best = this.#openedWithin || Number.isNaN(believed) ? bar.close : believed;
    this.#moveLevels(best, bar.close, this.row.ema);
  }

  /** NaN as close and EMA: between bars, where the EMA rule has no say. */
  #moveLevels(best: number, close: number, ema: number): void {
    if (!this.#plan.ratchets) return;
    const side = this.position > 0 ? 1 : -1;
    const asks = ratchetExits(this.#plan, this.#account.exits, side, best, close, ema, this.row.ticks);
    if (!Number.isNaN(close)) this.#account.exitAsked = asks ? 1 : 0;
  }

  #syncAccount(): void {
    const account = this.#account;
    account.shares = this.ledger.position;
    account.averagePrice = this.ledger.averagePrice;
    account.cash = this.cash;
    const close = this.row.close[CLOSED];
    account.equity = account.shares === 0 ? account.cash : account.cash + account.shares * close;
  }

  #alert(level: Alert['level'], code: string, text: string): void {
    this.#out.push({ type: 'alert', alert: { level, code, symbol: this.symbol, text } });
  }
}

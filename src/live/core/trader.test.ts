/** The trader when answers are lost, late or contradict each other: one event after another, by hand. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_MARKET_CONFIG } from '#env/market/config.js';
import { usShare } from '#env/market/instrument.js';
import type { ExecutionReport, OrderReport, OrderState } from '#src/broker/contract.js';
import { DEFAULT_CARE, DEFAULT_RISK, type CarePolicy, type RiskLimits, type TraderConfig } from './config.js';
import type { Decider } from './decider.js';
import type { ClosedBar, TraderEvent, TraderNews } from './events.js';
import type { OrderRequest, TraderIntent } from './intents.js';
import { MICRO } from './ledger.js';
import { Trader } from './trader.js';

/** New York's session of 2 January 2020. */
const OPEN_MS = Date.parse('2020-01-02T14:30:00Z');
const CLOSE_MS = Date.parse('2020-01-02T21:00:00Z');
const BAR_MS = 300_000;
const HOLD = 0;
const BUY = 1;
const SELL = 2;

function configWith(risk: Partial<RiskLimits> = {}, care: Partial<CarePolicy> = {}): TraderConfig {
  return {
    account: 'DU1',
    tag: 'ob1',
    symbols: [
      {
        symbol: 'SYN',
        instrument: usShare('SYN'),
        sleeveEquity: 100_000,
      },
    ],
    interval: { label: '5m', ms: BAR_MS },
    calendar: 'XNYS',
    featureSet: 'v1',
    warmup: 1,
    anchorMs: null,
    market: { ...DEFAULT_MARKET_CONFIG, exits: { ...DEFAULT_MARKET_CONFIG.exits, initial_stop: 0.02 } },
    risk: { ...DEFAULT_RISK, ...risk },
    care: { ...DEFAULT_CARE, ...care },
  };
}

/** A trader, its clocks, and all that it was told. */
class Table {
  trader: Trader;
  wallMs = 1_000;
  marketMs = OPEN_MS + 4 * BAR_MS;
  actions: number[];
  readonly #actions: readonly number[];
  readonly events: TraderEvent[] = [];
  readonly intents: TraderIntent[] = [];
  #executions = 0;

  constructor(actions: readonly number[], config: TraderConfig = configWith()) {
    this.#actions = actions;
    this.actions = [...actions];
    this.trader = new Trader(this.#decider());
    this.tell({ type: 'started', config });
    this.tell({ type: 'connected' });
  }

  /** Connected, reconciled and warm: the last of four bars has just closed. */
  static ready(actions: readonly number[], config?: TraderConfig): Table {
    const table = new Table(actions, config);
    table.reconciled();
    table.history([100, 100, 100, 100]);
    return table;
  }

  #decider(): Decider {
    return {
      decide: (_, __, probabilities) => {
        probabilities.fill(0);
        return this.actions.shift() ?? HOLD;
      },
    };
  }

  tell(news: TraderNews): readonly TraderIntent[] {
    const event = Object.assign({}, news, { marketMs: this.marketMs, wallMs: this.wallMs });
    this.events.push(event);
    const intents = this.trader.handle(event);
    this.intents.push(...intents);
    return intents;
  }

  /** Seconds go by, a tick each. */
  wait(seconds: number): TraderIntent[] {
    const intents: TraderIntent[] = [];
    for (let k = 0; k < seconds; k++) {
      this.wallMs += 1_000;
      intents.push(...this.tell({ type: 'clock' }));
    }
    return intents;
  }

  history(closes: readonly number[], fromMs = OPEN_MS): readonly TraderIntent[] {
    const bars = closes.map((close, k): ClosedBar => {
      const openMs = fromMs + k * BAR_MS;
      return { openMs, open: close, high: close, low: close, close, volume: 1_000 };
    });
    return this.tell({ type: 'history', symbol: 'SYN', anchor: fromMs === OPEN_MS, bars });
  }

  /** The next bar closes. */
  bar(close: number): readonly TraderIntent[] {
    const openMs = this.marketMs;
    this.marketMs += BAR_MS;
    for (let ms = openMs; ms < this.marketMs - 5_000; ms += 5_000) this.#slot(ms, close);
    return this.#slot(this.marketMs - 5_000, close);
  }

  #slot(openMs: number, close: number): readonly TraderIntent[] {
    const bar = { openMs, open: close, high: close, low: close, close, volume: 1 };
    return this.tell({ type: 'fiveSecondBar', symbol: 'SYN', bar });
  }

  reconciled(
    part: {
      position?: number;
      open?: readonly OrderReport[];
      done?: readonly OrderReport[];
      executions?: readonly ExecutionReport[];
      beganWallMs?: number;
    } = {},
  ): readonly TraderIntent[] {
    const { position = 0, open = [], done = [], executions = [], beganWallMs = this.wallMs } = part;
    return this.tell({
      type: 'reconciled',
      beganWallMs,
      positions: position === 0 ? [] : [{ symbol: 'SYN', quantity: position }],
      openOrders: open,
      completedOrders: done,
      executions,
    });
  }

  status(order: OrderRequest, state: OrderState, filled: number): readonly TraderIntent[] {
    return this.tell({ type: 'order', report: this.report(order, state, filled) });
  }

  report({ orderRef, quantity }: OrderRequest, state: OrderState, filled: number): OrderReport {
    return {
      orderRef,
      orderId: 1,
      permId: 1,
      clientId: 1,
      symbol: 'SYN',
      state,
      quantity: 0,
      filled,
      remaining: quantity - filled,
      stopPrice: null,
      limitPrice: null,
    };
  }

  execution({ orderRef, side }: OrderRequest, quantity: number, price = 100): ExecutionReport {
    return {
      execRoot: `e${++this.#executions}`,
      revision: 1,
      orderRef,
      orderId: 1,
      permId: 1,
      clientId: 1,
      symbol: 'SYN',
      side,
      quantity,
      price,
      marketMs: this.marketMs,
    };
  }

  placed(...roles: OrderRequest['role'][]): OrderRequest[] {
    return this.intents.flatMap((intent) =>
      intent.type === 'place' && roles.includes(intent.order.role) ? [intent.order] : [],
    );
  }

  /** Another process on the same journal. */
  restart(): void {
    const next = new Table([], this.trader.config);
    next.actions = [...this.#actions];
    const trader = new Trader(next.#decider());
    for (const event of this.events) trader.handle(event);
    this.actions = next.actions;
    this.trader = trader;
    this.tell({ type: 'restarted' });
  }

  get symbol() {
    return this.trader.symbols[0];
  }
}

const kinds = (intents: readonly TraderIntent[]): string[] => intents.map(({ type }) => type);
const alerts = (intents: readonly TraderIntent[]): string[] =>
  intents.flatMap((intent) => (intent.type === 'alert' ? [intent.alert.code] : []));

describe('a lost execution', () => {
  it('of a partial fill is fetched by reconciliations until they agree, and nothing is decided before', () => {
    const table = Table.ready([BUY, BUY]);
    const [entry] = table.placed('entry');
    table.status(entry, 'working', 100);
    expect(table.symbol.orders.owed).toBe(true);
    expect(table.trader.settled).toBe(false);
    expect(kinds(table.wait(4))).toContain('reconcile');
    // the first answer does not know it yet, so that it is asked for again
    table.reconciled({ open: [table.report(entry, 'working', 100)] });
    expect(kinds(table.wait(4))).toContain('reconcile');
    const lost = table.execution(entry, 100);
    table.reconciled({ position: 100, open: [table.report(entry, 'working', 100)], executions: [lost] });
    expect(table.symbol.position).toBe(100);
    expect(table.symbol.orders.owed).toBe(false);
  });

  it('does not let "Filled" end the order', () => {
    const table = Table.ready([BUY]);
    const [entry] = table.placed('entry');
    const stops = table.placed('stop');
    for (const stop of stops) table.status(stop, 'working', 0);
    table.status(entry, 'filled', entry.quantity);
    expect(table.symbol.orders.live('entry')).toHaveLength(1);
    // the stops of the bracket are not taken for orphans
    expect(table.intents.filter(({ type }) => type === 'cancel')).toEqual([]);
    expect(kinds(table.wait(3))).toContain('reconcile');
    const execution = table.execution(entry, entry.quantity);
    table.reconciled({
      position: entry.quantity,
      open: stops.map((stop) => table.report(stop, 'working', 0)),
      done: [table.report(entry, 'filled', entry.quantity)],
      executions: [execution],
    });
    expect(table.symbol.orders.live('entry')).toEqual([]);
    expect(table.symbol.position).toBe(entry.quantity);
    expect(table.trader.settled).toBe(true);
  });
});

describe('a lost commission', () => {
  it('is asked for again, each time later, until it is there', () => {
    const table = Table.ready([BUY]);
    const [entry] = table.placed('entry');
    for (const stop of table.placed('stop')) table.status(stop, 'working', 0);
    const execution = table.execution(entry, entry.quantity);
    table.tell({ type: 'execution', report: execution });
    table.status(entry, 'filled', entry.quantity);
    const asked = (intents: readonly TraderIntent[]): number =>
      kinds(intents).filter((kind) => kind === 'reconcile').length;
    const answer = (): void => {
      const stops = table.symbol.orders.live('stop').map(({ request }) => table.report(request, 'working', 0));
      table.reconciled({ position: entry.quantity, open: stops, executions: [execution] });
    };
    expect(asked(table.wait(2))).toBe(0);
    expect(asked(table.wait(3))).toBe(1);
    answer();
    expect(asked(table.wait(3))).toBe(0);
    expect(asked(table.wait(5))).toBe(1);
    answer();
    table.tell({ type: 'commission', execRoot: execution.execRoot, revision: 1, amount: 1.25 });
    expect(table.symbol.ledger.cashMicro).toBe(-(entry.quantity * 100 + 1.25) * MICRO);
    expect(asked(table.wait(20))).toBe(0);
  });

  it('of a correction is asked for too, and the old one stands until then', () => {
    const table = Table.ready([BUY]);
    const [entry] = table.placed('entry');
    const execution = table.execution(entry, entry.quantity);
    table.tell({ type: 'execution', report: execution });
    table.tell({ type: 'commission', execRoot: execution.execRoot, revision: 1, amount: 2 });
    expect(table.symbol.ledger.uncharged).toBe(0);
    table.tell({ type: 'execution', report: { ...execution, revision: 2, price: 100.01 } });
    expect(table.symbol.ledger.uncharged).toBe(1);
    expect(table.symbol.ledger.commissionMicro).toBe(2 * MICRO);
    table.tell({ type: 'commission', execRoot: execution.execRoot, revision: 2, amount: 3 });
    // the one that was replaced comes late
    table.tell({ type: 'commission', execRoot: execution.execRoot, revision: 1, amount: 2 });
    expect(table.symbol.ledger.commissionMicro).toBe(3 * MICRO);
    expect(table.symbol.ledger.uncharged).toBe(0);
  });
});

describe('after a restart', () => {
  it('an entry without an answer is not sent again and blocks its symbol until two full answers miss it', () => {
    const table = Table.ready([BUY, BUY, BUY, BUY]);
    expect(table.placed('entry')).toHaveLength(1);
    table.restart();
    expect(table.symbol.orders.live('entry').map(({ state }) => state)).toEqual(['unresolved']);
    table.tell({ type: 'connected' });
    table.reconciled();
    table.history([], OPEN_MS + 4 * BAR_MS);
    // within the quarantine no answer proves anything, and no bar brings another entry
    table.bar(100);
    table.reconciled();
    expect(table.placed('entry')).toHaveLength(1);
    table.wallMs += DEFAULT_CARE.quarantine_seconds * 1_000;
    table.reconciled();
    expect(table.symbol.orders.live('entry')).toHaveLength(1);
    table.wallMs += 1_000;
    expect(alerts(table.reconciled())).toContain('ORDER_GONE');
    // now the decision of the last bar is made, which waited for it, as another order
    const [first, second] = table.placed('entry');
    expect(table.symbol.orders.live('entry').map(({ request }) => request.orderRef)).toEqual([second.orderRef]);
    expect(second.orderRef).not.toBe(first.orderRef);
  });

  it('an entry that has filled in the meantime is found by its executions, and protected', () => {
    const table = Table.ready([BUY]);
    const [entry] = table.placed('entry');
    table.restart();
    table.tell({ type: 'connected' });
    const execution = table.execution(entry, entry.quantity);
    table.reconciled({
      position: entry.quantity,
      done: [table.report(entry, 'filled', entry.quantity)],
      executions: [execution],
    });
    expect(table.symbol.position).toBe(entry.quantity);
    expect(table.placed('entry')).toHaveLength(1);
    // the stops of the bracket went missing: after the quarantine there are new ones
    table.wallMs += 20_000;
    table.reconciled({ position: entry.quantity, executions: [execution] });
    table.wallMs += 3_000;
    table.reconciled({ position: entry.quantity, executions: [execution] });
    const [, again] = table.placed('stop');
    expect(again.quantity).toBe(entry.quantity);
  });
});

describe('a bracket of which a part is missing', () => {
  const cancelled = (intents: readonly TraderIntent[]): string[] =>
    intents.flatMap((intent) => (intent.type === 'cancel' ? [intent.orderRef] : []));

  it('is withdrawn when the link ends between its orders: the entry waits at the broker, and no answer mentions it', () => {
    const table = Table.ready([BUY]);
    const [entry] = table.placed('entry');
    const [stop] = table.placed('stop');
    expect([entry.transmit, stop.transmit]).toEqual([false, true]);
    const told: TraderIntent[] = [];
    told.push(...table.tell({ type: 'disconnected' }));
    told.push(
      ...table.tell({
        type: 'orderError',
        orderRef: stop.orderRef,
        effect: 'doubtful',
        code: 504,
        text: 'Not connected',
      }),
    );
    // nothing is sent before the answers are in
    expect(cancelled(told)).toEqual([]);
    table.tell({ type: 'connected' });
    const found = table.reconciled();
    expect(cancelled(found)).toEqual([entry.orderRef]);
    expect(alerts(found)).toContain('BRACKET_BROKEN');
    table.status(entry, 'cancelled', 0);
    table.wallMs += 20_000;
    table.reconciled();
    table.wallMs += 3_000;
    table.reconciled();
    expect(table.symbol.orders.live()).toEqual([]);
    expect(table.symbol.settled).toBe(true);
  });

  it('is withdrawn when its stop is rejected before the entry has filled, and protected anew when it has', () => {
    for (const filled of [0, 100]) {
      const table = Table.ready([BUY]);
      const [entry] = table.placed('entry');
      const [stop] = table.placed('stop');
      table.status(entry, 'working', 0);
      if (filled > 0) table.tell({ type: 'execution', report: table.execution(entry, filled) });
      const told = table.tell({
        type: 'orderError',
        orderRef: stop.orderRef,
        effect: 'rejected',
        code: 201,
        text: 'Order rejected',
      });
      expect(cancelled(told)).toEqual(filled === 0 ? [entry.orderRef] : []);
      const again = table.wait(2).flatMap((intent) => (intent.type === 'place' ? [intent.order] : []));
      expect(again.map(({ role, quantity }) => [role, quantity])).toEqual(filled === 0 ? [] : [['stop', filled]]);
    }
  });

  it('stays while a reconciliation that was under way when it was sent does not know it', () => {
    const table = Table.ready([BUY]);
    table.wallMs += 10;
    const told = table.reconciled({ beganWallMs: table.wallMs - 50 });
    expect(table.symbol.orders.live().every(({ doubtSinceWallMs }) => doubtSinceWallMs !== null)).toBe(true);
    expect(cancelled([...told, ...table.wait(1)])).toEqual([]);
  });
});

describe('what the broker ends by itself', () => {
  /** In with stop and target; the decision of the next bar is to leave. */
  function leaving(): { table: Table; stop: OrderRequest; target: OrderRequest; exit: OrderRequest } {
    const exits = { ...DEFAULT_MARKET_CONFIG.exits, initial_stop: 0.02, take_profit: [{ gain: 0.05, fraction: 1 }] };
    const table = Table.ready([BUY, SELL], { ...configWith(), market: { ...DEFAULT_MARKET_CONFIG, exits } });
    const [entry] = table.placed('entry');
    const [stop] = table.placed('stop');
    const [target] = table.placed('target');
    for (const order of [stop, target]) table.status(order, 'working', 0);
    table.tell({ type: 'execution', report: table.execution(entry, entry.quantity) });
    table.status(entry, 'filled', entry.quantity);
    table.bar(100);
    const [exit] = table.placed('exit');
    expect(exit.ocaGroup).toBe(stop.ocaGroup);
    table.status(exit, 'working', 0);
    return { table, stop, target, exit };
  }
  const cancels = (intents: readonly TraderIntent[]): string[] =>
    intents.flatMap((intent) => (intent.type === 'cancel' ? [intent.orderRef] : []));

  it('is not cancelled: stop and target end with the exit of their group', () => {
    const { table, stop, target, exit } = leaving();
    const told: TraderIntent[] = [];
    told.push(...table.tell({ type: 'execution', report: table.execution(exit, exit.quantity) }));
    told.push(...table.status(exit, 'filled', exit.quantity));
    told.push(...table.wait(1));
    told.push(...table.status(stop, 'cancelled', 0), ...table.status(target, 'cancelled', 0));
    told.push(...table.wait(10));
    expect(table.symbol.position).toBe(0);
    expect(cancels(told)).toEqual([]);
    expect(table.symbol.orders.live()).toEqual([]);
  });

  it('is cancelled where its end does not come: an orphaned stop is cleaned up within seconds', () => {
    const { table, stop, target, exit } = leaving();
    table.tell({ type: 'execution', report: table.execution(exit, exit.quantity) });
    table.status(target, 'cancelled', 0);
    expect(cancels(table.wait(1))).toEqual([]);
    expect(cancels(table.wait(2))).toEqual([stop.orderRef]);
  });

  it('of a slice whose target has filled is no refusal: the exit of the rest is not put off', () => {
    const exits = { ...DEFAULT_MARKET_CONFIG.exits, initial_stop: 0.02, take_profit: [{ gain: 0.05, fraction: 0.5 }] };
    const table = Table.ready([BUY, SELL], { ...configWith(), market: { ...DEFAULT_MARKET_CONFIG, exits } });
    const [entry] = table.placed('entry');
    const [target] = table.placed('target');
    for (const order of [...table.placed('stop'), target]) table.status(order, 'working', 0);
    table.tell({ type: 'execution', report: table.execution(entry, entry.quantity) });
    table.status(entry, 'filled', entry.quantity);
    table.tell({ type: 'execution', report: table.execution(target, target.quantity, 105) });
    table.status(target, 'filled', target.quantity);
    table.status(table.placed('stop')[0], 'cancelled', 0);
    table.bar(105);
    expect(table.placed('exit').map(({ quantity }) => quantity)).toEqual([entry.quantity - target.quantity]);
  });
});

describe('a replacement', () => {
  const described = (table: Table, order: OrderRequest, quantity: number, stopPrice: number): readonly TraderIntent[] =>
    table.tell({ type: 'order', report: { ...table.report(order, 'working', 0), quantity, stopPrice } });
  const modified = (intents: readonly TraderIntent[]): number[] =>
    intents.flatMap((intent) => (intent.type === 'modify' ? [intent.order.quantity] : []));

  /** An entry that fills in three parts: the stop follows each, and the echoes come after the last. */
  function inThreeParts(): { table: Table; stop: OrderRequest; level: number } {
    const table = Table.ready([BUY]);
    const [entry] = table.placed('entry');
    const [stop] = table.placed('stop');
    for (const order of [entry, stop]) table.status(order, 'working', 0);
    const sent: TraderIntent[] = [];
    for (const quantity of [100, 200, 300])
      sent.push(...table.tell({ type: 'execution', report: table.execution(entry, quantity) }));
    expect(modified(sent)).toEqual([100, 300, 600]);
    return { table, stop, level: stop.stopPrice ?? NaN };
  }

  it('is not sent again for the echoes of those before it', () => {
    const { table, stop, level } = inThreeParts();
    for (const quantity of [stop.quantity, 100, 300, 600])
      expect(modified(described(table, stop, quantity, level))).toEqual([]);
    expect(table.symbol.unprotectedSinceWallMs).toBeNull();
  });

  it('is sent again where the broker has changed the order, and where a full answer does not know of it', () => {
    const { table, stop, level } = inThreeParts();
    for (const quantity of [100, 300, 600]) described(table, stop, quantity, level);
    expect(modified(described(table, stop, 450, level))).toEqual([600]);
    // no echo comes: in doubt, asked about, and the answer shows the old terms
    expect(kinds(table.wait(6))).toContain('reconcile');
    const found = { ...table.report(stop, 'working', 0), quantity: 450, stopPrice: level };
    const [entry] = table.placed('entry');
    const executions = table.events.flatMap((event) => (event.type === 'execution' ? [event.report] : []));
    const open = [{ ...table.report(entry, 'working', 600), quantity: entry.quantity }, found];
    expect(modified(table.reconciled({ position: 600, open, executions }))).toEqual([600]);
  });
});

describe('positions that were answered before an execution', () => {
  it('are no disagreement: they are asked for again, and trading goes on', () => {
    const table = Table.ready([BUY]);
    const [entry] = table.placed('entry');
    for (const stop of table.placed('stop')) table.status(stop, 'working', 0);
    for (let round = 0; round < 4; round++) {
      const beganWallMs = table.wallMs;
      table.wallMs += 10;
      table.tell({ type: 'execution', report: table.execution(entry, 10) });
      const told = table.reconciled({
        beganWallMs,
        position: 10 * round,
        open: [entry, ...table.placed('stop')].map((order) => table.report(order, 'working', 0)),
      });
      expect(alerts(told)).not.toContain('POSITION_MISMATCH');
      expect(kinds(table.wait(4))).toContain('reconcile');
    }
    expect(table.trader.halt).toBeNull();
    table.wallMs += 10;
    table.reconciled({
      position: 40,
      open: [entry, ...table.placed('stop')].map((order) => table.report(order, 'working', 0)),
    });
    expect(table.symbol.inDoubt).toBe(false);
    expect(table.trader.ready).toBe(true);
  });

  it('that differ without any fill halt after three', () => {
    const table = Table.ready([HOLD]);
    for (let round = 0; round < 3; round++) {
      table.wait(3);
      table.reconciled({ position: 5 });
    }
    expect(table.trader.halt?.level).toBe('halted');
    expect(table.trader.ready).toBe(false);
  });

  it('ticks before the market’s time is known ask nothing of the calendar', () => {
    const table = new Table([]);
    table.trader = new Trader({ decide: () => HOLD });
    table.marketMs = 0;
    table.tell({ type: 'started', config: configWith() });
    table.tell({ type: 'connected' });
    table.reconciled();
    expect(alerts(table.wait(120))).toEqual([]);
  });

  it('an answer that did not come whole says nothing, and is asked for again', () => {
    const table = new Table([]);
    expect(alerts(table.tell({ type: 'unreconciled', reason: 'timeout' }))).toEqual(['RECONCILE_UNKNOWN']);
    expect(table.trader.ready).toBe(false);
    expect(kinds(table.wait(3))).toContain('reconcile');
  });
});

describe('a closed market', () => {
  /** The last bar of the day closes at 21:00, and the decision falls after it. */
  function atTheClose(before_open: CarePolicy['before_open']): Table {
    const table = new Table([BUY], configWith({}, { before_open }));
    table.marketMs = CLOSE_MS;
    table.reconciled();
    table.history([100, 100, 100, 100], CLOSE_MS - 4 * BAR_MS);
    return table;
  }

  it('gets no order with before_open: none', () => {
    const table = atTheClose('none');
    expect(table.intents.filter(({ type }) => type === 'decision')).toHaveLength(1);
    expect(table.placed('entry', 'exit', 'stop', 'target')).toEqual([]);
    expect(alerts(table.intents)).toContain('ENTRY_HELD');
  });

  it('gets the entry as it was decided with as_decided: it meets the next open', () => {
    const [entry] = atTheClose('as_decided').placed('entry');
    expect([entry.orderType, entry.limitPrice]).toEqual(['MKT', null]);
  });

  it('gets a limit with the buffer with limit', () => {
    const [entry] = atTheClose('limit').placed('entry');
    expect(entry.orderType).toBe('LMT');
    expect(entry.limitPrice).toBeGreaterThanOrEqual(100);
  });
});

describe('halts', () => {
  /** In at 100, and the market falls. */
  function fallenTo(price: number, risk: Partial<RiskLimits>): Table {
    const table = Table.ready([BUY, HOLD, BUY, BUY], configWith(risk));
    const [entry] = table.placed('entry');
    for (const stop of table.placed('stop')) table.status(stop, 'working', 0);
    table.tell({ type: 'execution', report: table.execution(entry, entry.quantity) });
    table.bar(price);
    return table;
  }

  it('a drawdown flattens and halts, a restart keeps it, only resume ends it', () => {
    const table = fallenTo(85, { max_drawdown: 0.1, max_daily_loss: null });
    expect(table.trader.halt?.level).toBe('halted');
    expect(table.symbol.leaving).toContain('drawdown');
    expect(table.placed('exit')).toHaveLength(1);
    table.restart();
    expect(table.trader.halt?.level).toBe('halted');
    for (const kind of ['pause', 'flatten', 'cancel-all'] as const) table.tell({ type: 'command', command: { kind } });
    table.tell({ type: 'connected' });
    table.reconciled({ position: table.symbol.position });
    expect(table.trader.halt?.level).toBe('halted');
    table.tell({ type: 'command', command: { kind: 'resume' } });
    expect(table.trader.halt).toBeNull();
  });

  it('a daily loss only reduces, over a restart too', () => {
    const table = fallenTo(93, { max_drawdown: null, max_daily_loss: 0.05 });
    expect(table.trader.halt?.level).toBe('reducing');
    expect(table.symbol.leaving).toBeNull();
    table.restart();
    expect(table.trader.halt?.level).toBe('reducing');
    expect(table.trader.halt?.reason).toContain('risk.max_daily_loss');
  });
});

describe('a bar', () => {
  const asked = (intents: readonly TraderIntent[]): (number | null)[] =>
    intents.flatMap((intent) => (intent.type === 'history' ? [intent.fromMs] : []));
  const decided = (intents: readonly TraderIntent[]): number[] =>
    intents.flatMap((intent) => (intent.type === 'decision' ? [intent.decision.barOpenMs] : []));

  it('that closes while history is awaited follows it, and is decided upon', () => {
    const table = new Table([]);
    table.reconciled();
    const openMs = table.marketMs;
    expect(decided(table.bar(101))).toEqual([]);
    const told = table.history([100, 100, 100, 100]);
    expect(decided(told)).toEqual([openMs]);
    expect(asked(told)).toEqual([]);
    expect(table.symbol.market.barsSeen).toBe(5);
    expect(decided(table.bar(102))).toEqual([openMs + BAR_MS]);
  });

  it('that history has brought already is not taken twice', () => {
    const table = new Table([]);
    table.reconciled();
    const openMs = table.marketMs;
    table.bar(101);
    expect(decided(table.history([100, 100, 100, 100, 101]))).toEqual([openMs]);
    expect(table.symbol.market.barsSeen).toBe(5);
  });

  it('that is missing before one held is asked for', () => {
    const table = new Table([]);
    table.reconciled();
    table.marketMs += BAR_MS;
    table.bar(102);
    const told = table.history([100, 100, 100, 100]);
    expect(decided(told)).toEqual([]);
    expect(asked(told)).toEqual([OPEN_MS + 3 * BAR_MS]);
    table.history([101, 102], OPEN_MS + 4 * BAR_MS);
    expect(table.symbol.market.barsSeen).toBe(6);
  });

  it('that is missing while all goes well is asked for at the close of the next', () => {
    const table = Table.ready([]);
    table.marketMs += BAR_MS;
    const told = table.bar(102);
    expect(decided(told)).toEqual([]);
    expect(asked(told)).toEqual([OPEN_MS + 3 * BAR_MS]);
    expect(decided(table.history([101, 102], OPEN_MS + 4 * BAR_MS))).toEqual([OPEN_MS + 5 * BAR_MS]);
  });

  it('of a new session follows the last of the session before', () => {
    const table = Table.ready([]);
    while (table.marketMs < CLOSE_MS) table.bar(100);
    table.marketMs = Date.parse('2020-01-03T14:30:00Z');
    expect(asked(table.bar(101))).toEqual([]);
    table.marketMs = Date.parse('2020-01-07T14:30:00Z');
    expect(asked(table.bar(101))).toEqual([Date.parse('2020-01-03T14:30:00Z')]);
  });
});

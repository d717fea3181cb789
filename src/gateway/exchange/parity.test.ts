/** The backtest's fills: a runner over the broker's orders and MarketEnv do the same, fill for fill and cent for cent. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Account } from '#env/market/account.js';
import type { TradingWindow } from '#env/market/bars.js';
import { DEFAULT_MARKET_CONFIG, type MarketConfig } from '#env/market/config.js';
import { ExitPlan, openExits, ratchetExits, rescaleExits, stageShares } from '#env/market/exits.js';
import { marketColumns, type MarketColumns } from '#env/market/market-columns.js';
import { MarketEnv } from '#env/market/market-env.js';
import { MarketNoise } from '#env/market/noise.js';
import { OrderDesk } from '#env/market/order-desk.js';
import { NO_ORDER, OPEN } from '#env/market/orders.js';
import type { BarRecord, Fill } from '#env/market/recorder.js';
import { wholeWindow, wildBars } from '#env/market/test-bars.fixture.js';
import { RandomStream } from '#env/seeding.js';
import type { Exchange } from '../exchange-port.js';
import type { Order } from '../wire/types.js';
import { order, TestClient, testExchange } from './exchange.fixture.js';

const LENGTH = 60;
const FIRST = 12;
const RUNS = Number(process.env['OPENBELL_PROPERTY_RUNS'] ?? 60);

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null });
const share = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max: 1000 }).map((k) => (k * max) / 1000);

const scenario = fc
  .record({
    seed: fc.nat(1_000_000),
    daily: fc.boolean(),
    adjusted: fc.boolean(),
    direction: fc.constantFrom('long_only' as const, 'long_short' as const),
    positionFraction: fc.constantFrom(0.3, 0.95),
    order: fc.record({
      type: fc.constantFrom('market' as const, 'limit' as const),
      buffer_bps: fc.constantFrom(0, 5, 100),
    }),
    cycles: maybe(fc.integer({ min: 1, max: 2 })),
    flat: maybe(fc.constantFrom(0, 5, 45)),
    costs: fc.record({
      model: fc.constantFrom('none' as const, 'percent' as const, 'ibkr_fixed' as const),
      percent_bps: fc.constantFrom(0, 7),
      spread_bps: fc.constantFrom(0, 4, 100),
      slippage_bps: fc.constantFrom(0, 3),
      borrow_rate: fc.constantFrom(0, 0.05),
    }),
    exits: fc.record({
      initial_stop: maybe(share(0.04)),
      trailing_stop: maybe(share(0.04)),
      take_profit: fc.uniqueArray(fc.record({ gain: share(0.04), fraction: fc.constantFrom(0.25, 0.3, 0.5) }), {
        maxLength: 2,
        selector: ({ gain }) => gain,
      }),
      fixed_stop: maybe(share(0.03).map((gain) => ({ gain, level: gain / 3 }))),
      ema_rule: maybe(
        fc.record({
          period: fc.integer({ min: 2, max: 20 }),
          action: fc.constantFrom('exit' as const, 'tighten' as const),
          tighten_to: fc.constantFrom(0.97, 0.995),
        }),
      ),
      ratchet: fc.constant('close' as const),
    }),
    restlessness: fc.constantFrom(0.2, 0.6, 1),
  })
  .map((drawn) => {
    const config: MarketConfig = {
      ...DEFAULT_MARKET_CONFIG,
      initial_equity: 200_000,
      minimum_equity: 0,
      position_fraction: drawn.positionFraction,
      direction: drawn.direction,
      order: drawn.order,
      rules: {
        trading_windows: null,
        max_cycles_per_day: drawn.cycles,
        flat_before_close_minutes: drawn.daily ? null : drawn.flat,
      },
      costs: drawn.costs,
      // after a corporate action the stages of a take-profit are floored to lots anew: orders at a broker are not
      exits: drawn.adjusted ? { ...drawn.exits, take_profit: [] } : drawn.exits,
      episode: { length: null, minimum_length: 1, random_start: false },
    };
    const stream = new RandomStream(drawn.seed, 'test/actions');
    const actions = Array.from({ length: LENGTH }, () =>
      stream.uniform() > drawn.restlessness ? 0 : 1 + stream.integer(2),
    );
    return { config, actions, window: wholeWindow(wildBars(drawn.seed, LENGTH, drawn.daily, drawn.adjusted), FIRST) };
  });

type Booked = Pick<Fill, 'barIndex' | 'quantity' | 'price' | 'commission'>;

function inEnvironment(
  window: TradingWindow,
  config: MarketConfig,
  actions: readonly number[],
): { fills: Fill[]; equity: number[] } {
  const fills: Fill[] = [];
  const equity: number[] = [];
  const recorder = {
    onFill: (fill: Fill) => fills.push(fill),
    onBar: (record: BarRecord) => equity.push(record.equity),
  };
  const env = new MarketEnv({ windows: [window], config, numEnvs: 1, seed: 3, recorder });
  env.reset();
  for (const action of actions) {
    env.step(Int32Array.of(action));
    if (env.terminations[0] === 1 || env.truncations[0] === 1) break;
  }
  return { fills: fills.filter(({ reason }) => reason !== 'end-of-data'), equity };
}

/**
 * A runner as live trading knows it: decisions by the environment's modules at each close, orders at the broker: an
 * entry with its bracket, one stop for each stage of the take-profit and one for the rest, moved at the closes and set
 * anew from the entry's own fill.
 */
class Runner {
  readonly client: TestClient;
  readonly fills: Booked[] = [];
  readonly equity: number[] = [];
  readonly #exchange: Exchange;
  readonly #market: MarketColumns;
  readonly #plan: ExitPlan;
  readonly #desk: OrderDesk;
  readonly #account: Account;
  /** Orders as they were given. */
  readonly #given = new Map<number, Order>();
  #told = 0;
  #exits: { stop: number; target: number; stage: number; quantity: number }[] = [];
  #waiting = 0;
  #openedWithin = false;

  constructor(window: TradingWindow, config: MarketConfig) {
    const { bars } = window;
    this.#exchange = testExchange([bars], {
      fills: 'backtest',
      costs: config.costs,
      initialCash: config.initial_equity,
    });
    this.client = new TestClient(this.#exchange);
    this.#market = marketColumns(bars, [window], config);
    this.#plan = new ExitPlan(config.exits);
    this.#desk = new OrderDesk(config, new MarketNoise(config.noise, 1));
    this.#account = new Account(0, this.#plan);
    this.#account.begin(config.initial_equity);
  }

  run(window: TradingWindow, actions: readonly number[]): void {
    let t = 0;
    let k = 0;
    while (this.#exchange.nextEventMs !== null) {
      const { boundaryMs, openFillsMs } = this.#exchange.step();
      if (openFillsMs !== null) {
        this.#book(t, false);
        this.#repriceBracket();
      }
      if (boundaryMs === null) continue;
      this.#book(t, true);
      if (t > window.start) this.equity.push(this.#account.equity);
      if (t >= window.start && t < window.end - 1) this.#decide(t, actions[k++]);
      t++;
      this.#overnight(t);
    }
  }

  /** A corporate action has moved the limit of an entry that still waits: its exits follow. */
  #repriceBracket(): void {
    const shown = this.client.orders.get(this.#waiting);
    if (this.#account.shares !== 0 || shown === undefined || !this.#isWaiting() || shown.order.orderType !== 'LMT')
      return;
    const { lmtPrice, totalQuantity, action } = shown.order;
    openExits(
      this.#plan,
      this.#account.exits,
      action === 'BUY' ? 1 : -1,
      lmtPrice ?? NaN,
      totalQuantity,
      this.#market.ticks,
    );
    this.#setExits();
  }

  /** What the next bar's corporate action does to the levels. */
  #overnight(t: number): void {
    const ratio = this.#market.shareRatio?.[t] ?? 1;
    if (ratio === 1 || t >= this.#market.bars.length) return;
    rescaleExits(this.#plan, this.#account.exits, ratio);
    this.#account.shares *= ratio;
  }

  /** Books what was filled on bar t so far, and sets the exits of what was opened. */
  #book(t: number, complete: boolean): void {
    const { messages } = this.client;
    for (; this.#told < messages.length; this.#told++) {
      const message = messages[this.#told];
      if (message.type !== 'execDetails') continue;
      const { execution } = message;
      const quantity = execution.side === 'BOT' ? execution.shares : -execution.shares;
      const commission = this.#commissionOf(execution.execId);
      const last = this.fills.at(-1);
      const isStop = this.#exits.some(({ stop }) => stop === execution.orderId);
      // the stops of one position are one exit
      if (isStop && last?.barIndex === t && last.price === execution.price && last.quantity > 0 === quantity > 0) {
        this.fills[this.fills.length - 1] = {
          ...last,
          quantity: last.quantity + quantity,
          commission: last.commission + commission,
        };
      } else this.fills.push({ barIndex: t, quantity, price: execution.price, commission });
      if (this.#account.shares === 0) {
        this.#openedWithin = complete;
        this.#desk.countCycle(this.#account, this.#market, t);
        this.#account.exitAsked = 0;
        this.#open(quantity, execution.price);
      }
      this.#account.shares += quantity;
      if (Math.abs(this.#account.shares) < 1e-9) this.#account.shares = 0;
      for (const exit of this.#exits) if (exit.target === execution.orderId) this.#account.exits.stage = exit.stage + 1;
    }
    this.#account.shares = this.#held();
    this.#account.equity = this.#exchange.truth().netLiquidation;
    if (this.#account.shares === 0) this.#dropExits();
  }

  /** Of an execution that was just told: its report follows closely. */
  #commissionOf(execId: string): number {
    const { messages } = this.client;
    for (let k = this.#told; k < messages.length; k++) {
      const message = messages[k];
      if (message.type === 'commissionReport' && message.execId === execId) return message.commission;
    }
    return NaN;
  }

  #held(): number {
    return this.#exchange.truth().positions[0]?.position ?? 0;
  }

  #open(quantity: number, price: number): void {
    const { exits } = this.#account;
    openExits(this.#plan, exits, quantity > 0 ? 1 : -1, price, Math.abs(quantity), this.#market.ticks);
    this.#setExits();
  }

  /** Moves the broker's stops and targets to the account's levels. */
  #setExits(): void {
    const { exits } = this.#account;
    const change = (id: number, key: 'auxPrice' | 'lmtPrice', level: number): void => {
      const shown = this.client.orders.get(id);
      if (shown === undefined || !this.#isOpen(id) || Math.abs((shown.order[key] ?? NaN) - level) < 1e-9) return;
      this.client.place(
        {
          ...(this.#given.get(id) ?? shown.order),
          totalQuantity: shown.order.totalQuantity,
          transmit: true,
          [key]: level,
        },
        id,
      );
    };
    for (const exit of this.#exits) {
      change(exit.stop, 'auxPrice', exits.stop);
      if (exit.stage >= 0) change(exit.target, 'lmtPrice', exits.targets[exit.stage]);
    }
  }

  #isOpen(orderId: number): boolean {
    const status = this.client.orders.get(orderId)?.status;
    return status === 'PreSubmitted' || status === 'Submitted';
  }

  #dropExits(): void {
    if (this.#isWaiting()) return;
    for (const { stop, target } of this.#exits)
      for (const id of [stop, target]) if (id !== 0 && this.#isOpen(id)) this.client.cancel(id);
    this.#exits = [];
  }

  #isWaiting(): boolean {
    return this.#waiting !== 0 && this.#isOpen(this.#waiting);
  }

  #decide(t: number, action: number): void {
    const market = this.#market;
    const account = this.#account;
    // a limit is good for one bar
    if (this.#isWaiting()) this.client.cancel(this.#waiting);
    this.#waiting = 0;
    if (account.shares === 0) this.#dropExits();
    const side = account.shares > 0 ? 1 : -1;
    if (account.shares !== 0 && this.#plan.ratchets) {
      const favourable = this.#openedWithin ? market.close[t] : side > 0 ? market.high[t] : market.low[t];
      const ema = market.ema === null ? NaN : market.ema[t];
      const asks = ratchetExits(this.#plan, account.exits, side, favourable, market.close[t], ema, market.ticks);
      account.exitAsked = asks ? 1 : 0;
      const hadStop = this.#exits.some(({ stop }) => stop !== 0);
      if (!hadStop && !Number.isNaN(account.exits.stop)) this.#addStops(side);
      this.#setExits();
    }
    this.#openedWithin = false;
    this.#desk.prepare(account, market, t);
    this.#desk.decide(account, market, t, action);
    const { due } = account;
    if (due.kind === NO_ORDER) return;
    const given = Math.abs(due.quantity);
    const plain = Number.isNaN(due.limit) ? { orderType: 'MKT' } : { orderType: 'LMT', lmtPrice: due.limit };
    const forced = due.forced === 1 ? { orderRef: 'forced' } : {};
    // bars may be missing up to a session's end, where an order for the day would expire
    const entry = order(due.quantity > 0 ? 'BUY' : 'SELL', given, { ...plain, ...forced, tif: 'GTC' });
    if (due.kind === OPEN && this.#plan.rests)
      this.#placeBracket(entry, due.quantity, Number.isNaN(due.limit) ? market.close[t] : due.limit);
    else this.#waiting = this.client.place(entry);
  }

  /** The entry and its exits, at levels that the fill will correct. */
  #placeBracket(entry: ReturnType<typeof order>, quantity: number, price: number): void {
    const side = quantity > 0 ? 1 : -1;
    const { exits } = this.#account;
    openExits(this.#plan, exits, side, price, Math.abs(quantity), this.#market.ticks);
    const parentId = this.client.place({ ...entry, transmit: false });
    this.#waiting = parentId;
    this.#exits = [];
    const closing = side > 0 ? 'SELL' : 'BUY';
    let left = Math.abs(quantity);
    for (let stage = 0; stage < this.#plan.stages; stage++) {
      exits.stage = stage;
      const taken = stageShares(this.#plan, exits, left, this.#market.lotSize);
      if (taken === 0) continue;
      left -= taken;
      let stop = 0;
      if (!Number.isNaN(exits.stop))
        stop = this.#give(
          order(closing, taken, {
            orderType: 'STP',
            auxPrice: exits.stop,
            parentId,
            ocaGroup: `pair ${parentId} ${stage}`,
            ocaType: 1,
            tif: 'GTC',
            transmit: false,
          }),
        );
      const target = this.#give(
        order(closing, taken, {
          orderType: 'LMT',
          lmtPrice: exits.targets[stage],
          parentId,
          ocaGroup: `pair ${parentId} ${stage}`,
          ocaType: 1,
          tif: 'GTC',
          transmit: false,
        }),
      );
      this.#exits.push({ stop, target, stage, quantity: taken });
    }
    exits.stage = 0;
    if (left > 0 && !Number.isNaN(exits.stop)) {
      const stop = this.#give(
        order(closing, left, { orderType: 'STP', auxPrice: exits.stop, parentId, tif: 'GTC', transmit: false }),
      );
      this.#exits.push({ stop, target: 0, stage: -1, quantity: left });
    }
    // the last of the family hands all of it over
    const last = this.#exits.at(-1);
    const lastId = last === undefined ? parentId : last.target === 0 ? last.stop : last.target;
    const given = this.#given.get(lastId) ?? entry;
    this.client.place({ ...given, transmit: true }, lastId);
  }

  #give(given: Order): number {
    const id = this.client.place(given);
    this.#given.set(id, given);
    return id;
  }

  /** A stop that begins to exist at a close: one for each target, one for the rest. */
  #addStops(side: number): void {
    const closing = side > 0 ? 'SELL' : 'BUY';
    const { exits } = this.#account;
    let left = Math.abs(this.#account.shares);
    for (const exit of this.#exits) {
      if (exit.target === 0 || !this.#isOpen(exit.target)) continue;
      left -= exit.quantity;
      const group = this.client.orders.get(exit.target)?.order.ocaGroup ?? '';
      exit.stop = this.#give(
        order(closing, exit.quantity, {
          orderType: 'STP',
          auxPrice: exits.stop,
          ocaGroup: group,
          ocaType: 1,
          tif: 'GTC',
        }),
      );
    }
    if (left <= 0) return;
    const stop = this.#give(order(closing, left, { orderType: 'STP', auxPrice: exits.stop, tif: 'GTC' }));
    this.#exits.push({ stop, target: 0, stage: -1, quantity: left });
  }
}

describe('an exchange with the fills of the backtest', () => {
  it('does what MarketEnv does, fill for fill and cent for cent', () => {
    let fills = 0;
    fc.assert(
      fc.property(scenario, ({ config, actions, window }) => {
        const expected = inEnvironment(window, config, actions);
        const runner = new Runner(window, config);
        runner.run(window, actions);
        expect(runner.client.of('error').filter(({ code }) => code !== 202 && code !== 399)).toEqual([]);
        expect(runner.fills.map(({ barIndex, quantity, price }) => [barIndex, quantity, price])).toEqual(
          expected.fills.map(({ barIndex, quantity, price }) => [barIndex, quantity, price]),
        );
        runner.fills.forEach((fill, index) => expect(fill.commission).toBeCloseTo(expected.fills[index].commission, 5));
        const last = Math.min(runner.equity.length, expected.equity.length) - 1;
        for (let k = 0; k < last; k++) expect(Math.abs(runner.equity[k] - expected.equity[k])).toBeLessThan(0.001);
        fills += expected.fills.length;
      }),
      { numRuns: RUNS },
    );
    expect(fills).toBeGreaterThan(RUNS);
  }, 600_000);
});

/** What holds whatever clients do: the ledger adds up, nothing fills twice or out of hours, the same seed says the same. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bars } from '#env/market/bars.js';
import { calendarNamed } from '#env/market/calendar.js';
import { testBars } from '#env/market/test-bars.fixture.js';
import { RandomStream } from '#env/seeding.js';
import type { Exchange, Truth } from '../exchange-port.js';
import type { Order } from '../wire/types.js';
import { order, query, TestClient, testExchange } from './exchange.fixture.js';

const RUNS = Number(process.env['OPENBELL_PROPERTY_RUNS'] ?? 60);
const XNYS = calendarNamed('XNYS');
const MINUTE_MS = 60_000;

/** Minutes around two session boundaries, some missing, some before the open and after the close. */
function market(symbol: string, seed: number): Bars {
  const stream = new RandomStream(seed, `test/${symbol}`);
  const sessions = XNYS.sessionsBetween(Date.UTC(2024, 6, 1), Date.UTC(2024, 6, 6));
  const times: number[] = [];
  for (const { openMs, closeMs } of sessions.slice(0, 3)) {
    for (const from of [openMs - 5 * MINUTE_MS, closeMs - 10 * MINUTE_MS])
      for (let k = 0; k < 15; k++) if (stream.uniform() < 0.9) times.push(from + k * MINUTE_MS);
  }
  let last = 20 + Math.round(8000 * stream.uniform()) / 100;
  const cents = (price: number): number => Math.max(1, Math.round(price * 100) / 100);
  const prices = times.map((): [number, number, number, number] => {
    const open = cents(last * (1 + 0.01 * stream.normal()));
    const close = cents(open * (1 + 0.004 * stream.normal()));
    const high = cents(Math.max(open, close) * (1 + 0.003 * stream.uniform()));
    const low = cents(Math.min(open, close) * (1 - 0.003 * stream.uniform()));
    last = close;
    return [open, Math.max(high, open, close), Math.min(low, open, close), close];
  });
  return testBars({ prices, openTimeMs: times, interval: { label: '1m', ms: MINUTE_MS }, symbol });
}

const action = fc.record({
  kind: fc.constantFrom('place', 'place', 'place', 'bracket', 'group', 'modify', 'cancel', 'cancelAll'),
  side: fc.constantFrom('BUY' as const, 'SELL' as const),
  type: fc.constantFrom('MKT', 'LMT', 'STP', 'STP LMT', 'TRAIL', 'TRAIL LIMIT', 'MIT', 'LIT', 'MOC', 'LOC'),
  tif: fc.constantFrom('DAY', 'GTC', 'IOC', 'FOK'),
  quantity: fc.integer({ min: 1, max: 2000 }),
  distance: fc.integer({ min: -150, max: 150 }),
  outsideRth: fc.boolean(),
  ocaType: fc.constantFrom(1, 2, 3),
  symbol: fc.constantFrom('AAA', 'BBB'),
  which: fc.nat(50),
  wait: fc.integer({ min: 0, max: 40 }),
});
type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never;

class Soup {
  readonly exchange: Exchange;
  readonly client: TestClient;
  #group = 0;

  constructor(seed: number, fills: 'path' | 'backtest') {
    this.exchange = testExchange([market('AAA', seed), market('BBB', seed + 1)], { fills });
    this.client = new TestClient(this.exchange);
    for (const symbol of ['AAA', 'BBB'])
      this.client.ask({
        type: 'reqMktData',
        reqId: symbol === 'AAA' ? 901 : 902,
        contract: query(symbol),
        genericTicks: [],
        snapshot: false,
        regulatorySnapshot: false,
      });
  }

  wait(steps: number): void {
    for (let k = 0; k < steps * 20 && this.exchange.nextEventMs !== null; k++) this.exchange.step();
  }

  do(one: Action): void {
    const { client } = this;
    const contract = query(one.symbol);
    if (one.kind === 'cancelAll') client.ask({ type: 'reqGlobalCancel' });
    else if (one.kind === 'cancel') client.cancel(1 + one.which);
    else if (one.kind === 'modify') {
      const shown = client.orders.get(1 + one.which);
      if (shown !== undefined)
        client.place({ ...shown.order, totalQuantity: one.quantity, transmit: true }, 1 + one.which, query(one.symbol));
    } else if (one.kind === 'place') client.place(this.#terms(one, one.side), undefined, contract);
    else if (one.kind === 'bracket') {
      const closing = one.side === 'BUY' ? 'SELL' : 'BUY';
      const parentId = client.place({ ...this.#terms(one, one.side), transmit: false }, undefined, contract);
      client.place(
        { ...this.#terms({ ...one, type: 'LMT', tif: 'GTC', distance: -120 }, closing), parentId, transmit: false },
        undefined,
        contract,
      );
      client.place(
        { ...this.#terms({ ...one, type: 'STP', tif: 'GTC', distance: 120 }, closing), parentId },
        undefined,
        contract,
      );
    } else {
      const ocaGroup = `group ${this.#group++}`;
      for (const type of ['LMT', 'STP'] as const)
        client.place(
          { ...this.#terms({ ...one, type, tif: 'GTC' }, one.side), ocaGroup, ocaType: one.ocaType },
          undefined,
          contract,
        );
    }
  }

  #terms(one: Action, side: 'BUY' | 'SELL'): Order {
    const truth = this.exchange.truth();
    const held = truth.positions.find(({ contract }) => contract.symbol === one.symbol)?.marketPrice;
    const price = Math.max(
      1,
      Math.round(((held ?? this.#last(one.symbol)) + (side === 'BUY' ? 1 : -1) * (one.distance / 100)) * 100) / 100,
    );
    const stops = one.type === 'STP' || one.type === 'STP LMT' || one.type === 'MIT' || one.type === 'LIT';
    const trails = one.type.startsWith('TRAIL');
    return order(side, one.quantity, {
      orderType: one.type,
      tif: one.tif,
      outsideRth: one.outsideRth,
      lmtPrice: one.type === 'MKT' || one.type === 'STP' || trails ? null : price,
      auxPrice: stops ? price : trails ? 0.1 : null,
      lmtPriceOffset: one.type === 'TRAIL LIMIT' ? 0.05 : null,
    });
  }

  #last(symbol: string): number {
    const ticks = this.client
      .of('tickPrice')
      .filter(({ reqId, tickType }) => reqId === (symbol === 'AAA' ? 901 : 902) && tickType === 4);
    return ticks.at(-1)?.price ?? 50;
  }
}

const script = fc.record({
  seed: fc.nat(100_000),
  fills: fc.constantFrom('path' as const, 'backtest' as const),
  actions: fc.array(action, { minLength: 5, maxLength: 40 }),
});

function checkLedger(truth: Truth): void {
  let cash = 1_000_000;
  const held = new Map<string, number>();
  for (const { execution, contract, commission, superseded } of truth.executions) {
    if (superseded) continue;
    const signed = execution.side === 'BOT' ? execution.shares : -execution.shares;
    cash -= signed * execution.price + commission;
    held.set(contract.symbol, (held.get(contract.symbol) ?? 0) + signed);
  }
  const positions = new Map(truth.positions.map(({ contract, position }) => [contract.symbol, position]));
  for (const [symbol, quantity] of held) expect(positions.get(symbol) ?? 0).toBe(quantity);
  let value = 0;
  for (const { position, marketPrice } of truth.positions) value += position * marketPrice;
  // borrow on shorts is all else that there is
  expect(truth.cash).toBeLessThanOrEqual(cash + 0.001);
  expect(truth.cash).toBeGreaterThan(cash - 2000);
  expect(truth.netLiquidation).toBeCloseTo(truth.cash + value, 4);
}

function checkOrders(truth: Truth): void {
  const filled = new Map<number, number>();
  const seen = new Set<string>();
  for (const { execution } of truth.executions) {
    expect(seen.has(execution.execId)).toBe(false);
    seen.add(execution.execId);
    filled.set(execution.permId, (filled.get(execution.permId) ?? 0) + execution.shares);
  }
  for (const one of truth.orders) {
    expect(one.filled).toBe(filled.get(one.permId) ?? 0);
    expect(one.filled).toBeLessThanOrEqual(one.order.totalQuantity);
    expect(one.status !== 'Filled' || one.remaining === 0).toBe(true);
  }
}

/** Of a group that cancels, one order fills; of one that reduces, no more than the largest. */
function checkGroups(truth: Truth): void {
  const groups = new Map<string, Truth['orders'][number][]>();
  for (const one of truth.orders) {
    const { ocaGroup } = one.order;
    if (ocaGroup.startsWith('group')) groups.set(ocaGroup, [...(groups.get(ocaGroup) ?? []), one]);
  }
  for (const members of groups.values()) {
    const filled = members.filter((one) => one.filled > 0).length;
    expect(members[0].order.ocaType === 1 ? filled : 0).toBeLessThanOrEqual(1);
  }
}

function checkHours(truth: Truth): void {
  const byPerm = new Map(truth.orders.map((one) => [one.permId, one]));
  for (const { execution } of truth.executions) {
    const match = /^(\d{4})(\d{2})(\d{2}) (\d{2}):(\d{2}):(\d{2}) US\/Eastern$/.exec(execution.time);
    if (match === null) throw new Error(execution.time);
    const [year, month, day, hour, minute, second] = match.slice(1).map(Number);
    const timeMs = Date.UTC(year, month - 1, day, hour + 4, minute, second);
    const given = byPerm.get(execution.permId)?.order;
    const mayBeOutside =
      given !== undefined && given.outsideRth && !['MKT', 'MOC', 'LOC', 'MIT'].includes(given.orderType);
    expect(mayBeOutside || XNYS.sessionAt(timeMs) !== null).toBe(true);
  }
}

describe('the exchange under any orders', () => {
  it('keeps its books: cash, positions and executions agree, no order fills twice, groups and hours hold', () => {
    let executions = 0;
    fc.assert(
      fc.property(script, ({ seed, fills, actions }) => {
        const soup = new Soup(seed, fills);
        for (const one of actions) {
          soup.do(one);
          soup.wait(one.wait);
          const truth = soup.exchange.truth();
          checkLedger(truth);
          checkOrders(truth);
        }
        const truth = soup.exchange.truth();
        checkGroups(truth);
        if (fills === 'path') checkHours(truth);
        executions += truth.executions.length;
      }),
      { numRuns: RUNS },
    );
    expect(executions).toBeGreaterThan(RUNS);
  });

  it('says the same for the same seed and requests', () => {
    fc.assert(
      fc.property(script, ({ seed, fills, actions }) => {
        const said = [0, 1].map(() => {
          const soup = new Soup(seed, fills);
          for (const one of actions) {
            soup.do(one);
            soup.wait(one.wait);
          }
          return JSON.stringify(soup.client.messages);
        });
        expect(said[0] === said[1]).toBe(true);
      }),
      { numRuns: Math.ceil(RUNS / 6) },
    );
  });
});

/**
 * The trader under chance: random exits and rules, a policy that throws dice, lost connections, restarts, commands and
 * the faults of a market. Whatever happens, its position stays inside its limit and protected, it never has two entries
 * at once, and its ledger is the broker's.
 *   OPENBELL_CASES=5000 npx vitest run test/live/trader.property.test.ts
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_MARKET_CONFIG, type MarketConfig } from '#env/market/config.js';
import { RandomStream } from '#env/seeding.js';
import { createExchange } from '#src/gateway/exchange/exchange.js';
import type { ExchangeFault } from '#src/gateway/exchange-port.js';
import { DEFAULT_CARE, DEFAULT_RISK, type TraderConfig } from '#src/live/core/config.js';
import type { TraderEvent } from '#src/live/core/events.js';
import { MICRO } from '#src/live/core/ledger.js';
import { isLive } from '#src/live/core/own-orders.js';
import { Trader } from '#src/live/core/trader.js';
import { dice, EXITS, INSTRUMENT, syntheticSessions } from '../../bench/chaos/chance.js';
import { ExchangeHarness } from './exchange-harness.js';

const CASES = Number(process.env['OPENBELL_CASES'] ?? 24);
interface Scenario {
  readonly seed: number;
  readonly exits: number;
  readonly direction: MarketConfig['direction'];
  readonly limit: boolean;
  readonly fills: 'path' | 'backtest';
  readonly faults: number;
}

const anyMatch = {};

function randomFault(stream: RandomStream): ExchangeFault {
  const faults: readonly ExchangeFault[] = [
    { kind: 'rejectOrder', match: anyMatch, code: 201, message: 'Order rejected', withStatus: true },
    { kind: 'rejectOrder', match: { orderType: 'STP' }, code: 201, message: 'Order rejected', withStatus: true },
    { kind: 'rejectOrder', match: anyMatch, code: 110, message: 'The price does not conform', withStatus: false },
    { kind: 'rejectModify', match: anyMatch, code: 201, message: 'Order modification rejected' },
    { kind: 'partialThenCancel', match: anyMatch, fraction: 0.4 },
    { kind: 'fillAfterCancel', match: anyMatch, delayMs: 3_000 },
    { kind: 'correctExecution', match: anyMatch, delayMs: 2_000, priceOffset: 0.01, sharesFactor: 1 },
    { kind: 'staleFeed', symbol: 'SYN', durationMs: 240_000 },
    { kind: 'dropSubscriptions' },
  ];
  return faults[stream.integer(faults.length)];
}

const scenarios = fc.record<Scenario>({
  seed: fc.integer({ min: 1, max: 1_000_000 }),
  exits: fc.integer({ min: 0, max: EXITS.length - 1 }),
  direction: fc.constantFrom('long_only', 'long_short'),
  limit: fc.boolean(),
  fills: fc.constantFrom('path', 'path', 'backtest'),
  faults: fc.integer({ min: 0, max: 6 }),
});

/** Runs two sessions and throws at the first breach. */
export function run(scenario: Scenario): { harness: ExchangeHarness; restart: () => void } {
  const { seed, direction, limit, fills } = scenario;
  const data = syntheticSessions(seed, 3, 5);
  const market: MarketConfig = {
    ...DEFAULT_MARKET_CONFIG,
    direction,
    exits: EXITS[scenario.exits],
    order: { type: limit ? 'limit' : 'market', buffer_bps: 2 },
  };
  const exchange = createExchange({
    bars: [data],
    account: 'DU0000001',
    seed,
    fills,
    initialCash: 100_000,
    costs: market.costs,
  });
  const config: TraderConfig = {
    account: 'DU0000001',
    tag: 'ob1',
    symbols: [{ symbol: 'SYN', instrument: INSTRUMENT, sleeveEquity: 100_000 }],
    interval: data.interval,
    calendar: 'XNYS',
    featureSet: 'v1',
    warmup: 30,
    anchorMs: null,
    market,
    risk: { ...DEFAULT_RISK, max_daily_loss: 0.2, max_drawdown: 0.5, max_orders_per_minute: 1e6 },
    care: { ...DEFAULT_CARE, quarantine_seconds: 1 },
  };
  let trader = new Trader(dice(seed));
  const harness = new ExchangeHarness({ exchange, trader, config, wallStepMs: 500 });
  const stream = new RandomStream(seed, 'test/chance');
  let bareSinceWallMs: number | null = null;

  harness.onEvent = () => {
    const [symbol] = trader.symbols;
    if (symbol === undefined) return;
    const entries = symbol.orders.live('entry');
    if (entries.length > 1)
      throw new Error(`two entries at once: ${entries.map(({ request }) => request.orderRef).join(', ')}`);
    const worth = Math.abs(symbol.position) * symbol.lastPrice;
    if (worth > 1.1 * 100_000 && symbol.leaving === null)
      throw new Error(`a position of ${worth} on a sleeve of 100000, and not leaving`);
    // only a late fill can do this, and it is left at once
    if (direction === 'long_only' && symbol.position < 0 && symbol.leaving === null)
      throw new Error(`short ${symbol.position} where only longs are allowed, and not leaving`);
    // bare: as the trader itself counts it, and while it could do something about it
    const bare =
      symbol.unprotectedSinceWallMs !== null && symbol.leaving === null && trader.ready && trader.halt === null;
    if (!bare) bareSinceWallMs = null;
    else if (harness.wallMs - (bareSinceWallMs ??= harness.wallMs) > config.care.protect_within_seconds * 1000 + 5_000)
      throw new Error(`unprotected for longer than declared, and not leaving\n${recent(harness)}`);
  };

  const restart = (): void => {
    const next = new Trader(dice(seed));
    for (const event of harness.events) next.handle(event);
    if (harness.connected) harness.disconnect();
    trader = next;
    harness.replaceTrader(next);
    harness.feed({ type: 'restarted' });
    harness.connect();
  };

  harness.start();
  let faults = scenario.faults;
  let downFor = 0;
  while (harness.step()) {
    if (downFor > 0 && --downFor === 0) harness.connect();
    if (faults === 0 || stream.uniform() > 0.002) continue;
    faults--;
    const kind = stream.integer(8);
    if (kind < 5) exchange.inject(randomFault(stream));
    else if (kind === 5 && harness.connected) {
      harness.disconnect();
      downFor = 1 + stream.integer(60);
    } else if (kind === 6) restart();
    else harness.command({ kind: (['pause', 'resume', 'flatten', 'resume'] as const)[stream.integer(4)] });
  }
  if (!harness.connected) harness.connect();
  // the market is over; the answers still come
  for (let k = 0; k < 40; k++) {
    harness.wallMs += 1_000;
    harness.feed({ type: 'clock' });
  }
  return { harness, restart };
}

/** The last events and intents, for whoever reads of a breach. */
function recent({ events, intents }: ExchangeHarness): string {
  const lines = (list: readonly { readonly type: string }[], count: number): string =>
    list
      .filter(({ type }) => type !== 'fiveSecondBar' && type !== 'clock' && type !== 'decision')
      .slice(-count)
      .map((item) => JSON.stringify(item).slice(0, 300))
      .join('\n');
  return `${lines(events, 30)}\n-- intents\n${lines(intents, 15)}`;
}

describe('whatever happens', () => {
  it('no two entries, no position out of bounds or unprotected, and a ledger equal to the broker’s', () => {
    fc.assert(
      fc.property(scenarios, (scenario) => {
        const { harness } = run(scenario);
        const [symbol] = harness.trader.symbols;
        const truth = harness.exchange.truth();
        expect(symbol.position).toBe(truth.positions.at(0)?.position ?? 0);
        expect(symbol.ledger.cashMicro / MICRO - symbol.accruedBorrow).toBeCloseTo(truth.cash - 100_000, 6);
        const resting = symbol.orders
          .live()
          .map(({ request }) => request.orderRef)
          .sort();
        const there = truth.orders
          .filter(({ status }) => status === 'Submitted' || status === 'PreSubmitted')
          .map(({ order }) => order.orderRef)
          .sort();
        expect(resting).toEqual(there);
      }),
      { numRuns: CASES, seed: 1 },
    );
  }, 600_000);

  it('the same events give the same intents', () => {
    fc.assert(
      fc.property(scenarios, ({ seed, ...rest }) => {
        const { harness } = run({ seed, ...rest, faults: 3 });
        const intents: unknown[] = [];
        const again = new Trader(dice(seed));
        for (const event of harness.events)
          intents.push(...again.handle(JSON.parse(JSON.stringify(event)) as TraderEvent));
        expect(intents).toEqual(harness.intents);
        expect(again.symbols[0].orders.live().every((order) => isLive(order))).toBe(true);
      }),
      { numRuns: Math.ceil(CASES / 6), seed: 2 },
    );
  }, 600_000);
});

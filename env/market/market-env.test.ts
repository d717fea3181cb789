/** Worked examples: every number in a comment was computed by hand. */
import { describe, expect, it } from 'vitest';
import type { Bars } from './bars.js';
import type { MarketConfig } from './config.js';
import { MarketEnv } from './market-env.js';
import type { BarRecord, Fill } from './recorder.js';
import { FREE, MONDAY_MS, testBars, wholeWindow } from './test-bars.fixture.js';

const HOLD = 0;
const BUY = 1;
const SELL = 2;
const NO_EXITS = FREE.exits;

/** Runs the actions; a fill reads "bar: quantity @ price reason". */
function run(bars: Bars, config: MarketConfig, actions: readonly number[]) {
  const fills: string[] = [];
  const records: BarRecord[] = [];
  const money: Fill[] = [];
  const recorder = {
    onFill(fill: Fill) {
      fills.push(`${fill.barIndex}: ${fill.quantity} @ ${fill.price} ${fill.reason}`);
      money.push(fill);
    },
    onBar: (record: BarRecord) => records.push(record),
  };
  const env = new MarketEnv({ windows: [wholeWindow(bars)], config, numEnvs: 1, seed: 1, mode: 'evaluate', recorder });
  env.reset();
  const masks = [[...(env.actionMasks ?? [])]];
  const ends: string[] = [];
  for (const action of actions) {
    env.step(config.actions === 'discrete' ? Int32Array.of(action) : Float32Array.of(action));
    masks.push([...(env.actionMasks ?? [])]);
    ends.push(env.terminations[0] === 1 ? 'terminated' : env.truncations[0] === 1 ? 'truncated' : '');
  }
  return { env, fills, money, records, masks, ends, equity: records.map(({ equity }) => equity) };
}

describe('entries and exits', () => {
  it('fills at the next open, never at the close that was decided on', () => {
    // 10,000 / 100 (close of bar 0) = 100 shares at the open of bar 1, 101; close 103: 10,000 + 100 x 2 = 10,200
    const bars = testBars({
      prices: [
        [100, 100, 100, 100],
        [101, 104, 100, 103],
        [104, 105, 103, 104],
        [104, 104, 104, 104],
      ],
    });
    const { fills, equity } = run(bars, FREE, [BUY, SELL, HOLD]);
    expect(fills).toEqual(['1: 100 @ 101 buy', '2: -100 @ 104 sell']);
    expect(equity).toEqual([10_200, 10_300, 10_300]);
  });

  it('charges half the spread and slippage on each side, on tick against us, and the commission', () => {
    // buy at 101: x (1 + 5e-4 + 1e-4) = 101.0606, up to 101.07; sale at 104: x (1 - 6e-4) = 103.9376, down to 103.93
    // commission: 100 shares x 0.005 = 0.50, at least 1.00, both times; the sale of 10,393 in June 2018 also pays
    // 10,393 x 13.00e-6 = 0.135109 and 100 x 0.000119 = 0.0119
    const bars = testBars({
      prices: [
        [100, 100, 100, 100],
        [101, 104, 100, 103],
        [104, 105, 103, 104],
        [104, 104, 104, 104],
      ],
    });
    const costs = { ...FREE.costs, model: 'ibkr_fixed' as const, spread_bps: 10, slippage_bps: 1 };
    const { fills, money, records } = run(bars, { ...FREE, costs }, [BUY, SELL, HOLD]);
    expect(fills).toEqual(['1: 100 @ 101.07 buy', '2: -100 @ 103.93 sell']);
    expect(money[0].commission).toBe(1);
    expect(money[1].commission).toBeCloseTo(1.147009, 10);
    // costs of bar 1: 1.00 + 100 x 0.07 = 8.00; of bar 2: 1.147009 + 100 x 0.07
    expect(records.map(({ costs: paid }) => Number(paid.toFixed(6)))).toEqual([8, 8.147009, 0]);
    // 10,000 - 10,107 - 1 + 10,393 - 1.147009 = 10,283.852991
    expect(records[2].equity).toBeCloseTo(10_283.852991, 8);
  });

  it('takes the stop, not the target, on an entry bar that holds both', () => {
    // bought at 101: stop 101 x 0.98 = 98.98, target 101 x 1.02 = 103.02; the bar runs from 98 to 104
    const bars = testBars({
      prices: [
        [100, 100, 100, 100],
        [101, 104, 98, 103],
        [103, 103, 103, 103],
      ],
    });
    const exits = { ...NO_EXITS, initial_stop: 0.02, take_profit: [{ gain: 0.02, fraction: 1 }] };
    const { fills, equity } = run(bars, { ...FREE, exits }, [BUY, HOLD]);
    expect(fills).toEqual(['1: 100 @ 101 buy', '1: -100 @ 98.98 stop']);
    expect(equity[0]).toBe(10_000 - 202);
  });

  it('fills a stop that the open has gapped through at the open, and cancels the sale that was pending', () => {
    // stop 101 x 0.98 = 98.98; bar 2 opens at 95: sold at 95 by the stop, and only once
    const bars = testBars({
      prices: [
        [100, 100, 100, 100],
        [101, 102, 100, 101],
        [95, 97, 94, 96],
        [96, 96, 96, 96],
      ],
    });
    const { fills } = run(bars, { ...FREE, exits: { ...NO_EXITS, initial_stop: 0.02 } }, [BUY, SELL, HOLD]);
    expect(fills).toEqual(['1: 100 @ 101 buy', '2: -100 @ 95 stop']);
  });

  it('turns a position round in two decisions: out at one open, in on the other side at the next', () => {
    // bought 100 at 101, sold at 104: 10,300; short 10,300 / 103 (close of bar 2) = 100 at 102; close 100: 10,500
    const bars = testBars({
      prices: [
        [100, 100, 100, 100],
        [101, 102, 100, 101],
        [104, 105, 103, 103],
        [102, 103, 99, 100],
        [100, 100, 100, 100],
      ],
    });
    const { fills, equity } = run(bars, { ...FREE, direction: 'long_short' }, [BUY, SELL, SELL, BUY]);
    expect(fills).toEqual(['1: 100 @ 101 buy', '2: -100 @ 104 sell', '3: -100 @ 102 sell', '4: 100 @ 100 buy']);
    expect(equity).toEqual([10_000, 10_300, 10_500, 10_500]);
  });
});

describe('limit orders', () => {
  const limit: MarketConfig = { ...FREE, order: { type: 'limit', buffer_bps: 10 } };

  it('expire where the bar does not trade through them; a touch is not enough', () => {
    // limit 100 x 1.001 = 100.1; bar 1 trades from 100.1 up: touched, not through; bar 2 lies above
    const bars = testBars({
      prices: [
        [100, 100, 100, 100],
        [101, 102, 100.1, 101],
        [102, 103, 101.5, 102],
        [102, 102, 102, 102],
      ],
    });
    const { fills, equity } = run(bars, limit, [BUY, HOLD, HOLD]);
    expect(fills).toEqual([]);
    expect(equity).toEqual([10_000, 10_000, 10_000]);
  });

  it('fill at the open where the open is better, and at the limit where the bar trades through', () => {
    // bar 1 opens at 99, better than 100.1. Sale: 100 x 0.999 = 99.9; bar 2 opens at 99.5 and trades up through it
    const bars = testBars({
      prices: [
        [100, 100, 100, 100],
        [99, 101, 99, 100],
        [99.5, 101, 99, 100],
        [100, 100, 100, 100],
      ],
    });
    const { fills } = run(bars, limit, [BUY, SELL, HOLD]);
    expect(fills).toEqual(['1: 100 @ 99 buy', '2: -100 @ 99.9 sell']);
  });

  it('pay the spread when filled at once, though never more than their limit', () => {
    // half of 40 bps on 100: 100.2, but the limit is 100.1
    const bars = testBars({
      prices: [
        [100, 100, 100, 100],
        [100, 101, 99, 100],
        [100, 100, 100, 100],
      ],
    });
    const { fills } = run(bars, { ...limit, costs: { ...FREE.costs, spread_bps: 40 } }, [BUY, HOLD]);
    expect(fills[0]).toBe('1: 100 @ 100.1 buy');
  });

  it('opened within a bar do not take profit at prices from before they were opened', () => {
    // limit 100 x 1.001 = 100.1; the bar opens at 103, falls through it and closes at 101; target 100.1 x 1.02 =
    // 102.102, down to 102.10: the 103 was seen before the entry, so nothing is sold. Bar 2 reaches it.
    const bars = testBars({
      prices: [
        [100, 100, 100, 100],
        [103, 103, 99.9, 101],
        [101, 102.5, 101, 102],
        [102, 102, 102, 102],
      ],
    });
    const exits = { ...NO_EXITS, take_profit: [{ gain: 0.02, fraction: 1 }] };
    const { fills } = run(bars, { ...limit, exits }, [BUY, HOLD, HOLD]);
    expect(fills).toEqual(['1: 100 @ 100.1 buy', '2: -100 @ 102.1 take-profit']);
  });
});

describe('exits', () => {
  it('take profit in stages, in whole lots of the initial quantity, the last stage taking the rest', () => {
    // 10,000 / 99 = 101 shares at 100; 101 x 0.5 = 50.5 -> 50 at 102, then the remaining 51 at 104
    const bars = testBars({
      prices: [
        [99, 99, 99, 99],
        [100, 101, 99, 101],
        [101, 103, 101, 103],
        [103, 105, 103, 105],
        [105, 105, 105, 105],
      ],
    });
    const exits = {
      ...NO_EXITS,
      take_profit: [
        { gain: 0.04, fraction: 0.5 },
        { gain: 0.02, fraction: 0.5 },
      ],
    };
    const { fills } = run(bars, { ...FREE, exits }, [BUY, HOLD, HOLD, HOLD]);
    expect(fills).toEqual(['1: 101 @ 100 buy', '2: -50 @ 102 take-profit', '3: -51 @ 104 take-profit']);
  });

  it('trail the stop at closes only: a bar never meets a level that it made itself', () => {
    // bought at 100, trailing 5%: 95. Bar 2 reaches 110 and falls to 103: not stopped at 104.5, which stands only
    // from its close. Bar 3 opens at 104 under 104.5: sold at the open
    const bars = testBars({
      prices: [
        [100, 100, 100, 100],
        [100, 101, 99, 100],
        [101, 110, 101, 103],
        [104, 106, 103, 105],
        [105, 105, 105, 105],
      ],
    });
    const { fills } = run(bars, { ...FREE, exits: { ...NO_EXITS, trailing_stop: 0.05 } }, [BUY, HOLD, HOLD, HOLD]);
    expect(fills).toEqual(['1: 100 @ 100 buy', '3: -100 @ 104 stop']);
  });

  it('fix the stop past a threshold', () => {
    // bought at 100; bar 2 reaches 106, past 5%: the stop stands at 102; bar 3 falls to 101
    const bars = testBars({
      prices: [
        [100, 100, 100, 100],
        [100, 104, 100, 104],
        [104, 106, 103, 105],
        [105, 105, 101, 101],
        [101, 101, 101, 101],
      ],
    });
    const exits = { ...NO_EXITS, fixed_stop: { gain: 0.05, level: 0.02 } };
    const { fills } = run(bars, { ...FREE, exits }, [BUY, HOLD, HOLD, HOLD]);
    expect(fills).toEqual(['1: 100 @ 100 buy', '3: -100 @ 102 stop']);
  });

  it('fix the stop at the very price of the threshold, whose gain is no exact double', () => {
    const bars = testBars({
      prices: [
        [100, 100, 100, 100],
        [100, 100, 100, 100],
        [100.2, 100.5, 100.2, 100.3],
        [100.3, 100.3, 100, 100],
        [100, 100, 100, 100],
      ],
    });
    const exits = { ...NO_EXITS, fixed_stop: { gain: 0.005, level: 0.001 } };
    const { fills } = run(bars, { ...FREE, exits }, [BUY, HOLD, HOLD]);
    expect(fills).toEqual(['1: 100 @ 100 buy', '3: -100 @ 100.1 stop']);
  });

  const closes = [100, 102, 104, 100, 98];
  const emaBars = testBars({
    prices: closes.map((c, t) => [
      t === 0 ? 100 : closes[t - 1],
      Math.max(c, closes[t - 1] ?? 100),
      Math.min(c, closes[t - 1] ?? 100),
      c,
    ]),
  });

  it('leave at the next open after a close below the EMA', () => {
    // EMA(2): mean(100, 102) = 101; 101 + 2/3 x 3 = 103; 103 + 2/3 x (100 - 103) = 101 > 100 at bar 3: out at bar 4's open
    const exits = { ...NO_EXITS, ema_rule: { period: 2, action: 'exit' as const, tighten_to: 0.99 } };
    const { fills, masks } = run(emaBars, { ...FREE, exits }, [BUY, HOLD, HOLD, HOLD]);
    expect(fills).toEqual(['1: 100 @ 100 buy', '4: -100 @ 100 ema']);
    // once a rule has the exit in hand, buying and selling do nothing
    expect(masks[3]).toEqual([1, 0, 0]);
  });

  it('or tighten the stop to a share of that close', () => {
    // at bar 3's close of 100 the stop goes to 99; bar 4 falls from 100 to 98
    const exits = { ...NO_EXITS, ema_rule: { period: 2, action: 'tighten' as const, tighten_to: 0.99 } };
    const { fills } = run(emaBars, { ...FREE, exits }, [BUY, HOLD, HOLD, HOLD]);
    expect(fills).toEqual(['1: 100 @ 100 buy', '4: -100 @ 99 stop']);
  });
});

describe('ends', () => {
  it('close at the last close with costs, truncated', () => {
    // bought 100 at 101; the last close is 103: spread 20 bps, half of it: 102.897, down to 102.89
    const bars = testBars({
      prices: [
        [100, 100, 100, 100],
        [101, 102, 100, 102],
        [102, 104, 101, 103],
      ],
    });
    const { fills, ends, equity, env } = run(bars, { ...FREE, costs: { ...FREE.costs, spread_bps: 20 } }, [BUY, HOLD]);
    // the buy: 101 x 1.001 = 101.101, up to 101.11
    expect(fills).toEqual(['1: 100 @ 101.11 buy', '2: -100 @ 102.89 end-of-data']);
    expect(ends).toEqual(['', 'truncated']);
    expect(equity[1]).toBeCloseTo(10_178, 9);
    expect([...env.done]).toEqual([1]);
    // done is done: no more steps, no more flags
    env.step(Int32Array.of(BUY));
    expect([env.rewards[0], env.truncations[0], env.terminations[0]]).toEqual([0, 0, 0]);
  });

  it('terminate at ruin, not truncate', () => {
    // short 100 at 100; close 178: equity 10,000 - 7,800 = 2,200, above 2,000; close 180: 2,000, at the minimum
    const bars = testBars({
      prices: [
        [100, 100, 100, 100],
        [100, 179, 100, 178],
        [178, 181, 178, 180],
        [180, 180, 180, 180],
      ],
    });
    const { fills, ends, equity } = run(bars, { ...FREE, direction: 'long_short' }, [SELL, HOLD]);
    expect(equity).toEqual([2200, 2000]);
    expect(fills).toEqual(['1: -100 @ 100 sell', '2: 100 @ 180 ruin']);
    expect(ends).toEqual(['', 'terminated']);
  });

  it('borrow is charged for the nights between sessions', () => {
    // short 100 at 100 on Friday, close 100: collateral 100 x ceil(102) = 10,200 x 36% / 360 = 10.20 a night, three of them
    const friday = MONDAY_MS + 4 * 86_400_000;
    const bars = testBars({
      prices: [
        [100, 100, 100, 100],
        [100, 100, 100, 100],
        [100, 100, 100, 100],
      ],
      openTimeMs: [friday - 86_400_000, friday, friday + 3 * 86_400_000],
    });
    const config: MarketConfig = { ...FREE, direction: 'long_short', costs: { ...FREE.costs, borrow_rate: 0.36 } };
    const { records } = run(bars, config, [SELL, HOLD]);
    expect(records[0].costs).toBe(0);
    expect(records[1].costs).toBeCloseTo(30.6, 10);
    expect(records[1].equity).toBeCloseTo(9969.4, 9);
  });
});

describe('rules', () => {
  const HALF_HOUR = 1_800_000;
  /** A New York session of half-hour bars from 09:30 to 16:00: 13 bars, closing at 10:00, 10:30, ... 16:00. */
  const openMs = MONDAY_MS + 13.5 * 3_600_000;
  const session = testBars({
    prices: Array.from({ length: 13 }, () => [100, 100, 100, 100] as const),
    openTimeMs: Array.from({ length: 13 }, (_, k) => openMs + k * HALF_HOUR),
    interval: { label: '30m', ms: HALF_HOUR },
  });

  it('make it flat in time before the close, and keep it so', () => {
    // flat by 15:00: the decision at 15:00 (bar 10) is the last in time, since the next is at 15:30; out at bar 11's open
    const rules = { ...FREE.rules, flat_before_close_minutes: 60 };
    const { fills, masks } = run(session, { ...FREE, rules }, [HOLD, BUY, ...Array(10).fill(HOLD)]);
    expect(fills).toEqual(['2: 100 @ 100 buy', '11: -100 @ 100 flat-before-close']);
    expect(masks[9]).toEqual([1, 0, 1]);
    expect(masks[10]).toEqual([1, 0, 0]);
    expect(masks[11]).toEqual([1, 0, 0]);
  });

  it('count cycles by the day', () => {
    const rules = { ...FREE.rules, max_cycles_per_day: 1 };
    const { fills, masks } = run(session, { ...FREE, rules }, [BUY, SELL, BUY, BUY, ...Array(8).fill(HOLD)]);
    expect(fills).toEqual(['1: 100 @ 100 buy', '2: -100 @ 100 sell']);
    expect(masks[2]).toEqual([1, 0, 0]);
    // the order given at the session's close acts on the next day: its cycles are counted anew
    expect(masks[12]).toEqual([1, 1, 0]);
  });

  it('allow entries inside the trading windows only, exits always', () => {
    // decisions at 10:00 (bar 0) ... : inside 10:30 - 11:30 are the closes of bars 1 and 2
    const rules = { ...FREE.rules, trading_windows: [['10:30', '11:30']] as const };
    const { fills, masks } = run(session, { ...FREE, rules }, [BUY, HOLD, BUY, HOLD, SELL, ...Array(7).fill(BUY)]);
    expect(masks.slice(0, 3).map((mask) => mask[1])).toEqual([0, 1, 1]);
    expect(fills).toEqual(['3: 100 @ 100 buy', '5: -100 @ 100 sell']);
  });

  it('refuse hours on daily bars', () => {
    const bars = testBars({
      prices: [
        [1, 1, 1, 1],
        [1, 1, 1, 1],
        [1, 1, 1, 1],
      ],
    });
    const rules = { ...FREE.rules, trading_windows: [['10:30', '11:30']] as const };
    expect(() => run(bars, { ...FREE, rules }, [])).toThrow('rules.trading_windows');
  });
});

describe('adjusted prices', () => {
  it('trade tradable prices: quantity, ticks and per-share fees before a four-for-one split', () => {
    // adjusted close 25 at factor 0.25 is 100 tradable: 10,000 / 100 = 100 shares, not 400. Opens at 101 (25.25
    // adjusted): 100 x 0.005 = 0.50, at least 1.00. Overnight four for one: 400 shares. Bar 2 opens at 26: sold
    // 400 at 26: commission 2.00, SEC 10,400 x 13e-6 = 0.1352, TAF 400 x 0.000119 = 0.0476
    const bars = testBars({
      prices: [
        [100, 100, 100, 100],
        [101, 104, 100, 104],
        [26, 27, 25, 26],
        [26, 26, 26, 26],
      ],
      factor: [0.25, 0.25, 1, 1],
    });
    expect([...bars.close]).toEqual([25, 26, 26, 26]);
    const { fills, money, equity } = run(bars, { ...FREE, costs: { ...FREE.costs, model: 'ibkr_fixed' } }, [
      BUY,
      SELL,
      HOLD,
    ]);
    expect(fills).toEqual(['1: 100 @ 101 buy', '2: -400 @ 26 sell']);
    expect(money[0].commission).toBe(1);
    expect(money[1].commission).toBeCloseTo(2.1828, 10);
    // close of bar 1: 10,000 - 10,100 - 1 + 10,400
    expect(equity[0]).toBe(10_299);
    expect(equity[2]).toBeCloseTo(10_296.8172, 8);
  });

  it('reinvest a dividend: the position in adjusted units stands, its shares grow by the factor', () => {
    // factor 0.98 before the ex-date, 1 after: 100 shares become 100 / 0.98
    const bars = testBars({
      prices: [
        [100, 100, 100, 100],
        [100, 100, 100, 100],
        [98, 98, 98, 98],
        [98, 98, 98, 98],
      ],
      factor: [0.98, 0.98, 1, 1],
    });
    const { records, equity } = run(bars, FREE, [BUY, HOLD, SELL]);
    expect(records[1].position).toBeCloseTo(102.0408163265, 9);
    // the price fell by the dividend: nothing gained, nothing lost
    for (const value of equity) expect(value).toBeCloseTo(10_000, 7);
  });

  it('move a resting stop with a split', () => {
    // bought at 100, stop 95; two for one: the stop stands at 47.50; bar 2 falls from 49 to 47
    const bars = testBars({
      prices: [
        [100, 100, 100, 100],
        [100, 100, 98, 98],
        [49, 49, 47, 48],
        [48, 48, 48, 48],
      ],
      factor: [0.5, 0.5, 1, 1],
    });
    const { fills } = run(bars, { ...FREE, exits: { ...NO_EXITS, initial_stop: 0.05 } }, [BUY, HOLD, HOLD]);
    expect(fills).toEqual(['1: 100 @ 100 buy', '2: -200 @ 47.5 stop']);
  });
});

describe('target positions', () => {
  const bars = testBars({
    prices: [
      [100, 100, 100, 100],
      [100, 100, 100, 100],
      [110, 110, 110, 110],
      [110, 110, 110, 110],
      [110, 110, 110, 110],
      [110, 110, 110, 110],
    ],
  });

  it('are rebalanced in whole lots, only where the lots change', () => {
    // 0.5 x 10,000 / 100 = 50. At 110 after bar 2: equity 10,500 x 0.5 / 110 = 47.7 -> 47: 3 sold. Then 47 again: no order
    const { fills } = run(bars, { ...FREE, actions: 'target' }, [0.5, 0.5, 0.5, 0.5, 0]);
    expect(fills).toEqual(['1: 50 @ 100 target', '3: -3 @ 110 target', '5: -47 @ 110 target']);
  });

  it('of the other sign close first', () => {
    const { fills } = run(bars, { ...FREE, actions: 'target', direction: 'long_short' }, [0.5, -0.5, -0.5, 0, 0]);
    // out at 110: 10,500; short 0.5 x 10,500 / 110 = 47.7 -> 47
    expect(fills).toEqual(['1: 50 @ 100 target', '2: -50 @ 110 target', '3: -47 @ 110 target', '4: 47 @ 110 target']);
  });
});

/**
 * One world: the trader against the simulated broker, filled by the backtest's rules, does what MarketEnv does: the
 * same features and the same actions at every bar, the same fills, the same money to the cent.
 */
import { describe, expect, it } from 'vitest';
import { DEFAULT_MARKET_CONFIG, type MarketConfig } from '#env/market/config.js';
import type { Bars } from '#env/market/bars.js';
import { MarketEnv } from '#env/market/market-env.js';
import { ACCOUNT_FEATURE_COUNT } from '#env/market/observation/index.js';
import type { Fill } from '#env/market/recorder.js';
import { createExchange } from '#src/gateway/exchange/exchange.js';
import { DEFAULT_CARE, DEFAULT_RISK, type TraderConfig } from '#src/live/core/config.js';
import type { Decider } from '#src/live/core/decider.js';
import { Trader } from '#src/live/core/trader.js';
import { ExchangeHarness } from './exchange-harness.js';
import { INSTRUMENT, syntheticSessions } from './sessions.js';

/** Any function of the observation will do, if it trades: this one follows the bits of two features. */
const choose = (
  observation: ArrayLike<number>,
  offset: number,
  mask: ArrayLike<number> | null,
  maskOffset: number,
): number => {
  const wild = Math.abs(Math.trunc(observation[offset] * 1e7) + Math.trunc(observation[offset + 5] * 1e4)) % 7;
  const action = wild < 3 ? 0 : wild < 5 ? 1 : 2;
  return mask === null || mask[maskOffset + action] === 1 ? action : 0;
};

const decider: Decider = {
  decide: (observation, mask, probabilities) => {
    const action = choose(observation, 0, mask, 0);
    probabilities.fill(0);
    probabilities[action] = 1;
    return action;
  },
};

const WARMUP = 60;

/** The first bar of the second session decides first; the last bar is closed out in the environment alone. */
function backtest(
  data: Bars,
  config: MarketConfig,
  start: number,
): { fills: Fill[]; actions: number[]; equities: number[]; features: number[][] } {
  const fills: Fill[] = [];
  const equities: number[] = [];
  const windows = [{ bars: data, segment: data.segments[0], start, end: data.length }];
  const recorder = {
    onFill: (fill: Fill) => fills.push(fill),
    onBar: ({ equity }: { equity: number }) => equities.push(equity),
  };
  const env = new MarketEnv({ windows, config, numEnvs: 1, seed: 1, mode: 'evaluate', recorder });
  env.reset();
  const actions: number[] = [];
  const features: number[][] = [];
  while (env.done[0] === 0) {
    const action = choose(env.observations, 0, env.actionMasks, 0);
    features.push([...env.observations]);
    actions.push(action);
    env.step(Int32Array.of(action));
  }
  return { fills, actions, equities, features };
}

function live(data: Bars, config: MarketConfig, startTimeMs: number): ExchangeHarness {
  const exchange = createExchange({
    bars: [data],
    account: 'DU0000001',
    seed: 1,
    fills: 'backtest',
    initialCash: config.initial_equity,
    costs: config.costs,
    startTimeMs,
  });
  const trader = new Trader(decider);
  const traderConfig: TraderConfig = {
    account: 'DU0000001',
    tag: 'ob1',
    symbols: [{ symbol: 'SYN', instrument: INSTRUMENT, sleeveEquity: config.initial_equity }],
    interval: data.interval,
    calendar: 'XNYS',
    featureSet: 'v1',
    warmup: WARMUP,
    anchorMs: null,
    market: config,
    risk: { ...DEFAULT_RISK, max_daily_loss: null, max_drawdown: null, max_orders_per_minute: 1e9 },
    care: DEFAULT_CARE,
  };
  const harness = new ExchangeHarness({ exchange, trader, config: traderConfig });
  harness.start();
  harness.run();
  return harness;
}

const NONE: MarketConfig['exits'] = DEFAULT_MARKET_CONFIG.exits;
const CASES: [string, Partial<MarketConfig>][] = [
  ['market orders, no exits', {}],
  ['long and short', { direction: 'long_short' }],
  ['limit orders', { order: { type: 'limit', buffer_bps: 1 } }],
  ['a stop', { exits: { ...NONE, initial_stop: 0.004 } }],
  [
    'a trailing stop, both sides',
    { direction: 'long_short', exits: { ...NONE, initial_stop: 0.006, trailing_stop: 0.005 } },
  ],
  [
    'stop, fixed level and one target',
    {
      exits: {
        ...NONE,
        initial_stop: 0.005,
        take_profit: [{ gain: 0.004, fraction: 1 }],
        fixed_stop: { gain: 0.002, level: 0.0005 },
      },
    },
  ],
  [
    'staged targets',
    {
      exits: {
        ...NONE,
        initial_stop: 0.005,
        take_profit: [
          { gain: 0.003, fraction: 0.5 },
          { gain: 0.006, fraction: 0.5 },
        ],
      },
    },
  ],
  [
    'staged targets of few shares, where each order pays its least commission',
    {
      initial_equity: 10_000,
      exits: {
        ...NONE,
        initial_stop: 0.02,
        take_profit: [
          { gain: 0.01, fraction: 0.4 },
          { gain: 0.02, fraction: 0.4 },
        ],
      },
    },
  ],
  [
    'limit orders, both sides, a trailing stop',
    {
      direction: 'long_short',
      order: { type: 'limit', buffer_bps: 1 },
      exits: { ...NONE, initial_stop: 0.004, trailing_stop: 0.004 },
    },
  ],
  [
    'limit orders and staged targets, without a stop',
    {
      direction: 'long_short',
      initial_equity: 10_000,
      order: { type: 'limit', buffer_bps: 1 },
      exits: {
        ...NONE,
        take_profit: [
          { gain: 0.003, fraction: 0.4 },
          { gain: 0.006, fraction: 0.4 },
        ],
      },
    },
  ],
  ['the EMA rule', { exits: { ...NONE, initial_stop: 0.02, ema_rule: { period: 20, action: 'exit', tighten_to: 1 } } }],
  [
    'flat before the close, windows and cycles',
    { rules: { trading_windows: [['09:35', '15:45']], max_cycles_per_day: 3, flat_before_close_minutes: 10 } },
  ],
];

/** Slices of one position that left at one price in one bar are one fill to the environment. */
function together(
  fills: readonly { readonly timeMs: number; readonly quantity: number; readonly price: number }[],
): [timeMs: number, quantity: number, price: number][] {
  const merged: [number, number, number][] = [];
  for (const { timeMs, quantity, price } of fills) {
    const last = merged.at(-1);
    if (last !== undefined && last[0] === timeMs && last[2] === price && last[1] > 0 === quantity > 0)
      last[1] += quantity;
    else merged.push([timeMs, quantity, price]);
  }
  return merged;
}

describe('the trader repeats a backtest', () => {
  it.each(CASES)('%s', (_, partial) => {
    const config: MarketConfig = {
      ...DEFAULT_MARKET_CONFIG,
      ...partial,
      episode: { length: null, minimum_length: 1, random_start: false },
    };
    const data = syntheticSessions(3, 4, 5);
    const perSession = data.length / 4;
    // the replay begins at the second session's open: its first close is the first decision
    const start = perSession;
    const expected = backtest(data, config, start);
    const harness = live(data, config, data.openTimeMs[start]);
    const decisions = harness.intents.flatMap((intent) => (intent.type === 'decision' ? [intent.decision] : []));
    const trades = harness.intents.flatMap((intent) => (intent.type === 'trade' ? [intent.trade] : []));

    const inside = expected.fills.filter(({ reason }) => reason !== 'end-of-data');
    expect(inside.length).toBeGreaterThan(5);
    // the environment makes no decision at the last close
    const market = (features: readonly number[]): readonly number[] => features.slice(0, -ACCOUNT_FEATURE_COUNT);
    const until = expected.actions.length;
    expect(decisions.slice(0, until).map(({ features }) => market(features))).toEqual(expected.features.map(market));
    for (const [k, { features, equity }] of decisions.slice(0, until).entries()) {
      // the broker's books are in whole millionths, the environment's are not
      for (const [f, feature] of expected.features[k].entries())
        expect(Math.abs(features[f] - feature)).toBeLessThan(1e-5);
      const before = k === 0 ? config.initial_equity : expected.equities[k - 1];
      expect(Math.abs(equity - before)).toBeLessThan(0.005);
    }
    expect(decisions.slice(0, expected.actions.length).map(({ action }) => action)).toEqual(expected.actions);
    const done = trades.map(({ action, quantity, price, marketMs }) => ({
      quantity: action === 'BUY' ? quantity : -quantity,
      price,
      // the bar: an execution within it bears its last second
      timeMs: marketMs - (marketMs % data.interval.ms),
    }));
    expect(together(done)).toEqual(together(inside));
    const { cash } = harness.exchange.truth();
    const [trader] = harness.trader.symbols;
    // the exchange charges the same borrow to its cash
    expect(trader.cash).toBeCloseTo(cash, 6);
  });
});

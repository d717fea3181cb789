/** Streams, states, episodes, windows and refusals. */
import { describe, expect, it } from 'vitest';
import { RandomStream } from '#env/seeding.js';
import type { MarketConfig } from './config.js';
import { MarketEnv } from './market-env.js';
import { FREE, testBars, wholeWindow, wildBars } from './test-bars.fixture.js';

const NOISY: MarketConfig = {
  ...FREE,
  direction: 'long_short',
  position_fraction: 0.9,
  costs: { model: 'ibkr_fixed', percent_bps: 0, spread_bps: 4, slippage_bps: 1, borrow_rate: 0.03 },
  exits: {
    initial_stop: 0.02,
    trailing_stop: 0.03,
    take_profit: [{ gain: 0.02, fraction: 0.5 }],
    fixed_stop: { gain: 0.01, level: 0.002 },
    ema_rule: { period: 5, action: 'tighten', tighten_to: 0.99 },
    ratchet: 'close',
  },
  noise: { fill_price_bps: 5, observation: 0.1, cost: 0.4, delay: 0.3, price_bps: 5, price_replicas: 3 },
  reward: { type: 'profitScaled', scale: 10, weights: { invalid_action: 0.01 } },
  episode: { length: 15, minimum_length: 5, random_start: true },
};
const windows = [wholeWindow(wildBars(1, 60, false, true), 10), wholeWindow(wildBars(2, 50, true, false), 10)];
const noisyEnv = (): MarketEnv => new MarketEnv({ windows, config: NOISY, numEnvs: 3, seed: 5 });

/** Everything that a step shows. */
function trace(env: MarketEnv, steps: number, stream: RandomStream): number[][] {
  return Array.from({ length: steps }, () => {
    env.step(Int32Array.from({ length: env.numEnvs }, () => stream.integer(3)));
    return [
      ...env.observations,
      ...env.rewards,
      ...env.terminations,
      ...env.truncations,
      ...env.finalObservations,
      ...(env.actionMasks ?? []),
      ...env.accounts.flatMap(({ equity, shares, bar }) => [equity, shares, bar]),
    ];
  });
}

describe('determinism, with all noise on', () => {
  it('repeats whole episodes for a seed, and differs for another', () => {
    const episodes = (seed: number): number[][] => {
      const env = noisyEnv();
      env.reset({ seed });
      return trace(env, 80, new RandomStream(1, 'actions'));
    };
    expect(episodes(7)).toEqual(episodes(7));
    expect(episodes(8)).not.toEqual(episodes(7));
  });

  it('continues from a state taken in mid-episode to the bit', () => {
    const env = noisyEnv();
    env.reset({ seed: 7 });
    trace(env, 37, new RandomStream(1, 'actions'));
    const state = structuredClone(env.getState());
    const expected = trace(env, 60, new RandomStream(2, 'actions'));
    const other = noisyEnv();
    other.setState(state);
    expect([...other.observations]).not.toEqual(expected[0].slice(0, other.observations.length));
    expect(trace(other, 60, new RandomStream(2, 'actions'))).toEqual(expected);
    // and the state itself was a copy
    const again = noisyEnv();
    again.setState(state);
    expect(trace(again, 60, new RandomStream(2, 'actions'))).toEqual(expected);
  });

  it('continues the streams on an unseeded reset', () => {
    const env = noisyEnv();
    env.reset({ seed: 7 });
    const first = [...env.observations];
    env.reset();
    expect([...env.observations]).not.toEqual(first);
    env.reset({ seed: 7 });
    expect([...env.observations]).toEqual(first);
  });

  it('leaves the other streams alone when one noise is switched off', () => {
    const starts = (noise: Partial<MarketConfig['noise']>): number[] => {
      const env = new MarketEnv({
        windows,
        config: { ...NOISY, noise: { ...NOISY.noise, ...noise } },
        numEnvs: 3,
        seed: 5,
      });
      env.reset({ seed: 7 });
      return env.accounts.map(({ bar }) => bar);
    };
    expect(starts({ observation: 0, cost: 0 })).toEqual(starts({}));
  });

  it('refuses a state of other windows', () => {
    const state = noisyEnv().getState();
    const other = new MarketEnv({ windows: windows.slice(0, 1), config: NOISY, numEnvs: 3, seed: 5 });
    expect(() => other.setState(state)).toThrow('ENV_STATE');
  });
});

describe('episodes', () => {
  it('start at random where enough bars are left, and last `length` bars', () => {
    const bars = wildBars(3, 60, true, false);
    const config: MarketConfig = { ...FREE, episode: { length: 10, minimum_length: 8, random_start: true } };
    const env = new MarketEnv({ windows: [wholeWindow(bars, 10, 40)], config, numEnvs: 16, seed: 1 });
    env.reset();
    const starts = new Set<number>();
    const lengths = new Set<number>();
    for (let k = 0; k < 400; k++) {
      env.accounts.forEach(({ bar }, i) => {
        if (k === 0 || env.truncations[i] === 1) starts.add(bar);
      });
      env.step(new Int32Array(16));
      env.truncations.forEach((ended, i) => ended && lengths.add(env.episodeLengths[i]));
    }
    // the last close is bar 39: 8 steps are left at 31
    expect([Math.min(...starts), Math.max(...starts), starts.size]).toEqual([10, 31, 22]);
    expect([...lengths].sort((a, b) => a - b)).toEqual([8, 9, 10]);
  });

  it('take the windows round-robin, even one account', () => {
    const config: MarketConfig = { ...FREE, episode: { length: 3, minimum_length: 1, random_start: false } };
    const env = new MarketEnv({ windows, config, numEnvs: 1, seed: 1 });
    env.reset();
    const seen: number[] = [];
    for (let k = 0; k < 12; k++) {
      if (k % 3 === 0) seen.push(env.accounts[0].window);
      env.step(Int32Array.of(0));
    }
    expect(seen).toEqual([0, 1, 0, 1]);
  });

  it('show the first observation of the next episode, and keep the last of the ended one (SameStep)', () => {
    const bars = wildBars(3, 30, true, false);
    const env = new MarketEnv({ windows: [wholeWindow(bars, 10)], config: FREE, numEnvs: 1, seed: 1 });
    env.reset();
    const first = [...env.observations];
    let last: number[] = [];
    for (let k = 0; k < 19; k++) {
      last = [...env.observations];
      env.step(Int32Array.of(1));
    }
    expect(env.truncations[0]).toBe(1);
    expect([...env.observations]).toEqual(first);
    expect([...env.finalObservations]).not.toEqual(last);
    expect([...env.finalObservations]).not.toEqual(first);
  });

  it('give each symbol its own sleeve, equal or weighted', () => {
    const symbols = ['A', 'B'].map((symbol) =>
      testBars({ symbol, prices: Array.from({ length: 5 }, () => [10, 10, 10, 10] as const) }),
    );
    const both = symbols.map((bars) => wholeWindow(bars));
    const equities = (sleeves: MarketConfig['sleeves']): number[] => {
      const env = new MarketEnv({ windows: both, config: { ...FREE, sleeves }, numEnvs: 2, seed: 1 });
      env.reset();
      return env.accounts.map(({ equity }) => equity);
    };
    expect(equities('equal')).toEqual([5000, 5000]);
    expect(equities({ A: 3, B: 1 })).toEqual([7500, 2500]);
    expect(() => equities({ A: 3 })).toThrow('sleeves.B');
  });

  it('evaluate every window once, from start to end, without noise, and then stay done', () => {
    const records: number[][] = [[], []];
    const recorder = {
      onFill() {},
      onBar: ({ account, barIndex }: { account: number; barIndex: number }) => records[account].push(barIndex),
    };
    const env = new MarketEnv({ windows, config: NOISY, numEnvs: 2, seed: 5, mode: 'evaluate', recorder });
    env.reset();
    for (let k = 0; k < 60; k++) env.step(Int32Array.of(1, 2));
    // windows are bars 10 .. 59 and 10 .. 49: decisions from the close of 10 on, the last bar included
    expect(records.map((bars) => [bars[0], bars.at(-1), bars.length])).toEqual([
      [11, 59, 49],
      [11, 49, 39],
    ]);
    expect([...env.done]).toEqual([1, 1]);
    expect([...env.truncations]).toEqual([0, 0]);
  });
});

describe('refusals', () => {
  const build =
    (change: Partial<MarketConfig>): (() => MarketEnv) =>
    () =>
      new MarketEnv({ windows, config: { ...FREE, ...change }, numEnvs: 1, seed: 1 });

  it.each<[string, Partial<MarketConfig>]>([
    [
      'exits.take_profit',
      {
        exits: {
          ...FREE.exits,
          take_profit: [
            { gain: 0.1, fraction: 0.7 },
            { gain: 0.2, fraction: 0.7 },
          ],
        },
      },
    ],
    ['exits.initial_stop', { exits: { ...FREE.exits, initial_stop: 1.5 } }],
    ['exits.fixed_stop', { exits: { ...FREE.exits, fixed_stop: { gain: 0.01, level: 0.02 } } }],
    ['position_fraction', { position_fraction: 2 }],
    ['rules.trading_windows', { rules: { ...FREE.rules, trading_windows: [['9:30', '16:00']] } }],
    ['rules.max_cycles_per_day', { rules: { ...FREE.rules, max_cycles_per_day: 0 } }],
    ['noise.delay', { noise: { ...FREE.noise, delay: 2 } }],
    ['reward.weights', { reward: { type: 'logReturn', scale: 1, weights: { profit: 1 } } }],
    ['minimum_length', { episode: { ...FREE.episode, minimum_length: 500 } }],
  ])('names %s', (where, change) => {
    expect(build(change)).toThrow(where);
  });
});

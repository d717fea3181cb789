import { describe, expect, it } from 'vitest';
import { checkVectorEnv } from '#env/check-env.js';
import { FLAT, type KnownMarket, LONG, SHORT } from './known-market.js';
import { KnownMarketEnv } from './known-market-env.js';
import { leakedFutureMarket } from './leaked-future.js';
import { ouFeaturesMarket } from './ou-features.js';
import { OU_PARAMETERS, ouMarket, stationaryDeviation } from './ou-market.js';
import { randomWalkMarket } from './random-walk.js';
import { DEFAULT_WARMUP, MARKET_FEATURE_COUNT } from '#env/market/observation/index.js';

const MARKETS: readonly KnownMarket[] = [ouMarket(), leakedFutureMarket(), randomWalkMarket(), ouFeaturesMarket()];

describe.each(MARKETS.map((market) => [market.id, market] as const))('%s', (_, market) => {
  it('passes the checks of a vector environment', () => {
    const steps = market.id === 'ou-features' ? 260 : 600;
    expect(checkVectorEnv((n) => new KnownMarketEnv(market, n), { steps })).toEqual([]);
  });

  it('moves the same way whatever is done', () => {
    const still = new KnownMarketEnv(market, 2, { steps: 50 });
    const busy = new KnownMarketEnv(market, 2, { steps: 50 });
    still.reset({ seed: 7 });
    busy.reset({ seed: 7 });
    const size = market.signalSize;
    const width = still.singleObservationSpace.shape[0];
    const signalsOf = (env: KnownMarketEnv) => env.observations.filter((_, k) => k % width < size);
    for (let t = 0; t < 120; t++) {
      still.step(Int32Array.of(FLAT, FLAT));
      busy.step(Int32Array.of(t % 3, (t + 1) % 3));
      expect(signalsOf(busy)).toEqual(signalsOf(still));
      expect(still.rewards).toEqual(new Float64Array(2));
    }
  });

  it('shows dynamic programming the state, and the position held', () => {
    const env = new KnownMarketEnv(market, 1, { steps: 5 });
    env.reset({ seed: 3 });
    [LONG, SHORT, FLAT].forEach((action, t) => {
      env.step(Int32Array.of(action));
      expect(env.positionOf(0)).toBe(action - 1);
      expect(env.stateOf(0)).toBe(env.pathOf(0).states[t + 1]);
    });
  });

  it('draws other paths for evaluation than for training', () => {
    const pathOf = (purpose: 'training' | 'evaluation') => {
      const env = new KnownMarketEnv(market, 1, { purpose });
      env.reset({ seed: 1 });
      return env.pathOf(0).changes.slice();
    };
    expect(pathOf('evaluation')).not.toEqual(pathOf('training'));
  });
});

it('pays the position times the change, less the cost of every unit changed', () => {
  const market = ouMarket();
  const env = new KnownMarketEnv(market, 1, { steps: 6, rewardScale: 100 });
  env.reset({ seed: 3 });
  const changes = env.pathOf(0).changes.slice();
  const steps = [
    { action: LONG, position: 1, units: 1 },
    { action: LONG, position: 1, units: 0 },
    { action: SHORT, position: -1, units: 2 },
    { action: FLAT, position: 0, units: 1 },
    { action: FLAT, position: 0, units: 0 },
    { action: SHORT, position: -1, units: 1 },
  ];
  let total = 0;
  steps.forEach(({ action, position, units }, t) => {
    env.step(Int32Array.of(action));
    const reward = 100 * (position * changes[t] - 0.002 * units);
    total += reward;
    expect(env.rewards[0]).toBeCloseTo(reward, 12);
    expect(env.unitsTraded[0]).toBe(units);
    const shown = t === 5 ? env.finalObservations : env.observations;
    expect(shown[1]).toBe(position);
  });
  expect(Array.from(env.truncations)).toEqual([1]);
  expect(Array.from(env.terminations)).toEqual([0]);
  expect(env.episodeReturns[0]).toBeCloseTo(total, 12);
  expect(env.observations[1]).toBe(0); // the next episode starts flat
});

it('leaks the very return that the decision earns', () => {
  const env = new KnownMarketEnv(leakedFutureMarket(), 1);
  env.reset({ seed: 2 });
  for (let t = 0; t < 20; t++) {
    const leak = env.observations[0];
    env.step(Int32Array.of(LONG));
    const earned = env.rewards[0] + (t === 0 ? 0.002 : 0);
    expect(earned).toBeCloseTo(0.01 * leak, 8);
  }
});

it('shows the random walk its last four returns, the latest first', () => {
  const env = new KnownMarketEnv(randomWalkMarket(), 1);
  env.reset({ seed: 2 });
  const { changes } = env.pathOf(0);
  for (let t = 0; t < 10; t++) env.step(Int32Array.of(FLAT));
  [9, 8, 7, 6].forEach((t, k) => expect(env.observations[k]).toBeCloseTo(changes[t] / 0.01, 6));
});

it('moves the Ornstein-Uhlenbeck price as its parameters say', () => {
  const env = new KnownMarketEnv(ouMarket(), 200, { steps: 1000 });
  env.reset({ seed: 5 });
  let squares = 0;
  let products = 0;
  let count = 0;
  for (let i = 0; i < 200; i++) {
    const { signals } = env.pathOf(i);
    for (let t = 0; t < 1000; t++) {
      squares += signals[t] * signals[t];
      products += signals[t] * signals[t + 1];
      count++;
    }
  }
  // 200 paths of about 1000 / 39 independent stretches: an error of 0.02 in the variance is three of its deviations
  expect(Math.abs(squares / count - 1)).toBeLessThan(0.06);
  expect(Math.abs(products / squares - 0.95)).toBeLessThan(0.003);
  expect(stationaryDeviation(OU_PARAMETERS)).toBeCloseTo(0.01 / Math.sqrt(1 - 0.95 * 0.95), 15);
});

describe('features of the Ornstein-Uhlenbeck market', () => {
  it('are of the prices that are earned', () => {
    const steps = 40;
    const env = new KnownMarketEnv(ouFeaturesMarket(), 1, { steps });
    env.reset({ seed: 4 });
    const { changes, signals, states } = env.pathOf(0);
    const deviation = stationaryDeviation(OU_PARAMETERS);
    for (let t = 0; t < steps; t++) {
      expect(deviation * (states[t + 1] - states[t])).toBeCloseTo(changes[t], 14);
      // feature 0 is the last log return: at t + 1, the one that the decision of t earned
      expect(signals[(t + 1) * MARKET_FEATURE_COUNT]).toBeCloseTo(changes[t], 7);
    }
    // 20 closes make SMA(20): the indicators are warm at the first decision
    expect(DEFAULT_WARMUP).toBeGreaterThan(50);
    expect(signals.subarray(0, 11).every((feature) => feature !== 0)).toBe(true);
  });

  it('show the unrealised return of the position since it was entered', () => {
    const env = new KnownMarketEnv(ouFeaturesMarket(), 1);
    env.reset({ seed: 1 });
    const { changes } = env.pathOf(0);
    const gain = (from: number, to: number) => {
      let sum = 0;
      for (let t = from; t < to; t++) sum += changes[t];
      return Math.exp(sum) - 1;
    };
    const shown = () => Array.from(env.observations.subarray(12, 14));
    const after = (actions: number[]) => {
      for (const action of actions) env.step(Int32Array.of(action));
      return shown();
    };
    expect(shown()).toEqual([0, 0]);
    const long = after([LONG, LONG, LONG]);
    expect(long[0]).toBe(1);
    expect(long[1]).toBeCloseTo(gain(0, 3), 7);
    const short = after([SHORT, SHORT]);
    expect(short[0]).toBe(-1);
    expect(short[1]).toBeCloseTo(-gain(3, 5), 7);
    expect(after([FLAT])).toEqual([0, 0]);
  });
});

it('refuses what cannot be meant', () => {
  expect(() => ouMarket({ ...OU_PARAMETERS, meanReversion: 0 })).toThrow(/ENV_CONFIG ou meanReversion 0/);
  expect(() => ouMarket({ ...OU_PARAMETERS, costPerUnit: NaN })).toThrow(/ENV_CONFIG ou costPerUnit/);
  expect(() => leakedFutureMarket({ shock: -1, costPerUnit: 0 })).toThrow(/ENV_CONFIG leaked-future shock -1/);
  expect(() => new KnownMarketEnv(ouMarket(), 1, { steps: 0 })).toThrow(/ENV_CONFIG ou steps 0/);
  const other = new KnownMarketEnv(leakedFutureMarket(), 1);
  other.reset({ seed: 0 });
  expect(() => new KnownMarketEnv(ouMarket(), 1).setState(other.getState())).toThrow(/ENV_STATE ou "leaked-future"/);
});

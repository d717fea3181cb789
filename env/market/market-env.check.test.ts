/** MarketEnv under the environment checkers, all noise on. */
import { expect, it } from 'vitest';
import { checkEnv, checkVectorEnv } from '#env/check-env.js';
import { SingleEnv } from '#env/single-env.js';
import { DEFAULT_MARKET_CONFIG } from './config.js';
import type { MarketConfig } from './config.js';
import { MarketEnv } from './market-env.js';
import { wholeWindow, wildBars } from './test-bars.fixture.js';

const window = wholeWindow(wildBars(4, 120, true, true), 30);
const config: MarketConfig = {
  ...DEFAULT_MARKET_CONFIG,
  direction: 'long_short',
  exits: { ...DEFAULT_MARKET_CONFIG.exits, initial_stop: 0.03, trailing_stop: 0.05 },
  noise: { fill_price_bps: 3, observation: 0.05, cost: 0.3, delay: 0.2, price_bps: 3, price_replicas: 2 },
  episode: { length: 40, minimum_length: 10, random_start: true },
};
const make = (actions: MarketConfig['actions'], numEnvs: number): MarketEnv =>
  new MarketEnv({ windows: [window], config: { ...config, actions }, numEnvs, seed: 1 });

it.each(['discrete', 'target'] as const)('keeps the contract of one environment: %s', (actions) => {
  const errors = checkEnv(() => new SingleEnv(make(actions, 1)), { maxSteps: 100 }).filter(
    ({ level }) => level === 'error',
  );
  expect(errors).toEqual([]);
});

it.each(['discrete', 'target'] as const)('keeps the contract of a vector: %s', (actions) => {
  const errors = checkVectorEnv((n) => make(actions, n), { steps: 150 }).filter(({ level }) => level === 'error');
  expect(errors).toEqual([]);
});

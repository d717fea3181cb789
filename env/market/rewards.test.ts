import { expect, it } from 'vitest';
import { Account } from './account.js';
import { DEFAULT_MARKET_CONFIG } from './config.js';
import { ExitPlan } from './exits.js';
import { Reward } from './rewards.js';

/** An account that stands at 10,100 of 10,000, paid 5 on the way and holds 10 shares bought at 100. */
const account = new Account(0, new ExitPlan(DEFAULT_MARKET_CONFIG.exits));
account.begin(10_000);
account.shares = 10;
account.averagePrice = 100;
account.costs = 5;
account.equity = 10_100;

it('is the change of equity as a share of the initial equity', () => {
  expect(new Reward({ type: 'equityChange', scale: 100, weights: {} }).of(account, 10_000, 98, true)).toBeCloseTo(
    1,
    12,
  );
});

it('is the log return, finite even where everything is gone', () => {
  const reward = new Reward({ type: 'logReturn', scale: 1, weights: {} });
  expect(reward.of(account, 10_000, 98, false)).toBeCloseTo(0.00995033085316808, 14);
  const gone = new Account(0, new ExitPlan(DEFAULT_MARKET_CONFIG.exits));
  gone.begin(10_000);
  gone.equity = -50;
  // ln(1e-6)
  expect(reward.of(gone, 10_000, 98, false)).toBeCloseTo(-13.815510557964274, 12);
});

it('sums its weighted terms', () => {
  // 2 x 0.01 - 0.5 x 5 / 10,000 - 0.25 x 1 - 0.1 x 2 / 100 = 0.02 - 0.00025 - 0.25 - 0.002
  const weights = { profit_scale: 2, cost: 0.5, invalid_action: 0.25, holding_loss: 0.1 };
  const reward = new Reward({ type: 'profitScaled', scale: 1, weights });
  expect(reward.of(account, 10_000, 98, true)).toBeCloseTo(-0.23225, 12);
  // a position in profit has no holding loss
  expect(reward.of(account, 10_000, 105, false)).toBeCloseTo(0.01975, 12);
});

it('names the weights that it has where it is given another', () => {
  expect(() => new Reward({ type: 'logReturn', scale: 1, weights: { profit_scale: 1 } })).toThrow(
    'log_return, cost, invalid_action, holding_loss',
  );
});

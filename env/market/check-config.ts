/** What a market configuration must mean, beyond its shape. */
import { fail } from '#src/errors.js';
import type { MarketConfig } from './config.js';
import { checkRewardWeights } from './rewards.js';
import { minutesOfDay } from './rules.js';

/** Throws ENV_CONFIG with key, value and remedy at the first rule that the configuration breaks. */
export function checkMarketConfig(config: MarketConfig): void {
  const need = (holds: boolean, where: string, value: unknown, message: string): void => {
    if (!holds) fail('ENV_CONFIG', { where, value, message });
  };
  const atLeastZero = (value: number, where: string): void =>
    need(value >= 0 && Number.isFinite(value), where, value, 'must be a finite number, 0 or more');
  const { order, rules, costs, exits, noise, reward, episode } = config;

  need(
    config.initial_equity > 0 && Number.isFinite(config.initial_equity),
    'initial_equity',
    config.initial_equity,
    'must be above 0',
  );
  need(
    config.minimum_equity >= 0 && config.minimum_equity < 1,
    'minimum_equity',
    config.minimum_equity,
    'is a share of the initial equity: 0 or more, under 1',
  );
  need(
    config.position_fraction > 0 && config.position_fraction <= 1,
    'position_fraction',
    config.position_fraction,
    'is a share of the equity: above 0, at most 1',
  );
  atLeastZero(order.buffer_bps, 'order.buffer_bps');

  for (const [from, to] of rules.trading_windows ?? []) {
    const fits = minutesOfDay(from) >= 0 && minutesOfDay(to) >= 0 && minutesOfDay(from) !== minutesOfDay(to);
    need(
      fits,
      'rules.trading_windows',
      [from, to],
      'write two different local times as "HH:MM", from (inclusive) and to (exclusive)',
    );
  }
  need(
    rules.trading_windows === null || rules.trading_windows.length > 0,
    'rules.trading_windows',
    [],
    'no window allows no entry; null allows them always',
  );
  const cycles = rules.max_cycles_per_day;
  need(
    cycles === null || (Number.isInteger(cycles) && cycles >= 1),
    'rules.max_cycles_per_day',
    cycles,
    'must be an integer from 1, or null for no limit',
  );
  if (rules.flat_before_close_minutes !== null)
    atLeastZero(rules.flat_before_close_minutes, 'rules.flat_before_close_minutes');

  for (const key of ['percent_bps', 'spread_bps', 'slippage_bps', 'borrow_rate'] as const)
    atLeastZero(costs[key], `costs.${key}`);
  need(
    costs.spread_bps / 2 + costs.slippage_bps < 10_000,
    'costs.spread_bps',
    costs.spread_bps,
    'half the spread and the slippage together reach the whole price; they are basis points',
  );

  for (const key of ['initial_stop', 'trailing_stop'] as const) {
    const distance = exits[key];
    need(
      distance === null || (distance > 0 && distance < 1),
      `exits.${key}`,
      distance,
      'is a share of the price: above 0, under 1, or null',
    );
  }
  const gains = new Set<number>();
  let fractions = 0;
  for (const stage of exits.take_profit) {
    need(
      stage.gain > 0 && Number.isFinite(stage.gain) && !gains.has(stage.gain),
      'exits.take_profit',
      stage,
      'every stage needs a gain of its own, above 0',
    );
    need(stage.fraction > 0 && stage.fraction <= 1, 'exits.take_profit', stage, 'a fraction is above 0 and at most 1');
    gains.add(stage.gain);
    fractions += stage.fraction;
  }
  need(
    fractions <= 1 + 1e-9,
    'exits.take_profit',
    fractions,
    'the fractions sum to more than 1: together they close at most the whole position',
  );
  const fixed = exits.fixed_stop;
  need(
    fixed === null || (fixed.gain > 0 && fixed.level < fixed.gain && fixed.level > -1),
    'exits.fixed_stop',
    fixed,
    'needs a gain above 0 and a level under the gain',
  );
  const ema = exits.ema_rule;
  need(
    ema === null || (Number.isInteger(ema.period) && ema.period >= 2),
    'exits.ema_rule.period',
    ema?.period,
    'must be an integer from 2',
  );
  need(
    ema === null || ema.action === 'exit' || (ema.tighten_to > 0 && ema.tighten_to < 1),
    'exits.ema_rule.tighten_to',
    ema?.tighten_to,
    'is a share of the close: above 0, under 1',
  );

  for (const key of ['fill_price_bps', 'observation', 'cost', 'price_bps'] as const)
    atLeastZero(noise[key], `noise.${key}`);
  need(noise.delay >= 0 && noise.delay <= 1, 'noise.delay', noise.delay, 'is a probability: 0 to 1');
  need(
    Number.isInteger(noise.price_replicas) && noise.price_replicas >= 1,
    'noise.price_replicas',
    noise.price_replicas,
    'must be an integer from 1',
  );

  need(Number.isFinite(reward.scale), 'reward.scale', reward.scale, 'must be a finite number');
  checkRewardWeights(reward);
  need(
    episode.length === null || (Number.isInteger(episode.length) && episode.length >= 1),
    'episode.length',
    episode.length,
    'must be an integer from 1, or null for the whole window',
  );
  need(
    Number.isInteger(episode.minimum_length) && episode.minimum_length >= 1,
    'episode.minimum_length',
    episode.minimum_length,
    'must be an integer from 1',
  );
}

/**
 * Equity of each symbol's sleeve: equal shares of `initial_equity`, or weighted by symbol. Throws ENV_CONFIG
 * where a symbol has no weight above 0.
 */
export function sleeveEquities(config: MarketConfig, symbols: readonly string[]): Map<string, number> {
  const distinct = [...new Set(symbols)];
  const { sleeves } = config;
  const weights = distinct.map((symbol) => {
    const weight = sleeves === 'equal' ? 1 : sleeves[symbol];
    if (!(weight > 0 && Number.isFinite(weight))) {
      fail('ENV_CONFIG', {
        where: `sleeves.${symbol}`,
        value: weight,
        message: 'every traded symbol needs a weight above 0; or write sleeves: equal',
      });
    }
    return weight;
  });
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return new Map(distinct.map((symbol, k) => [symbol, (config.initial_equity * weights[k]) / total]));
}

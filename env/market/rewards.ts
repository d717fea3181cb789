/**
 * The reward of a step: scale x the sum of weight x term. Every type has one main term, and each may add the
 * original bot's penalties by giving them a weight. Terms (all without a unit):
 *
 * - main term, `equity_change`, `log_return` or `profit_scale` after the type: the change of equity as a share of
 *   the sleeve's initial equity (`equityChange`, `profitScaled`), or ln(equity after / equity before) (`logReturn`).
 *   Costs are already in it.
 * - `cost`: minus the step's costs (commission, fees, spread, slippage, borrow) as a share of the initial equity:
 *   charged once more, so that needless turnover hurts more than its price.
 * - `invalid_action`: minus 1 where the chosen action could do nothing (buying while long, entering out of hours).
 * - `holding_loss`: minus the open position's loss at the close as a share of its entry price; 0 for a gain.
 */
import { fail } from '#src/errors.js';
import { log } from '../math/index.js';
import type { Account } from './account.js';
import type { RewardConfig } from './config.js';

/** Name and default weight of every term, by reward type. The first is the main term. */
export const REWARD_WEIGHTS = {
  equityChange: { equity_change: 1, cost: 0, invalid_action: 0, holding_loss: 0 },
  logReturn: { log_return: 1, cost: 0, invalid_action: 0, holding_loss: 0 },
  profitScaled: { profit_scale: 1, cost: 0.5, invalid_action: 0.0001, holding_loss: 0.001 },
} as const satisfies Record<RewardConfig['type'], Readonly<Record<string, number>>>;

/** Equity that is gone counts as this share of itself, so that a logarithm stays finite. */
const LOWEST_RATIO = 1e-6;

/** Throws ENV_CONFIG on a weight that this reward does not have, or that is no finite number. */
export function checkRewardWeights({ type, weights }: RewardConfig): void {
  const names = Object.keys(REWARD_WEIGHTS[type]);
  for (const [name, weight] of Object.entries(weights)) {
    if (!names.includes(name)) {
      fail('ENV_CONFIG', {
        where: 'reward.weights',
        value: name,
        message: `a ${type} reward has the weights ${names.join(', ')}`,
      });
    }
    if (!Number.isFinite(weight)) {
      fail('ENV_CONFIG', {
        where: `reward.weights.${name}`,
        value: weight,
        message: 'a weight must be a finite number',
      });
    }
  }
}

export class Reward {
  readonly #logarithmic: boolean;
  readonly #main: number;
  readonly #cost: number;
  readonly #invalidAction: number;
  readonly #holdingLoss: number;

  /** Throws ENV_CONFIG on a weight that this reward does not have. */
  constructor(config: RewardConfig) {
    checkRewardWeights(config);
    const defaults: Readonly<Record<string, number>> = REWARD_WEIGHTS[config.type];
    const names = Object.keys(defaults);
    const weightOf = (name: string): number => config.scale * (config.weights[name] ?? defaults[name]);
    this.#logarithmic = config.type === 'logReturn';
    this.#main = weightOf(names[0]);
    this.#cost = weightOf('cost');
    this.#invalidAction = weightOf('invalid_action');
    this.#holdingLoss = weightOf('holding_loss');
  }

  /** Of the step that brought `account` from `equityBefore` to where it stands at `close`. */
  of(account: Account, equityBefore: number, close: number, invalidAction: boolean): number {
    const { equity, initialEquity } = account;
    let reward = 0;
    if (equity !== equityBefore) {
      const change = this.#logarithmic
        ? log(Math.max(equity / equityBefore, LOWEST_RATIO))
        : (equity - equityBefore) / initialEquity;
      reward = this.#main * change;
    }
    if (this.#cost !== 0) reward -= (this.#cost * account.costs) / initialEquity;
    if (invalidAction) reward -= this.#invalidAction;
    if (this.#holdingLoss !== 0) reward += this.#holdingLoss * Math.min(account.unrealizedReturn(close), 0);
    return reward;
  }
}

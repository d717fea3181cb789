/**
 * The market world's configuration: one type, the same keys in YAML, in the checkpoint, in the bundle and
 * live. Fractions are fractions (0.01 is one percent); `_bps` are basis points (1e-4).
 */

export interface MarketConfig {
  /** Account currency, over all sleeves together. */
  initial_equity: number;
  /** An account whose equity falls to this share of its initial sleeve, or under it, is terminated. */
  minimum_equity: number;
  /** Each symbol trades its own sleeve of equity: equal, or weighted by symbol. */
  sleeves: 'equal' | Readonly<Record<string, number>>;
  /** Share of the sleeve's equity that one position may use. */
  position_fraction: number;
  direction: 'long_only' | 'long_short';
  /** discrete: 0 hold, 1 buy, 2 sell. target: Box(1) in [-1, 1], the signed share of the budget. */
  actions: 'discrete' | 'target';
  /** Mask discrete actions that would do nothing. */
  mask_actions: boolean;
  order: OrderConfig;
  rules: RulesConfig;
  costs: CostsConfig;
  exits: ExitsConfig;
  noise: NoiseConfig;
  reward: RewardConfig;
  episode: EpisodeConfig;
}

export interface OrderConfig {
  /** market: next bar's open. limit: decision's close plus or minus the buffer against us, good for one bar. */
  type: 'market' | 'limit';
  buffer_bps: number;
}

export interface RulesConfig {
  /** Entries are allowed only inside these local times of the calendar, e.g. [["09:35", "15:45"]]; null: always. */
  trading_windows: readonly (readonly [string, string])[] | null;
  /** A cycle is an entry and its exit; null: no limit. */
  max_cycles_per_day: number | null;
  /** Be flat this many minutes before the session's close; null: positions may be held overnight. */
  flat_before_close_minutes: number | null;
}

export interface CostsConfig {
  /** percent: `percent_bps` of the traded value. ibkr_fixed: per share with minimum and maximum, dated regulatory fees. */
  model: 'none' | 'percent' | 'ibkr_fixed';
  percent_bps: number;
  /** Whole bid-ask spread: half of it is paid at each side. */
  spread_bps: number;
  slippage_bps: number;
  /** Annual borrow rate on shorts. */
  borrow_rate: number;
}

export interface ExitsConfig {
  /** Initial stop below (above, for shorts) the entry price, as a fraction of it; null: none. */
  initial_stop: number | null;
  /** Trailing stop: distance from the best price since entry, as a fraction of it; null: none. */
  trailing_stop: number | null;
  /** Staged take-profit: at `gain` over the entry price, close `fraction` of the initial quantity. */
  take_profit: readonly { gain: number; fraction: number }[];
  /** Past `gain`, the stop level is fixed at entry price x (1 + level) and trails no more below it; null: none. */
  fixed_stop: { gain: number; level: number } | null;
  /** A close below (above, for shorts) EMA(period) after entry: exit at the next open, or tighten the stop to `tighten_to` of the close. */
  ema_rule: { period: number; action: 'exit' | 'tighten'; tighten_to: number } | null;
  /** When the levels move: at the close of bars everywhere; `tick` is a live-only choice. */
  ratchet: 'close' | 'tick';
}

export interface NoiseConfig {
  /** Standard deviations; 0 switches a noise off. Each draws from its own stream. */
  fill_price_bps: number;
  observation: number;
  /** Log-normal multiplier of costs. */
  cost: number;
  /** Probability that an order is acted on one bar late. */
  delay: number;
  /** Noise on the observed market: per-bar standard deviation, over `price_replicas` pre-noised copies of the bars. */
  price_bps: number;
  price_replicas: number;
}

export interface RewardConfig {
  /** Named weights; the reward is their weighted sum times `scale`. */
  type: 'equityChange' | 'logReturn' | 'profitScaled';
  scale: number;
  weights: Readonly<Record<string, number>>;
}

export interface EpisodeConfig {
  /** Bars; null: to the window's end. */
  length: number | null;
  /** An episode starts only where at least this many bars are left. */
  minimum_length: number;
  random_start: boolean;
}

export const DEFAULT_MARKET_CONFIG: MarketConfig = {
  initial_equity: 100_000,
  minimum_equity: 0.2,
  sleeves: 'equal',
  position_fraction: 0.95,
  direction: 'long_only',
  actions: 'discrete',
  mask_actions: true,
  order: { type: 'market', buffer_bps: 10 },
  rules: { trading_windows: null, max_cycles_per_day: null, flat_before_close_minutes: null },
  costs: { model: 'ibkr_fixed', percent_bps: 0, spread_bps: 2, slippage_bps: 1, borrow_rate: 0.03 },
  exits: {
    initial_stop: null,
    trailing_stop: null,
    take_profit: [],
    fixed_stop: null,
    ema_rule: null,
    ratchet: 'close',
  },
  noise: { fill_price_bps: 0, observation: 0, cost: 0, delay: 0, price_bps: 0, price_replicas: 4 },
  reward: { type: 'logReturn', scale: 100, weights: {} },
  episode: { length: null, minimum_length: 20, random_start: true },
};

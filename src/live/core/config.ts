/** What a trader is told once, at the start of its journal: the bundle's world, the account's limits, the policies of care. */
import type { Interval } from '#env/market/bars.js';
import type { MarketConfig } from '#env/market/config.js';
import type { Instrument } from '#env/market/instrument.js';
import type { FeatureSetName } from '#env/market/observation/specification.js';

export interface SymbolConfig {
  readonly symbol: string;
  /** Ticks and lots as the broker's contract says, checked against the bundle's. */
  readonly instrument: Instrument;
  /** The symbol's own budget at the start, in the account's currency. */
  readonly sleeveEquity: number;
}

export interface RiskLimits {
  /** Per order; null: no limit. */
  readonly max_order_quantity: number | null;
  /** Per order, in currency. */
  readonly max_order_notional: number | null;
  /** Per symbol, in currency, at the price of the decision. */
  readonly max_position_notional: number | null;
  /** Orders and modifications sent in any 60 s of wall time. Orders that protect or reduce are never held back. */
  readonly max_orders_per_minute: number;
  /** Loss since the day's first equity, as a fraction of it: beyond it the trader only reduces. */
  readonly max_daily_loss: number | null;
  /** Loss since the highest equity, as a fraction of it: beyond it the trader flattens and halts. */
  readonly max_drawdown: number | null;
}

export interface CarePolicy {
  /** Whether protective orders may trigger outside regular hours. */
  readonly protect_outside_rth: boolean;
  /** A position must be protected within this time (wall), or be on its way out. */
  readonly protect_within_seconds: number;
  /** Market data older than this, while the session is open and the broker connected, is asked for anew. */
  readonly stale_after_seconds: number;
  /** Still stale so long after the new subscription: the position is closed. */
  readonly close_when_stale_seconds: number;
  /** A decision that would come later than this after its bar's close is not made. */
  readonly decide_within_seconds: number;
  /** After a restart, an order that no answer mentions is believed lost no earlier than this. */
  readonly quarantine_seconds: number;
  /** Orders or positions that are not ours: refuse to trade, or leave them alone. */
  readonly foreign: 'refuse' | 'ignore';
  /** Entries decided while the market is closed: as decided (they meet the next open), as limits with the buffer, or none. */
  readonly before_open: 'as_decided' | 'limit' | 'none';
  /** What a shutdown does with an open position. */
  readonly on_shutdown: 'leave' | 'close';
  /** Trades further than this from the last quote (a fraction of it) are not believed. */
  readonly price_band: number;
}

export interface TraderConfig {
  readonly account: string;
  /** Begins every orderRef of this deployment: letters and digits. */
  readonly tag: string;
  readonly symbols: readonly SymbolConfig[];
  readonly interval: Interval;
  readonly calendar: string;
  readonly featureSet: FeatureSetName;
  /** Bars since the anchor before the first decision. */
  readonly warmup: number;
  /** Open of the bar that the observation begins at; null: a session early enough for the warm-up. */
  readonly anchorMs: number | null;
  /** The world that the policy was trained in; noise, reward and episode play no part here. */
  readonly market: MarketConfig;
  readonly risk: RiskLimits;
  readonly care: CarePolicy;
}

export const DEFAULT_RISK: RiskLimits = {
  max_order_quantity: null,
  max_order_notional: null,
  max_position_notional: null,
  max_orders_per_minute: 60,
  max_daily_loss: 0.05,
  max_drawdown: 0.2,
};

export const DEFAULT_CARE: CarePolicy = {
  protect_outside_rth: false,
  protect_within_seconds: 10,
  stale_after_seconds: 30,
  close_when_stale_seconds: 60,
  decide_within_seconds: 30,
  quarantine_seconds: 10,
  foreign: 'refuse',
  before_open: 'as_decided',
  on_shutdown: 'leave',
  price_band: 0.2,
};

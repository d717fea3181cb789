/** What a bundle trades and how, in words: a label and a sentence for each part of the market's configuration. */
import type { MarketConfig } from '#env/market/config.js';
import type { Instrument } from '#env/market/instrument.js';
import { decimal, percent } from '#src/report/format.js';
import type { ManifestDraft } from './manifest.js';

export type Words = readonly (readonly [label: string, text: string])[];

export function marketWords({ market, instruments, interval, calendar, observation }: ManifestDraft): Words {
  return [
    ['Symbols', instruments.map((instrument) => `${instrument.symbol} (${contract(instrument)})`).join(', ')],
    ['Bars', `${interval.label}, calendar ${calendar}`],
    ['Sees', `observation ${observation.feature_set}, after ${observation.warmup} bars of warm-up`],
    ['Decides', `at each bar's close: ${actionWords(market)}`],
    ['Direction', market.direction === 'long_only' ? 'long only' : 'long and short'],
    ['Sleeves', sleeveWords(market, instruments)],
    ['Sizing', `${percent(market.position_fraction, 0)} of the sleeve's equity a position, in whole lots`],
    ['Orders', orderWords(market)],
    ['Rules', listed(ruleWords(market), 'no limits on when, or how often, it trades')],
    ['Exits', listed(exitWords(market), 'none besides its own decisions: no stop protects a position')],
    ['Costs', costWords(market)],
  ];
}

/** The share of equity that each symbol trades with. */
function sleeveShares(market: MarketConfig, instruments: readonly Instrument[]): Map<string, number> {
  const { sleeves } = market;
  const weights = instruments.map(({ symbol }) => (sleeves === 'equal' ? 1 : (sleeves[symbol] ?? 0)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return new Map(instruments.map(({ symbol }, index) => [symbol, weights[index] / total]));
}

const contract = ({ securityType, currency, exchange }: Instrument): string =>
  `${securityType} in ${currency} at ${exchange}`;

const listed = (parts: readonly string[], none: string): string => (parts.length === 0 ? none : parts.join('; '));

function actionWords({ actions, mask_actions }: MarketConfig): string {
  if (actions === 'target') return 'a target position from -1 to 1, the signed share of the budget';
  return `hold, buy or sell${mask_actions ? ', moves that would do nothing masked' : ''}`;
}

function sleeveWords(market: MarketConfig, instruments: readonly Instrument[]): string {
  if (instruments.length === 1) return 'one, with all of the equity';
  const shares = sleeveShares(market, instruments);
  return `each symbol its own: ${[...shares].map(([symbol, share]) => `${symbol} ${percent(share)}`).join(', ')}`;
}

function orderWords({ order }: MarketConfig): string {
  return order.type === 'market'
    ? "at the market, at the next bar's open"
    : `limit at the close plus or minus ${decimal(order.buffer_bps, 1)} bps, good for one bar`;
}

function ruleWords({ rules }: MarketConfig): string[] {
  const { trading_windows: windows, max_cycles_per_day: cycles, flat_before_close_minutes: flat } = rules;
  return [
    ...(windows === null ? [] : [`entries from ${windows.map(([from, to]) => `${from} to ${to}`).join(', ')}`]),
    ...(cycles === null ? [] : [`at most ${cycles} cycle${cycles === 1 ? '' : 's'} of entry and exit a day`]),
    ...(flat === null ? [] : [`flat ${flat} minutes before the close`]),
  ];
}

function exitWords({ exits }: MarketConfig): string[] {
  const { initial_stop, trailing_stop, take_profit, fixed_stop, ema_rule } = exits;
  const share = (value: number): string => percent(value, 2).replace(/\.?0+%$/, '%');
  return [
    ...(initial_stop === null ? [] : [`stop ${share(initial_stop)} from the entry`]),
    ...(trailing_stop === null ? [] : [`trailing stop ${share(trailing_stop)} from the best price`]),
    ...take_profit.map(({ gain, fraction }) => `at +${share(gain)} close ${share(fraction)}`),
    ...(fixed_stop === null
      ? []
      : [`past +${share(fixed_stop.gain)} the stop is fixed at ${share(fixed_stop.level)} over the entry`]),
    ...(ema_rule === null
      ? []
      : [
          `a close beyond EMA(${ema_rule.period}) ${ema_rule.action === 'exit' ? 'exits' : `tightens the stop to ${share(ema_rule.tighten_to)} of the close`}`,
        ]),
    ...(exits.ratchet === 'tick' ? ['levels move with every tick when live, which was not trained for'] : []),
  ];
}

function costWords({ costs, direction }: MarketConfig): string {
  const commission =
    costs.model === 'ibkr_fixed'
      ? "Interactive Brokers' fixed commission and regulatory fees"
      : costs.model === 'percent'
        ? `commission of ${decimal(costs.percent_bps, 2)} bps`
        : 'no commission';
  const borrow = direction === 'long_short' ? `, borrow rate ${percent(costs.borrow_rate)} a year` : '';
  return `${commission}, spread ${decimal(costs.spread_bps, 1)} bps, slippage ${decimal(costs.slippage_bps, 1)} bps a fill${borrow}`;
}

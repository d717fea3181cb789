/** What chance trades, in chaos and in the property tests: a wild market, exits of every kind, a policy that throws dice. */
import type { Bars } from '#env/market/bars.js';
import { DEFAULT_MARKET_CONFIG, type ExitsConfig } from '#env/market/config.js';
import { usShare } from '#env/market/instrument.js';
import { RandomStream } from '#env/seeding.js';
import { syntheticBars } from '#src/data/synthetic.js';
import type { Decider } from '#src/live/core/decider.js';

export const INSTRUMENT = usShare('SYN');

/** Synthetic sessions of one liquid stock, wild enough to reach stops and targets. */
export function syntheticSessions(seed: number, sessions: number, minutes: number): Bars {
  return syntheticBars({
    name: 'sessions',
    seed,
    from: '2020-01-02',
    sessions,
    start_price: 100,
    regimes: [{ annual_volatility: 0.8, mean_sessions: 5 }],
    overnight_share: 0.3,
    session_volume: 5_000_000,
    annual_drift: 0,
    instrument: INSTRUMENT,
    interval: { label: `${minutes}m`, ms: minutes * 60_000 },
    calendar: 'XNYS',
  });
}

const NONE = DEFAULT_MARKET_CONFIG.exits;
export const EXITS: readonly ExitsConfig[] = [
  { ...NONE, initial_stop: 0.004 },
  { ...NONE, initial_stop: 0.006, trailing_stop: 0.004 },
  {
    ...NONE,
    initial_stop: 0.005,
    take_profit: [
      { gain: 0.003, fraction: 0.5 },
      { gain: 0.006, fraction: 0.3 },
    ],
  },
  {
    ...NONE,
    initial_stop: 0.005,
    take_profit: [{ gain: 0.004, fraction: 1 }],
    fixed_stop: { gain: 0.002, level: 0.001 },
  },
  { ...NONE, trailing_stop: 0.005, ema_rule: { period: 10, action: 'exit', tighten_to: 1 }, ratchet: 'tick' },
];

/** A policy that throws dice: its state is a function of the seed and of how often it was asked. */
export function dice(seed: number): Decider {
  const stream = new RandomStream(seed, 'chaos/dice');
  return {
    decide: (_, mask, probabilities) => {
      probabilities.fill(1 / probabilities.length);
      const action = stream.integer(probabilities.length);
      return mask === null || mask[action] === 1 ? action : 0;
    },
  };
}

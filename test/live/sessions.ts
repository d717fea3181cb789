/** Synthetic sessions of one liquid stock, wild enough to reach stops and targets. */
import type { Bars } from '#env/market/bars.js';
import { syntheticBars } from '#src/data/synthetic.js';

export const INSTRUMENT = {
  symbol: 'SYN',
  securityType: 'STK',
  currency: 'USD',
  exchange: 'SMART',
  ticks: [{ lowEdge: 0, increment: 0.01 }],
  lotSize: 1,
} as const;

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

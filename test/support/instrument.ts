/** One share, as the tests trade it. */
import type { Instrument } from '#env/market/instrument.js';

export const INSTRUMENT: Instrument = {
  symbol: 'TEST',
  securityType: 'STK',
  currency: 'USD',
  exchange: 'NASDAQ',
  ticks: [{ lowEdge: 0, increment: 0.01 }],
  lotSize: 1,
};

import { fail } from '#src/errors.js';

/** An instrument, as far as prices, quantities and fees need it. */
export interface Instrument {
  readonly symbol: string;
  /** Interactive Brokers' security type: STK, CASH, IND. */
  readonly securityType: 'STK' | 'CASH' | 'IND';
  readonly currency: string;
  readonly exchange: string;
  /** Price increments by price band, ascending by `lowEdge`, the first at 0: a market rule as IBKR states it. */
  readonly ticks: readonly { readonly lowEdge: number; readonly increment: number }[];
  /** Smallest tradable quantity, and the step of quantities. */
  readonly lotSize: number;
}

/** A US share as IBKR's SMART routes it: ticks of a cent, whole shares. */
export function usShare(symbol: string): Instrument {
  return {
    symbol,
    securityType: 'STK',
    currency: 'USD',
    exchange: 'SMART',
    ticks: [{ lowEdge: 0, increment: 0.01 }],
    lotSize: 1,
  };
}

/** Throws DATA_MANIFEST where tick bands or the lot size make no sense. */
export function checkInstrument(instrument: Instrument, where: string): void {
  const { ticks, lotSize, symbol } = instrument;
  if (symbol === '') fail('DATA_MANIFEST', { where, value: symbol, message: 'the instrument needs a symbol' });
  if (!(lotSize > 0 && lotSize < Infinity))
    fail('DATA_MANIFEST', { where, value: lotSize, message: 'the lot size must be positive' });
  if (ticks.length === 0 || ticks[0].lowEdge !== 0) {
    fail('DATA_MANIFEST', { where, value: ticks, message: 'the first tick band must begin at price 0' });
  }
  let previous = -1;
  for (const { lowEdge, increment } of ticks) {
    if (!(lowEdge > previous && lowEdge < Infinity && increment > 0 && increment < Infinity)) {
      fail('DATA_MANIFEST', {
        where,
        value: { lowEdge, increment },
        message: 'tick bands must ascend by their low edge, each with a positive increment',
      });
    }
    previous = lowEdge;
  }
}

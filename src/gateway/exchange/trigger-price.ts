/** Which price a stop or a condition goes by. */
import type { ContractEntry } from './contract-book.js';
import type { Feed } from './feed.js';

/**
 * Stocks go by the last trade, currency pairs by the quote, as by IBKR's default; `method` may say otherwise (1 and 4:
 * bid or ask, 8: midpoint). `side`: 1 for a price that must rise, -1 for one that must fall.
 */
export function watchedPrice(method: number, side: number, { known }: ContractEntry, feed: Feed): number {
  if (method === 8) return (feed.bid + feed.ask) / 2;
  const byQuote = method === 1 || method === 4 || (method === 0 && known.secType === 'CASH');
  if (!byQuote) return feed.last;
  return side > 0 ? feed.ask : feed.bid;
}

/** An account that begins with positions: they are booked before the replay, and nobody is told of a trade. */
import { fail } from '#src/errors.js';
import type { OpeningPosition } from '../exchange-port.js';
import type { Feed } from './feed.js';
import { Ledger } from './ledger.js';

/** A ledger with `initialCash` and the positions. Throws GATEWAY_OPTIONS where one cannot be held. */
export function openLedger(initialCash: number, feeds: readonly Feed[], positions: readonly OpeningPosition[]): Ledger {
  const taken = positions.map((position) => take(position, feeds));
  positions.forEach(({ symbol }, k) => {
    if (positions.findIndex((other) => other.symbol === symbol) !== k) refuse(symbol, symbol, 'it is named twice');
  });
  // what they cost was paid before: the account begins with its cash whole
  const cost = taken.reduce((sum, { quantity, price }) => sum + quantity * price, 0);
  const ledger = new Ledger(initialCash + cost, feeds.length);
  for (const { feed, quantity, price } of taken)
    ledger.book({ kind: 'fill', feed, quantity, price, commissionMicros: 0, execId: `opening ${feed}` });
  if (taken.length > 0) ledger.book({ kind: 'day', marks: Float64Array.from(feeds, ({ last }) => last) });
  return ledger;
}

function take(position: OpeningPosition, feeds: readonly Feed[]): { feed: number; quantity: number; price: number } {
  const { symbol, quantity, averageCost } = position;
  const feed = feeds.find((one) => one.symbol === symbol);
  if (feed === undefined)
    refuse(symbol, symbol, `no such instrument is replayed; there are ${feeds.map((one) => one.symbol).join(', ')}`);
  const lots = quantity / feed.bars.instrument.lotSize;
  if (!(Math.abs(quantity) > 0 && Math.abs(quantity) < 1e9 && Math.abs(lots - Math.round(lots)) < 1e-9))
    refuse(symbol, quantity, `a position is a number of whole lots of ${feed.bars.instrument.lotSize}, signed, not 0`);
  if (Number.isNaN(feed.last)) refuse(symbol, symbol, 'it has no price yet: choose a start after its first bar');
  const price = averageCost ?? feed.last;
  if (!(price > 0 && price < 1e6)) refuse(symbol, price, 'a unit cost more than 0, and less than 1000000');
  return { feed: feed.index, quantity, price };
}

function refuse(symbol: string, value: string | number, message: string): never {
  fail('GATEWAY_OPTIONS', { where: `opening position of ${symbol}`, value, message });
}

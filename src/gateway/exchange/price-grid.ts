/** The prices of one instrument: increments by price band, and the quote around a trade. */
import type { Instrument } from '#env/market/instrument.js';
import { TickTable } from '#env/market/ticks.js';

/** What `quote` writes into: columns of bids and asks beside one of prices. */
export interface QuoteColumns {
  readonly price: Float64Array;
  readonly bid: Float64Array;
  readonly ask: Float64Array;
}

/** Orders off tick by less than this share of an increment are on tick: float noise of a client's arithmetic. */
const NOISE = 1e-6;

export class PriceGrid {
  readonly ticks: TickTable;
  readonly #bands: Instrument['ticks'];
  readonly #halfSpreadShare: number;
  readonly #lotSize: number;
  readonly #isCash: boolean;

  /** `spreadBps` is the whole bid-ask spread; it is never less than one increment. */
  constructor(instrument: Instrument, spreadBps: number) {
    this.ticks = new TickTable(instrument.ticks, instrument.symbol);
    this.#bands = instrument.ticks;
    this.#halfSpreadShare = (spreadBps / 2) * 1e-4;
    this.#lotSize = instrument.lotSize;
    this.#isCash = instrument.securityType === 'CASH';
  }

  /** The price increment at `price`. */
  increment(price: number): number {
    let band = this.#bands.length - 1;
    while (band > 0 && price < this.#bands[band].lowEdge) band--;
    return this.#bands[band].increment;
  }

  /** The smallest increment of all bands: what contract details call minTick. */
  get minTick(): number {
    let least = Infinity;
    for (const { increment } of this.#bands) if (increment < least) least = increment;
    return least;
  }

  isOnTick(price: number): boolean {
    const increment = this.increment(price);
    const off = Math.abs(price / increment - Math.round(price / increment));
    return off < NOISE * Math.max(1, price / increment / 1e6);
  }

  nearest(price: number): number {
    const half = this.increment(price) / 2;
    return this.ticks.roundAgainst(price + half, -1);
  }

  /** Quantity on offer behind a trade of `tradedSize`: at least a round lot, or a million of a currency. */
  depth(tradedSize: number): number {
    if (this.#isCash) return 1_000_000;
    const roundLot = 100 * this.#lotSize;
    return Math.max(1, Math.round(tradedSize / 4 / roundLot)) * roundLot;
  }

  /**
   * The quote when tick i traded: the configured spread around the trade, rounded outwards; where that is less than an
   * increment, one increment, the trade standing at its bid or at its ask (`side` in [0, 1) decides).
   */
  quote(columns: QuoteColumns, i: number, side: number): void {
    const price = columns.price[i];
    const half = price * this.#halfSpreadShare;
    const increment = this.increment(price);
    if (2 * half > increment * (1 + NOISE)) {
      columns.bid[i] = this.ticks.roundAgainst(price - half, -1);
      columns.ask[i] = this.ticks.roundAgainst(price + half, 1);
    } else if (side < 0.5) {
      columns.bid[i] = this.ticks.roundAgainst(price, -1);
      columns.ask[i] = this.ticks.roundAgainst(price + increment / 2, 1);
    } else {
      columns.bid[i] = this.ticks.roundAgainst(price - increment / 2, -1);
      columns.ask[i] = this.ticks.roundAgainst(price, 1);
    }
    if (columns.bid[i] > 0) return;
    // no bid stands under the lowest increment: it is the trade itself, and the ask the next price above
    columns.bid[i] = price;
    columns.ask[i] = Math.max(columns.ask[i], this.ticks.roundAgainst(price + increment / 2, 1));
  }
}

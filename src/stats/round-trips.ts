/** From fills to trades: a trade is a round trip, from flat to flat, at average prices. */
import type { EquityPath } from './equity-path.js';

/** What a fill must tell; the market environment's Fill is one. */
export interface TradeFill {
  readonly barIndex: number;
  readonly timeMs: number;
  /** Signed, in tradable shares: positive bought. */
  readonly quantity: number;
  /** Per share, spread and slippage included. */
  readonly price: number;
  /** Commission and fees, in currency. */
  readonly commission: number;
  readonly reason: string;
  /** Signed position after the fill. */
  readonly positionAfter: number;
}

export interface RoundTrip {
  readonly symbol: string;
  readonly side: 'long' | 'short';
  readonly entryTimeMs: number;
  readonly exitTimeMs: number;
  readonly entryBar: number;
  readonly exitBar: number;
  /** Shares bought (sold short) over all entry fills, in the shares of that day. */
  readonly quantity: number;
  /** Averages per share over the entry fills and over the exit fills, as tradable on their days. */
  readonly entryPrice: number;
  readonly exitPrice: number;
  /** Money put in: sum of quantity x price over the entry fills. */
  readonly entryValue: number;
  /** Net of all costs, in currency. */
  readonly pnl: number;
  /** Commission and fees, and with the account's bars spread, slippage and borrow as well; in currency. */
  readonly costs: number;
  /** pnl / entryValue */
  readonly return: number;
  /** Bars between the entry's bar and the exit's: 0 where both lie in one bar. */
  readonly barsHeld: number;
  /** Exit fills: more than one where the position was left in stages. */
  readonly exits: number;
  /** Reason of the last exit. */
  readonly exitReason: string;
}

/** Rows of the account's path, for costs that are not in the fills; row 0 is bar `firstBar`. */
export interface AccountBars {
  readonly firstBar: number;
  readonly path: EquityPath;
}

/** A position smaller than this is rounding, not shares. */
const FLAT = 1e-9;

/**
 * Round trips of one account's fills, in order. Additions average into the entry price, partial exits into the exit
 * price; a fill that crosses zero closes one trip and opens the next, its commission shared by quantity. A position
 * still open at the end is no trip. Positions are read from `positionAfter`, since a split changes the number of
 * shares between two fills; the profit is the sum of the cash flows, which a split does not change.
 *
 * With `bars`, `costs` also counts spread, slippage and borrow, and the profit is the change of equity from the
 * close before the entry to the close of the exit's bar, so that the trips add up to the account's result.
 */
export function roundTrips(symbol: string, fills: readonly TradeFill[], bars?: AccountBars): RoundTrip[] {
  const trips: RoundTrip[] = [];
  let open: OpenTrip | null = null;
  for (const fill of fills) {
    const before = fill.positionAfter - fill.quantity;
    const crosses = Math.abs(before) > FLAT && Math.abs(fill.positionAfter) > FLAT && before * fill.positionAfter < 0;
    const closingShare = crosses ? before / -fill.quantity : 1;
    if (open === null || Math.abs(before) <= FLAT) {
      open = openTrip(fill, fill.quantity, 1);
    } else if (before * fill.quantity > 0) {
      addEntry(open, fill, fill.quantity, 1);
    } else {
      addExit(open, fill, crosses ? -before : fill.quantity, closingShare);
    }
    if (crosses) {
      trips.push(closeTrip(symbol, open, fill, closingShare, bars));
      open = openTrip(fill, fill.positionAfter, 1 - closingShare);
    } else if (Math.abs(fill.positionAfter) <= FLAT) {
      trips.push(closeTrip(symbol, open, fill, 1, bars));
      open = null;
    }
  }
  return trips;
}

interface OpenTrip {
  readonly side: 1 | -1;
  readonly entryTimeMs: number;
  readonly entryBar: number;
  /** Share of the entry bar's costs that is this trip's: less than 1 where a reversal opened it. */
  readonly entryShare: number;
  entryQuantity: number;
  entryValue: number;
  exitQuantity: number;
  exitValue: number;
  commission: number;
  exits: number;
}

function openTrip(fill: TradeFill, quantity: number, share: number): OpenTrip {
  const trip: OpenTrip = {
    side: quantity > 0 ? 1 : -1,
    entryTimeMs: fill.timeMs,
    entryBar: fill.barIndex,
    entryShare: share,
    entryQuantity: 0,
    entryValue: 0,
    exitQuantity: 0,
    exitValue: 0,
    commission: 0,
    exits: 0,
  };
  addEntry(trip, fill, quantity, share);
  return trip;
}

function addEntry(trip: OpenTrip, fill: TradeFill, quantity: number, share: number): void {
  trip.entryQuantity += Math.abs(quantity);
  trip.entryValue += Math.abs(quantity) * fill.price;
  trip.commission += fill.commission * share;
}

function addExit(trip: OpenTrip, fill: TradeFill, quantity: number, share: number): void {
  trip.exitQuantity += Math.abs(quantity);
  trip.exitValue += Math.abs(quantity) * fill.price;
  trip.commission += fill.commission * share;
  trip.exits += 1;
}

function closeTrip(symbol: string, trip: OpenTrip, fill: TradeFill, exitShare: number, bars?: AccountBars): RoundTrip {
  let pnl = trip.side * (trip.exitValue - trip.entryValue) - trip.commission;
  let costs = trip.commission;
  if (bars !== undefined) {
    const { firstBar, path } = bars;
    const first = trip.entryBar - firstBar;
    const last = fill.barIndex - firstBar;
    const alone = trip.entryShare === 1 && exitShare === 1;
    if (alone) pnl = path.equity[last] - (first > 0 ? path.equity[first - 1] : path.initialEquity);
    costs = 0;
    for (let t = first; t <= last; t++) {
      const share = t === first ? trip.entryShare : t === last ? exitShare : 1;
      costs += path.costs[t] * share;
    }
  }
  return {
    symbol,
    side: trip.side > 0 ? 'long' : 'short',
    entryTimeMs: trip.entryTimeMs,
    exitTimeMs: fill.timeMs,
    entryBar: trip.entryBar,
    exitBar: fill.barIndex,
    quantity: trip.entryQuantity,
    entryPrice: trip.entryValue / trip.entryQuantity,
    exitPrice: trip.exitValue / trip.exitQuantity,
    entryValue: trip.entryValue,
    pnl,
    costs,
    return: pnl / trip.entryValue,
    barsHeld: fill.barIndex - trip.entryBar,
    exits: trip.exits,
    exitReason: fill.reason,
  };
}

/** Traded value: sum of quantity x price over the fills, in currency. */
export function tradedValue(fills: readonly TradeFill[]): number {
  return fills.reduce((sum, fill) => sum + Math.abs(fill.quantity) * fill.price, 0);
}

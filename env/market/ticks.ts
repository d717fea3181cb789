/** Prices on tick and quantities in whole lots: what an exchange accepts. */
import { fail } from '#src/errors.js';
import type { Instrument } from './instrument.js';

/** +1 buys, -1 sells. */
export type Side = 1 | -1;

/**
 * Share of a tick, or of a lot, that is taken for float noise: 25.05 / 0.01 is 2504.9999999999995, and a buy
 * at 25.05 must not be rounded up to 25.06. A millionth of a tick is far below any price that was meant.
 */
const NOISE = 1e-6;

/**
 * A price without the float noise of a division by a factor: the nearest multiple of 1e-10. Otherwise a low that
 * touches a stop would miss it by its sixteenth digit.
 */
export function withoutNoise(price: number): number {
  return price < 1e5 ? Math.round(price * 1e10) / 1e10 : price;
}

/** The price increments of one instrument. */
export class TickTable {
  readonly #lowEdges: Float64Array;
  readonly #increments: Float64Array;
  /** Ticks per currency unit where that is a whole number (0.01 -> 100), so that n / 100 is the nearest decimal; else 0. */
  readonly #perUnit: Float64Array;

  /** Throws ENV_CONFIG where the bands do not start at 0, do not ascend, or an increment is not positive. */
  constructor(ticks: Instrument['ticks'], symbol: string) {
    const where = `instrument ${symbol}, ticks`;
    if (ticks.length === 0 || ticks[0].lowEdge !== 0) {
      fail('ENV_CONFIG', { where, value: ticks, message: 'the first tick band must start at lowEdge 0' });
    }
    for (let k = 0; k < ticks.length; k++) {
      if (!(ticks[k].increment > 0) || (k > 0 && !(ticks[k].lowEdge > ticks[k - 1].lowEdge))) {
        fail('ENV_CONFIG', {
          where,
          value: ticks[k],
          message: 'tick bands need ascending lowEdges and increments above 0',
        });
      }
    }
    this.#lowEdges = Float64Array.from(ticks, ({ lowEdge }) => lowEdge);
    this.#increments = Float64Array.from(ticks, ({ increment }) => increment);
    this.#perUnit = this.#increments.map((increment) => {
      const perUnit = Math.round(1 / increment);
      return Math.abs(perUnit * increment - 1) < 1e-9 ? perUnit : 0;
    });
  }

  /** The nearest price on tick that is no better for us: up for a buy, down for a sale. `price` is tradable. */
  roundAgainst(price: number, side: number): number {
    let band = this.#lowEdges.length - 1;
    while (band > 0 && price < this.#lowEdges[band]) band--;
    const perUnit = this.#perUnit[band];
    if (perUnit > 0) {
      const ticks = price * perUnit;
      return (side > 0 ? Math.ceil(ticks - NOISE) : Math.floor(ticks + NOISE)) / perUnit;
    }
    const increment = this.#increments[band];
    const ticks = price / increment;
    return (side > 0 ? Math.ceil(ticks - NOISE) : Math.floor(ticks + NOISE)) * increment;
  }
}

/** Whether `floorLots(budget / price, lot)` is at least one lot that costs `lotPrice`. */
export function coversLot(budget: number, lotPrice: number): boolean {
  return budget >= lotPrice * (1 - NOISE);
}

/** Whole lots in `quantity` (>= 0), rounded down, as a quantity. */
export function floorLots(quantity: number, lotSize: number): number {
  return Math.floor(quantity / lotSize + NOISE) * lotSize;
}

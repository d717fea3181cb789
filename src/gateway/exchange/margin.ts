/**
 * Margin, simply: Regulation T's 50% to open, 25% to hold long and 30% to hold short (FINRA rule 4210), of the market
 * value. Currency pairs take the same. IBKR's own requirements vary by instrument and are not known here.
 */
export const INITIAL_MARGIN = 0.5;
export const MAINTENANCE_LONG = 0.25;
export const MAINTENANCE_SHORT = 0.3;

export interface Margins {
  readonly initial: number;
  readonly maintenance: number;
}

/** Of positions `quantity` at `price`, summed. */
export function marginsOf(holdings: Iterable<{ readonly quantity: number; readonly price: number }>): Margins {
  let initial = 0;
  let maintenance = 0;
  for (const { quantity, price } of holdings) {
    if (quantity === 0) continue;
    const value = Math.abs(quantity) * price;
    initial += INITIAL_MARGIN * value;
    maintenance += (quantity > 0 ? MAINTENANCE_LONG : MAINTENANCE_SHORT) * value;
  }
  return { initial, maintenance };
}

import type { Bars } from '#env/market/bars.js';

/** The bar within which an instant lies: the last that opens at or before it; -1: it lies before all. */
export function barAt({ openTimeMs, length }: Bars, timeMs: number): number {
  let low = -1;
  let high = length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (openTimeMs[middle] <= timeMs) low = middle;
    else high = middle - 1;
  }
  return low;
}

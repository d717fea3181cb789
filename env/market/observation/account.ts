/** Number of features that come from the account: position and unrealizedReturn. */
export const ACCOUNT_FEATURE_COUNT = 2;

/**
 * Writes features 12 (position) and 13 (unrealizedReturn) at out[offset] and out[offset + 1].
 *
 * `position` is signed (negative: short). Position, average fill price and close stand on one price basis:
 * all tradable, or all adjusted. `budget` is the account currency allocated to this symbol.
 * An exhausted budget (<= 0) counts as fully used.
 */
export function writeAccountFeatures(
  out: Float32Array,
  offset: number,
  position: number,
  averageFillPrice: number,
  close: number,
  budget: number,
): void {
  if (position === 0) {
    out[offset] = 0;
    out[offset + 1] = 0;
    return;
  }
  const share = budget > 0 ? (position * close) / budget : position > 0 ? 1 : -1;
  out[offset] = share > 1 ? 1 : share < -1 ? -1 : share;
  const gain = position > 0 ? close - averageFillPrice : averageFillPrice - close;
  out[offset + 1] = gain / averageFillPrice;
}

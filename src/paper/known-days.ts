/** Which market days a bundle knew already: bars that it was trained on, or chosen on. */
import { utcInstant } from '#env/market/window.js';
import type { Bundle } from '#src/registry/bundle.js';
import type { BundledWindow } from '#src/registry/manifest.js';

const DAY_MS = 86_400_000;

/**
 * Whether the bundle knew a day (days since 1970-01-01) of one of these symbols, whatever file it comes from: a day
 * between the first and the last bar of what it was trained on, within the training or the validation window.
 */
export function knownDays({ manifest }: Bundle, symbols: readonly string[]): (dayId: number) => boolean {
  const { train, validation } = manifest.windows;
  const spans = manifest.data
    .filter(({ symbol }) => symbols.includes(symbol))
    .flatMap(({ from, to }) =>
      [train, ...(validation === null ? [] : [validation])].map((window) =>
        spanOf(window, Date.parse(from), Date.parse(to)),
      ),
    );
  return (dayId) => spans.some(({ fromMs, toMs }) => (dayId + 1) * DAY_MS > fromMs && dayId * DAY_MS < toMs);
}

function spanOf({ from, to }: BundledWindow, firstMs: number, lastMs: number): { fromMs: number; toMs: number } {
  return {
    fromMs: Math.max(firstMs, from === null ? -Infinity : utcInstant(from, 'windows.from')),
    toMs: Math.min(lastMs + 1, to === null ? Infinity : utcInstant(to, 'windows.to')),
  };
}

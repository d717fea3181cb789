/** Aligned columns for a terminal. */
import { MINUS, MISSING } from './format.js';

/** The first column to the left, the others to the right; plain minus signs and dashes. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, k) => Math.max(...rows.map((row) => row[k].length)));
  const lines = rows.map((row) =>
    row
      .map((cell, k) => (k === 0 ? cell.padEnd(widths[k]) : cell.padStart(widths[k])))
      .join('  ')
      .trimEnd(),
  );
  return plainText(lines.join('\n'));
}

/** Typographic signs as a terminal has them. */
export function plainText(text: string): string {
  return text.replaceAll(MINUS, '-').replaceAll(MISSING, '-');
}

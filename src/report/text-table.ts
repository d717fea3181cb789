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

/** As lines, with the columns that hold only numbers to the right and the others to the left; `head` null: none. */
export function alignedLines(head: readonly string[] | null, rows: readonly (readonly string[])[]): string[] {
  const all = head === null ? rows : [head, ...rows];
  const columns = Math.max(0, ...all.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, k) => Math.max(...all.map((row) => row[k]?.length ?? 0)));
  const numeric = widths.map((_, k) => rows.every((row) => /^(-|[\d.,e+-]+%?|\(\d+%\))?$/.test(row[k] ?? '')));
  return all.map((row) =>
    row
      .map((cell, k) => (numeric[k] ? cell.padStart(widths[k]) : cell.padEnd(widths[k])))
      .join('  ')
      .trimEnd(),
  );
}

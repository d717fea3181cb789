/** Columns for a terminal: numbers to the right, the rest to the left. */
export function textTable(head: readonly string[] | null, rows: readonly (readonly string[])[]): string[] {
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

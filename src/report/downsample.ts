/** Fewer points without losing the peaks: a minute's spike must still be seen in a month. */

/**
 * Row indices of a series cut to about `columns` buckets: of each bucket its lowest and highest row, in order, and
 * the first and last row of the series. All rows where there are no more than two a bucket.
 *
 * @param series (T)
 */
export function minMaxRows(series: Float64Array, columns: number): number[] {
  const count = series.length;
  if (count <= 2 * columns) return Array.from({ length: count }, (_, t) => t);
  const rows = [0];
  for (let column = 0; column < columns; column++) {
    const start = Math.floor((column * count) / columns);
    const end = Math.floor(((column + 1) * count) / columns);
    let low = start;
    let high = start;
    for (let t = start; t < end; t++) {
      if (series[t] < series[low]) low = t;
      if (series[t] > series[high]) high = t;
    }
    for (const row of low < high ? [low, high] : [high, low]) if (row !== rows.at(-1)) rows.push(row);
  }
  if (rows.at(-1) !== count - 1) rows.push(count - 1);
  return rows;
}

/** At most `limit` evenly spread row indices of T rows, the first and the last among them. */
export function evenRows(count: number, limit: number): number[] {
  if (count <= limit) return Array.from({ length: count }, (_, t) => t);
  return Array.from({ length: limit }, (_, k) => Math.round((k * (count - 1)) / (limit - 1)));
}

export interface SideRun {
  /** Rows [from, to) spent on one side. */
  readonly from: number;
  readonly to: number;
  readonly side: 'long' | 'short';
}

/**
 * Stretches in which a position was held, at most about one a column: where sides change faster, a bucket takes the
 * side that it spent most rows on.
 *
 * @param position (T) signed
 */
export function sideRuns(position: Float64Array, columns: number): SideRun[] {
  const count = position.length;
  const width = Math.max(1, Math.ceil(count / columns));
  const runs: SideRun[] = [];
  let open: { from: number; side: number } | null = null;
  const close = (to: number): void => {
    if (open !== null && open.side !== 0) runs.push({ from: open.from, to, side: open.side > 0 ? 'long' : 'short' });
  };
  for (let from = 0; from < count; from += width) {
    const side = majoritySide(position, from, Math.min(from + width, count));
    if (open === null || open.side !== side) {
      close(from);
      open = { from, side };
    }
  }
  close(count);
  return runs;
}

function majoritySide(position: Float64Array, from: number, to: number): number {
  let long = 0;
  let short = 0;
  for (let t = from; t < to; t++) {
    if (position[t] > 0) long += 1;
    else if (position[t] < 0) short += 1;
  }
  const flat = to - from - long - short;
  if (long >= short && long >= flat && long > 0) return 1;
  return short >= flat && short > 0 ? -1 : 0;
}

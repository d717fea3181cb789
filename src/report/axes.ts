/** Axes that several plots share. */
import { timeAxis } from './time-axis.js';

/** x counts bars; ticks where days, weeks, months or years begin. At most `ticks` of them. */
export function rowAxis(timeMs: Float64Array, field = 'row', ticks = 14) {
  const { rows, labels } = timeAxis(timeMs, ticks);
  const byRow = JSON.stringify(Object.fromEntries(rows.map((row, k) => [String(row), labels[k]])));
  return {
    field,
    type: 'quantitative' as const,
    scale: { domain: [0, Math.max(timeMs.length - 1, 1)], nice: false },
    axis: { title: null, values: [...rows], labelExpr: `${byRow}[datum.value]`, grid: false },
  };
}

/** y in percent with its sign. */
export function shareAxis(field: string, title: string) {
  return {
    field,
    type: 'quantitative' as const,
    scale: { zero: false },
    axis: { title, labelExpr: signedShare('+.1~%') },
  };
}

/** A share with its sign, but zero without one. */
export function signedShare(format: string): string {
  return `datum.value === 0 ? '0%' : format(datum.value, '${format}')`;
}

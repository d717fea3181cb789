/** Stretches that training never sees: they cut a series as a missing month does. */
import { firstBarAtOrAfter, type Bars, type Segment, type TradingWindow } from '#env/market/bars.js';
import { utcInstant, windowsOf } from '#env/market/window.js';
import type { DataConfig, DateWindow } from '#src/config/schema.js';

/** Bars that open in [fromMs, toMs). */
export interface TimeSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Throws DATA_TIME. null: without end. */
export function spanOf({ from, to }: NonNullable<DateWindow>, where: string): TimeSpan {
  return {
    fromMs: from === null ? -Infinity : utcInstant(from, `${where}.from`),
    toMs: to === null ? Infinity : utcInstant(to, `${where}.to`),
  };
}

/** The same bars with a segment's boundary at both ends of every span: nothing is carried over one. */
export function cutBars(bars: Bars, spans: readonly TimeSpan[]): Bars {
  const cuts = new Set<number>();
  for (const { fromMs, toMs } of spans) {
    for (const timeMs of [fromMs, toMs]) cuts.add(firstBarAtOrAfter(bars, timeMs));
  }
  const sorted = [...cuts].sort((a, b) => a - b);
  const segments = bars.segments.flatMap(({ start, end }): Segment[] => {
    const edges = [start, ...sorted.filter((cut) => cut > start && cut < end), end];
    return edges.slice(1).map((to, k) => ({ start: edges[k], end: to }));
  });
  return { ...bars, segments };
}

/**
 * What may be trained on: the training window of all data sets, without the stretches that are excluded. After each of
 * them the observation is warmed up anew, from bars behind it. Throws DATA_WINDOW where no window is left.
 */
export function trainingWindows(bars: readonly Bars[], data: DataConfig, warmup: number): TradingWindow[] {
  const { fromMs, toMs } = spanOf(data.train, 'data.train');
  const from = Number.isFinite(fromMs) ? fromMs : null;
  const to = Number.isFinite(toMs) ? toMs : null;
  const spans = data.exclude.map((window, k) => spanOf(window, `data.exclude[${k}]`));
  if (spans.length === 0) return windowsOf(bars, from, to, warmup);
  const cut = bars.map((own) => cutBars(own, spans));
  return windowsOf(cut, from, to, warmup).filter(({ bars: own, start }) => !isWithin(own.openTimeMs[start], spans));
}

export function isWithin(timeMs: number, spans: readonly TimeSpan[]): boolean {
  return spans.some(({ fromMs, toMs }) => timeMs >= fromMs && timeMs < toMs);
}

import { beforeAll, describe, expect, it } from 'vitest';
import type { Bars, TradingWindow } from '#env/market/bars.js';
import { windowOf, windowsOf } from '#env/market/window.js';
import { loadDataset } from '#src/data/load.js';
import { lastDecisions, mixWindows } from './recent-windows.js';

const RECENT_MS = Date.parse('2017-06-01T00:00:00Z');

describe('the end of a training window', () => {
  let bars: Bars;
  let window: TradingWindow;
  beforeAll(async () => {
    bars = await loadDataset('aapl-daily');
    [window] = windowOf(bars, null, null, 100);
  });

  const isRecent = ({ start }: TradingWindow): boolean => bars.openTimeMs[start] >= RECENT_MS;

  it('is drawn on for the share of episodes that is asked for', () => {
    for (const share of [0.1, 0.25, 0.5, 0.9]) {
      const mixed = mixWindows([window], { fromMs: RECENT_MS, share, minimumSteps: 10 });
      expect(mixed.filter(isRecent).length / mixed.length).toBeCloseTo(share, 1);
      expect(new Set(mixed.map(({ start }) => start)).size).toBe(2);
      for (const { start, end } of mixed)
        expect([window.start, window.end]).toContain(isRecent({ ...window, start }) ? end : start);
    }
  });

  it('cuts windows at the first new bar, so that none holds both', () => {
    const mixed = mixWindows([window], { fromMs: RECENT_MS, share: 0.5, minimumSteps: 10 });
    for (const { start, end } of mixed)
      expect(bars.openTimeMs[start] >= RECENT_MS || bars.openTimeMs[end - 1] < RECENT_MS).toBe(true);
  });

  it('leaves windows as they are where all bars are old, or the new ones are too few for an episode', () => {
    const all = { share: 0.5, minimumSteps: 10 };
    expect(mixWindows([window], { ...all, fromMs: Date.parse('2030-01-01') })).toEqual([window]);
    expect(mixWindows([window], { ...all, fromMs: bars.openTimeMs[bars.length - 5] })).toEqual([window]);
  });

  it('yields as many last decisions as are asked for, across windows', () => {
    const decisions = (windows: TradingWindow[]): number => windows.reduce((sum, w) => sum + w.end - 1 - w.start, 0);
    const halves = [
      { ...window, end: 600 },
      { ...window, start: 1100 },
    ];
    const some = lastDecisions(halves, 40);
    expect(some).toEqual([{ ...window, start: window.end - 41 }]);
    const more = lastDecisions(halves, 300);
    expect(decisions(more)).toBe(300);
    expect(more.at(-1)).toEqual(halves[1]);
    expect(more[0].end).toBe(600);
    expect(lastDecisions(halves, 1_000_000)).toEqual(halves);
  });
});

describe('windows of data sets that follow one another', () => {
  it('pass over one without bars in the window, and refuse a symbol that has none', async () => {
    const [early, late] = await Promise.all([
      loadDataset('aapl-daily[..2016-01-04]'),
      loadDataset('aapl-daily[2016-01-04..]'),
    ]);
    const from = Date.parse('2017-01-03');
    expect(windowsOf([early, late], from, null, 50).map(({ bars }) => bars)).toEqual([late]);
    expect(windowsOf([early, late], null, null, 50)).toHaveLength(2);
    expect(() => windowsOf([early], from, null, 50)).toThrow(/^DATA_WINDOW/);
    // too few bars for the warm-up is no absence
    expect(() => windowsOf([early, shortened(late)], null, null, 50)).toThrow(/warm-up/);
  });
});

function shortened(late: Bars): Bars {
  return { ...late, length: 20, segments: [{ start: 0, end: 20 }] };
}

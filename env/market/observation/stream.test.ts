import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryBars, realBars, sliceBars } from '../../../test/support/observation-bars.js';
import { computeFeatures, DEFAULT_WARMUP, FEATURE_SETS, FeatureStream, MARKET_FEATURE_COUNT } from './index.js';
import type { BarColumns } from './index.js';

const F = MARKET_FEATURE_COUNT;

/** Feeds bars [from, to) to a stream, one at a time. */
function streamed(stream: FeatureStream, bars: BarColumns, from: number, to: number): Float32Array {
  const out = new Float32Array((to - from) * F);
  const vector = new Float32Array(F + 2);
  for (let t = from; t < to; t++) {
    stream.next(bars.open[t], bars.high[t], bars.low[t], bars.close[t], bars.volume[t], vector, 1);
    out.set(vector.subarray(1, F + 1), (t - from) * F);
  }
  return out;
}

/** Index of the first value that is not the very same float32, or -1. */
function firstDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Math.min(a.length, b.length);
  return a.findIndex((value, i) => !Object.is(value, b[i]));
}

describe('streaming and batch', () => {
  it('give the same bits on any bars', () => {
    fc.assert(
      fc.property(arbitraryBars(1, 200), (bars) => {
        const length = bars.close.length;
        const stream = new FeatureStream();
        expect(
          firstDifference(streamed(stream, bars, 0, length), computeFeatures(bars, [{ start: 0, end: length }])),
        ).toBe(-1);
        expect(stream.barsSeen).toBe(length);
      }),
      { numRuns: 60, seed: 4 },
    );
  });

  for (const { name, columns, segments } of realBars()) {
    it(`give the same bits on ${name}, every segment from its own first bar`, () => {
      const batch = computeFeatures(columns, segments);
      for (const { start, end } of segments) {
        const alone = streamed(new FeatureStream(), columns, start, end);
        expect(firstDifference(alone, batch.subarray(start * F, end * F))).toBe(-1);
      }
    });
  }

  it('start anew after reset', () => {
    const [bars] = fc.sample(arbitraryBars(80, 80), { numRuns: 1, seed: 5 });
    const stream = new FeatureStream();
    const first = streamed(stream, bars, 0, 80);
    stream.reset();
    expect(stream.barsSeen).toBe(0);
    expect(firstDifference(streamed(stream, bars, 0, 80), first)).toBe(-1);
  });

  it('write nothing beside their own columns', () => {
    const out = new Float32Array(F + 2).fill(7);
    new FeatureStream().next(1, 1, 1, 1, 0, out, 1);
    expect(out[0]).toBe(7);
    expect(out[F + 1]).toBe(7);
    expect(new Set(out.subarray(1, F + 1))).toEqual(new Set([0]));
  });

  it('refuse a segment outside the columns', () => {
    const [bars] = fc.sample(arbitraryBars(10, 10), { numRuns: 1, seed: 6 });
    expect(() => computeFeatures(bars, [{ start: 0, end: 11 }])).toThrow('ENV_CONFIG segments [0,11]');
  });
});

describe('no look-ahead', () => {
  it('gives the same bits when the bars after t are cut off, or are others', () => {
    fc.assert(
      fc.property(arbitraryBars(60, 160), arbitraryBars(60, 160), fc.nat(59), (bars, others, t) => {
        const full = computeFeatures(bars, [{ start: 0, end: bars.close.length }]);
        const cut = computeFeatures(sliceBars(bars, 0, t + 1), [{ start: 0, end: t + 1 }]);
        expect(firstDifference(cut, full.subarray(0, (t + 1) * F))).toBe(-1);
        const changed = sliceBars(bars, 0, bars.close.length);
        for (const key of ['open', 'high', 'low', 'close', 'volume'] as const) {
          changed[key].set(others[key].subarray(0, Math.max(0, bars.close.length - t - 1)), t + 1);
        }
        const replaced = computeFeatures(changed, [{ start: 0, end: bars.close.length }]);
        expect(firstDifference(replaced.subarray(0, (t + 1) * F), full.subarray(0, (t + 1) * F))).toBe(-1);
      }),
      { numRuns: 40, seed: 7 },
    );
  });

  for (const { name, columns } of realBars()) {
    it(`holds on ${name}`, () => {
      const length = columns.close.length;
      const full = computeFeatures(columns, [{ start: 0, end: length }]);
      for (let t = 7; t < length; t += Math.floor(length / 9)) {
        const cut = computeFeatures(sliceBars(columns, 0, t + 1), [{ start: 0, end: t + 1 }]);
        expect(firstDifference(cut, full.subarray(0, (t + 1) * F))).toBe(-1);
      }
    });
  }
});

describe('the anchor', () => {
  for (const { name, columns, segments } of realBars()) {
    it(`moves no feature of ${name} by more than 1e-6 of its standard deviation after the warm-up`, () => {
      const { start, end } = segments[0];
      const full = computeFeatures(columns, segments);
      const deviations = featureDeviations(full.subarray((start + DEFAULT_WARMUP) * F, end * F));
      let worst = 0;
      for (let anchor = start + 1; anchor < end - DEFAULT_WARMUP - 1; anchor += Math.floor((end - start) / 40)) {
        // the first bars after the warm-up are those that the anchor moves most
        const to = Math.min(anchor + DEFAULT_WARMUP + 20, end);
        const other = streamed(new FeatureStream(), columns, anchor, to);
        for (let t = anchor + DEFAULT_WARMUP; t < to; t++) {
          for (let i = 0; i < F; i++) {
            const a = full[t * F + i];
            const b = other[(t - anchor) * F + i];
            worst = Math.max(worst, Math.abs(a - b) / deviations[i]);
          }
        }
      }
      expect(worst).toBeLessThan(1e-6);
    });
  }

  it('is forgotten even where prices stand still, in which the RSI alone would remember for ever', () => {
    const [bars] = fc.sample(arbitraryBars(1000, 1000), { numRuns: 1, seed: 8 });
    for (const key of ['open', 'high', 'low', 'close'] as const) bars[key].fill(bars.close[399], 400);
    const full = streamed(new FeatureStream(), bars, 0, 1000);
    const late = streamed(new FeatureStream(), bars, 450, 1000);
    for (let i = 550 * F - F; i < 550 * F; i++) expect(late[i]).toBeCloseTo(full[450 * F + i], 9);
  });
});

/** Standard deviation of each column of (T,F). */
function featureDeviations(features: Float32Array): number[] {
  const rows = features.length / F;
  return FEATURE_SETS.v1.marketFeatures.map((_, i) => {
    let sum = 0;
    let squares = 0;
    for (let t = 0; t < rows; t++) {
      sum += features[t * F + i];
      squares += features[t * F + i] * features[t * F + i];
    }
    return Math.sqrt(squares / rows - (sum / rows) * (sum / rows));
  });
}

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '#env/seeding.js';
import {
  blockLength,
  excessInterval,
  logReturns,
  politisWhiteBlockLength,
  quantile,
  sharpeInterval,
  stationaryBootstrap,
} from './bootstrap.js';

interface Golden {
  barsPerYear: number;
  returns: number[];
  optimalBlock: number;
  sharpeIntervalAtBlock15: [number, number];
}
const golden: Record<string, Golden> = JSON.parse(
  readFileSync(new URL('../../test/golden/performance.json', import.meta.url), 'utf8'),
);

describe('block length', () => {
  it.each(Object.keys(golden))("agrees with arch's optimal_block_length on the %s series", (name) => {
    const { returns, optimalBlock } = golden[name];
    expect(politisWhiteBlockLength(Float64Array.from(returns))).toBeCloseTo(Math.max(1, optimalBlock), 9);
  });

  it('is one for a constant, and never under the cube root of the length where used', () => {
    expect(politisWhiteBlockLength(new Float64Array(100).fill(0.1))).toBe(1);
    expect(blockLength(new Float64Array(1000))).toBeCloseTo(10, 9);
  });
});

describe('stationary bootstrap', () => {
  it.each(Object.keys(golden))(
    "agrees with arch's percentile interval of the Sharpe ratio on the %s series",
    (name) => {
      const {
        returns,
        barsPerYear,
        sharpeIntervalAtBlock15: [low, high],
      } = golden[name];
      const { means, deviations } = stationaryBootstrap(
        Float64Array.from(returns),
        15,
        20_000,
        new RandomStream(4, 'test'),
      );
      const ratios = means.map((mean, b) => (mean / deviations[b]) * Math.sqrt(barsPerYear)).sort();
      const width = high - low;
      expect(Math.abs(quantile(ratios, 0.025) - low) / width).toBeLessThan(0.02);
      expect(Math.abs(quantile(ratios, 0.975) - high) / width).toBeLessThan(0.02);
    },
  );

  it('with blocks of one is the plain bootstrap: the deviation of the means is sigma / sqrt n', () => {
    const stream = new RandomStream(1, 'normals');
    const series = Float64Array.from({ length: 400 }, () => stream.normal());
    const { means } = stationaryBootstrap(series, 1, 10_000, stream);
    const centre = means.reduce((sum, mean) => sum + mean, 0) / means.length;
    const spread = Math.sqrt(means.reduce((sum, mean) => sum + (mean - centre) ** 2, 0) / means.length);
    expect(spread).toBeGreaterThan(0.9 / 20);
    expect(spread).toBeLessThan(1.1 / 20);
  });

  it('covers the true mean of independent returns about as often as it says', () => {
    let covered = 0;
    for (let trial = 0; trial < 200; trial++) {
      const stream = new RandomStream(trial, 'coverage');
      const series = Float64Array.from({ length: 250 }, () => 0.0005 + 0.01 * stream.normal());
      const interval = excessInterval(series, { seed: trial, resamples: 400 });
      const truth = Math.exp(0.0005 * 250) - 1;
      if (interval !== null && interval.low <= truth && truth <= interval.high) covered += 1;
    }
    expect(covered / 200).toBeGreaterThan(0.88);
  });
});

describe('intervals', () => {
  it('repeat with the seed and hold the estimate', () => {
    const returns = Float64Array.from(golden['daily'].returns);
    const interval = sharpeInterval(returns, 252, { seed: 7 });
    expect(interval).toEqual(sharpeInterval(returns, 252, { seed: 7 }));
    expect(interval).not.toEqual(sharpeInterval(returns, 252, { seed: 8 }));
    const { estimate, low, high } = interval ?? { estimate: NaN, low: NaN, high: NaN };
    expect(low).toBeLessThan(estimate);
    expect(high).toBeGreaterThan(estimate);
  });

  it('are absent for too few returns, and a point for no difference at all', () => {
    expect(sharpeInterval(new Float64Array(19).fill(0.01), 252, { seed: 1 })).toBeNull();
    expect(sharpeInterval(new Float64Array(100), 252, { seed: 1 })).toBeNull();
    expect(excessInterval(new Float64Array(100), { seed: 1 })).toEqual({
      estimate: 0,
      low: 0,
      high: 0,
      confidence: 0.95,
    });
  });

  it('floor the log return of ruin', () => {
    expect(Number.isFinite(logReturns(Float64Array.of(-1, -2))[1])).toBe(true);
  });
});

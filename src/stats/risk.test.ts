import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '#env/seeding.js';
import { benchmarkFigures } from './benchmark.js';
import { blockBootstrapInterval, drawBlocks } from './block-bootstrap.js';
import type { EquityPath } from './equity-path.js';
import { momentsOf } from './moments.js';
import { computePerformance, growthFigures } from './performance.js';
import { calmarRatio, omegaRatio, tailRisk, ulcerIndex } from './risk.js';
import { selectInPlace } from './select.js';

interface Golden {
  benchmark: number[];
  valueAtRisk: number;
  valueAtRisk99: number;
  conditionalValueAtRisk: number;
  conditionalValueAtRisk99: number;
  ulcerIndex: number;
  omega: number;
  omegaAt10bps: number;
  calmar: number;
  skewness: number;
  kurtosis: number;
  beta: number;
  alpha: number;
  correlation: number;
  trackingError: number;
  informationRatio: number;
  circularSharpeIntervalAtBlock15: [number, number];
}
const golden: Record<string, Golden> = read('risk.json');
const series: Record<string, { returns: number[]; barsPerYear: number; sharpeIntervalAtBlock15: [number, number] }> =
  read('performance.json');
const names = Object.keys(golden);

describe('risk', () => {
  it.each(names)("is empyrical's, scipy's and Acerbi and Tasche's on the %s series", (name) => {
    const expected = golden[name];
    const { returns: plain, barsPerYear } = series[name];
    const returns = Float64Array.from(plain);
    const performance = computePerformance({ path: pathOf(returns), trades: [], tradedValue: 0, barsPerYear });
    for (const key of ['valueAtRisk', 'conditionalValueAtRisk', 'ulcerIndex', 'omega', 'skewness', 'kurtosis'] as const)
      expect(performance[key]).toBeCloseTo(expected[key], 10);
    expect(relative(performance.calmar, expected.calmar)).toBeLessThan(1e-9);
    const again = growthFigures(returns, barsPerYear);
    for (const key of ['cagr', 'sortino', 'maxDrawdown'] as const)
      expect(relative(again[key], performance[key] ?? 0)).toBeLessThan(1e-9);
    const far = tailRisk(returns, 0.99);
    expect(far.valueAtRisk).toBeCloseTo(expected.valueAtRisk99, 12);
    expect(far.conditionalValueAtRisk).toBeCloseTo(expected.conditionalValueAtRisk99, 12);
    expect(omegaRatio(returns, 0.001)).toBeCloseTo(expected.omegaAt10bps, 10);
  });

  it('takes the worst twentieth exactly, and of 21 bars a twentieth of a bar more', () => {
    const twenty = Float64Array.from({ length: 20 }, (_, t) => t - 10);
    expect(tailRisk(twenty)).toEqual({ valueAtRisk: expect.closeTo(-9.05, 12), conditionalValueAtRisk: -10 });
    const more = Float64Array.from({ length: 21 }, (_, t) => t - 10);
    expect(tailRisk(more).conditionalValueAtRisk).toBeCloseTo((-10 - 0.05 * 9) / 1.05, 12);
  });

  it('of one bar is that bar, and of none is nothing', () => {
    expect(tailRisk(Float64Array.of(-0.1))).toEqual({
      valueAtRisk: -0.1,
      conditionalValueAtRisk: expect.closeTo(-0.1, 15),
    });
    expect(tailRisk(new Float64Array())).toEqual({ valueAtRisk: null, conditionalValueAtRisk: null });
    expect(omegaRatio(new Float64Array())).toBeNull();
    expect(ulcerIndex(pathOf(new Float64Array()))).toBeNull();
    expect(calmarRatio(null, 0)).toBeNull();
  });

  it('of a flat line: no ratio, no risk', () => {
    const { calmar, omega, valueAtRisk, conditionalValueAtRisk, skewness, kurtosis, ulcerIndex: ulcer } = flat(100);
    expect({ calmar, omega, skewness, kurtosis }).toEqual({
      calmar: null,
      omega: null,
      skewness: null,
      kurtosis: null,
    });
    expect({ valueAtRisk, conditionalValueAtRisk, ulcer }).toEqual({
      valueAtRisk: 0,
      conditionalValueAtRisk: 0,
      ulcer: 0,
    });
  });

  it('of ruin: all is lost, at a Calmar ratio of -1', () => {
    const path = pathOf(Float64Array.of(0.1, -1, 0, 0));
    const { calmar, cagr, maxDrawdown, conditionalValueAtRisk } = computePerformance({
      path,
      trades: [],
      tradedValue: 0,
      barsPerYear: 252,
    });
    expect({ calmar, cagr, maxDrawdown }).toEqual({ calmar: -1, cagr: -1, maxDrawdown: -1 });
    expect(conditionalValueAtRisk).toBe(-1);
  });

  it('refuses an equity that is no number, and says which bar', () => {
    const path = pathOf(Float64Array.of(0.1, Number.NaN, 0.1));
    expect(() => computePerformance({ path, trades: [], tradedValue: 0, barsPerYear: 252 })).toThrow(
      /STATISTICS_INPUT equity\[1\] "NaN"/,
    );
  });
});

describe('selection', () => {
  it('puts the value where sorting would, with ties and in any order', () => {
    const stream = new RandomStream(1, 'test/select');
    for (let trial = 0; trial < 300; trial++) {
      const sample = Float64Array.from({ length: 1 + stream.integer(40) }, () => stream.integer(12));
      const sorted = sample.slice().sort();
      const k = stream.integer(sample.length);
      expect(selectInPlace(sample, k)).toBe(sorted[k]);
      expect(Math.max(-1, ...sample.subarray(0, k))).toBeLessThanOrEqual(sorted[k]);
      expect(Math.min(99, ...sample.subarray(k))).toBe(sorted[k]);
    }
  });
});

describe('against a benchmark', () => {
  it.each(names)("alpha, beta and the information ratio are scipy's regression on the %s series", (name) => {
    const { benchmark, beta, alpha, correlation, trackingError, informationRatio } = golden[name];
    const { returns, barsPerYear } = series[name];
    const figures = benchmarkFigures(Float64Array.from(returns), Float64Array.from(benchmark), barsPerYear);
    expect(figures.beta).toBeCloseTo(beta, 10);
    expect(figures.correlation).toBeCloseTo(correlation, 10);
    for (const [own, theirs] of [
      [figures.alpha, alpha],
      [figures.trackingError, trackingError],
      [figures.informationRatio, informationRatio],
    ])
      expect(relative(own, theirs ?? 0)).toBeLessThan(1e-8);
  });

  it('against itself beta is 1, alpha 0, and there is no information ratio', () => {
    const returns = Float64Array.from(series['daily'].returns);
    const { beta, alpha, informationRatio, trackingError } = benchmarkFigures(returns, returns, 252);
    expect(beta).toBeCloseTo(1, 14);
    expect(alpha).toBeCloseTo(0, 14);
    expect(trackingError).toBe(0);
    expect(informationRatio).toBeNull();
  });

  it('against cash there is no beta, and the information ratio is the Sharpe ratio', () => {
    const { returns, barsPerYear } = series['daily'];
    const own = Float64Array.from(returns);
    const figures = benchmarkFigures(own, new Float64Array(own.length), barsPerYear);
    expect([figures.beta, figures.alpha, figures.correlation]).toEqual([null, null, null]);
    const { mean, deviation } = momentsOf(own);
    expect(figures.informationRatio).toBeCloseTo((mean / (deviation ?? 0)) * Math.sqrt(252), 12);
  });

  it('says that another number of bars does not compare, and gives nothing for one bar', () => {
    expect(() => benchmarkFigures(new Float64Array(3), new Float64Array(2), 252)).toThrow(
      /STATISTICS_INPUT benchmark 2/,
    );
    expect(benchmarkFigures(new Float64Array(1), new Float64Array(1), 252).informationRatio).toBeNull();
  });
});

describe('block bootstrap of any figure', () => {
  const sharpe = (year: number) => (returns: Float64Array) => {
    const { mean, deviation } = momentsOf(returns);
    return deviation === null || deviation === 0 ? null : (mean / deviation) * Math.sqrt(year);
  };

  it.each(names)("agrees with arch's circular and stationary intervals on the %s series", (name) => {
    const { returns, barsPerYear, sharpeIntervalAtBlock15 } = series[name];
    const expected = { circular: golden[name].circularSharpeIntervalAtBlock15, stationary: sharpeIntervalAtBlock15 };
    for (const method of ['circular', 'stationary'] as const) {
      const options = { seed: 1, resamples: 8000, block: 15, method };
      const interval = blockBootstrapInterval(Float64Array.from(returns), sharpe(barsPerYear), options);
      const [low, high] = expected[method];
      expect(Math.abs((interval?.low ?? NaN) - low) / (high - low)).toBeLessThan(0.03);
      expect(Math.abs((interval?.high ?? NaN) - high) / (high - low)).toBeLessThan(0.03);
    }
  });

  it('draws whole blocks around the circle', () => {
    const ten = Float64Array.from({ length: 10 }, (_, t) => t);
    const drawn = new Float64Array(10);
    const stream = new RandomStream(2, 'test/blocks');
    for (let trial = 0; trial < 50; trial++) {
      drawBlocks(drawn, ten, 'circular', 5, stream);
      for (const t of [1, 2, 3, 4, 6, 7, 8, 9]) expect(drawn[t]).toBe((drawn[t - 1] + 1) % 10);
    }
  });

  it('gives nothing for a flat line or fewer than 20 bars, and refuses NaN and blocks that do not fit', () => {
    expect(blockBootstrapInterval(new Float64Array(50), sharpe(252), { seed: 1 })).toBeNull();
    expect(blockBootstrapInterval(Float64Array.of(0.1, -0.1), sharpe(252), { seed: 1 })).toBeNull();
    const broken = new Float64Array(30);
    broken[7] = Number.NaN;
    expect(() => blockBootstrapInterval(broken, sharpe(252), { seed: 1 })).toThrow(/STATISTICS_INPUT series\[7\]/);
    const fine = Float64Array.from(series['daily'].returns);
    expect(() => blockBootstrapInterval(fine, sharpe(252), { seed: 1, block: 0.5 })).toThrow(/from 1 to 504 bars/);
  });
});

function read<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../test/golden/${name}`, import.meta.url), 'utf8'));
}

function pathOf(returns: Float64Array): EquityPath {
  let equity = 1000;
  const rows = returns.length;
  return {
    initialEquity: 1000,
    timeMs: Float64Array.from({ length: rows }, (_, t) => t * 86_400_000),
    equity: returns.map((value) => (equity *= 1 + value)),
    exposure: new Float64Array(rows),
    costs: new Float64Array(rows),
  };
}

function flat(rows: number) {
  return computePerformance({ path: pathOf(new Float64Array(rows)), trades: [], tradedValue: 0, barsPerYear: 252 });
}

function relative(actual: number | null, expected: number): number {
  return Math.abs((actual ?? Number.NaN) - expected) / Math.max(Math.abs(expected), 1e-12);
}

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { normalQuantile } from '#env/math/index.js';
import { RandomStream } from '#env/seeding.js';
import { normalCdf } from './normal.js';
import { backtestOverfitting } from './overfitting.js';
import {
  deflatedSharpe,
  expectedMaximumSharpe,
  minimumTrackRecord,
  probabilisticSharpe,
  sharpeRecord,
} from './sharpe-significance.js';
import { timingTest } from './timing.js';

interface Golden {
  normalCdf: [number, number][];
  expectedMaximum: [number, number][];
  series: Record<
    string,
    {
      record: { sharpe: number; bars: number; skewness: number; kurtosis: number };
      psr: number;
      psrOverHalf: number;
      minimumTrackRecord: number | null;
      deflated: number;
    }
  >;
  matrices: {
    name: string;
    returns: number[][];
    chunks: number;
    pbo: number;
    probabilityOfLoss: number;
    degradation: number;
    meanLogit: number;
    firstLogits: number[];
  }[];
}
const golden: Golden = read('overfitting.json');
const performance: Record<string, { returns: number[]; barsPerYear: number }> = read('performance.json');

describe('the normal distribution', () => {
  it("is scipy's, far into the tails", () => {
    for (const [x, p] of golden.normalCdf) {
      expect(Math.abs(normalCdf(x) - p)).toBeLessThan(1e-15);
      expect(Math.abs(normalCdf(x) - p)).toBeLessThanOrEqual(1e-12 * p);
    }
    expect(normalCdf(-Infinity)).toBe(0);
    expect(normalCdf(Infinity)).toBe(1);
    expect(normalCdf(Number.NaN)).toBeNaN();
  });

  it('is the inverse of the quantile', () => {
    for (let p = 0.0005; p < 1; p += 0.0099) expect(normalCdf(normalQuantile(p))).toBeCloseTo(p, 13);
  });
});

describe('PSR, DSR and the least track record', () => {
  it.each(Object.keys(golden.series))('follow the formulas on the %s series', (name) => {
    const { returns, barsPerYear } = performance[name];
    const expected = golden.series[name];
    const record = sharpeRecord(Float64Array.from(returns));
    if (record === null) throw new Error('the series moves');
    expect(record.sharpe).toBeCloseTo(expected.record.sharpe, 12);
    expect(record.skewness).toBeCloseTo(expected.record.skewness, 10);
    expect(record.kurtosis).toBeCloseTo(expected.record.kurtosis, 10);
    expect(probabilisticSharpe(record)).toBeCloseTo(expected.psr, 10);
    expect(probabilisticSharpe(record, 0.5 / Math.sqrt(barsPerYear))).toBeCloseTo(expected.psrOverHalf, 10);
    expect(deflatedSharpe(record, 40, 0.3 / Math.sqrt(barsPerYear))).toBeCloseTo(expected.deflated, 10);
    const bars = minimumTrackRecord(record);
    // null: the ratio is negative, and no length would do
    expect(bars ?? -1).toBeCloseTo(expected.minimumTrackRecord ?? -1, 7);
  });

  it("expects of the best of N what the paper's formula says", () => {
    for (const [trials, value] of golden.expectedMaximum)
      expect(expectedMaximumSharpe(trials, 1)).toBeCloseTo(value, 12);
    expect(expectedMaximumSharpe(1, 1)).toBe(0);
  });

  // Bailey and Lopez de Prado (2012): 24 months at 0.458 a month; 0.982 if normal, 0.913 with skew and fat tails
  it("reproduces the published PSR of the paper's hedge fund", () => {
    const normal = { sharpe: 0.458, bars: 24, skewness: 0, kurtosis: 3 };
    expect(probabilisticSharpe(normal)).toBeCloseTo(0.982, 3);
    expect(probabilisticSharpe({ ...normal, skewness: -2.448, kurtosis: 10.164 })).toBeCloseTo(0.913, 3);
  });

  // the same paper: years for an annual Sharpe ratio of 2 to be over 1 at 95%
  it.each([
    ['daily, normal', 250, 0, 3, 2.73],
    ['weekly, normal', 52, 0, 3, 2.83],
    ['monthly, normal', 12, 0, 3, 3.24],
    ['monthly, hedge funds', 12, -0.72, 5.78, 4.99],
  ])('reproduces the published track record: %s', (_, periods, skewness, kurtosis, years) => {
    const record = { sharpe: 2 / Math.sqrt(periods), bars: 1, skewness, kurtosis };
    expect((minimumTrackRecord(record, 1 / Math.sqrt(periods)) ?? 0) / periods).toBeCloseTo(years, 2);
  });

  // Bailey and Lopez de Prado (2014): SR 2.5 a year of 250 days, T 1250, N 100, variance of the trials 1/2
  it('reproduces the published DSR: 0.9004 after 100 trials, 0.9505 after 46, and after 88 if normal', () => {
    const record = { sharpe: 2.5 / Math.sqrt(250), bars: 1250, skewness: -3, kurtosis: 10 };
    const deviation = Math.sqrt(0.5 / 250);
    expect(expectedMaximumSharpe(100, deviation)).toBeCloseTo(0.1132, 4);
    expect(deflatedSharpe(record, 100, deviation)).toBeCloseTo(0.9004, 4);
    expect(deflatedSharpe(record, 46, deviation)).toBeCloseTo(0.9505, 4);
    expect(deflatedSharpe({ ...record, skewness: 0, kurtosis: 3 }, 88, deviation)).toBeCloseTo(0.9505, 3);
  });

  it('falls with every further trial, and with fatter tails', () => {
    const record = { sharpe: 0.15, bars: 500, skewness: -0.5, kurtosis: 6 };
    const after = [1, 2, 10, 100, 1000].map((trials) => deflatedSharpe(record, trials, 0.05) ?? 0);
    expect(after.toSorted((a, b) => b - a)).toEqual(after);
    expect(probabilisticSharpe({ ...record, kurtosis: 20 }) ?? 1).toBeLessThan(probabilisticSharpe(record) ?? 0);
  });

  it('has nothing to say of a flat line, and refuses moments that no distribution has', () => {
    expect(sharpeRecord(new Float64Array(50))).toBeNull();
    expect(sharpeRecord(Float64Array.of(0.1))).toBeNull();
    expect(sharpeRecord(new Float64Array())).toBeNull();
    // excess kurtosis by mistake
    expect(() => probabilisticSharpe({ sharpe: 1.5, bars: 24, skewness: 0, kurtosis: -1 })).toThrow(/must be RAW/);
    expect(minimumTrackRecord({ sharpe: -0.1, bars: 9, skewness: 0, kurtosis: 3 })).toBeNull();
    expect(probabilisticSharpe({ sharpe: 0.1, bars: 1, skewness: 0, kurtosis: 3 })).toBeNull();
    expect(() => expectedMaximumSharpe(0, 1)).toThrow(/STATISTICS_INPUT trials 0/);
    expect(() => expectedMaximumSharpe(3, Number.NaN)).toThrow(/STATISTICS_INPUT deviation/);
  });
});

describe('probability of backtest overfitting', () => {
  it.each(golden.matrices)('is the brute force one on $name', (expected) => {
    const found = backtestOverfitting(
      expected.returns.map((series) => Float64Array.from(series)),
      expected.chunks,
    );
    expect(found.pbo).toBeCloseTo(expected.pbo, 12);
    expect(found.probabilityOfLoss).toBeCloseTo(expected.probabilityOfLoss, 12);
    expect(found.degradation).toBeCloseTo(expected.degradation, 9);
    expect(found.logits.reduce((sum, logit) => sum + logit, 0) / found.splits).toBeCloseTo(expected.meanLogit, 12);
    expected.firstLogits.forEach((logit, i) => expect(found.logits[i]).toBeCloseTo(logit, 12));
  });

  it('is near a half for noise, and 0 where one configuration is always the best', () => {
    let sum = 0;
    const rounds = 12;
    for (let round = 0; round < rounds; round++) sum += backtestOverfitting(noise(round, 10, 320, 0), 10).pbo;
    expect(sum / rounds).toBeGreaterThan(0.35);
    expect(sum / rounds).toBeLessThan(0.75);
    expect(backtestOverfitting(noise(3, 10, 320, 0.01), 10).pbo).toBe(0);
  });

  it('takes the 12,870 halves of 16 chunks, and says what was left out', () => {
    const found = backtestOverfitting(noise(1, 4, 325, 0));
    expect([found.splits, found.chunks, found.dropped]).toEqual([12_870, 16, 5]);
  });

  it('of equal configurations sits in the middle: a tie is no skill', () => {
    const [one] = noise(1, 1, 64, 0);
    const found = backtestOverfitting([one, one, one], 4);
    expect(found.pbo).toBe(1);
    expect([...found.logits]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('refuses one configuration, odd chunks, too few bars, other lengths, NaN', () => {
    const two = noise(1, 2, 64, 0);
    expect(() => backtestOverfitting([two[0]])).toThrow(/the best of one is no choice/);
    expect(() => backtestOverfitting(two, 5)).toThrow(/STATISTICS_INPUT chunks 5: must be even/);
    expect(() => backtestOverfitting(noise(1, 2, 20, 0), 16)).toThrow(/at least 2 of the 20 bars/);
    expect(() => backtestOverfitting([two[0], two[1].subarray(1)], 4)).toThrow(/the same bars/);
    expect(() => backtestOverfitting([two[0], two[1].map((v, t) => (t === 3 ? NaN : v))], 4)).toThrow(
      /returns\[1\]\[3\]/,
    );
  });
});

describe('timing against shifted positions', () => {
  const stream = new RandomStream(5, 'test/timing');
  const marketReturns = Float64Array.from({ length: 600 }, () => 0.01 * stream.normal());

  it('sees positions that know the return', () => {
    const exposure = marketReturns.map((value) => (value > 0 ? 1 : 0));
    const test = timingTest([{ exposure, marketReturns }], 1);
    expect(test?.pValue).toBeCloseTo(1 / 1001, 12);
    const gains = marketReturns.reduce((sum, value) => sum + (value > 0 ? value : 0), 0);
    expect(test?.earned).toBeCloseTo(gains, 12);
  });

  it('gives p-values that are even for positions without knowledge, in a drifting market too', () => {
    const drifting = marketReturns.map((value) => value + 0.003);
    let low = 0;
    for (let trial = 0; trial < 200; trial++) {
      const dice = new RandomStream(trial, 'test/positions');
      let held = 0;
      const exposure = drifting.map(() => (held = dice.uniform() < 0.1 ? 1 - held : held));
      if ((timingTest([{ exposure, marketReturns: drifting }], trial)?.pValue ?? 1) <= 0.1) low += 1;
    }
    expect(low / 200).toBeGreaterThan(0.04);
    expect(low / 200).toBeLessThan(0.17);
  });

  it('has nothing to say where always the same was held, or bars are few; refuses unlike lengths and NaN', () => {
    expect(timingTest([{ exposure: new Float64Array(600).fill(1), marketReturns }], 1)).toBeNull();
    expect(timingTest([], 1)).toBeNull();
    const few = { exposure: Float64Array.of(0, 1, 0), marketReturns: new Float64Array(3) };
    expect(timingTest([few], 1)).toBeNull();
    expect(() => timingTest([{ exposure: new Float64Array(5), marketReturns }], 1)).toThrow(/another number of bars/);
    const broken = { exposure: new Float64Array(600).fill(Number.NaN), marketReturns };
    expect(() => timingTest([broken], 1)).toThrow(/STATISTICS_INPUT exposure\[0\]/);
  });
});

function noise(seed: number, count: number, bars: number, skill: number): Float64Array[] {
  const stream = new RandomStream(seed, 'test/pbo');
  return Array.from({ length: count }, (_, n) =>
    Float64Array.from({ length: bars }, () => 0.01 * stream.normal() + (n === 1 ? skill : 0)),
  );
}

function read<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../test/golden/${name}`, import.meta.url), 'utf8'));
}

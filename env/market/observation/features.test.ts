import * as fc from 'fast-check';
import { ATR, BollingerBands, MACD, RSI, SMA } from 'technicalindicators';
import { describe, expect, it } from 'vitest';
import { arbitraryBars, constantBars, realBars, sliceBars } from '../../../test/support/observation-bars.js';
import { computeFeatures, FEATURE_SETS, MARKET_FEATURE_COUNT } from './index.js';
import type { BarColumns } from './index.js';

/** Every feature from its formula: arrays, two passes, no state between bars. NaN where it does not exist. */
const textbook: Record<string, (bars: BarColumns, t: number) => number> = {
  logReturn1: ({ close }, t) => (t < 1 ? NaN : Math.log(close[t]) - Math.log(close[t - 1])),
  logReturn5: ({ close }, t) => (t < 5 ? NaN : Math.log(close[t]) - Math.log(close[t - 5])),
  smaGap20: ({ close }, t) => close[t] / mean(last(close, t, 20)) - 1,
  smaGap50: ({ close }, t) => close[t] / mean(last(close, t, 50)) - 1,
  emaGap12: ({ close }, t) => close[t] / exponentialMean(close.subarray(0, t + 1), 12, 2 / 13) - 1,
  rsi14: ({ close }, t) => {
    const changes = differences(close.subarray(0, t + 1));
    const gain = exponentialMean(
      changes.map((change) => Math.max(change, 0)),
      14,
      1 / 14,
    );
    const loss = exponentialMean(
      changes.map((change) => Math.max(-change, 0)),
      14,
      1 / 14,
    );
    if (gain + loss <= 1e-9 * close[t]) return 0;
    const strength = 100 - 100 / (1 + gain / loss);
    return strength / 50 - 1;
  },
  macd: ({ close }, t) => macdLine(close, t) / close[t],
  macdHistogram: ({ close }, t) => {
    if (t < 25) return NaN;
    const lines = Float64Array.from({ length: t - 24 }, (_, i) => macdLine(close, 25 + i));
    return (macdLine(close, t) - exponentialMean(lines, 9, 2 / 10)) / close[t];
  },
  bollingerPercentB: ({ close }, t) => {
    const { lower, middle, upper } = bollinger(close, t);
    return upper - lower <= 1e-9 * middle ? 0 : (2 * (close[t] - lower)) / (upper - lower) - 1;
  },
  bollingerWidth: ({ close }, t) => {
    const { lower, middle, upper } = bollinger(close, t);
    return (upper - lower) / middle;
  },
  atr14: ({ high, low, close }, t) => {
    const ranges = Float64Array.from(
      { length: t },
      (_, i) => Math.max(high[i + 1], close[i]) - Math.min(low[i + 1], close[i]),
    );
    return exponentialMean(ranges, 14, 1 / 14) / close[t];
  },
  volumeZ20: ({ volume }, t) => {
    const logs = last(volume, t, 20).map((shares) => Math.log(1 + shares));
    const sd = deviation(logs);
    return sd <= 1e-9 ? 0 : (logs[19] - mean(logs)) / sd;
  },
};

function last(values: Float64Array, t: number, period: number): Float64Array {
  return t + 1 < period ? new Float64Array(period).fill(NaN) : values.slice(t + 1 - period, t + 1);
}
function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
function deviation(values: Float64Array): number {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) * (value - middle))));
}
function differences(values: Float64Array): Float64Array {
  return values.slice(1).map((value, i) => value - values[i]);
}
/** weight x sum (1 - weight)^k x[-k], the mean of the first `period` values taking the place of all that came before. */
function exponentialMean(values: Float64Array, period: number, weight: number): number {
  if (values.length < period) return NaN;
  let result = mean(values.slice(0, period)) * Math.pow(1 - weight, values.length - period);
  for (let k = 0; k < values.length - period; k++) {
    result += weight * Math.pow(1 - weight, k) * values[values.length - 1 - k];
  }
  return result;
}
function macdLine(close: Float64Array, t: number): number {
  const closes = close.subarray(0, t + 1);
  return exponentialMean(closes, 12, 2 / 13) - exponentialMean(closes, 26, 2 / 27);
}
function bollinger(close: Float64Array, t: number): { lower: number; middle: number; upper: number } {
  const closes = last(close, t, 20);
  const middle = mean(closes);
  return { lower: middle - 2 * deviation(closes), middle, upper: middle + 2 * deviation(closes) };
}

function featuresOf(bars: BarColumns): Float32Array {
  return computeFeatures(bars, [{ start: 0, end: bars.close.length }]);
}

function column(features: Float32Array, name: string): Float32Array {
  const index = FEATURE_SETS.v1.features.findIndex((feature) => feature.name === name);
  return features.filter((_, i) => i % MARKET_FEATURE_COUNT === index);
}

/**
 * Where the features of `rows` leave the textbook. float32 carries 6e-8 of the value; the textbook's sums of
 * raw prices carry about 1e-13 of the price.
 */
function departures(bars: BarColumns, rows: readonly number[]): string[] {
  const features = featuresOf(bars);
  return rows.flatMap((t) =>
    FEATURE_SETS.v1.marketFeatures.flatMap(({ name }, i) => {
      const value = textbook[name](bars, t);
      const expected = Number.isNaN(value) ? 0 : value;
      const actual = features[t * MARKET_FEATURE_COUNT + i];
      const close = Math.abs(actual - expected) <= 1e-7 * Math.abs(expected) + 1e-7;
      return close ? [] : [`${name} at bar ${t}: ${actual}, textbook ${expected}`];
    }),
  );
}

describe('market features', () => {
  it('equal their textbook definitions on any valid bars', () => {
    fc.assert(
      fc.property(arbitraryBars(1, 120), (bars) => {
        expect(departures(bars, [...bars.close.keys()])).toEqual([]);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  for (const { name, columns } of realBars()) {
    it(`equal their textbook definitions on ${name}`, () => {
      const rows = Array.from({ length: 40 }, (_, i) => i * 10 + (i % 10));
      expect(departures(sliceBars(columns, 0, 400), rows)).toEqual([]);
    });
  }

  it('are 0 before their indicator exists, and appear at the bar that completes it', () => {
    const bars = constantBars(60, 100, 1000);
    for (let t = 0; t < 60; t++) {
      // a rising price with a growing volume moves every feature
      bars.close[t] = 100 + t * t;
      bars.open[t] = bars.close[t];
      bars.high[t] = bars.close[t] + 1;
      bars.low[t] = bars.close[t] - 1;
      bars.volume[t] = 1000 + t;
    }
    const features = featuresOf(bars);
    const firstBar = Object.fromEntries(
      FEATURE_SETS.v1.marketFeatures.map(({ name }) => [
        name,
        column(features, name).findIndex((value) => value !== 0),
      ]),
    );
    expect(firstBar).toEqual({
      logReturn1: 1,
      logReturn5: 5,
      smaGap20: 19,
      smaGap50: 49,
      emaGap12: 11,
      rsi14: 14,
      macd: 25,
      macdHistogram: 33,
      bollingerPercentB: 19,
      bollingerWidth: 19,
      atr14: 14,
      volumeZ20: 19,
    });
  });

  it('are 0 on flat prices and constant volume, whatever the price', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-4, max: 1e6, noNaN: true }),
        fc.integer({ min: 0, max: 1e9 }),
        (price, volume) => {
          // the library seeds its EMA with a running sum, which leaves residues of 1e-16
          for (const value of featuresOf(constantBars(400, price, volume))) expect(Math.abs(value)).toBeLessThan(1e-14);
        },
      ),
      { numRuns: 30, seed: 2 },
    );
    for (const name of ['smaGap20', 'smaGap50', 'rsi14', 'bollingerPercentB', 'bollingerWidth', 'atr14', 'volumeZ20']) {
      expect(new Set(column(featuresOf(constantBars(100, 0.1, 7)), name))).toEqual(new Set([0]));
    }
  });

  it('are 0 again when prices have stood still long enough after a move', () => {
    const bars = constantBars(600, 100, 0);
    for (let t = 0; t < 100; t++) {
      bars.close[t] = t % 3 === 0 ? 101 : 100;
      bars.high[t] = 101;
    }
    const final = featuresOf(bars).subarray(599 * MARKET_FEATURE_COUNT);
    for (const value of final) expect(Math.abs(value)).toBeLessThan(1e-9);
  });

  it('keep volumeZ20 finite on zero volume, and see the first trade after it', () => {
    const bars = constantBars(60, 50, 0);
    bars.volume[40] = 500;
    const z = column(featuresOf(bars), 'volumeZ20');
    expect(new Set(z.subarray(0, 40))).toEqual(new Set([0]));
    // one value among 20 lies (20 - 1) / sqrt(20 - 1) population deviations from the mean
    expect(z[40]).toBeCloseTo(Math.sqrt(19), 5);
    expect(z[59]).toBeCloseTo(-1 / Math.sqrt(19), 5);
    expect(z.every(Number.isFinite)).toBe(true);
  });

  it('show an overnight gap in the true range and the return', () => {
    const bars = constantBars(40, 100, 10);
    for (const prices of [bars.open, bars.high, bars.low, bars.close]) prices.fill(80, 30);
    const features = featuresOf(bars);
    expect(column(features, 'logReturn1')[30]).toBeCloseTo(Math.log(0.8), 6);
    // 14 true ranges, one of them 20: Wilder's average is 20 / 14
    expect(column(features, 'atr14')[30]).toBeCloseTo(20 / 14 / 80, 6);
    expect(column(features, 'rsi14')[30]).toBe(-1);
  });

  it('are finite on any valid bars', () => {
    fc.assert(
      fc.property(arbitraryBars(1, 400), (bars) => {
        expect(featuresOf(bars).every(Number.isFinite)).toBe(true);
      }),
      { numRuns: 50, seed: 3 },
    );
  });
});

const FLOAT32_ULP = 2 ** -23;

describe('technicalindicators as oracle', () => {
  for (const { name, columns } of realBars()) {
    const bars = sliceBars(columns, 0, 3000);
    const features = featuresOf(bars);
    const values = [...bars.close];
    /** Largest difference, a float32 step apart. The library's results end at the last bar. */
    const worst = (feature: string, results: readonly number[]): number => {
      const actual = column(features, feature).subarray(bars.close.length - results.length);
      return Math.max(...results.map((result, i) => Math.abs(actual[i] - result) - FLOAT32_ULP * Math.abs(result)));
    };
    const close = (results: readonly unknown[], i: number): number =>
      bars.close[bars.close.length - results.length + i];

    it(`agrees on moving averages and bands of ${name}`, () => {
      for (const period of [20, 50]) {
        const sma = SMA.calculate({ period, values });
        const gaps = sma.map((average, i) => close(sma, i) / average - 1);
        expect(worst(`smaGap${period}`, gaps)).toBeLessThan(1e-10);
      }
      const bands = BollingerBands.calculate({ period: 20, stdDev: 2, values });
      const percents = bands.map(({ pb }) => 2 * pb - 1);
      expect(worst('bollingerPercentB', percents)).toBeLessThan(1e-6);
      const widths = bands.map(({ upper, lower, middle }) => (upper - lower) / middle);
      expect(worst('bollingerWidth', widths)).toBeLessThan(1e-10);
    });

    it(`agrees on MACD and ATR of ${name}, and on RSI to the two decimals that it keeps`, () => {
      const periods = { fastPeriod: 12, slowPeriod: 26, signalPeriod: 9 };
      const macd = MACD.calculate({ values, ...periods, SimpleMAOscillator: false, SimpleMASignal: false });
      const lines = macd.map((result, i) => (result.MACD ?? NaN) / close(macd, i));
      expect(worst('macd', lines)).toBeLessThanOrEqual(0);
      const histograms = macd.map((result, i) => (result.histogram ?? 0) / close(macd, i));
      expect(worst('macdHistogram', histograms)).toBeLessThanOrEqual(0);
      const ranges = ATR.calculate({ period: 14, high: [...bars.high], low: [...bars.low], close: values });
      expect(
        worst(
          'atr14',
          ranges.map((range, i) => range / close(ranges, i)),
        ),
      ).toBeLessThanOrEqual(0);
      const strengths = RSI.calculate({ period: 14, values }).map((rsi) => rsi / 50 - 1);
      expect(worst('rsi14', strengths)).toBeLessThan(0.0051 / 50);
    });
  }
});

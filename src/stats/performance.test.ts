import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { barsPerYear } from './annualisation.js';
import type { EquityPath } from './equity-path.js';
import { computePerformance } from './performance.js';
import { roundTrips, type TradeFill } from './round-trips.js';

const DAY_MS = 86_400_000;

interface Golden {
  barsPerYear: number;
  returns: number[];
  cagr: number;
  volatility: number;
  sharpe: number;
  sortino: number;
  totalReturn: number;
  maxDrawdown: number;
  longestDrawdownBars: number;
}

const golden: Record<string, Golden> = JSON.parse(
  readFileSync(new URL('../../test/golden/performance.json', import.meta.url), 'utf8'),
);

function pathOf(initialEquity: number, equity: readonly number[], more: Partial<EquityPath> = {}): EquityPath {
  return {
    initialEquity,
    equity: Float64Array.from(equity),
    timeMs: Float64Array.from(equity, (_, t) => t * DAY_MS),
    exposure: new Float64Array(equity.length),
    costs: new Float64Array(equity.length),
    ...more,
  };
}

function performanceOf(path: EquityPath, annual = 252): ReturnType<typeof computePerformance> {
  return computePerformance({ path, trades: [], tradedValue: 0, barsPerYear: annual });
}

describe('against empyrical', () => {
  it.each(Object.keys(golden))('agrees on the %s series', (name) => {
    const series = golden[name];
    let equity = 1000;
    const path = pathOf(
      1000,
      series.returns.map((value) => (equity *= 1 + value)),
    );
    const performance = performanceOf(path, series.barsPerYear);
    expect(performance.totalReturn).toBeCloseTo(series.totalReturn, 12);
    expect(performance.cagr).toBeCloseTo(series.cagr, 10);
    expect(performance.volatility).toBeCloseTo(series.volatility, 10);
    expect(performance.sharpe).toBeCloseTo(series.sharpe, 8);
    expect(performance.sortino).toBeCloseTo(series.sortino, 8);
    expect(performance.maxDrawdown).toBeCloseTo(series.maxDrawdown, 12);
    expect(performance.longestDrawdownBars).toBe(series.longestDrawdownBars);
  });
});

describe('by hand', () => {
  it('computes returns, ratios and drawdowns of five bars', () => {
    // returns +10%, -10%, 0, +20%, -5%: mean 0.03, squared deviations .0049 .0169 .0009 .0289 .0064
    const performance = performanceOf(pathOf(100, [110, 99, 99, 118.8, 112.86]), 10);
    expect(performance.totalReturn).toBeCloseTo(0.1286, 12);
    expect(performance.years).toBe(0.5);
    expect(performance.cagr).toBeCloseTo(1.1286 ** 2 - 1, 12);
    expect(performance.volatility).toBeCloseTo(Math.sqrt(0.058 / 4) * Math.sqrt(10), 12);
    expect(performance.sharpe).toBeCloseTo((0.03 / Math.sqrt(0.0145)) * Math.sqrt(10), 12);
    // downside: 0.1^2 + 0.05^2 over five bars
    expect(performance.sortino).toBeCloseTo((0.03 / Math.sqrt(0.0125 / 5)) * Math.sqrt(10), 10);
    expect(performance.maxDrawdown).toBeCloseTo(-0.1, 12);
    // peak at bar 0, regained at bar 3
    expect(performance.maxDrawdownBars).toBe(3);
    expect(performance.maxDrawdownDays).toBe(3);
    expect(performance.maxDrawdownRecovered).toBe(true);
    expect(performance.longestDrawdownBars).toBe(3);
  });

  it('counts a drawdown that begins at once from the start, and one that lasts to the end', () => {
    const performance = performanceOf(pathOf(100, [90, 95, 80, 85]));
    expect(performance.maxDrawdown).toBeCloseTo(-0.2, 12);
    expect(performance.maxDrawdownBars).toBe(4);
    expect(performance.maxDrawdownRecovered).toBe(false);
  });

  it('tells the deepest drawdown from the longest', () => {
    const performance = performanceOf(pathOf(100, [100, 50, 110, 109, 109, 109, 109, 111]));
    expect(performance.maxDrawdown).toBeCloseTo(-0.5, 12);
    expect(performance.maxDrawdownBars).toBe(2);
    expect(performance.longestDrawdownBars).toBe(5);
  });

  it('divides traded value by mean equity, and counts exposure, costs and trades', () => {
    const fills: TradeFill[] = [
      fill(1, 10, 10, 1, 10),
      fill(2, -10, 12, 1, 0),
      fill(3, -5, 12, 1, -5),
      fill(4, 5, 14, 1, 0),
    ];
    const path = pathOf(1000, [1000, 1000, 1018, 1017, 1006], {
      exposure: Float64Array.of(0, 0.5, 0, -0.25, 0),
      costs: Float64Array.of(0, 1, 1, 1, 1),
    });
    const performance = computePerformance({
      path,
      trades: roundTrips('X', fills),
      tradedValue: 100 + 120 + 60 + 70,
      barsPerYear: 252,
    });
    expect(performance.turnover).toBeCloseTo(350 / ((1000 + 1000 + 1018 + 1017 + 1006) / 5), 12);
    expect(performance.turnoverPerYear).toBeCloseTo((performance.turnover * 252) / 5, 10);
    expect(performance.exposure).toBe(0.4);
    expect(performance.meanExposure).toBeCloseTo(0.05, 12);
    expect(performance.meanGrossExposure).toBeCloseTo(0.15, 12);
    expect(performance.trades).toBe(2);
    expect(performance.winRate).toBe(0.5);
    // +20 - 2 of the long, -10 - 2 of the short
    expect(performance.profitFactor).toBeCloseTo(18 / 12, 12);
    expect(performance.averageTradePnl).toBeCloseTo(3, 12);
    expect(performance.averageTradeReturn).toBeCloseTo((18 / 100 - 12 / 60) / 2, 12);
    expect(performance.costsPaid).toBe(4);
    expect(performance.costsShare).toBeCloseTo(0.004, 12);
  });
});

describe('what its data cannot give is null', () => {
  it('has no ratios for a flat line', () => {
    const performance = performanceOf(pathOf(100, [100, 100, 100]));
    expect(performance).toMatchObject({ sharpe: null, sortino: null, volatility: 0, cagr: 0, maxDrawdown: 0 });
    expect(performance).toMatchObject({ winRate: null, profitFactor: null, averageTradePnl: null, maxDrawdownBars: 0 });
  });

  it('has no Sortino ratio without a loss, and no profit factor without a losing trade', () => {
    const path = pathOf(100, [101, 102, 104]);
    const trades = roundTrips('X', [fill(0, 1, 10, 0, 1), fill(1, -1, 14, 0, 0)]);
    const performance = computePerformance({ path, trades, tradedValue: 24, barsPerYear: 252 });
    expect(performance.sortino).toBeNull();
    expect(performance.sharpe).toBeGreaterThan(0);
    expect(performance).toMatchObject({ winRate: 1, profitFactor: null });
  });

  it('survives one bar, none, and ruin, in JSON', () => {
    for (const equity of [[], [100], [50, 0, 0], [50, -10, -10]]) {
      const performance = performanceOf(pathOf(100, equity));
      const numbers = Object.values(performance).filter((figure) => typeof figure === 'number');
      expect(numbers.every(Number.isFinite)).toBe(true);
      expect(JSON.parse(JSON.stringify(performance))).toEqual(performance);
    }
    expect(performanceOf(pathOf(100, [50, 0, 0])).cagr).toBe(-1);
  });
});

describe('bars a year', () => {
  const none = new Float64Array(0);
  it.each([
    ['XNYS', DAY_MS, 252],
    ['XNYS', 60_000, 252 * 390],
    ['XNYS', 3_600_000, 252 * 7],
    ['XNYS', 7 * DAY_MS, 365.25 / 7],
    ['FX', 3_600_000, (365.25 * 5 * 24) / 7],
    ['24x7', 60_000, 365.25 * 1440],
  ])('%s at %i ms has %f', (calendar, intervalMs, expected) => {
    expect(barsPerYear(calendar, intervalMs, none)).toBeCloseTo(expected, 9);
  });

  it('measures a calendar that has no rule', () => {
    const timeMs = Float64Array.from({ length: 101 }, (_, t) => t * 2 * DAY_MS);
    expect(barsPerYear('XLON', DAY_MS, timeMs)).toBeCloseTo(365.25 / 2, 9);
  });
});

function fill(barIndex: number, quantity: number, price: number, commission: number, positionAfter: number): TradeFill {
  return { barIndex, timeMs: barIndex * DAY_MS, quantity, price, commission, reason: 'buy', positionAfter };
}

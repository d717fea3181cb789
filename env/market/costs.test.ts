import { expect, it } from 'vitest';
import { DEFAULT_MARKET_CONFIG } from './config.js';
import { borrowCost, CostModel, ibkrFixedCommission } from './costs.js';
import { usShare } from './instrument.js';
import { feePeriodOf, regulatoryFees } from './regulatory-fees.js';

const DAY_MS = 86_400_000;
const day = (date: string): number => Date.parse(`${date}T00:00:00Z`) / DAY_MS;
const stock = usShare('TEST');

it("charges Interactive Brokers' fixed commission", () => {
  expect(ibkrFixedCommission(100, 25)).toBe(1);
  expect(ibkrFixedCommission(1000, 25)).toBe(5);
  expect(ibkrFixedCommission(1000, 0.25)).toBe(2.5);
});

it('adds dated regulatory fees to sales only', () => {
  const costs = new CostModel({ ...DEFAULT_MARKET_CONFIG.costs, model: 'ibkr_fixed' }, stock);
  const period = feePeriodOf(day('2018-05-22'));
  // bought 1,000 at 25: 1,000 x 0.005 = 5.00; sold: 5.00 + 25,000 x 13.00e-6 = 0.325 + 1,000 x 0.000119 = 0.119
  expect(costs.commission(1000, 25, period)).toBe(5);
  expect(costs.commission(-1000, 25, period)).toBeCloseTo(5.444, 12);
});

it('changes a rate on its first day, not before', () => {
  expect(regulatoryFees(0, 25, feePeriodOf(day('2018-05-21')))).toBe(0);
  const feeOfMillion = (date: string): number => regulatoryFees(1, 1e6, feePeriodOf(day(date)));
  expect(feeOfMillion('2018-05-21')).toBeCloseTo(23.1, 3);
  expect(feeOfMillion('2018-05-22')).toBeCloseTo(13.0, 3);
  expect(feeOfMillion('2025-05-13')).toBeCloseTo(27.8, 3);
  expect(feeOfMillion('2025-05-14')).toBeCloseTo(0, 3);
  expect(feeOfMillion('2026-04-03')).toBeCloseTo(0, 3);
  expect(feeOfMillion('2026-04-04')).toBeCloseTo(20.6, 3);
  expect(feeOfMillion('2010-02-01')).toBeCloseTo(12.7, 3);
  expect(feeOfMillion('1999-02-01')).toBeCloseTo(25.7, 3);
});

it('caps the trading activity fee per trade', () => {
  // 100,000 shares x 0.000166 = 16.60, capped at 8.30
  expect(regulatoryFees(100_000, 0, feePeriodOf(day('2025-06-02')))).toBe(8.3);
  expect(regulatoryFees(100_000, 0, feePeriodOf(day('2026-06-02')))).toBe(9.79);
});

it('charges borrow on the collateral, rounded up to the dollar, by calendar days', () => {
  // 1.02 x 97.31 = 99.2562 -> 100; 200 shares -> 20,000 x 3% x 3 / 360 = 5.00
  expect(borrowCost(200, 97.31, 0.03, 3)).toBeCloseTo(5, 12);
  // 1.02 x 100 = 102 exactly, not 103
  expect(borrowCost(1, 100, 0.36, 1)).toBeCloseTo(0.102, 12);
});

it('charges a percentage of the traded value at both sides', () => {
  const costs = new CostModel({ ...DEFAULT_MARKET_CONFIG.costs, model: 'percent', percent_bps: 10 }, stock);
  expect(costs.commission(-100, 50, 0)).toBeCloseTo(5, 12);
  expect(costs.commission(100, 50, 0)).toBeCloseTo(5, 12);
});

it('refuses stock commissions for a currency pair', () => {
  const pair = { ...stock, symbol: 'EURUSD', securityType: 'CASH' } as const;
  expect(() => new CostModel(DEFAULT_MARKET_CONFIG.costs, pair)).toThrow('costs.model');
});

/** The metrics that a comparison shows, and how they read. */
import type { CompareMetric } from './compare-model.js';
import { decimal, percent } from './format.js';

const signed = (value: number | null): string => percent(value, 1, true);
const plain = (value: number | null): string => percent(value);
const two = (value: number | null): string => decimal(value, 2);
const one = (value: number | null): string => decimal(value, 1);

/** Of an account in a market: keys of `Performance`, and the excess over buy-and-hold. */
export const MARKET_METRICS: readonly CompareMetric[] = [
  { key: 'sharpe', label: 'Sharpe ratio', better: 'higher', show: two },
  { key: 'totalReturn', label: 'Total return', better: 'higher', show: signed },
  { key: 'excessOverHold', label: 'Against buy-and-hold', better: 'higher', show: signed },
  { key: 'sortino', label: 'Sortino ratio', better: 'higher', show: two },
  { key: 'calmar', label: 'Calmar ratio', better: 'higher', show: two },
  { key: 'maxDrawdown', label: 'Max drawdown', better: 'higher', show: signed },
  { key: 'conditionalValueAtRisk', label: 'CVaR 95%, a bar', better: 'higher', show: (v) => percent(v, 3, true) },
  { key: 'volatility', label: 'Volatility a year', better: null, show: plain },
  { key: 'exposure', label: 'Exposure', better: null, show: plain },
  { key: 'turnoverPerYear', label: 'Turnover a year', better: null, show: one },
  { key: 'trades', label: 'Trades', better: null, show: one },
  { key: 'winRate', label: 'Win rate', better: null, show: plain },
  { key: 'costsShare', label: 'Costs, of equity', better: 'lower', show: (v) => percent(v, 2) },
];

/** Of a classic environment: the mean return of its episodes. */
export const CLASSIC_METRICS: readonly CompareMetric[] = [
  { key: 'score', label: 'Mean episode return', better: 'higher', show: two },
];

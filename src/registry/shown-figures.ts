/** Which of an evaluation's figures the model card and the comparison of two bundles show, and how. */
import { decimal, percent, whole } from '#src/report/format.js';
import type { BundledFigures } from './manifest.js';

export interface ShownFigure {
  readonly label: string;
  /** Its name in metrics.json. */
  readonly key: string;
  readonly show: (figure: number | null) => string;
}

const signed = (figure: number | null): string => percent(figure, 1, true);

export const SHOWN_FIGURES: readonly ShownFigure[] = [
  { label: 'Total return', key: 'totalReturn', show: signed },
  { label: 'Sharpe ratio', key: 'sharpe', show: decimal },
  { label: 'Sortino ratio', key: 'sortino', show: decimal },
  { label: 'Max drawdown', key: 'maxDrawdown', show: signed },
  { label: 'Volatility a year', key: 'volatility', show: (figure) => percent(figure) },
  { label: 'Exposure', key: 'exposure', show: (figure) => percent(figure) },
  { label: 'Turnover a year', key: 'turnoverPerYear', show: (figure) => decimal(figure, 1) },
  { label: 'Trades', key: 'trades', show: whole },
  { label: 'Costs, of equity', key: 'costsShare', show: (figure) => percent(figure, 2) },
];

export function figureOf(figures: BundledFigures, key: string): number | null {
  const figure = figures[key];
  return typeof figure === 'number' ? figure : null;
}

const ACTOR_NAMES: Readonly<Record<string, string>> = { hold: 'buy-and-hold', 'sma-cross': 'SMA cross' };

export const actorName = (name: string): string => ACTOR_NAMES[name] ?? name;

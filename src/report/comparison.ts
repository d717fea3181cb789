/** The table of the agent against the baselines: one list of figures for the terminal and for the page. */
import { quantile } from '#src/stats/bootstrap.js';
import type { Performance } from '#src/stats/performance.js';
import { decimal, MISSING, percent, whole } from './format.js';
import type { ReportActor } from './model.js';
import { textTable } from './text-table.js';

interface Figure {
  readonly label: string;
  readonly of: (performance: Performance) => number | null;
  readonly show: (figure: number | null) => string;
}

const signedPercent = (figure: number | null): string => percent(figure, 1, true);
/** A minute's loss has few hundredths of a percent. */
const finePercent = (figure: number | null): string =>
  percent(figure, figure !== null && figure !== 0 && Math.abs(figure) < 0.001 ? 3 : 2, true);
const plainPercent = (figure: number | null): string => percent(figure);
const two = (figure: number | null): string => decimal(figure, 2);

const FIGURES: readonly Figure[] = [
  { label: 'Total return', of: (p) => p.totalReturn, show: signedPercent },
  { label: 'CAGR', of: (p) => p.cagr, show: signedPercent },
  { label: 'Volatility a year', of: (p) => p.volatility, show: plainPercent },
  { label: 'Sharpe ratio', of: (p) => p.sharpe, show: two },
  { label: 'Sortino ratio', of: (p) => p.sortino, show: two },
  { label: 'Calmar ratio', of: (p) => p.calmar, show: two },
  { label: 'Omega ratio', of: (p) => p.omega, show: two },
  { label: 'VaR 95%, a bar', of: (p) => p.valueAtRisk, show: finePercent },
  { label: 'CVaR 95%, a bar', of: (p) => p.conditionalValueAtRisk, show: finePercent },
  { label: 'Ulcer index', of: (p) => p.ulcerIndex, show: plainPercent },
  { label: 'Max drawdown', of: (p) => p.maxDrawdown, show: signedPercent },
  { label: 'Drawdown, bars', of: (p) => p.maxDrawdownBars, show: whole },
  {
    label: 'Drawdown, days',
    of: (p) => p.maxDrawdownDays,
    show: (days) => decimal(days, days !== null && days < 10 ? 1 : 0),
  },
  { label: 'Exposure', of: (p) => p.exposure, show: plainPercent },
  { label: 'Turnover, x equity', of: (p) => p.turnover, show: two },
  { label: 'Turnover a year', of: (p) => p.turnoverPerYear, show: (value) => decimal(value, 1) },
  {
    label: 'Trades',
    of: (p) => p.trades,
    show: (count) => decimal(count, 1).replace(/\.0$/, ''),
  },
  { label: 'Win rate', of: (p) => p.winRate, show: plainPercent },
  { label: 'Profit factor', of: (p) => p.profitFactor, show: two },
  { label: 'Average trade', of: (p) => p.averageTradeReturn, show: (share) => percent(share, 2, true) },
  { label: 'Costs paid', of: (p) => p.costsPaid, show: whole },
  { label: 'Costs, of equity', of: (p) => p.costsShare, show: (share) => percent(share, 2) },
];

export interface Comparison {
  readonly columns: readonly string[];
  readonly rows: readonly { readonly label: string; readonly cells: readonly string[] }[];
}

/** One column an actor, and two for the random traders: their mean, and the range of the middle 90% of them. */
export function comparisonOf(actors: readonly ReportActor[], random: readonly ReportActor[]): Comparison {
  const columns = [...actors.map(({ name }) => name), ...(random.length > 0 ? ['random', 'middle 90%'] : [])];
  const rows = FIGURES.map(({ label, of, show }) => {
    const cells = actors.map(({ performance }) => show(of(performance)));
    if (random.length > 0) cells.push(...randomCells(random, of, show));
    return { label, cells };
  });
  return { columns, rows };
}

function randomCells(random: readonly ReportActor[], of: Figure['of'], show: Figure['show']): string[] {
  const sorted = Float64Array.from(
    random.map(({ performance }) => of(performance)).filter((figure) => figure !== null),
  ).sort();
  if (sorted.length === 0) return [MISSING, MISSING];
  const mean = sorted.reduce((sum, figure) => sum + figure, 0) / sorted.length;
  return [show(mean), `${show(quantile(sorted, 0.05))} to ${show(quantile(sorted, 0.95))}`];
}

/** The comparison for a terminal: columns aligned, plain minus signs. */
export function comparisonText({ columns, rows }: Comparison): string {
  return textTable([['', ...columns], ...rows.map(({ label, cells }) => [label, ...cells])]);
}

/** The table of the agent against the baselines: one list of figures for the terminal and for the page. */
import { quantile } from '#src/stats/bootstrap.js';
import type { Performance } from '#src/stats/performance.js';
import { decimal, MISSING, percent, whole } from './format.js';
import type { ReportActor } from './model.js';

interface Figure {
  readonly label: string;
  readonly of: (performance: Performance) => number | null;
  readonly show: (figure: number | null) => string;
}

const signedPercent = (figure: number | null): string => percent(figure, 1, true);
const plainPercent = (figure: number | null): string => percent(figure);
const two = (figure: number | null): string => decimal(figure, 2);

const FIGURES: readonly Figure[] = [
  { label: 'Total return', of: (p) => p.totalReturn, show: signedPercent },
  { label: 'CAGR', of: (p) => p.cagr, show: signedPercent },
  { label: 'Volatility a year', of: (p) => p.volatility, show: plainPercent },
  { label: 'Sharpe ratio', of: (p) => p.sharpe, show: two },
  { label: 'Sortino ratio', of: (p) => p.sortino, show: two },
  { label: 'Max drawdown', of: (p) => p.maxDrawdown, show: signedPercent },
  { label: 'its length, bars', of: (p) => p.maxDrawdownBars, show: whole },
  {
    label: 'its length, days',
    of: (p) => p.maxDrawdownDays,
    show: (days) => decimal(days, days !== null && days < 10 ? 1 : 0),
  },
  { label: 'Exposure', of: (p) => p.exposure, show: plainPercent },
  { label: 'Turnover, x equity', of: (p) => p.turnover, show: two },
  { label: 'Turnover a year', of: (p) => p.turnoverPerYear, show: (value) => decimal(value, 1) },
  {
    label: 'Trades',
    of: (p) => p.trades,
    show: (count) => decimal(count, count !== null && !Number.isInteger(count) ? 1 : 0),
  },
  { label: 'Win rate', of: (p) => p.winRate, show: plainPercent },
  { label: 'Profit factor', of: (p) => p.profitFactor, show: two },
  { label: 'Average trade', of: (p) => p.averageTradeReturn, show: (share) => percent(share, 2, true) },
  { label: 'Costs paid', of: (p) => p.costsPaid, show: whole },
  { label: 'Costs, of equity', of: (p) => p.costsShare, show: (share) => percent(share, 2) },
];

export interface Comparison {
  readonly columns: readonly string[];
  readonly rows: readonly {
    readonly label: string;
    readonly cells: readonly string[];
    readonly notes: readonly string[];
  }[];
}

/**
 * One column an actor, and one for the random traders: the mean, with the range of the middle 90% as the cell's
 * note. `notes` has one text a cell, empty where there is none.
 */
export function comparisonOf(actors: readonly ReportActor[], random: readonly ReportActor[]): Comparison {
  const columns = [...actors.map(({ name }) => name), ...(random.length > 0 ? ['random (mean)'] : [])];
  const rows = FIGURES.map(({ label, of, show }) => {
    const cells = actors.map(({ performance }) => show(of(performance)));
    const notes = actors.map(() => '');
    if (random.length > 0) {
      const figures = random.map(({ performance }) => of(performance)).filter((figure) => figure !== null);
      const sorted = Float64Array.from(figures).sort();
      const mean = sorted.reduce((sum, figure) => sum + figure, 0) / sorted.length;
      cells.push(sorted.length > 0 ? show(mean) : MISSING);
      notes.push(sorted.length > 0 ? `${show(quantile(sorted, 0.05))} to ${show(quantile(sorted, 0.95))}` : '');
    }
    return { label, cells, notes };
  });
  return { columns, rows };
}

/** The comparison for a terminal: columns aligned, the random traders' middle 90% behind their mean. */
export function comparisonText({ columns, rows }: Comparison): string {
  const table = [
    ['', ...columns],
    ...rows.map(({ label, cells, notes }) => [
      label,
      ...cells.map((cell, k) => (notes[k] === '' ? cell : `${cell} [${notes[k]}]`)),
    ]),
  ];
  const widths = table[0].map((_, k) => Math.max(...table.map((row) => row[k].length)));
  return table
    .map((row) =>
      row
        .map((cell, k) => (k === 0 ? cell.padEnd(widths[k]) : cell.padStart(widths[k])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

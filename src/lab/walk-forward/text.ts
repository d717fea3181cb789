/** A walk-forward for a terminal. */
import { counted, dateOf, decimal, percent, range } from '#src/report/format.js';
import { plainText, textTable } from '#src/report/text-table.js';
import { isTree } from '#src/config/yaml-source.js';
import type { Interval } from '#src/stats/bootstrap.js';
import type { WalkForwardPlan } from './plan.js';
import { figuresOf, type WalkForwardOutcome } from './walk-forward.js';

/** Which bars each window learns from, chooses on and is judged on. */
export function planText({ scheme, windows, paths, unjudged }: WalkForwardPlan): string[] {
  const shown = (from: string | null, to: string | null): string => `${short(from)} - ${short(to)}`;
  const rows = windows.map(({ name, config: { data }, test, bars }) => [
    name,
    shown(data?.train.from ?? null, data?.train.to ?? null),
    String(bars.train),
    ...(scheme === 'combinatorial'
      ? []
      : [data?.validation ? shown(data.validation.from, data.validation.to) : '-', String(bars.validation)]),
    test.map(({ span }) => `${dateOf(span.fromMs)} - ${dateOf(span.toMs)}`).join(', '),
    String(bars.test),
  ]);
  const head = [
    'window',
    'train',
    'bars',
    ...(scheme === 'combinatorial' ? [] : ['validation', 'bars']),
    'test',
    'bars',
  ];
  const { before, between, after } = unjudged;
  const count = paths.length === 1 ? 'one stitched account' : `${paths.length} paths over all bars`;
  return [
    textTable([head, ...rows]),
    `${scheme}, ${windows.length} windows, ${count} a seed; bars that nothing is judged on: ${before} before, ${between} between, ${after} after`,
  ];
}

export function walkForwardText({ record, stitched, folder }: WalkForwardOutcome): string[] {
  const several = stitched.some(({ path }) => path > 0);
  const rows = stitched.map(({ seed, path, summary }) => {
    const { sharpe, totalReturn, excessOverHold } = figuresOf(summary);
    const statistics = isTree(summary['statistics']) ? summary['statistics'] : {};
    const verdict = isTree(summary['verdict']) ? summary['verdict'] : {};
    const agent = isTree(summary['agent']) ? summary['agent'] : {};
    const drawdown = typeof agent['maxDrawdown'] === 'number' ? agent['maxDrawdown'] : null;
    return [
      String(seed),
      ...(several ? [String(path + 1)] : []),
      percent(totalReturn, 1, true),
      decimal(sharpe),
      range(intervalOf(statistics['sharpe']), (value) => decimal(value)),
      percent(drawdown),
      percent(excessOverHold, 1, true),
      range(intervalOf(statistics['excessOverHold']), (value) => percent(value, 1, true)),
      String(verdict['headline'] ?? '-'),
    ];
  });
  const head = [
    'seed',
    ...(several ? ['path'] : []),
    'return',
    'Sharpe',
    '95% of it',
    'drawdown',
    'over hold',
    '95% of it',
    'verdict',
  ];
  const lines = rows.length === 0 ? ['no seed has all its windows'] : [textTable([head, ...rows])];
  const names = { sharpe: 'Sharpe ratio', totalReturn: 'return', excessOverHold: 'return over buy-and-hold' } as const;
  for (const [key, name] of Object.entries(names)) {
    const figure = record.figures[key] ?? null;
    if (figure === null) continue;
    const format = (value: number): string => (key === 'sharpe' ? decimal(value) : percent(value, 1, true));
    const over =
      figure.interval === null ? 'too few seeds for an interval' : `95% over seeds ${range(figure.interval, format)}`;
    lines.push(
      plainText(
        `${name}, interquartile mean of ${counted(stitched.length, 'stitched account')}: ${format(figure.iqm)} (${over})`,
      ),
    );
  }
  const { before, between, after } = record.unjudged;
  lines.push(`bars that nothing is judged on: ${before} before, ${between} between, ${after} after`);
  lines.push(`Record: ${folder}`);
  return lines;
}

function intervalOf(value: unknown): Interval | null {
  if (!isTree(value)) return null;
  const { estimate, low, high, confidence } = value;
  return typeof estimate === 'number' &&
    typeof low === 'number' &&
    typeof high === 'number' &&
    typeof confidence === 'number'
    ? { estimate, low, high, confidence }
    : null;
}

/** 2011-01-26T14:30Z as 2011-01-26 14:30 */
function short(text: string | null): string {
  return text === null ? 'the end' : dateOf(Date.parse(text));
}

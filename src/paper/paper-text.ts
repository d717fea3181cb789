/** A paper session in words: what it proves and what it does not. */
import { counted } from '#src/report/format.js';
import { plainText } from '#src/report/text-table.js';
import { disagreement } from './evidence.js';
import { repeatsBacktest } from './parity.js';
import type { PaperReport } from './report.js';
import { reportSections } from './report-rows.js';

const clock = (timeMs: number): string => new Date(timeMs).toISOString().slice(0, 16).replace('T', ' ');
const MOST_DIFFERENCES = 5;
const WIDEST_DIFFERENCE = 160;

/** What is true of every paper session. */
export const PLUMBING =
  'Paper proves the plumbing, not the slippage: no simulated fill says what a real market would have paid.';

export function paperText(report: PaperReport): string {
  const sections = reportSections(report);
  const labels = Math.max(...sections.flatMap(({ rows }) => rows.map(([label]) => label.length)));
  const figures = Math.max(...sections.flatMap(({ rows }) => rows.map(([, figure]) => figure.length)));
  const lines = [
    '',
    headline(report),
    ...sections.flatMap(({ title, rows }) => [
      '',
      title,
      ...rows.map(([label, figure, note]) =>
        `  ${label.padEnd(labels)}  ${figure.padStart(figures)}  ${note}`.trimEnd(),
      ),
    ]),
    '',
    ...conclusions(report),
  ];
  return plainText(lines.join('\n'));
}

export function headline({ name, bundle, symbols, from, to, marketDays, kind, account }: PaperReport): string {
  const where = kind === 'simulated' ? 'the simulated gateway' : 'a paper account';
  return `${name} ${bundle.slice(0, 16)} on ${symbols.join(', ')}, ${from} to ${to} (${counted(marketDays, 'market day')}), ${account} at ${where}`;
}

/** The sentences that a reader must not miss. */
export function conclusions(report: PaperReport): string[] {
  const { parity, session, equity, knownDays, marketDays } = report;
  const why = disagreement(report);
  const exact = session?.fills === 'backtest';
  const sentences = [
    why !== null
      ? `What ran is NOT what was tested: ${why}.`
      : exact && !repeatsBacktest(parity)
        ? 'The run does NOT repeat the backtest, though fills follow its rules.'
        : exact
          ? 'The run repeats the backtest, action for action and cent for cent.'
          : 'What ran is the code that was tested; fills met another market than the model, so that prices and what follows from them differ.',
  ];
  if (why !== null || (exact && !repeatsBacktest(parity)))
    for (const { symbol, timeMs, what, backtest, live } of parity.differences.slice(0, MOST_DIFFERENCES))
      sentences.push(
        `  ${clock(timeMs)} ${symbol} ${what}: backtest ${backtest}, here ${live}`.slice(0, WIDEST_DIFFERENCE),
      );
  if (session?.faults === true) sentences.push('Things were broken on purpose in this session.');
  if (equity !== null) sentences.push(`Return: ${equity.verdict}.`);
  if (knownDays > 0)
    sentences.push(
      `The bundle was trained or chosen on ${knownDays} of these ${counted(marketDays, 'market day')}: they prove plumbing, and say nothing of the return.`,
    );
  sentences.push(PLUMBING);
  return sentences;
}

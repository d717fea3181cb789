/** The proofs as a table to read. */
import type { Interval } from '#src/stats/bootstrap.js';
import { fail } from '#src/errors.js';
import type { Figures, ProofResult, SeedResult } from './prove.js';
import type { Target } from './prove-proofs.js';

export function proofText(result: ProofResult): string {
  const { title, steps, paths, pathSteps, target, optimum, references, runs, information, passed } = result;
  const share = target.kind !== 'no-edge';
  const header = ['', 'log-return a step', 'units traded a step'];
  if (share) header.push('share of the optimum', 'in the long run');
  else header.push("of random's turnover", 'excess over flat a step');
  const rows = [
    header,
    ...references.map((figures) => [figures.name, ...common(figures)]),
    ...runs.map((run) => [
      `policy, seed ${run.seed}`,
      ...common(run),
      ...(share ? shareCells(run) : [percent(run.turnoverOfRandom, 3), interval(run.excessOverFlat, rate)]),
      run.passed === null ? '' : run.passed ? 'ok' : 'MISSED',
    ]),
  ];
  const lines = [
    title,
    `${steps} training steps; ${paths} common paths of ${pathSteps} steps; optimum in the long run ${rate(optimum)} a step`,
    ...aligned(rows),
  ];
  if (information !== null) {
    lines.push(
      `the features explain ${percent(information.rSquared, 1)} of the state's variance; the best policy on that estimate reaches ${interval(information.share, (x) => percent(x, 1))} of the optimum`,
    );
  }
  if (result.meanShare !== null) {
    const peer =
      result.peerShare === null ? '' : `; stable-baselines3's at the same settings: ${percent(result.peerShare, 1)}`;
    lines.push(`mean share of the seeds: ${percent(result.meanShare, 1)}${peer}`);
  }
  if (!share) lines.push(`excess over flat, all seeds together: ${interval(result.excessOverFlat, rate)}`);
  const headlines = [...new Set(runs.map(({ verdict }) => verdict.headline))];
  lines.push(`verdict: ${headlines.join(', ')}`);
  lines.push(
    passed === null ? 'no target: reported only' : `target: ${targetText(target)}: ${passed ? 'reached' : 'MISSED'}`,
  );
  return lines.join('\n');
}

function targetText(target: Target): string {
  if (target.kind === 'share')
    return `each seed at least ${percent(target.least, 1)} of the optimum on the common paths`;
  if (target.kind === 'mean-share')
    return `the seeds' mean at least ${percent(target.least, 1)} of the optimum on the common paths`;
  if (target.kind === 'report') return 'none';
  return `turnover of each seed under ${percent(target.turnoverBelow, 0)} of random's, the interval of the excess over flat contains 0, the verdict is "no edge"`;
}

const common = ({ perStep, turnover }: Figures): string[] => [rate(perStep), turnover.toFixed(5)];

function shareCells({ share, shareOnGrid }: SeedResult): string[] {
  return [
    share === null ? '' : interval(share, (x) => percent(x, 1)),
    shareOnGrid === null ? '' : percent(shareOnGrid, 1),
  ];
}

function interval({ estimate, low, high }: Interval, write: (value: number) => string): string {
  return `${write(estimate)} [${write(low)}, ${write(high)}]`;
}

const rate = (value: number): string => (value === 0 ? '0' : value.toFixed(6));
const percent = (value: number, digits: number): string => `${(100 * value).toFixed(digits)}%`;

/** Columns padded to their widest cell: the first to the left, the others to the right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, k) => Math.max(...rows.map((row) => (row[k] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, k) => (k === 0 ? cell.padEnd(widths[k]) : cell.padStart(widths[k])))
      .join('  ')
      .trimEnd(),
  );
}

const BEGIN = '<!-- known optima: begin -->';
const END = '<!-- known optima: end -->';

/** Puts the tables between the marks of a Markdown text. Throws USAGE where it has none. */
export function insertProofs(markdown: string, results: readonly ProofResult[], made: string, where: string): string {
  const begin = markdown.indexOf(BEGIN);
  const end = markdown.indexOf(END);
  if (begin < 0 || end < begin) {
    fail('USAGE', {
      where,
      message: `there is no place for the tables: write the lines "${BEGIN}" and "${END}" where they belong`,
    });
  }
  const blocks = results.map((result) => `\`\`\`text\n${proofText(result)}\n\`\`\`\n`);
  return `${markdown.slice(0, begin)}${BEGIN}\n\n${made}\n\n${blocks.join('\n')}\n${markdown.slice(end)}`;
}

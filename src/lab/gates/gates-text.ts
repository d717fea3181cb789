/** A report of gates for a terminal: a table, and below it, in words, why something does not pass. */
import type { GateOutcome, GateReport } from '#src/registry/gates.js';
import { alignedLines, plainText } from '#src/report/text-table.js';

const WIDTH = 100;

export interface GatesTextOptions {
  /** false: whoever judged passes nothing over, and nothing is said of it. */
  readonly canForce?: boolean;
  /** false: what only `live` asks for is left out. */
  readonly advice?: boolean;
}

export function gatesText(
  report: GateReport,
  { canForce = true, advice: advises = true }: GatesTextOptions = {},
): string[] {
  const { to } = report;
  const outcomes = report.outcomes.filter(({ advisory }) => advises || !advisory);
  const asked = outcomes.filter(({ advisory }) => !advisory);
  const advice = outcomes.filter(({ advisory }) => advisory);
  const groups: readonly (readonly [string, readonly GateOutcome[]])[] = [
    ['Integrity', asked.filter(({ kind }) => kind === 'integrity')],
    ['Statistics, on bars that it never saw', asked.filter(({ kind }) => kind === 'statistics')],
    ['Paper trading', asked.filter(({ kind }) => kind === 'paper')],
    [`Not asked for ${to}, but for live`, advice],
  ];
  const rows = alignedLines(['', 'measured', 'asked', ''], outcomes.map(cells)).map((line) => line.trimEnd());
  const lineOf = new Map(outcomes.map((outcome, k) => [outcome, rows[k + 1]]));
  return [
    rows[0],
    ...groups.flatMap(([title, own]) =>
      own.length === 0 ? [] : [title, ...own.map((outcome) => lineOf.get(outcome) ?? '')],
    ),
    ...reasons(asked, 'Why not'),
    ...reasons(advice, 'What live would refuse'),
    '',
    ...verdictLines(report, canForce),
  ].map(plainText);
}

function cells({ title, measured, threshold, verdict, forced, advisory }: GateOutcome): string[] {
  const shown = forced ? 'FORCED' : verdict === 'pass' ? 'pass' : advisory ? verdict : verdict.toUpperCase();
  return [`  ${title}`, measured ?? 'not measured', threshold, shown];
}

/** Gates that do not pass for the same reason share a line. */
function reasons(outcomes: readonly GateOutcome[], title: string): string[] {
  const byReason = new Map<string, string[]>();
  for (const { verdict, why, title: gate } of outcomes) {
    if (verdict === 'pass') continue;
    const gates = byReason.get(why);
    if (gates === undefined) byReason.set(why, [gate]);
    else gates.push(gate);
  }
  if (byReason.size === 0) return [];
  const lines = [...byReason].flatMap(([why, gates]) =>
    wrapped(`- ${gates.length > 2 ? `${gates[0]} and ${gates.length - 1} more` : gates.join(', ')}: ${sentence(why)}`),
  );
  return ['', `${title}:`, ...lines];
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

function verdictLines({ passed, to, outcomes, force_reason: force }: GateReport, canForce: boolean): string[] {
  const refusing = outcomes.filter(({ verdict, advisory, forced }) => verdict !== 'pass' && !advisory && !forced);
  if (!passed) {
    const count = outcomes.filter(({ advisory }) => !advisory).length;
    const refusal = `REFUSED for ${to}: ${refusing.length} of ${count} gates ${refusing.length === 1 ? 'does' : 'do'} not pass.`;
    if (!canForce) return wrapped(refusal, 0);
    const hard = to === 'live' || refusing.some(({ kind }) => kind !== 'statistics');
    const remedy = hard
      ? 'Nothing passes this over.'
      : 'What is statistical can be passed over with --force "REASON", which is shown for ever.';
    return wrapped(`${refusal} ${remedy}`, 0);
  }
  if (force === null) return [`PASSED for ${to}.`];
  const over = outcomes.filter(({ forced }) => forced).map(({ title }) => title.toLowerCase());
  return wrapped(`FORCED for ${to}: passed over ${over.join(', ')}. Reason: ${force}`, 0);
}

/** Words on lines of some length; those after the first are indented. A command, in backticks, is never broken. */
export function wrapped(text: string, indent = 2): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.match(/`[^`]*`\S*|\S+/g) ?? []) {
    if (line !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = `${' '.repeat(indent)}${word}`;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** What a run of scenarios showed, as text. */
import type { Outcome } from './scenario.js';
import { FAULTS, KILL_STEPS, type Script } from './script.js';

const rows = (counts: readonly (readonly [string, number])[]): string =>
  counts.map(([name, count]) => `  ${name.padEnd(26)}${String(count).padStart(6)}`).join('\n');

export function summaryText(outcomes: readonly Outcome[], wanted: number, wallSeconds: number): string {
  const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((total, one) => total + of(one), 0);
  const times = outcomes.map(({ convergedMs }) => convergedMs).sort((a, b) => a - b);
  const at = (share: number): string =>
    `${Math.round(times[Math.min(Math.floor(share * times.length), times.length - 1)] ?? 0)} ms`;
  const held = outcomes.filter(({ problem }) => problem === null).length;
  const failed = outcomes.filter(({ problem }) => problem !== null).map(({ seed }) => seed);
  return [
    'faults that struck',
    rows(Object.keys(FAULTS).map((kind) => [kind, sum(({ faults }) => faults[kind] ?? 0)])),
    'where the process died',
    rows(KILL_STEPS.map((step) => [step, outcomes.filter(({ killed }) => killed === step).length])),
    'how',
    rows((['reset', 'end', 'SIGKILL'] as const).map((how) => [how, outcomes.filter((one) => one.how === how).length])),
    `${sum(({ orders }) => orders)} orders, ${sum(({ trades }) => trades)} executions, in ${Math.round(wallSeconds)} s`,
    `after the session all agreed within ${at(0.5)} (median), ${at(0.99)} (p99), ${at(1)} (longest)`,
    `longest without whole protection from bar to bar, ready and not leaving: ${Math.round(Math.max(0, ...outcomes.map(({ bareMs }) => bareMs)))} ms of wall time`,
    ...(failed.length > 0 ? [`failed: ${failed.join(', ')}; again with --only SEED`] : []),
    `${held} of ${wanted}`,
  ].join('\n');
}

export function failureText({ seed, problem, story }: Outcome, script: Script): string {
  return [
    `scenario ${seed}: ${problem}`,
    `  npm run chaos -- --only ${seed}`,
    `  ${JSON.stringify(script.kill)} ${script.fills} ${script.direction} exits ${script.exits}`,
    ...script.faults.map((fault) => `  ${JSON.stringify(fault)}`),
    ...story.map((line) => `    ${line}`),
  ].join('\n');
}

/** What `openbell sweep SWEEP` does. */
import { readRuntimeSettings } from '#src/config/runtime.js';
import { fail } from '#src/errors.js';
import { alignedLines } from '#src/report/text-table.js';
import type { SweepOutcome } from '#src/lab/sweep/run-sweep.js';
import { loadSweep, type Sweep } from '#src/lab/sweep/sweep.js';
import { describeValues, shortKeys, showValue } from '#src/lab/sweep/sweep-text.js';
import { rankTrials, type TrialRow } from '#src/lab/sweep/trial-table.js';
import { interruption } from '../interruption.js';
import { jobProgress } from '../job-progress.js';
import { parseCount } from '../parse-count.js';
import { stderrOutput } from '../progress.js';

export interface SweepArguments {
  sweep: string;
  jobs?: string | undefined;
  threads?: 1 | 2 | undefined;
  plan: boolean;
  report: boolean;
  json: boolean;
}

export async function sweepExperiment({
  sweep: file,
  jobs,
  threads,
  plan,
  report,
  json,
}: SweepArguments): Promise<void> {
  const settings = readRuntimeSettings(process.env);
  const places = jobs === undefined ? null : parseCount(jobs, '--jobs');
  const sweep = await loadSweep(file, { environment: process.env });
  if (plan) {
    printPlan(sweep, json);
    return;
  }
  const { runSweep } = await import('#src/lab/sweep/run-sweep.js');
  const { trials, seeds, terms } = sweep;
  const progress = jobProgress(
    stderrOutput(settings.logLevel),
    ({ config }) => `trial ${config.sweep?.trial ?? '?'} seed ${config.seed}`,
    { brief: true },
  );
  const least = trials.length * seeds.length;
  progress.begin(
    `sweep ${sweep.id}: ${trials.length} trials of ${seeds.length} seed${seeds.length === 1 ? '' : 's'}, ${describeRungs(terms.rungs)}`,
    least,
  );
  let outcome: SweepOutcome;
  try {
    outcome = await runSweep({
      sweep,
      runsDir: settings.runsDir,
      jobs: places,
      threads: threads ?? null,
      report,
      argv: process.argv.slice(2),
      signal: interruption('every training finishes its update and writes a checkpoint'),
      onEvent: (event) => {
        if (event.kind === 'scored') progress.expect(Math.max(least, event.expected));
        else progress.onEvent(event);
      },
    });
  } finally {
    progress.end();
  }
  if (json)
    console.log(
      JSON.stringify({
        ...outcome.summary,
        folder: outcome.folder,
        best_file: outcome.bestFile,
        report: outcome.reportFile,
      }),
    );
  else printOutcome(sweep, outcome);
  conclude(outcome);
}

function conclude({ status, best, rows, folder }: SweepOutcome): void {
  if (status === 'interrupted') {
    const open = rows.filter((row) => row.status === 'open').length;
    const message = `${open} of ${rows.length} trials are not done; what was begun has a checkpoint. The same command goes on`;
    fail('INTERRUPTED', { where: 'openbell sweep', message });
  }
  if (best === null) {
    const reason = rows.flatMap(({ rungs }) =>
      rungs.flatMap(({ seeds }) => seeds.flatMap(({ error }) => error ?? [])),
    )[0];
    fail('JOB_FAILED', { where: folder, message: `no trial was completed; the first failure: ${reason ?? 'unknown'}` });
  }
}

function describeRungs(rungs: readonly number[]): string {
  const shown = rungs.map((steps) => steps.toLocaleString('en-US'));
  return shown.length === 1
    ? `${shown[0]} steps each`
    : `compared after ${shown.slice(0, -1).join(', ')} of ${shown.at(-1)} steps`;
}

function printPlan(sweep: Sweep, json: boolean): void {
  const { trials, seeds, terms } = sweep;
  if (json) {
    const plan = trials.map(({ number, parameters }) => ({ trial: number, parameters }));
    console.log(JSON.stringify({ id: sweep.id, seeds, rungs: terms.rungs, trials: plan }));
    return;
  }
  const keys = Object.keys(sweep.definition.space);
  const rows = trials.map(({ number, parameters }) => [
    String(number),
    ...keys.map((key) => showValue(parameters[key])),
  ]);
  for (const line of alignedLines(['trial', ...shortKeys(keys)], rows)) console.log(line);
  console.log(`${trials.length} trials, seeds ${seeds.join(', ')}, ${describeRungs(terms.rungs)}`);
}

/** More rows would push the best ones off the screen; trials.csv has all. */
const SHOWN_TRIALS = 60;

function printOutcome(sweep: Sweep, { rows, best, importance, folder, bestFile, reportFile }: SweepOutcome): void {
  const keys = Object.keys(sweep.definition.space);
  const ranked = rankTrials(rows);
  const shown = ranked.slice(0, SHOWN_TRIALS);
  const head = ['rank', 'trial', 'status', 'steps', 'score', 'deviation', ...shortKeys(keys)];
  const lines = shown.map((row, index) => [
    row.score === null ? '-' : String(index + 1),
    String(row.trial),
    row.status,
    row.timesteps === 0 ? '-' : row.timesteps.toLocaleString('en-US'),
    row.score?.toPrecision(4) ?? '-',
    row.deviation?.toPrecision(3) ?? '-',
    ...keys.map((key) => showValue(row.parameters[key])),
  ]);
  for (const line of alignedLines(head, lines)) console.log(line);
  if (shown.length < ranked.length) console.log(`... and ${ranked.length - shown.length} more in ${folder}/trials.csv`);
  console.log('');
  if (importance.length > 0) {
    console.log('Share of the variance of the ranks that a key explains alone (what 95% of shuffles stay below):');
    const parts = importance.map(({ key, share, chance }) => [
      key,
      `${(100 * share).toFixed(0)}%`,
      `(${(100 * chance).toFixed(0)}%)`,
      share > chance ? '' : 'not told from chance',
    ]);
    for (const line of alignedLines(null, parts)) console.log(`  ${line}`);
    console.log('');
  }
  if (best !== null) for (const line of describeBest(sweep, best)) console.log(line);
  if (bestFile !== null) console.log(`Best configuration: ${bestFile}`);
  if (reportFile !== null) console.log(`Report: ${reportFile}`);
}

function describeBest({ terms, seeds }: Sweep, best: TrialRow): string[] {
  const score = best.score?.toPrecision(4) ?? '-';
  const over = seeds.length === 1 ? 'with its seed' : `over ${seeds.length} seeds`;
  return [
    `Trial ${best.trial} is the best of ${terms.trials}: validation score ${score} ${over} (${describeValues(best.parameters)}).`,
    'The best of many flatters itself: judge it on the test window, with fresh seeds.',
  ];
}

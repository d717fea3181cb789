/** What `openbell walk-forward EXPERIMENT --seeds ...` does. */
import { loadExperiment } from '#src/config/load.js';
import { readRuntimeSettings } from '#src/config/runtime.js';
import { fail } from '#src/errors.js';
import { parseSeeds } from '#src/lab/seeds.js';
import { planText, walkForwardText } from '#src/lab/walk-forward/text.js';
import { loadWalkForwardPlan, runWalkForward, type WalkForwardOutcome } from '#src/lab/walk-forward/walk-forward.js';
import { interruption } from '../interruption.js';
import { jobProgress } from '../job-progress.js';
import { parseCount } from '../parse-count.js';
import { stderrOutput } from '../progress.js';

export interface WalkForwardArguments {
  experiment: string;
  overrides?: string[] | undefined;
  seeds: string;
  jobs?: string | undefined;
  threads?: 1 | 2 | undefined;
  plan: boolean;
  report: boolean;
  json: boolean;
}

export async function walkForward(args: WalkForwardArguments): Promise<void> {
  const { experiment, overrides = [], jobs, threads, plan, report, json } = args;
  const settings = readRuntimeSettings(process.env);
  const { config } = loadExperiment(experiment, { overrides, environment: process.env });
  const seeds = parseSeeds(args.seeds, config.seed);
  const planned = await loadWalkForwardPlan(config);
  if (plan) {
    if (json) console.log(JSON.stringify(planJson(planned)));
    else for (const line of planText(planned)) console.log(line);
    return;
  }
  const progress = jobProgress(
    stderrOutput(settings.logLevel),
    ({ config: own }) => `${own.name.slice(config.name.length + 1)} seed ${own.seed}`,
    { brief: true },
  );
  const count = planned.windows.length;
  progress.begin(
    `walk-forward of ${config.name}: ${count} windows x ${seeds.length} seeds (${config.training.total_timesteps.toLocaleString('en-US')} steps each)`,
    count * seeds.length,
  );
  let outcome: WalkForwardOutcome;
  try {
    outcome = await runWalkForward({
      config,
      seeds,
      runsDir: settings.runsDir,
      jobs: jobs === undefined ? null : parseCount(jobs, '--jobs'),
      threads: threads ?? null,
      report,
      argv: process.argv.slice(2),
      signal: interruption('every training finishes its update and writes a checkpoint'),
      onEvent: progress.onEvent,
    });
  } finally {
    progress.end();
  }
  if (json) {
    const stitched = outcome.stitched.map(({ seed, path, folder, summary }) => ({ seed, path, folder, ...summary }));
    console.log(JSON.stringify({ ...outcome.record, folder: outcome.folder, stitched }));
  } else for (const line of walkForwardText(outcome)) console.log(line);
  conclude(outcome);
}

function planJson({ scheme, windows, paths, unjudged }: Awaited<ReturnType<typeof loadWalkForwardPlan>>): unknown {
  return {
    scheme,
    windows: windows.map(({ name, config: { data }, test, bars }) => ({
      name,
      train: data?.train,
      exclude: data?.exclude,
      validation: data?.validation,
      test: test.map(({ span }) => ({
        from: new Date(span.fromMs).toISOString(),
        to: new Date(span.toMs).toISOString(),
      })),
      bars,
    })),
    paths,
    unjudged,
  };
}

/** Exit 130 where the user interrupted it, 1 where trainings failed: what is done is said before. */
function conclude({ record, folder }: WalkForwardOutcome): void {
  const runs = record.windows.flatMap(({ name, runs: own }) => own.map((run) => ({ ...run, window: name })));
  const open = runs.filter(({ status }) => status === 'interrupted');
  if (open.length > 0) {
    fail('INTERRUPTED', {
      where: 'openbell walk-forward',
      message: `${open.length} of ${runs.length} trainings are not done; what was begun has a checkpoint. The same command goes on`,
    });
  }
  const failed = runs.filter(({ status }) => status === 'failed');
  if (failed.length > 0) {
    const list = failed.map(({ window, seed, error }) => `\n  ${window} seed ${seed}: ${error ?? 'no reason known'}`);
    fail('JOB_FAILED', {
      where: folder,
      value: failed.length,
      message: `of ${runs.length} trainings so many failed; the others are done, and seeds that lack a window are not stitched. The same command tries them again${list.join('')}`,
    });
  }
}

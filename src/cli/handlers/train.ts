/** What `openbell train EXPERIMENT [key=value ...]` and `openbell train --resume RUN` do. */
import { loadExperiment } from '#src/config/load.js';
import type { ExperimentConfig } from '#src/config/schema.js';
import { readRuntimeSettings } from '#src/config/runtime.js';
import { fail } from '#src/errors.js';
import { findRun } from '#src/lab/run-directory.js';
import type { TrainOutcome } from '#src/lab/training-run.js';
import { interruption } from '../interruption.js';
import { parseCount } from '../parse-count.js';
import { progressListener, stderrOutput } from '../progress.js';

export interface TrainArguments {
  experiment?: string | undefined;
  overrides?: string[] | undefined;
  seed?: string | undefined;
  seeds?: string | undefined;
  jobs?: string | undefined;
  resume?: string | undefined;
  threads?: 1 | 2 | undefined;
  evaluate: boolean;
  json: boolean;
}

export async function trainExperiment(args: TrainArguments): Promise<void> {
  if (args.seeds !== undefined) return runSeeds(args, args.seeds);
  if (args.jobs !== undefined) {
    fail('USAGE', {
      where: '--jobs',
      value: args.jobs,
      message: 'stands beside --seeds: one training is one process',
    });
  }
  const { directory, status, result } = await runTraining(args);
  if (args.json && (!args.evaluate || status === 'interrupted'))
    console.log(JSON.stringify({ run: directory, status, ...result }));
  else if (!args.json) printOutcome({ directory, status, result });
  if (status === 'interrupted') {
    fail('INTERRUPTED', {
      where: directory,
      message: `a checkpoint was written; go on with: openbell train --resume ${directory}`,
    });
  }
  if (!args.evaluate) return;
  if (args.json) {
    const { evaluateRun } = await import('#src/lab/evaluate.js');
    const { summary, reportFile } = await evaluateRun({ directory });
    console.log(JSON.stringify({ run: directory, status, ...result, evaluation: summary, report: reportFile }));
  } else {
    const { evaluate } = await import('./evaluate.js');
    console.log('');
    await evaluate({ run: directory, json: false, report: true });
  }
}

async function runTraining({
  experiment,
  overrides = [],
  seed,
  resume,
  threads,
  evaluate,
}: TrainArguments): Promise<TrainOutcome> {
  const settings = readRuntimeSettings(process.env);
  const controls = {
    onEvent: progressListener(stderrOutput(settings.logLevel)),
    signal: interruption('finishing this update and writing a checkpoint'),
    threads: threads ?? null,
  };
  if (resume !== undefined) {
    const given = experiment ?? (seed === undefined ? undefined : `--seed ${seed}`);
    if (given !== undefined) {
      fail('USAGE', {
        where: 'openbell train --resume',
        value: given,
        message: 'a run is resumed with its own configuration and seed; leave this out',
      });
    }
    const { resumeTraining } = await import('#src/lab/train.js');
    return resumeTraining({ ...findRun(resume, settings.runsDir), ...controls });
  }
  const config = loadConfig({ experiment, overrides, seed, evaluate });
  // loaded here, so that usage and configuration errors come at once
  const { train } = await import('#src/lab/train.js');
  return train({ config, runsDir: settings.runsDir, argv: process.argv.slice(2), ...controls });
}

function loadConfig({
  experiment,
  overrides = [],
  seed,
  evaluate,
}: Pick<TrainArguments, 'experiment' | 'overrides' | 'seed' | 'evaluate'>): ExperimentConfig {
  if (experiment === undefined) {
    fail('USAGE', {
      where: 'openbell train',
      message: 'name an experiment file, e.g. experiments/quickstart.yaml, or --resume a run',
    });
  }
  const { config } = loadExperiment(experiment, {
    overrides: seed === undefined ? overrides : [...overrides, `seed=${seed}`],
    environment: process.env,
  });
  if (evaluate && config.env.id === 'market' && (config.data?.test ?? null) === null) {
    fail('USAGE', {
      where: 'openbell train --evaluate',
      value: experiment,
      message: 'this experiment sets no test window apart: give it data.test, or leave --evaluate out',
    });
  }
  return config;
}

async function runSeeds(args: TrainArguments, seeds: string): Promise<void> {
  const { resume, seed, threads, evaluate, json, jobs } = args;
  if (resume !== undefined) {
    fail('USAGE', {
      where: 'openbell train --seeds',
      value: `--resume ${resume}`,
      message: 'the same --seeds command goes on where it was left; leave --resume out',
    });
  }
  if (seed !== undefined && !/^\d+$/.test(seeds.trim())) {
    fail('USAGE', {
      where: 'openbell train --seeds',
      value: `--seed ${seed}`,
      message: 'the seeds are named already; --seed stands beside a count, which begins there',
    });
  }
  const settings = readRuntimeSettings(process.env);
  const config = loadConfig(args);
  const { trainSeedsCommand } = await import('./train-seeds.js');
  await trainSeedsCommand({
    config,
    seeds,
    settings,
    jobs: jobs === undefined ? null : parseCount(jobs, '--jobs'),
    threads: threads ?? null,
    evaluate,
    json,
  });
}

function printOutcome({ directory, status, result }: TrainOutcome): void {
  const { timesteps, updates, best, weights_sha256: weights } = result;
  console.log(`${status} after ${timesteps} steps (${updates} updates)`);
  if (best !== null) console.log(`best validation score ${best.score.toPrecision(6)} at step ${best.timesteps}`);
  console.log(`run ${directory}`);
  console.log(`weights sha256 ${weights}`);
}

/** `openbell evaluate RUN` */
import type { Argv, CommandModule } from 'yargs';
import { readRuntimeSettings } from '#src/config/runtime.js';
import { fail } from '#src/errors.js';
import { evaluateRun } from '#src/lab/evaluate.js';
import { findRun } from '#src/lab/run-directory.js';

interface EvaluateArguments {
  run: string;
  data?: string[];
  window?: 'test' | 'validation' | 'train';
  from?: string;
  to?: string;
  checkpoint?: 'best' | 'last';
  seed?: number;
  trials?: number;
  json: boolean;
  report: boolean;
}

export const evaluateCommand = {
  command: 'evaluate <run>',
  describe: 'Judge a run on bars that it never saw, against honest baselines',
  builder: (yargs: Argv) =>
    yargs
      .positional('run', {
        type: 'string',
        demandOption: true,
        describe: 'Folder of a run, a checkpoint file, an experiment (its newest run), or latest',
      })
      .options({
        window: {
          choices: ['test', 'validation', 'train'] as const,
          describe: 'Window of the configuration; default: test',
        },
        data: { type: 'string', array: true, requiresArg: true, describe: 'Other data sets, by name or path' },
        from: { type: 'string', requiresArg: true, describe: 'First date, included' },
        to: { type: 'string', requiresArg: true, describe: 'First date after the window' },
        checkpoint: { choices: ['best', 'last'] as const, describe: 'Default: best, or last where there is none' },
        seed: { type: 'number', describe: 'Of the random traders and the bootstrap; default: 1' },
        trials: {
          type: 'number',
          describe: "Configurations tried before this one, for the deflated Sharpe ratio; default: the run's sweep's",
        },
        json: { type: 'boolean', default: false, describe: 'Print JSON' },
        report: { type: 'boolean', default: true, describe: 'Draw the report; --no-report leaves it out' },
      })
      .example('$0 evaluate latest', 'The newest run, on its test window')
      .example('$0 evaluate quickstart --data spy.csv --from 2011-03-01', 'On other bars'),
  handler: async ({ run, json, ...args }: EvaluateArguments) => {
    const { runsDir } = readRuntimeSettings(process.env);
    const { directory, checkpoint: checkpointFile } = findRun(run, runsDir);
    const { data, window, from, to, checkpoint, seed, trials, report } = args;
    if (seed !== undefined && !(Number.isInteger(seed) && seed >= 0)) {
      fail('USAGE', { where: '--seed', value: seed, message: 'must be a whole number, 0 or more' });
    }
    if (trials !== undefined && !(Number.isSafeInteger(trials) && trials >= 1)) {
      fail('USAGE', { where: '--trials', value: trials, message: 'must be a whole number, 1 or more' });
    }
    const evaluated = await evaluateRun({
      directory,
      data,
      window,
      from,
      to,
      checkpoint,
      checkpointFile,
      seed,
      trials,
      report,
    });
    const { summary, text, folder, reportFile } = evaluated;
    if (json) {
      process.stdout.write(`${JSON.stringify({ ...summary, folder, report: reportFile }, null, 2)}\n`);
      return;
    }
    process.stdout.write(`${text}\n\nFigures: ${folder}\n`);
    if (reportFile !== null) process.stdout.write(`Report: ${reportFile}\n`);
  },
} satisfies CommandModule<object, EvaluateArguments>;

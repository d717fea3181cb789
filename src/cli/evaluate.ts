/** `openbell evaluate RUN` */
import type { Argv, CommandModule } from 'yargs';
import type { EvaluateArguments } from './handlers/evaluate.js';

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
  handler: async (args: EvaluateArguments) => (await import('./handlers/evaluate.js')).evaluate(args),
} satisfies CommandModule<object, EvaluateArguments>;

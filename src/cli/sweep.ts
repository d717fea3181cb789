/** `openbell sweep SWEEP` */
import type { CommandModule } from 'yargs';
import type { SweepArguments } from './handlers/sweep.js';

export const sweepCommand: CommandModule<object, SweepArguments> = {
  command: 'sweep <sweep>',
  describe: 'Search the keys of an experiment for what does best on the validation window',
  builder: (yargs) =>
    yargs
      .positional('sweep', {
        type: 'string',
        demandOption: true,
        describe: 'Sweep file, e.g. experiments/sweep.yaml',
      })
      .options({
        jobs: {
          type: 'string',
          requiresArg: true,
          describe: 'How many trainings at a time; default: as the cores allow',
        },
        threads: {
          choices: [1, 2] as const,
          requiresArg: true,
          describe: 'Instead of training.threads: the bits are the same',
        },
        plan: { type: 'boolean', default: false, describe: 'Show the trials and train nothing' },
        report: { type: 'boolean', default: true, describe: 'Draw the report; --no-report leaves it out' },
        json: { type: 'boolean', default: false, describe: 'Print the result as JSON' },
      })
      .example('$0 sweep experiments/sweep.yaml', 'Goes on where it was left, whatever ended it'),
  handler: async (args) => (await import('./handlers/sweep.js')).sweepExperiment(args),
};

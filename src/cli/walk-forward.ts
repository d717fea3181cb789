/** `openbell walk-forward EXPERIMENT --seeds ...` */
import type { CommandModule } from 'yargs';
import type { WalkForwardArguments } from './handlers/walk-forward.js';

export const walkForwardCommand: CommandModule<object, WalkForwardArguments> = {
  command: 'walk-forward <experiment> [overrides..]',
  describe: 'Train window after window with every seed, judge each on the bars that follow, and stitch those',
  builder: (yargs) =>
    yargs
      .positional('experiment', {
        type: 'string',
        demandOption: true,
        describe: 'Experiment file with walk_forward, e.g. experiments/aapl-walk-forward.yaml',
      })
      .positional('overrides', {
        type: 'string',
        array: true,
        describe: 'Values that override the file, e.g. walk_forward.test=1y',
      })
      .options({
        seeds: {
          type: 'string',
          requiresArg: true,
          default: '5',
          describe: 'Seeds of every window: 5 (counted up from the seed), 0-9 or 1,5,9',
        },
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
        plan: { type: 'boolean', default: false, describe: 'Show the windows and train nothing' },
        report: { type: 'boolean', default: true, describe: 'Draw the reports; --no-report leaves them out' },
        json: { type: 'boolean', default: false, describe: 'Print the result as JSON' },
      })
      .example(
        '$0 walk-forward experiments/aapl-walk-forward.yaml --seeds 5',
        'Goes on where it was left, whatever ended it',
      )
      .example('$0 compare aapl-walk-forward/walk-forward --baseline hold --by window', 'What came of it'),
  handler: async (args) => (await import('./handlers/walk-forward.js')).walkForward(args),
};

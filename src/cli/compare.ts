/** `openbell compare A B ...` */
import type { Argv, CommandModule } from 'yargs';
import type { CompareArguments } from './handlers/compare.js';

export const compareCommand = {
  command: 'compare <runs...>',
  describe: 'Compare experiments over all their seeds: what differs, intervals, and whether one beats the other',
  builder: (yargs: Argv) =>
    yargs
      .positional('runs', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'Experiments (all their seeds), runs, or groups such as new=RUN,RUN',
      })
      .options({
        baseline: {
          type: 'string',
          requiresArg: true,
          describe: 'What the others are compared with: one of them, hold, sma-cross or flat; default: the last',
        },
        by: { choices: ['symbol', 'window'] as const, describe: 'Keep symbols or windows apart, as tasks' },
        metric: { type: 'string', requiresArg: true, describe: 'What the verdict is about; default: sharpe' },
        window: {
          type: 'string',
          requiresArg: true,
          describe: 'Which evaluation: test (default), validation, or a folder under evaluation/',
        },
        evaluate: { type: 'boolean', default: false, describe: 'Evaluate the runs that have not been' },
        seed: { type: 'number', describe: 'Of the bootstrap; default: 1' },
        html: {
          type: 'boolean',
          default: false,
          describe: 'Write a page with plots: compare.html in the folder of runs',
        },
        out: { type: 'string', requiresArg: true, describe: 'Write that page here instead' },
        json: { type: 'boolean', default: false, describe: 'Print JSON' },
      })
      .example('$0 compare quickstart low-entropy', 'Two experiments, all their seeds')
      .example('$0 compare quickstart --baseline hold --html', 'An experiment against buy-and-hold, with plots'),
  handler: async (args: CompareArguments) => (await import('./handlers/compare.js')).compare(args),
} satisfies CommandModule<object, CompareArguments>;

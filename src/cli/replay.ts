/** `openbell replay RUN` */
import type { CommandModule } from 'yargs';
import type { ReplayArguments } from './handlers/replay.js';

export const replayCommand: CommandModule<object, ReplayArguments> = {
  command: 'replay <run>',
  describe: 'Train a run again and compare it to the bit; exit 1 where it differs',
  builder: (yargs) =>
    yargs
      .positional('run', {
        type: 'string',
        demandOption: true,
        describe: 'Folder of a run, a checkpoint file, an experiment (its newest run), or latest',
      })
      .options({
        threads: {
          choices: [1, 2] as const,
          requiresArg: true,
          describe: 'Instead of training.threads: the bits are the same',
        },
        into: { type: 'string', requiresArg: true, describe: 'Keep the replay as a run under this folder' },
        json: { type: 'boolean', default: false, describe: 'Print the result as JSON' },
      })
      .example('$0 replay latest', '')
      .example('$0 replay quickstart --into replays', 'Keep what it trains, to look into a difference'),
  handler: async (args) => (await import('./handlers/replay.js')).replay(args),
};

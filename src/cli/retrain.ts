/** `openbell retrain ALIAS` */
import type { CommandModule } from 'yargs';
import { ALIASES } from '#src/registry/aliases.js';
import type { RetrainArguments } from './handlers/retrain.js';

export const retrainCommand: CommandModule<object, RetrainArguments> = {
  command: 'retrain <alias>',
  describe: 'Train an incumbent further on the days since, and judge the challenger on days that neither has seen',
  builder: (yargs) =>
    yargs
      .positional('alias', {
        choices: ALIASES,
        demandOption: true,
        describe: 'Whose bundle is trained further; live itself is never moved',
      })
      .options({
        data: {
          type: 'string',
          array: true,
          requiresArg: true,
          describe: 'Data sets that hold newer bars, by name or path',
        },
        recorded: {
          type: 'string',
          requiresArg: true,
          describe: "A runner's folder, e.g. trading/paper/ACCOUNT: its recorded bars become a data set first",
        },
        config: { type: 'string', requiresArg: true, describe: 'Default: experiments/retrain.yaml' },
        jobs: { type: 'string', requiresArg: true, describe: 'Trainings at a time; default: as the cores allow' },
        'dry-run': { type: 'boolean', default: false, describe: 'Say what would be done, and train nothing' },
        json: { type: 'boolean', default: false, describe: 'Print JSON' },
      })
      .example('$0 retrain paper --recorded trading/paper/DU123', 'After the close, e.g. from cron')
      .example('$0 retrain paper --data spy-1m-new --dry-run', 'Which days would be learned from, which would judge'),
  handler: async (args) => (await import('./handlers/retrain.js')).retrainAlias(args),
};

/** `openbell env-server EXPERIMENT [key=value ...]` */
import type { CommandModule } from 'yargs';
import type { EnvServerArguments } from './handlers/env-server.js';

export const envServerCommand: CommandModule<object, EnvServerArguments> = {
  command: 'env-server <experiment> [overrides..]',
  describe: "Serve an experiment's environment to another program over standard input and output",
  builder: (yargs) =>
    yargs
      .positional('experiment', { type: 'string', demandOption: true, describe: 'Experiment file' })
      .positional('overrides', {
        type: 'string',
        array: true,
        describe: 'key=value, as for train; training.n_envs is the number of environments',
      })
      .options({
        window: {
          choices: ['train', 'validation', 'test'] as const,
          default: 'train' as const,
          requiresArg: true,
          describe: 'Which window of the data to trade in',
        },
      })
      .epilogue(
        'Speaks binary frames (docs/env-server.md): started by a client such as bench/peers/openbell_env.py, not by hand.',
      ),
  handler: async (args) => (await import('./handlers/env-server.js')).serve(args),
};

/** `openbell env-server EXPERIMENT [key=value ...]` */
import type { CommandModule } from 'yargs';
import { loadExperiment } from '#src/config/load.js';
import { fail } from '#src/errors.js';

interface EnvServerArguments {
  experiment: string;
  overrides?: string[] | undefined;
  window: 'train' | 'validation' | 'test';
}

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
  handler: async ({ experiment, overrides = [], window }) => {
    if (process.stdout.isTTY) {
      fail('USAGE', {
        where: 'openbell env-server',
        message: 'this speaks binary frames to the program that starts it, such as bench/peers/openbell_env.py',
      });
    }
    const { config } = loadExperiment(experiment, { overrides, environment: process.env });
    const [{ pipeChannel, serveEnv }, { makeWindowWorld }, { packageVersion }] = await Promise.all([
      import('#src/lab/env-server.js'),
      import('#src/lab/world.js'),
      import('#src/lab/provenance.js'),
    ]);
    const { env } = await makeWindowWorld(config, window);
    serveEnv(env, { name: config.name, version: packageVersion() }, pipeChannel(0, 1));
  },
};

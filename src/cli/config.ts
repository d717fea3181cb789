/** `openbell config show EXPERIMENT [key=value ...]` and `openbell config schema` */
import type { CommandModule } from 'yargs';
import type { ShowArguments } from './handlers/config.js';

const showCommand: CommandModule<object, ShowArguments> = {
  command: 'show <experiment> [overrides..]',
  describe: 'Print the resolved configuration: defaults, presets, extends, environment and overrides merged',
  builder: (yargs) =>
    yargs
      .positional('experiment', { type: 'string', demandOption: true, describe: 'Experiment file' })
      .positional('overrides', { type: 'string', array: true, describe: 'key=value, as for train' })
      .options({
        origins: { type: 'boolean', default: false, describe: 'Say where each value comes from' },
        json: { type: 'boolean', default: false, describe: 'Print JSON, with the configuration hash' },
      }),
  handler: async (args) => (await import('./handlers/config.js')).showConfig(args),
};

const schemaCommand: CommandModule<object, object> = {
  command: 'schema',
  describe: 'Print the JSON schema of experiment files',
  handler: async () => (await import('./handlers/config.js')).printSchema(),
};

export const configCommand: CommandModule<object, object> = {
  command: 'config',
  describe: 'Show what a configuration means, and what it may hold',
  builder: (yargs) => yargs.command(showCommand).command(schemaCommand).demandCommand(1, 'say which: show or schema'),
  handler: () => undefined,
};

/** `openbell config show EXPERIMENT [key=value ...]` and `openbell config schema` */
import type { CommandModule } from 'yargs';
import { experimentJsonSchema } from '#src/config/json-schema.js';
import { loadExperiment } from '#src/config/load.js';
import { configHash, configYaml } from '#src/config/show.js';

interface ShowArguments {
  experiment: string;
  overrides?: string[] | undefined;
  origins: boolean;
  json: boolean;
}

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
  handler: ({ experiment, overrides = [], origins, json }) => {
    const loaded = loadExperiment(experiment, { overrides, environment: process.env });
    if (json) {
      const from = Object.fromEntries([...loaded.origins].map(([key, origin]) => [JSON.parse(key).join('.'), origin]));
      console.log(
        JSON.stringify({
          hash: configHash(loaded.config),
          config: loaded.config,
          ...(origins ? { origins: from } : {}),
        }),
      );
    } else {
      process.stdout.write(configYaml(loaded, { origins }));
    }
  },
};

const schemaCommand: CommandModule<object, object> = {
  command: 'schema',
  describe: 'Print the JSON schema of experiment files',
  handler: () => console.log(JSON.stringify(experimentJsonSchema(), null, 2)),
};

export const configCommand: CommandModule<object, object> = {
  command: 'config',
  describe: 'Show what a configuration means, and what it may hold',
  builder: (yargs) => yargs.command(showCommand).command(schemaCommand).demandCommand(1, 'say which: show or schema'),
  handler: () => undefined,
};

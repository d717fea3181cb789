/** What `openbell config show` and `openbell config schema` do. */
import { experimentJsonSchema } from '#src/config/json-schema.js';
import { loadExperiment } from '#src/config/load.js';
import { configHash, configYaml } from '#src/config/show.js';

export interface ShowArguments {
  experiment: string;
  overrides?: string[] | undefined;
  origins: boolean;
  json: boolean;
}

export function showConfig({ experiment, overrides = [], origins, json }: ShowArguments): void {
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
}

export function printSchema(): void {
  console.log(JSON.stringify(experimentJsonSchema(), null, 2));
}

/** What `openbell env-server EXPERIMENT [key=value ...]` does. */
import { loadExperiment } from '#src/config/load.js';
import { fail } from '#src/errors.js';

export interface EnvServerArguments {
  experiment: string;
  overrides?: string[] | undefined;
  window: 'train' | 'validation' | 'test';
}

export async function serve({ experiment, overrides = [], window }: EnvServerArguments): Promise<void> {
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
}

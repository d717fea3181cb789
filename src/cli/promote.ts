import type { CommandModule } from 'yargs';
import { readRuntimeSettings } from '#src/config/runtime.js';
import { shortId } from '#src/registry/bundle.js';
import { ALIASES, Registry, type AliasName } from '#src/registry/registry.js';
import { promoteRun } from '#src/promotion/promote.js';
import { findRun } from '#src/lab/run-directory.js';

interface PromoteArguments {
  run: string;
  to: AliasName;
  checkpoint: 'best' | 'last' | undefined;
  reason: string;
  json: boolean;
}

export const promoteCommand: CommandModule<object, PromoteArguments> = {
  command: 'promote <run>',
  describe: 'Freeze a run in a bundle and move an alias to it',
  builder: (yargs) =>
    yargs
      .positional('run', {
        type: 'string',
        demandOption: true,
        describe: 'A run: its folder, id, experiment, or latest',
      })
      .option('to', { choices: ALIASES, demandOption: true, describe: 'The alias that will point to it' })
      .option('checkpoint', { choices: ['best', 'last'] as const, describe: 'Default: best where one was chosen' })
      .option('reason', { type: 'string', default: '', describe: 'Why, in words; kept in the history' })
      .option('json', { type: 'boolean', default: false, describe: 'Print JSON' }),
  handler: async ({ run, to, checkpoint, reason, json }) => {
    const { runsDir, registryDir } = readRuntimeSettings(process.env);
    const { directory } = findRun(run, runsDir);
    const registry = new Registry(registryDir);
    const { bundle, change } = await promoteRun({ directory, registry, to, reason, checkpoint });
    if (json)
      console.log(JSON.stringify({ sha256: bundle.sha256, file: registry.bundleFile(bundle.sha256), change }, null, 2));
    else {
      console.log(`${to} -> ${bundle.manifest.name} ${shortId(bundle.sha256)}`);
      console.log(`bundle ${registry.bundleFile(bundle.sha256)}`);
      console.log(change.from === null ? 'nothing stood there before' : `before it: ${shortId(change.from)}`);
    }
  },
};

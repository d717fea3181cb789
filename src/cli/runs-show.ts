/** `openbell runs show RUN` */
import type { CommandModule } from 'yargs';
import type { ShowArguments } from './handlers/runs-show.js';

export const showCommand: CommandModule<object, ShowArguments> = {
  command: 'show <run>',
  describe: 'Show one run',
  builder: (yargs) =>
    yargs
      .positional('run', { type: 'string', demandOption: true, describe: 'Run: its folder, name, or latest' })
      .options({ json: { type: 'boolean', default: false, describe: 'Print JSON' } }),
  handler: async (args) => (await import('./handlers/runs-show.js')).showRun(args),
};

import type { CommandModule } from 'yargs';
import { ALIASES } from '#src/registry/aliases.js';
import type { RollbackArguments } from './handlers/rollback.js';

export const rollbackCommand: CommandModule<object, RollbackArguments> = {
  command: 'rollback <alias>',
  describe: 'Move an alias back to the bundle before, again and again through its promotions',
  builder: (yargs) =>
    yargs
      .positional('alias', { choices: ALIASES, demandOption: true, describe: 'The alias' })
      .option('reason', { type: 'string', demandOption: true, describe: 'Why, in words; kept in the history' })
      .option('to', { type: 'string', describe: 'Id of the bundle to go back to; default: the one before' })
      .option('confirm', { type: 'string', describe: 'For live: the account whose runner will follow' })
      .option('json', { type: 'boolean', default: false, describe: 'Print JSON' }),
  handler: async (args) => (await import('./handlers/rollback.js')).rollback(args),
};

import type { CommandModule } from 'yargs';
import { readRuntimeSettings } from '#src/config/runtime.js';
import { fail } from '#src/errors.js';
import { shortId } from '#src/registry/bundle.js';
import { ALIASES, Registry, type AliasName } from '#src/registry/registry.js';

interface RollbackArguments {
  alias: AliasName;
  reason: string;
  to: string | undefined;
  confirm: string | undefined;
  json: boolean;
}

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
  handler: ({ alias, reason, to, confirm, json }) => {
    if (reason.trim() === '')
      fail('USAGE', { where: '--reason', value: reason, message: 'say why: the history keeps it' });
    if (to !== undefined && !/^[0-9a-f]{4,64}$/.test(to))
      fail('USAGE', {
        where: '--to',
        value: to,
        message: 'is no id of a bundle: 4 to 64 hexadecimal digits, as `openbell registry history` shows them',
      });
    const registry = new Registry(readRuntimeSettings(process.env).registryDir);
    const change = registry.rollback(alias, { reason, to, account: confirm ?? null });
    if (json) console.log(JSON.stringify(change, null, 2));
    else {
      const { manifest } = registry.load(change.to);
      console.log(`${alias} -> ${manifest.name} seed ${manifest.run.seed} ${shortId(change.to)}`);
      console.log(`before it: ${change.from === null ? 'nothing' : shortId(change.from)}`);
      if (change.account !== null) console.log(`account ${change.account}`);
      if (change.forced) console.log('FORCED: gates were passed over when it was promoted');
      console.log('A runner follows when it is flat: an open position keeps the exits of its bundle.');
    }
  },
};

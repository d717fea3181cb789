/** What `openbell rollback` does. */
import { readRuntimeSettings } from '#src/config/runtime.js';
import { fail } from '#src/errors.js';
import { shortId } from '#src/registry/bundle.js';
import { Registry } from '#src/registry/registry.js';
import type { AliasName } from '#src/registry/aliases.js';

export interface RollbackArguments {
  alias: AliasName;
  reason: string;
  to: string | undefined;
  confirm: string | undefined;
  json: boolean;
}

export function rollback({ alias, reason, to, confirm, json }: RollbackArguments): void {
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
}

/** Where the trading of an account lies. */
import path from 'node:path';
import { fail } from '#src/errors.js';

export type TradingKind = 'live' | 'paper';

export const JOURNAL_FILE = 'journal.db';

export const deploymentFolder = (tradingDir: string, kind: TradingKind, account: string): string =>
  path.join(tradingDir, kind, accountName(account));

/** Throws USAGE on what cannot be an account's name: it names a folder and a socket. */
export function accountName(text: string): string {
  if (!/^[A-Za-z0-9]{1,24}$/.test(text))
    fail('USAGE', { where: 'account', value: text, message: 'an account is letters and digits, such as U1234567' });
  return text;
}

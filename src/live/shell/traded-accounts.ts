/** Which accounts trade here: those that have a journal. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fail } from '#src/errors.js';
import { accountName, JOURNAL_FILE, type TradingKind } from './account-folder.js';

export interface TradedAccount {
  readonly kind: TradingKind;
  readonly account: string;
  readonly folder: string;
}

/** Accounts that have a journal here. */
export function tradedAccounts(tradingDir: string): TradedAccount[] {
  return (['live', 'paper'] as const).flatMap((kind) => {
    const above = path.join(tradingDir, kind);
    if (!existsSync(above)) return [];
    return readdirSync(above)
      .filter((name) => /^[A-Za-z0-9]{1,24}$/.test(name) && existsSync(path.join(above, name, JOURNAL_FILE)))
      .sort()
      .map((account) => ({ kind, account, folder: path.join(above, account) }));
  });
}

/** The account that is named, or the only one. Throws USAGE where there is none, or where several fit. */
export function tradedAccount(tradingDir: string, account: string | undefined): TradedAccount {
  const all = tradedAccounts(tradingDir);
  const fitting = account === undefined ? all : all.filter((one) => one.account === accountName(account));
  if (fitting.length === 1) return fitting[0];
  const names = fitting.map(({ kind, account: name }) => `${name} (${kind})`).join(', ');
  return fail('USAGE', {
    where: '--account',
    value: account ?? null,
    message:
      fitting.length === 0
        ? `no account has a journal in ${tradingDir}${account === undefined ? '' : ' under that name'}: set OPENBELL_TRADING_DIR`
        : `several fit: ${names}; say which`,
  });
}

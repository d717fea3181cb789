/** The pre-flight's checks of the account: whose it is, by what right, what it is worth, and what it holds already. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { ExecutionReport } from '#src/broker/contract.js';
import { JOURNAL_FILE } from './account-folder.js';
import { Journal } from './journal.js';
import { verdict, type Check, type PreflightOptions } from './preflight-check.js';
import { liveVerdict } from './promotion-status.js';
import { promotionLines } from './promotion-text.js';
import { traderOf } from './replay-journal.js';

export function promotionCheck({ kind, account, bundle, liveChange, promotion }: PreflightOptions): Check {
  const name = 'promotion';
  const lines = promotionLines(promotion);
  const { why, remedy } = kind === 'live' ? liveVerdict(liveChange, bundle, account) : { why: '', remedy: '' };
  if (why !== '') return verdict(name, lines[0], why, remedy);
  return verdict(
    name,
    lines[0],
    lines.slice(1).join('; '),
    'train for what it did not pass, and promote that instead',
    'warning',
  );
}

export const isPaperAccount = (account: string): boolean => /^D[UF]/.test(account);

export function accountKind({ kind, line, account }: PreflightOptions): Check {
  const others = line.accounts.filter((one) => !isPaperAccount(one));
  if (kind === 'paper')
    return verdict(
      'account',
      line.accounts.join(', '),
      others.length === 0 ? '' : `${others.join(', ')} is no paper account (DU..., DF...)`,
      'log in to the paper account, or trade with openbell live',
    );
  return verdict(
    'account',
    line.accounts.join(', '),
    line.accounts.includes(account) ? '' : `the gateway does not manage ${account}`,
    'confirm an account that it manages',
  );
}

export async function fundsCheck({ line, config }: PreflightOptions): Promise<Check> {
  const answer = await line.broker.accountValues();
  if (!answer.known) return verdict('funds', 'unknown', answer.reason, 'look whether the account answers in TWS');
  const { netLiquidation, currency, buyingPower } = answer.value;
  const budget = config.market.initial_equity;
  return verdict(
    'funds',
    `${netLiquidation.toFixed(2)} ${currency}, buying power ${buyingPower.toFixed(2)}; budget ${budget}`,
    netLiquidation >= budget ? '' : "the budget is more than the account's worth",
    'give the runner less: equity in the policy file',
    'warning',
  );
}

/** Orders and positions that no journal of ours explains. */
export async function holdingsChecks({ line, config, folder }: PreflightOptions): Promise<Check[]> {
  const [positions, orders, executions] = await Promise.all([
    line.broker.positions(),
    line.broker.openOrders(),
    line.broker.executions(),
  ]);
  if (!positions.known || !orders.known || !executions.known) {
    const missing = [positions, orders, executions].flatMap((one) => (one.known ? [] : [one.reason]));
    return [verdict('positions and orders', 'unknown', missing[0], 'look whether the gateway answers at all')];
  }
  const journal = holdingsOf(folder, executions.value);
  const tag = journal?.tag ?? config.tag;
  const refuses = config.care.foreign === 'refuse' ? 'failure' : 'warning';
  const foreign = orders.value.filter(
    ({ orderRef, state }) => !orderRef.startsWith(`${tag}-`) && state !== 'cancelled' && state !== 'filled',
  );
  const own = new Map(config.symbols.map(({ symbol }) => [symbol, journal?.positions.get(symbol) ?? 0]));
  for (const [symbol, quantity] of journal?.positions ?? []) own.set(symbol, quantity);
  const symbols = new Set([...own.keys(), ...positions.value.map(({ symbol }) => symbol)]);
  const held = (symbol: string): number => positions.value.find((one) => one.symbol === symbol)?.quantity ?? 0;
  const mismatched = [...symbols].filter((symbol) => own.has(symbol) && held(symbol) !== own.get(symbol));
  const unknown = [...symbols].filter((symbol) => !own.has(symbol) && held(symbol) !== 0);
  const value = [...symbols].map((symbol) => `${symbol} ${held(symbol)}`).join(', ');
  const remedy = 'close it by hand, or give the runner an account of its own';
  return [
    verdict(
      'positions',
      value === '' ? 'none' : value,
      mismatched.length === 0
        ? ''
        : `of ${mismatched[0]} our journal explains ${own.get(mismatched[0])}, the broker holds ${held(mismatched[0])}`,
      `${remedy}; if it is ours, restore the journal that opened it`,
    ),
    verdict(
      'other positions',
      unknown.length === 0 ? 'none' : unknown.map((symbol) => `${symbol} ${held(symbol)}`).join(', '),
      unknown.length === 0 ? '' : 'not ours',
      `${remedy}, or set care.foreign to ignore in the policy file`,
      refuses,
    ),
    verdict(
      'orders',
      `${orders.value.length - foreign.length} of ours`,
      foreign.length === 0
        ? ''
        : `${foreign.length} not ours, such as order ${foreign[0].orderId} (${foreign[0].symbol}, client ${foreign[0].clientId})`,
      'cancel them by hand, or set care.foreign to ignore in the policy file',
      refuses,
    ),
  ];
}

/** Positions by the folder's journal and what our orders have filled since; null: there is none. */
function holdingsOf(
  folder: string,
  executions: readonly ExecutionReport[],
): { readonly tag: string; readonly positions: Map<string, number> } | null {
  const file = path.join(folder, JOURNAL_FILE);
  if (!existsSync(file)) return null;
  const journal = Journal.read(file);
  try {
    if (journal.length === 0) return null;
    const trader = traderOf(journal);
    for (const report of executions) {
      const own = report.orderRef.startsWith(`${trader.config.tag}-`);
      if (own) trader.symbols.find(({ symbol }) => symbol === report.symbol)?.ledger.book(report);
    }
    return {
      tag: trader.config.tag,
      positions: new Map(trader.symbols.map(({ symbol, position }) => [symbol, position])),
    };
  } finally {
    journal.close();
  }
}

/** A paper account at a gateway: the runner of openbell live, the broker's books before and after, and the report. */
import path from 'node:path';
import { openLine, type BrokerAddress } from '#src/live/shell/broker-line.js';
import { JOURNAL_FILE } from '#src/live/shell/account-folder.js';
import { Journal } from '#src/live/shell/journal.js';
import {
  refuseBefore,
  tradeAtGateway,
  type SessionOptions,
  type SessionOutcome,
} from '#src/live/shell/live-session.js';
import { journalsAt } from '#src/live/shell/recorded-dataset.js';
import type { BooksNote } from '#src/live/shell/session-note.js';
import { reportOn, type PaperResult } from './report.js';
import { writeReport } from './write-report.js';

export interface GatewaySession {
  readonly outcome: SessionOutcome;
  readonly result: PaperResult;
}

/** Asks beside the runner, whose own id must stay free. */
const BOOKS_CLIENT_ID = 999;

/** Trades until the signal, then reports. Throws LIVE_PREFLIGHT, LIVE_LOCK, LIVE_JOURNAL, REGISTRY, BUNDLE_ and USAGE errors. */
export async function paperAtGateway(options: SessionOptions): Promise<GatewaySession> {
  refuseBefore(options);
  const before = await cashOf(options.address, options.account);
  let archived: number | null = null;
  const count = (): void => {
    archived ??= before === null ? 0 : journalCount(options, before.account);
  };
  const outcome = await tradeAtGateway({
    ...options,
    listener: {
      ...options.listener,
      onEvent: (event) => {
        count();
        options.listener?.onEvent?.(event);
      },
    },
  });
  const after = await cashOf(options.address, outcome.account);
  const journalFile = path.join(outcome.folder, JOURNAL_FILE);
  // where another bundle took over, the books are of both
  if (before !== null && after !== null && archived === journalsAt(outcome.folder).length)
    noteBooks(journalFile, {
      fromWallMs: before.wallMs,
      toWallMs: after.wallMs,
      cashBefore: before.cash,
      cashAfter: after.cash,
    });
  const bundle = options.registry.load(outcome.bundle);
  const result = await reportOn(bundle, journalFile);
  await writeReport(outcome.folder, journalFile, result);
  return { outcome, result };
}

function journalCount({ tradingDir, kind }: SessionOptions, account: string): number {
  return journalsAt(path.join(tradingDir, kind, account)).length;
}

/** The account's cash as the broker books it; null: it did not tell. The session goes on without. */
async function cashOf(
  address: BrokerAddress,
  account: string | null,
): Promise<{ account: string; cash: number; wallMs: number } | null> {
  const line = await openLine({ ...address, clientId: address.clientId + BOOKS_CLIENT_ID }, account);
  try {
    const answer = await line.broker.accountValues();
    if (!answer.known) return null;
    return { account: account ?? line.accounts[0], cash: answer.value.totalCash, wallMs: Date.now() };
  } finally {
    await line.broker.close();
  }
}

function noteBooks(file: string, books: BooksNote): void {
  const journal = Journal.open(file);
  journal.note('books', books);
  journal.close();
}

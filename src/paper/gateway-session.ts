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
import { booksOf, type BooksNote, type CashReading } from '#src/live/shell/session-note.js';
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
  let before = await readBooks(options.address, options.account);
  const outcome = await tradeAtGateway({
    ...options,
    // of the journal that begins with the session, and of no later one
    openingCash: () => {
      const opening = before;
      before = null;
      return opening;
    },
  });
  const journalFile = path.join(outcome.folder, JOURNAL_FILE);
  const after = await readBooks(options.address, outcome.account);
  if (after !== null) noteAfter(journalFile, after);
  const bundle = options.registry.load(outcome.bundle);
  const result = await reportOn(bundle, journalFile);
  await writeReport(outcome.folder, journalFile, result);
  return { outcome, result };
}

interface Books extends CashReading {
  /** Roots of the day's executions, as the broker has them. */
  readonly executions: readonly string[];
}

/** null: the broker did not tell. The session goes on without. */
async function readBooks(address: BrokerAddress, account: string | null): Promise<Books | null> {
  const line = await openLine({ ...address, clientId: address.clientId + BOOKS_CLIENT_ID }, account);
  try {
    const values = await line.broker.accountValues();
    const executions = await line.broker.executions();
    if (!values.known || !executions.known) return null;
    return {
      wallMs: Date.now(),
      cash: values.value.totalCash,
      executions: executions.value.map(({ execRoot }) => execRoot),
    };
  } finally {
    await line.broker.close();
  }
}

/** What the broker says at the end, unless it has executed what the journal has not heard of: a stop that was left there. */
function noteAfter(file: string, { wallMs, cash, executions }: Books): void {
  const journal = Journal.open(file);
  try {
    const books = booksOf(journal);
    if (books === null) return;
    const heard = new Set<string>();
    for (const { event } of journal.entries()) {
      if (event.type === 'execution') heard.add(event.report.execRoot);
      else if (event.type === 'reconciled') for (const { execRoot } of event.executions) heard.add(execRoot);
    }
    const whole = executions.every((execRoot) => heard.has(execRoot));
    const noted: BooksNote = { ...books, after: whole ? { wallMs, cash } : null };
    journal.note('books', noted);
  } finally {
    journal.close();
  }
}

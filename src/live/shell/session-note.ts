/** What a session writes into its journal of itself: what it traded on, and what the broker's books said. */
import * as z from 'zod';
import type { Journal } from './journal.js';

const replayed = z.object({
  /** As it can be loaded again. */
  dataset: z.string(),
  symbol: z.string(),
  sha256: z.string(),
  synthetic: z.boolean(),
});

const session = z.object({
  /** Whether the market was a simulated one, and so a replay of the past. */
  kind: z.enum(['simulated', 'gateway']),
  /** What was replayed, one entry a symbol; empty: not known. */
  data: z.array(replayed),
  /** Open of the first bar that fed the indicators; null: not known. */
  anchorMs: z.number().nullable(),
  /** Where the market stood when the session ended; null: it goes on, or ended without a word. */
  toMs: z.number().nullable(),
  fills: z.enum(['path', 'backtest']).nullable(),
  /** Market seconds a wall second; null: the market's own pace. */
  speed: z.union([z.number(), z.literal('max')]).nullable(),
  seed: z.number().nullable(),
  /** Whether things were broken on purpose. */
  faults: z.boolean(),
});

/** The account's cash in its currency, at two instants between which the journal's orders were the only ones. */
const books = z.object({
  fromWallMs: z.number(),
  cashBefore: z.number(),
  /** null: not asked since, or asked while an execution was on its way. */
  after: z.object({ wallMs: z.number(), cash: z.number() }).nullable(),
});

export type SessionNote = z.infer<typeof session>;
export type BooksNote = z.infer<typeof books>;
export type ReplayedData = z.infer<typeof replayed>;

/** null: there is none, or none that can be read. */
export const sessionNoteOf = (journal: Journal): SessionNote | null =>
  session.safeParse(journal.noted('session')).data ?? null;

export const booksOf = (journal: Journal): BooksNote | null => books.safeParse(journal.noted('books')).data ?? null;

/** What the broker says of the account's cash, and when. */
export interface CashReading {
  readonly wallMs: number;
  readonly cash: number;
}

/** Once a journal has met a simulated market, it is the journal of a simulated session. `cash`: as a new journal begins. */
export function noteGateway(journal: Journal, simulated: boolean, cash: CashReading | null): void {
  if (journal.length === 0 && cash !== null) {
    const opening: BooksNote = { fromWallMs: cash.wallMs, cashBefore: cash.cash, after: null };
    journal.note('books', opening);
  }
  const known = sessionNoteOf(journal);
  if (known !== null && (known.kind === 'simulated' || !simulated)) return;
  const note: SessionNote = {
    kind: simulated ? 'simulated' : 'gateway',
    data: [],
    anchorMs: null,
    toMs: null,
    fills: null,
    speed: null,
    seed: null,
    faults: false,
  };
  journal.note('session', note);
}

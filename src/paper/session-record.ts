/** A session as its journal has it: bars, decisions, orders with what became of them, the account bar by bar, faults. */
import type { Bars } from '#env/market/bars.js';
import type { ClosedBar, TraderEvent } from '#src/live/core/events.js';
import type { TraderConfig } from '#src/live/core/config.js';
import type { DecisionRecord } from '#src/live/core/intents.js';
import type { Trader } from '#src/live/core/trader.js';
import { Journal, type JournalSeal } from '#src/live/shell/journal.js';
import { barsOf } from '#src/live/shell/recorded-bars.js';
import { RecordedDecider } from '#src/live/shell/replay-journal.js';
import { walkJournal } from '#src/live/shell/walk-journal.js';
import { fail } from '#src/errors.js';
import { FaultLog, type Faults } from './faults.js';
import { OrderLog, type OrderRecord } from './order-log.js';
import { booksOf, sessionNoteOf, type BooksNote, type SessionNote } from '#src/live/shell/session-note.js';

export interface AccountRow {
  /** Open of the bar at whose close this is. */
  readonly timeMs: number;
  /** In the account's currency, marked at the close. */
  readonly equity: number;
  /** Signed value of all positions / equity. */
  readonly exposure: number;
  /** By symbol, signed units. */
  readonly position: Readonly<Record<string, number>>;
}

export interface SessionRecord {
  readonly journalFile: string;
  readonly bundle: string | null;
  readonly note: SessionNote | null;
  readonly books: BooksNote | null;
  readonly seal: JournalSeal;
  readonly config: TraderConfig;
  readonly events: number;
  /** Market time of the first and the last event, epoch milliseconds. */
  readonly fromMs: number;
  readonly toMs: number;
  /** As the runner took them, one entry a symbol, in one segment. */
  readonly bars: readonly Bars[];
  /** Opens of the 5-second bars, by symbol. */
  readonly slots: ReadonlyMap<string, readonly Slot[]>;
  readonly decisions: ReadonlyMap<string, readonly DecisionRecord[]>;
  readonly orders: readonly OrderRecord[];
  /** From the first decision's bar on: row 0 is the account as it stood at that decision. */
  readonly account: readonly AccountRow[];
  /** At the end, by symbol. */
  readonly cash: Readonly<Record<string, number>>;
  readonly position: Readonly<Record<string, number>>;
  readonly faults: Faults;
  /** Our ledger less the broker's books, in currency, less than a cent as 0; null: the broker was never asked. */
  readonly ledgerDifference: number | null;
}

export interface Slot {
  readonly openMs: number;
  readonly open: number;
}

/** Reads a journal. Throws LIVE_JOURNAL and LIVE_EVENT on one that is damaged or holds nothing. */
export function readSession(journalFile: string): SessionRecord {
  const journal = Journal.read(journalFile);
  try {
    const seal = journal.seal();
    const reader = new Reader(booksOf(journal), sessionNoteOf(journal)?.kind !== 'gateway');
    let last: Trader | null = null;
    for (const { entry, trader, bars } of walkJournal(journal, new RecordedDecider(journal))) {
      last = trader;
      for (const { symbol, bar } of bars) reader.bar(symbol, bar);
      reader.event(entry.event, trader);
      for (const intent of entry.intents) {
        if (intent.type === 'decision') reader.decision(intent.decision);
        reader.orders.intent(intent, entry.event);
        reader.faults.intent(intent);
      }
      reader.account(trader, bars.length > 0);
    }
    if (last === null)
      fail('LIVE_JOURNAL', { where: journalFile, message: 'holds no event: nothing was traded by it yet' });
    const { config, symbols } = last;
    return {
      journalFile,
      bundle: journal.bundle,
      note: sessionNoteOf(journal),
      books: booksOf(journal),
      seal,
      config,
      events: journal.length,
      ...reader.span,
      bars: barsOf(reader.taken, config, seal.sha256),
      slots: reader.slots,
      decisions: reader.decisions,
      orders: reader.orders.orders(),
      account: reader.rows,
      cash: Object.fromEntries(symbols.map(({ symbol, cash }) => [symbol, cash])),
      position: Object.fromEntries(symbols.map(({ symbol, position }) => [symbol, position])),
      faults: reader.faults.end(),
      ledgerDifference: reader.ledgerDifference(),
    };
  } finally {
    journal.close();
  }
}

const CENT = 0.01;

class Reader {
  readonly taken = new Map<string, ClosedBar[]>();
  readonly slots = new Map<string, Slot[]>();
  readonly decisions = new Map<string, DecisionRecord[]>();
  readonly orders = new OrderLog();
  readonly faults = new FaultLog();
  readonly rows: AccountRow[] = [];
  readonly #books: BooksNote | null;
  readonly #isSimulated: boolean;
  #fromMs = 0;
  #toMs = 0;
  #cashBefore: number | null = null;
  #cashAfter = 0;
  /** Of the last reconciliation: value of what the broker holds more, or less, than we. */
  #positionDifference: number | null = null;

  constructor(books: BooksNote | null, isSimulated: boolean) {
    this.#books = books;
    this.#isSimulated = isSimulated;
  }

  get span(): { fromMs: number; toMs: number } {
    return { fromMs: this.#fromMs, toMs: this.#toMs };
  }

  bar(symbol: string, bar: ClosedBar): void {
    push(this.taken, symbol, bar);
  }

  decision(decision: DecisionRecord): void {
    push(this.decisions, decision.symbol, decision);
  }

  event(event: TraderEvent, trader: Trader): void {
    if (event.marketMs > 0) {
      if (this.#fromMs === 0) this.#fromMs = event.marketMs;
      this.#toMs = Math.max(this.#toMs, event.marketMs);
    }
    if (event.type === 'fiveSecondBar') {
      const { openMs, open } = event.bar;
      const known = this.slots.get(event.symbol)?.at(-1)?.openMs ?? -Infinity;
      if (openMs > known) push(this.slots, event.symbol, { openMs, open });
    } else if (event.type === 'commission') this.orders.commission(event);
    else if (event.type === 'reconciled')
      this.#positionDifference = trader.symbols.reduce((sum, { symbol, position, lastPrice }) => {
        const held = event.positions.find((one) => one.symbol === symbol)?.quantity ?? 0;
        return held === position ? sum : sum + Math.abs(held - position) * (lastPrice > 0 ? lastPrice : 1);
      }, 0);
    this.faults.event(event, trader);
    // what the model charges for a short overnight is the broker's interest of a later day; a simulated one charges it too
    const borrowed = this.#isSimulated ? 0 : 1;
    const cash = trader.symbols.reduce((sum, one) => sum + one.cash + borrowed * one.accruedBorrow, 0);
    if (this.#books === null) return;
    // the ledger as it stood when the broker was asked
    if (event.wallMs <= this.#books.fromWallMs || this.#cashBefore === null) this.#cashBefore = cash;
    if (event.wallMs <= (this.#books.after?.wallMs ?? 0)) this.#cashAfter = cash;
  }

  /** A row a bar; where symbols close one after another, the last word counts. */
  account(trader: Trader, hasBars: boolean): void {
    if (!hasBars || this.decisions.size === 0) return;
    const { symbols } = trader;
    const timeMs = Math.max(...symbols.map(({ market }) => market.row.stampMs));
    const value = symbols.reduce(
      (sum, { position, market }) => sum + (position === 0 ? 0 : position * market.row.close[0]),
      0,
    );
    const equity = symbols.reduce((sum, { cash }) => sum + cash, 0) + value;
    const row = {
      timeMs,
      equity,
      exposure: equity > 0 ? value / equity : 0,
      position: Object.fromEntries(symbols.map(({ symbol, position }) => [symbol, position])),
    };
    if (this.rows.at(-1)?.timeMs === timeMs) this.rows[this.rows.length - 1] = row;
    else this.rows.push(row);
  }

  ledgerDifference(): number | null {
    const books = this.#books;
    if (books === null || books.after === null) return this.#positionDifference;
    const ours = this.#cashAfter - (this.#cashBefore ?? 0);
    const difference = ours - (books.after.cash - books.cashBefore) + (this.#positionDifference ?? 0);
    // both readings are in whole cents
    return Math.abs(difference) < CENT ? 0 : Math.round(difference / CENT) * CENT;
  }
}

function push<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

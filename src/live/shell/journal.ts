/**
 * The journal: every event that the trader heard and every intent that it answered with, in order, in SQLite. An
 * intent is durable, with all events before it, before anybody acts on it; events alone are written in batches. From
 * the journal the trader's state, and its every decision, can be had again. A hash chain over all of it shows a row that
 * was altered, left out or put in by anything but this class; it is a seal against accidents, no signature.
 */
import Database from 'libsql';
import { createHash, hash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { fail } from '#src/errors.js';
import { syncFolder } from '#src/registry/files.js';
import type { TraderEvent } from '../core/events.js';
import type { TraderIntent } from '../core/intents.js';

const FORMAT = 'openbell-journal 1';
/** Events that are held back from the disk while no intent asks for them. */
const MOST_HELD = 512;
const FULL = 2;
/** Events that are read at a time. */
const PAGE = 1_000;
const WITH_INTENTS = 'AND EXISTS (SELECT 1 FROM intents WHERE intents.event = events.sequence)';
/** Rows in the database's log from which on it is folded into the database. */
const MOST_LOG_ROWS = 2_000;

export interface JournalEntry {
  readonly sequence: number;
  readonly event: TraderEvent;
  readonly intents: readonly TraderIntent[];
}

/** An entry as JSON. */
interface StoredEntry {
  readonly sequence: number;
  readonly event: string;
  readonly intents: readonly string[];
}

/** What a new journal is told. */
export interface JournalBeginning {
  /** sha256 of the bundle that trades by it. */
  readonly bundle: string | null;
  /** The mark of the journal before it: order ids are never used twice. */
  readonly orderIdMark?: number;
}

const NAMELESS: JournalBeginning = { bundle: null };

/** The chain's beginning: of the hash of an entry, and of all before it. */
const CHAIN_START = '0'.repeat(64);

/** What the session that trades by a journal says of itself, as JSON, once each. */
export type JournalNote = 'session' | 'books';

/** A journal's hash, and whether it is the one that was kept as it was written. */
export interface JournalSeal {
  /** sha256 over all entries and notes, in order. */
  readonly sha256: string;
  readonly intact: boolean;
}

export class Journal {
  readonly file: string;
  readonly #db: Database.Database;
  readonly #insertEvent: Database.Statement;
  readonly #insertIntent: Database.Statement;
  readonly #setMeta: Database.Statement;
  /** sha256 of the bundle that trades by it; null: it was begun without one. */
  readonly bundle: string | null;
  #sequence: number;
  #orderIdMark: number;
  #chain: string;
  #held: JournalEntry[] = [];
  #logRows = 0;

  private constructor(file: string, db: Database.Database) {
    this.file = file;
    this.#db = db;
    this.#insertEvent = db.prepare(
      'INSERT INTO events (sequence, market_ms, wall_ms, type, body) VALUES (?, ?, ?, ?, ?)',
    );
    this.#insertIntent = db.prepare('INSERT INTO intents (event, place, type, body) VALUES (?, ?, ?, ?)');
    this.#setMeta = db.prepare('UPDATE meta SET value = ? WHERE key = ?');
    this.bundle = metaOf(db, 'bundle');
    this.#sequence = lastSequence(db);
    this.#orderIdMark = Number(metaOf(db, 'order_id_mark') ?? 1);
    this.#chain = metaOf(db, 'chain') ?? CHAIN_START;
  }

  /**
   * Opens a journal, or makes an empty one that begins as told. Throws LIVE_JOURNAL where the file is none, does not
   * sync, or belongs to another bundle than `beginning` names.
   */
  static open(file: string, beginning: JournalBeginning = NAMELESS): Journal {
    const db = new Database(file);
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    requireSetting(db, file, 'journal_mode', 'wal');
    requireSetting(db, file, 'synchronous', FULL);
    // folding the log into the database takes time that an order has not: `rest` does it
    db.pragma('wal_autocheckpoint = 0');
    db.exec(`
      CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS events (
        sequence INTEGER PRIMARY KEY, market_ms REAL NOT NULL, wall_ms REAL NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL
      );
      CREATE TABLE IF NOT EXISTS intents (
        event INTEGER NOT NULL REFERENCES events (sequence), place INTEGER NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (event, place)
      );
    `);
    const format = metaOf(db, 'format');
    if (format === null) {
      const insert = db.prepare('INSERT INTO meta (key, value) VALUES (?, ?)');
      db.exec('BEGIN IMMEDIATE');
      insert.run('format', FORMAT);
      insert.run('chain', CHAIN_START);
      insert.run('order_id_mark', String(beginning.orderIdMark ?? 1));
      if (beginning.bundle !== null) insert.run('bundle', beginning.bundle);
      db.exec('COMMIT');
    } else if (format !== FORMAT)
      fail('LIVE_JOURNAL', {
        where: file,
        value: format,
        message: `this is no journal of this version (${FORMAT})`,
      });
    const journal = new Journal(file, db);
    if (beginning.bundle !== null && journal.bundle !== null && journal.bundle !== beginning.bundle)
      fail('LIVE_JOURNAL', {
        where: file,
        value: journal.bundle,
        message: `belongs to this bundle, not to ${beginning.bundle}: a journal is continued by the bundle that began it`,
      });
    return journal;
  }

  /** Opens a journal that is there, to read it. Throws LIVE_JOURNAL where there is none. */
  static read(file: string): Journal {
    if (!existsSync(file)) fail('LIVE_JOURNAL', { where: file, message: 'there is no such journal: check the path' });
    return Journal.open(file);
  }

  /** The journal at a place, a file or the folder of an account, and whose it is. Throws LIVE_JOURNAL. */
  static describe(place: string): { readonly file: string; readonly bundle: string | null } {
    const isFolder = statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;
    const journal = Journal.read(isFolder ? path.join(place, 'journal.db') : place);
    const { file, bundle } = journal;
    journal.close();
    return { file, bundle };
  }

  get length(): number {
    return this.#sequence;
  }

  /** Below it lie all order ids that may have been used: the next process begins here. 1 in a new journal. */
  get orderIdMark(): number {
    return this.#orderIdMark;
  }

  /**
   * Takes events with their intents, in order, and below which mark the order ids lie that carrying them out will use.
   * Where there are intents, all of it is on the disk when this returns.
   */
  appendAll(entries: readonly Omit<JournalEntry, 'sequence'>[], orderIdMark = 0): void {
    this.#orderIdMark = Math.max(this.#orderIdMark, orderIdMark);
    let asks = false;
    for (const { event, intents } of entries) {
      this.#held.push({ sequence: ++this.#sequence, event, intents });
      asks ||= intents.length > 0;
    }
    if (asks || this.#held.length >= MOST_HELD) this.flush();
  }

  append(event: TraderEvent, intents: readonly TraderIntent[], orderIdMark = 0): void {
    this.appendAll([{ event, intents }], orderIdMark);
  }

  /** Writes what is held back. */
  flush(): void {
    if (this.#held.length === 0) return;
    const held = this.#held;
    this.#held = [];
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      let chain = this.#chain;
      for (const { sequence, event, intents } of held) {
        const body = JSON.stringify(event);
        this.#insertEvent.run(sequence, event.marketMs, event.wallMs, event.type, body);
        const bodies = intents.map((intent) => JSON.stringify(intent));
        this.#logRows += 1 + intents.length;
        for (const [place, intent] of intents.entries())
          this.#insertIntent.run(sequence, place, intent.type, bodies[place]);
        chain = linkOf(chain, sequence, body, bodies);
      }
      this.#setMeta.run(String(this.#orderIdMark), 'order_id_mark');
      this.#setMeta.run(chain, 'chain');
      this.#db.exec('COMMIT');
      this.#chain = chain;
    } catch (cause) {
      // of a disk that fails SQLite itself rolls back
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
      fail('LIVE_JOURNAL', {
        where: this.file,
        message: 'could not be written, so that nothing of this was sent: make room on the disk and start again',
        cause,
      });
    }
  }

  /** Writes down what the session says of itself. The newest word counts. */
  note(key: JournalNote, value: unknown): void {
    this.flush();
    const keep = this.#db.prepare(
      'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
    );
    this.#db.exec('BEGIN IMMEDIATE');
    keep.run(key, JSON.stringify(value));
    keep.run('notes_sha256', this.#notesHash());
    this.#db.exec('COMMIT');
  }

  /** null: nothing was noted. */
  noted(key: JournalNote): unknown {
    const text = metaOf(this.#db, key);
    return text === null ? null : parse<unknown>(text, this.file);
  }

  /** Reads all of it and hashes it anew. Throws LIVE_JOURNAL on a row that cannot be read. */
  seal(): JournalSeal {
    this.flush();
    let chain = CHAIN_START;
    for (const { sequence, event, intents } of this.#rows()) chain = linkOf(chain, sequence, event, intents);
    const notes = this.#notesHash();
    const sha256 = createHash('sha256').update(`${chain}\n${notes}`).digest('hex');
    const keptNotes = metaOf(this.#db, 'notes_sha256');
    const hasNotes = this.noted('session') !== null || this.noted('books') !== null;
    return {
      sha256,
      intact: chain === metaOf(this.#db, 'chain') && (keptNotes === null ? !hasNotes : keptNotes === notes),
    };
  }

  #notesHash(): string {
    const notes = [this.bundle, metaOf(this.#db, 'session'), metaOf(this.#db, 'books')];
    return createHash('sha256').update(JSON.stringify(notes)).digest('hex');
  }

  /** Does what can be done while no order waits: writes what is held back, folds a long log into the database. */
  rest(): void {
    this.flush();
    if (this.#logRows < MOST_LOG_ROWS) return;
    // the log keeps its length and is written over: a sync has no new size of a file to write
    this.#db.pragma('wal_checkpoint(PASSIVE)');
    this.#logRows = 0;
  }

  /** All of it, oldest first. Throws LIVE_JOURNAL on a row that cannot be read. */
  *entries(): IterableIterator<JournalEntry> {
    for (const { sequence, event, intents } of this.#rows())
      yield {
        sequence,
        event: parse<TraderEvent>(event, this.file),
        intents: intents.map((intent) => parse<TraderIntent>(intent, this.file)),
      };
  }

  /** What was answered alone, oldest first: a small part of it. Throws LIVE_JOURNAL on a row that cannot be read. */
  *intents(): IterableIterator<TraderIntent> {
    for (const { intents } of this.#rows(WITH_INTENTS))
      for (const intent of intents) yield parse<TraderIntent>(intent, this.file);
  }

  /**
   * The rows as they lie there, oldest first, up to the last one of now. They are read in pages, each whole: memory is a
   * page's, and no cursor is left open where the reader stops early. (The driver frees what a statement's run holds in
   * the event loop alone: a query an event would keep all of them until the reading has ended.)
   */
  *#rows(condition = ''): IterableIterator<StoredEntry> {
    const last = lastSequence(this.#db);
    const page = this.#db.prepare(
      `SELECT sequence, body FROM events WHERE sequence > ? AND sequence <= ? ${condition} ORDER BY sequence LIMIT ${PAGE}`,
    );
    const answers = this.#db.prepare(
      'SELECT event AS sequence, body FROM intents WHERE event >= ? AND event <= ? ORDER BY event, place',
    );
    for (let after = Number.MIN_SAFE_INTEGER; ;) {
      const events = page.all(after, last).map((row) => rowOf(row, this.file));
      if (events.length === 0) return;
      after = events[events.length - 1].sequence;
      const intents = answers.all(events[0].sequence, after).map((row) => rowOf(row, this.file));
      let at = 0;
      for (const { sequence, body } of events) {
        while (at < intents.length && intents[at].sequence < sequence) at++;
        const from = at;
        while (at < intents.length && intents[at].sequence === sequence) at++;
        yield { sequence, event: body, intents: intents.slice(from, at).map((intent) => intent.body) };
      }
    }
  }

  /** Closes as a crash does: what was held back is lost. */
  abandon(): void {
    this.#held = [];
    this.#db.close();
  }

  close(): void {
    this.flush();
    this.#db.close();
  }

  /**
   * Closes it and puts it by as another file, whole and synced, before its own name is free again. The driver may hold
   * a closed database open until its statements are collected: the copy is a file that nobody holds, and nothing is
   * left beside the name which a new journal could take for its own.
   */
  archive(target: string): void {
    this.flush();
    rmSync(target, { force: true });
    this.#db.prepare('VACUUM INTO ?').run(target);
    syncFile(target);
    this.#db.pragma('wal_checkpoint(TRUNCATE)');
    this.#db.close();
    for (const suffix of ['-wal', '-shm', '']) rmSync(this.file + suffix, { force: true });
    syncFolder(path.dirname(this.file));
  }
}

function linkOf(chain: string, sequence: number, event: string, intents: readonly string[]): string {
  // JSON holds no line breaks
  return hash('sha256', [chain, sequence, event, ...intents].join('\n'));
}

function syncFile(file: string): void {
  const descriptor = openSync(file, 'r+');
  fsyncSync(descriptor);
  closeSync(descriptor);
}

function lastSequence(db: Database.Database): number {
  const row: unknown = db.prepare('SELECT COALESCE(MAX(sequence), 0) AS last FROM events').get();
  return typeof row === 'object' && row !== null && 'last' in row && typeof row.last === 'number' ? row.last : 0;
}

/** A setting that was asked for and not taken would lose what was promised to be durable. */
function requireSetting(db: Database.Database, file: string, name: string, wanted: string | number): void {
  const answer: unknown = db.pragma(name, { simple: true });
  const value: unknown = Array.isArray(answer) ? answer[0] : answer;
  const found = typeof value === 'object' && value !== null ? Object.values(value)[0] : value;
  if (found !== wanted)
    fail('LIVE_JOURNAL', {
      where: file,
      value: `${name} = ${String(found)}`,
      message: `the database does not take ${name} = ${wanted}: what it writes might be lost; put the journal on a local disk`,
    });
}

function metaOf(db: Database.Database, key: string): string | null {
  const row: unknown = db.prepare('SELECT value FROM meta WHERE key = ?').get(key);
  return typeof row === 'object' && row !== null && 'value' in row && typeof row.value === 'string' ? row.value : null;
}

function rowOf(row: unknown, file: string): { sequence: number; body: string } {
  if (typeof row === 'object' && row !== null && 'sequence' in row && typeof row.sequence === 'number')
    return { sequence: row.sequence, body: bodyOf(row, file) };
  return fail('LIVE_JOURNAL', { where: file, message: 'a row has no sequence: the journal is damaged' });
}

function bodyOf(row: unknown, file: string): string {
  if (typeof row === 'object' && row !== null && 'body' in row && typeof row.body === 'string') return row.body;
  return fail('LIVE_JOURNAL', { where: file, message: 'a row has no body: the journal is damaged' });
}

/** Rows are written by this class alone. */
function parse<T>(body: string, file: string): T {
  try {
    return JSON.parse(body);
  } catch (cause) {
    fail('LIVE_JOURNAL', {
      where: file,
      value: body.slice(0, 80),
      message: 'a row is not JSON: the journal is damaged',
      cause,
    });
  }
}

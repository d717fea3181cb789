/**
 * The queue in one SQLite file (libsql): every step is one transaction, synced to disk, so that any number of
 * processes may use it at once and any of them may be killed at any instant. The rollback journal, not the write-ahead
 * log: the latter needs memory that processes share, which network file systems do not give.
 *
 * The file coordinates and is no result: deleting it loses nothing, since what was trained is in the runs.
 */
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import Database from 'libsql';
import * as z from 'zod';
import { makeFolder } from '#src/config/make-folder.js';
import { fail, OpenBellError } from '#src/errors.js';
import { isAlive } from '#src/registry/claim.js';
import { LEASE_TERMS, type JobQueue, type JobStatus, type Json, type Lease, type LeaseTerms } from './contract.js';
import type { QueuedJob, Worker } from './contract.js';

const VERSION = 1;
/** A commit takes milliseconds; whoever waits longer waits for a disk that stands still. */
const BUSY_TIMEOUT_MS = 30_000;

const SCHEMA = `
create table if not exists job (
  number integer primary key,
  id text not null unique,
  payload text not null,
  state text not null check (state in ('ready', 'leased', 'done', 'failed')),
  attempts integer not null,
  token text,
  host text,
  pid integer,
  expires_ms integer,
  result text,
  error text
) strict`;

const jobRow = z.object({
  id: z.string(),
  payload: z.string(),
  state: z.enum(['ready', 'leased', 'done', 'failed']),
  attempts: z.number(),
  token: z.string().nullable(),
  host: z.string().nullable(),
  pid: z.number().nullable(),
  expires_ms: z.number().nullable(),
  result: z.string().nullable(),
  error: z.string().nullable(),
});
type JobRow = z.infer<typeof jobRow>;

export interface SqliteQueueOptions extends Partial<LeaseTerms> {
  readonly nowMs?: () => number;
  /** This machine's name: of its workers it can be seen that they are gone. */
  readonly host?: string;
}

export class SqliteQueue implements JobQueue {
  readonly #file: string;
  readonly #database: Database.Database;
  readonly #terms: LeaseTerms;
  readonly #nowMs: () => number;
  readonly #host: string | null;

  private constructor(file: string, database: Database.Database, options: SqliteQueueOptions) {
    this.#file = file;
    this.#database = database;
    this.#terms = { ...LEASE_TERMS, ...options };
    this.#nowMs = options.nowMs ?? Date.now;
    this.#host = options.host ?? null;
  }

  /** Opens the file, making it and its folder. Throws QUEUE_STATE where it is no queue, or of another version. */
  static open(file: string, options: SqliteQueueOptions = {}): SqliteQueue {
    makeFolder(path.dirname(file));
    let opened: Database.Database | null = null;
    try {
      const database = new Database(file, { timeout: BUSY_TIMEOUT_MS });
      opened = database;
      database.exec('pragma synchronous = full');
      const version = inTransaction(database, () => versionOf(database));
      if (version !== VERSION) {
        const message = `this queue is of version ${version}, and this OpenBell reads ${VERSION}; ${REMEDY}`;
        fail('QUEUE_STATE', { where: file, value: version, message });
      }
      return new SqliteQueue(file, database, options);
    } catch (error) {
      opened?.close();
      throw inOurWords(error, file);
    }
  }

  async add(jobs: readonly QueuedJob[]): Promise<void> {
    this.#atOnce(() => {
      for (const { id, payload } of jobs) {
        const text = JSON.stringify(payload);
        const there = this.#row(id);
        if (there === null) {
          this.#run(`insert into job (id, payload, state, attempts) values (?, ?, 'ready', 0)`, id, text);
        } else if (there.payload !== text) {
          fail('QUEUE_STATE', {
            where: this.#file,
            value: id,
            message: 'a job of this name is there with another payload: name jobs after what they are',
          });
        }
      }
    });
  }

  async lease({ ids, worker }: { ids: readonly string[]; worker: Worker }): Promise<Lease | null> {
    return this.#atOnce(() => {
      const wanted = new Set(ids);
      for (const row of this.#rows(`select * from job where state in ('ready', 'leased') order by number`)) {
        if (!wanted.has(row.id) || !this.#isFree(row)) continue;
        if (row.attempts >= this.#terms.maxAttempts) {
          const reason = row.error ?? 'its worker fell silent';
          const error = `given up after ${row.attempts} attempts; the last one: ${reason}`;
          this.#run(`update job set state = 'failed', token = null, error = ? where id = ?`, error, row.id);
          continue;
        }
        const token = randomUUID();
        this.#run(
          `update job set state = 'leased', attempts = attempts + 1, token = ?, host = ?, pid = ?, expires_ms = ?,
            error = case when state = 'leased' then 'its worker fell silent' else error end where id = ?`,
          token,
          worker.host,
          worker.pid,
          this.#nowMs() + this.#terms.leaseMs,
          row.id,
        );
        return { id: row.id, payload: parseJson(row.payload), token, attempt: row.attempts + 1 };
      }
      return null;
    });
  }

  async heartbeat({ id, token }: Lease): Promise<boolean> {
    // late but not replaced is not lost: a machine that slept goes on
    return this.#held(`update job set expires_ms = ?`, [this.#nowMs() + this.#terms.leaseMs], id, token);
  }

  async complete({ id, token }: Lease, result: Json): Promise<boolean> {
    return this.#held(`update job set state = 'done', result = ?, error = null`, [JSON.stringify(result)], id, token);
  }

  async fail({ id, token }: Lease, error: string, { retry }: { retry: boolean }): Promise<boolean> {
    const limit = retry ? this.#terms.maxAttempts : 0;
    const set = `update job set error = ?, state = case when attempts < ? then 'ready' else 'failed' end`;
    return this.#held(set, [error, limit], id, token);
  }

  async release({ id, token }: Lease): Promise<boolean> {
    return this.#held(`update job set state = 'ready', attempts = attempts - 1`, [], id, token);
  }

  async reopen(ids: readonly string[]): Promise<void> {
    const set = `update job set state = 'ready', attempts = 0, token = null, result = null, error = null`;
    this.#atOnce(() => {
      for (const id of ids) this.#run(`${set} where id = ? and state in ('done', 'failed')`, id);
    });
  }

  async get(ids: readonly string[]): Promise<JobStatus[]> {
    return this.#atOnce(() =>
      ids.flatMap((id) => {
        const row = this.#row(id);
        return row === null ? [] : [statusOf(row)];
      }),
    );
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  #atOnce<T>(work: () => T): T {
    try {
      return inTransaction(this.#database, work);
    } catch (error) {
      throw inOurWords(error, this.#file);
    }
  }

  #isFree({ state, host, pid, expires_ms: expiresMs }: JobRow): boolean {
    if (state === 'ready') return true;
    if (expiresMs === null || expiresMs <= this.#nowMs()) return true;
    return host !== null && host === this.#host && pid !== null && !isAlive(pid);
  }

  /** Runs an update of the job, provided that the lease is still the one. */
  #held(set: string, values: readonly (string | number)[], id: string, token: string): boolean {
    return this.#atOnce(() => {
      return this.#run(`${set} where id = ? and state = 'leased' and token = ?`, ...values, id, token) === 1;
    });
  }

  #run(sql: string, ...values: readonly (string | number)[]): number {
    return this.#database.prepare(sql).run(...values).changes;
  }

  #rows(sql: string, ...values: readonly (string | number)[]): JobRow[] {
    return this.#database
      .prepare(sql)
      .all(...values)
      .map((row) => jobRow.parse(row));
  }

  #row(id: string): JobRow | null {
    return this.#rows('select * from job where id = ?', id)[0] ?? null;
  }
}

/** Makes the table in a new file. */
function versionOf(database: Database.Database): number {
  const found = z
    .object({ user_version: z.number() })
    .parse(database.prepare('pragma user_version').get()).user_version;
  if (found !== 0) return found;
  database.exec(SCHEMA);
  database.exec(`pragma user_version = ${VERSION}`);
  return VERSION;
}

/** `immediate`: the lock is taken before anything is read, so that what was read still holds when it is written. */
function inTransaction<T>(database: Database.Database, work: () => T): T {
  database.exec('begin immediate');
  try {
    const value = work();
    database.exec('commit');
    return value;
  } catch (error) {
    if (database.inTransaction) database.exec('rollback');
    throw error;
  }
}

function statusOf({ id, state, attempts, host, pid, result, error }: JobRow): JobStatus {
  return {
    id,
    state,
    attempts,
    worker: state === 'leased' && host !== null && pid !== null ? { host, pid } : null,
    result: state === 'done' && result !== null ? parseJson(result) : null,
    error,
  };
}

const json = z.json();

function parseJson(text: string): Json {
  return json.parse(JSON.parse(text));
}

const REMEDY = 'delete the file: what was trained is in the runs';

/** SQLite's own errors: a damaged file, a full disk, a lock that is never given free. */
function inOurWords(error: unknown, file: string): unknown {
  if (!(error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_'))) return error;
  const code = String(error.code);
  const why = /BUSY|LOCKED/.test(code)
    ? 'another process has held it for too long: end that, or try again'
    : /DBMOVED/.test(code)
      ? 'it was deleted or replaced while it was in use; the same command goes on with a new one'
      : /FULL/.test(code)
        ? 'the disk is full: make room'
        : /READONLY|CANTOPEN|PERM/.test(code)
          ? 'it cannot be written: check its permissions, or choose another place (OPENBELL_RUNS_DIR)'
          : `it cannot be used (${error.message}); ${REMEDY}`;
  return new OpenBellError('QUEUE_STATE', { where: file, value: code, message: why, cause: error });
}

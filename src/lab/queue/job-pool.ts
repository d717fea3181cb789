/**
 * Does jobs in processes of this machine, several at a time. What is trained already is not trained again, what was
 * interrupted is taken up, and what another pool is doing is waited for.
 */
import os from 'node:os';
import path from 'node:path';
import { readFileSync } from 'node:fs';
import type { ExperimentConfig } from '#src/config/schema.js';
import { isTree } from '#src/config/yaml-source.js';
import { fileSize } from '#src/registry/files.js';
import type { RunRecord } from '../run-directory.js';
import type { JobQueue, JobStatus, Json, Lease, QueuedJob } from './contract.js';
import { startJobChild, type ChildEnd, type JobChild } from './job-child.js';
import {
  findJobRun,
  hasReached,
  IngredientReader,
  isMadeOf,
  PolicyHashes,
  recordOrNull,
  type Ingredients,
} from './job-run.js';
import { SqliteQueue } from './sqlite-queue.js';
import { queuedJob, type TrainingJob } from './training-job.js';
import type { Tidings } from './messages.js';

export interface JobEvaluation {
  readonly folder: string;
  /** What its metrics.json holds. */
  readonly summary: Readonly<Record<string, unknown>>;
}

export interface JobOutcome {
  readonly job: TrainingJob;
  /** paused: it has reached `stopAtTimesteps`. */
  readonly status: 'completed' | 'paused' | 'interrupted' | 'failed';
  /** The run's folder; null: none was begun. */
  readonly directory: string | null;
  readonly record: RunRecord | null;
  readonly evaluation: JobEvaluation | null;
  /** Why it failed. */
  readonly error: string | null;
  /** True where it was done before this pool was asked. */
  readonly reused: boolean;
}

export type JobEvent =
  | { readonly kind: 'tidings'; readonly job: TrainingJob; readonly tidings: Tidings }
  | { readonly kind: 'waiting'; readonly job: TrainingJob; readonly reason: string }
  | { readonly kind: 'retry'; readonly job: TrainingJob; readonly reason: string }
  | { readonly kind: 'outcome'; readonly outcome: JobOutcome };

export interface JobPoolOptions {
  readonly runsDir: string;
  /** How many processes at a time; default: one for each core that a training takes. */
  readonly jobs?: number | null;
  /** Instead of the configurations' `training.threads`: it changes no bit. */
  readonly threads?: number | null;
  /** Aborting it lets every process write a checkpoint and end; what is not done ends as interrupted. */
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: JobEvent) => void;
  /** Written into run.json. */
  readonly argv?: readonly string[];
  /** Default: the one under `runsDir`. The pool closes it. */
  readonly queue?: JobQueue;
  readonly nowMs?: () => number;
}

interface Entry {
  readonly job: TrainingJob;
  readonly queued: QueuedJob;
  readonly ingredients: Ingredients;
  readonly settle: (outcome: JobOutcome) => void;
  /** Another process is at it: not to be looked at before. */
  notBeforeMs: number;
  told: string | null;
}

const POLL_MS = 250;
const BUSY_POLL_MS = 1_000;
const HEARTBEAT_EVERY_MS = 10_000;

export const queueFile = (runsDir: string): string => path.join(runsDir, '.queue', 'jobs.db');

/** As many trainings at a time as there are cores for them. */
export function defaultJobs({ training }: ExperimentConfig, threads: number | null = null): number {
  return Math.max(1, Math.floor(os.availableParallelism() / (threads ?? training.threads)));
}

export class JobPool {
  readonly #options: JobPoolOptions;
  readonly #queue: JobQueue;
  readonly #nowMs: () => number;
  readonly #worker = { host: os.hostname(), pid: process.pid };
  readonly #ingredients = new IngredientReader();
  readonly #policies = new PolicyHashes();
  readonly #entries = new Map<string, Promise<JobOutcome>>();
  readonly #pending = new Map<string, Entry>();
  readonly #running = new Map<string, { readonly child: JobChild; readonly concluded: Promise<void> }>();
  #turning = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;
  #isClosing = false;
  #failure: unknown = null;
  #reject: (error: unknown) => void = () => undefined;
  /** Rejects where the pool itself breaks (its queue, its disk): no job can go on then. */
  readonly #broken: Promise<never>;

  constructor(options: JobPoolOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? Date.now;
    this.#queue = options.queue ?? SqliteQueue.open(queueFile(options.runsDir), { host: os.hostname() });
    this.#broken = new Promise<never>((_, reject) => (this.#reject = reject));
    this.#broken.catch(() => undefined);
    options.signal?.addEventListener('abort', () => this.#interrupt(), { once: true });
  }

  /**
   * Resolves when the job has an outcome: a training that fails is one. Rejects with DATA_ errors of its
   * configuration, and where the queue or the disk fails.
   */
  async submit(job: TrainingJob): Promise<JobOutcome> {
    const { id } = queuedJob(job);
    const known = this.#entries.get(id);
    if (known !== undefined) return known;
    const outcome = this.#begin(job);
    this.#entries.set(id, outcome);
    return outcome;
  }

  /** Ends what is still running, with a checkpoint each, and lets go of the queue. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#interrupt();
    await this.#turning;
    await Promise.all([...this.#running.values()].map(({ concluded }) => concluded));
    await this.#queue.close();
  }

  async #begin(asked: TrainingJob): Promise<JobOutcome> {
    const job = { ...asked, config: await this.#policies.fillIn(asked.config) };
    const queued = queuedJob(job);
    const ingredients = await this.#ingredients.read(job.config);
    await this.#queue.add([queued]);
    const [status] = await this.#queue.get([queued.id]);
    const before = this.#outcomeOf(job, ingredients, status);
    if (before !== null) return this.#ended({ ...before, reused: true });
    // done, but its run is gone or was made of other data; or failed, and the cause may have been mended
    await this.#queue.reopen([queued.id]);
    if (this.#isStopping) return this.#ended(unfinished(job));
    const outcome = new Promise<JobOutcome>((settle) => {
      this.#pending.set(queued.id, { job, queued, ingredients, settle, notBeforeMs: 0, told: null });
    });
    this.#turn();
    return Promise.race([outcome, this.#broken]);
  }

  /** Fills the free places. One turn at a time. */
  #turn(): void {
    if (this.#failure !== null) return;
    this.#turning = this.#turning
      .then(() => this.#fill())
      .catch((error: unknown) => {
        this.#failure = error;
        this.#reject(error);
        this.#interrupt();
      });
  }

  async #fill(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const [first] = this.#pending.values();
    if (first === undefined) return;
    const places = this.#options.jobs ?? defaultJobs(first.job.config, this.#options.threads ?? null);
    if (this.#running.size >= places) return;
    const nowMs = this.#nowMs();
    const ids = [...this.#pending].filter(([, entry]) => entry.notBeforeMs <= nowMs).map(([id]) => id);
    const lease = ids.length === 0 ? null : await this.#queue.lease({ ids, worker: this.#worker });
    if (lease === null) {
      await this.#lookAround();
      if (this.#pending.size > 0) this.#timer = setTimeout(() => this.#turn(), POLL_MS);
      return;
    }
    const entry = this.#pending.get(lease.id);
    // interrupted meanwhile
    if (entry === undefined) await this.#queue.release(lease);
    else await this.#take(entry, lease);
    this.#turn();
  }

  async #take(entry: Entry, lease: Lease): Promise<void> {
    const { job, ingredients } = entry;
    const { runsDir } = this.#options;
    const found = findJobRun(job, ingredients, runsDir, this.#nowMs());
    if (found.kind === 'busy') {
      await this.#queue.release(lease);
      this.#wait(entry, `process ${found.record.pid} is training ${found.directory}`);
      return;
    }
    if (found.kind === 'done' && !job.evaluate) {
      await this.#queue.complete(lease, this.#resultOf(found.directory, null));
      this.#settle(entry, { ...doneIn(job, found.directory, found.record, null), reused: true });
      return;
    }
    this.#pending.delete(lease.id);
    const directory = found.kind === 'none' ? null : found.directory;
    let begun = directory;
    const child = startJobChild(
      {
        kind: 'job',
        job,
        runsDir,
        directory,
        threads: this.#options.threads ?? null,
        argv: [...(this.#options.argv ?? [])],
      },
      (tidings) => {
        if (tidings.kind === 'started') begun = tidings.directory;
        this.#options.onEvent?.({ kind: 'tidings', job, tidings });
      },
    );
    let lost = false;
    const heart = setInterval(() => {
      void this.#queue.heartbeat(lease).then((held) => {
        if (held) return;
        lost = true;
        child.stop();
      }, this.#reject);
    }, HEARTBEAT_EVERY_MS);
    const concluded = child.ended
      .then(async (end) => {
        clearInterval(heart);
        if (lost) this.#await(entry, 'its lease was lost: another process does it');
        else await this.#conclude(entry, lease, end, begun);
      })
      .catch(this.#reject)
      .finally(() => {
        this.#running.delete(lease.id);
        this.#turn();
      });
    this.#running.set(lease.id, { child, concluded });
  }

  async #conclude(entry: Entry, lease: Lease, end: ChildEnd, directory: string | null): Promise<void> {
    const { job } = entry;
    const record = directory === null ? null : recordOrNull(directory);
    if (end.kind === 'ended' && end.status !== 'interrupted') {
      if (!(await this.#queue.complete(lease, this.#resultOf(end.directory, end.evaluation)))) {
        this.#await(entry, 'its lease was lost: another process does it');
        return;
      }
      const finished = recordOrNull(end.directory);
      if (finished === null) throw new Error(`${end.directory} has just been finished and cannot be read`);
      this.#settle(entry, { ...doneIn(job, end.directory, finished, end.evaluation), reused: false });
      return;
    }
    if (this.#isStopping) {
      await this.#queue.release(lease);
      this.#settle(entry, { ...unfinished(job), directory, record });
      return;
    }
    // somebody took the run between our look and the process's own
    if (end.kind === 'error' && end.code === 'RUN_STATE' && /is training this run|this run up/.test(end.message)) {
      await this.#queue.release(lease);
      this.#await(entry, end.message);
      return;
    }
    // a process that was asked to stop, and not by us, goes on as one that was killed
    const retry = end.kind !== 'error';
    const reason = end.kind === 'ended' ? 'its process was asked to stop' : end.message;
    await this.#queue.fail(lease, reason, { retry });
    const [status] = await this.#queue.get([lease.id]);
    if (retry && status?.state === 'ready') {
      this.#options.onEvent?.({ kind: 'retry', job, reason });
      this.#await(entry, null);
      return;
    }
    this.#settle(entry, { ...unfinished(job), status: 'failed', directory, record, error: reason });
  }

  /** What others have done meanwhile. */
  async #lookAround(): Promise<void> {
    for (const status of await this.#queue.get([...this.#pending.keys()])) {
      const entry = this.#pending.get(status.id);
      if (entry === undefined) continue;
      const outcome = this.#outcomeOf(entry.job, entry.ingredients, status);
      if (outcome !== null) this.#settle(entry, outcome);
      else if (status.state === 'failed')
        this.#settle(entry, { ...unfinished(entry.job), status: 'failed', error: status.error });
      else if (status.state === 'done') await this.#queue.reopen([status.id]);
      else if (status.worker !== null) this.#wait(entry, `process ${status.worker.pid} is at it`, 0);
    }
  }

  /** A job that the queue says is done, if its run still says so too. */
  #outcomeOf(job: TrainingJob, ingredients: Ingredients, status: JobStatus | undefined): JobOutcome | null {
    if (status?.state !== 'done' || !isTree(status.result)) return null;
    const { run, evaluation } = status.result;
    if (typeof run !== 'string') return null;
    const directory = path.join(this.#options.runsDir, run);
    const record = recordOrNull(directory);
    if (record === null || !hasReached(job, record) || !isMadeOf(record, ingredients)) return null;
    const folder = typeof evaluation === 'string' ? evaluation : null;
    if (job.evaluate && (folder === null || fileSize(path.join(directory, folder, 'metrics.json')) === null))
      return null;
    return { ...doneIn(job, directory, record, folder), reused: false };
  }

  #resultOf(directory: string, evaluation: string | null): Json {
    return { run: path.relative(this.#options.runsDir, directory), evaluation };
  }

  /** Back among the pending, to be looked at a little later. */
  #await(entry: Entry, reason: string | null): void {
    this.#pending.set(entry.queued.id, entry);
    if (this.#isStopping) this.#settle(entry, unfinished(entry.job));
    else this.#wait(entry, reason);
  }

  #wait(entry: Entry, reason: string | null, forMs = BUSY_POLL_MS): void {
    entry.notBeforeMs = this.#nowMs() + forMs;
    if (reason === null || entry.told === reason) return;
    entry.told = reason;
    this.#options.onEvent?.({ kind: 'waiting', job: entry.job, reason });
  }

  #settle(entry: Entry, outcome: JobOutcome): void {
    this.#pending.delete(entry.queued.id);
    entry.settle(this.#ended(outcome));
  }

  #ended(outcome: JobOutcome): JobOutcome {
    this.#options.onEvent?.({ kind: 'outcome', outcome });
    return outcome;
  }

  get #isStopping(): boolean {
    return this.#isClosing || this.#failure !== null || this.#options.signal?.aborted === true;
  }

  #interrupt(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const entry of this.#pending.values()) this.#settle(entry, unfinished(entry.job));
    for (const { child } of this.#running.values()) child.stop();
  }
}

function unfinished(job: TrainingJob): JobOutcome {
  return { job, status: 'interrupted', directory: null, record: null, evaluation: null, error: null, reused: false };
}

function doneIn(
  job: TrainingJob,
  directory: string,
  record: RunRecord,
  evaluation: string | null,
): Omit<JobOutcome, 'reused'> {
  const status = record.status === 'completed' ? 'completed' : 'paused';
  return { job, status, directory, record, evaluation: readEvaluation(directory, evaluation), error: null };
}

function readEvaluation(directory: string, below: string | null): JobEvaluation | null {
  if (below === null) return null;
  const folder = path.join(directory, below);
  const summary: unknown = JSON.parse(readFileSync(path.join(folder, 'metrics.json'), 'utf8'));
  return { folder, summary: isTree(summary) ? summary : {} };
}

/** Does all of them, and returns their outcomes in the same order. */
export async function runJobs(jobs: readonly TrainingJob[], options: JobPoolOptions): Promise<JobOutcome[]> {
  const pool = new JobPool(options);
  try {
    return await Promise.all(jobs.map((job) => pool.submit(job)));
  } finally {
    await pool.close();
  }
}

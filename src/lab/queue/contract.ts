/**
 * The queue of jobs: what every implementation promises, whether it lies on this machine's disk or serves many.
 *
 * A job is done at least once and has one result. A worker leases it, says now and then that it is still at work, and
 * hands in the result; a lease whose worker falls silent ends by itself, and the job goes to the next one, which takes
 * it up from its checkpoint. Handing a result in twice, or after another worker has, changes nothing.
 * queue-contract.fixture.ts holds every implementation to this.
 */

/** Plain JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export type JobState = 'ready' | 'leased' | 'done' | 'failed';

export interface QueuedJob {
  /** Named after what it is (a hash of the payload): adding it twice adds it once. */
  readonly id: string;
  readonly payload: Json;
}

/** Who works: enough to tell, on the same machine, that a process is gone before its lease runs out. */
export interface Worker {
  readonly host: string;
  readonly pid: number;
}

export interface Lease {
  readonly id: string;
  readonly payload: Json;
  /** Changes with every lease: what a worker says with an older one is not heard. */
  readonly token: string;
  /** How often the job has been leased since it was added or reopened, this time included. */
  readonly attempt: number;
}

export interface JobStatus {
  readonly id: string;
  readonly state: JobState;
  readonly attempts: number;
  /** While leased. */
  readonly worker: Worker | null;
  /** Once done. */
  readonly result: Json;
  /** Once failed: why. While ready again: why the last attempt ended. */
  readonly error: string | null;
}

export interface JobQueue {
  /** Adds what is not there yet, in this order. Throws QUEUE_STATE where an id is there with another payload. */
  add(jobs: readonly QueuedJob[]): Promise<void>;
  /**
   * The first of `ids` in the order of adding that is ready, or whose lease has run out; null: none is. A job that was
   * leased `maxAttempts` times and never handed in fails here, so that one which takes its machine down ends too.
   */
  lease(request: { readonly ids: readonly string[]; readonly worker: Worker }): Promise<Lease | null>;
  /** Prolongs the lease. False: it is lost, and the worker must stop. */
  heartbeat(lease: Lease): Promise<boolean>;
  /** Hands the result in. False: the lease was lost; whoever holds the job now decides. */
  complete(lease: Lease, result: Json): Promise<boolean>;
  /** Ends the attempt. With `retry` the job is ready again, unless it has had its attempts. False: the lease was lost. */
  fail(lease: Lease, error: string, options: { readonly retry: boolean }): Promise<boolean>;
  /** Gives the job back as if this attempt had not been. False: the lease was lost. */
  release(lease: Lease): Promise<boolean>;
  /** Makes done and failed jobs ready again, with no attempts behind them. Leased ones are left alone. */
  reopen(ids: readonly string[]): Promise<void>;
  /** In the order of `ids`; those that are not there are left out. */
  get(ids: readonly string[]): Promise<readonly JobStatus[]>;
  close(): Promise<void>;
}

export interface LeaseTerms {
  /** A lease ends so long after its last heartbeat. */
  readonly leaseMs: number;
  readonly maxAttempts: number;
}

export const LEASE_TERMS: LeaseTerms = { leaseMs: 60_000, maxAttempts: 3 };

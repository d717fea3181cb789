/** What every queue must do: a second implementation is held to the same. */
import { expect, it } from 'vitest';
import type { JobQueue, LeaseTerms } from './contract.js';

export interface QueueUnderTest {
  /** Another user of the same queue, as from another process or machine. */
  open(): JobQueue;
  /** Moves the clock of all users. */
  advance(ms: number): void;
  /** The terms under which `open` opens. */
  readonly terms: LeaseTerms;
}

const HERE = { host: 'here', pid: process.pid };
const THERE = { host: 'elsewhere', pid: 1 };
const jobs = ['a', 'b', 'c'].map((id) => ({ id, payload: { what: id, weights: [0.1, 1e-300, null] } }));
const ids = jobs.map(({ id }) => id);

export function itKeepsTheQueueContract(make: () => QueueUnderTest): void {
  it('leases jobs in the order of adding, once each, with their payload', async () => {
    const queue = make().open();
    await queue.add(jobs);
    const leases = [];
    for (let k = 0; k < 4; k++) leases.push(await queue.lease({ ids: [...ids].reverse(), worker: HERE }));
    expect(leases.map((lease) => lease?.id ?? null)).toEqual(['a', 'b', 'c', null]);
    expect(leases[0]).toMatchObject({ payload: jobs[0].payload, attempt: 1 });
    expect(new Set(leases.map((lease) => lease?.token)).size).toBe(4);
    await queue.close();
  });

  it('leases only what is asked for', async () => {
    const queue = make().open();
    await queue.add(jobs);
    expect(await queue.lease({ ids: ['b', 'x'], worker: HERE })).toMatchObject({ id: 'b' });
    expect(await queue.lease({ ids: ['b', 'x'], worker: HERE })).toBeNull();
    expect(await queue.lease({ ids: [], worker: HERE })).toBeNull();
    await queue.close();
  });

  it('gives one job to one of many who ask at once', async () => {
    const subject = make();
    const queues = Array.from({ length: 5 }, () => subject.open());
    await Promise.all(queues.map((queue) => queue.add(jobs)));
    const leases = await Promise.all(queues.map((queue) => queue.lease({ ids, worker: HERE })));
    const leased = leases.flatMap((lease) => lease?.id ?? []);
    expect(leased.sort()).toEqual(['a', 'b', 'c']);
    await Promise.all(queues.map((queue) => queue.close()));
  });

  it('adds a job once, and refuses another payload under its name, adding nothing of that call', async () => {
    const queue = make().open();
    await queue.add([jobs[0]]);
    await queue.add(jobs.slice(0, 2));
    await expect(queue.add([jobs[2], { id: 'a', payload: 'other' }])).rejects.toThrow(/^QUEUE_STATE .*another payload/);
    expect((await queue.get(ids)).map(({ id }) => id)).toEqual(['a', 'b']);
    await queue.close();
  });

  it('keeps the result, which nobody changes', async () => {
    const subject = make();
    const queue = subject.open();
    await queue.add(jobs);
    const lease = await leased(queue, 'a');
    expect(await queue.complete(lease, { score: 0.1 + 0.2 })).toBe(true);
    expect(await queue.complete(lease, { score: 5 })).toBe(false);
    expect(await queue.fail(lease, 'too late', { retry: true })).toBe(false);
    expect(await queue.release(lease)).toBe(false);
    expect(await queue.heartbeat(lease)).toBe(false);
    await queue.close();
    const later = subject.open();
    expect(await later.get(['a'])).toEqual([
      { id: 'a', state: 'done', attempts: 1, worker: null, result: { score: 0.1 + 0.2 }, error: null },
    ]);
    await later.close();
  });

  it('takes a job from a worker that has fallen silent, who is not heard any more', async () => {
    const { open, advance, terms } = make();
    const queue = open();
    await queue.add(jobs);
    const first = await leased(queue, 'a', THERE);
    advance(terms.leaseMs - 1);
    expect(await queue.lease({ ids: ['a'], worker: HERE })).toBeNull();
    advance(1);
    const second = await leased(queue, 'a');
    expect(second.attempt).toBe(2);
    expect(await queue.complete(first, 'mine')).toBe(false);
    expect(await queue.heartbeat(first)).toBe(false);
    expect(await queue.complete(second, 'yours')).toBe(true);
    expect(await queue.get(['a'])).toMatchObject([{ state: 'done', result: 'yours' }]);
    await queue.close();
  });

  it('leaves a job with a worker that says it is alive, even after a silence that nobody used', async () => {
    const { open, advance, terms } = make();
    const queue = open();
    await queue.add(jobs);
    const lease = await leased(queue, 'a', THERE);
    for (let k = 0; k < 5; k++) {
      advance(terms.leaseMs - 1);
      expect(await queue.heartbeat(lease)).toBe(true);
    }
    expect(await queue.lease({ ids: ['a'], worker: HERE })).toBeNull();
    advance(10 * terms.leaseMs);
    expect(await queue.heartbeat(lease)).toBe(true);
    expect(await queue.complete(lease, null)).toBe(true);
    await queue.close();
  });

  it('tries a job again until it has had its attempts, and says why it failed', async () => {
    const { open, terms } = make();
    const queue = open();
    await queue.add(jobs);
    for (let attempt = 1; attempt <= terms.maxAttempts; attempt++) {
      const lease = await leased(queue, 'a');
      expect(lease.attempt).toBe(attempt);
      expect(await queue.fail(lease, `reason ${attempt}`, { retry: true })).toBe(true);
    }
    expect(await queue.lease({ ids: ['a'], worker: HERE })).toBeNull();
    expect(await queue.get(['a'])).toMatchObject([{ state: 'failed', error: `reason ${terms.maxAttempts}` }]);
    await queue.close();
  });

  it('gives up on a job whose workers all fall silent', async () => {
    const { open, advance, terms } = make();
    const queue = open();
    await queue.add(jobs);
    for (let attempt = 1; attempt <= terms.maxAttempts; attempt++) {
      await leased(queue, 'a', THERE);
      advance(terms.leaseMs);
    }
    expect(await queue.lease({ ids: ['a'], worker: HERE })).toBeNull();
    const [status] = await queue.get(['a']);
    expect(status).toMatchObject({ state: 'failed', attempts: terms.maxAttempts });
    expect(status.error).toMatch(/silent/);
    await queue.close();
  });

  it('fails at once what would fail again, and begins anew when it is reopened', async () => {
    const queue = make().open();
    await queue.add(jobs);
    await queue.fail(await leased(queue, 'a'), 'no such data', { retry: false });
    await queue.complete(await leased(queue, 'b'), 1);
    const held = await leased(queue, 'c');
    expect(await queue.get(['a'])).toMatchObject([{ state: 'failed', error: 'no such data' }]);
    await queue.reopen([...ids, 'unknown']);
    expect((await queue.get(ids)).map(({ state, result, error }) => [state, result, error])).toEqual([
      ['ready', null, null],
      ['ready', null, null],
      ['leased', null, null],
    ]);
    expect(await leased(queue, 'a')).toMatchObject({ attempt: 1 });
    expect(await queue.heartbeat(held)).toBe(true);
    await queue.close();
  });

  it('counts no attempt for a job that is given back', async () => {
    const queue = make().open();
    await queue.add(jobs);
    for (let k = 0; k < 6; k++) {
      const lease = await leased(queue, 'a');
      expect(lease.attempt).toBe(1);
      expect(await queue.release(lease)).toBe(true);
    }
    await queue.close();
  });
}

async function leased(queue: JobQueue, id: string, worker = HERE) {
  const lease = await queue.lease({ ids: [id], worker });
  if (lease === null) throw new Error(`${id} could not be leased`);
  return lease;
}

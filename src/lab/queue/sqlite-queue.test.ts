import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { itKeepsTheQueueContract, type QueueUnderTest } from './queue-contract.fixture.js';
import { SqliteQueue } from './sqlite-queue.js';

const folder = mkdtempSync(path.join(tmpdir(), 'openbell-queue-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const freshFile = (): string => path.join(folder, String(files++), 'jobs.db');

function makeSqlite(): QueueUnderTest {
  const file = freshFile();
  const terms = { leaseMs: 60_000, maxAttempts: 3 };
  let nowMs = 1_700_000_000_000;
  return {
    terms,
    advance: (ms) => (nowMs += ms),
    open: () => SqliteQueue.open(file, { ...terms, nowMs: () => nowMs }),
  };
}

describe('the SQLite queue', () => {
  itKeepsTheQueueContract(makeSqlite);

  it('takes a job at once from a process of this machine that is gone', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => child.once('close', resolve));
    const queue = SqliteQueue.open(freshFile(), { host: 'here' });
    await queue.add([{ id: 'a', payload: null }]);
    const gone = { host: 'here', pid: child.pid ?? 0 };
    expect(await queue.lease({ ids: ['a'], worker: gone })).toMatchObject({ attempt: 1 });
    const me = { host: 'here', pid: process.pid };
    expect(await queue.lease({ ids: ['a'], worker: me })).toMatchObject({ attempt: 2 });
    expect(await queue.lease({ ids: ['a'], worker: me })).toBeNull();
    await queue.close();
  });

  it('refuses a file that is no queue, torn, or of a later version, and leaves it as it is', async () => {
    const text = path.join(folder, 'text.db');
    writeFileSync(text, 'score,seed\n1,2\n'.repeat(500));
    expect(() => SqliteQueue.open(text)).toThrow(/^QUEUE_STATE .*text\.db "SQLITE_NOTADB": .*delete the file/);
    expect(readFileSync(text, 'utf8')).toBe('score,seed\n1,2\n'.repeat(500));

    const torn = freshFile();
    const whole = SqliteQueue.open(torn);
    await whole.add(Array.from({ length: 400 }, (_, k) => ({ id: String(k), payload: 'x'.repeat(100) })));
    await whole.close();
    truncateSync(torn, 5000);
    await expect(async () => {
      const queue = SqliteQueue.open(torn);
      await queue.get(Array.from({ length: 400 }, (_, k) => String(k)));
    }).rejects.toThrow(/^QUEUE_STATE .*delete the file/);
  });

  it('survives a user that is killed in the middle of a step', async () => {
    const file = freshFile();
    const queue = SqliteQueue.open(file);
    await queue.add([{ id: 'a', payload: 1 }]);
    await queue.close();
    const script = `
      import Database from ${JSON.stringify(import.meta.resolve('libsql'))};
      const database = new Database(${JSON.stringify(file)});
      database.exec("begin immediate; update job set state = 'done', payload = 'half'");
      process.send('within');
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    await new Promise((resolve) => child.once('message', resolve));
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
    const after = SqliteQueue.open(file);
    expect(await after.get(['a'])).toMatchObject([{ state: 'ready', attempts: 0 }]);
    expect(await after.lease({ ids: ['a'], worker: { host: 'x', pid: 1 } })).toMatchObject({ payload: 1 });
    await after.close();
  });
});

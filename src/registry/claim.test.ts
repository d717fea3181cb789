import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { exclusively, hold, STALE_AFTER_MS } from './claim.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'openbell-claim-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const claimOf = (number: number, pid: number, host = hostname()): string => {
  const file = path.join(folder, `claim-${number}.lock`);
  writeFileSync(file, JSON.stringify({ pid, hostname: host }));
  return file;
};
/** Larger than any process id that Linux gives. */
const DEAD = 2 ** 30;
const TERMS = { code: 'RUN_STATE', doing: 'taking this run up' } as const;
const attempt = (): string => exclusively(folder, Date.now, TERMS, () => readdirSync(folder).join(' '));

it('holds a claim while it acts, and none afterwards, also where the act fails', () => {
  expect(attempt()).toBe('claim-1.lock');
  expect(readdirSync(folder)).toEqual([]);
  expect(() => exclusively(folder, Date.now, TERMS, () => expect.fail('no'))).toThrow('no');
  expect(readdirSync(folder)).toEqual([]);
});

it('is refused while another process holds one', () => {
  const file = claimOf(3, process.ppid);
  expect(attempt).toThrow(new RegExp(`^RUN_STATE ${folder} ${process.ppid}: another process is taking this run up`));
  expect(existsSync(file)).toBe(true);
  claimOf(3, DEAD, 'another-machine');
  expect(attempt).toThrow(/^RUN_STATE/);
  // made, and not yet written
  writeFileSync(file, '');
  expect(attempt).toThrow(/^RUN_STATE/);
});

it('passes over one whose process has died, and one that is too old', () => {
  claimOf(3, DEAD);
  expect(attempt()).toBe('claim-3.lock claim-4.lock');
  expect(readdirSync(folder)).toEqual([]);
  const old = claimOf(1, process.ppid);
  utimesSync(old, 1, 1);
  expect(attempt()).toBe('claim-1.lock claim-2.lock');
});

it('finds out where others have passed it over meanwhile', () => {
  const passedOverBy = (meanwhile: () => void): (() => string) => {
    return () =>
      exclusively(folder, Date.now, TERMS, (stillMine) => {
        meanwhile();
        stillMine();
        return 'done';
      });
  };
  expect(passedOverBy(() => undefined)()).toBe('done');
  const said = /^RUN_STATE .*stopped for so long that another may be taking this run up by now/;
  // who passed it over is done again, and has given back both
  expect(passedOverBy(() => rmSync(path.join(folder, 'claim-1.lock')))).toThrow(said);
  // and somebody else has begun under the same number, which is not this process's to give back
  expect(passedOverBy(() => claimOf(1, process.ppid))).toThrow(said);
  expect(readdirSync(folder)).toEqual(['claim-1.lock']);
  rmSync(path.join(folder, 'claim-1.lock'));
  // so long that another may pass it over at any moment
  const old = STALE_AFTER_MS / 2 + 1000;
  expect(passedOverBy(() => utimesSync(path.join(folder, 'claim-1.lock'), 1, (Date.now() - old) / 1000))).toThrow(said);
  expect(readdirSync(folder)).toEqual([]);
});

it('is held over a time, kept fresh, and given back', () => {
  const release = hold(folder, Date.now, TERMS);
  expect(attempt).toThrow(/^RUN_STATE/);
  expect(() => hold(folder, Date.now, TERMS)).toThrow(/^RUN_STATE/);
  release();
  expect(readdirSync(folder)).toEqual([]);
  expect(attempt()).toBe('claim-1.lock');
});

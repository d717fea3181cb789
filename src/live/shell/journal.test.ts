import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TraderEvent } from '../core/events.js';
import type { TraderIntent } from '../core/intents.js';
import { Journal } from './journal.js';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'openbell-journal-'));
  file = path.join(folder, 'journal.db');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const clock = (wallMs: number): TraderEvent => ({ type: 'clock', marketMs: 0.1 + wallMs, wallMs });
const RECONCILE: TraderIntent = { type: 'reconcile' };

/** What another process sees of the file at this moment. */
function onDisk(): number {
  const db = new Database(file);
  const rows = db.prepare('SELECT sequence FROM events').all();
  db.close();
  return rows.length;
}

describe('the journal', () => {
  it('gives back what it took, in order and to the bit', () => {
    const journal = Journal.open(file);
    journal.append(clock(1), []);
    journal.append(clock(2), [RECONCILE, { type: 'cancel', orderRef: 'ob1-X' }]);
    journal.close();
    const again = Journal.open(file);
    expect([...again.entries()]).toEqual([
      { sequence: 1, event: clock(1), intents: [] },
      { sequence: 2, event: clock(2), intents: [RECONCILE, { type: 'cancel', orderRef: 'ob1-X' }] },
    ]);
    again.append(clock(3), [RECONCILE]);
    expect(again.length).toBe(3);
    again.close();
  });

  it('has an intent on the disk, with all events before it, when append returns', () => {
    const journal = Journal.open(file);
    journal.append(clock(1), []);
    expect(onDisk()).toBe(0);
    journal.append(clock(2), [RECONCILE]);
    expect(onDisk()).toBe(2);
    journal.close();
  });

  it('refuses a file that is no journal', () => {
    writeFileSync(file, 'this is a text of some length, and no database at all');
    expect(() => Journal.open(file)).toThrow(/not a database/);
    expect(() => Journal.read(path.join(folder, 'missing.db'))).toThrow(/LIVE_JOURNAL .*no such journal/);
  });

  it('refuses a journal of another version', () => {
    Journal.open(file).close();
    const db = new Database(file);
    db.exec("UPDATE meta SET value = 'openbell-journal 99'");
    db.close();
    expect(() => Journal.open(file)).toThrow(/LIVE_JOURNAL .*"openbell-journal 99".*this version/);
  });
});

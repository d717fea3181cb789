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

  it('gives back more than a page of it, each answer with its own event', () => {
    const journal = Journal.open(file);
    const answered = [1, 2, 999, 1_000, 1_001, 2_000, 2_500];
    for (let sequence = 1; sequence <= 2_500; sequence++) {
      const cancels = [0, 1].map((k): TraderIntent => ({ type: 'cancel', orderRef: `${sequence}-${k}` }));
      journal.append(clock(sequence), answered.includes(sequence) ? cancels : []);
    }
    const entries = [...journal.entries()];
    expect(entries.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 2_500 }, (_, i) => i + 1));
    expect(entries.every(({ sequence, event }) => event.wallMs === sequence)).toBe(true);
    const refs = answered.flatMap((sequence) => [`${sequence}-0`, `${sequence}-1`]);
    const refsOf = (intents: Iterable<TraderIntent>): string[] =>
      [...intents].flatMap((intent) => (intent.type === 'cancel' ? [intent.orderRef] : []));
    expect(entries.filter(({ intents }) => intents.length > 0).map(({ sequence }) => sequence)).toEqual(answered);
    expect(refsOf(entries.flatMap(({ intents }) => intents))).toEqual(refs);
    expect(refsOf(journal.intents())).toEqual(refs);
    expect(journal.seal().intact).toBe(true);
    journal.close();
  });

  it('reads to the last event of when the reading began, and is written to meanwhile', () => {
    const journal = Journal.open(file);
    journal.append(clock(1), [RECONCILE]);
    journal.append(clock(2), [RECONCILE]);
    let read = 0;
    for (const { event } of journal.entries()) {
      read++;
      journal.append(event, [RECONCILE]);
    }
    expect([read, journal.length]).toEqual([2, 4]);
    journal.close();
  });

  it.each([
    ['altered', "UPDATE events SET body = replace(body, '1500', '1501') WHERE sequence = 1500"],
    ['taken out', 'DELETE FROM events WHERE sequence = 1000'],
    ['put in before the first', `INSERT INTO events VALUES (-7, 1, 1, 'clock', '{"type":"clock"}')`],
    ['put in behind the last', `INSERT INTO events VALUES (9e15, 1, 1, 'clock', '{"type":"clock"}')`],
    ['answered otherwise', `UPDATE intents SET body = '{"type":"cancel","orderRef":"x"}' WHERE event = 2000`],
  ])('has a seal that is broken where a row is %s', (_, statement) => {
    const journal = Journal.open(file);
    for (let wallMs = 1; wallMs <= 2_000; wallMs++) journal.append(clock(wallMs), wallMs === 2_000 ? [RECONCILE] : []);
    const whole = journal.seal();
    journal.close();
    const db = new Database(file);
    db.exec(statement);
    db.close();
    const again = Journal.read(file);
    const seal = again.seal();
    again.close();
    expect([whole.intact, seal.intact]).toEqual([true, false]);
    expect(seal.sha256).not.toBe(whole.sha256);
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

/** Which bundle trades, and what a journal proves: from journals of a run on the simulated gateway. */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'libsql';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BundleDecider, traderConfigOf } from '#src/live/shell/bundle-trader.js';
import { ask, ControlSocket, controlSocketPath } from '#src/live/shell/control-socket.js';
import { takeUp } from '#src/live/shell/deployment.js';
import { Journal } from '#src/live/shell/journal.js';
import { RecordedDecider, replayJournal, traderOf } from '#src/live/shell/replay-journal.js';
import { PAPER_ACCOUNT, runPaper } from '#src/paper/paper.js';
import { Registry } from '#src/registry/registry.js';
import type { Bundle } from '#src/registry/bundle.js';
import { BUY, bundleThatAlways } from '../support/bundles.js';
import { INSTRUMENT, syntheticSessions } from './sessions.js';

let folder: string;
let registry: Registry;
let bundle: Bundle;
let other: Bundle;
const SELL = 2;
const settings = { account: PAPER_ACCOUNT };

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'openbell-deployment-'));
  registry = new Registry(path.join(folder, 'registry'));
  bundle = registry.store(bundleThatAlways(BUY, INSTRUMENT));
  other = registry.store(bundleThatAlways(SELL, INSTRUMENT, {}, 'other'));
  const bars = [syntheticSessions(1, 3, 1)];
  // holds at its end: it always buys
  await runPaper({
    bundle,
    bars,
    folder: path.join(folder, 'run'),
    fills: 'path',
    speed: 'max',
    seed: 1,
  });
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A folder with a copy of the run's journal. */
function holding(name: string): string {
  const place = mkdtempSync(path.join(folder, name));
  copyFileSync(path.join(folder, 'run', 'journal.db'), path.join(place, 'journal.db'));
  return place;
}

it('keeps the bundle of an open position, and says what waits', () => {
  const place = holding('open-');
  const found = takeUp({ folder: place, registry, wanted: other, settings, nowMs: 0 });
  expect(found.bundle.sha256).toBe(bundle.sha256);
  expect(found.waiting).toMatch(/^bundle [0-9a-f]{16} waits: the account is not flat$/);
  found.journal.close();
  expect(readdirSync(place).filter((name) => name.endsWith('.db'))).toEqual(['journal.db']);
});

it('begins a new journal for another bundle when flat, and never uses an order id twice', () => {
  const place = mkdtempSync(path.join(folder, 'flat-'));
  const first = takeUp({ folder: place, registry, wanted: bundle, settings, nowMs: 0 });
  const config = traderConfigOf(bundle, settings);
  first.journal.append({ type: 'started', config, marketMs: 0, wallMs: 0 }, [{ type: 'reconcile' }], 41);
  first.journal.close();
  const second = takeUp({ folder: place, registry, wanted: other, settings, nowMs: 0 });
  expect(second.bundle.sha256).toBe(other.sha256);
  expect(second.waiting).toBeNull();
  expect(second.journal.length).toBe(0);
  expect(second.journal.orderIdMark).toBe(41);
  second.journal.close();
  const [archived] = readdirSync(place).filter((name) => name.startsWith('journal-') && name.endsWith('.db'));
  const kept = Journal.read(path.join(place, archived));
  expect(kept.bundle).toBe(bundle.sha256);
  expect([...kept.entries()].map(({ event }) => event.type)).toEqual(['started']);
  kept.close();
  // the journal of one bundle is not continued by another
  expect(() => Journal.open(path.join(place, 'journal.db'), { bundle: bundle.sha256 })).toThrow(/LIVE_JOURNAL/);
});

it('repeats a journal, and names the first intent that is another', () => {
  const file = path.join(folder, 'run', 'journal.db');
  const decider = new BundleDecider(bundle);
  const whole = replayJournal(file, decider);
  expect(whole.firstDifference).toBeNull();
  expect(whole.decisions).toBeGreaterThan(100);
  const altered = path.join(holding('altered-'), 'journal.db');
  const db = new Database(altered);
  const changed = db
    .prepare(
      "UPDATE intents SET body = replace(body, '\"action\":1', '\"action\":2') WHERE type = 'decision' AND event > 500",
    )
    .run().changes;
  expect(changed).toBeGreaterThan(0);
  db.close();
  const found = replayJournal(altered, decider).firstDifference;
  expect(found?.journalled).toMatchObject({ type: 'decision', decision: { action: 2 } });
  expect(found?.repeated).toMatchObject({ type: 'decision', decision: { action: 1 } });
  decider.dispose();
});

it('has the state of a journal without its bundle', () => {
  const journal = Journal.read(path.join(folder, 'run', 'journal.db'));
  const trader = traderOf(journal);
  expect(trader.symbols[0].position).toBeGreaterThan(0);
  const spent = new RecordedDecider(journal);
  journal.close();
  expect(trader.config.account).toBe(PAPER_ACCOUNT);
  expect(() => {
    for (;;) spent.decide(new Float32Array(1), null, new Float32Array(3));
  }).toThrow(/LIVE_JOURNAL .*fewer decisions/);
});

it('takes the lock that a dead runner left, and refuses that of a living one', async () => {
  const account = `T${process.pid}`;
  const lock = await ControlSocket.open(
    account,
    () => 'alive',
    () => undefined,
  );
  await expect(
    ControlSocket.open(
      account,
      () => 'second',
      () => undefined,
    ),
  ).rejects.toThrow(/LIVE_LOCK/);
  expect(await ask(controlSocketPath(account), { ask: 'status' })).toEqual({ status: 'alive' });
  await lock.close();
  expect(existsSync(controlSocketPath(account))).toBe(false);
  expect(await ask(controlSocketPath(account), { ask: 'status' })).toBeNull();
});

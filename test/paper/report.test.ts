/** Reports and evidence of paper sessions over a real socket: computed from journals, which cannot be helped along. */
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Journal, type JournalEntry } from '#src/live/shell/journal.js';
import { paperEvidence } from '#src/paper/evidence.js';
import { paperText } from '#src/paper/paper-text.js';
import { paperTrade } from '#src/paper/paper-session.js';
import { reportOn, type PaperResult } from '#src/paper/report.js';
import type { Bundle } from '#src/registry/bundle.js';
import { threeDays } from './three-days.js';

let folder: string;
let trading: string;
let bundle: Bundle;
let exact: { result: PaperResult; folder: string };
let path1: { result: PaperResult; folder: string };

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'openbell-paper-'));
  trading = path.join(folder, 'trading');
  ({ bundle } = await threeDays(folder));
  const trade = (from: string, to: string, fills: 'path' | 'backtest'): ReturnType<typeof paperTrade> =>
    paperTrade({
      bundle,
      from,
      to,
      fills,
      speed: 'max',
      seed: 1,
      tradingDir: trading,
      logLevel: 'warning',
    });
  // the last hour of two days
  exact = await trade('2020-03-09T19:00:00Z', '2020-03-09T20:00:00Z', 'backtest');
  path1 = await trade('2020-03-10T19:00:00Z', '2020-03-10T20:00:00Z', 'path');
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a report', () => {
  it('is equal to the model in every fill, fee and cent where fills follow the rules of the backtest', () => {
    const { report } = exact.result;
    expect(report.agrees).toBe(true);
    expect(report.fills.compared).toBe(report.fills.orders);
    expect(report.fills.orders).toBeGreaterThan(10);
    expect(Object.keys(report.fills.byKind).sort()).toEqual(expect.arrayContaining(['entry', 'stop', 'target']));
    expect(exact.result.compared.filter(({ slippageBps }) => slippageBps !== 0)).toEqual([]);
    expect(report.commissions.difference).toBeCloseTo(0, 4);
    expect(report.commissions.charged).toBeGreaterThan(10);
    expect(report.ledgerDifference).toBe(0);
    expect(report.bars).toEqual({ of: 'replayed', why: null, expected: report.bars.same, same: report.bars.expected });
    expect(report.uptime).toMatchObject({
      readyShare: 1,
      decisionsDue: 60,
      decisionsMade: 60,
      outages: [],
      restarts: 0,
    });
    expect(paperText(report)).toContain('repeats the backtest, action for action and cent for cent');
  });

  it('counts what a tick path does to prices, and says that this proves no slippage', () => {
    const { report, compared } = path1.result;
    expect(report.agrees).toBe(true);
    expect(report.fills.executions).toBeGreaterThan(report.fills.orders);
    expect(report.fills.meanBps).not.toBe(0);
    expect(report.fills.intervalBps?.low).toBeLessThan(report.fills.meanBps ?? NaN);
    const cost = compared.reduce((sum, one) => sum + one.side * (one.price - one.modelPrice) * one.quantity, 0);
    expect(report.fills.cost).toBeCloseTo(cost, 9);
    expect(report.equity?.verdict).toMatch(/^1 market day is too few/);
    expect(paperText(report)).toContain('Paper proves the plumbing, not the slippage');
  });

  it('says which days the bundle was trained on', () => {
    expect([exact.result.report.knownDays, path1.result.report.knownDays]).toEqual([1, 0]);
    expect(paperText(exact.result.report)).toContain('trained or chosen on 1 of these 1 market day');
  });

  it('falls back to the recorded bars where the data set is another one now, and says so', async () => {
    const copy = copyOf(path1.folder, 'moved');
    alter(
      path.join(copy, 'journal.db'),
      "UPDATE meta SET value = replace(value, 'three-days.yaml', 'gone.yaml') WHERE key = 'session'",
    );
    const { report } = await reportOn(bundle, path.join(copy, 'journal.db'));
    expect(report.bars).toMatchObject({ of: 'recorded', why: expect.stringContaining('gone.yaml cannot be loaded') });
    expect(report.parity.sameFeatures).toBe(report.parity.decisions);
    // the note was altered
    expect(report.journal.intact).toBe(false);
  });
});

describe('a session with faults', () => {
  it('tells outages and missed decisions, and what the repaired bars are worth', async () => {
    const { result } = await paperTrade({
      bundle,
      from: '2020-03-10T14:00:00Z',
      to: '2020-03-10T14:30:00Z',
      fills: 'path',
      speed: 'max',
      seed: 1,
      faults: {
        scripted: [
          // over two closes
          {
            trigger: { at: { from: 'start', ms: 10 * 60_000 + 30_000 } },
            fault: { kind: 'connectivity_lost', duration: 120_000, data: 'lost' },
          },
          {
            trigger: { at: { from: 'start', ms: 20 * 60_000 } },
            fault: { kind: 'reject_order', match: {}, code: 201, message: 'no', with_status: true },
          },
        ],
        random: null,
      },
      tradingDir: path.join(folder, 'faulty'),
      logLevel: 'warning',
    });
    const { report } = result;
    expect(report.uptime.outages).toHaveLength(1);
    expect(report.uptime.outages[0].cause).toBe('connection');
    // the two minutes, and what it took to be whole again
    expect(report.uptime.outages[0].marketSeconds).toBeGreaterThanOrEqual(120);
    expect(report.uptime.outages[0].marketSeconds).toBeLessThan(240);
    expect(report.uptime.readyShare).toBeLessThan(0.94);
    expect(report.uptime.decisionsMade).toBeLessThan(report.uptime.decisionsDue);
    expect(report.uptime.alerts).toMatchObject({ DISCONNECTED: 1 });
    // history gave what was missed, to the bit
    expect(report.bars.same).toBe(report.bars.expected);
    expect(report.agrees).toBe(true);
    expect(paperText(report)).toContain('Things were broken on purpose in this session.');
    expect(report.ledgerDifference).toBe(0);
    const evidence = await paperEvidence(bundle, path.join(folder, 'faulty'));
    expect(evidence.sessions[0].faults).toEqual(report.uptime.alerts);
    expect(evidence.sessions[0].decidingShare).toBe(report.uptime.decidingShare);
  }, 60_000);
});

describe('evidence', () => {
  it('sums sessions of different days', async () => {
    const evidence = await paperEvidence(bundle, trading);
    expect(evidence).toMatchObject({
      bundle: bundle.sha256,
      marketDays: 2,
      knownDays: 1,
      // an hour of the other is no day
      partDays: 1,
      agrees: true,
      decisions: 120,
    });
    expect(
      evidence.sessions.map(({ kind, comparedOn, marketDays, why }) => [kind, comparedOn, marketDays, why]),
    ).toEqual([
      ['simulated', 'replayed', 1, null],
      ['simulated', 'replayed', 1, null],
    ]);
    expect(evidence.fills).toBe(exact.result.compared.length + path1.result.compared.length);
    expect(evidence.slippageUpperBps).toBeGreaterThan(evidence.slippageBps ?? NaN);
    expect(Math.abs(evidence.commissionDifference ?? NaN)).toBeLessThan(1e-4);
    expect(evidence.ledgerDifference).toBe(0);
    const nobody = await paperEvidence({ ...bundle, sha256: '0'.repeat(64) }, trading);
    expect(nobody).toMatchObject({ sessions: [], marketDays: 0, agrees: false, slippageBps: null });
  });

  it('reads no report', async () => {
    const place = copyOf(trading, 'doctored-report');
    const before = await paperEvidence(bundle, place);
    for (const file of reportsIn(place)) {
      const report: object = JSON.parse(readFileSync(file, 'utf8'));
      writeFileSync(file, JSON.stringify({ ...report, marketDays: 60, agrees: true, fills: null }));
    }
    expect(await paperEvidence(bundle, place)).toEqual(before);
  });

  it.each([
    [
      'a better price',
      "UPDATE events SET body = replace(body, '\"price\":', '\"price\":1') WHERE sequence = (SELECT MAX(sequence) FROM events WHERE type = 'execution')",
      'hash chain',
    ],
    [
      'a lower fee',
      "UPDATE events SET body = replace(body, '\"amount\":', '\"amount\":-') WHERE sequence = (SELECT MAX(sequence) FROM events WHERE type = 'commission')",
      'hash chain',
    ],
    [
      'an alert less',
      "DELETE FROM intents WHERE rowid = (SELECT MIN(rowid) FROM intents WHERE type = 'alert')",
      'hash chain',
    ],
    [
      'other books',
      "UPDATE meta SET value = replace(value, '\"cashBefore\":1', '\"cashBefore\":2') WHERE key = 'books'",
      'hash chain',
    ],
  ])('is not helped by a doctored journal: %s', async (_, statement, why) => {
    const place = copyOf(trading, 'doctored');
    const [first] = readdirSync(path.join(place, 'paper')).sort();
    alter(path.join(place, 'paper', first, 'journal.db'), statement);
    const evidence = await paperEvidence(bundle, place);
    expect(evidence.agrees).toBe(false);
    expect(evidence.sessions[0]).toMatchObject({ agrees: false, why: expect.stringContaining(why) });
    expect(evidence.sessions[1].agrees).toBe(true);
  });

  it('is not helped by a journal that was sealed anew: the bundle answers otherwise', async () => {
    const place = copyOf(trading, 'resealed');
    const [first] = readdirSync(path.join(place, 'paper')).sort();
    const file = path.join(place, 'paper', first, 'journal.db');
    const entries = entriesOf(file);
    const journal = Journal.open(path.join(place, 'paper', 'forged.db'), { bundle: bundle.sha256 });
    // every fill a cent cheaper, and nothing else changed
    for (const { event, intents } of entries) {
      const forged =
        event.type === 'execution' && event.report.side === 'BUY'
          ? { ...event, report: { ...event.report, price: event.report.price - 0.01 } }
          : event;
      journal.append(forged, intents);
    }
    expect(journal.seal().intact).toBe(true);
    journal.close();
    rmSync(file);
    const { sessions, agrees } = await paperEvidence(bundle, place);
    expect(agrees).toBe(false);
    const forged = sessions.find((session) => session.journal === 'forged.db');
    expect(forged).toMatchObject({ agrees: false, why: expect.stringContaining('does not repeat') });
  });

  it('does not stop at a journal that is no journal', async () => {
    const place = copyOf(trading, 'broken');
    const [first] = readdirSync(path.join(place, 'paper')).sort();
    alter(path.join(place, 'paper', first, 'journal.db'), "UPDATE events SET body = 'x' WHERE sequence = 100");
    writeFileSync(path.join(place, 'paper', 'journal.db'), 'no database at all, though it bears the name of one');
    const evidence = await paperEvidence(bundle, place);
    expect(evidence.agrees).toBe(false);
    expect(evidence.sessions).toHaveLength(2);
    expect(evidence.sessions[0]).toMatchObject({ marketDays: 0, why: expect.stringContaining('not JSON') });
  });
});

function entriesOf(file: string): JournalEntry[] {
  const journal = Journal.read(file);
  const entries = [...journal.entries()];
  journal.close();
  return entries;
}

function copyOf(source: string, name: string): string {
  const target = mkdtempSync(path.join(folder, `${name}-`));
  cpSync(source, target, { recursive: true });
  return target;
}

function reportsIn(place: string): string[] {
  return readdirSync(place, { recursive: true, encoding: 'utf8' })
    .filter((name) => path.basename(name) === 'report.json')
    .map((name) => path.join(place, name));
}

function alter(file: string, statement: string): void {
  const db = new Database(file);
  expect(db.prepare(statement).run().changes).toBe(1);
  db.close();
}

/**
 * A paper account at a gateway, over a real socket: the session ends with a report, and another one, of another day,
 * goes on in the same journal. The gateway is a simulated one, and the journal says so.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadDataset } from '#src/data/load.js';
import { startGateway, type Gateway } from '#src/gateway/start-gateway.js';
import { writeRecordedDataset } from '#src/live/shell/recorded-dataset.js';
import { DEFAULT_POLICY } from '#src/live/shell/policy-file.js';
import { paperEvidence } from '#src/paper/evidence.js';
import { paperAtGateway, type GatewaySession } from '#src/paper/gateway-session.js';
import { paperText } from '#src/paper/paper-text.js';
import { reportAgain } from '#src/paper/report-again.js';
import { threeDays, type ThreeDays } from './three-days.js';

/** Of its own, since the lock is the account's, wherever its journal lies. */
const ACCOUNT = `DU${process.pid}`;
let folder: string;
let trading: string;
let days: ThreeDays;
let gateway: Gateway;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'openbell-paper-gateway-'));
  trading = path.join(folder, 'trading');
  days = await threeDays(folder);
  gateway = await startGateway({
    bars: [days.bars],
    port: 0,
    account: ACCOUNT,
    speed: 120,
    // minutes before the close of Monday: Tuesday follows at once
    startTimeMs: Date.parse('2020-03-09T19:50:00Z'),
  });
}, 60_000);
afterAll(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Trades until `count` more decisions were made after `fromMs` of the market. */
async function trade(fromMs: number, count: number, onExit: 'leave' | 'close'): Promise<GatewaySession> {
  const controller = new AbortController();
  let made = 0;
  return paperAtGateway({
    kind: 'paper',
    registry: days.registry,
    reference: days.bundle.sha256,
    address: { host: '127.0.0.1', port: gateway.port, clientId: 1 },
    account: null,
    policy: { ...DEFAULT_POLICY, risk: { ...DEFAULT_POLICY.risk, max_orders_per_minute: 10_000 } },
    onExit,
    simulated: true,
    tradingDir: trading,
    logLevel: 'warning',
    signal: controller.signal,
    listener: {
      onDecision: ({ barOpenMs }) => {
        if (barOpenMs >= fromMs && ++made === count) controller.abort();
      },
    },
  });
}

it('reports at the end, and over both days of one journal', async () => {
  const first = await trade(0, 3, 'leave');
  expect(first.result.report).toMatchObject({ kind: 'simulated', account: ACCOUNT, marketDays: 1, agrees: true });
  expect(first.result.report.bars).toMatchObject({ of: 'recorded', why: null });
  expect(first.result.report.fills.orders).toBeGreaterThan(0);
  // the broker's own word on the cash, before and after
  expect(first.result.session.books).not.toBeNull();
  expect(paperText(first.result.report)).toContain('as the runner recorded them from 5-second bars and history');
  expect(existsSync(path.join(first.outcome.folder, 'report.html'))).toBe(true);

  const second = await trade(Date.parse('2020-03-10T00:00:00Z'), 3, 'close');
  const { report } = second.result;
  expect(report).toMatchObject({ marketDays: 2, knownDays: 1, agrees: true });
  expect(report.uptime.restarts).toBe(1);
  expect(report.uptime.decisionsMade).toBeLessThan(report.uptime.decisionsDue);
  expect(second.result.session.books?.after).not.toBeNull();
  expect(report.ledgerDifference).toBe(0);
  const page = readFileSync(path.join(second.outcome.folder, 'report.html'), 'utf8');
  expect(page).toContain('Paper proves the plumbing');
  expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/);

  const again = await reportAgain(days.registry, second.outcome.folder, null);
  expect(again.result.report).toEqual(report);
  const evidence = await paperEvidence(days.bundle, trading);
  expect(evidence).toMatchObject({ marketDays: 2, knownDays: 1, agrees: true });
  expect(evidence.sessions).toHaveLength(1);
  expect(evidence.sessions[0].kind).toBe('simulated');

  // what was recorded is what was replayed, bar for bar
  const [written] = await writeRecordedDataset({ from: second.outcome.folder, name: 'syn-recorded', out: folder });
  const recorded = await loadDataset(written.manifestFile);
  expect(recorded.length).toBeGreaterThan(300);
  const rowOf = new Map([...days.bars.openTimeMs].map((timeMs, row) => [timeMs, row]));
  for (const column of ['open', 'high', 'low', 'close', 'volume'] as const)
    expect([...recorded[column]]).toEqual(
      [...recorded.openTimeMs].map((timeMs) => days.bars[column][rowOf.get(timeMs) ?? -1]),
    );
}, 120_000);

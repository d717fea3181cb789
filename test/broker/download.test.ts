/** History through the broker into a data set, against the simulated gateway that replays one. */
import { existsSync, mkdtempSync, readFileSync, rmSync, appendFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { downloadDataset, type DownloadOptions } from '#src/broker/download.js';
import { IBKR_HISTORY_LIMITS } from '#src/broker/history-pace.js';
import { loadDataset } from '#src/data/load.js';
import type { Gateway } from '#src/gateway/start-gateway.js';
import { gatewayOf, market } from '../support/gateway.js';
import { QUICK } from '../support/broker.js';

const SESSIONS = 6;
const bars = market(['SYN'], SESSIONS);
let gateway: Gateway;
let out: string;

beforeEach(async () => {
  // the last session has begun: its bars so far are there, and no more
  gateway = await gatewayOf({
    bars,
    speed: 1,
    startTimeMs: bars[0].openTimeMs[bars[0].segments[0].start + (SESSIONS - 1) * 390 + 100],
  });
  out = mkdtempSync(path.join(tmpdir(), 'openbell-download-'));
});

afterEach(async () => {
  await gateway.close();
  rmSync(out, { recursive: true, force: true });
});

function options(changes: Partial<DownloadOptions> = {}): DownloadOptions {
  return {
    broker: {
      ...QUICK,
      account: null,
      dataOnly: true,
      port: gateway.port,
      historyLimits: { ...IBKR_HISTORY_LIMITS, identicalMs: 0, perContractInTwoSeconds: 100 },
    },
    symbol: 'SYN',
    securityType: 'STK',
    exchange: 'SMART',
    currency: 'USD',
    interval: '1m',
    fromDate: '2024-01-03',
    toDate: '2024-01-08',
    name: 'syn_1m',
    out,
    connectTimeoutMs: 15_000,
    ...changes,
  };
}

/** Bars of the source that open in these days (UTC is enough: sessions are in the afternoon). */
function source(from: string, to: string): number[] {
  const [fromMs, toMs] = [Date.parse(`${from}T00:00Z`), Date.parse(`${to}T23:59Z`)];
  return [...bars[0].openTimeMs].filter((timeMs) => timeMs >= fromMs && timeMs <= toMs);
}

describe('a download', () => {
  it('holds the very bars of the broker, as a data set that loads', async () => {
    const { manifestFile } = await downloadDataset(options());
    const got = await loadDataset(manifestFile);
    expect([...got.openTimeMs]).toEqual(source('2024-01-03', '2024-01-08'));
    const first = bars[0].openTimeMs.indexOf(got.openTimeMs[0]);
    for (const column of ['open', 'high', 'low', 'close', 'volume'] as const)
      expect(got[column]).toEqual(bars[0][column].slice(first, first + got.length));
    expect(got.calendar).toBe('XNYS');
    expect(got.instrument).toMatchObject({ symbol: 'SYN', ticks: [{ lowEdge: 0, increment: 0.01 }] });
    expect(readFileSync(manifestFile, 'utf8')).toMatch(/not for redistribution/);
    expect(existsSync(path.join(out, 'syn_1m.download.jsonl'))).toBe(false);
  });

  it('goes on where it was interrupted, torn line and all, to the same bytes', async () => {
    const whole = await downloadDataset(options({ name: 'whole' }));
    const controller = new AbortController();
    const asked: number[] = [];
    const interrupted = options({
      signal: controller.signal,
      progress: (doneMs) => {
        asked.push(doneMs);
        if (asked.length === 3) controller.abort();
      },
    });
    await expect(downloadDataset(interrupted)).rejects.toThrow(/INTERRUPTED.*goes on from/);
    const log = path.join(out, 'syn_1m.download.jsonl');
    const lines = readFileSync(log, 'utf8').split('\n').length;
    appendFileSync(log, '{"toMs":99,"rows":[[17');
    const resumed: number[] = [];
    const { csvFile } = await downloadDataset(options({ progress: (doneMs) => resumed.push(doneMs) }));
    expect(resumed[0]).toBe(asked.at(-1));
    expect(lines).toBe(1 + 2 + 1);
    expect(readFileSync(csvFile, 'utf8')).toBe(readFileSync(whole.csvFile, 'utf8'));
  });

  it('ends with the last closed bar where no last day is said', async () => {
    const { bars: got } = await downloadDataset(options({ toDate: null, interval: '5m', name: 'syn_5m' }));
    const last = got.openTimeMs[got.length - 1];
    expect(last + 300_000).toBeLessThanOrEqual(gateway.clock.nowMs);
    expect(last + 900_000).toBeGreaterThan(gateway.clock.nowMs);
    expect(got.interval.label).toBe('5m');
  });

  it('takes daily bars by their dates, without the day that is not over', async () => {
    const { bars: got } = await downloadDataset(options({ toDate: null, interval: '1d', name: 'syn_1d' }));
    expect(Array.from(got.openTimeMs, (timeMs) => new Date(timeMs).toISOString().slice(0, 10))).toEqual([
      '2024-01-03',
      '2024-01-04',
      '2024-01-05',
      '2024-01-08',
    ]);
  });

  it('survives connections that break', async () => {
    let breaks = 0;
    const { bars: got } = await downloadDataset(
      options({
        progress: () => {
          if (++breaks <= 2) gateway.control.inject({ kind: 'disconnect', how: 'reset' });
        },
      }),
    );
    expect([...got.openTimeMs]).toEqual(source('2024-01-03', '2024-01-08'));
  });

  it('refuses to mix two downloads, days without bars, days that are none, and symbols that do not exist', async () => {
    const controller = new AbortController();
    await expect(
      downloadDataset(options({ signal: controller.signal, progress: () => controller.abort() })),
    ).rejects.toThrow(/INTERRUPTED/);
    await expect(downloadDataset(options({ fromDate: '2024-01-04' }))).rejects.toThrow(/DATA_FILE.*fromMs/);
    await expect(downloadDataset(options({ name: 'Not A Name' }))).rejects.toThrow(/USAGE --name/);
    writeFileSync(path.join(out, 'there.yaml'), '');
    await expect(downloadDataset(options({ name: 'there' }))).rejects.toThrow(/USAGE.*--force/);
    await expect(downloadDataset(options({ fromDate: '2024-02-30', name: 'x' }))).rejects.toThrow(/USAGE --from-date/);
    await expect(downloadDataset(options({ toDate: '2024-01-01', name: 'x' }))).rejects.toThrow(/USAGE --to-date/);
    await expect(downloadDataset(options({ symbol: 'NOSUCHNAME', name: 'x' }))).rejects.toThrow(/BROKER_STATE.*200/);
    await expect(
      downloadDataset(options({ fromDate: '2024-01-06', toDate: '2024-01-07', name: 'weekend' })),
    ).rejects.toThrow(/DATA_EMPTY/);
  });

  it('says where it looked for a gateway', async () => {
    const { port } = gateway;
    await gateway.close();
    await expect(downloadDataset(options({ connectTimeoutMs: 200 }))).rejects.toThrow(
      new RegExp(`BROKER_STATE 127.0.0.1:${port}.*IB_PORT`),
    );
  });
});

/** What a runner recorded is what was replayed, to the bit, and becomes an ordinary data set that grows day by day. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'libsql';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sliceBars, type Bars } from '#env/market/bars.js';
import { checkDataset } from '#src/data/check.js';
import { loadDataset } from '#src/data/load.js';
import { Journal } from '#src/live/shell/journal.js';
import { recordedBars, segmentsWithoutHoles } from '#src/live/shell/recorded-bars.js';
import { writeRecordedDataset } from '#src/live/shell/recorded-dataset.js';
import { runPaper } from '#src/paper/paper.js';
import { Registry } from '#src/registry/registry.js';
import type { Bundle } from '#src/registry/bundle.js';
import { bundleThatAlways, BUY } from '../support/bundles.js';
import { INSTRUMENT, syntheticSessions } from '../live/sessions.js';

const MINUTES = 5;
const LONGER_THAN_A_RETRY_MS = 3_000;
const market = syntheticSessions(1, 4, MINUTES);
const perSession = market.length / 4;
let folder: string;
let bundle: Bundle;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'openbell-recorded-'));
  bundle = new Registry(path.join(folder, 'registry')).store(
    bundleThatAlways(BUY, INSTRUMENT, {}, 'recorded', { interval: market.interval }),
  );
  // two days, each with a folder of its own; the second one begins again at the anchor
  for (const day of [2, 3])
    await runPaper({
      bundle,
      bars: [sliceBars(market, 0, (day + 1) * perSession)],
      folder: path.join(folder, `day${day}`),
      fills: 'path',
      speed: 'max',
      seed: 1,
      startTimeMs: market.openTimeMs[day * perSession],
      anchorMs: market.openTimeMs[0],
    });
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const columns = ({ openTimeMs, open, high, low, close, volume }: Bars): unknown => ({
  openTimeMs: [...openTimeMs],
  open: [...open],
  high: [...high],
  low: [...low],
  close: [...close],
  volume: [...volume],
});

it('records the bars that were replayed, to the bit', () => {
  const [recorded] = recordedBars(path.join(folder, 'day3', 'journal.db'));
  expect(columns(recorded)).toEqual(columns(market));
  expect(recorded.instrument).toEqual(INSTRUMENT);
});

it('becomes a data set, and grows by what is new', async () => {
  const out = path.join(folder, 'datasets');
  const from = (day: number): string => path.join(folder, `day${day}`);
  const [first] = await writeRecordedDataset({ from: from(2), name: 'recorded', out });
  expect(first).toMatchObject({ appended: 3 * perSession, conflicts: 0 });
  const [second] = await writeRecordedDataset({ from: from(3), name: 'recorded', out });
  expect(second).toMatchObject({ appended: perSession, conflicts: 0 });
  const [again] = await writeRecordedDataset({ from: from(3), name: 'recorded', out });
  expect(again.appended).toBe(0);
  const loaded = await loadDataset(path.join(out, 'recorded.yaml'));
  expect(columns(loaded)).toEqual(columns(market));
  expect(loaded.segments).toEqual([{ start: 0, end: market.length }]);
  const report = await checkDataset(path.join(out, 'recorded.yaml'), {});
  expect(report.usable).toBe(true);
  expect(readFileSync(path.join(out, 'recorded.yaml'), 'utf8')).toContain('recorded by OpenBell from DU1234567');
});

it('breaks where bars are missing, and leaves alone what is not its own', async () => {
  const holed = { ...market, openTimeMs: Float64Array.from(market.openTimeMs) };
  // six bars of the first session were never seen
  const kept = [...holed.openTimeMs.keys()].filter((t) => t < 20 || t >= 26);
  const times = Float64Array.from(kept, (t) => market.openTimeMs[t]);
  expect(segmentsWithoutHoles({ ...market, length: times.length, openTimeMs: times })).toEqual([
    { start: 0, end: 20 },
    { start: 20, end: times.length },
  ]);
  const out = path.join(folder, 'others');
  await writeRecordedDataset({ from: path.join(folder, 'day2'), name: 'mine', out });
  const file = path.join(out, 'mine.yaml');
  const before = readFileSync(file, 'utf8');
  writeFileSync(file, before.replace('recorded by OpenBell', 'bought'));
  await expect(writeRecordedDataset({ from: path.join(folder, 'day3'), name: 'mine', out })).rejects.toThrow(/USAGE/);
  expect(readFileSync(path.join(out, 'mine.csv'), 'utf8').split('\n')).toHaveLength(3 * perSession + 2);
  await expect(writeRecordedDataset({ from: path.join(folder, 'nowhere'), name: 'x', out })).rejects.toThrow(
    /LIVE_JOURNAL .*nowhere/,
  );
  expect(existsSync(path.join(out, 'x.csv'))).toBe(false);
});

it('seals a journal: an altered, lost or added row shows', () => {
  const file = path.join(folder, 'day2', 'journal.db');
  const sealed = (): { sha256: string; intact: boolean } => {
    const journal = Journal.read(file);
    const seal = journal.seal();
    journal.close();
    return seal;
  };
  const whole = sealed();
  expect(whole.intact).toBe(true);
  const db = new Database(file);
  const altered = db
    .prepare(
      `UPDATE events SET body = replace(body, '"amount":', '"amount":1')
       WHERE sequence = (SELECT MIN(sequence) FROM events WHERE type = 'commission')`,
    )
    .run();
  db.close();
  expect(altered.changes).toBe(1);
  expect(sealed().intact).toBe(false);
  expect(sealed().sha256).not.toBe(whole.sha256);
});

it('leaves no connection behind where the runner fails, and says why', async () => {
  let port = 0;
  const trading = runPaper({
    bundle,
    bars: [market],
    folder: path.join(folder, 'failing'),
    fills: 'path',
    speed: 'max',
    seed: 1,
    startTimeMs: market.openTimeMs[2 * perSession],
    anchorMs: market.openTimeMs[0],
    onReady: ({ gateway }) => {
      port = gateway.port;
    },
    listener: {
      onDecision: () => {
        throw new RangeError('the listener is broken');
      },
    },
  });
  await expect(trading).rejects.toThrow('the listener is broken');
  // a connection that was not closed would try the gateway's port again, and again
  let tried = 0;
  const next = createServer((socket) => {
    tried++;
    socket.destroy();
  }).listen(port, '127.0.0.1');
  await new Promise((resolve) => setTimeout(resolve, LONGER_THAN_A_RETRY_MS));
  next.close();
  expect(tried).toBe(0);
  // what was journalled before is there, and another session may go on from it
  const journal = Journal.read(path.join(folder, 'failing', 'journal.db'));
  expect([...journal.intents()].some(({ type }) => type === 'decision')).toBe(true);
  journal.close();
}, 60_000);

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseExperiment } from '#src/config/load.js';
import { identifyHost } from '../provenance.js';
import { RunDirectory } from '../run-directory.js';
import { addTags } from './annotations.js';
import { runsFrame, tradesFrame } from './frames.js';
import { listStoredRuns } from './list-runs.js';

let runsDir = '';
let judged = '';
beforeAll(() => {
  runsDir = mkdtempSync(path.join(tmpdir(), 'openbell-frames-'));
  [judged] = [1, 2].map((seed) => {
    const { config } = parseExperiment(`name: cart\nseed: ${seed}\nenv: { id: CartPole-v1 }\n`, 'x.yaml');
    const run = RunDirectory.create({
      runsDir,
      config,
      observationHash: null,
      argv: [],
      code: { openbell: '0', git: null, lockfile_sha256: null, kernels: {} },
      patch: null,
      data: [],
      host: identifyHost(),
      nowMs: () => Date.UTC(2024, 0, seed),
    });
    const best = seed === 1 ? { score: 0.1, timesteps: 8 } : null;
    run.finish('completed', 16, { timesteps: 16, updates: 2, weights_sha256: 'ab', best, last_score: null });
    return run.path;
  });
  addTags(judged, ['b', 'a']);
  const folder = path.join(judged, 'evaluation', 'test');
  mkdirSync(folder);
  const metrics = { agent: { sharpe: 1.25, totalReturn: 0.1, trades: 2 }, verdict: { edge: 'none' } };
  writeFileSync(path.join(folder, 'metrics.json'), JSON.stringify(metrics));
  writeFileSync(path.join(folder, 'trades.csv'), TRADES);
});
afterAll(() => rmSync(runsDir, { recursive: true }));

const HEADER =
  'symbol,side,entry_time,entry_price,exit_time,exit_price,quantity,pnl,costs,return,bars_held,exits,exit_reason';
const TRADES = `${HEADER}
SPY,long,2024-01-02T14:30:00Z,100.125,2024-01-03T14:30:00Z,101,3,2.1,0.525,0.007,7,1,agent
SPY,short,2024-01-04T14:30:00Z,101,2024-01-05T14:30:00Z,102.5,3,-5,0.5,-0.0165,9,2,stop
`;

describe('runsFrame', () => {
  it('has a row a run, in float64, with NaN and "" for what is missing', async () => {
    const frame = await runsFrame(runsDir);
    expect(frame.shape[0]).toBe(2);
    expect(frame['seed'].values).toEqual([1, 2]);
    expect(frame['score'].values).toEqual([0.1, NaN]);
    expect(frame['test_sharpe'].values).toEqual([1.25, NaN]);
    expect(frame['test_verdict'].values).toEqual(['none', '']);
    expect(frame['tags'].values).toEqual(['a, b', '']);
    expect(frame['archived'].values).toEqual([false, false]);
    expect(frame['score'].mean()).toBe(0.1);
    expect(frame.query(frame['test_sharpe'].gt(1))['seed'].values).toEqual([1]);
  });

  it('has the same columns and types whatever is in them, also where nothing is', async () => {
    const frame = await runsFrame(runsDir);
    const second = await runsFrame(runsDir, { filter: { seeds: [2] } });
    const none = await runsFrame(path.join(runsDir, 'nowhere'));
    expect(second.columns).toEqual(frame.columns);
    expect(second.dtypes).toEqual(frame.dtypes);
    expect(none.shape).toEqual([0, frame.columns.length]);
    expect(none.columns).toEqual(frame.columns);
    const types = new Map(frame.columns.map((name, k) => [name, frame.dtypes[k]]));
    expect(types.get('id')).toBe('string');
    expect(types.get('note')).toBe('string');
    expect(types.get('test_sharpe')).toBe('float32');
    expect(types.get('archived')).toBe('boolean');
  });
});

describe('tradesFrame', () => {
  it('has a row a trade, with the run that it is of', async () => {
    const { runs } = listStoredRuns(runsDir, { filter: { seeds: [1] } });
    const frame = await tradesFrame(runs);
    expect(frame['run'].values).toEqual([runs[0].id, runs[0].id]);
    expect(frame['entry_price'].values).toEqual([100.125, 101]);
    expect(frame['exit_reason'].values).toEqual(['agent', 'stop']);
    expect(frame['pnl'].sum()).toBeCloseTo(-2.9, 12);
    const types = new Map(frame.columns.map((name, k) => [name, frame.dtypes[k]]));
    expect([types.get('bars_held'), types.get('pnl'), types.get('side')]).toEqual(['int32', 'float32', 'string']);
    expect((await tradesFrame([])).columns).toEqual(frame.columns);
  });

  it('refuses a run without such an evaluation, and a file that was cut or edited', async () => {
    const { runs } = listStoredRuns(runsDir);
    await expect(tradesFrame(runs)).rejects.toThrow(/^RUN_STATE .*"test": .*evaluate it: openbell evaluate/);
    await expect(tradesFrame(runs.slice(0, 1), 'tset')).rejects.toThrow(/did you mean "test"\?/);
    const file = path.join(judged, 'evaluation', 'test', 'trades.csv');
    for (const [text, message] of [
      [TRADES.slice(0, -20), /trades\.csv:3 "no line feed at the end"/],
      [TRADES.replace('101,3,2.1', '101,three,2.1'), /trades\.csv:2 /],
      [TRADES.replace('7,1,agent', '7,1'), /trades\.csv:2 /],
      [TRADES.replace('symbol', 'ticker'), /trades\.csv:1 /],
    ] as const) {
      writeFileSync(file, text);
      await expect(tradesFrame(runs.slice(0, 1))).rejects.toThrow(message);
    }
    writeFileSync(file, TRADES);
  });
});

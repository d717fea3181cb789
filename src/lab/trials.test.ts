import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trialsOf } from './trials.js';

let runsDir: string;
let run: string;

beforeAll(() => {
  runsDir = mkdtempSync(path.join(tmpdir(), 'openbell-trials-'));
  run = path.join(runsDir, 'grid-best', 'a-run');
  mkdirSync(run, { recursive: true });
  mkdirSync(path.join(runsDir, 'grid', 'sweep'), { recursive: true });
  const trials = [{ sharpe: 1 }, { sharpe: 3 }, { sharpe: null }, {}];
  writeFileSync(path.join(runsDir, 'grid', 'sweep', 'sweep.json'), JSON.stringify({ id: 'grid 1', trials }));
});
afterAll(() => rmSync(runsDir, { recursive: true, force: true }));

describe('the trials behind a run', () => {
  it('are counted by its configuration, with the spread that the sweep recorded', () => {
    const found = trialsOf(run, { sweep: { id: 'grid 1', trial: 7, trials: 40 } });
    expect(found).toEqual({ count: 40, sharpeDeviation: Math.SQRT2 });
  });

  it('are counted without a spread where the sweep is gone', () => {
    expect(trialsOf(run, { sweep: { id: 'grid 2', trial: 0, trials: 9 } })).toEqual({
      count: 9,
      sharpeDeviation: null,
    });
  });

  it('are none for a run of no sweep', () => {
    expect(trialsOf(run, { sweep: null })).toBeNull();
    expect(trialsOf(run, {})).toBeNull();
  });

  it('say so where the record is damaged', () => {
    const file = path.join(runsDir, 'broken', 'sweep', 'sweep.json');
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, '{');
    expect(() => trialsOf(run, { sweep: { id: 'grid 3', trial: 0, trials: 9 } })).toThrow(/RUN_STATE .*broken/);
  });
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseExperiment } from '#src/config/load.js';
import { compareJson } from './compare-json.js';
import { compareRuns } from './compare-runs.js';
import { evaluateRun } from './evaluate.js';
import { train } from './train.js';

const MARKET = `
env: { id: market }
data:
  datasets: [synthetic-intraday]
  train: { to: 2020-02-15 }
  test: { from: 2020-03-01, to: 2020-03-06 }
agent: { n_steps: 64, batch_size: 128, n_epochs: 1 }
training: { total_timesteps: 512, n_envs: 8, evaluate_every: null }
`;
const CLASSIC = `
env: { id: CartPole-v1 }
training: { total_timesteps: 64 }
agent: { n_steps: 32, batch_size: 32, n_epochs: 1 }
`;

let runsDir: string;
/** Experiment and seed -> folder. */
const folders = new Map<string, string>();
const resamples = 500;

async function trained(text: string, name: string, seed: number, more = ''): Promise<string> {
  const config = parseExperiment(`name: ${name}\nseed: ${seed}\n${text}${more}`, `${name}.yaml`).config;
  const { directory } = await train({ config, runsDir });
  folders.set(`${name}/${seed}`, directory);
  return directory;
}

const folderOf = (key: string): string => folders.get(key) ?? '';

beforeAll(async () => {
  runsDir = mkdtempSync(path.join(tmpdir(), 'openbell-compare-'));
  for (const seed of [1, 2]) {
    for (const [name, text] of [
      ['near', MARKET],
      ['far', MARKET.replace('n_epochs: 1', 'n_epochs: 1, gamma: 0.9')],
    ]) {
      const directory = await trained(text, name, seed);
      await evaluateRun({ directory, randomPaths: 20, report: false });
    }
    await trained(CLASSIC, 'pole', seed);
    await trained(CLASSIC.replace('n_epochs: 1', 'n_epochs: 2'), 'pole-two', seed);
  }
}, 60_000);
afterAll(() => rmSync(runsDir, { recursive: true, force: true }));

describe('experiments on disk', () => {
  it('compare over all their seeds, with what differs and whence the figures come', async () => {
    const model = await compareRuns({ runsDir, references: ['near', 'far'], resamples });
    expect(model.groups.map(({ name, seeds, runs }) => [name, seeds, runs])).toEqual([
      ['near', [1, 2], 2],
      ['far', [1, 2], 2],
    ]);
    expect(model.differences).toEqual([{ key: 'agent.gamma', values: ['0.99', '0.9'] }]);
    expect(model.contrasts[0].outcome).toBe('too-few-seeds');
    expect(model.windowLabel).toContain('SYN');
    expect(model.notices.map(({ code }) => code)).toContain('synthetic');
    const metrics = JSON.parse(readFileSync(path.join(folderOf('near/1'), 'evaluation/test/metrics.json'), 'utf8'));
    expect(model.rows[0]).toMatchObject({
      group: 'near',
      seed: 1,
      metrics: { totalReturn: metrics.agent.totalReturn },
    });
    const last = model.fans[0].seeds[0].at(-1) ?? NaN;
    expect(last).toBeCloseTo(metrics.agent.totalReturn, 12);
    expect(JSON.parse(JSON.stringify(compareJson(model)))).toMatchObject({ metric: 'sharpe', tasks: ['all'] });
  });

  it('compare with buy-and-hold, which has neither seeds nor an interval', async () => {
    const model = await compareRuns({ runsDir, references: ['near'], baseline: 'hold', resamples });
    expect(model.groups.map(({ name, trained: own }) => [name, own])).toEqual([
      ['near', true],
      ['hold', false],
    ]);
    expect(model.groups[1].metrics['excessOverHold']?.iqm).toBe(0);
    expect(model.contrasts[0].bars).not.toBeNull();
  });

  it('take runs, groups of runs and labels', async () => {
    const references = [`ones=${folderOf('near/1')},${folderOf('far/1')}`, folderOf('near/2')];
    const model = await compareRuns({ runsDir, references, resamples });
    expect(model.groups.map(({ name }) => name)).toEqual(['ones', path.basename(folderOf('near/2'))]);
    expect(model.notices.map(({ code }) => code)).toContain('mixed');
  });

  it('compare by symbol and by window where there is one of either', async () => {
    const symbols = await compareRuns({ runsDir, references: ['near', 'far'], by: 'symbol', resamples });
    expect(symbols.tasks).toEqual(['SYN']);
    const windows = await compareRuns({ runsDir, references: ['near', 'far'], by: 'window', resamples });
    expect(windows.tasks).toEqual(['test']);
  });

  it('offer the commands where a run was not evaluated, or do it', async () => {
    await expect(compareRuns({ runsDir, references: ['pole', 'pole-two'], resamples })).rejects.toThrow(
      /COMPARE_NOT_EVALUATED test 4: .*--evaluate makes them now, or openbell evaluate .*pole.*; and 1 more$/,
    );
    const told: string[] = [];
    const model = await compareRuns({
      runsDir,
      references: ['pole', 'pole-two'],
      resamples,
      evaluate: true,
      onEvaluate: (run) => told.push(run),
    });
    expect(told).toHaveLength(4);
    expect(model.metric.key).toBe('score');
    expect(model.tasks).toEqual(['CartPole-v1']);
    expect(model.fans).toEqual([]);
  });

  it('see an evaluation that is older than the checkpoint', async () => {
    const file = path.join(folderOf('near/2'), 'evaluation/test/metrics.json');
    const text = readFileSync(file, 'utf8');
    const parsed = JSON.parse(text);
    writeFileSync(file, JSON.stringify({ ...parsed, timesteps: 1 }));
    await expect(compareRuns({ runsDir, references: ['near', 'far'] })).rejects.toThrow(
      /COMPARE_NOT_EVALUATED test 1: one run has no such evaluation \(1 of them trained further since/,
    );
    writeFileSync(file, text);
  });

  it('name what they cannot find, and damage', async () => {
    await expect(compareRuns({ runsDir, references: ['nearr', 'far'] })).rejects.toThrow(
      /RUN_NOT_FOUND compare "nearr": .*did you mean "near"/,
    );
    await expect(compareRuns({ runsDir, references: ['x=', 'far'] })).rejects.toThrow(/USAGE|RUN_NOT_FOUND/);
    const file = path.join(folderOf('far/2'), 'evaluation/test/equity.csv');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.slice(0, Math.floor(text.length / 2)));
    await expect(compareRuns({ runsDir, references: ['near', 'far'] })).rejects.toThrow(/RUN_STATE .*equity\.csv/);
    writeFileSync(file, text);
  });

  it('leave runs out that are no newest of their seed or not completed, and say so', async () => {
    const again = await trained(MARKET, 'near', 2);
    await evaluateRun({ directory: again, randomPaths: 20, report: false });
    const broken = await trained(MARKET, 'near', 3);
    const file = path.join(broken, 'run.json');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), status: 'failed' }));
    const model = await compareRuns({ runsDir, references: ['near', 'far'], resamples });
    expect(model.groups[0].seeds).toEqual([1, 2]);
    const said = model.notices.filter(({ code }) => code === 'group').map(({ message }) => message);
    expect(said).toEqual([
      expect.stringMatching(/^near: 1 run not completed \(failed\) left out/),
      expect.stringMatching(/^near: 1 run of a seed that was trained again left out/),
    ]);
  });
});

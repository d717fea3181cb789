import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseExperiment } from '#src/config/load.js';
import { encodeCheckpoint, readCheckpoint } from './checkpoint.js';
import { evaluateRun } from './evaluate.js';
import { train } from './train.js';
import type { TrainOutcome } from './training-run.js';

// minute bars of a generator: the manifest is part of the package
const EXPERIMENT = `
name: tiny
seed: 3
env: { id: market }
data:
  datasets: [synthetic-intraday]
  train: { from: null, to: 2020-02-15 }
  validation: { from: 2020-02-15, to: 2020-03-01 }
  test: { from: 2020-03-01, to: 2020-03-12 }
agent: { n_steps: 64, batch_size: 64, n_epochs: 2, normalize: {} }
training: { total_timesteps: 2048, n_envs: 8, evaluate_every: 1024 }
`;

const COPY = `
name: copy
data: { datasets: [FILE], train: {} }
observation: { warmup: 60 }
env: { costs: { model: percent, percent_bps: 1 } }
agent: { n_steps: 32, batch_size: 64, n_epochs: 1 }
training: { total_timesteps: 256, n_envs: 8, evaluate_every: null }
`;

/** The same made-up bars under a name of their own, from which the symbol is inferred. */
function copyOfDaily(name: string): string {
  const file = path.join(runsDir, `${name}.csv`);
  const rows = Array.from({ length: 400 }, (_, t) => {
    const day = new Date(Date.UTC(2020, 0, 1 + t)).toISOString().slice(0, 10);
    const close = 100 + ((t * 7) % 13);
    return `${day},${close},${close + 1},${close - 1},${close},1000`;
  });
  writeFileSync(file, ['time,open,high,low,close,volume', ...rows].join('\n'));
  return file;
}

let runsDir: string;
let run: TrainOutcome;

beforeAll(async () => {
  runsDir = mkdtempSync(path.join(tmpdir(), 'openbell-evaluate-'));
  run = await train({ config: parseExperiment(EXPERIMENT, 'tiny.yaml').config, runsDir });
});
afterAll(() => rmSync(runsDir, { recursive: true, force: true }));

describe('evaluateRun', () => {
  it('judges the best checkpoint on the test window and writes figures and report', async () => {
    const { result, summary, text, folder, reportFile } = await evaluateRun({
      directory: run.directory,
      randomPaths: 20,
    });
    expect(folder).toBe(path.join(run.directory, 'evaluation', 'test'));
    expect(reportFile).toBe(path.join(run.directory, 'report.html'));
    for (const name of ['metrics.json', 'equity.csv', 'trades.csv', 'fills.csv']) {
      expect(existsSync(path.join(folder, name))).toBe(true);
    }
    const metrics: unknown = JSON.parse(readFileSync(path.join(folder, 'metrics.json'), 'utf8'));
    expect(metrics).toEqual(summary);
    expect(metrics).toMatchObject({
      experiment: 'tiny',
      seed: 3,
      checkpoint: 'best',
      windowName: 'test',
      window: { inSample: false, data: [{ symbol: 'SYN', synthetic: true }] },
      verdict: { headline: 'no edge' },
      agent: { bars: result?.agent.path.equity.length },
      baselines: { flat: { trades: 0 }, hold: { trades: 1 } },
    });
    expect(text).toContain('SYNTHETIC DATA');
    const html = readFileSync(path.join(run.directory, 'report.html'), 'utf8');
    expect(html).toContain('SYNTHETIC DATA');
    expect(html).toContain('Learning curves');
    expect(html).toContain(String(summary['weightsSha256']));
  });

  it("evaluates the last checkpoint beside the best, with the run's own weights", async () => {
    const { summary, folder } = await evaluateRun({
      directory: run.directory,
      checkpoint: 'last',
      report: false,
      randomPaths: 20,
    });
    expect(path.basename(folder)).toBe('test-last');
    expect(summary).toMatchObject({ timesteps: 2048, weightsSha256: run.result.weights_sha256 });
  });

  it('repeats itself to the byte', async () => {
    const options = { directory: run.directory, report: false, randomPaths: 20 } as const;
    const { folder } = await evaluateRun(options);
    const files = ['metrics.json', 'equity.csv', 'trades.csv', 'fills.csv'].map((name) => path.join(folder, name));
    const first = files.map((file) => readFileSync(file, 'utf8'));
    await evaluateRun(options);
    expect(files.map((file) => readFileSync(file, 'utf8'))).toEqual(first);
  });

  it('says when the window had been seen: by training, or by the choice of the checkpoint', async () => {
    const inSample = async (more: Parameters<typeof evaluateRun>[0]): Promise<unknown> => {
      const { summary } = await evaluateRun({ report: false, randomPaths: 20, ...more });
      return summary['window'];
    };
    const { directory } = run;
    expect(await inSample({ directory, window: 'validation' })).toMatchObject({ inSample: true });
    expect(await inSample({ directory, window: 'validation', checkpoint: 'last' })).toMatchObject({ inSample: false });
    expect(await inSample({ directory, from: '2020-02-10', to: '2020-02-20' })).toMatchObject({ inSample: true });
    expect(await inSample({ directory, from: '2020-03-12' })).toMatchObject({ inSample: false });
  });

  it('evaluates bars of another data set in a folder of its own', async () => {
    const { folder, reportFile, text } = await evaluateRun({
      directory: run.directory,
      data: ['aapl-daily'],
      from: '2017-01-01',
      randomPaths: 20,
    });
    expect(path.basename(folder)).toBe('custom_aapl-daily_2017-01-01_end');
    expect(text).toMatch(/ALARM: The policy learned from bars of \w+ and is judged on bars of 1d/);
    expect(reportFile).toBe(path.join(folder, 'report.html'));
  });

  it('refuses a window that was not set apart, and a window named twice', async () => {
    const { config } = parseExperiment(EXPERIMENT.replace(/ {2}test:.*\n/, ''), 'tiny.yaml');
    const other = await train({
      config: { ...config, training: { ...config.training, total_timesteps: 512 } },
      runsDir,
    });
    await expect(evaluateRun({ directory: other.directory })).rejects.toThrow('DATA_WINDOW data.test');
    await expect(evaluateRun({ directory: run.directory, window: 'test', from: '2020-03-01' })).rejects.toThrow(
      'USAGE',
    );
  });

  it('refuses a log that is no JSON, and takes no other checkpoint for a best one that is gone', async () => {
    const log = path.join(run.directory, 'metrics.jsonl');
    const lines = readFileSync(log, 'utf8');
    writeFileSync(log, `${lines}garbage\n`);
    const count = lines.split('\n').length;
    const refused = evaluateRun({ directory: run.directory, randomPaths: 20 });
    await expect(refused).rejects.toThrow(new RegExp(`RUN_STATE .*metrics\\.jsonl:${count} "garbage": .*--no-report`));
    writeFileSync(log, lines);

    const best = path.join(run.directory, 'checkpoints', 'best.safetensors');
    const bytes = readFileSync(best);
    rmSync(best);
    await expect(evaluateRun({ directory: run.directory })).rejects.toThrow(/RUN_STATE .*best\.safetensors: .*is gone/);
    writeFileSync(best, bytes);
  });

  it('sees a copy of the data that were learned from, under another name', async () => {
    const { config } = parseExperiment(COPY.replace('FILE', copyOfDaily('first')), 'copy.yaml');
    const { directory } = await train({ config, runsDir });
    const { summary } = await evaluateRun({ directory, data: [copyOfDaily('second')], report: false, randomPaths: 20 });
    expect(summary['window']).toMatchObject({ inSample: true });
  });

  it('refuses another observation, and a configuration that was changed', async () => {
    const file = path.join(run.directory, 'checkpoints', 'best.safetensors');
    const bytes = readFileSync(file);
    const checkpoint = readCheckpoint(file);
    writeFileSync(file, encodeCheckpoint({ ...checkpoint, head: { ...checkpoint.head, observationHash: 'f00' } }));
    await expect(evaluateRun({ directory: run.directory })).rejects.toThrow(/CHECKPOINT_MISMATCH .*"f00"/);
    writeFileSync(file, bytes);

    const configFile = path.join(run.directory, 'config.yaml');
    const yaml = readFileSync(configFile, 'utf8');
    writeFileSync(configFile, yaml.replace('spread_bps: 2', 'spread_bps: 0'));
    await expect(evaluateRun({ directory: run.directory })).rejects.toThrow(/CHECKPOINT_MISMATCH .*config.yaml/);
    writeFileSync(configFile, yaml);
  });
});

describe('a classic environment', () => {
  it('is judged by its return over a hundred episodes', async () => {
    const text = `
name: pole
env: { id: CartPole-v1 }
agent: { n_steps: 32, batch_size: 64 }
training: { total_timesteps: 512, n_envs: 8, evaluate_every: null }
`;
    const { directory } = await train({ config: parseExperiment(text, 'pole.yaml').config, runsDir });
    const { summary, reportFile } = await evaluateRun({ directory });
    expect(summary).toMatchObject({ environment: 'CartPole-v1', episodes: 100 });
    expect(summary['score']).toBeGreaterThan(8);
    expect(reportFile).toBeNull();
  });
});

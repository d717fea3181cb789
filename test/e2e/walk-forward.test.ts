/** Windows and seeds side by side, whatever fails or stops on the way; and the audit's exit codes. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readRecord } from '#src/lab/run-directory.js';
import { makeRunsFolder, openbell, startOpenbell } from './openbell.js';

const folder = mkdtempSync(path.join(tmpdir(), 'openbell-walk-'));
const disposals: (() => void)[] = [() => rmSync(folder, { recursive: true })];
afterAll(() => disposals.forEach((dispose) => dispose()));

const QUICK = `
env: { id: market, episode: { length: 100 } }
data: { datasets: [aapl-daily] }
observation: { warmup: 100 }
agent: { n_steps: 64, batch_size: 256, n_epochs: 2, net_arch: { pi: [16], vf: [16] }, normalize: {} }
training: { total_timesteps: 4096, n_envs: 8, evaluate_every: 2048 }
`;
const file = path.join(folder, 'walk.yaml');
writeFileSync(file, `${QUICK}walk_forward: { train: 2y, validation: 6mo, test: 1y, purge: 5 }\n`);

function freshRuns(): string {
  const { runsDir, dispose } = makeRunsFolder();
  disposals.push(dispose);
  return runsDir;
}

interface Stitched {
  seed: number;
  folder: string;
  weights: string[];
  agent: { bars: number; initialEquity: number; finalEquity: number };
  statistics: { sharpe: unknown };
  window: { inSample: boolean };
}

/** What must be the same however often it was stopped. */
const judged = (stdout: string): unknown =>
  JSON.parse(stdout).stitched.map(({ seed, weights, agent, statistics }: Stitched) => ({
    seed,
    weights,
    agent,
    statistics,
  }));

/** The process that trains this seed now. */
function running(experiment: string, seed: number): number | null {
  for (const name of existsSync(experiment) ? readdirSync(experiment) : []) {
    if (!name.endsWith(`-s${seed}`) || !existsSync(path.join(experiment, name, 'run.json'))) continue;
    const record = readRecord(path.join(experiment, name));
    if (record.status === 'running') return record.pid;
  }
  return null;
}

describe('openbell walk-forward', () => {
  const command = ['walk-forward', file, '--seeds', '2', '--no-report', '--json'];
  const whole = freshRuns();
  let reference: string | null = null;
  const uninterrupted = (): string => {
    if (reference !== null) return reference;
    const answer = openbell(command, whole);
    expect(answer).toMatchObject({ code: 0 });
    reference = answer.stdout;
    return reference;
  };

  it('shows the windows before anything is trained', () => {
    const { code, stdout } = openbell(['walk-forward', file, '--plan'], whole);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^w01 +2013-10-\d\d - 2015-10-\d\d +50\d  2015-10-\d\d - 2016-04-\d\d/m);
    expect(stdout).toMatch(/^rolling, 2 windows, one stitched account a seed; /m);
  });

  it('stitches what the windows were judged on, once each, into one account a seed', () => {
    const record = JSON.parse(uninterrupted());
    expect(record).toMatchObject({ status: 'completed', seeds: [0, 1], scheme: 'rolling' });
    expect(record.stitched).toHaveLength(2);
    const stitched: Stitched[] = record.stitched;
    for (const { seed, folder: own, agent, window, weights } of stitched) {
      expect(window.inSample).toBe(false);
      expect(new Set(weights).size).toBe(2);
      const lines = readFileSync(path.join(own, 'equity.csv'), 'utf8').trimEnd().split('\n').slice(1);
      expect(lines).toHaveLength(agent.bars);
      const stamps = lines.map((line) => line.slice(0, 10));
      expect(stamps).toEqual([...new Set(stamps)].sort());
      // each window's own evaluation has the same bars, and its growth is the stitched account's there, but for whole shares
      let growth = 1;
      let bars = 0;
      for (const { runs } of record.windows) {
        const { run } = runs.find((one: { seed: number }) => one.seed === seed);
        const metrics = JSON.parse(readFileSync(path.join(whole, run, 'evaluation', 'test', 'metrics.json'), 'utf8'));
        growth *= metrics.agent.finalEquity / metrics.agent.initialEquity;
        bars += metrics.agent.bars;
      }
      expect(agent.bars).toBe(bars);
      expect(agent.finalEquity / agent.initialEquity).toBeCloseTo(growth, 2);
    }
    expect(record.figures.sharpe.interval).toMatchObject({ confidence: 0.95 });
    expect(readdirSync(path.join(whole, 'walk')).filter((name) => name.startsWith('walk-forward-'))).toHaveLength(1);
  });

  it('goes on to the same result after SIGINT', async () => {
    const runsDir = freshRuns();
    const started = startOpenbell(command, runsDir);
    while (!existsSync(path.join(runsDir, 'walk.w02'))) {
      if (started.child.exitCode !== null) throw new Error((await started.ended).stderr);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    started.child.kill('SIGINT');
    const { code, stderr } = await started.ended;
    expect(code).toBe(130);
    expect(stderr).toMatch(/^INTERRUPTED openbell walk-forward: \d of 4 trainings are not done/m);
    const again = openbell(command, runsDir);
    expect(again).toMatchObject({ code: 0 });
    expect(judged(again.stdout)).toEqual(judged(uninterrupted()));
  });

  it('loses nothing else where one training fails, and says which', async () => {
    const runsDir = freshRuns();
    // long enough to be caught at it
    const started = startOpenbell([...command, 'training.total_timesteps=20000'], runsDir);
    const killed = new Set<number>();
    // as often as the queue tries it
    while (killed.size < 3) {
      const victim = running(path.join(runsDir, 'walk.w01'), 1);
      if (victim !== null && !killed.has(victim)) {
        killed.add(victim);
        process.kill(victim, 'SIGKILL');
      }
      if (started.child.exitCode !== null) throw new Error((await started.ended).stderr);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const { code, stdout, stderr } = await started.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^JOB_FAILED .* 1: of 4 trainings so many failed; the others are done/m);
    expect(stderr).toMatch(/w01 seed 1: its process was killed by SIGKILL/);
    const record = JSON.parse(stdout);
    expect(record.status).toBe('incomplete');
    expect(record.stitched.map(({ seed }: Stitched) => seed)).toEqual([0]);
    const states = record.windows.map(({ runs }: { runs: { status: string }[] }) => runs.map(({ status }) => status));
    expect(states).toEqual([
      ['completed', 'failed'],
      ['completed', 'completed'],
    ]);
  });

  it('is compared, stitched and by window', () => {
    uninterrupted();
    const stitched = openbell(['compare', 'walk/walk-forward', '--baseline', 'hold', '--json'], whole);
    expect(stitched).toMatchObject({ code: 0 });
    expect(JSON.parse(stitched.stdout)).toMatchObject({ evaluation: 'out of sample', tasks: ['all'] });
    const byWindow = openbell(
      ['compare', 'walk/walk-forward', '--baseline', 'hold', '--by', 'window', '--json'],
      whole,
    );
    expect(JSON.parse(byWindow.stdout)).toMatchObject({ by: 'window', tasks: ['w01', 'w02'] });
  });

  it('cross-validates: every path goes over all bars', () => {
    const cross = path.join(folder, 'cross.yaml');
    writeFileSync(
      cross,
      `${QUICK.replace('4096', '512')}walk_forward: { scheme: combinatorial, groups: 3, test_groups: 2, purge: 2, embargo: 2 }\n`,
    );
    const runsDir = freshRuns();
    const { code, stdout } = openbell(['walk-forward', cross, '--seeds', '1', '--no-report', '--json'], runsDir);
    expect(code).toBe(0);
    const record = JSON.parse(stdout);
    expect(record.windows).toHaveLength(3);
    // two paths a seed
    expect(record.stitched.map(({ seed, path: own }: { seed: number; path: number }) => [seed, own])).toEqual([
      [0, 0],
      [0, 1],
    ]);
    const bars = record.stitched.map(({ agent }: Stitched) => agent.bars);
    expect(new Set(bars).size).toBe(1);
    const compared = openbell(['compare', 'cross/walk-forward', '--baseline', 'hold', '--json'], runsDir);
    expect(JSON.parse(compared.stdout)).toMatchObject({ tasks: ['p1', 'p2'] });
  });

  it('says at once what is wrong', () => {
    const wrong: [string[], RegExp][] = [
      [['experiments/quickstart.yaml'], /^CONFIG_VALUE quickstart walk_forward null: say how the bars are cut/],
      [[file, 'walk_forward.test=0'], /^CONFIG_VALUE .*walk_forward\.test/],
      [[file, 'walk_forward.train=20y'], /^DATA_WINDOW walk_forward/],
      [[file, '--seeds', 'many'], /^USAGE --seeds "many"/],
      [['experiments/cartpole.yaml', 'walk_forward={train: 10, test: 10}'], /^CONFIG_VALUE .*has no bars/],
    ];
    const runsDir = freshRuns();
    for (const [args, message] of wrong) {
      const { code, stderr } = openbell(['walk-forward', ...args], runsDir);
      expect(stderr).toMatch(message);
      expect(code).toBe(2);
    }
  });
});

describe('openbell audit', () => {
  it('exits 0 for what is clean, a run with its checkpoints', () => {
    const runsDir = freshRuns();
    const plain = path.join(folder, 'plain.yaml');
    writeFileSync(
      plain,
      QUICK.replace('[aapl-daily] }', '[aapl-daily], train: { to: 2016-11-12 }, validation: { from: 2016-11-12 } }'),
    );
    expect(openbell(['train', plain], runsDir)).toMatchObject({ code: 0 });
    const { code, stdout } = openbell(['audit', 'plain'], runsDir);
    expect(stdout).toMatch(/^run-selection .* clean$/m);
    expect(stdout).toMatch(/^run-normalizer .* clean$/m);
    expect(stdout).toMatch(/^No look-ahead found, \d warnings?: \d+ checks\.$/m);
    expect(code).toBe(0);
  });

  it('exits 1 where it finds a leak: fees by the share on prices that were adjusted before they came', () => {
    const rows = readFileSync(path.join('node_modules', '@observablehq', 'sample-datasets', 'aapl.csv'), 'utf8');
    writeFileSync(path.join(folder, 'applied.csv'), rows);
    writeFileSync(
      path.join(folder, 'applied.yaml'),
      `name: applied
title: t
source: s
licence: l
notes: n
file: applied.csv
sha256: ${createHash('sha256').update(rows).digest('hex')}
interval: 1d
calendar: XNYS
instrument: { symbol: AAPL, type: STK, currency: USD, exchange: NASDAQ }
adjustments: { prices: applied }
`,
    );
    const leaky = path.join(folder, 'leaky.yaml');
    writeFileSync(leaky, QUICK.replace('aapl-daily', path.join(folder, 'applied.yaml')));
    const { code, stdout } = openbell(['audit', leaky, '--json'], freshRuns());
    expect(code).toBe(1);
    const { clean, checks } = JSON.parse(stdout);
    expect(clean).toBe(false);
    const found = checks.flatMap(({ findings }: { findings: { level: string; check: string }[] }) => findings);
    expect(found.filter(({ level }: { level: string }) => level === 'leak')).toMatchObject([
      { check: 'data-adjustment' },
    ]);
  });

  it('says at once what is wrong', () => {
    const runsDir = freshRuns();
    expect(openbell(['audit', 'experiments/cartpole.yaml'], runsDir)).toMatchObject({ code: 2 });
    expect(openbell(['audit', 'nothing'], runsDir)).toMatchObject({ code: 2 });
    expect(openbell(['audit', 'nothing', 'seed=2'], runsDir).stderr).toMatch(/^USAGE openbell audit \["seed=2"\]/m);
  });
});

/** A sweep: killed and resumed it finds what it finds when it is left alone. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readRecord, trialCount } from '#src/lab/run-directory.js';
import { trialSharpes } from '#src/lab/sweep/record.js';
import { makeRunsFolder, metricsOf, openbell, startOpenbell } from './openbell.js';

const EXPERIMENT = `
env: { id: CartPole-v1 }
agent: { n_steps: 32, batch_size: 64, n_epochs: 4 }
training: { total_timesteps: 6000, n_envs: 8, evaluate_every: 1000, evaluate_episodes: 3, checkpoint_every: 2000 }
`;
const SWEEP = `
experiment: cart.yaml
space:
  agent.learning_rate: { min: 1e-5, max: 1e-2, scale: log }
  agent.gamma: { values: [0.9, 0.99] }
trials: 6
seeds: [0, 3]
early_stopping: { first: 2000, factor: 3, workers: 4 }
`;

const folder = mkdtempSync(path.join(tmpdir(), 'openbell-sweeps-'));
const disposals: (() => void)[] = [() => rmSync(folder, { recursive: true })];
afterAll(() => disposals.forEach((dispose) => dispose()));
writeFileSync(path.join(folder, 'cart.yaml'), EXPERIMENT);
const file = path.join(folder, 'search.yaml');
writeFileSync(file, SWEEP);

function freshRuns(): string {
  const { runsDir, dispose } = makeRunsFolder();
  disposals.push(dispose);
  return runsDir;
}

function runsOf(runsDir: string): string[] {
  const parent = path.join(runsDir, 'search');
  if (!existsSync(parent)) return [];
  return readdirSync(parent)
    .map((run) => path.join(parent, run))
    .filter((run) => existsSync(path.join(run, 'run.json')));
}

/** sweep.json without the times in the names of runs, and the metrics of every run by configuration and seed. */
function found(runsDir: string): { summary: unknown; metrics: Map<string, string> } {
  const text = readFileSync(path.join(runsDir, 'search', 'sweep', 'sweep.json'), 'utf8');
  const metrics = runsOf(runsDir).map((run): [string, string] => {
    const { config_hash: hash, seed } = readRecord(run);
    return [`${hash}-${seed}`, metricsOf(run)];
  });
  const summary: unknown = JSON.parse(text.replaceAll(/\d{8}T\d{6}Z/g, 'then'));
  return { summary, metrics: new Map(metrics.sort()) };
}

describe('openbell sweep', () => {
  const whole = freshRuns();
  const reference = (): ReturnType<typeof found> => {
    if (runsOf(whole).length === 0) expect(openbell(['sweep', file, '--no-report'], whole)).toMatchObject({ code: 0 });
    return found(whole);
  };

  it('trains every trial to the first rung and the best on, and counts all of them in every run', () => {
    const { summary } = reference();
    expect(summary).toMatchObject({ status: 'completed', trial_count: 6, rungs: [2000, 6000], seeds: [0, 3] });
    const records = runsOf(whole).map(readRecord);
    expect(records).toHaveLength(12);
    expect(records.map(trialCount)).toEqual(records.map(() => 6));
    const sharpes = trialSharpes(records[0], whole);
    // a classic environment has none
    expect(sharpes).toEqual([]);
    const completed = records.filter(({ status }) => status === 'completed');
    expect(completed.length % 2).toBe(0);
    expect(completed.length).toBeGreaterThanOrEqual(4);
    expect(completed.length).toBeLessThan(12);
    const stopped = records.filter(({ status }) => status !== 'completed');
    expect(new Set(stopped.map(({ timesteps }) => timesteps))).toEqual(new Set([2048]));
  });

  it('writes the best configuration ready to be trained, which still says how many were tried', () => {
    reference();
    const best = path.join(whole, 'search', 'sweep', 'best.yaml');
    const runsDir = freshRuns();
    expect(openbell(['train', best, '--seed', '9'], runsDir)).toMatchObject({ code: 0 });
    const [run] = readdirSync(path.join(runsDir, 'search-best'));
    expect(trialCount(readRecord(path.join(runsDir, 'search-best', run)))).toBe(6);
  });

  it('goes on after kill -9, twice, with another number of processes, and finds the same', async () => {
    const runsDir = freshRuns();
    for (const [jobs, begun] of [
      [3, 4],
      [1, 9],
    ]) {
      const started = startOpenbell(['sweep', file, '--jobs', String(jobs), '--no-report'], runsDir);
      while (runsOf(runsDir).length < begun) {
        if (started.child.exitCode !== null) throw new Error((await started.ended).stderr);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      started.child.kill('SIGKILL');
      await started.ended;
    }
    const last = openbell(['sweep', file, '--json', '--no-report'], runsDir);
    expect(last.code).toBe(0);
    expect(found(runsDir)).toEqual(reference());
    expect(JSON.parse(last.stdout)).toMatchObject({ status: 'completed', best: { status: 'completed' } });
  });

  it('draws a report that needs nothing from anywhere, and trains nothing a second time', () => {
    const before = reference();
    const again = openbell(['sweep', file], whole);
    expect(again.code).toBe(0);
    expect(again.stdout).toMatch(/^Trial \d is the best of 6: validation score/m);
    expect(found(whole)).toEqual(before);
    const html = readFileSync(path.join(whole, 'search', 'sweep', 'report.html'), 'utf8');
    expect(html).toContain('Trials while they trained');
    expect(html).not.toMatch(/<script|src="http|href="http|NaN|undefined/);
    expect(html.match(/<svg /g)).toHaveLength(2);
  });

  it('refuses another definition under the same name, and shows a plan that trains nothing', () => {
    reference();
    const other = path.join(folder, 'other');
    writeFileSync(`${other}.yaml`, `name: search\n${SWEEP.replace('trials: 6', 'trials: 7')}`);
    const refused = openbell(['sweep', `${other}.yaml`], whole);
    expect(refused.stderr).toMatch(/^SWEEP_CONFLICT .*different: trial_count/m);
    expect(refused.code).toBe(2);
    const runsDir = freshRuns();
    const plan = openbell(['sweep', file, '--plan', '--json'], runsDir);
    expect(JSON.parse(plan.stdout).trials).toHaveLength(6);
    expect(readdirSync(runsDir)).toEqual([]);
  });
});

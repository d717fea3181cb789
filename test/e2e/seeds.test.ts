/** Seeds side by side: the bits of single runs, whatever is killed on the way. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readRecord, type RunRecord } from '#src/lab/run-directory.js';
import { makeRunsFolder, metricsOf, openbell, startOpenbell, type Started } from './openbell.js';

const CARTPOLE = `
env: { id: CartPole-v1 }
agent: { n_steps: 32, batch_size: 64, n_epochs: 10, normalize: {} }
training: { total_timesteps: 10000, n_envs: 8, evaluate_every: 3000, evaluate_episodes: 3, checkpoint_every: 2000 }
`;

const folder = mkdtempSync(path.join(tmpdir(), 'openbell-seeds-'));
const disposals: (() => void)[] = [() => rmSync(folder, { recursive: true })];
afterAll(() => disposals.forEach((dispose) => dispose()));
const file = path.join(folder, 'cart.yaml');
writeFileSync(file, CARTPOLE);

function freshRuns(): string {
  const { runsDir, dispose } = makeRunsFolder();
  disposals.push(dispose);
  return runsDir;
}

function runsOf(runsDir: string, name = 'cart'): { directory: string; record: RunRecord }[] {
  const parent = path.join(runsDir, name);
  if (!existsSync(parent)) return [];
  return readdirSync(parent)
    .map((run) => path.join(parent, run))
    .filter((directory) => existsSync(path.join(directory, 'run.json')))
    .map((directory) => ({ directory, record: readRecord(directory) }));
}

/** Weights and metrics by seed, of completed runs. */
function completed(runsDir: string): Map<number, string> {
  const done = runsOf(runsDir).filter(({ record }) => record.status === 'completed');
  return new Map(
    done.map(({ directory, record }) => [record.seed, `${record.result?.weights_sha256}\n${metricsOf(directory)}`]),
  );
}

async function until(started: Started, met: () => boolean): Promise<void> {
  while (!met()) {
    if (started.child.exitCode !== null) throw new Error(`the process ended first: ${(await started.ended).stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const reached = (runsDir: string, seed: number, timesteps: number): boolean =>
  runsOf(runsDir).some(
    ({ directory, record }) =>
      record.seed === seed && metricsOf(directory).includes(`"timesteps":${timesteps}`) && record.status === 'running',
  );

describe('openbell train --seeds', () => {
  const single = freshRuns();
  const reference = (): Map<number, string> => {
    for (const seed of [0, 1, 2]) {
      if (completed(single).has(seed)) continue;
      expect(openbell(['train', file, '--seed', String(seed)], single)).toMatchObject({ code: 0 });
    }
    return completed(single);
  };

  it('trains each seed to the bits of a single run, and takes what is complete as it is', () => {
    const runsDir = freshRuns();
    expect(openbell(['train', file, '--seed', '1'], runsDir).code).toBe(0);
    const first = openbell(['train', file, '--seeds', '3', '--json', '--evaluate'], runsDir);
    expect(first.code).toBe(0);
    const answer = JSON.parse(first.stdout);
    expect(answer.seeds).toMatchObject([
      { seed: 0, status: 'completed', evaluation: { environment: 'CartPole-v1' } },
      { seed: 1, status: 'completed', evaluation: { environment: 'CartPole-v1' } },
      { seed: 2, status: 'completed', evaluation: { environment: 'CartPole-v1' } },
    ]);
    expect(completed(runsDir)).toEqual(reference());
    expect(runsOf(runsDir)).toHaveLength(3);
    const again = openbell(['train', file, '--seeds', '0-2', '--json', '--evaluate'], runsDir);
    const reused = answer.seeds.map((seed: object) => ({ ...seed, reused: true }));
    expect(JSON.parse(again.stdout)).toEqual({ ...answer, seeds: reused });
    expect(runsOf(runsDir)).toHaveLength(3);
  });

  it('goes on after kill -9 of the command, and of one training', async () => {
    const runsDir = freshRuns();
    const command = ['train', file, '--seeds', '3', '--jobs', '2'];
    const first = startOpenbell(command, runsDir);
    await until(first, () => reached(runsDir, 0, 2048));
    first.child.kill('SIGKILL');
    await first.ended;
    const second = startOpenbell(command, runsDir);
    await until(second, () => reached(runsDir, 2, 2048));
    const two = runsOf(runsDir).find(({ record }) => record.seed === 2);
    process.kill(two?.record.pid ?? 0, 'SIGKILL');
    const { code, stderr } = await second.ended;
    expect(stderr).toMatch(/warning: seed 2: its process was killed by SIGKILL; it goes on from its checkpoint/);
    expect(code).toBe(0);
    expect(completed(runsDir)).toEqual(reference());
    expect(runsOf(runsDir)).toHaveLength(3);
  });

  it('writes checkpoints on SIGINT, exits 130, and goes on', async () => {
    const runsDir = freshRuns();
    const command = ['train', file, '--seeds', '0-2', '--jobs', '2'];
    const started = startOpenbell(command, runsDir);
    await until(started, () => reached(runsDir, 0, 1024));
    started.child.kill('SIGINT');
    const { code, stderr } = await started.ended;
    expect(code).toBe(130);
    expect(stderr).toMatch(/^INTERRUPTED openbell train: \d of 3 seeds are not done.*The same command goes on$/m);
    const stopped = runsOf(runsDir).map(({ record }) => record.status);
    expect(stopped).toContain('interrupted');
    expect(stopped).not.toContain('running');
    expect(openbell(command, runsDir)).toMatchObject({ code: 0 });
    expect(completed(runsDir)).toEqual(reference());
    expect(runsOf(runsDir)).toHaveLength(3);
  });

  it('shares the seeds with a second command at the same time', async () => {
    const runsDir = freshRuns();
    const command = ['train', file, '--seeds', '3', '--jobs', '1', '--json'];
    const both = [startOpenbell(command, runsDir), startOpenbell(command, runsDir)];
    const answers = await Promise.all(both.map(({ ended }) => ended));
    expect(answers.map(({ code }) => code)).toEqual([0, 0]);
    const weights = answers.map(({ stdout }) =>
      JSON.parse(stdout).seeds.map((seed: { weights_sha256: string; run: string }) => [seed.weights_sha256, seed.run]),
    );
    expect(weights[0]).toEqual(weights[1]);
    expect(completed(runsDir)).toEqual(reference());
    expect(runsOf(runsDir)).toHaveLength(3);
  });

  it('loses no other seed where one fails, and says which', async () => {
    const runsDir = freshRuns();
    const long = path.join(folder, 'long.yaml');
    writeFileSync(long, CARTPOLE.replace('10000', '40000'));
    const started = startOpenbell(['train', long, '--seeds', '0-1', '--jobs', '2', '--json'], runsDir);
    const killed = new Set<number>();
    while (killed.size < 3) {
      const victim = runsOf(runsDir, 'long').find(
        ({ record }) => record.seed === 1 && record.status === 'running' && !killed.has(record.pid),
      );
      if (victim !== undefined) {
        killed.add(victim.record.pid);
        process.kill(victim.record.pid, 'SIGKILL');
      }
      if (started.child.exitCode !== null) throw new Error((await started.ended).stderr);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const { code, stdout, stderr } = await started.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^JOB_FAILED openbell train \[1\]: 1 of 2 seeds failed; the others are done/m);
    expect(JSON.parse(stdout).seeds).toMatchObject([
      { seed: 0, status: 'completed' },
      { seed: 1, status: 'failed', error: 'its process was killed by SIGKILL' },
    ]);
  });

  it('says at once what is wrong with the command line', () => {
    const runsDir = freshRuns();
    const wrong: [string[], RegExp][] = [
      [['--seeds', '3', '--resume', 'latest'], /^USAGE .*--resume/],
      [['--seeds', '1,2', '--seed', '3'], /^USAGE .*--seed stands beside a count/],
      [['--seeds', 'many'], /^USAGE --seeds "many": write a count such as 10/],
      [['--seeds', '3', '--jobs', '0'], /^USAGE --jobs "0": give a whole number from 1/],
      [['--jobs', '2'], /^USAGE --jobs "2": stands beside --seeds/],
    ];
    for (const [args, message] of wrong) {
      const { code, stderr } = openbell(['train', file, ...args], runsDir);
      expect(stderr).toMatch(message);
      expect(code).toBe(2);
    }
    expect(readdirSync(runsDir)).toEqual([]);
  });
});

/** The tfjs engine through the real command line: trained, resumed, evaluated, and refused. */
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readCheckpoint } from '#src/lab/checkpoint.js';
import { makeRunsFolder, openbell, recordOf, root } from './openbell.js';

const { runsDir, dispose } = makeRunsFolder();
const folder = mkdtempSync(path.join(tmpdir(), 'openbell-tfjs-'));
afterAll(() => {
  dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** An experiment of the user's own beside a copy of the example's networks. */
cpSync(path.join(root, 'experiments', 'layer-norm.ts'), path.join(folder, 'layer-norm.ts'));
const EXPERIMENT = path.join(folder, 'own.yaml');
writeFileSync(
  EXPERIMENT,
  `env: { id: CartPole-v1 }
agent: { policy: { module: ./layer-norm.ts, kwargs: { units: 16 } }, n_steps: 32, batch_size: 64, n_epochs: 2, normalize: {} }
training:
  engine: tfjs
  total_timesteps: 768
  n_envs: 4
  evaluate_every: null
  evaluate_episodes: 2
  checkpoint_every: 256
  keep_checkpoints: 5
`,
);

interface Result {
  readonly run: string;
  readonly weights_sha256: string;
}

function train(...args: string[]): Result & { readonly stderr: string } {
  const { code, stdout, stderr } = openbell(['train', ...args, '--json'], runsDir);
  if (code !== 0) throw new Error(stderr);
  const result: Result = JSON.parse(stdout);
  return { ...result, stderr };
}

const metricsOf = (run: string): string => readFileSync(path.join(run, 'metrics.jsonl'), 'utf8');

describe('a run with networks of its own', () => {
  const first = train(EXPERIMENT);

  it('trains to the same bits again', () => {
    const again = train(EXPERIMENT);
    expect(again.run).not.toBe(first.run);
    expect(again.weights_sha256).toBe(first.weights_sha256);
    expect(metricsOf(again.run)).toBe(metricsOf(first.run));
    expect(train(EXPERIMENT, 'seed=1').weights_sha256).not.toBe(first.weights_sha256);
  });

  it("keeps its weights under the layers' names, with their shapes", () => {
    const file = path.join(first.run, 'checkpoints', 'last.safetensors');
    const { head } = readCheckpoint(file);
    expect(head.engine).toBe('tfjs');
    const bytes = readFileSync(file);
    const header: Record<string, unknown> = JSON.parse(bytes.toString('utf8', 8, 8 + Number(bytes.readBigUInt64LE(0))));
    expect(header['ppo.engine.weights.actor/hidden1/kernel']).toMatchObject({ dtype: 'F32', shape: [4, 16] });
    expect(header['ppo.engine.weights.critic/norm2/gamma']).toMatchObject({ dtype: 'F32', shape: [16] });
  });

  it('goes on from a checkpoint to the same bits with its own copy of a file that has changed, and says so', () => {
    const moved = path.join(runsDir, 'moved');
    cpSync(first.run, moved, { recursive: true });
    appendFileSync(path.join(folder, 'layer-norm.ts'), 'export const changed = true;\n');
    const resumed = train('--resume', path.join(moved, 'checkpoints', 'step-000000000256.safetensors'));
    expect(resumed.weights_sha256).toBe(first.weights_sha256);
    expect(metricsOf(moved)).toBe(metricsOf(first.run));
    expect(resumed.stderr).toMatch(/layer-norm\.ts has changed since the run began: the run goes on with its own copy/);
    expect(recordOf(moved)).toMatchObject({ engine: 'tfjs', policy: { file: path.join(folder, 'layer-norm.ts') } });
  });

  it('is evaluated, and trained anew from its own configuration', () => {
    const { code, stdout } = openbell(['evaluate', first.run, '--json'], runsDir);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ weightsSha256: first.weights_sha256 });
    expect(train(path.join(first.run, 'config.yaml')).weights_sha256).toBe(first.weights_sha256);
  });

  it.each(['evaluate', 'train --resume'])('refuses an edited copy: %s', (command) => {
    const edited = path.join(runsDir, `edited-${command.slice(0, 5)}`);
    cpSync(first.run, edited, { recursive: true });
    appendFileSync(path.join(edited, 'policy.cjs'), '// edited\n');
    const reference = command === 'evaluate' ? edited : path.join(edited, 'checkpoints', 'previous.safetensors');
    const { code, stderr } = openbell([...command.split(' '), reference], runsDir);
    expect(stderr).toMatch(/^POLICY_MODULE .*policy\.cjs "[0-9a-f]{64}": it, or a file that it imports, has changed/);
    expect(code).toBe(2);
  });
});

describe('the market', () => {
  it.each([
    ['discrete actions with masks', 'env.mask_actions=true'],
    ['a target position', 'env.actions=target'],
  ])('is traded with %s', (_, override) => {
    const small = ['training.total_timesteps=512', 'agent.n_steps=32', 'training.evaluate_every=null'];
    const experiment = path.join(root, 'experiments', 'aapl-layer-norm.yaml');
    const { run } = train(experiment, override, ...small);
    const { code, stdout } = openbell(['evaluate', run, '--json', '--no-report'], runsDir);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toHaveProperty('weightsSha256');
  });
});

describe('what cannot be is refused before a run is begun', () => {
  it.each<[string, string[], RegExp]>([
    ['a module on the simd engine', ['training.engine=simd'], /agent\.policy\.module .*only the tfjs engine has it/],
    ['two threads', ['training.threads=2'], /training\.threads 2: the tfjs engine learns on one thread/],
    ['two threads, as an option', ['--threads', '2'], /training\.threads 2: the tfjs engine learns on one thread/],
    ['a file that is not there', ['agent.policy.module=none.ts'], /^POLICY_MODULE none\.ts: there is no such file/],
    ['no name', ['agent.policy.module=3'], /agent\.policy\.module 3: expected a text/],
  ])('%s', (_, args, message) => {
    const { code, stderr, stdout } = openbell(['train', EXPERIMENT, ...args], runsDir);
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});

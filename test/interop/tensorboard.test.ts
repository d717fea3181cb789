/** The event file as the real TensorBoard reads it, also one that is running while the run is killed and resumed. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { parseExperiment } from '#src/config/load.js';
import { resumeTraining, train } from '#src/lab/train.js';
import { root } from '../e2e/openbell.js';
import { pythonWith } from '../support/python.js';

const python = pythonWith('tensorboard');

const YAML = `
name: cart
seed: 5
env: { id: CartPole-v1 }
agent: { n_steps: 32, batch_size: 64, n_epochs: 2 }
training: { n_envs: 4, total_timesteps: 1280, evaluate_every: 256, evaluate_episodes: 2, checkpoint_every: 384 }
`;

type Scalars = Record<string, [step: number, value: number, wallTime: number][]>;

it.skipIf(python === null)(
  'is read by TensorBoard without loss, and without duplicates where the run was resumed under its eyes' +
    (python === null ? ' (skipped: needs Python with tensorboard)' : ''),
  async () => {
    const runsDir = mkdtempSync(path.join(tmpdir(), 'openbell-tensorboard-'));
    const { config } = parseExperiment(YAML, 'cart.yaml');
    const stop = new AbortController();
    const { directory } = await train({
      config,
      runsDir,
      signal: stop.signal,
      onEvent: (event) => {
        if (event.kind === 'update' && event.report.update === 4) stop.abort();
      },
    });
    const reader = spawn(python ?? '', [path.join(root, 'bench', 'peers', 'read_events.py'), directory], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const answers = createInterface({ input: reader.stdout })[Symbol.asyncIterator]();
    const next = async (): Promise<Scalars> => JSON.parse(String((await answers.next()).value));
    const before = await next();
    expect(before['train/approx_kl'].map(([step]) => step)).toEqual([128, 256, 384, 512]);
    await resumeTraining({ directory });
    reader.stdin.end('again\n');
    const after = await next();
    const lines: Record<string, unknown>[] = readFileSync(path.join(directory, 'metrics.jsonl'), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
    const updates = lines.filter(({ kind }) => kind === 'update');
    const evaluations = lines.filter(({ kind }) => kind === 'evaluation');
    const recorded = (tag: string) => after[tag].map(([step, value]) => [step, value]);
    const float32 = (of: readonly Record<string, unknown>[], key: string) =>
      of.flatMap((line) => (line[key] === null ? [] : [[line['timesteps'], Math.fround(Number(line[key]))]]));
    expect(updates).toHaveLength(10);
    expect(recorded('train/approx_kl')).toEqual(float32(updates, 'approxKl'));
    expect(recorded('train/value_loss')).toEqual(float32(updates, 'valueLoss'));
    expect(recorded('rollout/ep_rew_mean')).toEqual(float32(updates, 'episodeReturnMean'));
    expect(recorded('eval/mean_reward')).toEqual(float32(evaluations, 'score'));
    expect(after['time/fps']).toHaveLength(10);
    const [, , wallTime] = after['train/loss'][0];
    expect(Math.abs(Date.now() / 1000 - wallTime)).toBeLessThan(3600);
    rmSync(runsDir, { recursive: true });
  },
);

/** Killed, interrupted, damaged: a run goes on to the very bits of one that was left alone. */
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeRunsFolder, metricsOf, onlyRun, openbell, recordOf, startOpenbell, untilMetrics } from './openbell.js';

const CARTPOLE = `
env: { id: CartPole-v1 }
agent: { n_steps: 32, batch_size: 64, n_epochs: 10, normalize: {} }
training: { total_timesteps: 16000, n_envs: 8, evaluate_every: 3000, evaluate_episodes: 3, checkpoint_every: 4000, keep_checkpoints: 2 }
`;

// every noise, exits and random starts: all that a market's state consists of
const MARKET = `
data:
  datasets: [aapl-daily]
  train: { to: 2016-05-12 }
  validation: { from: 2016-05-12, to: 2017-05-12 }
env:
  episode: { length: 60 }
  exits: { trailing_stop: 0.05, take_profit: [{ gain: 0.03, fraction: 0.5 }] }
  noise: { fill_price_bps: 5, observation: 0.001, cost: 0.2, delay: 0.1, price_bps: 10, price_replicas: 3 }
agent: { n_steps: 64, batch_size: 64, n_epochs: 10, normalize: {} }
training: { total_timesteps: 16000, n_envs: 4, evaluate_every: 3000, checkpoint_every: 4000 }
`;

const folder = mkdtempSync(path.join(tmpdir(), 'openbell-resume-'));
const disposals: (() => void)[] = [() => rmSync(folder, { recursive: true })];
afterAll(() => disposals.forEach((dispose) => dispose()));

function freshRuns(): string {
  const { runsDir, dispose } = makeRunsFolder();
  disposals.push(dispose);
  return runsDir;
}

function runOf(runsDir: string): string {
  const run = onlyRun(runsDir);
  if (run === null) throw new Error(`no run in ${runsDir}`);
  return run;
}

describe.each([
  ['CartPole', CARTPOLE],
  ['the market with all noise', MARKET],
])('%s', (name, yaml) => {
  const file = path.join(folder, `${name.replaceAll(' ', '-')}.yaml`);
  writeFileSync(file, yaml);
  const command = ['train', file, '--seed', '7'];

  const whole = freshRuns();
  const reference = (): { weights: string | undefined; metrics: string } => {
    if (onlyRun(whole) === null) expect(openbell(command, whole)).toMatchObject({ code: 0 });
    const run = runOf(whole);
    return { weights: recordOf(run).result?.weights_sha256, metrics: metricsOf(run) };
  };
  const expectSame = (run: string): void => {
    const { weights, metrics } = reference();
    expect(recordOf(run)).toMatchObject({ status: 'completed', result: { weights_sha256: weights } });
    expect(metricsOf(run)).toBe(metrics);
  };

  it('trains to the same weights and the same metrics a second time, and to others with another seed', () => {
    const again = freshRuns();
    expect(openbell(command, again).stdout).toContain(`weights sha256 ${reference().weights}`);
    expectSame(runOf(again));
    const other = freshRuns();
    expect(openbell(['train', file, '--seed', '8'], other).code).toBe(0);
    expect(recordOf(runOf(other)).result?.weights_sha256).not.toBe(reference().weights);
  });

  it('goes on after kill -9 with another number of threads', async () => {
    const runsDir = freshRuns();
    const first = startOpenbell([...command, '--threads', '1'], runsDir);
    const run = await untilMetrics(first, runsDir, 22);
    first.child.kill('SIGKILL');
    expect((await first.ended).signal).toBe('SIGKILL');
    expect(openbell(['train', '--resume', run, '--threads', '2'], runsDir)).toMatchObject({ code: 0 });
    expectSame(run);
    const alone = freshRuns();
    expect(openbell([...command, 'training.threads=2'], alone)).toMatchObject({ code: 0 });
    expectSame(runOf(alone));
  });

  it('goes on after kill -9, twice, with a torn last line', async () => {
    const runsDir = freshRuns();
    const first = startOpenbell(command, runsDir);
    const run = await untilMetrics(first, runsDir, 22);
    first.child.kill('SIGKILL');
    expect((await first.ended).signal).toBe('SIGKILL');
    appendFileSync(path.join(run, 'metrics.jsonl'), '{"kind":"upd');
    const second = startOpenbell(['train', '--resume', run], runsDir);
    await untilMetrics(second, runsDir, 50);
    second.child.kill('SIGKILL');
    await second.ended;
    expect(recordOf(run).status).toBe('running');
    expect(openbell(['train', '--resume', 'latest'], runsDir)).toMatchObject({ code: 0 });
    expect(recordOf(run).resumed).toHaveLength(2);
    expectSame(run);
  });

  it('finishes the update on SIGINT, writes a checkpoint, exits 130, and goes on', async () => {
    const runsDir = freshRuns();
    const started = startOpenbell(command, runsDir);
    const run = await untilMetrics(started, runsDir, 10);
    started.child.kill('SIGINT');
    const { code, stderr } = await started.ended;
    expect(code).toBe(130);
    expect(stderr).toMatch(/^INTERRUPTED .*go on with: openbell train --resume /m);
    expect(recordOf(run).status).toBe('interrupted');
    expect(openbell(['train', '--resume', run], runsDir)).toMatchObject({ code: 0 });
    expectSame(run);
  });

  it('refuses a damaged checkpoint, names the intact one, and goes on from that', async () => {
    const runsDir = freshRuns();
    const started = startOpenbell(command, runsDir);
    const run = await untilMetrics(started, runsDir, 40);
    started.child.kill('SIGKILL');
    await started.ended;
    const last = path.join(run, 'checkpoints', 'last.safetensors');
    const previous = path.join(run, 'checkpoints', 'previous.safetensors');
    const bytes = readFileSync(last);
    bytes[bytes.length >> 1] ^= 1;
    rmSync(last);
    writeFileSync(last, bytes);
    const refused = openbell(['train', '--resume', run], runsDir);
    expect(refused.code).toBe(1);
    const [message, offered] =
      /^CHECKPOINT_CORRUPT (?:.*) is intact \(\d+ steps\): take that one with: openbell train --resume (\S+)\n$/.exec(
        refused.stderr,
      ) ?? [];
    expect(message).toContain(`CHECKPOINT_CORRUPT ${last}: `);
    // a numbered one was the same file until it was written anew
    expect([previous, path.join(run, 'checkpoints')]).toContain(
      name === 'CartPole' ? path.dirname(String(offered)) : offered,
    );
    expect(openbell(['train', '--resume', String(offered)], runsDir)).toMatchObject({ code: 0 });
    expectSame(run);
  });
});

it('does not train a run that another process is training', async () => {
  const file = path.join(folder, 'busy.yaml');
  // long enough that it still trains when the second process has started, on however busy a machine
  writeFileSync(file, 'env: { id: CartPole-v1 }\ntraining: { total_timesteps: 100000000 }\n');
  const runsDir = freshRuns();
  const started = startOpenbell(['train', file], runsDir);
  const run = await untilMetrics(started, runsDir, 2);
  const second = openbell(['train', '--resume', run], runsDir);
  started.child.kill('SIGKILL');
  await started.ended;
  expect(second.stderr).toMatch(/^RUN_STATE .* is training this run/);
  expect(second.code).toBe(1);
});

it('lets one of several processes take a run up, and refuses the others', async () => {
  const file = path.join(folder, 'contested.yaml');
  writeFileSync(file, 'env: { id: CartPole-v1 }\ntraining: { total_timesteps: 100000000 }\n');
  const runsDir = freshRuns();
  const first = startOpenbell(['train', file], runsDir);
  const run = await untilMetrics(first, runsDir, 2);
  first.child.kill('SIGKILL');
  await first.ended;
  const rivals = [1, 2, 3].map(() => startOpenbell(['train', '--resume', run], runsDir));
  const refused: { code: number | null; stderr: string }[] = [];
  for (const { ended } of rivals) void ended.then((answer) => refused.push(answer));
  while (refused.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  const alive = rivals.filter(({ child }) => child.exitCode === null);
  expect(alive).toHaveLength(1);
  // still at work, after the others have gone
  const lines = metricsOf(run).split('\n').length;
  await untilMetrics(alive[0], runsDir, lines + 1);
  alive[0].child.kill('SIGKILL');
  await alive[0].ended;
  for (const { code, stderr } of refused.slice(0, 2)) {
    expect(stderr).toMatch(/^RUN_STATE .*(is training this run|is taking this run up|has taken this run up)/m);
    expect(code).toBe(1);
  }
  expect(recordOf(run).resumed).toHaveLength(1);
});

it('begins at the start where a run was stopped before its first checkpoint, and says so', () => {
  const file = path.join(folder, 'early.yaml');
  writeFileSync(file, 'env: { id: CartPole-v1 }\ntraining: { total_timesteps: 4096 }\n');
  const runsDir = freshRuns();
  expect(openbell(['train', file], runsDir).code).toBe(0);
  const run = runOf(runsDir);
  const weights = recordOf(run).result?.weights_sha256;
  const metrics = metricsOf(run);
  // as it stood in the first instant: the fingerprint of the policy before training may be there, or half of it
  rmSync(path.join(run, 'checkpoints', 'last.safetensors'));
  rmSync(path.join(run, 'checkpoints', 'previous.safetensors'), { force: true });
  rmSync(path.join(run, 'checkpoints', 'best.safetensors'), { force: true });
  for (const log of ['metrics.jsonl', 'timings.jsonl']) writeFileSync(path.join(run, log), '');
  writeFileSync(path.join(run, 'fingerprints.jsonl'), '{"update":0,"times');
  const record = path.join(run, 'run.json');
  const stopped = readFileSync(record, 'utf8')
    .replace('"status": "completed"', '"status": "running"')
    .replace(/"pid": \d+/, `"pid": ${2 ** 30}`)
    .replace(/"result": \{[^]*\}\n\}/, '"result": null\n}');
  writeFileSync(record, stopped);
  const resumed = openbell(['train', '--resume', run], runsDir);
  expect(resumed.stderr).toMatch(/warning: the run was stopped before its first checkpoint: it begins at the start/);
  expect(resumed.code).toBe(0);
  expect(recordOf(run).result?.weights_sha256).toBe(weights);
  expect(metricsOf(run)).toBe(metrics);
  const replayed = openbell(['replay', run, '--json'], runsDir);
  expect(JSON.parse(replayed.stdout)).toMatchObject({ same: true, updates: 2, weightsSha256: weights });
  expect(replayed.code).toBe(0);
  // with logs, but without any checkpoint, something is lost: that is not begun again in silence
  rmSync(path.join(run, 'checkpoints'), { recursive: true });
  mkdirSync(path.join(run, 'checkpoints'));
  writeFileSync(record, stopped);
  const refused = openbell(['train', '--resume', run], runsDir);
  expect(refused.stderr).toMatch(/^CHECKPOINT_CORRUPT .*train it again with: openbell train .*config\.yaml$/m);
  expect(refused.code).toBe(1);
});

it('replays a run and exits 1 where it differs, naming update and tensor', () => {
  const file = path.join(folder, 'replayed.yaml');
  writeFileSync(file, 'env: { id: CartPole-v1 }\ntraining: { total_timesteps: 4096 }\n');
  const runsDir = freshRuns();
  expect(openbell(['train', file], runsDir).code).toBe(0);
  const run = runOf(runsDir);
  const same = openbell(['replay', 'latest', '--threads', '2'], runsDir);
  expect(same.stdout).toMatch(/^SAME to the bit: weights sha256 [0-9a-f]{64}$/m);
  expect(same.code).toBe(0);
  const fingerprints = path.join(run, 'fingerprints.jsonl');
  writeFileSync(
    fingerprints,
    readFileSync(fingerprints, 'utf8').replace(/("update":2,.*"action\.bias":")[0-9a-f]{4}/, '$1zzzz'),
  );
  const different = openbell(['replay', run], runsDir);
  expect(different.stdout).toMatch(/^first difference at update 2 \(step 4096\), tensor action\.bias: recorded zzzz/m);
  expect(different.code).toBe(1);
});

it('leaves a completed run as it is, and refuses a configuration that was changed', () => {
  const file = path.join(folder, 'short.yaml');
  writeFileSync(file, 'env: { id: CartPole-v1 }\ntraining: { total_timesteps: 2048 }\n');
  const runsDir = freshRuns();
  const first = openbell(['train', file], runsDir);
  expect(first.code).toBe(0);
  const run = runOf(runsDir);
  const metrics = metricsOf(run);
  expect(openbell(['train', '--resume', run], runsDir).stdout).toBe(first.stdout);
  expect(metricsOf(run)).toBe(metrics);
  const config = path.join(run, 'config.yaml');
  writeFileSync(config, readFileSync(config, 'utf8').replace('gamma: 0.99', 'gamma: 0.9'));
  const changed = openbell(['train', '--resume', path.join(run, 'checkpoints', 'last.safetensors')], runsDir);
  expect(changed).toMatchObject({ code: 1, stdout: '' });
  expect(changed.stderr).toMatch(/^CHECKPOINT_MISMATCH .*config\.yaml has been changed since/);
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { childState } from '#env/state.js';
import { parameterChecksums } from '#agents/policy/checksum.js';
import { parseExperiment } from '#src/config/load.js';
import type { ExperimentConfig } from '#src/config/schema.js';
import { configHash } from '#src/config/show.js';
import { checkpointFile, encodeCheckpoint, readCheckpoint, type Checkpoint } from './checkpoint.js';
import { hashTensors, readFingerprints, type TensorHashes } from './fingerprints.js';
import { replayRun, type Difference, type ReplayOutcome } from './replay.js';
import { replayText } from './replay-text.js';
import { resumeTraining, train } from './train.js';

const CONFIG = `
name: replayed
seed: 4
env: { id: CartPole-v1 }
agent: { n_steps: 32, batch_size: 64, n_epochs: 4, normalize: {} }
training: { total_timesteps: 1024, n_envs: 4, evaluate_every: 512, evaluate_episodes: 2, checkpoint_every: 256 }
`;
/** 1024 / (32 x 4) */
const UPDATES = 8;

let place = '';
let config: ExperimentConfig;
let folders = 0;
beforeAll(() => {
  place = mkdtempSync(path.join(tmpdir(), 'openbell-replay-test-'));
  ({ config } = parseExperiment(CONFIG, 'replayed.yaml'));
});
afterAll(() => rmSync(place, { recursive: true }));

const freshRuns = (): string => path.join(place, `runs-${folders++}`);

async function wholeRun(): Promise<string> {
  return (await train({ config, runsDir: freshRuns() })).directory;
}

/** A run that was interrupted after its third update. */
async function halfRun(): Promise<string> {
  const stop = new AbortController();
  const { directory, status } = await train({
    config,
    runsDir: freshRuns(),
    signal: stop.signal,
    onEvent: (event) => {
      if (event.kind === 'update' && event.report.update === 3) stop.abort();
    },
  });
  expect(status).toBe('interrupted');
  return directory;
}

/** Rewrites a file of the run. */
function edit(run: string, name: string, change: (text: string) => string): void {
  const file = path.join(run, name);
  const before = readFileSync(file, 'utf8');
  const after = change(before);
  expect(after).not.toBe(before);
  writeFileSync(file, after);
}

function rewriteCheckpoint(file: string, change: (checkpoint: Checkpoint) => Checkpoint): void {
  const changed = encodeCheckpoint(change(readCheckpoint(file)));
  // a file of its own: checkpoints may be two names of one
  rmSync(file);
  writeFileSync(file, changed);
}

/** Moves one weight by the least that there is. */
function nudge(checkpoint: Checkpoint, index: number): Checkpoint {
  const engine = childState(checkpoint.ppo, 'engine', 'test');
  const { parameters } = engine;
  if (!(parameters instanceof Float32Array)) throw new TypeError('no parameters');
  const nudged = parameters.slice();
  new Uint32Array(nudged.buffer)[index] += 1;
  return { ...checkpoint, ppo: { ...checkpoint.ppo, engine: { ...engine, parameters: nudged } } };
}

async function differenceIn(run: string): Promise<Difference> {
  const { same, differences } = await replayRun({ directory: run });
  expect({ same, count: differences.length }).toEqual({ same: false, count: 1 });
  return differences[0];
}

describe('a run is replayed to the same bits', () => {
  const SAME: Partial<ReplayOutcome> = { same: true, updates: UPDATES, timesteps: 1024, differences: [] };

  it('on one thread and on two, without touching the run', async () => {
    const run = await wholeRun();
    const record = readFileSync(path.join(run, 'run.json'), 'utf8');
    const once = await replayRun({ directory: run });
    expect(once).toMatchObject({ ...SAME, circumstances: [], checkpoints: ['last', 'previous', 'best'] });
    expect(replayText(once)).toMatch(/^SAME to the bit: weights sha256 [0-9a-f]{64}$/m);
    expect(await replayRun({ directory: run, threads: 2 })).toMatchObject(SAME);
    expect(readFileSync(path.join(run, 'run.json'), 'utf8')).toBe(record);
  });

  it('interrupted: as far as it came; and resumed', async () => {
    const run = await halfRun();
    expect(await replayRun({ directory: run })).toMatchObject({ same: true, status: 'interrupted', updates: 3 });
    await resumeTraining({ directory: run });
    expect(await replayRun({ directory: run })).toMatchObject({ ...SAME, status: 'completed' });
  });

  it('without fingerprints, by its result and its metrics', async () => {
    const run = await wholeRun();
    rmSync(path.join(run, 'fingerprints.jsonl'));
    expect(await replayRun({ directory: run })).toMatchObject({ ...SAME, fingerprinted: false });
    edit(run, 'run.json', (text) => text.replace(/("weights_sha256": ")./, '$1x'));
    expect(await differenceIn(run)).toMatchObject({ kind: 'result' });
  });

  it('and kept where it is asked for', async () => {
    const run = await wholeRun();
    const into = freshRuns();
    const { replayDirectory } = await replayRun({ directory: run, into });
    const kept = path.join(replayDirectory ?? '', 'metrics.jsonl');
    expect(readFileSync(kept, 'utf8')).toBe(readFileSync(path.join(run, 'metrics.jsonl'), 'utf8'));
  });
});

describe('a difference is named', () => {
  it('by update and tensor, where one weight was moved by its last bit and the training went on', async () => {
    const run = await halfRun();
    const last = checkpointFile(path.join(run, 'checkpoints'), 'last');
    const layout = await layoutOf();
    const slot = layout.find(({ name }) => name === 'vf.1.weight');
    if (slot === undefined) throw new Error('no such tensor');
    rewriteCheckpoint(last, (checkpoint) => nudge(checkpoint, slot.offset + 5));
    // the record knows better
    await expect(resumeTraining({ directory: run })).rejects.toThrow(
      /^CHECKPOINT_MISMATCH .*"vf\.1\.weight": the checkpoint of update 3 does not hold what fingerprints\.jsonl says/,
    );
    const forged = hashesIn(readCheckpoint(last), layout)['vf.1.weight'];
    edit(run, 'fingerprints.jsonl', (text) => {
      const lines = text.split('\n');
      lines[3] = lines[3].replace(/("vf\.1\.weight":")[0-9a-f]+/, `$1${forged}`);
      return lines.join('\n');
    });
    await resumeTraining({ directory: run });
    expect(await differenceIn(run)).toMatchObject({
      kind: 'tensor',
      update: 3,
      timesteps: 384,
      tensor: 'vf.1.weight',
      tensors: ['vf.1.weight'],
      recorded: forged,
    });
  });

  it('by update and tensor, where the learning rate was another from an update on', async () => {
    const run = await halfRun();
    const original = readFileSync(path.join(run, 'config.yaml'), 'utf8');
    edit(run, 'config.yaml', (text) => text.replace(/learning_rate: .*/, 'learning_rate: 0.0004'));
    const { config: changed } = parseExperiment(readFileSync(path.join(run, 'config.yaml'), 'utf8'), 'config.yaml');
    rewriteCheckpoint(checkpointFile(path.join(run, 'checkpoints'), 'last'), (checkpoint) => ({
      ...checkpoint,
      head: { ...checkpoint.head, configHash: configHash(changed) },
    }));
    await resumeTraining({ directory: run });
    writeFileSync(path.join(run, 'config.yaml'), original);
    const difference = await differenceIn(run);
    // the rollout of update 4 was still the same: what was learned from it was not
    expect(difference).toMatchObject({ kind: 'tensor', update: 4, tensor: 'pi.0.weight' });
    const text = replayText(await replayRun({ directory: run }));
    expect(text).toMatch(
      /^first difference at update 4 \(step 512\), tensor pi\.0\.weight: recorded \w{16}, replayed/m,
    );
    expect(text).toMatch(/^the rollout before it was equal: it was learned from otherwise\nDIFFERENT$/m);
  });

  it('in the metrics, in a checkpoint that was exchanged, and in one that is torn', async () => {
    const run = await wholeRun();
    const best = checkpointFile(path.join(run, 'checkpoints'), 'best');
    const metrics = readFileSync(path.join(run, 'metrics.jsonl'), 'utf8');
    edit(run, 'metrics.jsonl', (text) => text.replace(/"entropy":0\./, '"entropy":1.'));
    expect(await differenceIn(run)).toMatchObject({ kind: 'metrics', line: 1, key: 'entropy' });
    writeFileSync(path.join(run, 'metrics.jsonl'), metrics);
    rewriteCheckpoint(best, (checkpoint) => nudge(checkpoint, 0));
    expect(await differenceIn(run)).toMatchObject({ kind: 'checkpoint', file: best, tensor: 'pi.0.weight' });
    writeFileSync(best, readFileSync(best).subarray(0, 1000));
    expect(await differenceIn(run)).toMatchObject({ kind: 'torn', file: best });
  });

  it('before anything is trained, where configuration or seed are no longer the run’s', async () => {
    const run = await wholeRun();
    edit(run, 'config.yaml', (text) => text.replace('gamma: 0.99', 'gamma: 0.9').replace('seed: 4', 'seed: 5'));
    const outcome = await replayRun({ directory: run });
    expect(outcome).toMatchObject({ same: false, updates: 0, weightsSha256: null });
    expect(outcome.circumstances.map(({ what, decisive }) => [what, decisive])).toEqual([
      ['config.yaml', true],
      ['seed', true],
    ]);
    expect(replayText(outcome)).toMatch(/^changed since: seed was 4, is 5\nDIFFERENT before training/m);
  });

  it('as a circumstance, where kernels or Node are others: it is replayed all the same', async () => {
    const run = await wholeRun();
    edit(run, 'run.json', (text) => text.replace(/("node": ")[^"]+/, '$1v1.2.3').replace(/(policy\.wasm": ")./, '$1x'));
    const { same, circumstances } = await replayRun({ directory: run });
    expect(same).toBe(true);
    expect(circumstances.map(({ what, decisive }) => [what, decisive])).toEqual([
      ['kernel agents/policy/simd/policy.wasm', false],
      ['node', false],
    ]);
  });

  it('where the record itself was cut or edited', async () => {
    const run = await wholeRun();
    const file = path.join(run, 'fingerprints.jsonl');
    const whole = readFileSync(file, 'utf8');
    writeFileSync(file, `${whole.split('\n').slice(0, 5).join('\n')}\n`);
    await expect(replayRun({ directory: run })).rejects.toThrow(/^RUN_STATE .*fingerprints\.jsonl 4: .* 8 updates/);
    writeFileSync(file, whole.replace('"update":2', '"update":7'));
    await expect(replayRun({ directory: run })).rejects.toThrow(/^RUN_STATE .*fingerprints\.jsonl:3 /);
  });
});

/** The tensors of this configuration's policy. */
async function layoutOf(): Promise<readonly { name: string; offset: number; size: number }[]> {
  let layout: readonly { name: string; offset: number; size: number }[] = [];
  await train({
    config,
    runsDir: freshRuns(),
    signal: AbortSignal.abort(),
    onEvent: (event) => {
      if (event.kind === 'started') ({ layout } = event);
    },
  });
  return layout;
}

function hashesIn(
  { ppo }: Checkpoint,
  layout: readonly { name: string; offset: number; size: number }[],
): TensorHashes {
  const { parameters } = childState(ppo, 'engine', 'test');
  if (!(parameters instanceof Float32Array)) throw new TypeError('no parameters');
  return hashTensors({ rollout: null, normalizer: null, parameters: parameterChecksums(parameters, layout), layout });
}

it('fingerprints.jsonl has a line for the policy before training and one for each update', async () => {
  const fingerprints = readFingerprints(path.join(await wholeRun(), 'fingerprints.jsonl')) ?? [];
  expect(fingerprints.map(({ update, timesteps }) => [update, timesteps])).toEqual(
    Array.from({ length: UPDATES + 1 }, (_, k) => [k, 128 * k]),
  );
  const values = fingerprints.map(({ tensors }) => tensors['value.weight']);
  expect(new Set(values).size).toBe(UPDATES + 1);
});

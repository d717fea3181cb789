import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseExperiment } from '#src/config/load.js';
import type { ExperimentConfig } from '#src/config/schema.js';
import { configHash } from '#src/config/show.js';
import { encodeBundle, decodeBundle, type Bundle } from '#src/registry/bundle.js';
import { auditRun } from './audit/audit-experiment.js';
import { bundleOfRun } from './bundle-run.js';
import { checkpointFile, readCheckpoint } from './checkpoint.js';
import { klToIncumbent } from './fine-tune.js';
import { childState, type StateDict } from '#env/state.js';
import { readFingerprints } from './fingerprints.js';
import { replayRun } from './replay.js';
import { resumeTraining, train } from './train.js';
import type { TrainOutcome } from './training-run.js';

/** Five bars an hour over the clock, so that a test is quick; the market returns to its middle. */
const MARKET = `name: quick-reverting
source: OpenBell's generator
licence: MIT
synthetic: { seed: 3, from: 2020-01-02, sessions: 24, reverting: { mean_reversion: 0.05, shock: 0.002 } }
interval: 10m
calendar: 24x7
instrument: { symbol: OU }
adjustments: { prices: none }
`;

const experiment = (more: string, actions = 'discrete'): string => `
name: tuned
seed: 4
env: { direction: long_short, actions: ${actions}, costs: { model: percent, percent_bps: 1, spread_bps: 1 }, episode: { length: 100 } }
observation: { warmup: 60 }
agent: { n_steps: 64, batch_size: 64, n_epochs: 4, net_arch: { pi: [16], vf: [16] }, normalize: { observation: true, reward: true } }
${more}`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'openbell-fine-tune-'));
  writeFileSync(path.join(folder, 'market.yaml'), MARKET);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const data = (train: string): string =>
  `data: { datasets: ['${path.join(folder, 'market.yaml')}'], train: { ${train} } }`;

const configOf = (text: string): ExperimentConfig => parseExperiment(text, 'test').config;

async function makeIncumbent(actions = 'discrete'): Promise<{ bundle: Bundle; file: string }> {
  const text = experiment(`${data('to: 2020-01-15')}\ntraining: { total_timesteps: 1024, n_envs: 4 }`, actions);
  const { directory } = await train({ config: configOf(text), runsDir: path.join(folder, 'runs') });
  const bytes = encodeBundle(await bundleOfRun({ directory, nowMs: () => 0 }));
  const file = path.join(folder, `incumbent-${actions}.safetensors`);
  writeFileSync(file, bytes);
  return { bundle: decodeBundle(bytes, file), file };
}

function further(
  { bundle, file }: { bundle: Bundle; file: string },
  settings: string,
  training = 'total_timesteps: 4096, n_envs: 4',
  actions = 'discrete',
): ExperimentConfig {
  return configOf(
    experiment(
      `${data('to: 2020-01-22')}\ntraining: { ${training}, fine_tune: { bundle: '${file}', sha256: ${bundle.sha256}, kl_observations: 300, ${settings} } }`,
      actions,
    ),
  );
}

interface UpdateLine {
  readonly klToIncumbent: number;
  readonly klProposed: number;
  readonly undone: boolean;
  readonly learningRate: number;
}

function updatesOf(directory: string): UpdateLine[] {
  const lines = readFileSync(path.join(directory, 'metrics.jsonl'), 'utf8').trimEnd().split('\n');
  return lines.map((line): UpdateLine => JSON.parse(line));
}

const stateOf = (directory: string): { engine: StateDict; normalizer: StateDict } => {
  const file = checkpointFile(path.join(directory, 'checkpoints'), 'last');
  const { ppo } = readCheckpoint(file);
  const part = (key: string): StateDict => childState(ppo, key, file, 'CHECKPOINT_CORRUPT');
  return { engine: part('engine'), normalizer: part('normalizer') };
};

describe('fine-tuning', () => {
  let incumbent: { bundle: Bundle; file: string };
  let tuned: TrainOutcome;
  let config: ExperimentConfig;

  beforeAll(async () => {
    incumbent = await makeIncumbent();
    config = further(incumbent, 'kl_limit: 0.001, halvings: 2');
    tuned = await train({ config, runsDir: path.join(folder, 'runs') });
  });

  it("begins with the bundle's parameters, moments and statistics", async () => {
    const early = await train({
      config: { ...config, name: 'stopped' },
      runsDir: path.join(folder, 'runs'),
      signal: AbortSignal.abort(),
    });
    const { engine, normalizer } = stateOf(early.directory);
    expect(engine).toEqual(incumbent.bundle.engine);
    for (const key of ['observationMean', 'observationVariance', 'returnVariance', 'counts'])
      expect(normalizer[key]).toEqual(incumbent.bundle.normalizer?.[key]);
    expect(readFingerprints(path.join(early.directory, 'fingerprints.jsonl'))?.[0].update).toBe(0);
  });

  it('stays within its limit, undoing what goes beyond it and halving the learning rate', async () => {
    const updates = updatesOf(tuned.directory);
    expect(updates.some(({ undone }) => undone)).toBe(true);
    let standing = 0;
    let halvings = 0;
    for (const { klToIncumbent: kl, klProposed, undone, learningRate } of updates) {
      expect(learningRate).toBe(3e-4 / 2 ** halvings);
      expect(undone).toBe(klProposed > 0.001);
      expect(kl).toBe(undone ? standing : klProposed);
      expect(kl).toBeLessThanOrEqual(0.001);
      standing = kl;
      if (undone) halvings += 1;
    }
    // the third update beyond the limit ended it
    expect(halvings).toBe(3);
    expect(tuned.status).toBe('completed');
    expect(tuned.result.kl_to_incumbent).toBe(standing);
    expect(await klToIncumbent(incumbent.bundle, stateOf(tuned.directory), config)).toBe(standing);
  });

  it('keeps the normaliser as the bundle has it', () => {
    const { normalizer } = stateOf(tuned.directory);
    expect(normalizer['observationMean']).toEqual(incumbent.bundle.normalizer?.['observationMean']);
    expect(normalizer['counts']).toEqual(incumbent.bundle.normalizer?.['counts']);
  });

  it('is clean to the audit, whose normaliser was fitted to what its training saw', async () => {
    const early = await train({
      config: { ...config, name: 'short' },
      runsDir: path.join(folder, 'runs'),
      signal: AbortSignal.abort(),
    });
    const { checks, clean } = await auditRun(early.directory);
    expect(clean).toBe(true);
    expect(checks.find(({ name }) => name === 'run-normalizer')?.done).toBe("the bundle's own, kept");
  }, 60_000);

  it('leaves the bundle as it was where no step is short enough', async () => {
    const stuck = await train({
      config: further(incumbent, 'kl_limit: 1e-12, halvings: 1'),
      runsDir: path.join(folder, 'runs'),
    });
    expect(stuck.result.updates).toBe(2);
    expect(stuck.result.weights_sha256).toBe(incumbent.bundle.manifest.run.weights_sha256);
    expect(stateOf(stuck.directory).engine).toEqual(incumbent.bundle.engine);
  });

  it('is the same to the bit when it is interrupted at every update, and when it is replayed', async () => {
    const options = { config: { ...config, name: 'again' }, runsDir: path.join(folder, 'runs') };
    const onUpdate = (stop: AbortController) => (event: { kind: string }) =>
      void (event.kind === 'update' && stop.abort());
    let stop = new AbortController();
    let again = await train({ ...options, signal: stop.signal, onEvent: onUpdate(stop) });
    for (let pieces = 1; again.status === 'interrupted'; pieces++) {
      if (pieces > 50) throw new Error('it never ends');
      stop = new AbortController();
      again = await resumeTraining({ directory: again.directory, signal: stop.signal, onEvent: onUpdate(stop) });
    }
    expect(again.result).toEqual(tuned.result);
    const metrics = (directory: string): string => readFileSync(path.join(directory, 'metrics.jsonl'), 'utf8');
    expect(metrics(again.directory)).toBe(metrics(tuned.directory));
    const replayed = await replayRun({ directory: again.directory });
    expect(replayed).toMatchObject({ same: true, updates: tuned.result.updates });
  });

  it('needs no registry afterwards: the run has the bundle', async () => {
    const moved = path.join(folder, 'moved.safetensors');
    copyFileSync(incumbent.file, moved);
    const { directory } = await train({
      config: { ...further({ ...incumbent, file: moved }, 'kl_limit: 0.02'), name: 'alone' },
      runsDir: path.join(folder, 'runs'),
    });
    rmSync(moved);
    expect(readFileSync(path.join(directory, 'incumbent.safetensors'))).toEqual(readFileSync(incumbent.file));
    expect(await replayRun({ directory })).toMatchObject({ same: true });
    expect((await bundleOfRun({ directory })).manifest.parent).toBe(incumbent.bundle.sha256);
  });

  it('is named by what it begins from, and not by where that lies', () => {
    const other = further(
      { bundle: { ...incumbent.bundle, sha256: 'f'.repeat(64) }, file: incumbent.file },
      'kl_limit: 0.001, halvings: 2',
    );
    expect(configHash(other)).not.toBe(configHash(config));
    const elsewhere = further({ ...incumbent, file: '/elsewhere.safetensors' }, 'kl_limit: 0.001, halvings: 2');
    expect(configHash(elsewhere)).toBe(configHash(config));
    const anew = { ...config, training: { ...config.training, fine_tune: null } };
    expect(configHash(anew)).not.toBe(configHash(config));
  });

  it('measures Box actions by their Gaussians', async () => {
    const box = await makeIncumbent('target');
    const { directory, result } = await train({
      config: further(box, 'kl_limit: 0.03, halvings: 2', 'total_timesteps: 4096, n_envs: 4', 'target'),
      runsDir: path.join(folder, 'runs'),
    });
    const updates = updatesOf(directory);
    expect(updates.every(({ klToIncumbent: kl }) => kl <= 0.03)).toBe(true);
    expect(updates[0].klProposed).toBeGreaterThan(0);
    expect(result.kl_to_incumbent).toBe(updates.at(-1)?.klToIncumbent);
  });

  it('refuses another bundle, another network, and another normalisation', async () => {
    const runsDir = path.join(folder, 'runs');
    const begin = (wrong: ExperimentConfig): Promise<TrainOutcome> => train({ config: wrong, runsDir });
    const settings = config.training.fine_tune;
    if (settings === null) throw new Error('no fine_tune');
    const { training, agent } = config;
    await expect(
      begin({ ...config, training: { ...training, fine_tune: { ...settings, sha256: '0'.repeat(64) } } }),
    ).rejects.toThrow(/^BUNDLE_CORRUPT/);
    await expect(
      begin({ ...config, training: { ...training, fine_tune: { ...settings, bundle: `${folder}/none` } } }),
    ).rejects.toThrow(/^BUNDLE_CORRUPT .*none.*cannot be read/);
    await expect(begin({ ...config, agent: { ...agent, net_arch: { pi: [8], vf: [16] } } })).rejects.toThrow(
      /^BUNDLE_MISMATCH training.fine_tune.bundle/,
    );
    await expect(begin({ ...config, agent: { ...agent, normalize: null } })).rejects.toThrow(
      /^BUNDLE_MISMATCH agent.normalize/,
    );
    expect(() => configOf(experiment('training: { fine_tune: { bundle: a, sha256: x } }'))).toThrow(/sha256/);
  });
});

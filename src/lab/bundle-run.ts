/** From a run to a bundle's contents: everything that trading needs of it. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { RandomStream } from '#env/seeding.js';
import { childState } from '#env/state.js';
import { FEATURE_SETS } from '#env/market/observation/index.js';
import { createSimdEngine } from '#agents/policy/simd/engine.js';
import { policySpec } from '#agents/ppo/policy-spec.js';
import { fail } from '#src/errors.js';
import type { BundleContents } from '#src/registry/bundle.js';
import { chooseCheckpoint, spacesOf } from './evaluate.js';
import { readCheckpoint } from './checkpoint.js';
import { RunDirectory } from './run-directory.js';
import { weightsSha256 } from './train.js';
import { loadTogether } from './world.js';

export interface BundleRunOptions {
  /** The run's folder. */
  readonly directory: string;
  readonly checkpoint?: 'best' | 'last';
  readonly nowMs?: () => number;
}

/**
 * What a bundle of the run holds. Throws RUN_ and CHECKPOINT_ errors, DATA_HASH where the data is not what the run was
 * trained on any more.
 */
export async function bundleOfRun({
  directory,
  checkpoint: wanted,
  nowMs = Date.now,
}: BundleRunOptions): Promise<BundleContents> {
  const run = RunDirectory.open(directory);
  const config = run.loadConfig();
  const { env, data, observation } = config;
  if (env.id !== 'market' || data === null || observation === null)
    fail('USAGE', {
      where: run.path,
      value: env.id,
      message: 'only a run on the market can be promoted: there is nothing to trade here',
    });
  if (config.training.engine !== 'simd')
    fail('USAGE', {
      where: run.path,
      value: config.training.engine,
      message:
        'a network of one’s own is a program, and a bundle holds none: train with training.engine simd to promote',
    });
  const chosen = chooseCheckpoint(run, { directory, checkpoint: wanted });
  const { head, ppo } = readCheckpoint(chosen.file);
  const { observationSpace, actionSpace } = spacesOf(config);
  const spec = policySpec(config.agent, observationSpace, actionSpace);
  const engine = createSimdEngine(spec, { init: new RandomStream(config.seed, 'policy/init') });
  engine.setState(childState(ppo, 'engine', chosen.file, 'CHECKPOINT_CORRUPT'));
  const bars = await loadTogether(data.datasets, 'data.datasets');
  const { record } = run;
  for (const [index, one] of bars.entries()) {
    if (record.data[index]?.sha256 !== one.sha256)
      fail('DATA_HASH', {
        where: data.datasets[index],
        value: one.sha256,
        message: 'the data is not what this run was trained on: train anew',
      });
  }
  const evaluation = path.join(run.path, 'evaluation', 'test', 'metrics.json');
  const patch = path.join(run.path, 'dirty.patch');
  const contents: BundleContents = {
    manifest: {
      name: config.name,
      created_at: new Date(nowMs()).toISOString(),
      run: {
        path: `${config.name}/${path.basename(path.resolve(run.path))}`,
        experiment: config.name,
        seed: head.seed,
        config_hash: head.configHash,
        checkpoint: chosen.name,
        timesteps: head.timesteps,
        weights_sha256: weightsSha256(engine),
      },
      observation: {
        feature_set: observation.feature_set,
        hash: FEATURE_SETS[observation.feature_set].hash,
        warmup: observation.warmup,
      },
      interval: bars[0].interval,
      calendar: bars[0].calendar,
      instruments: bars.map(({ instrument }) => instrument),
      market: withoutId(env),
      policy: spec,
      data: record.data.map(({ dataset, symbol, interval, bars: count, sha256 }) => ({
        dataset,
        symbol,
        interval,
        bars: count,
        sha256,
      })),
      provenance: {
        config_yaml: readFileSync(run.configFile, 'utf8'),
        git_commit: record.code.git?.commit ?? null,
        dirty_patch: existsSync(patch) ? readFileSync(patch, 'utf8') : null,
        lockfile_sha256: record.code.lockfile_sha256,
        openbell: record.code.openbell,
        kernels: record.code.kernels,
      },
      evaluation: existsSync(evaluation) ? JSON.parse(readFileSync(evaluation, 'utf8')) : null,
      gates: [],
      model_card: `# ${config.name}\n\n${config.description}\n`,
    },
    engine: engine.getState(),
    normalizer:
      ppo['normalizer'] === null || ppo['normalizer'] === undefined
        ? null
        : childState(ppo, 'normalizer', chosen.file, 'CHECKPOINT_CORRUPT'),
  };
  engine.dispose();
  return contents;
}

function withoutId<T extends { readonly id: string }>({ id: _id, ...rest }: T): Omit<T, 'id'> {
  return rest;
}

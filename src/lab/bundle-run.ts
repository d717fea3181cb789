/** From a run to a bundle's contents: everything that trading needs of it. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { childState } from '#env/state.js';
import { FEATURE_SETS } from '#env/market/observation/index.js';
import { policySpec } from '#agents/ppo/policy-spec.js';
import { isTree } from '#src/config/yaml-source.js';
import { fail } from '#src/errors.js';
import type { BundleContents } from '#src/registry/bundle.js';
import { parseEvaluation, type BundledEvaluation } from '#src/registry/manifest.js';
import { openTrained, spacesOf, type TrainedPolicy } from './evaluate.js';
import { listRuns, RunDirectory } from './run-directory.js';
import { trialsOf } from './trials.js';
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
  const trained = await openTrained({ directory, checkpoint: wanted });
  trained.dispose();
  const { head, chosen } = trained;
  const { ppo } = trained.checkpoint;
  const { observationSpace, actionSpace } = spacesOf(config);
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
  const runId = `${config.name}/${path.basename(path.resolve(run.path))}`;
  const trials = trialsOf(run.path, config);
  const patch = readPatch(run);
  return {
    manifest: {
      name: config.name,
      description: config.description,
      created_at: new Date(nowMs()).toISOString(),
      parent: config.training.fine_tune?.sha256 ?? null,
      run: {
        path: runId,
        experiment: config.name,
        seed: head.seed,
        config_hash: head.configHash,
        checkpoint: chosen.name,
        timesteps: head.timesteps,
        weights_sha256: head.weightsSha256,
      },
      seeds: seedsTrained(run),
      trials: trials === null ? null : { count: trials.count, sharpe_deviation: trials.sharpeDeviation },
      observation: {
        feature_set: observation.feature_set,
        hash: FEATURE_SETS[observation.feature_set].hash,
        warmup: observation.warmup,
      },
      interval: bars[0].interval,
      calendar: bars[0].calendar,
      // a symbol may come in several data sets, one after another
      instruments: [...new Map(bars.map(({ instrument }) => [instrument.symbol, instrument])).values()],
      market: withoutId(env),
      policy: policySpec(config.agent, observationSpace, actionSpace),
      data: bars.map((own, index) => ({
        dataset: record.data[index].dataset,
        symbol: own.instrument.symbol,
        interval: own.interval.label,
        bars: own.length,
        from: new Date(own.openTimeMs[0]).toISOString(),
        to: new Date(own.openTimeMs[own.length - 1]).toISOString(),
        synthetic: own.synthetic,
        sha256: own.sha256,
      })),
      windows: { train: data.train, validation: data.validation, test: data.test, exclude: data.exclude },
      provenance: {
        config_yaml: readFileSync(run.configFile, 'utf8'),
        git_commit: record.code.git?.commit ?? null,
        dirty_patch: patch !== null && Buffer.byteLength(patch) <= MOST_PATCH_BYTES ? patch : null,
        dirty_patch_sha256: patch === null ? null : createHash('sha256').update(patch).digest('hex'),
        lockfile_sha256: record.code.lockfile_sha256,
        openbell: record.code.openbell,
        kernels: record.code.kernels,
      },
      evaluation: evaluationOf(trained, runId),
      gates: null,
    },
    engine: childState(ppo, 'engine', chosen.file, 'CHECKPOINT_CORRUPT'),
    normalizer:
      ppo['normalizer'] === null || ppo['normalizer'] === undefined
        ? null
        : childState(ppo, 'normalizer', chosen.file, 'CHECKPOINT_CORRUPT'),
  };
}

/** A change of code that is larger than this is kept by its hash alone. */
const MOST_PATCH_BYTES = 1 << 20;

function readPatch(run: RunDirectory): string | null {
  const file = path.join(run.path, 'dirty.patch');
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}

/** Seeds of the completed runs of the same configuration beside this one, its own included. */
function seedsTrained({ path: folder, record }: RunDirectory): number[] {
  const experiment = path.dirname(path.resolve(folder));
  const others = listRuns(path.dirname(experiment)).filter(
    (run) =>
      path.dirname(path.resolve(run.path)) === experiment &&
      run.record.config_hash === record.config_hash &&
      run.record.status === 'completed',
  );
  return [...new Set([record.seed, ...others.map((run) => run.record.seed)])].sort((a, b) => a - b);
}

/** metrics.json of the test window; null where there is none of these weights. Throws RUN_STATE where it is damaged. */
function evaluationOf({ run, chosen, head }: TrainedPolicy, runId: string): BundledEvaluation | null {
  const name = chosen.name === chosen.usual ? 'test' : `test-${chosen.name}`;
  const file = path.join(run.path, 'evaluation', name, 'metrics.json');
  if (!existsSync(file)) return null;
  let found: unknown;
  try {
    found = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    fail('RUN_STATE', { where: file, message: 'is not JSON: evaluate the run again', cause });
  }
  // of an earlier checkpoint, or of another window
  if (!isTree(found) || found['weightsSha256'] !== head.weightsSha256) return null;
  return parseEvaluation({ ...found, run: runId }, file);
}

function withoutId<T extends { readonly id: string }>({ id: _id, ...rest }: T): Omit<T, 'id'> {
  return rest;
}

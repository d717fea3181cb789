/** A training run from a configuration to its last checkpoint: `train` begins one, `resumeTraining` takes one up again. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { NonFiniteError } from '#agents/ppo/non-finite.js';
import type { ExperimentConfig } from '#src/config/schema.js';
import { configHash } from '#src/config/show.js';
import { fail } from '#src/errors.js';
import { fileSize, writeFileAtomic } from '#src/registry/files.js';
import { encodeState } from '#src/registry/safetensors.js';
import { checkpointFile, readCheckpoint, removeTemporaries, type Checkpoint } from './checkpoint.js';
import { withEngine } from './engine.js';
import { loadIncumbent } from './fine-tune.js';
import { loadPolicyModule, policyFileChanged, withPolicyHash } from './policy-module.js';
import { identifyCode, identifyHost } from './provenance.js';
import { RunDirectory } from './run-directory.js';
import { TrainingRun, type Learner, type RunControls, type TrainOutcome } from './training-run.js';
import { makeWorld, type World } from './world.js';

export interface TrainOptions extends RunControls {
  readonly config: ExperimentConfig;
  readonly runsDir: string;
  /** Written into run.json. */
  readonly argv?: readonly string[];
}

export interface ResumeOptions extends RunControls {
  /** The run's folder. */
  readonly directory: string;
  /** A checkpoint's file; default: the run's last. */
  readonly checkpoint?: string | null;
}

/** Trains from the beginning. Throws CONFIG_, DATA_, ENV_ and POLICY_ errors, and TRAIN_NON_FINITE. */
export async function train(options: TrainOptions): Promise<TrainOutcome> {
  const { runsDir, argv = [], nowMs = Date.now } = options;
  const policy = await loadPolicyModule(options.config);
  const config = withPolicyHash(options.config, policy);
  const incumbent = loadIncumbent(config);
  const world = await makeWorld(config);
  return withEngine(config, world, policy, options.threads, async (engine) => {
    const { identity, patch } = await identifyCode();
    const run = RunDirectory.create({
      runsDir,
      config,
      observationHash: world.observationHash,
      argv,
      code: identity,
      patch,
      data: world.data,
      host: identifyHost(),
      policy,
      incumbent: incumbent?.bytes ?? null,
      nowMs,
    });
    return runFrom(run, config, world, { engine, incumbent }, null, options);
  });
}

/**
 * Takes a run up from a checkpoint and goes on to the very bits of an uninterrupted one: the logs are cut back to
 * where the checkpoint was written. A run that has completed is left as it is, unless a checkpoint is named.
 */
export async function resumeTraining(options: ResumeOptions): Promise<TrainOutcome> {
  const run = RunDirectory.open(options.directory, options.nowMs);
  const { record } = run;
  const named = options.checkpoint ?? null;
  if (record.status === 'completed' && record.result !== null && named === null) {
    return { directory: run.path, status: 'completed', result: record.result };
  }
  const config = run.loadConfig();
  const policy = await loadPolicyModule(config);
  const incumbent = loadIncumbent(config);
  const file = named ?? checkpointFile(run.checkpoints, 'last');
  const checkpoint = named === null && neverCheckpointed(run) ? null : readCheckpoint(file);
  const head = checkpoint?.head ?? {
    // killed before its first checkpoint: it begins again, with what run.json says it was begun with
    seed: record.seed,
    configHash: record.config_hash,
    observationHash: record.observation_hash,
    timesteps: 0,
  };
  const mismatch = (what: string, value: unknown): never =>
    fail('CHECKPOINT_MISMATCH', { where: file, value, message: `${what}; take it up in the run that it belongs to` });
  if (head.seed !== config.seed) mismatch(`the run has seed ${config.seed}`, head.seed);
  if (head.configHash !== configHash(config))
    mismatch(`config.yaml has been changed since (it is ${configHash(config)} now)`, head.configHash);
  const world = await makeWorld(config);
  if (head.observationHash !== world.observationHash)
    mismatch('the observation is defined otherwise in this version', head.observationHash);
  for (const [index, { dataset, sha256 }] of world.data.entries()) {
    const before = record.data[index]?.sha256;
    if (before === sha256) continue;
    fail('DATA_HASH', {
      where: dataset,
      value: sha256,
      message: `the data has changed since the run began (it was ${before}); train anew`,
    });
  }
  const { identity } = await identifyCode();
  for (const [kernel, hash] of Object.entries(identity.kernels)) {
    if (record.code.kernels[kernel] === hash) continue;
    const message = `${kernel} was compiled from other sources when the run began: the result may differ in its bits`;
    options.onEvent?.({ kind: 'warning', message });
  }
  if (checkpoint === null) {
    const message = 'the run was stopped before its first checkpoint: it begins at the start';
    options.onEvent?.({ kind: 'warning', message });
  }
  const here = identifyHost();
  if (config.training.engine === 'tfjs' && (here.node !== record.host.node || here.cpu !== record.host.cpu)) {
    const message = `the run was begun on Node ${record.host.node}, ${record.host.cpu}: elsewhere the tfjs engine goes on to other bits`;
    options.onEvent?.({ kind: 'warning', message });
  }
  const changed = record.policy ? await policyFileChanged(record.policy.file, record.policy.sha256) : null;
  if (changed !== null) options.onEvent?.({ kind: 'warning', message: changed });
  return withEngine(config, world, policy, options.threads, async (engine) => {
    run.takeOver(head.timesteps, here);
    removeTemporaries(run.checkpoints);
    return runFrom(run, config, world, { engine, incumbent }, checkpoint, options);
  });
}

/** Stopped in its first instant: no checkpoint was written, and no update was made that could be lost. */
function neverCheckpointed(run: RunDirectory): boolean {
  if (readdirSync(run.checkpoints).some((name) => name.endsWith('.safetensors'))) return false;
  return (fileSize(run.metricsFile) ?? 0) === 0;
}

async function runFrom(
  run: RunDirectory,
  config: ExperimentConfig,
  world: World,
  learner: Learner,
  checkpoint: Checkpoint | null,
  controls: RunControls,
): Promise<TrainOutcome> {
  let training: TrainingRun | null = null;
  try {
    training = new TrainingRun(run, config, world, learner, checkpoint, controls);
    return await training.run();
  } catch (error) {
    const dump = error instanceof NonFiniteError ? writeDump(run, error) : null;
    const message = error instanceof Error ? error.message : String(error);
    noteFailure(run, training?.timesteps ?? null, message);
    if (error instanceof NonFiniteError && dump !== null) {
      const shown = message.slice(message.indexOf(': ') + 2);
      fail('TRAIN_NON_FINITE', {
        where: error.where ?? 'training',
        value: error.value,
        message: `${shown}. Dump: ${dump}`,
        cause: error,
      });
    }
    throw error;
  } finally {
    training?.close();
  }
}

/** `timesteps` null: it was refused before it trained. */
function noteFailure(run: RunDirectory, timesteps: number | null, message: string): void {
  try {
    if (timesteps !== null || !run.giveBack()) run.finish('failed', timesteps ?? run.record.timesteps, null, message);
  } catch (error) {
    // what the disk refused once it may refuse again: the first failure is the one to tell
    if (!(error instanceof Error && 'syscall' in error)) throw error;
  }
}

function writeDump(run: RunDirectory, error: NonFiniteError): string {
  const file = path.join(run.path, 'non-finite.safetensors');
  writeFileAtomic(file, encodeState(error.dump, { format: 'openbell-non-finite' }));
  return file;
}

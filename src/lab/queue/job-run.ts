/** Which run does a job already: the runs are the truth, whatever the queue remembers. */
import { existsSync, readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { FEATURE_SETS } from '#env/market/observation/index.js';
import type { ExperimentConfig } from '#src/config/schema.js';
import { configHash } from '#src/config/show.js';
import { OpenBellError } from '#src/errors.js';
import { checkpointFile } from '../checkpoint.js';
import { fileSize } from '#src/registry/files.js';
import { loadPolicyModule, withPolicyHash, type PolicyModule } from '../policy-module.js';
import { identifyCode } from '../provenance.js';
import { isAtWork, readRecord, type RunRecord } from '../run-directory.js';
import { loadTogether } from '../world.js';
import type { TrainingJob } from './training-job.js';

/** What makes a run's bits besides configuration and seed. */
export interface Ingredients {
  readonly dataSha256: readonly string[];
  readonly observationHash: string | null;
  readonly kernels: Readonly<Record<string, string>>;
}

/** Bundles each policy file once. */
export class PolicyHashes {
  readonly #modules = new Map<string, Promise<PolicyModule | null>>();

  /** The configuration with its policy's sha256, by which a run is found again. Throws POLICY_MODULE. */
  async fillIn(config: ExperimentConfig): Promise<ExperimentConfig> {
    const { policy } = config.agent;
    if (policy === null) return config;
    const key = JSON.stringify([policy.module, policy.sha256]);
    const module = this.#modules.get(key) ?? loadPolicyModule(config);
    this.#modules.set(key, module);
    return withPolicyHash(config, await module);
  }
}

/** Reads data sets and kernels once each. */
export class IngredientReader {
  readonly #data = new Map<string, Promise<readonly string[]>>();
  #kernels: Promise<Readonly<Record<string, string>>> | null = null;

  /** Throws DATA_ errors: what all jobs of a configuration would fail at is said before any begins. */
  async read({ data, observation }: ExperimentConfig): Promise<Ingredients> {
    const datasets = data?.datasets ?? [];
    const key = JSON.stringify(datasets);
    const hashes =
      this.#data.get(key) ?? loadTogether(datasets, 'data.datasets').then((all) => all.map((b) => b.sha256));
    this.#data.set(key, hashes);
    this.#kernels ??= identifyCode().then(({ identity }) => identity.kernels);
    return {
      dataSha256: await hashes,
      observationHash: observation === null ? null : FEATURE_SETS[observation.feature_set].hash,
      kernels: await this.#kernels,
    };
  }
}

/**
 * none: begin a new run. resume: this run goes on, or is only evaluated. done: nothing is left to train. busy: another
 * process is training it.
 */
export type JobRun =
  | { readonly kind: 'none' }
  | { readonly kind: 'resume' | 'done' | 'busy'; readonly directory: string; readonly record: RunRecord };

/** The run of a job's configuration and seed under `runsDir` that has come furthest. */
export function findJobRun(job: TrainingJob, ingredients: Ingredients, runsDir: string, nowMs: number): JobRun {
  const { config } = job;
  const hash = configHash(config);
  const folder = path.join(runsDir, config.name);
  const pattern = new RegExp(`-${hash.slice(0, 8)}-s${config.seed}(-\\d+)?$`);
  let best: JobRun = { kind: 'none' };
  const rank = { none: 0, resume: 1, busy: 2, done: 3 } as const;
  for (const name of existsSync(folder) ? readdirSync(folder).sort() : []) {
    if (!pattern.test(name)) continue;
    const directory = path.join(folder, name);
    const record = recordOrNull(directory);
    if (record === null || record.config_hash !== hash || !isMadeOf(record, ingredients)) continue;
    const kind = kindOf(job, directory, record, nowMs);
    if (kind === 'none') continue;
    const further = best.kind === kind && 'record' in best && record.timesteps >= best.record.timesteps;
    if (rank[kind] > rank[best.kind] || further) best = { kind, directory, record };
  }
  return best;
}

function kindOf(job: TrainingJob, directory: string, record: RunRecord, nowMs: number): JobRun['kind'] {
  if (hasReached(job, record)) return 'done';
  if (isAtWork(record, os.hostname(), nowMs)) return 'busy';
  const checkpoints = path.join(directory, 'checkpoints');
  const canResume =
    (['last', 'previous'] as const).some((name) => existsSync(checkpointFile(checkpoints, name))) ||
    // stopped in its first instant: it begins again in its own folder
    fileSize(path.join(directory, 'metrics.jsonl')) === 0;
  return canResume ? 'resume' : 'none';
}

/** Whether the training that the job asks for is secured by a checkpoint. */
export function hasReached({ stopAtTimesteps }: TrainingJob, record: RunRecord): boolean {
  if (record.status === 'completed' && record.result !== null) return true;
  if (stopAtTimesteps === null) return false;
  const secured = [record.result?.timesteps ?? 0, ...record.resumed.map(({ timesteps }) => timesteps)];
  return Math.max(...secured) >= stopAtTimesteps;
}

export function isMadeOf({ data, observation_hash: observationHash, code }: RunRecord, made: Ingredients): boolean {
  return (
    observationHash === made.observationHash &&
    data.length === made.dataSha256.length &&
    data.every(({ sha256 }, index) => sha256 === made.dataSha256[index]) &&
    Object.entries(made.kernels).every(([name, sha256]) => code.kernels[name] === sha256)
  );
}

/** null: no run, half of one, or one of another version. It is left alone. */
export function recordOrNull(directory: string): RunRecord | null {
  try {
    return readRecord(directory);
  } catch (error) {
    if (error instanceof OpenBellError && ['RUN_NOT_FOUND', 'RUN_STATE'].includes(error.code)) return null;
    throw error;
  }
}

/**
 * A run's folder: `runs/<experiment>/<utc>-<configuration's hash>-s<seed>/`.
 *
 *   config.yaml      the resolved configuration
 *   incumbent.safetensors  the bundle whose policy is trained further, where the configuration names one
 *   policy.cjs       the user's policy file with all that it imports, where the configuration names one
 *   run.json         what the run was made of, and how it stands (status, heartbeat, result)
 *   dirty.patch      how the code differed from its commit, where it did
 *   metrics.jsonl    a line an update or evaluation; holds only what reproduces to the byte
 *   fingerprints.jsonl  what the policy was at each update: see fingerprints.ts
 *   timings.jsonl    wall time of the same lines: kept apart, since it never reproduces
 *   events.out.tfevents.*  the same lines for TensorBoard: see tensorboard/event-log.ts
 *   checkpoints/     see checkpoint.ts
 *   evaluation/      what `openbell evaluate` writes
 *   annotations/     tags and a note: see store/annotations.ts
 */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { loadExperiment } from '#src/config/load.js';
import { configHash, configYaml } from '#src/config/show.js';
import type { ExperimentConfig } from '#src/config/schema.js';
import { nearestName } from '#src/config/suggest.js';
import { makeFolder } from '#src/config/make-folder.js';
import { isTree } from '#src/config/yaml-source.js';
import { fail, OpenBellError } from '#src/errors.js';
import { exclusively, isAlive, STALE_AFTER_MS } from '#src/registry/claim.js';
import { JsonLines, writeFileAtomic } from '#src/registry/files.js';
import { INCUMBENT_NAME, withIncumbentFile } from './incumbent-file.js';
import { BUNDLE_NAME, withPolicyFile, type PolicyModule } from './policy-module.js';
import type { CodeIdentity, HostIdentity } from './provenance.js';
import { isArchived } from './store/annotations.js';
import { runFolders } from './store/walk.js';

export type RunStatus = 'running' | 'completed' | 'interrupted' | 'failed';

/** A data set as it was read for this run. */
export interface DataIdentity {
  readonly dataset: string;
  readonly source: string;
  readonly symbol: string;
  readonly interval: string;
  readonly bars: number;
  readonly synthetic: boolean;
  readonly sha256: string;
}

export interface RunResult {
  readonly timesteps: number;
  readonly updates: number;
  /** Of the final parameters, float32 little-endian in the engine's order. */
  readonly weights_sha256: string;
  readonly best: { readonly score: number; readonly timesteps: number } | null;
  readonly last_score: number | null;
  /** How far the policy got from the bundle that it began from, in nats; not there: it began from nothing. */
  readonly kl_to_incumbent?: number;
}

export interface RunRecord {
  readonly format: 'openbell-run 1';
  readonly name: string;
  readonly description: string;
  readonly seed: number;
  readonly config_hash: string;
  /** The sweep that this run is a trial of, or whose choice it trains; not there: none, or an older run. */
  readonly sweep?: ExperimentConfig['sweep'];
  readonly observation_hash: string | null;
  readonly engine: string;
  /** Where the user's policy came from; policy.cjs is the run's own copy. null or missing: the run has none. */
  readonly policy?: { readonly file: string; readonly sha256: string } | null;
  readonly argv: readonly string[];
  readonly code: CodeIdentity;
  readonly data: readonly DataIdentity[];
  readonly host: HostIdentity;
  readonly started_at: string;
  status: RunStatus;
  pid: number;
  heartbeat_at: string;
  finished_at: string | null;
  timesteps: number;
  /** Where and when it was taken up again. */
  resumed: { readonly at: string; readonly timesteps: number; readonly hostname: string; readonly node: string }[];
  error: string | null;
  result: RunResult | null;
}

const TAKING_UP = { code: 'RUN_STATE', doing: 'taking this run up' } as const;
const HEARTBEAT_EVERY_MS = 5_000;

export class RunDirectory {
  readonly path: string;
  readonly record: RunRecord;
  readonly #nowMs: () => number;
  #heartbeatMs: number;
  #beforeTakeOver: RunRecord | null = null;

  private constructor(folder: string, record: RunRecord, nowMs: () => number) {
    this.path = folder;
    this.record = record;
    this.#nowMs = nowMs;
    this.#heartbeatMs = nowMs();
  }

  /** Makes the folder with config.yaml, run.json and empty logs. */
  static create(options: {
    runsDir: string;
    config: ExperimentConfig;
    observationHash: string | null;
    argv: readonly string[];
    code: CodeIdentity;
    patch: string | null;
    data: readonly DataIdentity[];
    host: HostIdentity;
    /** null: the networks are those of net_arch. */
    policy?: PolicyModule | null;
    /** The bundle's bytes; null: it begins from nothing. */
    incumbent?: Uint8Array | null;
    nowMs?: () => number;
  }): RunDirectory {
    const {
      runsDir,
      config,
      observationHash,
      argv,
      code,
      patch,
      data,
      host,
      policy = null,
      incumbent = null,
      nowMs = Date.now,
    } = options;
    const started = new Date(nowMs()).toISOString();
    const hash = configHash(config);
    const record: RunRecord = {
      format: 'openbell-run 1',
      name: config.name,
      description: config.description,
      seed: config.seed,
      config_hash: hash,
      sweep: config.sweep,
      observation_hash: observationHash,
      engine: config.training.engine,
      policy: policy === null ? null : { file: policy.file, sha256: policy.sha256 },
      argv,
      code,
      data,
      host,
      started_at: started,
      status: 'running',
      pid: process.pid,
      heartbeat_at: started,
      finished_at: null,
      timesteps: 0,
      resumed: [],
      error: null,
      result: null,
    };
    const stamp = started.replace(/[-:]|\.\d+/g, '');
    const folder = makeFresh(path.join(runsDir, config.name), `${stamp}-${hash.slice(0, 8)}-s${config.seed}`);
    mkdirSync(path.join(folder, 'checkpoints'));
    mkdirSync(path.join(folder, 'evaluation'));
    const stored = withIncumbentFile(withPolicyFile(config, `./${BUNDLE_NAME}`), `./${INCUMBENT_NAME}`);
    if (incumbent !== null) writeFileAtomic(path.join(folder, INCUMBENT_NAME), incumbent);
    if (policy !== null) writeFileAtomic(path.join(folder, BUNDLE_NAME), policy.bundle);
    writeFileAtomic(path.join(folder, 'config.yaml'), configYaml({ config: stored, origins: new Map() }));
    if (patch !== null) writeFileSync(path.join(folder, 'dirty.patch'), patch);
    for (const log of ['metrics.jsonl', 'timings.jsonl', 'fingerprints.jsonl'])
      writeFileSync(path.join(folder, log), '');
    const directory = new RunDirectory(folder, record, nowMs);
    directory.save();
    return directory;
  }

  /** Throws RUN_NOT_FOUND where `folder` is no run, RUN_STATE where its run.json cannot be read. */
  static open(folder: string, nowMs: () => number = Date.now): RunDirectory {
    return new RunDirectory(folder, readRecord(folder), nowMs);
  }

  get checkpoints(): string {
    return path.join(this.path, 'checkpoints');
  }

  get configFile(): string {
    return path.join(this.path, 'config.yaml');
  }

  loadConfig(): ExperimentConfig {
    return loadExperiment(this.configFile).config;
  }

  get metricsFile(): string {
    return path.join(this.path, 'metrics.jsonl');
  }

  openMetrics(): JsonLines {
    return new JsonLines(this.metricsFile);
  }

  openTimings(): JsonLines {
    return new JsonLines(path.join(this.path, 'timings.jsonl'));
  }

  get fingerprintsFile(): string {
    return path.join(this.path, 'fingerprints.jsonl');
  }

  openFingerprints(): JsonLines {
    return new JsonLines(this.fingerprintsFile);
  }

  /**
   * Takes a run over for this process. Throws RUN_STATE where another process is at work in it, or has been since it
   * was opened.
   */
  takeOver(timesteps: number, host: HostIdentity): void {
    exclusively(this.path, this.#nowMs, TAKING_UP, () => {
      const { record } = this;
      const onDisk = readRecord(this.path);
      this.#refuseBusy(onDisk, host);
      if (onDisk.pid !== record.pid || onDisk.status !== record.status || onDisk.finished_at !== record.finished_at) {
        fail('RUN_STATE', {
          where: this.path,
          value: onDisk.pid,
          message: 'another process has taken this run up meanwhile; see how it stands, then try again',
        });
      }
      this.#beforeTakeOver = onDisk;
      record.status = 'running';
      record.pid = process.pid;
      record.finished_at = null;
      record.error = null;
      const at = new Date(this.#nowMs()).toISOString();
      record.resumed.push({ at, timesteps, hostname: host.hostname, node: host.node });
      this.save();
    });
  }

  /** As if it had never been taken over: what was refused has changed nothing. False where it was not taken over. */
  giveBack(): boolean {
    if (this.#beforeTakeOver === null) return false;
    Object.assign(this.record, this.#beforeTakeOver);
    this.#write();
    return true;
  }

  #refuseBusy(record: RunRecord, host: HostIdentity): void {
    if (isAtWork(record, host.hostname, this.#nowMs())) {
      const age = this.#nowMs() - Date.parse(record.heartbeat_at);
      const owner = ownerOf(record);
      const elsewhere = owner !== host.hostname;
      fail('RUN_STATE', {
        where: this.path,
        value: record.pid,
        message: `process ${record.pid}${elsewhere ? ` on ${owner}` : ''} is training this run (heartbeat ${Math.round(age / 1000)} s ago); stop it first`,
      });
    }
  }

  /** Says that the run is alive; writes at most every few seconds. */
  heartbeat(timesteps: number): void {
    this.record.timesteps = timesteps;
    if (this.#nowMs() - this.#heartbeatMs >= HEARTBEAT_EVERY_MS) this.save();
  }

  finish(status: RunStatus, timesteps: number, result: RunResult | null, error: string | null = null): void {
    const { record } = this;
    record.status = status;
    record.timesteps = timesteps;
    record.result = result;
    record.error = error;
    record.finished_at = new Date(this.#nowMs()).toISOString();
    this.save();
  }

  save(): void {
    this.#heartbeatMs = this.#nowMs();
    this.record.heartbeat_at = new Date(this.#heartbeatMs).toISOString();
    this.#write();
  }

  #write(): void {
    writeFileAtomic(path.join(this.path, 'run.json'), `${JSON.stringify(this.record, null, 2)}\n`);
  }
}

/** Whether another process is training this run, as far as can be seen from here. */
export function isAtWork(record: RunRecord, hostname: string, nowMs: number): boolean {
  return (
    record.status === 'running' &&
    record.pid !== process.pid &&
    nowMs - Date.parse(record.heartbeat_at) < STALE_AFTER_MS &&
    (ownerOf(record) !== hostname || isAlive(record.pid))
  );
}

/** The machine that began the run, or took it up last. */
function ownerOf(record: RunRecord): string {
  return record.resumed.at(-1)?.hostname ?? record.host.hostname;
}

function makeFresh(parent: string, name: string): string {
  makeFolder(parent);
  // two runs of one second, configuration and seed
  for (let attempt = 1; ; attempt++) {
    const folder = path.join(parent, attempt === 1 ? name : `${name}-${attempt}`);
    if (makeFolder(folder)) return folder;
  }
}

/** run.json of a run's folder, or RUN_NOT_FOUND, RUN_STATE. */
export function readRecord(folder: string): RunRecord {
  const file = path.join(folder, 'run.json');
  if (!existsSync(file))
    fail('RUN_NOT_FOUND', { where: folder, message: 'there is no run.json: this folder is no run' });
  let record: unknown;
  try {
    record = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    fail('RUN_STATE', { where: file, message: 'is not JSON: restore it from a copy', cause });
  }
  if (!isRecord(record))
    fail('RUN_STATE', {
      where: file,
      message: 'was not written by this version of OpenBell, or was edited: restore it from a copy',
    });
  return record;
}

function isRecord(value: unknown): value is RunRecord {
  return (
    isTree(value) &&
    value['format'] === 'openbell-run 1' &&
    ['name', 'started_at', 'heartbeat_at', 'status', 'engine'].every((key) => typeof value[key] === 'string') &&
    ['timesteps', 'pid', 'seed'].every((key) => typeof value[key] === 'number') &&
    Array.isArray(value['resumed']) &&
    Array.isArray(value['data']) &&
    value['data'].every(isTree) &&
    isTree(value['host']) &&
    isTree(value['code']) &&
    isTree(value['code']['kernels']) &&
    (value['result'] === null || isTree(value['result']))
  );
}

/**
 * How many configurations were tried before this run's was chosen, itself included: what the deflated Sharpe ratio
 * corrects for. Pruned and failed trials count. 1: the run comes from no sweep.
 */
export function trialCount(record: RunRecord): number {
  return record.sweep?.trials ?? 1;
}

export interface RunReference {
  readonly directory: string;
  /** Where the reference names a checkpoint's file. */
  readonly checkpoint: string | null;
}

/**
 * The run that a reference means: its folder, a checkpoint's file in it, "experiment/run" or "run" under `runsDir`, an
 * experiment's name (its newest run), or "latest". Throws RUN_NOT_FOUND with the nearest known name.
 */
export function findRun(reference: string, runsDir: string): RunReference {
  const asPath = path.resolve(reference);
  if (statSync(asPath, { throwIfNoEntry: false })?.isFile() === true && reference.endsWith('.safetensors')) {
    return { directory: path.dirname(path.dirname(asPath)), checkpoint: asPath };
  }
  if (existsSync(path.join(asPath, 'run.json'))) return { directory: reference, checkpoint: null };
  if (existsSync(path.join(asPath, 'config.yaml')) && existsSync(path.join(asPath, 'checkpoints'))) {
    fail('RUN_NOT_FOUND', {
      where: reference,
      message: `there is no run.json: the run was stopped before it began. Begin it again with: openbell train ${path.join(reference, 'config.yaml')}`,
    });
  }
  const runs = listRuns(runsDir);
  const name = reference.replace(/\/+$/, '');
  const wanted = runs.filter(
    (run) => name === 'latest' || [run.id, path.basename(run.path), run.record.name].includes(name),
  );
  // of several, one that was put away is not meant
  const found = wanted.findLast((run) => run.id === name || !isArchived(run.path)) ?? wanted.at(-1);
  if (found !== undefined) return { directory: found.path, checkpoint: null };
  const near = nearestName(name, [...runs.map(({ id }) => id), ...runs.map(({ record }) => record.name)]);
  const hint =
    near === null ? `\`openbell runs list\` shows the ${runs.length} runs in ${runsDir}` : `did you mean "${near}"?`;
  return fail('RUN_NOT_FOUND', { where: 'run', value: reference, message: `there is no such run; ${hint}` });
}

export interface ListedRun {
  /** "experiment/run" */
  readonly id: string;
  readonly path: string;
  readonly record: RunRecord;
}

/** All runs under `runsDir`, oldest first. Folders without a run.json that this version reads are passed over. */
export function listRuns(runsDir: string): ListedRun[] {
  const runs: ListedRun[] = [];
  for (const { id, path: folder } of runFolders(runsDir)) {
    if (!existsSync(path.join(folder, 'run.json'))) continue;
    try {
      runs.push({ id, path: folder, record: readRecord(folder) });
    } catch (error) {
      // one damaged run must not hide the others; naming it says what is wrong with it
      if (!(error instanceof OpenBellError) || error.code !== 'RUN_STATE') throw error;
    }
  }
  return runs.sort((a, b) =>
    a.record.started_at < b.record.started_at ? -1 : a.record.started_at > b.record.started_at ? 1 : 0,
  );
}

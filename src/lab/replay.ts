/** `replayRun`: trains a run again from its own configuration, seed and data, and compares what comes out, to the bit. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { childState, type StateDict } from '#env/state.js';
import { parameterChecksums } from '#agents/policy/checksum.js';
import type { ExperimentConfig } from '#src/config/schema.js';
import { configHash } from '#src/config/show.js';
import { fail, OpenBellError } from '#src/errors.js';
import { checkpointNames, readCheckpoint, type Checkpoint } from './checkpoint.js';
import { differingTensors, hashTensors, readFingerprints, type Fingerprint } from './fingerprints.js';
import { identifyCode, identifyHost } from './provenance.js';
import { RunDirectory } from './run-directory.js';
import { train } from './train.js';
import type { RunControls } from './training-run.js';
import { makeWorld } from './world.js';

export interface ReplayOptions extends Pick<RunControls, 'onEvent' | 'signal' | 'nowMs' | 'threads'> {
  /** The run's folder. Nothing in it is changed. */
  readonly directory: string;
  /** Keeps the replay as a run under this folder; default: a temporary place that is removed. */
  readonly into?: string | null;
  /** No more updates than this are trained again; default: all. Checkpoints of later ones are held to the record. */
  readonly updates?: number | null;
}

/** What the run was made of that is not so now. */
export interface Circumstance {
  readonly what: string;
  readonly recorded: string | null;
  readonly now: string | null;
  /** True: another training altogether, so that nothing was replayed. False: it should make no difference. */
  readonly decisive: boolean;
}

export type Difference =
  /** The first update, and the first tensor of it in the order of cause, that came out otherwise. */
  | {
      readonly kind: 'tensor';
      readonly update: number;
      readonly timesteps: number;
      readonly tensor: string;
      readonly recorded: string | null;
      readonly replayed: string | null;
      /** All tensors of this update that differ. */
      readonly tensors: readonly string[];
    }
  /** The parameters were equal at every update, and this is not: first line and key of metrics.jsonl. */
  | {
      readonly kind: 'metrics';
      readonly line: number;
      readonly key: string;
      readonly recorded: string;
      readonly replayed: string;
    }
  | { readonly kind: 'result'; readonly recorded: string; readonly replayed: string }
  /** A checkpoint's file holds other tensors than were trained. */
  | { readonly kind: 'checkpoint'; readonly file: string; readonly update: number; readonly tensor: string }
  /** A checkpoint's file is torn. */
  | { readonly kind: 'torn'; readonly file: string; readonly message: string };

export interface ReplayOutcome {
  readonly directory: string;
  readonly same: boolean;
  /** How the run stood: what a run that did not complete has recorded is replayed, and no more. */
  readonly status: string;
  readonly circumstances: readonly Circumstance[];
  /** Updates that were trained again. */
  readonly updates: number;
  readonly timesteps: number;
  /** False for a run without fingerprints.jsonl: its metrics and its final parameters are compared, no update alone. */
  readonly fingerprinted: boolean;
  /** Of the replay's last parameters. null: nothing was replayed. */
  readonly weightsSha256: string | null;
  /** Names of the checkpoints whose tensors are those of the replay. */
  readonly checkpoints: readonly string[];
  readonly differences: readonly Difference[];
  /** Where the replay is kept; null: nowhere. */
  readonly replayDirectory: string | null;
}

/**
 * Replays what the run has recorded. Stops at the first update that differs. Throws RUN_NOT_FOUND, RUN_STATE,
 * CHECKPOINT_CORRUPT, DATA_ errors, and INTERRUPTED where the signal comes first.
 */
export async function replayRun(options: ReplayOptions): Promise<ReplayOutcome> {
  const run = RunDirectory.open(options.directory, options.nowMs);
  const { record } = run;
  const config = run.loadConfig();
  const circumstances = await circumstancesOf(run, config);
  const recorded = readFingerprints(run.fingerprintsFile);
  const common = { directory: run.path, status: record.status, circumstances, fingerprinted: recorded !== null };
  if (circumstances.some(({ decisive }) => decisive)) {
    return {
      ...common,
      same: false,
      updates: 0,
      timesteps: 0,
      weightsSha256: null,
      checkpoints: [],
      differences: [],
      replayDirectory: null,
    };
  }
  if (recorded === null && record.result === null) {
    fail('RUN_STATE', {
      where: run.path,
      value: record.status,
      message: 'this run has neither fingerprints nor a result to compare with: complete it first (train --resume)',
    });
  }
  const { result } = record;
  if (record.status === 'completed' && recorded !== null && recorded.length - 1 !== result?.updates) {
    fail('RUN_STATE', {
      where: run.fingerprintsFile,
      value: recorded.length - 1,
      message: `the run made ${result?.updates} updates: this file was cut or edited; restore it from a copy`,
    });
  }
  const into = options.into ?? null;
  const runsDir = into ?? mkdtempSync(path.join(tmpdir(), 'openbell-replay-'));
  try {
    const again = await trainAgain(config, runsDir, recorded, options);
    const isWhole = recorded === null || again.fingerprints.length >= recorded.length;
    const differences = again.difference === null ? [] : [again.difference];
    const checkpoints: string[] = [];
    if (again.difference === null) {
      const metrics = firstMetricsDifference(run, again.directory, isWhole);
      if (metrics !== null) differences.push(metrics);
      const expected = record.result?.weights_sha256;
      if (isWhole && record.status === 'completed' && expected !== undefined && expected !== again.weightsSha256)
        differences.push({ kind: 'result', recorded: expected, replayed: again.weightsSha256 });
      for (const name of checkpointNames(run.checkpoints)) {
        const found = checkpointDifference(path.join(run.checkpoints, name), again, recorded);
        if (found === null) checkpoints.push(name.replace(/\.safetensors$/, ''));
        else differences.push(found);
      }
    }
    const last = again.fingerprints.at(-1);
    return {
      ...common,
      same: differences.length === 0,
      updates: last?.update ?? 0,
      timesteps: last?.timesteps ?? 0,
      weightsSha256: again.weightsSha256,
      checkpoints,
      differences,
      replayDirectory: into === null ? null : again.directory,
    };
  } finally {
    if (into === null) rmSync(runsDir, { recursive: true, force: true });
  }
}

interface Replay {
  readonly directory: string;
  readonly fingerprints: readonly Fingerprint[];
  readonly layout: readonly { readonly name: string; readonly offset: number; readonly size: number }[];
  readonly weightsSha256: string;
  readonly difference: Difference | null;
}

async function trainAgain(
  config: ExperimentConfig,
  runsDir: string,
  recorded: readonly Fingerprint[] | null,
  { onEvent, signal, nowMs, threads, updates }: ReplayOptions,
): Promise<Replay> {
  const enough = new AbortController();
  const fingerprints: Fingerprint[] = [];
  let layout: Replay['layout'] = [];
  let difference: Difference | null = null;
  const { directory, result } = await train({
    config,
    runsDir,
    argv: ['replay'],
    signal: signal === undefined ? enough.signal : AbortSignal.any([signal, enough.signal]),
    ...(nowMs === undefined ? {} : { nowMs }),
    threads: threads ?? null,
    onEvent: (event) => {
      onEvent?.(event);
      if (event.kind === 'started') ({ layout } = event);
      if (event.kind !== 'fingerprint') return;
      const { fingerprint } = event;
      fingerprints.push(fingerprint);
      if (recorded === null) return;
      difference ??= firstDifference(recorded[fingerprint.update], fingerprint);
      // the run recorded no more, or it is known where the two part
      const last = Math.min(recorded.length - 1, updates ?? Infinity);
      if (difference !== null || fingerprint.update >= last) enough.abort();
    },
  });
  if (signal?.aborted === true && !enough.signal.aborted) {
    fail('INTERRUPTED', {
      where: 'openbell replay',
      message: `stopped after ${fingerprints.length - 1} updates, all of them the same so far; start it again`,
    });
  }
  return { directory, fingerprints, layout, weightsSha256: result.weights_sha256, difference };
}

function firstDifference(recorded: Fingerprint | undefined, replayed: Fingerprint): Difference | null {
  // a run that was stopped before anything was recorded
  if (recorded === undefined) return null;
  const tensors = differingTensors(recorded.tensors, replayed.tensors);
  if (recorded.timesteps !== replayed.timesteps) tensors.unshift('timesteps');
  const [tensor] = tensors;
  if (tensor === undefined) return null;
  const valueIn = (fingerprint: Fingerprint): string | null =>
    tensor === 'timesteps' ? String(fingerprint.timesteps) : (fingerprint.tensors[tensor] ?? null);
  const { update, timesteps } = replayed;
  return {
    kind: 'tensor',
    update,
    timesteps,
    tensor,
    recorded: valueIn(recorded),
    replayed: valueIn(replayed),
    tensors,
  };
}

/** Over the lines that both have: a run that was killed may have a line more, or a torn one. */
function firstMetricsDifference(run: RunDirectory, replayDirectory: string, isWhole: boolean): Difference | null {
  const linesOf = (file: string): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1);
  const recorded = linesOf(run.metricsFile);
  const replayed = linesOf(RunDirectory.open(replayDirectory).metricsFile);
  const isComplete = isWhole && run.record.status === 'completed';
  const length = isComplete ? Math.max(recorded.length, replayed.length) : Math.min(recorded.length, replayed.length);
  for (let line = 0; line < length; line++) {
    if (recorded[line] === replayed[line]) continue;
    return { kind: 'metrics', line: line + 1, ...firstKey(recorded[line] ?? '', replayed[line] ?? '') };
  }
  return null;
}

function firstKey(recorded: string, replayed: string): { key: string; recorded: string; replayed: string } {
  const entries = (line: string): Map<string, string> => {
    try {
      return new Map(Object.entries(JSON.parse(line)).map(([key, value]) => [key, JSON.stringify(value)]));
    } catch (error) {
      if (error instanceof SyntaxError) return new Map();
      throw error;
    }
  };
  const before = entries(recorded);
  const after = entries(replayed);
  const key = [...new Set([...before.keys(), ...after.keys()])].find((name) => before.get(name) !== after.get(name));
  if (key === undefined) return { key: 'the line itself', recorded, replayed };
  return { key, recorded: before.get(key) ?? 'absent', replayed: after.get(key) ?? 'absent' };
}

/** null: the checkpoint holds the replay's tensors of its update, or is of an update that nothing was recorded of. */
function checkpointDifference(
  file: string,
  { fingerprints, layout }: Replay,
  recorded: readonly Fingerprint[] | null,
): Difference | null {
  let checkpoint: Checkpoint;
  try {
    checkpoint = readCheckpoint(file);
  } catch (error) {
    if (!(error instanceof OpenBellError)) throw error;
    return { kind: 'torn', file, message: error.message };
  }
  const { head, ppo } = checkpoint;
  const trained = fingerprints[head.updates] ?? recorded?.[head.updates];
  if (trained === undefined) return null;
  const parameters = parametersIn(childState(ppo, 'engine', file, 'CHECKPOINT_CORRUPT'), layout);
  const normalizer = ppo['normalizer'] === null ? null : childState(ppo, 'normalizer', file, 'CHECKPOINT_CORRUPT');
  if (parameters === null) return { kind: 'torn', file, message: 'it holds no parameters' };
  const held = hashTensors({ rollout: null, normalizer, parameters: parameterChecksums(parameters, layout), layout });
  const [tensor] = differingTensors(trained.tensors, held);
  return tensor === undefined ? null : { kind: 'checkpoint', file, update: head.updates, tensor };
}

/** The flat parameters in an engine's state: as one vector, or by the tensors' names. null: it holds none. */
function parametersIn(engine: StateDict, layout: Replay['layout']): Float32Array | null {
  if (engine['parameters'] instanceof Float32Array) return engine['parameters'];
  const weights = childState(engine, 'weights', 'engine', 'CHECKPOINT_CORRUPT');
  const last = layout.at(-1);
  const flat = new Float32Array(last === undefined ? 0 : last.offset + last.size);
  for (const { name, offset, size } of layout) {
    const tensor = weights[name];
    if (!(tensor instanceof Float32Array) || tensor.length !== size) return null;
    flat.set(tensor, offset);
  }
  return flat;
}

async function circumstancesOf(run: RunDirectory, config: ExperimentConfig): Promise<Circumstance[]> {
  const { record } = run;
  const found: Circumstance[] = [];
  const compare = (what: string, recorded: string | null, now: string | null, decisive: boolean): void => {
    if (recorded !== now) found.push({ what, recorded, now, decisive });
  };
  compare('config.yaml', record.config_hash, configHash(config), true);
  compare('seed', String(record.seed), String(config.seed), true);
  if (found.length > 0) return found;
  const world = await makeWorld(config);
  world.env.close();
  compare('observation', record.observation_hash, world.observationHash, true);
  for (const [index, { dataset, sha256 }] of world.data.entries())
    compare(`data ${dataset}`, record.data[index]?.sha256 ?? null, sha256, true);
  const { identity } = await identifyCode();
  const kernels = new Set([...Object.keys(record.code.kernels), ...Object.keys(identity.kernels)]);
  for (const kernel of kernels)
    compare(`kernel ${kernel}`, record.code.kernels[kernel] ?? null, identity.kernels[kernel] ?? null, false);
  compare('openbell', record.code.openbell, identity.openbell, false);
  const commit = (code: typeof identity): string | null =>
    code.git === null ? null : `${code.git.commit}${code.git.dirty ? ' with changes' : ''}`;
  compare('commit', commit(record.code), commit(identity), false);
  const host = identifyHost();
  compare('node', record.host.node, host.node, false);
  compare('cpu', `${record.host.arch} ${record.host.cpu}`, `${host.arch} ${host.cpu}`, false);
  return found;
}

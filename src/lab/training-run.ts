/** A training under way: updates, evaluations, logs, fingerprints and checkpoints, in one loop. */
import { readFileSync } from 'node:fs';
import { ActingPolicy } from '#agents/policy/acting-policy.js';
import { parameterChecksums } from '#agents/policy/checksum.js';
import type { PolicyEngine } from '#agents/policy/contract.js';
import { Normalizer } from '#agents/policy/normalizer.js';
import { Ppo } from '#agents/ppo/ppo.js';
import type { PhaseTimes, UpdateReport } from '#agents/ppo/report.js';
import type { ExperimentConfig } from '#src/config/schema.js';
import { configHash } from '#src/config/show.js';
import { fail } from '#src/errors.js';
import type { JsonLines } from '#src/registry/files.js';
import { writeCheckpoint, type Best, type Checkpoint } from './checkpoint.js';
import { weightsSha256, weightShapes } from './engine.js';
import {
  frozenNormalizer,
  KlFromIncumbent,
  KlGuard,
  recentSituations,
  requireSameNetwork,
  type Incumbent,
} from './fine-tune.js';
import {
  differingTensors,
  hashTensors,
  readFingerprints,
  type Fingerprint,
  type TensorHashes,
} from './fingerprints.js';
import type { RunDirectory, RunResult } from './run-directory.js';
import { EventLog } from './tensorboard/event-log.js';
import type { LogEntry } from './tensorboard/scalars.js';
import type { Score, World } from './world.js';

/** What a run tells while it goes. */
export type TrainEvent =
  | {
      readonly kind: 'started';
      readonly directory: string;
      readonly config: ExperimentConfig;
      readonly fromTimesteps: number;
      /** Which tensors the parameters consist of. */
      readonly layout: PolicyEngine['layout'];
    }
  | { readonly kind: 'warning'; readonly message: string }
  | {
      readonly kind: 'update';
      readonly report: UpdateReport;
      /** Of this update. */
      readonly phases: Readonly<PhaseTimes>;
      readonly totalTimesteps: number;
      /** Environment steps a second since this process began. */
      readonly stepsPerSecond: number;
      readonly remainingMs: number;
    }
  /** What the policy is, before the first update (update 0) and after each: a line of fingerprints.jsonl. */
  | { readonly kind: 'fingerprint'; readonly fingerprint: Fingerprint }
  | {
      readonly kind: 'evaluation';
      readonly timesteps: number;
      readonly name: string;
      readonly score: number;
      readonly isBest: boolean;
    }
  | {
      readonly kind: 'finished';
      readonly directory: string;
      readonly status: 'completed' | 'interrupted';
      readonly result: RunResult;
    };

export interface RunControls {
  readonly onEvent?: (event: TrainEvent) => void;
  /** Aborting it finishes the update, writes a checkpoint and ends the run as interrupted. */
  readonly signal?: AbortSignal;
  /** The wall clock of run.json, timings and progress; nothing that reproduces depends on it. */
  readonly nowMs?: () => number;
  /** Instead of the configuration's `training.threads`: it changes no bit. */
  readonly threads?: number | null;
}

export interface TrainOutcome {
  readonly directory: string;
  readonly status: 'completed' | 'interrupted';
  readonly result: RunResult;
}

/** What learns. */
export interface Learner {
  readonly engine: PolicyEngine;
  /** null: it begins from nothing. */
  readonly incumbent: Incumbent | null;
}

export class TrainingRun {
  readonly #run: RunDirectory;
  readonly #config: ExperimentConfig;
  readonly #world: World;
  readonly #controls: RunControls;
  readonly #nowMs: () => number;
  readonly #engine: PolicyEngine;
  readonly #ppo: Ppo;
  readonly #metrics: JsonLines;
  readonly #timings: JsonLines;
  readonly #fingerprints: JsonLines;
  /** null: training.tensorboard is off. */
  readonly #events: EventLog | null;
  /** null: nothing limits how far it goes. */
  readonly #guard: KlGuard | null;
  #best: Best | null;
  #lastScore: number | null = null;

  constructor(
    run: RunDirectory,
    config: ExperimentConfig,
    world: World,
    { engine, incumbent }: Learner,
    checkpoint: Checkpoint | null,
    controls: RunControls,
  ) {
    this.#run = run;
    this.#config = config;
    this.#world = world;
    this.#controls = controls;
    this.#nowMs = controls.nowMs ?? Date.now;
    this.#engine = engine;
    if (incumbent !== null) requireSameNetwork(incumbent, engine);
    const normalizer = incumbent === null ? undefined : frozenNormalizer(incumbent, config);
    this.#ppo = new Ppo({
      env: world.env,
      engine: this.#engine,
      config: config.agent,
      seed: config.seed,
      totalTimesteps: config.training.total_timesteps,
      clock: { nowMs: () => performance.now() },
      ...(normalizer === undefined ? {} : { normalizer }),
    });
    if (incumbent !== null) engine.setState(incumbent.bundle.engine);
    this.#metrics = run.openMetrics();
    this.#timings = run.openTimings();
    this.#fingerprints = run.openFingerprints();
    this.#best = checkpoint?.head.best ?? null;
    if (checkpoint !== null) this.#restore(checkpoint);
    else for (const log of [this.#metrics, this.#timings, this.#fingerprints]) log.truncateLines(0);
    this.#guard = incumbent === null ? null : this.#guardBy(incumbent);
    this.#events = config.training.tensorboard
      ? new EventLog(run.path, {
          weights: config.agent,
          nowMs: this.#nowMs(),
          metricsFile: this.#metrics.file,
          timingsFile: this.#timings.file,
        })
      : null;
  }

  get timesteps(): number {
    return this.#ppo.timesteps;
  }

  async run(): Promise<TrainOutcome> {
    const ppo = this.#ppo;
    const { total_timesteps: total } = this.#config.training;
    const isAborted = (): boolean => this.#controls.signal?.aborted === true;
    const startedMs = this.#nowMs();
    const fromTimesteps = ppo.timesteps;
    const { layout } = this.#engine;
    this.#tell({ kind: 'started', directory: this.#run.path, config: this.#config, fromTimesteps, layout });
    if (this.#fingerprints.lines === 0) {
      this.#fingerprint();
      this.#checkpoint({ best: false });
    }
    while (!this.#done && !isAborted()) {
      const before = ppo.timesteps;
      const updateMs = this.#nowMs();
      const report = this.#guard === null ? ppo.update() : this.#guard.update();
      const phases = { ...ppo.phaseTimes };
      const fingerprintMs = this.#fingerprint();
      const { update, timesteps } = report;
      const at = new Date(updateMs).toISOString();
      this.#log({ kind: 'update', ...report }, { kind: 'update', update, timesteps, at, ...phases, fingerprintMs });
      const stepsPerSecond = ((ppo.timesteps - fromTimesteps) * 1000) / Math.max(1, this.#nowMs() - startedMs);
      const remainingMs = (Math.max(0, total - ppo.timesteps) * 1000) / Math.max(stepsPerSecond, 1e-9);
      this.#tell({ kind: 'update', report, phases, totalTimesteps: total, stepsPerSecond, remainingMs });

      const isBest = this.#evaluationIsDue(before) && this.#evaluate();
      const isDue = crossed(before, ppo.timesteps, this.#config.training.checkpoint_every);
      // an interruption is noticed here, once an update: let the signal's handler run
      await new Promise((resolve) => setImmediate(resolve));
      if (isBest || isDue || this.#done || isAborted()) this.#checkpoint({ best: isBest });
      this.#run.heartbeat(ppo.timesteps);
    }
    const status = this.#done ? 'completed' : 'interrupted';
    const result: RunResult = {
      timesteps: ppo.timesteps,
      updates: ppo.updates,
      weights_sha256: weightsSha256(this.#engine),
      best: this.#best,
      last_score: this.#lastScore,
      ...(this.#guard === null ? {} : { kl_to_incumbent: this.#guard.standing }),
    };
    this.#run.finish(status, ppo.timesteps, result);
    this.#tell({ kind: 'finished', directory: this.#run.path, status, result });
    return { directory: this.#run.path, status, result };
  }

  close(): void {
    this.#metrics.close();
    this.#timings.close();
    this.#fingerprints.close();
    this.#events?.close();
    this.#world.env.close();
  }

  get #done(): boolean {
    return this.#ppo.done || this.#guard?.ended === true;
  }

  #guardBy({ bundle, settings }: Incumbent): KlGuard {
    const { trainingMarket, actionSpace } = this.#world;
    // the configuration's check has made sure of it
    if (trainingMarket === null) throw new Error('a bundle is trained further on the market');
    const { seed } = this.#config;
    const situations = recentSituations(bundle, trainingMarket, { count: settings.kl_observations, seed, actionSpace });
    const undone =
      readFileSync(this.#metrics.file, 'utf8').match(/^\{"kind":"update".*"undone":true\}$/gm)?.length ?? 0;
    return new KlGuard(new KlFromIncumbent(bundle, situations), this.#ppo, settings, undone);
  }

  /** What reproduces, and what does not, of the same moment. */
  #log(metrics: LogEntry, timing: LogEntry): void {
    this.#metrics.append(metrics);
    this.#timings.append(timing);
    this.#events?.append(metrics, timing);
  }

  #evaluationIsDue(before: number): boolean {
    const every = this.#config.training.evaluate_every;
    return this.#done || (every !== null && crossed(before, this.#ppo.timesteps, every));
  }

  /** Scores the policy as it stands. True where it is the best so far. */
  #evaluate(): boolean {
    const { evaluate, scoreName } = this.#world;
    if (evaluate === null) return false;
    const { timesteps } = this.#ppo;
    const startMs = performance.now();
    const { score, details }: Score = evaluate(this.#actor());
    const isBest = this.#best === null || score > this.#best.score;
    if (isBest) this.#best = { score, timesteps };
    this.#lastScore = score;
    const evaluationMs = performance.now() - startMs;
    const { updates: update } = this.#ppo;
    this.#log(
      { kind: 'evaluation', update, timesteps, score, isBest, ...details },
      { kind: 'evaluation', update, timesteps, evaluationMs },
    );
    this.#tell({ kind: 'evaluation', timesteps, name: scoreName, score, isBest });
    return isBest;
  }

  /** The policy as it would be deployed: the mode of its distribution, its normaliser frozen. */
  #actor(): ActingPolicy {
    const { normalizer } = this.#ppo;
    const space = this.#world.actionSpace;
    return new ActingPolicy({
      engine: this.#engine,
      normalizer: normalizer === null ? null : Normalizer.frozen(normalizer.getState()),
      bounds: space.kind === 'box' ? { low: space.low, high: space.high } : null,
    });
  }

  /** Milliseconds that it took. */
  #fingerprint(): number {
    const startMs = performance.now();
    const { updates: update, timesteps } = this.#ppo;
    const fingerprint = { update, timesteps, tensors: this.#tensorHashes(true) };
    this.#fingerprints.append(fingerprint);
    const tookMs = performance.now() - startMs;
    this.#tell({ kind: 'fingerprint', fingerprint });
    return tookMs;
  }

  #tensorHashes(withRollout: boolean): TensorHashes {
    const { normalizer, rollout } = this.#ppo;
    return hashTensors({
      rollout: withRollout ? rollout : null,
      normalizer: normalizer === null ? null : normalizer.getState(),
      parameters: this.#checksums(),
      layout: this.#engine.layout,
    });
  }

  /** (2 x tensors) */
  #checksums(): Uint32Array {
    const engine = this.#engine;
    if (engine.checksums === undefined) return parameterChecksums(engine.getParameters(), engine.layout);
    const out = new Uint32Array(2 * engine.layout.length);
    engine.checksums(out);
    return out;
  }

  #checkpoint(also: { best: boolean }): void {
    // the logs must be on disk before a checkpoint speaks of their lengths
    this.#metrics.sync();
    this.#timings.sync();
    this.#fingerprints.sync();
    const { seed, name, training } = this.#config;
    writeCheckpoint(
      this.#run.checkpoints,
      {
        head: {
          experiment: name,
          seed,
          engine: this.#engine.name,
          timesteps: this.#ppo.timesteps,
          updates: this.#ppo.updates,
          configHash: configHash(this.#config),
          observationHash: this.#world.observationHash,
          best: this.#best,
          lastScore: this.#lastScore,
          logs: {
            metricsBytes: this.#metrics.bytes,
            metricsLines: this.#metrics.lines,
            timingsLines: this.#timings.lines,
            fingerprintsLines: this.#fingerprints.lines,
          },
        },
        ppo: this.#ppo.getState(),
        shapes: weightShapes(this.#engine),
      },
      { best: also.best, keep: training.keep_checkpoints },
    );
  }

  #restore({ head, ppo }: Checkpoint): void {
    this.#ppo.setState(ppo);
    this.#lastScore = head.lastScore;
    const { metricsBytes, metricsLines, timingsLines, fingerprintsLines } = head.logs;
    const cuts: readonly (readonly [JsonLines, number])[] = [
      [this.#metrics, metricsLines],
      [this.#timings, timingsLines],
      [this.#fingerprints, fingerprintsLines],
    ];
    const isWhole = cuts.every(([log, lines]) => log.bytesOfLines(lines) !== null);
    if (!isWhole || this.#metrics.bytesOfLines(metricsLines) !== metricsBytes) {
      fail('RUN_STATE', {
        where: this.#metrics.file,
        value: this.#metrics.bytes,
        message: `the logs do not reach to where the checkpoint was written (${metricsBytes} bytes): they were cut or edited; restore them, or train anew`,
      });
    }
    const recorded = readFingerprints(this.#fingerprints.file)?.[head.updates];
    const differing = recorded === undefined ? [] : differingTensors(recorded.tensors, this.#tensorHashes(false));
    if (recorded === undefined || differing.length > 0) {
      fail('CHECKPOINT_MISMATCH', {
        where: this.#run.path,
        value: differing[0],
        message: `the checkpoint of update ${head.updates} does not hold what fingerprints.jsonl says was learned there: one of them was exchanged or edited; restore it, or train anew`,
      });
    }
    for (const [log, lines] of cuts) log.truncateLines(lines);
  }

  #tell(event: TrainEvent): void {
    this.#controls.onEvent?.(event);
  }
}

/** Whether a multiple of `every` lies in (before, now]. */
function crossed(before: number, now: number, every: number): boolean {
  return Math.floor(now / every) > Math.floor(before / every);
}

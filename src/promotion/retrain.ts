/**
 * `retrain`: an incumbent trained further on the days since, and its challenger put to the gates on days that neither has
 * seen. Training happens in processes of its own, and nothing of it is loaded by the live runner.
 */
import path from 'node:path';
import { makeFolder } from '#src/config/make-folder.js';
import { fail } from '#src/errors.js';
import { loadGates } from '#src/lab/gates/definition.js';
import type { JobEvent, JobOutcome } from '#src/lab/queue/job-pool.js';
import { trainSeeds } from '#src/lab/seeds.js';
import { writeRecordedDataset, type RecordedDataset } from '#src/live/shell/recorded-dataset.js';
import type { Bundle } from '#src/registry/bundle.js';
import { hold } from '#src/registry/claim.js';
import { writeFileAtomic } from '#src/registry/files.js';
import type { GateReport } from '#src/registry/gates.js';
import type { AliasChange } from '#src/registry/history.js';
import type { Registry } from '#src/registry/registry.js';
import type { AliasName } from '#src/registry/aliases.js';
import { readAttempts } from './attempts.js';
import { bundleIn, promote } from './promote.js';
import { holdToIncumbent, nameOf, type RetrainFigures } from './retrain/outcomes.js';
import { planRetraining, type RetrainPlan } from './retrain/plan.js';
import { loadRetrainSettings, type Movable, type RetrainSettings } from './retrain/settings.js';

export interface RetrainOptions {
  readonly alias: AliasName;
  /** Data sets with newer bars, by name or path. */
  readonly datasets: readonly string[];
  readonly registry: Registry;
  readonly runsDir: string;
  /** Default: those that ship. */
  readonly settings?: RetrainSettings;
  /** Says what would be done, and does none of it. */
  readonly dryRun?: boolean;
  /** How many trainings at a time; default: as the cores allow. */
  readonly jobs?: number | null;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RetrainEvent) => void;
  /** Written into the runs' run.json. */
  readonly argv?: readonly string[];
  readonly nowMs?: () => number;
}

export type RetrainEvent =
  | { readonly kind: 'planned'; readonly plan: RetrainPlan; readonly incumbent: Bundle }
  | { readonly kind: 'job'; readonly event: JobEvent }
  | { readonly kind: 'trained' }
  /** A part of the gates begins. */
  | { readonly kind: 'part'; readonly part: string };

export interface Retraining {
  readonly alias: AliasName;
  readonly incumbent: Bundle;
  readonly plan: RetrainPlan;
  readonly settings: RetrainSettings;
  /** null: a dry run. */
  readonly judged: Judged | null;
}

export interface Judged {
  readonly figures: RetrainFigures;
  /** Gates of each alias that may move, in order; where none may, those of `challenger`. */
  readonly reports: readonly GateReport[];
  /** null: it was refused, and nothing was stored. */
  readonly bundle: Bundle | null;
  /** Aliases that were moved. */
  readonly changes: readonly AliasChange[];
  /** Aliases that may move and stayed, though their gates passed: why. */
  readonly stayed: readonly string[];
  /** Where retrain.json stands: the challenger's run. */
  readonly directory: string;
}

/**
 * Trains, judges and moves. The same command again goes on where it was left: what is trained is not trained again. A
 * refusal is no error here: a report says `passed: false`. Throws GATE_REFUSED where there are too few new days, REGISTRY
 * where another process is retraining the alias or has moved it meanwhile, INTERRUPTED, JOB_FAILED, DATA_ errors, USAGE.
 */
export async function retrain(options: RetrainOptions): Promise<Retraining> {
  const { alias, registry, datasets, settings = loadRetrainSettings(), nowMs = Date.now } = options;
  if (datasets.length === 0)
    fail('USAGE', { where: 'openbell retrain', message: 'name the newer bars: --data NAME, or --recorded FOLDER' });
  const incumbent = registry.load(alias);
  const gates = loadGates(settings.gates);
  const bundleFile = registry.bundleFile(incumbent.sha256);
  const plan = await planRetraining({ incumbent, bundleFile, datasets, settings });
  const common = { alias, incumbent, plan, settings };
  if (options.dryRun === true) return { ...common, judged: null };
  const release = claimed(alias, registry, nowMs);
  try {
    options.onEvent?.({ kind: 'planned', plan, incumbent });
    const outcomes = await train(plan, options);
    options.onEvent?.({ kind: 'trained' });
    const directories = outcomes.map(({ directory }) => directory ?? '');
    options.onEvent?.({ kind: 'part', part: 'held-out days, against the incumbent' });
    const { outcomes: besides, figures } = await holdToIncumbent({
      alias,
      incumbent,
      directories,
      gates: gates.retrain,
      klLimit: settings.kl_limit,
      seed: gates.seed,
      bundleOf: bundleIn(registry),
      judgedBefore: judgedSince(registry, alias, plan.config.name),
    });
    const [directory] = directories;
    const moves = movesOf(settings, alias);
    const reports: GateReport[] = [];
    const changes: AliasChange[] = [];
    let bundle: Bundle | null = null;
    for (const { to, mayMove } of moves.length > 0 ? moves : [{ to: 'challenger' as const, mayMove: false }]) {
      if (registry.aliases()[alias] !== incumbent.sha256)
        fail('REGISTRY', {
          where: registry.folder,
          value: alias,
          message: `${alias} has been moved meanwhile: the challenger was measured by another bundle; begin again`,
        });
      const promotion = await promote({
        candidate: { kind: 'run', directory, checkpoint: 'last' },
        registry,
        runsDir: options.runsDir,
        to,
        reason: `retrained from ${nameOf(incumbent)} (${alias}) on ${plan.learned.days} days since ${plan.learned.from}`,
        gates,
        action: 'retrain',
        besides,
        dryRun: !mayMove,
        nowMs,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
        onPart: (part) => options.onEvent?.({ kind: 'part', part }),
      });
      reports.push(promotion.report);
      bundle ??= promotion.bundle;
      if (promotion.change !== null) changes.push(promotion.change);
      // what may not stand beside the incumbent may not take its place
      if (!promotion.report.passed) break;
    }
    const judged: Judged = { figures, reports, bundle, changes, stayed: stayedOf(settings, alias), directory };
    const result = { ...common, judged };
    writeFileAtomic(path.join(directory, 'retrain.json'), `${JSON.stringify(retrainJson(result), null, 2)}\n`);
    return result;
  } finally {
    release();
  }
}

/** Bars that a runner recorded, as data sets under datasets/recorded of the working directory: their names. */
export async function recordedDatasets(folder: string): Promise<RecordedDataset[]> {
  const account = path
    .basename(path.resolve(folder))
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]/g, '-');
  return writeRecordedDataset({ from: folder, name: `recorded-${account}`, out: path.join('datasets', 'recorded') });
}

/** Weights of the challengers that were judged by this incumbent before: each was a chance to pass by luck. */
function judgedSince(registry: Registry, alias: AliasName, experiment: string): string[] {
  const since = registry.current(alias)?.at ?? '';
  const own = readAttempts(registry.folder).filter(({ at, run }) => at >= since && run.startsWith(`${experiment}/`));
  return [...new Set(own.map(({ weights_sha256: weights }) => weights))];
}

function claimed(alias: AliasName, registry: Registry, nowMs: () => number): () => void {
  const folder = path.join(registry.folder, 'retraining', alias);
  makeFolder(folder);
  return hold(folder, nowMs, { code: 'REGISTRY', doing: `retraining ${alias}` });
}

async function train(
  plan: RetrainPlan,
  { runsDir, jobs, signal, onEvent, argv }: RetrainOptions,
): Promise<JobOutcome[]> {
  const outcomes = await trainSeeds({
    config: plan.config,
    seeds: plan.seeds,
    runsDir,
    jobs: jobs ?? null,
    ...(signal === undefined ? {} : { signal }),
    ...(argv === undefined ? {} : { argv }),
    onEvent: (event) => onEvent?.({ kind: 'job', event }),
  });
  if (outcomes.some(({ status }) => status === 'interrupted'))
    fail('INTERRUPTED', {
      where: 'openbell retrain',
      message: 'nothing was judged and nothing moved; what was begun has a checkpoint, and the same command goes on',
    });
  const failed = outcomes.filter(({ status }) => status === 'failed');
  if (failed.length > 0)
    fail('JOB_FAILED', {
      where: 'openbell retrain',
      value: failed.map(({ job }) => job.config.seed),
      message: `${failed.length} of ${outcomes.length} fine-tunings failed, and nothing was judged: ${failed[0].error ?? 'no reason known'}`,
    });
  return outcomes;
}

/** paper moves only where its own bundle was trained further: the challenger was measured by that one alone. */
function movesOf({ may_move: mayMove }: RetrainSettings, alias: AliasName): { to: Movable; mayMove: boolean }[] {
  const order: readonly Movable[] = ['challenger', 'paper'];
  return order
    .filter((to) => mayMove.includes(to) && (to === 'challenger' || alias === 'paper'))
    .map((to) => ({ to, mayMove: true }));
}

function stayedOf({ may_move: mayMove }: RetrainSettings, alias: AliasName): string[] {
  return mayMove.includes('paper') && alias !== 'paper'
    ? [`paper stays: ${alias} was trained further, and the challenger was not measured by the bundle of paper`]
    : [];
}

/** What --json prints and retrain.json holds. */
export function retrainJson({ alias, incumbent, plan, settings, judged }: Retraining): Record<string, unknown> {
  const { config, ...windows } = plan;
  return {
    format: 'openbell-retrain 1',
    alias,
    incumbent: { name: incumbent.manifest.name, sha256: incumbent.sha256 },
    settings,
    plan: { experiment: config.name, data: config.data, training: config.training, ...windows },
    ...(judged === null
      ? { dryRun: true }
      : {
          passed: judged.reports.every(({ passed }) => passed),
          run: judged.directory,
          figures: judged.figures,
          reports: judged.reports,
          challenger: judged.bundle?.sha256 ?? null,
          changes: judged.changes,
          stayed: judged.stayed,
        }),
  };
}

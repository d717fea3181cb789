/**
 * Walk-forwards on disk that speak of an experiment: found by what they trained, and judged anew from their policies,
 * so that a figure in a file is never taken at its word.
 */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Actor } from '#agents/actor.js';
import type { TradingWindow } from '#env/market/bars.js';
import { experimentSchema, type ExperimentConfig } from '#src/config/schema.js';
import { configHash } from '#src/config/show.js';
import { fail } from '#src/errors.js';
import { simpleReturns } from '#src/stats/equity-path.js';
import { runActor, runBaselines } from '../evaluate-baselines.js';
import { openTrained, type TrainedPolicy } from '../evaluate.js';
import { RunDirectory } from '../run-directory.js';
import { planWalkForward, type PlannedWindow, type WalkForwardPlan } from '../walk-forward/plan.js';
import { RECORD_FILE, readWalkForward, type WalkForwardRecord } from '../walk-forward/record.js';
import { loadTogether } from '../world.js';

export interface WalkForwardFound {
  readonly folder: string;
  readonly record: WalkForwardRecord;
  /** What it walked, with its own `walk_forward`. */
  readonly config: ExperimentConfig;
}

export interface Walked {
  readonly found: WalkForwardFound;
  /** Those whose windows are all trained. */
  readonly seeds: readonly number[];
  /** One array a path, of the seeds' annualised Sharpe ratios; an account that never traded has 0. */
  readonly sharpes: readonly Float64Array[];
  /** As those, of wealth against buy-and-hold over the same windows, less 1. */
  readonly overHold: readonly Float64Array[];
  /** (T) simple returns of the stitched accounts, their mean over seeds and paths. */
  readonly returns: Float64Array;
}

/** What is left of an account at the worst, so that a ratio to it is a number. */
const RUIN = 1e-6;

/** Every walk-forward under the folder of runs that can be read and has begun a run. */
export function listWalkForwards(runsDir: string): WalkForwardFound[] {
  if (!existsSync(runsDir)) return [];
  const folders = subfolders(runsDir)
    .flatMap((folder) => subfolders(folder).filter((own) => path.basename(own).startsWith('walk-forward-')))
    .filter((folder) => existsSync(path.join(folder, RECORD_FILE)));
  return folders.flatMap((folder): WalkForwardFound[] => {
    const record = readWalkForward(folder);
    const first = record.windows
      .flatMap(({ runs }) => runs)
      .find(({ run }) => run !== null && existsSync(path.join(runsDir, run, 'run.json')));
    if (first === undefined || first.run === null) return [];
    const own = RunDirectory.open(path.join(runsDir, first.run)).loadConfig();
    const definition = experimentSchema.shape.walk_forward.safeParse(record.definition);
    if (!definition.success || definition.data === null) return [];
    return [{ folder, record, config: { ...own, name: record.name, walk_forward: definition.data } }];
  });
}

function subfolders(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return entries
    .map(({ name }) => name)
    .sort()
    .map((name) => path.join(folder, name));
}

/** What must be equal for two configurations to be one experiment: everything but names, seeds, windows and bookkeeping. */
export function experimentKey(config: ExperimentConfig): string {
  const { data, training } = config;
  return configHash({
    ...config,
    name: '',
    description: '',
    seed: 0,
    sweep: null,
    walk_forward: null,
    data:
      data === null ? null : { ...data, train: { from: null, to: null }, validation: null, test: null, exclude: [] },
    // a walk-forward begins from nothing in each window, also that of a fine-tuning
    training: {
      ...training,
      threads: 1,
      tensorboard: false,
      checkpoint_every: 1,
      keep_checkpoints: 0,
      fine_tune: null,
    },
  });
}

/** What must be equal for the stitched accounts of two walk-forwards to hold the same bars. */
export function barsKey({ config }: WalkForwardFound): string {
  return JSON.stringify([config.data?.datasets, config.observation, config.walk_forward]);
}

/**
 * Judges every whole seed of a walk-forward again. Throws RUN_STATE where a run is not what the plan says, or would be
 * judged on bars that it has seen; and what loading a run throws.
 */
export async function walkAgain(found: WalkForwardFound, runsDir: string): Promise<Walked> {
  const { config, record } = found;
  const bars = await loadTogether(config.data?.datasets ?? [], 'data.datasets');
  const plan = planWalkForward(config, bars);
  const seeds = record.seeds.filter((seed) => plan.windows.every((_, w) => runOf(record, w, seed) !== null));
  const sharpes = plan.paths.map(() => new Float64Array(seeds.length));
  const overHold = plan.paths.map(() => new Float64Array(seeds.length));
  let sum: Float64Array | null = null;
  for (const [s, seed] of seeds.entries()) {
    for (const [index, path_] of plan.paths.entries()) {
      const { sharpe, excess, returns } = await stitchedAgain(found, plan, path_, seed, runsDir);
      sharpes[index][s] = sharpe;
      overHold[index][s] = excess;
      sum ??= new Float64Array(returns.length);
      for (let t = 0; t < sum.length; t++) sum[t] += returns[t];
    }
  }
  const accounts = seeds.length * plan.paths.length;
  return { found, seeds, sharpes, overHold, returns: (sum ?? new Float64Array(0)).map((value) => value / accounts) };
}

async function stitchedAgain(
  { config, record }: WalkForwardFound,
  plan: WalkForwardPlan,
  parts: WalkForwardPlan['paths'][number],
  seed: number,
  runsDir: string,
): Promise<{ sharpe: number; excess: number; returns: Float64Array }> {
  const { env, observation } = config;
  // planned over the market only
  if (env.id !== 'market' || observation === null) throw new Error('no market');
  const market = { config: env, featureSet: observation.feature_set };
  const opened = new Map<number, TrainedPolicy>();
  try {
    const actors = new Map<TradingWindow, Actor>();
    for (const { window, part } of parts) {
      const planned = plan.windows[window];
      const trained = opened.get(window) ?? (await openPlanned(planned, runOf(record, window, seed), seed, runsDir));
      opened.set(window, trained);
      const { windows } = planned.test[part];
      if (trained.saw({ ...market, windows }))
        fail('RUN_STATE', {
          where: trained.run.path,
          value: planned.name,
          message: 'its training saw bars of the window that it is judged on: give the walk-forward its command again',
        });
      for (const own of windows) actors.set(own, trained.policy);
    }
    const actorFor = (window: TradingWindow): Actor => {
      const actor = actors.get(window);
      if (actor === undefined) throw new Error('a window without a policy');
      return actor;
    };
    const judged = { ...market, windows: [...actors.keys()] };
    const { path: own, performance } = runActor({ name: 'policy', actorFor }, judged);
    const hold = runBaselines(judged).find(({ name }) => name === 'hold')?.performance.totalReturn ?? 0;
    const excess = (1 + performance.totalReturn) / Math.max(1 + hold, RUIN) - 1;
    return { sharpe: performance.sharpe ?? 0, excess, returns: simpleReturns(own) };
  } finally {
    for (const { dispose } of opened.values()) dispose();
  }
}

function runOf({ windows }: WalkForwardRecord, window: number, seed: number): string | null {
  const run = windows[window]?.runs.find((own) => own.seed === seed);
  return run === undefined || run.status !== 'completed' ? null : run.run;
}

async function openPlanned(
  { name, config }: PlannedWindow,
  run: string | null,
  seed: number,
  runsDir: string,
): Promise<TrainedPolicy> {
  if (run === null) throw new Error(`window ${name} has no run`);
  const trained = await openTrained({ directory: path.join(runsDir, run) });
  const planned = configHash({ ...config, seed });
  if (trained.head.configHash === planned) return trained;
  trained.dispose();
  return fail('RUN_STATE', {
    where: path.join(runsDir, run),
    value: trained.head.configHash,
    message: `is not what window ${name} of this walk-forward trains (${planned}): give the walk-forward its command again`,
  });
}

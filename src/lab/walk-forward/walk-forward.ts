/** `runWalkForward`: trains every window with every seed, judges each on its test bars, and stitches what follows. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { ExperimentConfig } from '#src/config/schema.js';
import { isTree } from '#src/config/yaml-source.js';
import { makeFolder } from '#src/config/make-folder.js';
import { iqm } from '#src/stats/aggregate.js';
import type { TaskScores } from '#src/stats/scores.js';
import { stratifiedBootstrap } from '#src/stats/stratified-bootstrap.js';
import { writeFileAtomic } from '#src/registry/files.js';
import { JobPool, type JobOutcome, type JobPoolOptions } from '../queue/job-pool.js';
import type { TrainingJob } from '../queue/training-job.js';
import { fail } from '#src/errors.js';
import { loadTogether } from '../world.js';
import { planWalkForward, type PlannedWindow, type WalkForwardPlan } from './plan.js';
import { RECORD_FILE, walkForwardFolder, walkForwardHash, type WalkForwardRecord } from './record.js';
import { stitch, type Stitched } from './stitch.js';

export interface WalkForwardOptions extends Omit<JobPoolOptions, 'queue'> {
  /** With `walk_forward`. Its own seed is not looked at. */
  readonly config: ExperimentConfig;
  readonly seeds: readonly number[];
  /** Draw a report for each stitched account; default true. */
  readonly report?: boolean;
}

export interface WalkForwardOutcome {
  readonly folder: string;
  readonly record: WalkForwardRecord;
  readonly stitched: readonly Stitched[];
}

/** The plan of an experiment, its bars loaded. Throws what `planWalkForward` throws, and DATA_ errors. */
export async function loadWalkForwardPlan(config: ExperimentConfig): Promise<WalkForwardPlan> {
  const { fine_tune: tuned } = config.training;
  if (tuned !== null)
    fail('CONFIG_VALUE', {
      where: 'training.fine_tune',
      value: tuned.sha256.slice(0, 16),
      message:
        'every window of a walk-forward begins from nothing: this bundle has learned from bars that windows would be judged on; add training.fine_tune=null',
    });
  const bars = await loadTogether(config.data?.datasets ?? [], 'data.datasets');
  return planWalkForward(config, bars);
}

/**
 * Runs the walk-forward to its end, or goes on with it. What is trained is not trained again; a window or seed that
 * fails is in the record and stops no other. Throws CONFIG_VALUE, DATA_ and QUEUE_ errors.
 */
export async function runWalkForward({
  config,
  seeds,
  report = true,
  ...options
}: WalkForwardOptions): Promise<WalkForwardOutcome> {
  const plan = await loadWalkForwardPlan(config);
  const folder = walkForwardFolder(config, options.runsDir);
  makeFolder(folder);
  const outcomes: (JobOutcome | null)[][] = plan.windows.map(() => seeds.map(() => null));
  const write = (status: WalkForwardRecord['status'], stitched: readonly Stitched[]): WalkForwardRecord => {
    const record = recordOf({ config, plan, seeds, outcomes, status, stitched, folder, runsDir: options.runsDir });
    writeFileAtomic(path.join(folder, RECORD_FILE), `${JSON.stringify(record, null, 2)}\n`);
    writeFileAtomic(path.join(folder, 'windows.csv'), windowsCsv(record));
    return record;
  };
  // a finished record of more seeds stays until there is more to say
  if (!existsSync(path.join(folder, RECORD_FILE))) write('running', []);
  const pool = new JobPool(options);
  try {
    await Promise.all(
      plan.windows.flatMap((window, w) =>
        seeds.map(async (seed, s) => {
          outcomes[w][s] = await pool.submit(jobOf(window, seed));
        }),
      ),
    );
  } finally {
    await pool.close();
  }
  const stitched: Stitched[] = [];
  for (const [s, seed] of seeds.entries()) {
    const runs = outcomes.map((own) => (own[s]?.status === 'completed' ? (own[s]?.directory ?? null) : null));
    for (const [index, own] of plan.paths.entries()) {
      if (own.some(({ window }) => runs[window] === null)) continue;
      stitched.push(
        await stitch({
          plan,
          path: index,
          seed,
          runs,
          folder: path.join(folder, plan.paths.length === 1 ? `s${seed}` : `s${seed}-p${index + 1}`),
          title: `${config.name}, ${plan.scheme} walk-forward`,
          runsDir: options.runsDir,
          report,
        }),
      );
    }
  }
  const all = outcomes.flat();
  const status = all.some((own) => own?.status === 'interrupted')
    ? 'interrupted'
    : all.every((own) => own?.status === 'completed')
      ? 'completed'
      : 'incomplete';
  return { folder, record: write(status, stitched), stitched };
}

function jobOf({ config, test }: PlannedWindow, seed: number): TrainingJob {
  // a combinatorial split has several test groups, and is judged along paths only
  return {
    config: { ...config, seed },
    stopAtTimesteps: null,
    evaluate: test.length === 1 && config.data?.test !== null,
  };
}

interface RecordInput {
  readonly config: ExperimentConfig;
  readonly plan: WalkForwardPlan;
  readonly seeds: readonly number[];
  readonly outcomes: readonly (readonly (JobOutcome | null)[])[];
  readonly status: WalkForwardRecord['status'];
  readonly stitched: readonly Stitched[];
  readonly folder: string;
  readonly runsDir: string;
}

function recordOf(input: RecordInput): WalkForwardRecord {
  const { config, plan, seeds, outcomes, status, stitched, folder, runsDir } = input;
  const iso = (timeMs: number): string => new Date(timeMs).toISOString();
  return {
    format: 'openbell-walk-forward 1',
    name: config.name,
    hash: walkForwardHash(config),
    status,
    scheme: plan.scheme,
    definition: config.walk_forward,
    seeds: [...seeds],
    windows: plan.windows.map(({ name, config: own, test, bars }, w) => ({
      name,
      experiment: own.name,
      train: own.data?.train ?? { from: null, to: null },
      exclude: own.data?.exclude ?? [],
      validation: own.data?.validation ?? null,
      test: test.map(({ span }) => ({ from: iso(span.fromMs), to: iso(span.toMs) })),
      bars,
      runs: seeds.map((seed, s) => {
        const outcome = outcomes[w][s];
        const { directory, error } = outcome ?? { directory: null, error: null };
        return {
          seed,
          status: outcome?.status ?? 'interrupted',
          run: directory === null ? null : path.relative(runsDir, directory),
          error,
          ...figuresOf(outcome?.evaluation?.summary ?? null),
        };
      }),
    })),
    unjudged: plan.unjudged,
    stitched: stitched.map((own) => ({ seed: own.seed, path: own.path, folder: path.relative(folder, own.folder) })),
    figures: overSeeds(plan, stitched),
  };
}

type Figures = Record<'sharpe' | 'totalReturn' | 'excessOverHold', number | null>;

/** Of an evaluation's metrics.json. */
export function figuresOf(summary: Readonly<Record<string, unknown>> | null): Figures {
  const part = (tree: unknown, key: string): unknown => (isTree(tree) ? tree[key] : undefined);
  const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);
  const agent = part(summary, 'agent');
  const own = number(part(agent, 'totalReturn'));
  const hold = number(part(part(part(summary, 'baselines'), 'hold'), 'totalReturn'));
  return {
    sharpe: number(part(agent, 'sharpe')),
    totalReturn: own,
    excessOverHold: own === null || hold === null || hold <= -1 ? null : (1 + own) / (1 + hold) - 1,
  };
}

/** Paths are tasks, seeds their runs; the paths of one seed share its policies. */
function overSeeds({ paths }: WalkForwardPlan, stitched: readonly Stitched[]): WalkForwardRecord['figures'] {
  const figures = (['sharpe', 'totalReturn', 'excessOverHold'] as const).map((key) => {
    const scores: TaskScores = paths.map((_, index) =>
      Float64Array.from(
        stitched.flatMap((own) => {
          if (own.path !== index) return [];
          const value = figuresOf(own.summary);
          // an account that never traded has no ratio, and counts as cash
          const missing = key === 'sharpe' && value.totalReturn === 0 ? 0 : null;
          return value[key] ?? missing ?? [];
        }),
      ),
    );
    if (scores.some((runs) => runs.length === 0)) return [key, null] as const;
    const even = scores.every((runs) => runs.length === scores[0].length && runs.length > 1);
    const strata = paths.length > 1 ? 'shared' : 'runs';
    return [
      key,
      { iqm: iqm(scores), interval: even ? stratifiedBootstrap(scores, iqm, { seed: 1, strata }) : null },
    ] as const;
  });
  return Object.fromEntries(figures);
}

function windowsCsv({ windows }: WalkForwardRecord): string {
  const header =
    'window,seed,status,train_from,train_to,validation_from,validation_to,test_from,test_to,sharpe,total_return,excess_over_hold,run';
  const lines = windows.flatMap(({ name, train, validation, test, runs }) =>
    runs.map((own) =>
      [
        name,
        own.seed,
        own.status,
        train.from,
        train.to,
        validation?.from,
        validation?.to,
        test[0].from,
        test.at(-1)?.to,
        own.sharpe,
        own.totalReturn,
        own.excessOverHold,
        own.run,
      ]
        .map((cell) => cell ?? '')
        .join(','),
    ),
  );
  return `${[header, ...lines].join('\n')}\n`;
}

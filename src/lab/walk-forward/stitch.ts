/** What a seed's windows come to when they follow each other: one account, judged out of sample from end to end. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Actor } from '#agents/actor.js';
import type { TradingWindow } from '#env/market/bars.js';
import { isTree } from '#src/config/yaml-source.js';
import { makeFolder } from '#src/config/make-folder.js';
import { fail } from '#src/errors.js';
import { renderReport } from '#src/report/html.js';
import { openTrained, type TrainedPolicy } from '../evaluate.js';
import { evaluateActor } from '../evaluate-actor.js';
import { readCurves } from '../evaluate-curves.js';
import { writeEvaluation } from '../evaluate-outputs.js';
import type { WindowedActor } from '../evaluate-paths.js';
import { reportModel } from '../evaluate-report.js';
import { fileSize, writeFileAtomic } from '#src/registry/files.js';
import { trialsOf } from '../trials.js';
import type { WalkForwardPlan } from './plan.js';

export interface StitchOptions {
  readonly plan: WalkForwardPlan;
  /** Which of the plan's paths. */
  readonly path: number;
  readonly seed: number;
  /** By window: the run's folder; every window of the path must have one. */
  readonly runs: readonly (string | null)[];
  readonly folder: string;
  readonly title: string;
  readonly runsDir: string;
  readonly report: boolean;
}

export interface Stitched {
  readonly seed: number;
  readonly path: number;
  readonly folder: string;
  /** What its metrics.json holds: as any evaluation's. */
  readonly summary: Readonly<Record<string, unknown>>;
}

const BOOTSTRAP_SEED = 1;

/**
 * Runs the path's policies one after another over their test windows, equity carried over, and judges the whole as one
 * evaluation. Each window starts flat and ends flat, costs included, for the baselines too. Throws what `openTrained`
 * throws, and RUN_STATE where a policy would be judged on bars that it has seen.
 */
export async function stitch(options: StitchOptions): Promise<Stitched> {
  const { plan, seed, folder } = options;
  const policies = new Map<number, TrainedPolicy>();
  try {
    for (const { window } of plan.paths[options.path]) {
      const directory = options.runs[window];
      if (directory === null) throw new Error(`window ${window} has no run`);
      if (!policies.has(window)) policies.set(window, await openTrained({ directory }));
    }
    const actors = new Map<TradingWindow, Actor>();
    const [[, first]] = policies;
    const { env, observation } = first.config;
    // planned over the market only
    if (env.id !== 'market' || observation === null) throw new Error('no market');
    const market = { config: env, featureSet: observation.feature_set };
    for (const { window, part } of plan.paths[options.path]) {
      const trained = policies.get(window);
      if (trained === undefined) throw new Error(`window ${window} has no policy`);
      const { windows } = plan.windows[window].test[part];
      if (trained.saw({ ...market, windows })) {
        fail('RUN_STATE', {
          where: trained.run.path,
          value: plan.windows[window].name,
          message: 'its training saw bars of the window that it is to be judged on: this is a defect, please report it',
        });
      }
      for (const own of windows) actors.set(own, trained.policy);
    }
    const weights = plan.paths[options.path].map(({ window }) => policies.get(window)?.head.weightsSha256 ?? '');
    const before = readStitched(folder);
    if (before !== null && JSON.stringify(before['weights']) === JSON.stringify(weights)) {
      return { seed, path: options.path, folder, summary: before };
    }
    const actor: WindowedActor = {
      name: first.policy.name,
      actorFor: (window) => actors.get(window) ?? first.policy,
    };
    const result = evaluateActor(
      actor,
      { ...market, windows: [...actors.keys()] },
      { seed: BOOTSTRAP_SEED, trials: trialsOf(first.run.path, first.config) },
    );
    const head = {
      experiment: options.title,
      seed,
      checkpoint: [...new Set([...policies.values()].map(({ head: own }) => own.checkpoint))].join(' or '),
      configHash: first.head.configHash,
      observationHash: first.head.observationHash,
      windowName: plan.scheme === 'combinatorial' ? `path ${options.path + 1}` : 'stitched',
      runs: plan.paths[options.path].map(({ window }) => path.relative(options.runsDir, options.runs[window] ?? '')),
      weights,
    };
    makeFolder(folder);
    if (options.report) {
      const model = reportModel(result, {
        title: `${options.title}, seed ${seed}`,
        windowName: head.windowName,
        facts: [
          ['Scheme', `${plan.scheme}, ${plan.windows.length} windows`],
          ['Seed', String(seed)],
          ...head.runs.map((run, k): [string, string] => [`Window ${k + 1}`, run]),
        ],
        curves: readCurves(path.join(first.run.path, 'metrics.jsonl'), first.head.timesteps),
        configuration: readFileSync(first.run.configFile, 'utf8'),
      });
      writeFileAtomic(path.join(folder, 'report.html'), await renderReport(model));
    }
    // last: what is complete has its metrics.json
    const summary = writeEvaluation(folder, result, head);
    return { seed, path: options.path, folder, summary };
  } finally {
    for (const { dispose } of policies.values()) dispose();
  }
}

function readStitched(folder: string): Readonly<Record<string, unknown>> | null {
  const file = path.join(folder, 'metrics.json');
  if (fileSize(file) === null || fileSize(path.join(folder, 'equity.csv')) === null) return null;
  const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
  return isTree(value) ? value : null;
}

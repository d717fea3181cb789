/** The trainings that are still missing, in processes of their own. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageVersion } from '#src/lab/provenance.js';
import { Child } from '../child.js';
import { machineText, ROOT, thisMachine } from '../report.js';
import type { Curve } from './curve.js';
import type { OpenbellRequest } from './openbell.js';
import { PUBLISHED_EPISODES, type PublishedRow } from './published.js';
import { curvePath, readCurves, settingsSha256, withCurve, writeCurves, type CurveFile, type Side } from './store.js';
import { SCORING_SEED, type ParityTask } from './tasks.js';
import { peerWorld } from './worlds.js';

export interface TrainOptions {
  /** Of the results. */
  readonly folder: string;
  readonly quick: boolean;
  /** Asked for only where the peer has to train: an interpreter; null: what is stored has to do. */
  readonly python: () => string | null;
  /** Trainings at once. */
  readonly jobs: number;
  /** Train anew what is stored already. */
  readonly fresh: boolean;
  readonly onProgress: (message: string) => void;
}

/** All trainings of one side on a task: those that are stored, and the missing ones trained now. */
export async function trainTask(task: ParityTask, side: Side, options: TrainOptions): Promise<CurveFile> {
  const { name, env, n_envs, total_timesteps, config, evaluations, episodes, seeds } = task;
  const sha256 = settingsSha256({
    name,
    env,
    n_envs,
    total_timesteps,
    config,
    evaluations,
    episodes,
    SCORING_SEED,
  });
  if (side === 'OpenBell') {
    const request = (seed: number): OpenbellRequest => ({ do: 'curve', name: task.name, quick: options.quick, seed });
    return trainMissing({ task: task.name, side, sha256, seeds, request }, options);
  }
  const world = peerWorld(task);
  const request = (seed: number): object => ({ do: 'train', task, world, seed });
  return trainMissing({ task: task.name, side, sha256, seeds, request }, options);
}

/** OpenBell's trainings under settings whose score others have published. */
export async function trainPublished(row: PublishedRow, options: TrainOptions): Promise<CurveFile> {
  const { env, n_envs, total_timesteps, config, score, seeds } = row;
  const sha256 = settingsSha256({
    env,
    n_envs,
    total_timesteps,
    config,
    score,
    SCORING_SEED,
    PUBLISHED_EPISODES,
  });
  const request = (seed: number): OpenbellRequest => ({ do: 'published', name: row.name, quick: options.quick, seed });
  return trainMissing({ task: row.name, side: 'OpenBell', sha256, seeds, request }, options);
}

interface Wanted {
  readonly task: string;
  readonly side: Side;
  readonly sha256: string;
  readonly seeds: number;
  readonly request: (seed: number) => object;
}

async function trainMissing({ task, side, sha256, seeds, request }: Wanted, options: TrainOptions): Promise<CurveFile> {
  const { folder, python, jobs, fresh, onProgress } = options;
  const file = curvePath(folder, task, side);
  const none: CurveFile = {
    task,
    side,
    settingsSha256: sha256,
    versions: {},
    machine: machineText(thisMachine()),
    timesteps: [],
    seeds: [],
  };
  const stored = fresh ? null : readCurves(file);
  const fits = stored !== null && stored.settingsSha256 === sha256;
  if (stored !== null && !fits) onProgress(`${path.relative(ROOT, file)}: other settings, trained anew`);
  let curves = fits ? stored : none;
  const missing = Array.from({ length: seeds }, (_, seed) => seed).filter(
    (seed) => !curves.seeds.some((trained) => trained.seed === seed),
  );
  if (missing.length === 0) return curves;
  const interpreter = side === 'OpenBell' ? process.execPath : python();
  if (interpreter === null) return curves;

  const children = Array.from({ length: Math.min(jobs, missing.length) }, () => sideChild(side, interpreter));
  try {
    curves = { ...curves, versions: await versionsOf(side, children[0]) };
    await Promise.all(
      children.map(async (child) => {
        for (let seed = missing.shift(); seed !== undefined; seed = missing.shift()) {
          const curve = await child.ask<Curve>(request(seed));
          curves = withCurve(curves, seed, curve);
          writeCurves(file, curves);
          onProgress(`${task}, ${side}, seed ${seed}: ${curve.scores.at(-1)?.toFixed(2)}`);
        }
      }),
    );
    return curves;
  } finally {
    for (const child of children) child.close();
  }
}

function sideChild(side: Side, interpreter: string): Child {
  if (side === 'OpenBell') return new Child(interpreter, [fileURLToPath(new URL('openbell.js', import.meta.url))]);
  const script = path.join(ROOT, 'bench', 'peers', 'learning_curves.py');
  return new Child(interpreter, ['-u', script], { OMP_NUM_THREADS: '1' });
}

const versionsOf = async (side: Side, child: Child): Promise<Record<string, string>> =>
  side === 'OpenBell'
    ? { openbell: packageVersion(), node: process.versions.node }
    : child.ask<Record<string, string>>({ do: 'versions' });

/** The trainings that are still missing, side by side in processes of their own. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageVersion } from '#src/lab/provenance.js';
import { Child } from '../child.js';
import { machineText, ROOT, thisMachine } from '../report.js';
import type { Curve } from './curve.js';
import { curvePath, readCurves, settingsSha256, withCurve, writeCurves, type CurveFile, type Side } from './store.js';
import { SCORING_SEED, type ParityTask } from './tasks.js';
import { peerWorld } from './worlds.js';

export interface TrainOptions {
  readonly folder: string;
  readonly quick: boolean;
  /** Interpreter with the peers; null: none, so that only what is stored can be compared. */
  readonly python: string | null;
  /** Trainings at once. */
  readonly jobs: number;
  /** Train anew what is stored already. */
  readonly fresh: boolean;
  readonly onProgress: (message: string) => void;
}

const PEER_SCRIPT = path.join(ROOT, 'bench', 'peers', 'learning_curves.py');

/** A process that trains for one side. */
export function sideChild(side: Side, python: string | null): Child {
  if (side === 'OpenBell') {
    return new Child(process.execPath, [fileURLToPath(new URL('openbell.js', import.meta.url))]);
  }
  if (python === null) throw new TypeError('stable-baselines3 needs a Python');
  return new Child(python, ['-u', PEER_SCRIPT], { OMP_NUM_THREADS: '1' });
}

/** Trains the seeds of one side that are not stored yet; returns all. */
export async function trainSide(task: ParityTask, side: Side, options: TrainOptions): Promise<CurveFile> {
  const { folder, quick, python, jobs, fresh, onProgress } = options;
  const file = curvePath(folder, task.name, side);
  const { settings: _, seeds: wanted, ...identity } = task;
  const settings = settingsSha256({ ...identity, SCORING_SEED });
  let curves: CurveFile = {
    task: task.name,
    side,
    settingsSha256: settings,
    versions: {},
    machine: machineText(thisMachine()),
    timesteps: [],
    seeds: [],
  };
  const stored = readCurves(file);
  if (stored !== null && !fresh) {
    if (stored.settingsSha256 === settings) curves = stored;
    else onProgress(`${file}: of other settings, trained anew`);
  }
  const missing = Array.from({ length: wanted }, (_, seed) => seed).filter(
    (seed) => !curves.seeds.some((trained) => trained.seed === seed),
  );
  if (missing.length === 0 || (side !== 'OpenBell' && python === null)) return curves;

  const children = Array.from({ length: Math.min(jobs, missing.length) }, () => sideChild(side, python));
  try {
    const versions: Record<string, string> =
      side === 'OpenBell'
        ? { openbell: packageVersion(), node: process.versions.node }
        : await children[0].ask<Record<string, string>>({ do: 'versions' });
    curves = { ...curves, versions };
    const world = side === 'OpenBell' ? null : peerWorld(task);
    await Promise.all(
      children.map(async (child) => {
        for (let seed = missing.shift(); seed !== undefined; seed = missing.shift()) {
          const request =
            world === null ? { task: task.name, quick, seed } : { do: 'train', task, world, seed };
          const curve = await child.ask<Curve>(request);
          curves = withCurve(curves, seed, curve);
          writeCurves(file, curves);
          onProgress(`${task.name}, ${side}, seed ${seed}: ${curve.scores.at(-1)?.toFixed(1)}`);
        }
      }),
    );
    return curves;
  } finally {
    for (const child of children) child.close();
  }
}

/**
 * What has been trained, a file for each task and side under test/golden/parity: committed, so that the
 * documentation is made from it and a test can train some of it again. A file is written after every training, so
 * that an interrupted command goes on where it stood.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '#src/lab/provenance.js';
import type { Curve } from './curve.js';

export type Side = 'OpenBell' | 'stable-baselines3';
export const SIDES: readonly Side[] = ['OpenBell', 'stable-baselines3'];

/** All trainings of one side on one task. */
export interface CurveFile {
  readonly task: string;
  readonly side: Side;
  /** Of everything that the scores depend on besides the seed: what was trained under other settings is trained anew. */
  readonly settingsSha256: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: string;
  /** Environment steps at each score. */
  readonly timesteps: readonly number[];
  readonly seeds: readonly { readonly seed: number; readonly scores: readonly number[] }[];
}

export const settingsSha256 = (settings: unknown): string =>
  createHash('sha256').update(JSON.stringify(settings)).digest('hex');

export const GOLDEN = path.join(packageRoot, 'test', 'golden', 'parity');

export const curvePath = (folder: string, task: string, side: Side): string =>
  path.join(folder, `${task}.${side.toLowerCase()}.json`);

/** null where there is none. Throws a SyntaxError that names the file where it is not JSON. */
export function readCurves(file: string): CurveFile | null {
  if (!existsSync(file)) return null;
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new SyntaxError(`${file} cannot be read (${String(error)}): restore it, or delete it to train anew`, {
      cause: error,
    });
  }
}

/** What is stored with a training added, in the order of the seeds. Throws where it was scored at other steps. */
export function withCurve(curves: CurveFile, seed: number, { timesteps, scores }: Curve): CurveFile {
  if (curves.seeds.length > 0 && timesteps.join() !== curves.timesteps.join()) {
    throw new RangeError(`${curves.task}, ${curves.side}: seed ${seed} was scored at other steps than those before it`);
  }
  const seeds = [...curves.seeds.filter((other) => other.seed !== seed), { seed, scores }];
  return { ...curves, timesteps, seeds: seeds.toSorted((a, b) => a.seed - b.seed) };
}

/** One line a seed, so that a change can be read. */
export function writeCurves(file: string, curves: CurveFile): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const { seeds, timesteps, ...head } = curves;
  const lines = seeds.map((trained) => `    ${JSON.stringify(trained)}`).join(',\n');
  const top = JSON.stringify(head, null, 2).slice(0, -2);
  const text = `${top},\n  "timesteps": ${JSON.stringify(timesteps)},\n  "seeds": [\n${lines}\n  ]\n}\n`;
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

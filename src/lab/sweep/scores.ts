/** A training's score as it stood at a rung: read from its log, so that it is the same whenever it is asked. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { isTree } from '#src/config/yaml-source.js';
import { fail } from '#src/errors.js';

export interface TrainingScore {
  readonly score: number;
  /** Of the evaluation that gave the score. */
  readonly timesteps: number;
  /** Annualised, on the validation window; null: a classic environment, or no trade. */
  readonly sharpe: number | null;
}

export interface ScorePoint extends TrainingScore {
  readonly timesteps: number;
}

/**
 * The evaluations on the validation window up to the update that reaches `stopAtTimesteps` (null: all). Torn or later
 * lines do not count.
 */
export function scoresUpTo(directory: string, stopAtTimesteps: number | null): ScorePoint[] {
  const file = path.join(directory, 'metrics.jsonl');
  const points: ScorePoint[] = [];
  let reachedAt = Number.POSITIVE_INFINITY;
  for (const line of readFileSync(file, 'utf8').split('\n').slice(0, -1)) {
    const entry: unknown = JSON.parse(line);
    if (!isTree(entry) || typeof entry['timesteps'] !== 'number') continue;
    const { kind, timesteps, score, sharpe } = entry;
    if (timesteps > reachedAt) break;
    if (kind === 'update' && stopAtTimesteps !== null && timesteps >= stopAtTimesteps) reachedAt = timesteps;
    if (kind === 'evaluation' && typeof score === 'number')
      points.push({ score, timesteps, sharpe: typeof sharpe === 'number' ? sharpe : null });
  }
  return points;
}

/** Throws RUN_STATE where the run was never scored before the rung. */
export function scoreAt(directory: string, stopAtTimesteps: number | null, which: 'best' | 'last'): TrainingScore {
  const points = scoresUpTo(directory, stopAtTimesteps);
  const last = points.at(-1);
  if (last === undefined) {
    const message =
      'holds no score on the validation window: it was cut or edited; delete the run, and it is trained anew';
    return fail('RUN_STATE', { where: path.join(directory, 'metrics.jsonl'), message });
  }
  return which === 'last' ? last : points.reduce((best, point) => (point.score > best.score ? point : best));
}

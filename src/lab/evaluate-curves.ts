/** Learning curves out of a run's metrics.jsonl. */
import { existsSync, readFileSync } from 'node:fs';
import { fail } from '#src/errors.js';
import type { LearningCurve } from '#src/report/model.js';

interface Source {
  readonly title: string;
  /** The line's `kind`, and the key of the figure. */
  readonly kind: 'update' | 'evaluation';
  readonly key: string;
}

const SOURCES: readonly Source[] = [
  { title: 'Episode return (mean of 100)', kind: 'update', key: 'episodeReturnMean' },
  { title: 'Validation score', kind: 'evaluation', key: 'score' },
  { title: 'Entropy', kind: 'update', key: 'entropy' },
  { title: 'Approximate KL', kind: 'update', key: 'approxKl' },
  { title: 'Explained variance', kind: 'update', key: 'explainedVariance' },
  { title: 'Clip fraction', kind: 'update', key: 'clipFraction' },
];

/**
 * The curves that the log has figures for, in order; the step `evaluated` is marked. A log that is being written
 * may end in half a line, which is left out. Throws RUN_STATE at a line that is no JSON.
 */
export function readCurves(metricsFile: string, evaluated: number): LearningCurve[] {
  if (!existsSync(metricsFile)) return [];
  const lines = readFileSync(metricsFile, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line, i) => parsedLine(line, `${metricsFile}:${i + 1}`));
  return SOURCES.flatMap(({ title, kind, key }) => {
    const points = lines.flatMap((line) => {
      const step = line['timesteps'];
      const value = line[key];
      return line['kind'] === kind && typeof step === 'number' && typeof value === 'number' ? [{ step, value }] : [];
    });
    if (points.length === 0) return [];
    return [
      {
        title,
        steps: points.map(({ step }) => step),
        values: points.map(({ value }) => value),
        markedStep: kind === 'evaluation' ? evaluated : null,
      },
    ];
  });
}

function parsedLine(line: string, where: string): Readonly<Record<string, unknown>> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (cause) {
    fail('RUN_STATE', {
      where,
      value: line,
      message: 'this line is not JSON: restore the log from a copy, or evaluate with --no-report',
      cause,
    });
  }
  return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
}

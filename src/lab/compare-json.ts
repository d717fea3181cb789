/** A comparison as JSON: figures, no curves. */
import type { CompareModel } from '#src/report/compare-model.js';

export function compareJson(model: CompareModel): Record<string, unknown> {
  const { title, evaluation, windowLabel, by, tasks, metric, differences, notices, groups, contrasts, rows } = model;
  return {
    title,
    evaluation,
    window: windowLabel,
    by,
    tasks,
    metric: metric.key,
    differences: differences.map(({ key, values }) => ({
      key,
      values: Object.fromEntries(groups.filter(({ trained }) => trained).map(({ name }, k) => [name, values[k]])),
    })),
    notices,
    groups,
    contrasts,
    selection: model.selection,
    rows,
    seed: model.seed,
  };
}

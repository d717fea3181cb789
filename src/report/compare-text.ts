/** A comparison for a terminal: what differs, what stands against it, figures with intervals, the verdict. */
import type { ComparedGroup, CompareMetric, CompareModel } from './compare-model.js';
import { MISSING, percent, range, whole } from './format.js';
import { plainText, textTable } from './text-table.js';

export function compareText(model: CompareModel): string {
  const { groups, metrics, notices, contrasts, tasks, by } = model;
  const names = groups.map(({ name }) => name);
  const parts = [
    `${model.title}\n${model.evaluation}: ${model.windowLabel}${by === null ? '' : `\nby ${by}: ${tasks.join(', ')}`}`,
    differencesText(model),
    ...(notices.length === 0
      ? []
      : [notices.map(({ level, message }) => `${level === 'note' ? 'note' : 'WARNING'}: ${message}`).join('\n')]),
    [
      `Interquartile mean over ${tasks.length > 1 ? `seeds and ${tasks.length} ${by === 'symbol' ? 'symbols' : 'windows'}` : 'seeds'}, with its 95% interval (stratified bootstrap)`,
      textTable([
        ['', ...names],
        ['seeds', ...groups.map(({ seeds, trained }) => (trained ? String(seeds.length) : MISSING))],
        ...metrics.map((metric) => [metric.label, ...groups.map((group) => summaryCell(group, metric))]),
        ...(groups.some(({ evidence }) => evidence !== null)
          ? [
              [
                'Evidence of an edge',
                ...groups.map(({ evidence, runs }) => (evidence === null ? MISSING : `${evidence} of ${runs} runs`)),
              ],
            ]
          : []),
      ]),
    ].join('\n'),
    textTable([
      [`by ${model.metric.label}`, 'P(beats)', 'interval', 'IQM differs by', 'interval'],
      ...contrasts.map(({ group, baseline, probability, difference, bounded }) => [
        `${group} over ${baseline}`,
        percent(probability.estimate, 0),
        range(bounded ? probability : null, (value) => percent(value, 0)),
        model.metric.show(difference.estimate),
        range(bounded ? difference : null, model.metric.show),
      ]),
    ]),
    selectionText(model),
    contrasts.map(({ headline, sentence }) => `Verdict: ${headline}. ${sentence}`).join('\n'),
  ];
  return plainText(parts.filter((part) => part !== '').join('\n\n'));
}

/** One sentence on choosing the best; empty where there is nothing to choose. */
export function selectionText({ selection }: CompareModel): string {
  if (selection === null) return '';
  const { groups, best, pbo, splits, deflatedSharpe } = selection;
  const deflated =
    deflatedSharpe === null
      ? ''
      : `; its Sharpe ratio is more than the best of ${groups} would show by luck with probability ${percent(deflatedSharpe, 0)} (DSR)`;
  return `Choosing the best of these ${groups} by its account, which is ${best}: in ${percent(pbo, 0)} of ${whole(splits)} splits of the bars the best of one half is at or under the median of the other (PBO)${deflated}. Configurations that were tried and are not compared here make both worse.`;
}

function differencesText({ differences, groups }: CompareModel): string {
  if (differences.length === 0) return 'Configurations: all the same but for the seed.';
  const names = groups.filter(({ trained }) => trained).map(({ name }) => name);
  return `What differs\n${textTable([['', ...names], ...differences.map(({ key, values }) => [key, ...values])])}`;
}

/** "1.02 (0.51 to 1.40)"; a single run a task has no interval. */
export function summaryCell(group: ComparedGroup, metric: CompareMetric): string {
  const summary = group.metrics[metric.key] ?? null;
  if (summary === null) return MISSING;
  const interval = summary.interval === null ? '' : ` (${range(summary.interval, metric.show)})`;
  return `${metric.show(summary.iqm)}${interval}${summary.missing > 0 ? ` [${summary.missing} without]` : ''}`;
}

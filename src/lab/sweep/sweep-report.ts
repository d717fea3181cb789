/** The page of a sweep: one self-contained file without scripts, which loads nothing from anywhere. */
import path from 'node:path';
import { escapeHtml, section } from '#src/report/page.js';
import { counted, decimal, percent, whole } from '#src/report/format.js';
import { renderSvgs } from '#src/report/render-svg.js';
import { STYLE } from '#src/report/style.js';
import type { SweepState } from './record.js';
import { scoresUpTo } from './scores.js';
import { curvesChart, importanceChart, slicesChart, type TrialCurve } from './sweep-charts.js';
import { describeParameters, type Sweep } from './sweep.js';
import { describeValues, shortKeys, showScore, showValue } from './sweep-text.js';
import { meanOf, rankTrials, type TrialRow } from './trial-table.js';

interface Place {
  readonly runsDir: string;
  readonly bestFile: string | null;
}

/** Renders the report. Takes about a second, most of it to load vega. */
export async function renderSweepReport(sweep: Sweep, state: SweepState, place: Place): Promise<string> {
  const { definition, terms } = sweep;
  const { rows, best, importance } = state;
  const curves = rows.flatMap((row) => curveOf(row, terms.rungs, place.runsDir) ?? []);
  const first = whole(terms.rungs[0]);
  const plots = [
    {
      title: 'Trials while they trained',
      text: `Mean over ${counted(sweep.seeds.length, 'seed')}.${terms.rungs.length > 1 ? ` Dashes: where trials were compared; one in ${terms.factor} goes on.` : ''}${definition.score === 'best' ? " A trial is ranked by the mean of its seeds' best scores, which lies above these means." : ''}`,
      spec: curvesChart(curves, best, terms.rungs.slice(0, -1)),
    },
    ...(importance.length === 0
      ? []
      : [
          {
            title: 'Which keys mattered',
            text: `Share of the variance of the trials' ranks after ${first} steps that a key explains alone (a number by a quadratic of its place in its range, a choice by its means). The tick is what 95% of ${whole(1000)} shuffles of the scores stay below: a bar that does not reach it cannot be told from chance. What keys do only together is not seen.`,
            spec: importanceChart(importance),
          },
        ]),
    {
      title: 'Score against each key',
      text: `Every trial after ${first} steps, where all were trained alike; the best one is the large point.`,
      spec: slicesChart(rows, best, definition.space),
    },
  ];
  const svgs = await renderSvgs(plots.map(({ spec }) => spec));
  const drawn = plots.map(({ title, text }, k) =>
    section(title, text, `<figure role="img" aria-label="${escapeHtml(title)}">${svgs[k]}</figure>`),
  );
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(definition.name)} – OpenBell sweep</title>
<style>
${STYLE}
td:nth-child(2), th:nth-child(2) { font-weight: 400; }
tr.best td { font-weight: 600; color: var(--ink); }
tr.failed td, tr.open td { color: var(--soft); }
</style>
</head>
<body>
<main>
${header(sweep, state)}
${tiles(sweep, state)}
${drawn.join('\n')}
${table(sweep, state)}
${facts(sweep, state, place)}
<footer>Scores are of the validation window; the test window was not touched. The best of many trials flatters itself: judge it on the test window, once, with seeds that the sweep has not used, and by statistics that know the number of trials (${whole(terms.trials)}).</footer>
</main>
</body>
</html>
`;
}

/** Mean over the seeds at every step where all of them were scored. */
function curveOf(row: TrialRow, rungs: readonly number[], runsDir: string): TrialCurve | null {
  const furthest = row.rungs.at(-1);
  if (furthest === undefined || furthest.score === null) return null;
  const isLast = furthest.rung === rungs.length - 1;
  const bySeed = furthest.seeds.map(({ run }) =>
    scoresUpTo(path.join(runsDir, run ?? ''), isLast ? null : rungs[furthest.rung]),
  );
  const steps = bySeed[0]
    .map(({ timesteps }) => timesteps)
    .filter((at) => bySeed.every((own) => own.some((p) => p.timesteps === at)));
  const scores = steps.map((at) =>
    meanOf(bySeed.map((own) => own.find((p) => p.timesteps === at)?.score ?? Number.NaN)),
  );
  return { row, steps, scores };
}

function header({ definition, id, terms }: Sweep, { status, best }: SweepState): string {
  const open =
    status === 'completed'
      ? ''
      : '<div class="alarm" role="note"><b>Not done:</b> this sweep was interrupted; the same command goes on.</div>';
  const verdict =
    best === null
      ? 'No trial is completed yet.'
      : `Trial ${best.trial} has the best mean validation score of ${counted(terms.trials, 'trial')}: ${describeValues(best.parameters)}.`;
  return `<header><h1>${escapeHtml(definition.name)}</h1><p>Sweep ${escapeHtml(id)}${definition.description === '' ? '' : `: ${escapeHtml(definition.description)}`}</p></header>
<div class="verdict"><strong>Best configuration</strong>${escapeHtml(verdict)}</div>
${open}`;
}

function tiles({ terms, seeds }: Sweep, { rows, best }: SweepState): string {
  const of = (status: TrialRow['status']): number => rows.filter((row) => row.status === status).length;
  const trained = rows.reduce((sum, { timesteps }) => sum + timesteps * seeds.length, 0);
  const whole100 = terms.trials * seeds.length * (terms.rungs.at(-1) ?? 0);
  const tile = (label: string, value: string, small = ''): string =>
    `<div><dt>${escapeHtml(label)}</dt><dd>${escapeHtml(value)}${small === '' ? '' : `<small>${escapeHtml(small)}</small>`}</dd></div>`;
  return `<dl class="tiles">
${tile('Best score', best === null ? '–' : showScore(best.score), (best?.deviation ?? null) === null ? '' : `deviation ${showScore(best?.deviation ?? null)} over ${seeds.length} seeds`)}
${tile('Trials', whole(terms.trials), 'all of them count')}
${tile('Trained to the end', whole(of('completed')))}
${tile('Stopped early', whole(of('stopped')))}
${tile('Failed', whole(of('failed')))}
${tile('Steps trained', percent(whole100 === 0 ? null : trained / whole100, 0), 'of training every trial to its end')}
</dl>`;
}

function table({ definition }: Sweep, { rows, best }: SweepState): string {
  const keys = Object.keys(definition.space);
  const head = ['Rank', 'Trial', 'Status', 'Steps', 'Score', 'Deviation', 'Sharpe', ...shortKeys(keys)];
  const lines = rankTrials(rows).map((row, index) => {
    const cells = [
      row.score === null ? '–' : String(index + 1),
      String(row.trial),
      row.status,
      row.timesteps === 0 ? '–' : whole(row.timesteps),
      showScore(row.score),
      showScore(row.deviation),
      decimal(row.sharpe, 2),
      ...keys.map((key) => showValue(row.parameters[key])),
    ];
    const name =
      row.trial === best?.trial
        ? ' class="best"'
        : row.status === 'failed' || row.status === 'open'
          ? ` class="${row.status}"`
          : '';
    return `<tr${name}>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`;
  });
  const text =
    'Furthest first, then by the mean score over the seeds. Trials that were stopped are ranked at the step where they were. Sharpe: annualised, on the validation window, mean over seeds.';
  return section(
    'Trials',
    text,
    `<div class="scroll"><table class="trades"><thead><tr>${head.map((cell) => `<th scope="col">${escapeHtml(cell)}</th>`).join('')}</tr></thead><tbody>\n${lines.join('\n')}\n</tbody></table></div>`,
  );
}

function facts(sweep: Sweep, { status }: SweepState, { bestFile }: Place): string {
  const { definition, terms, seeds } = sweep;
  const { early_stopping: stopping } = definition;
  const list: [string, string][] = [
    ['Sweep file', sweep.file],
    ['Experiment', sweep.experimentFile],
    ...(Object.keys(definition.overrides).length === 0
      ? []
      : [['Overrides', describeParameters(definition.overrides)] satisfies [string, string]]),
    ['Status', status],
    [
      'Trials',
      `${terms.trials}, ${definition.method === 'grid' ? 'every combination' : `scrambled Sobol' points with seed ${definition.seed}`}`,
    ],
    ['Seeds of each', seeds.join(', ')],
    ['Score', `${definition.score} score of a training on the validation window, mean over seeds`],
    [
      'Early stopping',
      stopping === null
        ? 'none'
        : `compared after ${terms.rungs.slice(0, -1).map(whole).join(', ')} of ${whole(terms.rungs.at(-1) ?? 0)} steps; one in ${stopping.factor} goes on`,
    ],
    ['Definition, sha256', sweep.definitionHash],
    ...(bestFile === null ? [] : [['Best configuration', bestFile] satisfies [string, string]]),
  ];
  const rows = list.map(([label, value]) => `<dt>${escapeHtml(label)}</dt><dd>${escapeHtml(value)}</dd>`).join('\n');
  return section('What was searched', '', `<dl class="facts">\n${rows}\n</dl>`);
}

/** The page of a comparison: self-contained; its only script sorts the tables. */
import type { TopLevelSpec } from 'vega-lite';
import {
  drawdownFanChart,
  equityFanChart,
  groupColours,
  improvementChart,
  intervalChart,
  learningBandChart,
  profileChart,
} from './compare-charts.js';
import type { ComparedGroup, CompareMetric, CompareModel, Contrast } from './compare-model.js';
import { selectionText } from './compare-text.js';
import { counted, MISSING, percent, range } from './format.js';
import { escapeHtml, pageOf, section } from './page.js';
import { renderSvgs } from './render-svg.js';

interface Plot {
  readonly title: string;
  readonly text: string;
  readonly spec: TopLevelSpec;
}

/** Renders the page; the same model gives the same bytes. */
export async function renderComparison(model: CompareModel): Promise<string> {
  const plots = plotsOf(model);
  const svgs = await renderSvgs(plots.map(({ spec }) => spec));
  const drawn = plots.map(({ title, text }, k) =>
    section(title, text, `<figure role="img" aria-label="${escapeHtml(title)}">${svgs[k]}</figure>`),
  );
  return pageOf({
    title: model.title,
    body: [header(model), differences(model), groupTable(model), contrastTable(model), ...drawn, runTable(model)],
    footer:
      'Intervals over seeds are percentile intervals of a stratified bootstrap: how repeatable the training is on these bars. How the next bars will be they do not know. Past results of a simulation say little about the future; nothing here is investment advice.',
    style: COMPARE_STYLE,
    script: SORT_SCRIPT,
  });
}

function plotsOf(model: CompareModel): Plot[] {
  const names = model.groups.map(({ name }) => name);
  const { learning, fans, tasks, by } = model;
  const profile = profileChart(model);
  return [
    {
      title: 'Figures over seeds',
      text: `Each dot is a run${tasks.length > 1 ? ` on one ${by ?? 'task'}` : ''}, the line is the interquartile mean, the bar its 95% interval.`,
      spec: intervalChart(model),
    },
    ...(learning.length === 0
      ? []
      : [
          {
            title: 'Learning curves',
            text: 'Interquartile mean over seeds and its pointwise 95% interval.',
            spec: learningBandChart(learning, names),
          },
        ]),
    ...(fans.length === 0
      ? []
      : [
          {
            title: 'Equity',
            text: `Return since the start of the window after all costs: each seed, their range, and their median${fans.some(({ hold }) => hold !== null) ? '; buy-and-hold dashed' : ''}. All on one scale.`,
            spec: equityFanChart(fans, names),
          },
          {
            title: 'Drawdown',
            text: 'Distance from the highest equity so far: median over seeds, within their range.',
            spec: drawdownFanChart(fans, names),
          },
        ]),
    ...(profile === null
      ? []
      : [
          {
            title: 'Performance profile',
            text: `Share of runs whose ${model.metric.label} is above a value, with pointwise 95% bands.`,
            spec: profile,
          },
        ]),
    {
      title: 'Probability of improvement',
      text: `That a run of the one beats a run of the other, by ${model.metric.label}. At one half neither is better.`,
      spec: improvementChart(model),
    },
  ];
}

const EDGE: Readonly<Record<Contrast['outcome'], string>> = {
  better: 'evidence',
  worse: 'negative',
  repeatable: 'none',
  undecided: 'none',
  'too-few-seeds': 'none',
  'not-comparable': 'negative',
};

function header({ title, evaluation, windowLabel, by, tasks, contrasts, notices }: CompareModel): string {
  const verdicts = contrasts.map(
    ({ outcome, headline, sentence }) =>
      `<div class="verdict ${EDGE[outcome]}"><strong>Verdict: ${escapeHtml(headline)}</strong>${escapeHtml(sentence)}</div>`,
  );
  const said = notices.map(
    ({ level, message }) =>
      `<div class="alarm${level === 'note' ? ' note' : ''}" role="note"><b>${level === 'note' ? 'Note' : 'Warning'}:</b> ${escapeHtml(message)}</div>`,
  );
  const where = `${evaluation}: ${windowLabel}${by === null ? '' : `; by ${by}: ${tasks.join(', ')}`}`;
  return `<header>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(where)}</p>
${verdicts.join('\n')}
${said.join('\n')}
</header>`;
}

function differences({ differences: rows, groups }: CompareModel): string {
  if (rows.length === 0) return section('What differs', 'The configurations are all the same but for the seed.', '');
  const names = groups.filter(({ trained }) => trained).map(({ name }) => name);
  const body = rows.map(({ key, values }) => `<tr>${cellsOf([key, ...values])}</tr>`);
  return section(
    'What differs',
    'Between the configurations, defaults included. Everything else is the same.',
    tableOf('plain', ['', ...names].map(heading), body),
  );
}

/** A row a group: interquartile mean and interval of every metric; a click on a head sorts. */
function groupTable({ groups, metrics }: CompareModel): string {
  const colours = groupColours(groups.map(({ name }) => name)).range;
  const head = [
    sortable('Group', 'text'),
    sortable('Seeds', 'number'),
    ...metrics.map(({ label }) => sortable(label, 'number')),
    sortable('Evidence of an edge', 'number'),
  ];
  const body = groups.map((group, k) => {
    const cells = [
      `<td data-value="${escapeHtml(group.name)}"><i class="dot" style="background:${colours[k]}"></i>${escapeHtml(group.name)}</td>`,
      figureCell(group.trained ? group.seeds.length : null, group.trained ? String(group.seeds.length) : MISSING, ''),
      ...metrics.map((metric) => metricCell(group, metric)),
      figureCell(group.evidence, group.evidence === null ? MISSING : `${group.evidence} of ${group.runs}`, 'runs'),
    ];
    return `<tr>${cells.join('')}</tr>`;
  });
  return section(
    'Figures',
    'Interquartile mean over seeds, and its 95% interval. Click a head to sort.',
    tableOf('sortable groups', head, body),
  );
}

function metricCell(group: ComparedGroup, metric: CompareMetric): string {
  const summary = group.metrics[metric.key] ?? null;
  if (summary === null) return figureCell(null, MISSING, '');
  const missing = summary.missing > 0 ? `; ${summary.missing} without` : '';
  const note = summary.interval === null ? 'one run' : range(summary.interval, metric.show);
  return figureCell(summary.iqm, metric.show(summary.iqm), group.trained ? `${note}${missing}` : '');
}

function figureCell(value: number | null, text: string, note: string): string {
  return `<td data-value="${value ?? ''}">${escapeHtml(text)}${note === '' ? '' : `<small>${escapeHtml(note)}</small>`}</td>`;
}

function contrastTable(model: CompareModel): string {
  const { contrasts, metric } = model;
  const selected = selectionText(model);
  const head = ['', 'P(beats)', 'interval', 'IQM differs by', 'interval', 'over the bars', 'interval'].map(heading);
  const body = contrasts.map(({ group, baseline, probability, difference, bounded, bars }) => {
    const signed = (value: number): string => percent(value, 1, true);
    return `<tr>${cellsOf([
      `${group} over ${baseline}`,
      percent(probability.estimate, 0),
      range(bounded ? probability : null, (value) => percent(value, 0)),
      metric.show(difference.estimate),
      range(bounded ? difference : null, metric.show),
      percent(bars?.estimate ?? null, 1, true),
      range(bars, signed),
    ])}</tr>`;
  });
  const level =
    contrasts.length > 1
      ? ` Intervals are at ${(100 * contrasts[0].probability.confidence).toFixed(1)}%, since there are ${contrasts.length} comparisons.`
      : '';
  return section(
    'Who beats whom',
    `By ${metric.label}, over seeds; and the final wealth of the seeds' mean account against the other's, less 1, with an interval over the bars.${level}`,
    `${tableOf('plain', head, body)}${selected === '' ? '' : `<p class="selection">${escapeHtml(selected)}</p>`}`,
  );
}

function runTable({ rows, metrics, tasks }: CompareModel): string {
  const head = [
    sortable('Group', 'text'),
    sortable('Run', 'text'),
    sortable('Seed', 'number'),
    ...(tasks.length > 1 ? [sortable('On', 'text')] : []),
    ...metrics.map(({ label }) => sortable(label, 'number')),
  ];
  const body = rows.map(({ group, run, seed, task, metrics: figures }) => {
    const text = (value: string): string => `<td data-value="${escapeHtml(value)}">${escapeHtml(value)}</td>`;
    const cells = [
      text(group),
      text(run.replace(/^.*\//, '')),
      figureCell(seed, String(seed), ''),
      ...(tasks.length > 1 ? [text(task)] : []),
      ...metrics.map(({ key, show }) => figureCell(figures[key] ?? null, show(figures[key] ?? null), '')),
    ];
    return `<tr>${cells.join('')}</tr>`;
  });
  return section(
    'Every run',
    'None is singled out: the best seed of several is luck. Click a head to sort.',
    `<details${rows.length <= 24 ? ' open' : ''}><summary>${counted(rows.length, 'row')}</summary>${tableOf('sortable runs', head, body)}</details>`,
  );
}

function tableOf(kind: string, head: readonly string[], body: readonly string[]): string {
  return `<div class="scroll"><table class="${kind}"><thead><tr>${head.join('')}</tr></thead><tbody>\n${body.join('\n')}\n</tbody></table></div>`;
}

function heading(text: string): string {
  return `<th scope="col">${escapeHtml(text)}</th>`;
}

function sortable(text: string, kind: 'text' | 'number'): string {
  return `<th scope="col" data-kind="${kind}"><button type="button">${escapeHtml(text)}</button></th>`;
}

function cellsOf(cells: readonly string[]): string {
  return cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('');
}

const COMPARE_STYLE = `
table.plain td:nth-child(2), table.sortable td:nth-child(2) { font-weight: 400; }
table.plain th:nth-child(2), table.sortable th:nth-child(2) { color: var(--soft); }
figure { padding: 8px 6px; }
table.plain td:nth-child(7), table.sortable td:nth-child(7) { color: inherit; }
.selection { margin: 12px 0 0; color: var(--soft); font-size: 13.5px; }
td small { display: block; font-size: 11.5px; color: var(--soft); }
.groups td:first-child, .runs td:first-child { color: var(--ink); font-weight: 600; }
.runs td { font-size: 13px; padding: 4px 8px; }
.runs td:first-child { padding-left: 0; }
.runs td:nth-child(2), .runs th:nth-child(2) { text-align: left; }
.runs td:nth-child(2) { color: var(--soft); }
.dot { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 7px; }
th button { all: unset; cursor: pointer; color: inherit; font: inherit; }
th button:hover { color: var(--ink); }
th button:focus-visible { outline: 2px solid #0072b2; outline-offset: 2px; border-radius: 2px; }
th[aria-sort] { color: var(--ink); }
th[aria-sort="ascending"] button::after { content: " \\25B2"; font-size: 9px; }
th[aria-sort="descending"] button::after { content: " \\25BC"; font-size: 9px; }
.verdict + .verdict { margin-top: 10px; }
@media print { th button::after { content: none; } }
`.trim();

/** Sorts by the cells' data-value, numbers from high to low first; what has no figure stays at the end. */
const SORT_SCRIPT = `
for (const head of document.querySelectorAll('table.sortable th[data-kind]')) {
  head.querySelector('button').addEventListener('click', () => {
    const table = head.closest('table');
    const column = [...head.parentElement.children].indexOf(head);
    const numeric = head.dataset.kind === 'number';
    const before = head.getAttribute('aria-sort');
    const up = before === null ? !numeric : before === 'descending';
    for (const other of table.querySelectorAll('th')) other.removeAttribute('aria-sort');
    head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
    const valueOf = (row) => row.children[column].dataset.value;
    const rows = [...table.tBodies[0].rows].sort((a, b) => {
      const [x, y] = [valueOf(a), valueOf(b)];
      if (x === '' || y === '') return (x === '' ? 1 : 0) - (y === '' ? 1 : 0);
      const order = numeric ? Number(x) - Number(y) : x.localeCompare(y, 'en');
      return up ? order : -order;
    });
    table.tBodies[0].append(...rows);
  });
}
`.trim();

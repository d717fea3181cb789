/** The page of a paper session: one self-contained file without scripts, which loads nothing from anywhere. */
import { equityChart, positionChart, showsMarkers } from '#src/report/charts.js';
import { counted, dateOf, decimal, percent, range, whole } from '#src/report/format.js';
import { escapeHtml, pageOf, section } from '#src/report/page.js';
import { renderSvgs } from '#src/report/render-svg.js';
import { conclusions, headline } from './paper-text.js';
import { namedPaths, slippageChart, sleeveOf } from './paper-charts.js';
import type { PaperReport, PaperResult } from './report.js';
import { reportSections, type ReportSection } from './report-rows.js';

interface Plot {
  readonly title: string;
  readonly text: string;
  readonly spec: Parameters<typeof renderSvgs>[0][number];
}

const MOST_OUTAGES = 20;

/** Renders the page. Takes about a second, most of it to load vega. */
export async function renderPaperReport(result: PaperResult): Promise<string> {
  const { report } = result;
  const plots = plotsOf(result);
  const svgs = await renderSvgs(plots.map(({ spec }) => spec));
  const drawn = plots.map(({ title, text }, k) =>
    section(title, text, `<figure role="img" aria-label="${escapeHtml(title)}">${svgs[k]}</figure>`),
  );
  return pageOf({
    title: `Paper: ${report.name}`,
    style: STYLE,
    body: [
      header(report),
      tiles(report),
      ...drawn,
      ...reportSections(report).map(table),
      differences(report),
      outages(report),
      facts(report),
    ],
    footer:
      'Market time; dates are UTC. Intervals are 95%, by stationary bootstrap. Everything here is computed from the session’s journal and its bundle. Nothing here is investment advice.',
  });
}

const STYLE = `
table.rows { table-layout: fixed; min-width: 620px; }
.rows td:nth-child(1) { width: 225px; white-space: normal; }
.rows td:nth-child(2) { width: 150px; }
.rows td:nth-child(3) { text-align: left; white-space: normal; color: var(--soft); font-size: 13px; overflow-wrap: anywhere; }
`.trim();

function plotsOf({ session, curves, compared }: PaperResult): Plot[] {
  const plots: Plot[] = [];
  if (curves !== null && curves.account.equity.length > 1)
    plots.push({
      title: 'Equity',
      text: 'Return since the first decision, after all costs, beside a backtest of the same bundle, and buying and holding, on the same bars.',
      spec: equityChart(namedPaths(curves), []),
    });
  for (const bars of session.bars) {
    const sleeve = sleeveOf(session, bars);
    if (sleeve === null) continue;
    plots.push({
      title: `Position over price: ${sleeve.symbol}`,
      text: `Closes as they were recorded, shaded while a position was held. ${showsMarkers(sleeve.marks.length) ? 'Upward triangles are entries, downward ones exits.' : `${counted(sleeve.marks.length, 'order')} are too many to mark.`}`,
      spec: positionChart(sleeve),
    });
  }
  if (compared.length > 0)
    plots.push({
      title: 'Prices paid against the model',
      text: `${counted(compared.length, 'order')}. Right of the line more was paid, or less received, than the cost model charges for the same order.`,
      spec: slippageChart(compared),
    });
  return plots;
}

function header(report: PaperReport): string {
  const [verdict, ...notes] = conclusions(report);
  const synthetic = report.session?.data.some((data) => data.synthetic) === true;
  const banner = synthetic
    ? '<div class="synthetic" role="note">SYNTHETIC DATA: these prices were made by a generator, not by a market</div>'
    : '';
  return `<header>
${banner}
<h1>Paper: ${escapeHtml(report.name)}</h1>
<p>${escapeHtml(headline(report))}</p>
<div class="verdict ${report.agrees ? 'evidence' : 'negative'}"><strong>${report.agrees ? 'The plumbing holds' : 'The plumbing does not hold'}</strong>${escapeHtml(verdict)}</div>
${notes.map((note) => `<div class="alarm note" role="note">${escapeHtml(note)}</div>`).join('\n')}
</header>`;
}

function tiles({ parity, fills, commissions, equity, uptime, marketDays }: PaperReport): string {
  const tile = (label: string, figure: string, note: string): string =>
    `<div><dt>${escapeHtml(label)}</dt><dd>${figure}<small>${escapeHtml(note)}</small></dd></div>`;
  const share = (value: number): string => percent(value, 1, true);
  const alerts = Object.values(uptime.alerts).reduce((sum, count) => sum + count, 0);
  return `<dl class="tiles">
${[
  tile('Market days', whole(marketDays), counted(parity.decisions, 'decision')),
  tile('Features and actions', `${percent(agreement(parity), 1)}`, 'of decisions as tested, to the bit'),
  tile(
    'Price against the model',
    fills.meanBps === null ? '–' : `${decimal(fills.meanBps)}<span> bp</span>`,
    fills.intervalBps === null ? counted(fills.orders, 'order') : range(fills.intervalBps, (value) => decimal(value)),
  ),
  tile('Commissions', decimal(commissions.charged), `${decimal(commissions.difference)} more than the model`),
  tile(
    'Return',
    percent(equity?.totalReturn ?? null, 2, true),
    `${range(equity?.againstHold ?? null, share)} against hold`,
  ),
  tile('Deciding', percent(uptime.decidingShare, 1), `of open market; ${counted(alerts, 'alert')}`),
].join('\n')}
</dl>`;
}

const agreement = ({ decisions, sameFeatures, repeatedActions }: PaperReport['parity']): number =>
  decisions === 0 ? 0 : Math.min(sameFeatures, repeatedActions) / decisions;

function table({ title, rows }: ReportSection): string {
  const body = rows.map((cells) => `<tr>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`);
  return section(
    title,
    '',
    `<div class="scroll"><table class="rows"><tbody>\n${body.join('\n')}\n</tbody></table></div>`,
  );
}

function differences({ parity }: PaperReport): string {
  if (parity.differences.length === 0) return '';
  const rows = parity.differences.map(
    ({ timeMs, symbol, what, backtest, live }) =>
      `<tr>${[dateOf(timeMs), symbol, what, backtest, live].map((cell) => `<td>${escapeHtml(cell.slice(0, 60))}</td>`).join('')}</tr>`,
  );
  return section(
    'Where it departs from the backtest',
    'The first places, oldest first. A fill at another price makes another account, which decides for itself.',
    `<details><summary>${counted(rows.length, 'difference')}</summary><div class="scroll"><table class="trades"><thead><tr>${['Time', 'Symbol', 'What', 'Backtest', 'Here'].map((name) => `<th scope="col">${name}</th>`).join('')}</tr></thead><tbody>\n${rows.join('\n')}\n</tbody></table></div></details>`,
  );
}

function outages({ uptime }: PaperReport): string {
  if (uptime.outages.length === 0) return '';
  const rows = uptime.outages
    .slice(0, MOST_OUTAGES)
    .map(
      ({ fromMs, cause, marketSeconds, wallSeconds }) =>
        `<tr>${[dateOf(fromMs), cause, `${decimal(marketSeconds, 1)} s`, `${decimal(wallSeconds, 1)} s`].map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`,
    );
  return section(
    'Outages',
    `${uptime.outages.length > MOST_OUTAGES ? `The first ${MOST_OUTAGES} of ${whole(uptime.outages.length)}. ` : ''}From the loss to the next whole reconciliation.`,
    `<div class="scroll"><table class="trades"><thead><tr>${['From', 'Lost', 'Open market', 'Wall'].map((name) => `<th scope="col">${name}</th>`).join('')}</tr></thead><tbody>\n${rows.join('\n')}\n</tbody></table></div>`,
  );
}

function facts({ bundle, account, session, journal, from, to }: PaperReport): string {
  const list: [string, string][] = [
    ['bundle', bundle],
    ['account', account],
    ['from', from],
    ['to', to],
    ['journal', `${journal.sha256} (sha256 of its entries)`],
    ...(session?.data.map(({ symbol, dataset, sha256 }): [string, string] => [
      symbol,
      `${dataset}, sha256 ${sha256}`,
    ]) ?? []),
    ...(session === null || session.fills === null
      ? []
      : ([['gateway', `fills ${session.fills}, speed ${session.speed}, seed ${session.seed}`]] satisfies [
          string,
          string,
        ][])),
  ];
  return section(
    'What was traded',
    '',
    `<dl class="facts">\n${list.map(([label, value]) => `<dt>${escapeHtml(label)}</dt><dd>${escapeHtml(value)}</dd>`).join('\n')}\n</dl>`,
  );
}

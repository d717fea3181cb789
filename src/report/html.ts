/** The page: one self-contained file without scripts, which loads nothing from anywhere. */
import { equityChart, drawdownChart, learningChart, positionChart, showsMarkers, tradeReturnsChart } from './charts.js';
import { comparisonOf } from './comparison.js';
import { counted, dateOf, decimal, percent, range, whole } from './format.js';
import type { ReportModel } from './model.js';
import { escapeHtml, pageOf, section } from './page.js';
import { renderSvgs } from './render-svg.js';
import { COLOURS } from './theme.js';

/** More trades than this are in trades.csv only. */
const LISTED_TRADES = 50;
const ACTION_COLOURS = [COLOURS.actors[3], COLOURS.gain, COLOURS.loss, COLOURS.actors[0], COLOURS.actors[2]];

interface Plot {
  readonly title: string;
  readonly text: string;
  readonly spec: Parameters<typeof renderSvgs>[0][number];
}

/** Renders the report. Takes about a second, most of it to load vega. */
export async function renderReport(model: ReportModel): Promise<string> {
  const plots = plotsOf(model);
  const svgs = await renderSvgs(plots.map(({ spec }) => spec));
  const drawn = plots.map(({ title, text }, k) =>
    section(title, text, `<figure role="img" aria-label="${escapeHtml(title)}">${svgs[k]}</figure>`),
  );
  const [equity, drawdown, ...rest] = drawn;
  const body = [
    header(model),
    tiles(model),
    equity,
    comparison(model),
    certainty(model),
    drawdown,
    actions(model),
    ...rest,
    trades(model),
    facts(model),
  ];
  return pageOf({
    title: model.title,
    body,
    footer:
      'Bars count trading time; dates are UTC. Ratios use a risk-free rate of 0. Intervals are 95%, by stationary bootstrap. Past results of a simulation say little about the future; nothing here is investment advice.',
  });
}

function plotsOf(model: ReportModel): Plot[] {
  const { agent, baselines, random, sleeves, trades, curves } = model;
  const hold = baselines.find(({ name }) => name === 'buy-and-hold');
  const plots: Plot[] = [
    {
      title: 'Equity',
      text:
        random.length === 0
          ? 'Return since the start of the window, after all costs.'
          : `Return since the start of the window, after all costs. The band holds the middle 90% of ${random.length} random traders at the agent's turnover; its dots are their median.`,
      spec: equityChart([agent, ...baselines], random),
    },
    {
      title: 'Drawdown',
      text: `Distance from the highest equity so far: the agent as an area${hold === undefined ? '' : ', buy-and-hold as a line'}.`,
      spec: drawdownChart(hold === undefined ? [agent] : [agent, hold]),
    },
  ];
  for (const sleeve of sleeves) {
    const marks = showsMarkers(sleeve.marks.length)
      ? 'Upward triangles are entries, downward ones exits.'
      : `${counted(sleeve.marks.length / 2, 'trade')} are too many to mark.`;
    plots.push({
      title: `Position over price: ${sleeve.symbol}`,
      text: `${sleeve.adjusted ? 'Closes adjusted for splits and dividends' : 'Closes'}, shaded while the agent held a position. ${marks}`,
      spec: positionChart(sleeve),
    });
  }
  if (trades.length > 0) {
    const returns = trades.map((trade) => trade.return);
    plots.push({
      title: 'Trade returns',
      text: `${counted(trades.length, 'trade')} from flat to flat, net of costs, as a share of the money put in.`,
      spec: tradeReturnsChart(returns),
    });
  }
  if (curves.length > 0) {
    const marked = curves.some(({ markedStep }) => markedStep !== null);
    plots.push({
      title: 'Learning curves',
      text: `Against environment steps.${marked ? ' The dashed line is the checkpoint that was evaluated.' : ''}`,
      spec: learningChart(curves),
    });
  }
  return plots;
}

function header({ title, windowLabel, verdict, alarms, seen, synthetic }: ReportModel): string {
  const banner = synthetic
    ? '<div class="synthetic" role="note">SYNTHETIC DATA: these prices were made by a generator, not by a market</div>'
    : '';
  const inSample = seen
    ? '<div class="alarm" role="note"><b>In sample:</b> training, or the choice of the checkpoint, saw bars of this window. Its figures prove nothing.</div>'
    : '';
  const warnings = alarms.map(
    ({ level, message }) =>
      `<div class="alarm${level === 'note' ? ' note' : ''}" role="note"><b>${level === 'note' ? 'Note' : 'Alarm'}:</b> ${escapeHtml(message)}</div>`,
  );
  return `<header>
${banner}
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(windowLabel)}</p>
<div class="verdict ${verdict.edge}"><strong>Verdict: ${escapeHtml(verdict.headline)}</strong>${escapeHtml(verdict.sentence)}</div>
${inSample}${warnings.join('\n')}
</header>`;
}

function tiles({ agent, sharpe, excessOverHold, randomRank }: ReportModel): string {
  const { performance } = agent;
  const signed = (share: number): string => percent(share, 1, true);
  const tile = (label: string, figure: string, note: string): string =>
    `<div><dt>${label}</dt><dd>${figure}<small>${note}</small></dd></div>`;
  return `<dl class="tiles">
${[
  tile('Total return', percent(performance.totalReturn, 1, true), `in ${counted(performance.bars, 'bar')}`),
  tile('vs buy-and-hold', percent(excessOverHold?.estimate ?? null, 1, true), range(excessOverHold, signed)),
  tile(
    'Sharpe ratio',
    decimal(performance.sharpe),
    range(sharpe, (value) => decimal(value)),
  ),
  tile(
    'Max drawdown',
    percent(performance.maxDrawdown, 1, true),
    `${counted(performance.maxDrawdownBars, 'bar')}${performance.maxDrawdown < 0 && !performance.maxDrawdownRecovered ? ', not recovered' : ''}`,
  ),
  tile(
    'Beats random',
    randomRank === null ? '–' : `${randomRank.beaten}<span> of ${randomRank.paths}</span>`,
    randomRank === null ? 'no trades to match' : `p = ${randomRank.pValue.toFixed(2)}`,
  ),
  tile(
    'Costs paid',
    whole(performance.costsPaid),
    `${percent(performance.costsShare, 2)} of equity, ${counted(performance.trades, 'trade')}`,
  ),
].join('\n')}
</dl>`;
}

function comparison({ agent, baselines, random }: ReportModel): string {
  const { columns, rows } = comparisonOf([agent, ...baselines], random);
  const head = columns.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join('');
  const body = rows.map(
    ({ label, cells }) => `<tr><td>${label}</td>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`,
  );
  const year =
    agent.performance.years < 1
      ? ` The window is ${decimal(12 * agent.performance.years, 1)} months long: figures a year are extrapolated.`
      : '';
  return section(
    'Against the baselines',
    `The same window, costs, rules and exits for all. Random traders enter and leave by dice, as often and as long as the agent: their mean, and the range that holds the middle 90% of them.${year}`,
    `<div class="scroll"><table><thead><tr><th></th>${head}</tr></thead><tbody>\n${body.join('\n')}\n</tbody></table></div>`,
  );
}

function certainty({ certainty }: ReportModel): string {
  const rows = certainty.map(
    ({ label, figure, interval, note }) =>
      `<tr>${[label, figure, interval, note].map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`,
  );
  return section(
    'How sure',
    'What luck alone could have made of these figures, on bars like these. None of it but the deflated ratio knows how many other configurations were tried before this one.',
    `<div class="scroll"><table class="sure"><thead><tr>${['', 'figure', '95% interval', 'how'].map((name) => `<th scope="col">${name}</th>`).join('')}</tr></thead><tbody>\n${rows.join('\n')}\n</tbody></table></div>`,
  );
}

function actions({ actions }: ReportModel): string {
  const shown = actions.labels
    .map((label, k) => ({ label, share: actions.shares[k], colour: ACTION_COLOURS[k % ACTION_COLOURS.length] }))
    .filter(({ share }) => share > 0);
  const bar = shown.map(
    ({ share, colour }) => `<span style="width:${(100 * share).toFixed(3)}%;background:${colour}"></span>`,
  );
  const legend = shown.map(
    ({ label, share, colour }) =>
      `<span><i style="background:${colour}"></i>${escapeHtml(label)} ${percent(share)}</span>`,
  );
  return section(
    'Decisions',
    `How often the agent chose what. Entropy ${decimal(actions.entropy)} of 1.`,
    `<div class="bar">${bar.join('')}</div><div class="legend">${legend.join('')}</div>`,
  );
}

function trades({ trades }: ReportModel): string {
  if (trades.length === 0) return '';
  const head = [
    'Symbol',
    'Side',
    'Entry',
    'Price',
    'Exit',
    'Price',
    'Quantity',
    'Net',
    'Return',
    'Costs',
    'Bars',
    'Left by',
  ];
  const rows = trades.slice(0, LISTED_TRADES).map((trade) => {
    const cells = [
      trade.symbol,
      trade.side,
      dateOf(trade.entryTimeMs),
      price(trade.entryPrice),
      dateOf(trade.exitTimeMs),
      price(trade.exitPrice),
      decimal(trade.quantity, Number.isInteger(trade.quantity) ? 0 : 2),
      decimal(trade.pnl),
      percent(trade.return, 2, true),
      decimal(trade.costs),
      whole(trade.barsHeld),
      trade.exitReason,
    ];
    return `<tr>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`;
  });
  const listed = Math.min(trades.length, LISTED_TRADES);
  return section(
    'Trades',
    listed < trades.length
      ? `The first ${listed} of ${whole(trades.length)}; all of them are in trades.csv.`
      : 'All of them, as in trades.csv.',
    `<details${trades.length <= 12 ? ' open' : ''}><summary>${counted(listed, 'trade')}</summary><div class="scroll"><table class="trades"><thead><tr>${head.map((name) => `<th scope="col">${name}</th>`).join('')}</tr></thead><tbody>\n${rows.join('\n')}\n</tbody></table></div></details>`,
  );
}

function facts({ facts, configuration }: ReportModel): string {
  const list = facts.map(([label, value]) => `<dt>${escapeHtml(label)}</dt><dd>${escapeHtml(value)}</dd>`).join('\n');
  const yaml =
    configuration === ''
      ? ''
      : `<details><summary>Resolved configuration</summary><pre>${escapeHtml(configuration)}</pre></details>`;
  return section('What was evaluated', '', `<dl class="facts">\n${list}\n</dl>${yaml}`);
}

function price(value: number): string {
  return value >= 20 ? decimal(value, 2) : decimal(value, 5).replace(/(\.\d\d\d*?)0+$/, '$1');
}

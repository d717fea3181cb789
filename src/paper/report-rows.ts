/** A report as sections of rows: the terminal and the page show the same. */
import { decimal, percent, range, whole, counted, dateOf, MISSING } from '#src/report/format.js';
import { repeatsBacktest } from './parity.js';
import type { PaperReport } from './report.js';

/** Label, figure, and what is to be known of it. */
export type ReportRow = readonly [label: string, figure: string, note: string];

export interface ReportSection {
  readonly title: string;
  readonly rows: readonly ReportRow[];
}

const bps = (value: number | null, digits = 2): string => (value === null ? MISSING : `${decimal(value, digits)} bp`);
const seconds = (value: number): string => `${decimal(value, value < 10 ? 1 : 0)} s`;
const of = (part: number, all: number): string => `${whole(part)} of ${whole(all)}`;

export function reportSections(report: PaperReport): ReportSection[] {
  return [
    { title: 'What ran is what was tested', rows: agreementRows(report) },
    { title: 'Fills against the cost model', rows: fillRows(report) },
    { title: 'Commissions against the cost model', rows: commissionRows(report) },
    { title: 'The account', rows: accountRows(report) },
    { title: 'Uptime and faults', rows: faultRows(report) },
  ];
}

function agreementRows(report: PaperReport): ReportRow[] {
  const { journal, replay, bars, parity } = report;
  const rows: ReportRow[] = [
    ['journal', journal.intact ? 'as it was written' : 'ALTERED', `${whole(journal.events)} events, hash chain`],
    [
      'replay',
      replay.repeats ? 'repeats' : 'DOES NOT REPEAT',
      replay.firstDifference === null
        ? 'the bundle answers every event as it did then'
        : `first at event ${replay.firstDifference.sequence} (${replay.firstDifference.event})`,
    ],
    bars.of === 'replayed'
      ? ['bars', of(bars.same, bars.expected), 'taken with the bits of the data sets that were replayed']
      : [
          'bars',
          whole(bars.expected),
          `as the runner recorded them from 5-second bars and history${bars.why === null ? '' : `: ${bars.why}`}`,
        ],
    ['features 0-11', of(parity.sameFeatures, parity.decisions), 'decisions: to the bit of a batch over those bars'],
    ['actions', of(parity.repeatedActions, parity.decisions), 'decisions: repeated from the journalled account'],
    [
      'actions of a backtest',
      of(parity.sameActions, parity.backtestDecisions),
      'made here just so; an account that fills otherwise decides otherwise',
    ],
    [
      'fills of a backtest',
      of(parity.fills.same, parity.fills.backtest),
      `equal in bar, quantity and price; ${whole(parity.fills.live)} here`,
    ],
    [
      'cash',
      decimal(parity.cash.live),
      `${decimal(parity.cash.backtest)} in the backtest${repeatsBacktest(parity) ? ': equal to the cent, action for action' : ''}`,
    ],
  ];
  return rows;
}

function fillRows({ fills }: PaperReport): ReportRow[] {
  if (fills.orders === 0) return [['orders filled', '0', 'nothing to compare']];
  const { quantilesBps: q, secondsToFill } = fills;
  const rows: ReportRow[] = [
    [
      'orders filled',
      whole(fills.orders),
      `${counted(fills.executions, 'execution')}; ${whole(fills.inParts)} in parts, ${whole(fills.incomplete)} not wholly; ${whole(fills.compared)} compared`,
    ],
    [
      'price against the model',
      bps(fills.meanBps),
      fills.intervalBps === null
        ? 'mean, against us; too few, or all equal, for an interval'
        : `mean, against us; 95% interval ${range(fills.intervalBps, (value) => decimal(value))}`,
    ],
    [
      'together',
      decimal(fills.cost),
      'in currency, beyond the half spread and slippage that the model charges; negative is better than it',
    ],
  ];
  if (q !== null)
    rows.push([
      'quantiles',
      bps(q.p50),
      `median; 5% ${decimal(q.p05)}, 25% ${decimal(q.p25)}, 75% ${decimal(q.p75)}, 95% ${decimal(q.p95)}, worst ${decimal(q.worst)}`,
    ]);
  for (const [label, group] of [...Object.entries(fills.bySide), ...Object.entries(fills.byKind)])
    if (group.orders > 0)
      rows.push([label, bps(group.meanBps), `${counted(group.orders, 'order')}, ${decimal(group.cost)} in currency`]);
  if (secondsToFill !== null)
    rows.push([
      'time to fill',
      seconds(secondsToFill.p50),
      `median of entries and exits, open market; 95% ${seconds(secondsToFill.p95)}, longest ${seconds(secondsToFill.longest)}`,
    ]);
  return rows;
}

function commissionRows({ commissions }: PaperReport): ReportRow[] {
  const { charged, modelled, difference, share, orders, modelOrders, largest, unknown } = commissions;
  return [
    ['charged', decimal(charged), counted(orders, 'order')],
    ['the model', decimal(modelled), `${counted(modelOrders, 'order')}: slices of one exit are one to it`],
    [
      'difference',
      decimal(difference),
      `${share === null ? '' : `${percent(share, 2, true)}; `}largest for one order ${decimal(largest)}${unknown === 0 ? '' : `; ${counted(unknown, 'execution')} without a commission`}`,
    ],
  ];
}

function accountRows({ equity, ledgerDifference, position }: PaperReport): ReportRow[] {
  const held = Object.entries(position)
    .map(([symbol, quantity]) => `${decimal(quantity, 0)} ${symbol}`)
    .join(', ');
  const ledger: ReportRow = [
    "ledger against the broker's books",
    ledgerDifference === null ? MISSING : decimal(Math.abs(ledgerDifference)),
    ledgerDifference === null ? 'the broker never told' : 'apart, in currency',
  ];
  if (equity === null) return [['equity', MISSING, 'no decision was made'], ledger];
  const share = (value: number): string => percent(value, 2, true);
  return [
    ['equity', decimal(equity.end), `from ${decimal(equity.start)}: ${share(equity.totalReturn)}; holds ${held}`],
    ledger,
    ['against flat', share(equity.totalReturn), `95% interval ${range(equity.againstFlat, share)}`],
    [
      'against buy-and-hold',
      equity.againstHold === null ? MISSING : share(equity.againstHold.estimate),
      `${equity.holdReturn === null ? '' : `it made ${share(equity.holdReturn)}; `}95% interval ${range(equity.againstHold, share)}`,
    ],
    [
      'backtest',
      equity.backtestReturn === null ? MISSING : share(equity.backtestReturn),
      'of the same bundle on the same bars',
    ],
    [
      'Sharpe ratio',
      decimal(equity.sharpe),
      `a year, of ${counted(equity.bars, 'bar')}; 95% interval ${range(equity.sharpeInterval, (value) => decimal(value))}`,
    ],
    ['drawdown', percent(equity.maxDrawdown, 2), 'the deepest'],
    ['exposure', percent(equity.exposure), `of bars; turnover ${decimal(equity.turnover, 1)}`],
    ['trades', whole(equity.trades), `closed; ${percent(equity.winRate)} gained`],
  ];
}

function faultRows({ uptime }: PaperReport): ReportRow[] {
  const { marketSeconds, readyShare, decidingShare, outages, restarts, alerts } = uptime;
  const lost = outages.reduce((sum, outage) => sum + outage.marketSeconds, 0);
  const longest = outages.length === 0 ? null : outages.reduce((a, b) => (b.marketSeconds > a.marketSeconds ? b : a));
  const codes = Object.entries(alerts).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    ['connected and reconciled', percent(readyShare, 2), `of ${decimal(marketSeconds / 3600, 2)} hours of open market`],
    ['deciding', percent(decidingShare, 2), 'and neither paused nor halted'],
    [
      'decisions',
      of(uptime.decisionsMade, uptime.decisionsDue),
      `bars; ${whole(uptime.lateDecisions)} too late${uptime.barsMissing === 0 ? '' : `; ${counted(uptime.barsMissing, 'bar')} of the calendar never came`}`,
    ],
    [
      'outages',
      whole(outages.length),
      longest === null
        ? counted(restarts, 'restart')
        : `${decimal(lost, 0)} s of open market, ${counted(restarts, 'restart')}; longest ${seconds(longest.marketSeconds)} from ${dateOf(longest.fromMs)}`,
    ],
    ['orders refused', whole(uptime.rejected), ''],
    ['longest without protection', seconds(uptime.unprotectedSeconds), 'of the wall, while a stop was owed'],
    [
      'alerts',
      whole(codes.reduce((sum, [, count]) => sum + count, 0)),
      codes.map(([code, count]) => `${code} ${count}`).join(', '),
    ],
  ];
}

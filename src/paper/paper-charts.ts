/** The plots of a paper session, and what they are drawn from. */
import type { TopLevelSpec } from 'vega-lite';
import type { Bars } from '#env/market/bars.js';
import type { NamedPath } from '#src/report/charts.js';
import type { ReportSleeve, TradeMark } from '#src/report/model.js';
import { COLOURS, THEME } from '#src/report/theme.js';
import type { EquityPath } from '#src/stats/equity-path.js';
import { barAt } from './bar-at.js';
import type { EquityCurves } from './equity-statistics.js';
import type { FillComparison } from './fill-statistics.js';
import { priceOf } from './order-log.js';
import type { SessionRecord } from './session-record.js';

const WIDTH = 880;

/** The account first, then those that it is compared with, all on the account's bars. */
export function namedPaths({ account, backtest, hold }: EquityCurves): NamedPath[] {
  const others = [
    { name: 'buy-and-hold', path: hold },
    { name: 'backtest', path: backtest },
  ];
  return [
    { name: 'paper', path: account },
    ...others.flatMap(({ name, path }) => (path === null ? [] : [{ name, path: onRowsOf(account, path) }])),
  ];
}

/** Another path at the stamps of the first: between its own bars it keeps its last equity. */
function onRowsOf({ timeMs }: EquityPath, other: EquityPath): EquityPath {
  const equity = new Float64Array(timeMs.length);
  let next = 0;
  let last = other.initialEquity;
  for (let row = 0; row < timeMs.length; row++) {
    for (; next < other.timeMs.length && other.timeMs[next] <= timeMs[row]; next++) last = other.equity[next];
    equity[row] = last;
  }
  return {
    ...other,
    timeMs,
    equity,
    exposure: new Float64Array(timeMs.length),
    costs: new Float64Array(timeMs.length),
  };
}

/** Closes and positions of one symbol since the first decision, with entries and exits; null: nothing was decided. */
export function sleeveOf(session: SessionRecord, bars: Bars): ReportSleeve | null {
  const { symbol } = bars.instrument;
  const { account, orders } = session;
  if (account.length < 2) return null;
  const from = bars.openTimeMs.indexOf(account[0].timeMs);
  if (from < 0) return null;
  const timeMs = bars.openTimeMs.slice(from);
  const position = new Float64Array(timeMs.length);
  let next = 0;
  for (let row = 0; row < timeMs.length; row++) {
    while (next + 1 < account.length && account[next + 1].timeMs <= timeMs[row]) next++;
    position[row] = account[next].position[symbol] ?? 0;
  }
  const marks = orders
    .filter((order) => order.symbol === symbol && order.executions.length > 0)
    .flatMap((order): TradeMark[] => {
      const row = barAt(bars, order.executions[0].marketMs) - from;
      if (row < 0) return [];
      return [{ row, price: priceOf(order), kind: order.role === 'entry' ? 'entry' : 'exit' }];
    });
  return { symbol, timeMs, close: bars.close.slice(from), adjusted: false, position, marks };
}

/** How often an order was filled how much worse (right) or better (left) than the model says. */
export function slippageChart(compared: readonly FillComparison[]): TopLevelSpec {
  const bps = compared.map(({ slippageBps }) => slippageBps);
  // at least a basis point on each side, so that equal prices are one bar and not the whole plot
  const extent: [number, number] = [
    Math.min(-1, Math.floor(Math.min(...bps))),
    Math.max(1, Math.ceil(Math.max(...bps))),
  ];
  const kinds = (['entry', 'exit', 'stop', 'target'] as const).filter((kind) =>
    compared.some((own) => own.kind === kind),
  );
  return {
    ...THEME,
    width: WIDTH,
    height: 170,
    data: { values: compared.map(({ slippageBps, kind }) => ({ bps: slippageBps, kind })) },
    layer: [
      {
        mark: { type: 'bar', binSpacing: 1 },
        encoding: {
          x: {
            field: 'bps',
            type: 'quantitative',
            bin: { maxbins: 40, extent },
            axis: { title: 'basis points against us, beyond the half spread and slippage of the model', grid: false },
          },
          y: { aggregate: 'count', type: 'quantitative', axis: { title: 'orders', tickMinStep: 1 } },
          color: {
            field: 'kind',
            type: 'nominal',
            scale: { domain: kinds, range: kinds.map((_, k) => COLOURS.groups[k]) },
            legend: { title: null, orient: 'top', symbolType: 'square', symbolStrokeWidth: 0 },
          },
        },
      },
      {
        data: { values: [{ at: 0 }] },
        mark: { type: 'rule', color: COLOURS.ink, strokeWidth: 1 },
        encoding: { x: { field: 'at', type: 'quantitative', scale: { domain: extent } } },
      },
    ],
  };
}

/** The plots: pure functions from data to vega-lite specifications. */
import type { TopLevelSpec } from 'vega-lite';
import { quantile } from '#src/stats/bootstrap.js';
import type { EquityPath } from '#src/stats/equity-path.js';
import { rowAxis, shareAxis, signedShare } from './axes.js';
import { evenRows, minMaxRows, sideRuns } from './downsample.js';
import type { LearningCurve, ReportActor, ReportSleeve } from './model.js';
import { COLOURS, THEME } from './theme.js';

/** Inner width in pixels of a full-width plot; series are cut to about two points a pixel and a half. */
const WIDTH = 880;
const COLUMNS = 600;
const BAND_COLUMNS = 240;
/** More marks than this would hide the price. */
const MARKER_LIMIT = 300;

interface LinePoint {
  readonly row: number;
  readonly share: number;
  readonly name: string;
}

export type NamedPath = Pick<ReportActor, 'name' | 'path'>;

/** Return since the start of the agent and the baselines, with the band of 90% of the random traders behind them. */
export function equityChart(actors: readonly NamedPath[], random: readonly NamedPath[]): TopLevelSpec {
  const { timeMs } = actors[0].path;
  const [agent, ...others] = actors;
  const names = actors.map(({ name }) => name);
  const colour = { domain: names, range: names.map((_, k) => COLOURS.actors[k % COLOURS.actors.length]) };
  const band = randomBand(random.map(({ path }) => growth(path)));
  return {
    ...THEME,
    width: WIDTH,
    height: 300,
    layer: [
      ...(band.length === 0
        ? []
        : [
            {
              data: { values: band },
              mark: { type: 'area' as const, color: COLOURS.band, opacity: 0.55 },
              encoding: { x: rowAxis(timeMs), y: shareAxis('low', 'return since the start'), y2: { field: 'high' } },
            },
            {
              data: { values: band },
              mark: { type: 'line' as const, color: COLOURS.bandLine, strokeDash: [2, 3], strokeWidth: 1 },
              encoding: { x: rowAxis(timeMs), y: shareAxis('middle', 'return since the start') },
            },
          ]),
      // the agent last, so that nothing covers it
      ...[others, [agent]].map((group, k) => ({
        data: { values: group.flatMap(({ name, path }) => linePoints(name, growth(path))) },
        mark: { type: 'line' as const, strokeWidth: k === 0 ? 1.3 : 2, strokeJoin: 'round' as const },
        encoding: {
          x: rowAxis(timeMs),
          y: shareAxis('share', 'return since the start'),
          color: {
            field: 'name',
            type: 'nominal' as const,
            scale: colour,
            legend: { title: null, orient: 'top' as const },
          },
        },
      })),
    ],
  };
}

/** How far the agent, and buy-and-hold, stand under their own peak. */
export function drawdownChart(actors: readonly ReportActor[]): TopLevelSpec {
  const [agent, other] = actors;
  const values = (actor: ReportActor): LinePoint[] => linePoints(actor.name, drawdown(actor.path));
  const { timeMs } = agent.path;
  const y = shareAxis('share', 'under the peak');
  return {
    ...THEME,
    width: WIDTH,
    height: 150,
    layer: [
      {
        data: { values: values(agent) },
        mark: { type: 'area', color: COLOURS.loss, opacity: 0.35, line: { color: COLOURS.loss, strokeWidth: 1.2 } },
        encoding: { x: rowAxis(timeMs), y },
      },
      ...(other === undefined
        ? []
        : [
            {
              data: { values: values(other) },
              mark: { type: 'line' as const, color: COLOURS.actors[1], strokeWidth: 1 },
              encoding: { x: rowAxis(timeMs), y },
            },
          ]),
    ],
  };
}

/** The price, shaded while the agent was long or short, with its entries and exits. */
export function positionChart({ timeMs, close, position, marks }: ReportSleeve): TopLevelSpec {
  const price = minMaxRows(close, COLUMNS).map((row) => ({ row, price: close[row] }));
  const y = {
    field: 'price',
    type: 'quantitative' as const,
    scale: { zero: false, nice: false },
    axis: { title: 'price' },
  };
  const runs = sideRuns(position, COLUMNS);
  const sides = (['long', 'short'] as const).filter((side) => runs.some((run) => run.side === side));
  const fill = { domain: sides, range: sides.map((side) => (side === 'long' ? COLOURS.gain : COLOURS.loss)) };
  const shown = showsMarkers(marks.length) ? marks : [];
  return {
    ...THEME,
    width: WIDTH,
    height: 260,
    layer: [
      {
        data: { values: runs },
        mark: { type: 'rect', opacity: 0.16 },
        encoding: {
          x: rowAxis(timeMs, 'from'),
          x2: { field: 'to' },
          color: {
            field: 'side',
            type: 'nominal',
            scale: fill,
            legend: { title: null, orient: 'top', symbolType: 'square', symbolOpacity: 0.4, symbolStrokeWidth: 0 },
          },
        },
      },
      {
        data: { values: price },
        mark: { type: 'line', color: COLOURS.ink, strokeWidth: 1 },
        encoding: { x: rowAxis(timeMs), y },
      },
      ...(['entry', 'exit'] as const).map((kind) => ({
        data: { values: shown.filter((mark) => mark.kind === kind) },
        mark: {
          type: 'point' as const,
          shape: kind === 'entry' ? 'triangle-up' : 'triangle-down',
          size: marks.length > 80 ? 45 : 90,
          filled: true,
          opacity: 1,
          stroke: 'white',
          strokeWidth: 0.8,
          color: kind === 'entry' ? COLOURS.gain : COLOURS.loss,
        },
        encoding: { x: rowAxis(timeMs), y },
      })),
    ],
  };
}

/** Whether `positionChart` shows entries and exits, or there were too many. */
export function showsMarkers(marks: number): boolean {
  return marks <= MARKER_LIMIT;
}

/** How often a trade returned how much, after costs. */
export function tradeReturnsChart(returns: readonly number[]): TopLevelSpec {
  return {
    ...THEME,
    width: WIDTH,
    height: 170,
    data: { values: returns.map((value) => ({ return: value })) },
    layer: [
      {
        transform: [{ calculate: "datum.return > 0 ? 'gain' : 'loss'", as: 'outcome' }],
        mark: { type: 'bar', binSpacing: 1 },
        encoding: {
          x: {
            field: 'return',
            type: 'quantitative',
            bin: { maxbins: 40, anchor: 0 },
            axis: { title: 'return of a trade after costs', labelExpr: signedShare('+.2~%'), grid: false },
          },
          y: { aggregate: 'count', type: 'quantitative', axis: { title: 'trades', tickMinStep: 1 } },
          color: {
            field: 'outcome',
            type: 'nominal',
            scale: { domain: ['gain', 'loss'], range: [COLOURS.gain, COLOURS.loss] },
            legend: null,
          },
        },
      },
      {
        data: { values: [{ at: 0 }] },
        mark: { type: 'rule', color: COLOURS.ink, strokeWidth: 1 },
        encoding: { x: { field: 'at', type: 'quantitative' } },
      },
    ],
  };
}

/** One small plot a curve, three in a row; the evaluated checkpoint's step is marked. */
export function learningChart(curves: readonly LearningCurve[]): TopLevelSpec {
  return {
    ...THEME,
    columns: 3,
    // axes, not their labels, stand in line
    bounds: 'flush',
    spacing: { row: 62, column: 58 },
    concat: curves.map(({ title, steps, values, markedStep }) => {
      const rows = minMaxRows(Float64Array.from(values), 150);
      return {
        title: { text: title, fontSize: 12, anchor: 'start' as const, frame: 'group' as const, offset: 8 },
        width: 232,
        height: 120,
        layer: [
          {
            data: { values: rows.map((row) => ({ step: steps[row], value: values[row] })) },
            mark: {
              type: 'line' as const,
              color: COLOURS.actors[0],
              strokeWidth: 1.4,
              point: rows.length < 30 ? { size: 14 } : false,
            },
            encoding: {
              x: {
                field: 'step',
                type: 'quantitative' as const,
                axis: {
                  title: null,
                  labelExpr: "datum.value === 0 ? '0' : format(datum.value, '~s')",
                  tickCount: 4,
                  grid: false,
                },
              },
              y: {
                field: 'value',
                type: 'quantitative' as const,
                scale: { zero: false },
                axis: { title: null, tickCount: 4, format: ',.3~r' },
              },
            },
          },
          {
            data: { values: markedStep === null ? [] : [{ step: markedStep }] },
            mark: { type: 'rule' as const, color: COLOURS.actors[2], strokeDash: [3, 3] },
            encoding: { x: { field: 'step', type: 'quantitative' as const } },
          },
        ],
      };
    }),
  };
}

function linePoints(name: string, series: Float64Array): LinePoint[] {
  return minMaxRows(series, COLUMNS).map((row) => ({ row, share: series[row], name }));
}

function growth({ equity, initialEquity }: EquityPath): Float64Array {
  return equity.map((value) => value / initialEquity - 1);
}

function drawdown({ equity, initialEquity }: EquityPath): Float64Array {
  let peak = initialEquity;
  return equity.map((value) => {
    peak = Math.max(peak, value);
    return value / peak - 1;
  });
}

/** Quantiles 5%, 50% and 95% across paths, at evenly spread rows. */
function randomBand(paths: readonly Float64Array[]): { row: number; low: number; middle: number; high: number }[] {
  if (paths.length === 0) return [];
  return evenRows(paths[0].length, BAND_COLUMNS).map((row) => {
    const sorted = Float64Array.from(paths, (path) => path[row]).sort();
    return { row, low: quantile(sorted, 0.05), middle: quantile(sorted, 0.5), high: quantile(sorted, 0.95) };
  });
}

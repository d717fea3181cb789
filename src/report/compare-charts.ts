/** The plots of a comparison: pure functions from data to vega-lite specifications. */
import type { TopLevelSpec } from 'vega-lite';
import { quantile } from '#src/stats/bootstrap.js';
import { rowAxis, shareAxis } from './axes.js';
import type { CompareMetric, CompareModel, EquityFan, LearningBand } from './compare-model.js';
import { evenRows, minMaxRows } from './downsample.js';
import { COLOURS, THEME } from './theme.js';

const WIDTH = 880;
const HALF = 400;
const THIRD = 236;
/** Points of a line and of a band. */
const LINE = 300;
const BAND = 200;
/** More seeds than this are shown by quantiles instead of their extremes. */
const SHOW_ALL = 12;
const SMALL_TITLE = { fontSize: 12, anchor: 'start' as const, frame: 'group' as const, offset: 8 };

/** Colour of each group, in order; the last, which is the baseline more often than not, is as strong as the others. */
export function groupColours(names: readonly string[]): { domain: string[]; range: string[] } {
  return { domain: [...names], range: names.map((_, k) => COLOURS.groups[k % COLOURS.groups.length]) };
}

/** @param drawn the groups that the plot shows, for its legend; none: no legend */
function colourBy(names: readonly string[], drawn: readonly string[] | null) {
  return {
    field: 'name',
    type: 'nominal' as const,
    scale: groupColours(names),
    legend: drawn === null ? null : { title: null, orient: 'top' as const, symbolOpacity: 1, values: [...drawn] },
  };
}

/** One plot a curve: the interquartile mean over seeds within its 95% interval, against environment steps. */
export function learningBandChart(learning: readonly LearningBand[], names: readonly string[]): TopLevelSpec {
  const width = learning.length === 1 ? WIDTH : HALF;
  const drawn = names.filter((name) => learning.some(({ groups }) => groups.some((group) => group.name === name)));
  return {
    ...THEME,
    columns: 2,
    bounds: 'flush',
    spacing: { row: 62, column: 70 },
    // one legend for all, so that no panel is pushed down by its own
    resolve: { scale: { color: 'shared' }, legend: { color: 'shared' } },
    concat: learning.map(({ title, groups }) => ({
      title: { text: title, ...SMALL_TITLE },
      width,
      height: 240,
      layer: [
        {
          data: {
            values: groups.flatMap(({ name, band }) =>
              Array.from(band.at, (step, k) => ({ name, step, low: band.low[k], high: band.high[k] })),
            ),
          },
          mark: { type: 'area' as const, opacity: 0.18 },
          encoding: {
            x: stepAxis(),
            y: {
              field: 'low',
              type: 'quantitative' as const,
              scale: { zero: false },
              axis: { title: null, tickCount: 5 },
            },
            y2: { field: 'high' },
            color: colourBy(names, drawn),
          },
        },
        {
          data: {
            values: groups.flatMap(({ name, band }) =>
              Array.from(band.at, (step, k) => ({ name, step, value: band.middle[k] })),
            ),
          },
          mark: { type: 'line' as const, strokeWidth: 2, strokeJoin: 'round' as const },
          encoding: {
            x: stepAxis(),
            y: { field: 'value', type: 'quantitative' as const, scale: { zero: false } },
            color: colourBy(names, drawn),
          },
        },
      ],
    })),
  };
}

function stepAxis() {
  return {
    field: 'step',
    type: 'quantitative' as const,
    scale: { nice: false },
    axis: {
      title: 'environment steps',
      labelExpr: "datum.value === 0 ? '0' : format(datum.value, '~s')",
      tickCount: 5,
      grid: false,
    },
  };
}

interface Spread {
  readonly row: number;
  readonly low: number;
  readonly middle: number;
  readonly high: number;
}

/** Lowest, median and highest over seeds, or the middle 90% of many. */
function spreadOf(seeds: readonly Float64Array[]): Spread[] {
  const tail = seeds.length > SHOW_ALL ? 0.05 : 0;
  return evenRows(seeds[0].length, BAND).map((row) => {
    const sorted = Float64Array.from(seeds, (seed) => seed[row]).sort();
    return { row, low: quantile(sorted, tail), middle: quantile(sorted, 0.5), high: quantile(sorted, 1 - tail) };
  });
}

/** A fan a group, all on one scale: every seed a thin line, their median thick, buy-and-hold dashed. */
export function equityFanChart(fans: readonly EquityFan[], names: readonly string[]): TopLevelSpec {
  const width = fans.length === 1 ? WIDTH : HALF;
  const everything = fans.flatMap(({ seeds, hold }) => [...seeds, ...(hold === null ? [] : [hold])]);
  const domain = [
    everything.reduce((least, series) => series.reduce((a, b) => Math.min(a, b), least), 0),
    everything.reduce((most, series) => series.reduce((a, b) => Math.max(a, b), most), 0),
  ];
  const y = (field: string) => ({
    ...shareAxis(field, 'return since the start'),
    scale: { zero: false, domain, nice: true },
  });
  return {
    ...THEME,
    columns: 2,
    bounds: 'flush',
    spacing: { row: 62, column: 70 },
    concat: fans.map(({ name, timeMs, seeds, hold }) => {
      const colour = groupColours(names).range[names.indexOf(name)] ?? COLOURS.ink;
      const x = rowAxis(timeMs, 'row', width === WIDTH ? 14 : 7);
      return {
        title: { text: `${name}: ${seeds.length} ${seeds.length === 1 ? 'seed' : 'seeds'}`, ...SMALL_TITLE },
        width,
        height: 260,
        layer: [
          {
            data: { values: spreadOf(seeds) },
            mark: { type: 'area' as const, color: colour, opacity: 0.12 },
            encoding: { x, y: y('low'), y2: { field: 'high' } },
          },
          {
            data: {
              values:
                seeds.length > SHOW_ALL
                  ? []
                  : seeds.flatMap((series, seed) => linePoints(series).map((point) => ({ ...point, seed }))),
            },
            mark: { type: 'line' as const, color: colour, opacity: 0.45, strokeWidth: 0.8 },
            encoding: { x, y: y('share'), detail: { field: 'seed', type: 'nominal' as const } },
          },
          {
            data: { values: hold === null ? [] : linePoints(hold) },
            mark: { type: 'line' as const, color: COLOURS.actors[1], strokeDash: [4, 3], strokeWidth: 1.1 },
            encoding: { x, y: y('share') },
          },
          {
            data: { values: spreadOf(seeds) },
            mark: { type: 'line' as const, color: colour, strokeWidth: 2.4, strokeJoin: 'round' as const },
            encoding: { x, y: y('middle') },
          },
        ],
      };
    }),
  };
}

function linePoints(series: Float64Array): { row: number; share: number }[] {
  return minMaxRows(series, LINE).map((row) => ({ row, share: series[row] }));
}

/** How far each group's seeds stand under their own peaks: the median over seeds, within their extremes. */
export function drawdownFanChart(fans: readonly EquityFan[], names: readonly string[]): TopLevelSpec {
  const [{ timeMs }] = fans;
  const spreads = fans
    .filter((fan) => fan.timeMs.length === timeMs.length)
    .flatMap(({ name, seeds }) => spreadOf(seeds.map(drawdownOf)).map((point) => ({ ...point, name })));
  const x = rowAxis(timeMs);
  const drawn = fans.map(({ name }) => name);
  return {
    ...THEME,
    width: WIDTH,
    height: 190,
    layer: [
      {
        data: { values: spreads },
        mark: { type: 'area', opacity: 0.14 },
        encoding: {
          x,
          y: shareAxis('low', 'under the peak'),
          y2: { field: 'high' },
          color: colourBy(names, drawn),
        },
      },
      {
        data: { values: spreads },
        mark: { type: 'line', strokeWidth: 1.6 },
        encoding: { x, y: shareAxis('middle', 'under the peak'), color: colourBy(names, drawn) },
      },
    ],
  };
}

/** @param growth (T) return since the start */
function drawdownOf(growth: Float64Array): Float64Array {
  let peak = 1;
  return growth.map((share) => {
    peak = Math.max(peak, 1 + share);
    return (1 + share) / peak - 1;
  });
}

/** A panel a metric: every run a dot, the interquartile mean a line within the bar of its 95% interval. */
export function intervalChart({ groups, metrics, rows }: CompareModel): TopLevelSpec {
  const names = groups.map(({ name }) => name);
  const shown = metrics.filter(
    ({ key, better }) => better !== null && groups.some((group) => (group.metrics[key] ?? null) !== null),
  );
  const alone = shown.length === 1;
  return {
    ...THEME,
    columns: 3,
    bounds: 'flush',
    spacing: { row: 58, column: 36 },
    concat: shown.map((metric, panel) => {
      const bars = groups.flatMap(({ name, metrics: own }) => {
        const summary = own[metric.key] ?? null;
        if (summary === null) return [];
        const { low, high } = summary.interval ?? { low: summary.iqm, high: summary.iqm };
        return [{ name, iqm: summary.iqm, low, high }];
      });
      const dots = rows.flatMap(({ group, metrics: own }) => {
        const value = own[metric.key] ?? null;
        return value === null ? [] : [{ name: group, value }];
      });
      const labelled = alone || panel % 3 === 0;
      const y = {
        field: 'name',
        type: 'nominal' as const,
        sort: names,
        scale: { domain: names, padding: 0.35 },
        axis: { title: null, labels: labelled, ticks: false, domain: false, labelLimit: 130, labelPadding: 8 },
      };
      return {
        title: { text: metric.label, ...SMALL_TITLE },
        width: alone ? WIDTH - 120 : THIRD,
        height: Math.max(56, 30 * names.length),
        layer: [
          {
            data: { values: bars },
            mark: { type: 'bar' as const, opacity: 0.35, cornerRadius: 2 },
            encoding: { x: metricAxis(metric, 'low'), x2: { field: 'high' }, y, color: colourBy(names, null) },
          },
          {
            data: { values: dots },
            mark: { type: 'point' as const, filled: true, size: 22, opacity: 0.75 },
            encoding: { x: metricAxis(metric, 'value'), y, color: colourBy(names, null) },
          },
          {
            data: { values: bars },
            mark: { type: 'tick' as const, thickness: 2.5, color: COLOURS.ink },
            encoding: { x: metricAxis(metric, 'iqm'), y },
          },
        ],
      };
    }),
  };
}

function metricAxis({ show }: CompareMetric, field: string) {
  return {
    field,
    type: 'quantitative' as const,
    scale: { zero: false },
    axis: {
      title: null,
      tickCount: 4,
      labelExpr: show(0.5).includes('%')
        ? "datum.value === 0 ? '0%' : format(datum.value, '.2~%')"
        : "format(datum.value, '.3~r')",
    },
  };
}

/** P(a run beats one of the baseline) with its interval; the line at one half says that neither is better. */
export function improvementChart({ contrasts, groups }: CompareModel): TopLevelSpec {
  const names = groups.map(({ name }) => name);
  const values = contrasts.map(({ group, baseline, probability, bounded }) => ({
    name: group,
    label: `${group} over ${baseline}`,
    estimate: probability.estimate,
    low: bounded ? probability.low : probability.estimate,
    high: bounded ? probability.high : probability.estimate,
  }));
  const y = {
    field: 'label',
    type: 'nominal' as const,
    sort: values.map(({ label }) => label),
    scale: { padding: 0.35 },
    axis: { title: null, ticks: false, domain: false, labelLimit: 260, labelPadding: 8 },
  };
  const x = (field: string) => ({
    field,
    type: 'quantitative' as const,
    scale: { domain: [0, 1], nice: false },
    axis: { title: 'probability', format: '.0%', tickCount: 5 },
  });
  return {
    ...THEME,
    width: 620,
    height: Math.max(44, 34 * values.length),
    layer: [
      {
        data: { values: [{ at: 0.5 }] },
        mark: { type: 'rule', color: COLOURS.ink, strokeDash: [3, 3] },
        encoding: { x: { field: 'at', type: 'quantitative' } },
      },
      {
        data: { values },
        mark: { type: 'bar', opacity: 0.35, cornerRadius: 2 },
        encoding: { x: x('low'), x2: { field: 'high' }, y, color: colourBy(names, null) },
      },
      {
        data: { values },
        mark: { type: 'tick', thickness: 2.5, color: COLOURS.ink },
        encoding: { x: x('estimate'), y },
      },
    ],
  };
}

/** Share of runs that do better than each score: the curve that lies higher and farther right is better. */
export function profileChart({ profile, metric, groups }: CompareModel): TopLevelSpec | null {
  if (profile === null) return null;
  const names = groups.map(({ name }) => name);
  const values = profile.groups.flatMap(({ name, band }) =>
    Array.from(profile.thresholds, (score, k) => ({
      name,
      score,
      share: band.estimate[k],
      low: band.low[k],
      high: band.high[k],
    })),
  );
  const drawn = profile.groups.map(({ name }) => name);
  const score = metricAxis(metric, 'score');
  const x = { ...score, scale: { zero: false, nice: false }, axis: { ...score.axis, title: metric.label } };
  const y = (field: string) => ({
    field,
    type: 'quantitative' as const,
    scale: { domain: [0, 1] },
    axis: { title: 'share of runs above', format: '.0%', tickCount: 5 },
  });
  return {
    ...THEME,
    width: WIDTH,
    height: 240,
    data: { values },
    layer: [
      {
        mark: { type: 'area', opacity: 0.16, interpolate: 'step-after' },
        encoding: { x, y: y('low'), y2: { field: 'high' }, color: colourBy(names, drawn) },
      },
      {
        mark: { type: 'line', strokeWidth: 2, interpolate: 'step-after' },
        encoding: {
          x,
          y: y('share'),
          color: colourBy(names, drawn),
        },
      },
    ],
  };
}

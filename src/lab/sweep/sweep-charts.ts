/** The plots of a sweep: pure functions from its table to vega-lite specifications. */
import type { TopLevelSpec } from 'vega-lite';
import { COLOURS, THEME } from '#src/report/theme.js';
import type { SweepParameter } from './definition.js';
import type { KeyImportance } from './importance.js';
import { shortKeys, showValue } from './sweep-text.js';
import type { TrialRow } from './trial-table.js';

const WIDTH = 880;

/** A trial's mean score over its seeds while it trained. */
export interface TrialCurve {
  readonly row: TrialRow;
  readonly steps: readonly number[];
  readonly scores: readonly number[];
}

const GROUPS = ['best', 'completed', 'stopped'] as const;
type Group = (typeof GROUPS)[number];
const COLOUR = {
  domain: [...GROUPS],
  range: [COLOURS.loss, COLOURS.actors[0], COLOURS.actors[3]],
};
const LEGEND = { title: null, orient: 'top' as const };

function groupOf(row: TrialRow, best: TrialRow | null): Group {
  if (row.trial === best?.trial) return 'best';
  return row.status === 'completed' ? 'completed' : 'stopped';
}

/** Every trial's learning curve; dashes stand where trials were compared. */
export function curvesChart(
  curves: readonly TrialCurve[],
  best: TrialRow | null,
  comparedAt: readonly number[],
): TopLevelSpec {
  const x = {
    type: 'quantitative' as const,
    axis: {
      title: 'environment steps',
      labelExpr: "datum.value === 0 ? '0' : format(datum.value, '~s')",
      tickCount: 6,
      grid: false,
    },
  };
  const y = {
    field: 'score',
    type: 'quantitative' as const,
    scale: { zero: false },
    axis: { title: 'validation score, mean over seeds' },
  };
  return {
    ...THEME,
    width: WIDTH,
    height: 300,
    layer: [
      {
        data: { values: comparedAt.map((at) => ({ at })) },
        mark: { type: 'rule', color: COLOURS.ink, strokeDash: [3, 3], opacity: 0.6 },
        encoding: { x: { field: 'at', ...x } },
      },
      // the best last, so that nothing covers it
      ...GROUPS.toReversed().map((group) => ({
        data: {
          values: curves
            .filter(({ row }) => groupOf(row, best) === group)
            .flatMap(({ row, steps, scores }) =>
              steps.map((at, k) => ({ at, score: scores[k], trial: row.trial, group })),
            ),
        },
        mark: {
          type: 'line' as const,
          strokeWidth: group === 'best' ? 2.4 : 1.1,
          opacity: group === 'stopped' ? 0.75 : 0.9,
          point: steps1(curves) ? { size: 22 } : false,
        },
        encoding: {
          x: { field: 'at', ...x },
          y,
          detail: { field: 'trial', type: 'nominal' as const },
          color: { field: 'group', type: 'nominal' as const, scale: COLOUR, legend: LEGEND },
        },
      })),
    ],
  };
}

/** A single score a trial draws no line. */
function steps1(curves: readonly TrialCurve[]): boolean {
  return curves.every(({ steps }) => steps.length < 2);
}

/** Bars of what each key explains alone; the tick is what 95% of shuffles stay below. */
export function importanceChart(importance: readonly KeyImportance[]): TopLevelSpec {
  const y = {
    field: 'key',
    type: 'nominal' as const,
    sort: importance.map(({ key }) => key),
    axis: { title: null, labelLimit: 260, ticks: false, domain: false },
  };
  const x = (field: string) => ({
    field,
    type: 'quantitative' as const,
    scale: { domainMin: 0 },
    axis: { title: 'share of the variance of the ranks', format: '.0%', tickCount: 6 },
  });
  const values = importance.map((own) => ({
    ...own,
    known: own.share > own.chance ? 'beyond chance' : 'not told from chance',
  }));
  return {
    ...THEME,
    width: WIDTH - 220,
    height: { step: 30 },
    data: { values },
    layer: [
      {
        mark: { type: 'bar', height: 16, cornerRadiusEnd: 2 },
        encoding: {
          y,
          x: x('share'),
          color: {
            field: 'known',
            type: 'nominal',
            scale: { domain: ['beyond chance', 'not told from chance'], range: [COLOURS.actors[0], COLOURS.actors[3]] },
            legend: { ...LEGEND, symbolType: 'square', symbolStrokeWidth: 0, labelLimit: 0 },
          },
        },
      },
      {
        mark: { type: 'tick', color: COLOURS.ink, thickness: 2, height: 22 },
        encoding: { y, x: x('chance') },
      },
    ],
  };
}

/** One small plot a key, three in a row: the score of every trial at the first rung against the key's value. */
export function slicesChart(
  rows: readonly TrialRow[],
  best: TrialRow | null,
  space: Readonly<Record<string, SweepParameter>>,
): TopLevelSpec {
  const names = shortKeys(Object.keys(space));
  const isLong = (parameter: SweepParameter): boolean =>
    'values' in parameter && parameter.values.some((value) => showValue(value).length > 6);
  const hasLongNames = Object.values(space).some(isLong);
  const scored = rows.flatMap((row) => {
    const score = row.rungs[0]?.score ?? null;
    return score === null ? [] : [{ row, score }];
  });
  return {
    ...THEME,
    columns: 3,
    bounds: 'flush',
    spacing: { row: hasLongNames ? 110 : 74, column: 62 },
    concat: Object.entries(space).map(([key, parameter], index) => {
      const isChoice = 'values' in parameter;
      const show = showValue;
      const x = isChoice
        ? {
            field: 'value',
            type: 'nominal' as const,
            sort: parameter.values.map(show),
            axis: {
              title: null,
              labelAngle: isLong(parameter) ? -30 : 0,
              grid: false,
              labelLimit: 130,
            },
          }
        : {
            field: 'value',
            type: 'quantitative' as const,
            scale: {
              type: parameter.scale === 'log' ? ('log' as const) : ('linear' as const),
              domain: [parameter.min, parameter.max],
              nice: false,
            },
            axis: {
              title: null,
              grid: false,
              ...(parameter.scale === 'log'
                ? { values: decades(parameter), labelExpr: "format(datum.value, '~g')" }
                : { tickCount: parameter.integer ? Math.min(5, parameter.max - parameter.min) : 4, format: ',.4~r' }),
            },
          };
      const values = scored.map(({ row, score }) => ({
        value: isChoice ? show(row.parameters[key]) : Number(row.parameters[key]),
        score,
        group: groupOf(row, best),
      }));
      return {
        title: { text: names[index], fontSize: 12, anchor: 'start' as const, frame: 'group' as const, offset: 8 },
        width: 228,
        height: 130,
        layer: GROUPS.toReversed().map((group) => ({
          data: { values: values.filter((value) => value.group === group) },
          mark: {
            type: 'point' as const,
            filled: true,
            size: group === 'best' ? 90 : 34,
            opacity: group === 'stopped' ? 0.85 : 1,
            stroke: 'white',
            strokeWidth: 0.6,
          },
          encoding: {
            x,
            y: {
              field: 'score',
              type: 'quantitative' as const,
              scale: { zero: false },
              axis: { title: null, tickCount: 4, format: ',.3~r' },
            },
            color: { field: 'group', type: 'nominal' as const, scale: COLOUR, legend: null },
          },
        })),
      };
    }),
  };
}

/** Ticks of a logarithmic axis: the powers of ten within, or the ends where there are not two. */
function decades({ min, max }: { readonly min: number; readonly max: number }): number[] {
  const powers: number[] = [];
  for (let k = -12; k <= 12; k++) {
    const power = Number(`1e${k}`);
    if (power >= min && power <= max) powers.push(power);
  }
  return powers.length >= 2 ? powers : [min, max];
}

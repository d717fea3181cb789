/** The learning curves of both sides: the IQM over the seeds in its interval, a plot a task. */
import type { TopLevelSpec } from 'vega-lite';
import { renderSvgs } from '#src/report/render-svg.js';
import { COLOURS, THEME } from '#src/report/theme.js';
import { curveBand } from './statistics.js';
import { SIDES, type CurveFile } from './store.js';

export type CurvePair = readonly [openbell: CurveFile, peer: CurveFile];

export async function parityPicture(pairs: readonly CurvePair[]): Promise<string> {
  const [svg] = await renderSvgs([chart(pairs)]);
  return `${svg}\n`;
}

const colour = { domain: [...SIDES], range: [COLOURS.actors[0], COLOURS.loss] };

function chart(pairs: readonly CurvePair[]): TopLevelSpec {
  return {
    ...THEME,
    background: 'white',
    padding: 12,
    columns: 2,
    bounds: 'flush',
    spacing: { row: 80, column: 90 },
    concat: pairs.map((pair, k) => ({
      title: {
        text: pair[0].task,
        subtitle: `${pair[0].seeds.length} seeds each`,
        fontSize: 13,
        subtitleColor: '#5b6472',
        subtitleFontSize: 11,
        anchor: 'start' as const,
        frame: 'group' as const,
        offset: 8,
      },
      width: 350,
      height: 210,
      data: { values: pair.flatMap((curves) => curveBand(curves).map((point) => ({ side: curves.side, ...point }))) },
      encoding: {
        x: {
          field: 'timesteps',
          type: 'quantitative' as const,
          axis: { title: 'environment steps', format: '~s', tickCount: 5, grid: false },
        },
        color: {
          field: 'side',
          type: 'nominal' as const,
          scale: colour,
          legend: k > 0 ? null : { title: null, orient: 'none' as const, legendX: 200, legendY: 140, labelLimit: 300 },
        },
      },
      layer: [
        {
          mark: { type: 'area' as const, opacity: 0.2 },
          encoding: { y: { field: 'low', ...score }, y2: { field: 'high' } },
        },
        {
          mark: { type: 'line' as const, strokeWidth: 1.8, strokeJoin: 'round' as const },
          encoding: { y: { field: 'iqm', ...score } },
        },
      ],
    })),
  };
}

const score = {
  type: 'quantitative' as const,
  scale: { zero: false },
  axis: { title: 'mean return of 50 episodes', tickCount: 5 },
};

/** Cost curves: steps a second and peak memory, each against bars, environments and hidden units, on logarithmic scales. */
import type { TopLevelSpec } from 'vega-lite';
import { renderSvgs } from '#src/report/render-svg.js';
import { COLOURS, THEME } from '#src/report/theme.js';

export interface Point {
  readonly axis: string;
  readonly at: number;
  readonly stepsPerSecond: number;
  readonly peakMb: number;
}

export async function scalePicture(points: readonly Point[]): Promise<string> {
  const [svg] = await renderSvgs([chart(points)]);
  return `${svg}\n`;
}

const MEASURES = [
  { field: 'stepsPerSecond', title: 'environment steps a second', colour: COLOURS.actors[0] },
  { field: 'peakMb', title: 'peak memory, MB', colour: COLOURS.loss },
] as const;

function chart(points: readonly Point[]): TopLevelSpec {
  const axes = [...new Set(points.map(({ axis }) => axis))];
  return {
    ...THEME,
    background: 'white',
    padding: 12,
    columns: axes.length,
    spacing: { row: 30, column: 40 },
    concat: MEASURES.flatMap(({ field, title, colour }, row) =>
      axes.map((axis, column) => ({
        width: 210,
        height: 150,
        data: { values: points.filter((point) => point.axis === axis) },
        mark: { type: 'line' as const, color: colour, point: { filled: true, size: 45, color: colour } },
        encoding: {
          x: {
            field: 'at',
            type: 'quantitative' as const,
            scale: { type: 'log' as const, nice: false },
            axis: { title: row === MEASURES.length - 1 ? axis : null, format: '~s', tickCount: 5, grid: false },
          },
          y: {
            field,
            type: 'quantitative' as const,
            scale: { type: 'log' as const, nice: true },
            axis: { title: column === 0 ? title : null, format: '~s', tickCount: 4 },
          },
        },
      })),
    ),
  };
}

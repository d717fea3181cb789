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

const colour = {
  field: 'side',
  type: 'nominal' as const,
  scale: { domain: [...SIDES], range: [COLOURS.actors[0], COLOURS.loss] },
  legend: { title: null, orient: 'top' as const, labelLimit: 300, symbolOpacity: 1, symbolType: 'stroke' as const },
};

const steps = {
  field: 'timesteps',
  type: 'quantitative' as const,
  scale: { nice: false },
  axis: { title: 'environment steps', format: '~s', tickCount: 5, grid: false },
};

const score = {
  type: 'quantitative' as const,
  scale: { zero: false },
  axis: { title: 'mean return of an episode', tickCount: 5 },
};

function chart(pairs: readonly CurvePair[]): TopLevelSpec {
  return {
    ...THEME,
    background: 'white',
    padding: 12,
    columns: 2,
    bounds: 'flush',
    spacing: { row: 105, column: 90 },
    concat: pairs.map((pair) => ({
      title: {
        text: pair[0].task,
        subtitle: `${seedsText(pair)} (thin), their IQM and its 95% interval`,
        fontSize: 13,
        subtitleColor: '#5b6472',
        subtitleFontSize: 11,
        anchor: 'start' as const,
        frame: 'group' as const,
        offset: 8,
      },
      width: 350,
      height: 210,
      encoding: { x: steps, color: colour },
      layer: [
        {
          data: { values: pair.flatMap(seedPoints) },
          mark: { type: 'line' as const, strokeWidth: 0.6, opacity: 0.28, strokeJoin: 'round' as const },
          encoding: { y: { field: 'score', ...score }, detail: { field: 'seed', type: 'nominal' as const } },
        },
        {
          data: { values: pair.flatMap(bandPoints) },
          mark: { type: 'area' as const, opacity: 0.22 },
          encoding: { y: { field: 'low', ...score }, y2: { field: 'high' } },
        },
        {
          data: { values: pair.flatMap(bandPoints) },
          mark: { type: 'line' as const, strokeWidth: 1.8, strokeJoin: 'round' as const },
          encoding: { y: { field: 'iqm', ...score } },
        },
      ],
    })),
  };
}

const seedsText = ([{ seeds: ours }, { seeds: theirs }]: CurvePair): string =>
  ours.length === theirs.length ? `${ours.length} seeds of each side` : `${ours.length} and ${theirs.length} seeds`;

const bandPoints = (curves: CurveFile): object[] => curveBand(curves).map((point) => ({ side: curves.side, ...point }));

const seedPoints = ({ side, timesteps, seeds }: CurveFile): object[] =>
  seeds.flatMap(({ seed, scores }) => scores.map((own, k) => ({ side, seed, timesteps: timesteps[k], score: own })));

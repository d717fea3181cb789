/** Steps a second of each side, case by case, on a logarithmic scale. */
import type { TopLevelSpec } from 'vega-lite';
import { renderSvgs } from '#src/report/render-svg.js';
import { COLOURS, THEME } from '#src/report/theme.js';
import { TRAINING_CASES } from '../cases.js';
import { median } from '../sampling.js';
import type { Rate } from './compare.js';

export async function peersPicture(rates: readonly Rate[]): Promise<string> {
  const [svg] = await renderSvgs([chart(rates)]);
  return `${svg}\n`;
}

function chart(rates: readonly Rate[]): TopLevelSpec {
  const values = rates.map(({ title, side, engine, kind, threads, stepsPerSecond }) => ({
    training: title,
    side,
    candidate: kind === 'native' ? `${threads} thread(s)` : `${engine}, ${kind}, ${threads} thread(s)`,
    steps: median(stepsPerSecond),
  }));
  return {
    ...THEME,
    background: 'white',
    padding: 12,
    data: { values },
    width: 520,
    height: 44 * TRAINING_CASES.length,
    mark: { type: 'point', filled: true, size: 70, opacity: 0.8 },
    encoding: {
      x: {
        field: 'steps',
        type: 'quantitative',
        scale: { type: 'log', nice: true },
        axis: {
          title: 'environment steps a second (each point a number of threads and a kind of environment)',
          format: '~s',
        },
      },
      y: {
        field: 'training',
        type: 'nominal',
        sort: TRAINING_CASES.map(({ title }) => title),
        axis: { title: null, labelLimit: 400 },
      },
      color: {
        field: 'side',
        type: 'nominal',
        scale: {
          domain: ['OpenBell', 'stable-baselines3', 'sbx'],
          range: [COLOURS.actors[0], COLOURS.loss, COLOURS.actors[2]],
        },
        legend: { title: null, orient: 'top', symbolType: 'circle', symbolStrokeWidth: 0, labelLimit: 300 },
      },
    },
  };
}

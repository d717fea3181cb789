/** How the learner comes up to the optimum while it trains: one plot a market, one line a seed. */
import type { TopLevelSpec } from 'vega-lite';
import { COLOURS, THEME } from '#src/report/theme.js';
import { renderSvgs } from '#src/report/render-svg.js';
import type { ProofResult } from './prove.js';

/** An SVG picture; null where no result has curves. */
export async function proofPicture(results: readonly ProofResult[]): Promise<string | null> {
  const shown = results.filter(({ runs }) => runs.some(({ curve }) => curve.length > 0));
  if (shown.length === 0) return null;
  const [svg] = await renderSvgs([proofChart(shown)]);
  return `${svg}\n`;
}

function proofChart(results: readonly ProofResult[]): TopLevelSpec {
  return {
    ...THEME,
    background: 'white',
    padding: 12,
    columns: 2,
    bounds: 'flush',
    spacing: { row: 90, column: 110 },
    concat: results.map(({ title, runs, target }) => ({
      title: { text: title, fontSize: 13, anchor: 'start' as const, frame: 'group' as const, offset: 10 },
      width: 340,
      height: 200,
      layer: [
        {
          data: { values: runs.flatMap(({ seed, curve }) => curve.map((point) => ({ seed, ...point }))) },
          mark: { type: 'line' as const, color: COLOURS.actors[0], strokeWidth: 1.3, opacity: 0.75, clip: true },
          encoding: {
            x: {
              field: 'steps',
              type: 'quantitative' as const,
              axis: { title: 'environment steps', format: '~s', tickCount: 5, grid: false },
            },
            y: {
              field: 'share',
              type: 'quantitative' as const,
              scale: { domain: [0.8, 1] },
              axis: { title: 'share of the optimum', format: '.0%', tickCount: 5 },
            },
            detail: { field: 'seed', type: 'nominal' as const },
          },
        },
        {
          data: { values: 'least' in target ? [{ at: target.least }] : [] },
          mark: { type: 'rule' as const, color: COLOURS.loss, strokeDash: [4, 3] },
          encoding: { y: { field: 'at', type: 'quantitative' as const } },
        },
      ],
    })),
  };
}

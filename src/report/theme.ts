/** One look for all plots: few lines, system fonts, colours that colour-blind readers can tell apart (Okabe and Ito). */

import type { Config } from 'vega-lite';

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

export const COLOURS = {
  ink: '#3f4754',
  /** The agent, buy-and-hold, SMA cross, flat. */
  actors: ['#0072b2', '#6b7280', '#e69f00', '#b9bec8'],
  /** Groups of a comparison. */
  groups: ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#6b7280'],
  band: '#d9d2e9',
  bandLine: '#8e7cc3',
  gain: '#009e73',
  loss: '#d55e00',
} as const;

const CONFIG: Config = {
  font: FONT,
  view: { stroke: null },
  axis: {
    labelColor: '#5b6472',
    titleColor: '#5b6472',
    titleFontWeight: 'normal',
    labelFontSize: 11,
    titleFontSize: 11,
    gridColor: '#e8eaee',
    domainColor: '#c4c9d1',
    tickColor: '#c4c9d1',
  },
  legend: { labelFontSize: 12, labelColor: '#3f4754', symbolStrokeWidth: 3, symbolType: 'stroke' },
  title: { color: '#3f4754', fontWeight: 600 },
};

export const THEME = { background: 'transparent', padding: 4, config: CONFIG };

/** A bundle with all that one can hold: an evaluation, and gates of which one was passed over. */
import type { BundleContents } from '#src/registry/bundle.js';
import type { GateOutcome, GateReport } from '#src/registry/gates.js';
import type { BundledEvaluation, BundledFigures } from '#src/registry/manifest.js';

const interval = { estimate: 0.1, low: -0.2, high: 0.4, confidence: 0.95 };
const figures: BundledFigures = {
  bars: 251,
  totalReturn: 0.1,
  sharpe: 0.5,
  sortino: 0.7,
  maxDrawdown: -0.12,
  maxDrawdownRecovered: false,
  volatility: 0.2,
  exposure: 0.6,
  turnoverPerYear: 12,
  trades: 9,
  costsShare: 0.01,
  calmar: null,
};

export const EVALUATION: BundledEvaluation = {
  windowName: 'test',
  weightsSha256: '1'.repeat(64),
  window: { from: '2017-05-12T00:00:00.000Z', to: '2018-05-11T00:00:00.000Z', inSample: false },
  verdict: { edge: 'none', headline: 'no edge', sentence: 'There is no evidence of an edge: it is luck.' },
  alarms: [{ level: 'warning', message: 'The agent takes one action.' }],
  statistics: {
    sharpe: interval,
    intervals: { sortino: interval, calmar: null, maxDrawdown: interval, conditionalValueAtRisk: null },
    excessOverFlat: interval,
    excessOverHold: { ...interval, estimate: -0.05 },
    randomRank: { paths: 100, beaten: 60, pValue: 0.4 },
    significance: { probabilisticSharpe: 0.7, deflated: { probability: 0.3, trials: 20 } },
  },
  agent: figures,
  baselines: { hold: { ...figures, totalReturn: 0.2 }, flat: { ...figures, totalReturn: 0, sharpe: null } },
};

const passed: GateOutcome = {
  gate: 'replay',
  kind: 'integrity',
  title: 'Trained again to the bit',
  measured: 'same bits',
  threshold: 'same bits',
  verdict: 'pass',
  forced: false,
  advisory: false,
  why: 'The weights have the same sha256.',
  evidence: { sha256: '1'.repeat(64) },
};

export const FORCED_GATES: GateReport = {
  format: 'openbell-gates 1',
  to: 'paper',
  judged_at: '2024-01-01T00:00:00.000Z',
  definition: { sharpe: 0.5 },
  outcomes: [
    passed,
    {
      ...passed,
      gate: 'beats_hold',
      kind: 'statistics',
      title: 'Beats buy-and-hold',
      measured: '31%',
      threshold: 'at least 60%',
      verdict: 'fail',
      forced: true,
      why: 'It does not.',
    },
    { ...passed, gate: 'paper', kind: 'paper', measured: null, verdict: 'missing', advisory: true, why: 'No session.' },
  ],
  passed: true,
  force_reason: 'to try the plumbing',
};

/** A bundle with everything that a manifest can say. */
export function evaluatedBundle({ manifest, engine, normalizer }: BundleContents): BundleContents {
  return {
    manifest: {
      ...manifest,
      seeds: [0, 1, 2],
      trials: { count: 20, sharpe_deviation: 0.3 },
      data: [
        {
          dataset: 'aapl-daily',
          symbol: 'AAPL',
          interval: '1d',
          bars: 1260,
          from: '2013-05-13T00:00:00.000Z',
          to: '2018-05-11T00:00:00.000Z',
          synthetic: true,
          sha256: '2'.repeat(64),
        },
      ],
      windows: {
        train: { from: null, to: '2016-11-12' },
        validation: { from: '2016-11-12', to: '2017-05-12' },
        test: { from: '2017-05-12', to: null },
        exclude: [{ from: '2015-01-01', to: '2015-02-01' }],
      },
      evaluation: EVALUATION,
      gates: FORCED_GATES,
    },
    engine,
    normalizer,
  };
}

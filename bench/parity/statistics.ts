/** What the seeds of both sides say: how well they end, how fast they learn, and which is likelier to be better. */
import { iqm } from '#src/stats/aggregate.js';
import type { Interval } from '#src/stats/bootstrap.js';
import { taskScores } from '#src/stats/scores.js';
import { improvementInterval, stratifiedBootstrap } from '#src/stats/stratified-bootstrap.js';
import type { CurveFile } from './store.js';

/** final: the score at the end. speed: the mean score along the curve, which is its area over the steps. */
export type Measure = 'final' | 'speed';
export const MEASURES: readonly Measure[] = ['final', 'speed'];

export interface Comparison {
  readonly task: string;
  readonly measure: Measure;
  readonly seeds: { readonly openbell: number; readonly peer: number };
  /** IQM over the seeds. */
  readonly openbell: Interval;
  readonly peer: Interval;
  /** Probability that a training of OpenBell's does better than one of the peer's. */
  readonly improvement: Interval;
  readonly verdict: 'level' | 'better' | 'WORSE';
}

/** Between these the sides are level. */
export const LEVEL = { from: 0.3, to: 0.7 };
const SEED = 1;

export function compareCurves(openbell: CurveFile, peer: CurveFile, measure: Measure, resamples?: number): Comparison {
  const ours = scoresOf(openbell, measure);
  const theirs = scoresOf(peer, measure);
  const options = { seed: SEED, ...(resamples === undefined ? {} : { resamples }) };
  const improvement = improvementInterval(ours, theirs, options);
  const { estimate } = improvement;
  return {
    task: openbell.task,
    measure,
    seeds: { openbell: openbell.seeds.length, peer: peer.seeds.length },
    openbell: stratifiedBootstrap(ours, iqm, options),
    peer: stratifiedBootstrap(theirs, iqm, options),
    improvement,
    verdict: estimate < LEVEL.from ? 'WORSE' : estimate > LEVEL.to ? 'better' : 'level',
  };
}

/** One task, a value a seed. */
export function scoresOf(curves: CurveFile, measure: Measure): ReturnType<typeof taskScores> {
  const where = `${curves.task}, ${curves.side}`;
  const value = (scores: readonly number[]): number =>
    measure === 'final' ? (scores.at(-1) ?? Number.NaN) : areaUnder(curves.timesteps, scores);
  return taskScores([curves.seeds.map(({ scores }) => value(scores))], where);
}

/** Mean of the curve over the steps, by trapezoids. */
export function areaUnder(timesteps: readonly number[], scores: readonly number[]): number {
  let area = 0;
  for (let k = 1; k < scores.length; k++) {
    area += ((scores[k] + scores[k - 1]) / 2) * (timesteps[k] - timesteps[k - 1]);
  }
  return area / (timesteps[timesteps.length - 1] - timesteps[0]);
}

export interface BandPoint {
  readonly timesteps: number;
  readonly iqm: number;
  readonly low: number;
  readonly high: number;
}

/** IQM over the seeds and its interval at every score of the curve. */
export function curveBand({ timesteps, seeds }: CurveFile, resamples = 2000): BandPoint[] {
  return timesteps.map((steps, k) => {
    const scores = taskScores([seeds.map(({ scores: own }) => own[k])]);
    const { estimate, low, high } = stratifiedBootstrap(scores, iqm, { seed: SEED, resamples });
    return { timesteps: steps, iqm: estimate, low, high };
  });
}

/** Learning curves of a group's runs, as one curve with a band over seeds. */
import type { Band, LearningBand } from '#src/report/compare-model.js';
import type { LearningCurve } from '#src/report/model.js';
import { iqm } from '#src/stats/aggregate.js';
import { stratifiedBootstrap } from '#src/stats/stratified-bootstrap.js';
import type { CompareGroup } from './compare-table.js';

const TITLES: readonly string[] = ['Validation score', 'Episode return (mean of 100)'];
const POINTS = 60;
const RESAMPLES = 400;

/** IQM over seeds with its pointwise 95% interval; titles that no run has are left out. */
export function learningBands(groups: readonly CompareGroup[], seed: number): LearningBand[] {
  return TITLES.flatMap((title) => {
    const drawn = groups.flatMap(({ name, runs }) => {
      const curves = runs.flatMap(({ curves: own }) => own.filter((curve) => curve.title === title));
      return curves.length === 0 ? [] : [{ name, runs: curves.length, band: bandOf(curves, seed) }];
    });
    return drawn.length === 0 ? [] : [{ title, groups: drawn }];
  });
}

function bandOf(curves: readonly LearningCurve[], seed: number): Band {
  // only where all runs have figures, so that no run's end makes a step in the band
  const from = Math.max(...curves.map(({ steps }) => steps[0]));
  const to = Math.min(...curves.map(({ steps }) => steps[steps.length - 1]));
  const own = curves[0].steps.filter((step) => step >= from && step <= to);
  const at = Float64Array.from(
    own.length <= POINTS && own.length > 0
      ? own
      : Array.from({ length: POINTS }, (_, k) => from + ((to - from) * k) / (POINTS - 1)),
  );
  const middle = new Float64Array(at.length);
  const low = new Float64Array(at.length);
  const high = new Float64Array(at.length);
  at.forEach((step, k) => {
    const values = [Float64Array.from(curves, (curve) => valueAt(curve, step))];
    const interval = stratifiedBootstrap(values, iqm, { seed, resamples: RESAMPLES });
    [middle[k], low[k], high[k]] = [interval.estimate, interval.low, interval.high];
  });
  return { at, middle, low, high };
}

/** Linear between the steps at which the run wrote a figure. */
function valueAt({ steps, values }: LearningCurve, step: number): number {
  let k = 0;
  while (k < steps.length - 1 && steps[k + 1] <= step) k += 1;
  const next = Math.min(k + 1, steps.length - 1);
  if (next === k || steps[k] >= step) return values[k];
  return values[k] + ((step - steps[k]) / (steps[next] - steps[k])) * (values[next] - values[k]);
}

/**
 * A pure random walk with costs: nothing that is seen says anything of what comes. No policy earns more than
 * nothing on average, and whoever trades pays. The best policy never trades.
 */
import { checkIndependent, INDEPENDENT_PARAMETERS, type IndependentParameters } from './leaked-future.js';
import type { KnownMarket, PathView } from './known-market.js';
import type { RandomStream } from '#env/seeding.js';

/** Past returns that are seen: enough to find patterns that are not there. */
const HISTORY = 4;

/** Signals (4): the last four log-returns / s, the latest first. */
export function randomWalkMarket(parameters: IndependentParameters = INDEPENDENT_PARAMETERS): KnownMarket {
  checkIndependent(parameters, 'random-walk');
  const { shock, costPerUnit } = parameters;
  return {
    id: 'random-walk',
    signalSize: HISTORY,
    costPerUnit,
    episodeSteps: 250,
    showsUnrealizedReturn: false,
    draw({ changes, signals, states }: PathView, steps: number, stream: RandomStream): void {
      states.fill(0); // there is nothing to know
      for (let k = 0; k < HISTORY; k++) signals[k] = stream.normal();
      for (let t = 0; t < steps; t++) {
        const deviate = stream.normal();
        changes[t] = shock * deviate;
        const row = (t + 1) * HISTORY;
        signals[row] = deviate;
        for (let k = 1; k < HISTORY; k++) signals[row + k] = signals[row - HISTORY + k - 1];
      }
    },
  };
}

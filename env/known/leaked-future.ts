/**
 * A market that leaks: independent returns, and the observation shows the next one. A learner that cannot find
 * this leak is broken; a workbench that shows such a result on real data has a leak.
 */
import { independentProblem, type TradingProblem } from './dynamic-programming.js';
import { cost, type KnownMarket, type PathView, positive } from './known-market.js';
import type { RandomStream } from '#env/seeding.js';

export interface IndependentParameters {
  /** s: standard deviation of a step's log-return. */
  readonly shock: number;
  /** Log-return paid for each unit of position changed. */
  readonly costPerUnit: number;
}

export const INDEPENDENT_PARAMETERS: IndependentParameters = { shock: 0.01, costPerUnit: 0.002 };

/** Signal (1): the log-return of the coming step / s. */
export function leakedFutureMarket(parameters: IndependentParameters = INDEPENDENT_PARAMETERS): KnownMarket {
  checkIndependent(parameters, 'leaked-future');
  const { shock, costPerUnit } = parameters;
  return {
    id: 'leaked-future',
    signalSize: 1,
    costPerUnit,
    episodeSteps: 250,
    showsUnrealizedReturn: false,
    draw({ changes, signals, states }: PathView, steps: number, stream: RandomStream): void {
      for (let t = 0; t < steps; t++) {
        const deviate = stream.normal();
        changes[t] = shock * deviate;
        signals[t] = deviate;
        states[t] = deviate;
      }
      // seen at the end, never earned
      states[steps] = stream.normal();
      signals[steps] = states[steps];
    },
  };
}

/** The market as dynamic programming sees it: what is seen is earned, and says nothing of what comes after. */
export function leakedFutureProblem(
  parameters: IndependentParameters = INDEPENDENT_PARAMETERS,
  gridSize = 4001,
): TradingProblem {
  checkIndependent(parameters, 'leaked-future');
  return independentProblem((signal) => parameters.shock * signal, parameters.costPerUnit, gridSize);
}

export function checkIndependent({ shock, costPerUnit }: IndependentParameters, where: string): void {
  positive(shock, `${where} shock`);
  cost(costPerUnit, `${where} costPerUnit`);
}

/**
 * The Ornstein-Uhlenbeck market: the log-price returns to 0, and its distance from there is seen. Mean reversion
 * pays, trading costs: the best policy holds a side until the price has crossed well beyond the middle.
 */
import { type Diffusion, diffusionProblem, type TradingProblem } from './dynamic-programming.js';
import { cost, type KnownMarket, type PathView, positive } from './known-market.js';
import type { RandomStream } from '#env/seeding.js';
import { fail } from '#src/errors.js';

export interface OuParameters {
  /** k: share of the distance that is lost at each step, above 0 and under 2. */
  readonly meanReversion: number;
  /** s: standard deviation of a step's shock, in log-price. */
  readonly shock: number;
  /** Log-return paid for each unit of position changed. */
  readonly costPerUnit: number;
}

export const OU_PARAMETERS: OuParameters = { meanReversion: 0.05, shock: 0.01, costPerUnit: 0.002 };

/** Standard deviation of the log-price in the long run: s / sqrt(1 - (1 - k)^2). */
export function stationaryDeviation({ meanReversion, shock }: OuParameters): number {
  const stay = 1 - meanReversion;
  return shock / Math.sqrt(1 - stay * stay);
}

/** Signal (1): log-price / stationary deviation. x' = (1 - k) x + s e, started in its stationary distribution. */
export function ouMarket(parameters: OuParameters = OU_PARAMETERS): KnownMarket {
  checkParameters(parameters);
  const deviation = stationaryDeviation(parameters);
  return {
    id: 'ou',
    signalSize: 1,
    costPerUnit: parameters.costPerUnit,
    episodeSteps: 250,
    showsUnrealizedReturn: false,
    draw({ changes, signals, states }: PathView, steps: number, stream: RandomStream): void {
      let x = deviation * stream.normal();
      states[0] = x / deviation;
      signals[0] = states[0];
      for (let t = 0; t < steps; t++) {
        const next = nextLogPrice(x, parameters, stream);
        changes[t] = next - x;
        x = next;
        states[t + 1] = x / deviation;
        signals[t + 1] = states[t + 1];
      }
    },
  };
}

/** x' = (1 - k) x + s e */
export function nextLogPrice(x: number, { meanReversion, shock }: OuParameters, stream: RandomStream): number {
  return (1 - meanReversion) * x + shock * stream.normal();
}

/** The market as dynamic programming sees it, on a grid of x in stationary deviations. */
export function ouProblem(parameters: OuParameters = OU_PARAMETERS, gridSize = 401): TradingProblem {
  checkParameters(parameters);
  const deviation = stationaryDeviation(parameters);
  const diffusion: Diffusion = {
    persistence: 1 - parameters.meanReversion,
    shock: parameters.shock / deviation,
    drift: (signal) => -parameters.meanReversion * deviation * signal,
  };
  return diffusionProblem(diffusion, parameters.costPerUnit, gridSize);
}

export function checkParameters({ meanReversion, shock, costPerUnit }: OuParameters): void {
  if (!(meanReversion > 0 && meanReversion < 2)) {
    fail('ENV_CONFIG', {
      where: 'ou meanReversion',
      value: meanReversion,
      message: 'must be above 0 and under 2, or the log-price has no stationary distribution',
    });
  }
  positive(shock, 'ou shock');
  cost(costPerUnit, 'ou costPerUnit');
}

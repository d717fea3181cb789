import { describe, expect, it } from 'vitest';
import { gainOf, OptimalPolicy, solve, tabulate, type TradingProblem } from './dynamic-programming.js';
import { FLAT, type KnownMarket, LONG, SHORT } from './known-market.js';
import { KnownMarketEnv } from './known-market-env.js';
import { INDEPENDENT_PARAMETERS, leakedFutureMarket, leakedFutureProblem } from './leaked-future.js';
import { OU_PARAMETERS, ouMarket, ouProblem } from './ou-market.js';

type Choose = (signal: number, position: number) => number;

const PATHS = 200;
const STEPS = 1000;

/** (PATHS) mean reward a step on each of the common paths. */
function onCommonPaths(market: KnownMarket, choose: Choose): Float64Array {
  const env = new KnownMarketEnv(market, PATHS, { steps: STEPS, purpose: 'evaluation' });
  env.reset({ seed: 1 });
  const actions = new Int32Array(PATHS);
  for (let t = 0; t < STEPS; t++) {
    for (let i = 0; i < PATHS; i++) actions[i] = choose(env.observations[2 * i], env.observations[2 * i + 1]);
    env.step(actions);
  }
  return env.episodeReturns.map((total) => total / STEPS);
}

function meanAndError(values: Float64Array): { mean: number; error: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / (values.length - 1);
  return { mean, error: Math.sqrt(variance / values.length) };
}

/**
 * Short above `enter`, long below -enter; a position is left for none when the signal has come back within `leave`
 * of the middle on its side (-enter: held until the other side is entered).
 */
function threshold(enter: number, leave: number): Choose {
  return (signal, position) => {
    if (signal > enter) return SHORT;
    if (signal < -enter) return LONG;
    if (position < 0) return signal > leave ? SHORT : FLAT;
    if (position > 0) return -signal > leave ? LONG : FLAT;
    return FLAT;
  };
}

describe('the Ornstein-Uhlenbeck market', () => {
  const problem = ouProblem();
  const solution = solve(problem);
  const optimum = new OptimalPolicy(problem, solution);
  const optimal = onCommonPaths(ouMarket(), (signal, position) => optimum.choose(signal, position));

  it('has an optimum of 0.00109 a step on a grid of 401 points', () => {
    expect(solution.gain.toFixed(5)).toBe('0.00109');
  });

  it('has the same optimum on a finer grid, and by following its policy', () => {
    expect(Math.abs(solve(ouProblem(OU_PARAMETERS, 801)).gain - solution.gain)).toBeLessThan(1e-7);
    expect(Math.abs(gainOf(problem, solution.policy) - solution.gain)).toBeLessThan(1e-9);
    expect(Math.abs(gainOf(problem, tabulate(problem, optimum)) - solution.gain)).toBeLessThan(1e-8);
  });

  it('has an optimal policy that earns the optimum on drawn paths', () => {
    const { mean, error } = meanAndError(optimal);
    expect(error).toBeLessThan(3e-5);
    expect(Math.abs(mean - solution.gain)).toBeLessThan(3 * error);
  });

  it('has an optimal policy that no threshold policy beats on the same paths', () => {
    const rivals = [0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1, 1.5].flatMap((enter) =>
      [-enter, -enter / 2, 0, enter / 2].map((leave) => ({ enter, leave })),
    );
    const short: string[] = [];
    for (const { enter, leave } of rivals) {
      const rival = onCommonPaths(ouMarket(), threshold(enter, leave));
      const { mean, error } = meanAndError(optimal.map((value, i) => value - rival[i]));
      if (!(mean > -2 * error)) short.push(`enter ${enter}, leave ${leave}: ${mean} +- ${error}`);
    }
    expect(short).toEqual([]);
    // and the far-off ones lose clearly, so that the comparison can fail
    const hasty = meanAndError(optimal.map((value, i) => value - onHasty[i]));
    expect(hasty.mean).toBeGreaterThan(5 * hasty.error);
  });
  const onHasty = onCommonPaths(ouMarket(), threshold(0.05, 0));

  it('is worth nothing to random positions but their costs', () => {
    const size = problem.grid.length;
    const constant = new Uint8Array(3 * size).fill(LONG);
    expect(Math.abs(gainOf(problem, constant))).toBeLessThan(1e-12);
    const alternating = Uint8Array.from({ length: 3 * size }, (_, k) => (k < 2 * size ? LONG : SHORT));
    // from flat to long, then short and long in turn: two units a step
    expect(gainOf(problem, alternating)).toBeCloseTo(-2 * OU_PARAMETERS.costPerUnit, 6);
  });

  it('without costs, holds the side against the price at once: k x E|x|', () => {
    const free = solve(ouProblem({ ...OU_PARAMETERS, costPerUnit: 0 }));
    const expected = 0.05 * (0.01 / Math.sqrt(1 - 0.95 * 0.95)) * Math.sqrt(2 / Math.PI);
    expect(Math.abs(free.gain / expected - 1)).toBeLessThan(1e-4);
  });
});

describe('the leaked future', () => {
  const problem = leakedFutureProblem();
  const solution = solve(problem);
  const { shock, costPerUnit } = INDEPENDENT_PARAMETERS;

  it('has the optimum of its closed form: reverse where the coming loss exceeds half the cost of a reversal', () => {
    // One unit held on either side, reversed where the coming loss exceeds c: E = 2 s phi(c/s) - 2 c Phi(-c/s).
    const ratio = costPerUnit / shock;
    const density = Math.exp((-ratio * ratio) / 2) / Math.sqrt(2 * Math.PI);
    const expected = 2 * shock * density - 2 * costPerUnit * lowerTail(-ratio);
    expect(Math.abs(solution.gain - expected)).toBeLessThan(1e-7);
  });

  it('has an optimal policy that earns it on drawn paths', () => {
    const optimum = new OptimalPolicy(problem, solution);
    const { mean, error } = meanAndError(
      onCommonPaths(leakedFutureMarket(), (signal, position) => optimum.choose(signal, position)),
    );
    expect(Math.abs(mean - solution.gain)).toBeLessThan(3 * error);
    expect(Math.abs(gainOf(problem, solution.policy) - solution.gain)).toBeLessThan(1e-9);
  });
});

it('never trades where nothing is known', () => {
  const problem: TradingProblem = { ...leakedFutureProblem(), drift: () => 0 };
  const solution = solve(problem);
  expect(solution.gain).toBe(0);
  const size = problem.grid.length;
  expect(solution.policy.every((action, k) => action === Math.floor(k / size))).toBe(true);
});

it('refuses a grid that is too coarse for the steps', () => {
  expect(() => ouProblem(OU_PARAMETERS, 31)).toThrow(/ENV_CONFIG dynamic programming gridSize 31.*at least 66 points/);
});

/** Standard normal distribution function, by Simpson's rule over [-10, z]. */
function lowerTail(z: number): number {
  const steps = 20_000;
  const width = (z + 10) / steps;
  let sum = 0;
  for (let j = 0; j <= steps; j++) {
    const x = -10 + j * width;
    const weight = j === 0 || j === steps ? 1 : j % 2 === 1 ? 4 : 2;
    sum += weight * Math.exp((-x * x) / 2);
  }
  return (sum * width) / 3 / Math.sqrt(2 * Math.PI);
}

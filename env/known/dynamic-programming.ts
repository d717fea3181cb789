/**
 * The best policy of a known market, by average-reward value iteration over a grid of what is seen and the three
 * positions. Source: Puterman, Markov Decision Processes (1994), section 8.5 (relative value iteration).
 */
import { exp } from '#env/math/index.js';
import { fail } from '#src/errors.js';
import { cost, FLAT, positiveInteger, POSITIONS } from './known-market.js';

/** How what is seen moves from one decision to the next, whatever is done: a quadrature on the grid. */
export interface Transition {
  /** (G) stationary weights of the grid points; they sum to 1. */
  readonly stationary: Float64Array;
  /** out (G) expectation of values (G) one step later, from each grid point. */
  expect(out: Float64Array, values: Float64Array): void;
  /** out (G) += mass (G) moved one step on. */
  propagate(out: Float64Array, mass: Float64Array): void;
}

export interface TradingProblem {
  /** (G) ascending, evenly spaced: the signal, as the observation shows it. */
  readonly grid: Float64Array;
  /** Expected log-return of the coming step, given the signal. */
  readonly drift: (signal: number) => number;
  readonly costPerUnit: number;
  readonly transition: Transition;
}

/** An autoregressive signal of unit stationary variance: z' = persistence z + shock e. */
export interface Diffusion {
  readonly persistence: number;
  readonly shock: number;
  readonly drift: (signal: number) => number;
}

export interface Solution {
  /** The optimum: log-return a step, in the long run, costs paid. */
  readonly gain: number;
  /** (3,G) relative value of leaving a decision with each position, at each grid point. */
  readonly continuation: Float64Array;
  /** (3,G) best action by position held, at each grid point. */
  readonly policy: Uint8Array;
  readonly iterations: number;
}

/** Grid's reach, in standard deviations of the signal. The mass beyond, 6e-7, earns nothing that shows in the optimum. */
const REACH = 5;
/** A Gaussian's mass beyond, 1e-15, is nothing in float64. */
const BAND = 8;
/** Of the optimum, in log-return a step. */
const TOLERANCE = 1e-12;
/** Mass that still moves, in sum: what it earns is a hundredth of it. */
const SETTLED = 1e-10;
const MAX_ITERATIONS = 20_000;
const ACTIONS = POSITIONS.length;

/**
 * A mean-reverting signal on a grid of `gridSize` points over +-5 deviations. The Gaussian step is integrated by
 * the trapezoidal rule on the grid itself, whose error falls faster than any power of the spacing. Throws
 * ENV_CONFIG where the grid is too coarse for that (spacing above half the shock).
 */
export function diffusionProblem(diffusion: Diffusion, costPerUnit: number, gridSize: number): TradingProblem {
  const { persistence, shock, drift } = diffusion;
  const grid = evenGrid(gridSize);
  const spacing = grid[1] - grid[0];
  if (!(spacing <= shock / 2)) {
    fail('ENV_CONFIG', {
      where: 'dynamic programming gridSize',
      value: gridSize,
      message: `the spacing ${spacing} exceeds half the signal's shock ${shock}: take at least ${Math.ceil((4 * REACH) / shock) + 1} points`,
    });
  }
  const transition = new BandedTransition(grid, persistence, shock);
  return { grid, drift, costPerUnit: cost(costPerUnit, 'dynamic programming costPerUnit'), transition };
}

/** A signal that is drawn afresh, standard normal, at every step. */
export function independentProblem(
  drift: (signal: number) => number,
  costPerUnit: number,
  gridSize: number,
): TradingProblem {
  const grid = evenGrid(gridSize);
  const transition = new IndependentTransition(grid);
  return { grid, drift, costPerUnit: cost(costPerUnit, 'dynamic programming costPerUnit'), transition };
}

/** Solves for the largest average reward. Throws ENV_CONFIG where 20,000 iterations do not settle it to 1e-12. */
export function solve(problem: TradingProblem): Solution {
  const { grid, costPerUnit, transition } = problem;
  const size = grid.length;
  const drift = grid.map(problem.drift);
  const values = new Float64Array(ACTIONS * size); // (3,G) by position held
  const continuation = new Float64Array(ACTIONS * size);
  const policy = new Uint8Array(ACTIONS * size);
  for (let iteration = 1; iteration <= MAX_ITERATIONS; iteration++) {
    for (let a = 0; a < ACTIONS; a++) transition.expect(row(continuation, a, size), row(values, a, size));
    let least = Infinity;
    let most = -Infinity;
    for (let held = 0; held < ACTIONS; held++) {
      for (let i = 0; i < size; i++) {
        let best = -Infinity;
        for (let a = 0; a < ACTIONS; a++) {
          const value = immediate(drift[i], costPerUnit, held, a) + continuation[a * size + i];
          if (value > best) {
            best = value;
            policy[held * size + i] = a;
          }
        }
        const gained = best - values[held * size + i];
        least = Math.min(least, gained);
        most = Math.max(most, gained);
        values[held * size + i] = best;
      }
    }
    // the optimum lies between the least and the most that any state gained
    if (most - least < TOLERANCE) return { gain: (most + least) / 2, continuation, policy, iterations: iteration };
    const reference = values[FLAT * size + (size >> 1)];
    for (let k = 0; k < values.length; k++) values[k] -= reference;
  }
  return fail('ENV_CONFIG', {
    where: 'dynamic programming',
    value: MAX_ITERATIONS,
    message: 'value iteration does not settle: the market hardly moves from one step to the next; use larger steps',
  });
}

/**
 * Average reward of any policy (3,G) on the grid, by following the distribution of signal and position from the
 * stationary signal and no position. No chance is in it: this is what the policy earns in the long run.
 */
export function gainOf(problem: TradingProblem, policy: Uint8Array): number {
  const { grid, costPerUnit, transition } = problem;
  const size = grid.length;
  const drift = grid.map(problem.drift);
  const mass = new Float64Array(ACTIONS * size);
  mass.set(transition.stationary, FLAT * size);
  const moved = new Float64Array(ACTIONS * size);
  const chosen = new Float64Array(ACTIONS * size);
  let gain = 0;
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    chosen.fill(0);
    moved.fill(0);
    gain = 0;
    for (let held = 0; held < ACTIONS; held++) {
      for (let i = 0; i < size; i++) {
        const weight = mass[held * size + i];
        const a = policy[held * size + i];
        gain += weight * immediate(drift[i], costPerUnit, held, a);
        chosen[a * size + i] += weight;
      }
    }
    for (let a = 0; a < ACTIONS; a++) transition.propagate(row(moved, a, size), row(chosen, a, size));
    let difference = 0;
    for (let k = 0; k < mass.length; k++) {
      difference += Math.abs(moved[k] - mass[k]);
      // half of it waits: the long run is the same, and a policy that alternates settles too
      mass[k] = 0.5 * (mass[k] + moved[k]);
    }
    if (difference < SETTLED) break;
  }
  return gain;
}

/** Whoever chooses actions (B) for observations (B,2) of signal and position. */
export interface Chooser {
  act(actions: Int32Array, observations: Float32Array, masks: null, batch: number): void;
}

/** What a policy does at every grid point with every position: (3,G), for `gainOf`. */
export function tabulate({ grid }: TradingProblem, chooser: Chooser): Uint8Array {
  const size = grid.length;
  const rows = ACTIONS * size;
  const observations = new Float32Array(rows * 2);
  for (let held = 0; held < ACTIONS; held++) {
    for (let i = 0; i < size; i++) {
      observations[2 * (held * size + i)] = grid[i];
      observations[2 * (held * size + i) + 1] = POSITIONS[held];
    }
  }
  const actions = new Int32Array(rows);
  chooser.act(actions, observations, null, rows);
  return Uint8Array.from(actions);
}

/** The best policy off the grid: the relative values of its two neighbours are interpolated linearly, the drift is exact. */
export class OptimalPolicy {
  readonly name = 'optimum';
  readonly #problem: TradingProblem;
  readonly #continuation: Float64Array;

  constructor(problem: TradingProblem, solution: Solution) {
    this.#problem = problem;
    this.#continuation = solution.continuation;
  }

  /** Fills actions (B) for observations (B,2) of signal and position. */
  act(actions: Int32Array | Float32Array, observations: Float32Array, _masks: Uint8Array | null, batch: number): void {
    for (let b = 0; b < batch; b++) actions[b] = this.choose(observations[2 * b], observations[2 * b + 1]);
  }

  /** Best action with `signal` seen and `position` (-1, 0, 1) held. Beyond the grid its edge's values count. */
  choose(signal: number, position: number): number {
    const { grid, drift, costPerUnit } = this.#problem;
    const size = grid.length;
    const held = Math.round(position) + FLAT;
    const at = Math.min(Math.max((signal - grid[0]) / (grid[1] - grid[0]), 0), size - 1);
    const below = Math.min(Math.floor(at), size - 2);
    const share = at - below;
    const expected = drift(signal);
    let best = -Infinity;
    let action = held;
    for (let a = 0; a < ACTIONS; a++) {
      const left = this.#continuation[a * size + below];
      const right = this.#continuation[a * size + below + 1];
      const value = immediate(expected, costPerUnit, held, a) + left + share * (right - left);
      if (value > best) {
        best = value;
        action = a;
      }
    }
    return action;
  }
}

/** Expected reward of a decision: position x drift - cost x units changed. */
function immediate(drift: number, costPerUnit: number, held: number, action: number): number {
  return POSITIONS[action] * drift - costPerUnit * Math.abs(action - held);
}

function row(table: Float64Array, index: number, size: number): Float64Array {
  return table.subarray(index * size, (index + 1) * size);
}

function evenGrid(size: number): Float64Array {
  positiveInteger(size, 'dynamic programming gridSize');
  if (size < 3)
    fail('ENV_CONFIG', { where: 'dynamic programming gridSize', value: size, message: 'take at least 3 points' });
  return Float64Array.from({ length: size }, (_, i) => -REACH + (2 * REACH * i) / (size - 1));
}

/** Weights at the grid points, summing to 1. */
function normalWeights(out: Float64Array, points: Float64Array, mean: number, deviation: number): void {
  let total = 0;
  for (let j = 0; j < points.length; j++) {
    const z = (points[j] - mean) / deviation;
    out[j] = exp(-0.5 * z * z);
    total += out[j];
  }
  for (let j = 0; j < points.length; j++) out[j] /= total;
}

/** z' = persistence z + shock e. Each row of weights is kept only where it is not nothing. */
class BandedTransition implements Transition {
  readonly stationary: Float64Array;
  readonly #first: Int32Array; // (G) first column of each row's band
  readonly #weights: readonly Float64Array[];

  constructor(grid: Float64Array, persistence: number, shock: number) {
    this.stationary = new Float64Array(grid.length);
    normalWeights(this.stationary, grid, 0, 1);
    const spacing = grid[1] - grid[0];
    const last = grid.length - 1;
    this.#first = new Int32Array(grid.length);
    this.#weights = Array.from(grid, (z, i) => {
      const mean = persistence * z;
      const from = Math.max(0, Math.ceil((mean - BAND * shock - grid[0]) / spacing));
      const to = Math.min(last, Math.floor((mean + BAND * shock - grid[0]) / spacing));
      this.#first[i] = from;
      const weights = new Float64Array(to - from + 1);
      normalWeights(weights, grid.subarray(from, to + 1), mean, shock);
      return weights;
    });
  }

  expect(out: Float64Array, values: Float64Array): void {
    for (let i = 0; i < out.length; i++) {
      const weights = this.#weights[i];
      const first = this.#first[i];
      let sum = 0;
      for (let j = 0; j < weights.length; j++) sum += weights[j] * values[first + j];
      out[i] = sum;
    }
  }

  propagate(out: Float64Array, mass: Float64Array): void {
    for (let i = 0; i < mass.length; i++) {
      const weights = this.#weights[i];
      const first = this.#first[i];
      if (mass[i] === 0) continue;
      for (let j = 0; j < weights.length; j++) out[first + j] += mass[i] * weights[j];
    }
  }
}

/** The next signal is a fresh standard normal, whatever the last one was. */
class IndependentTransition implements Transition {
  readonly stationary: Float64Array;

  constructor(grid: Float64Array) {
    this.stationary = new Float64Array(grid.length);
    normalWeights(this.stationary, grid, 0, 1);
  }

  expect(out: Float64Array, values: Float64Array): void {
    let sum = 0;
    for (let j = 0; j < values.length; j++) sum += this.stationary[j] * values[j];
    out.fill(sum);
  }

  propagate(out: Float64Array, mass: Float64Array): void {
    let total = 0;
    for (let j = 0; j < mass.length; j++) total += mass[j];
    for (let j = 0; j < out.length; j++) out[j] += total * this.stationary[j];
  }
}

/**
 * What the 14 features tell of the Ornstein-Uhlenbeck state, apart from any learner: the state is estimated from the
 * market features by least squares, and the estimate is traded by the best policy for it. The learner cannot be
 * blamed for what this loses too.
 */
import type { Actor } from '#agents/actor.js';
import { diffusionProblem, OptimalPolicy, solve } from '#env/known/dynamic-programming.js';
import { ouFeaturesMarket } from '#env/known/ou-features.js';
import { OU_PARAMETERS, stationaryDeviation } from '#env/known/ou-market.js';
import { MARKET_FEATURE_COUNT } from '#env/market/observation/index.js';
import { RandomStream } from '#env/seeding.js';
import { fail } from '#src/errors.js';

export interface StateEstimate {
  /** Share of the state's variance that the features explain, on paths that the fit did not see. */
  readonly rSquared: number;
  /** Trades the estimate as the optimum would if it were all there is to know. Takes observations (B,14). */
  readonly actor: Actor;
}

interface Sample {
  /** (P (T+1), F) features, path after path. */
  readonly features: Float32Array;
  /** (P (T+1)) log-price / stationary deviation. */
  readonly states: Float64Array;
  readonly rowsPerPath: number;
}

const FIT_PATHS = 100;
const FIT_STEPS = 1000;
/** Keeps the equations solvable where a feature never changes (volume) or follows from others. */
const RIDGE = 1e-9;
const GRID_SIZE = 401;
const F = MARKET_FEATURE_COUNT;
const OBSERVATION_SIZE = F + 2;

/** Fits on paths of their own, drawn from `seed`. */
export function estimateState(seed: number): StateEstimate {
  const fit = drawSample(new RandomStream(seed, 'prove/fit'));
  const model = leastSquares(fit);
  const held = drawSample(new RandomStream(seed, 'prove/fit-check'));
  const estimates = held.states.map((_, row) => model(held.features, row * F));
  const { rSquared, deviation, persistence } = momentsOf(estimates, held);
  const { meanReversion, costPerUnit } = OU_PARAMETERS;
  // least squares leaves the state's expectation, given the estimate, at the estimate itself
  const drift = (signal: number): number => -meanReversion * stationaryDeviation(OU_PARAMETERS) * deviation * signal;
  const shock = Math.sqrt(1 - persistence * persistence);
  const problem = diffusionProblem({ persistence, shock, drift }, costPerUnit, GRID_SIZE);
  const best = new OptimalPolicy(problem, solve(problem));
  const actor: Actor = {
    name: 'estimate',
    act(actions, observations, _masks, batch) {
      for (let b = 0; b < batch; b++) {
        const offset = b * OBSERVATION_SIZE;
        actions[b] = best.choose(model(observations, offset) / deviation, observations[offset + F]);
      }
    },
  };
  return { rSquared, actor };
}

function drawSample(stream: RandomStream): Sample {
  const rowsPerPath = FIT_STEPS + 1;
  const features = new Float32Array(FIT_PATHS * rowsPerPath * F);
  const states = new Float64Array(FIT_PATHS * rowsPerPath);
  const changes = new Float64Array(FIT_STEPS);
  const market = ouFeaturesMarket();
  for (let p = 0; p < FIT_PATHS; p++) {
    const from = p * rowsPerPath;
    const signals = features.subarray(from * F, (from + rowsPerPath) * F);
    market.draw({ changes, signals, states: states.subarray(from, from + rowsPerPath) }, FIT_STEPS, stream);
  }
  return { features, states, rowsPerPath };
}

/** Regression of the state on the features and a constant. Returns its prediction for features[offset ... offset + F). */
function leastSquares({ features, states }: Sample): (features: Float32Array, offset: number) => number {
  const rows = states.length;
  const means = new Float64Array(F);
  const deviations = new Float64Array(F);
  for (let k = 0; k < F; k++) {
    for (let row = 0; row < rows; row++) means[k] += features[row * F + k] / rows;
    for (let row = 0; row < rows; row++) {
      const difference = features[row * F + k] - means[k];
      deviations[k] += (difference * difference) / rows;
    }
    deviations[k] = Math.sqrt(deviations[k]) || 1;
  }
  const stateMean = states.reduce((sum, state) => sum + state, 0) / rows;
  const matrix = Array.from({ length: F }, () => new Float64Array(F));
  const right = new Float64Array(F);
  const z = new Float64Array(F);
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < F; k++) z[k] = (features[row * F + k] - means[k]) / deviations[k];
    for (let k = 0; k < F; k++) {
      right[k] += (z[k] * (states[row] - stateMean)) / rows;
      for (let j = 0; j <= k; j++) matrix[k][j] += (z[k] * z[j]) / rows;
    }
  }
  for (let k = 0; k < F; k++) matrix[k][k] += RIDGE;
  const weights = solveSymmetric(matrix, right);
  return (values, offset) => {
    let sum = stateMean;
    for (let k = 0; k < F; k++) sum += (weights[k] * (values[offset + k] - means[k])) / deviations[k];
    return sum;
  };
}

/** Cholesky's method; `matrix` is symmetric, its lower triangle is given and overwritten. */
function solveSymmetric(matrix: Float64Array[], right: Float64Array): Float64Array {
  const size = right.length;
  const solution = right.slice();
  for (let k = 0; k < size; k++) {
    for (let j = 0; j <= k; j++) {
      let sum = matrix[k][j];
      for (let m = 0; m < j; m++) sum -= matrix[k][m] * matrix[j][m];
      if (k === j && !(sum > 0)) {
        fail('TRAIN_NON_FINITE', { where: 'state estimate', value: sum, message: 'the features are not independent' });
      }
      matrix[k][j] = k === j ? Math.sqrt(sum) : sum / matrix[j][j];
    }
  }
  for (let k = 0; k < size; k++) {
    for (let m = 0; m < k; m++) solution[k] -= matrix[k][m] * solution[m];
    solution[k] /= matrix[k][k];
  }
  for (let k = size - 1; k >= 0; k--) {
    for (let m = k + 1; m < size; m++) solution[k] -= matrix[m][k] * solution[m];
    solution[k] /= matrix[k][k];
  }
  return solution;
}

/** The estimate's quality, and how it moves: its deviation, and its correlation from one step to the next. */
function momentsOf(
  estimates: Float64Array,
  { states, rowsPerPath }: Sample,
): { rSquared: number; deviation: number; persistence: number } {
  const rows = states.length;
  const mean = states.reduce((sum, state) => sum + state, 0) / rows;
  let variance = 0;
  let residual = 0;
  let square = 0;
  let product = 0;
  let before = 0;
  for (let row = 0; row < rows; row++) {
    variance += (states[row] - mean) * (states[row] - mean);
    residual += (states[row] - estimates[row]) * (states[row] - estimates[row]);
    square += estimates[row] * estimates[row];
    if (row % rowsPerPath === 0) continue;
    product += estimates[row] * estimates[row - 1];
    before += estimates[row - 1] * estimates[row - 1];
  }
  return { rSquared: 1 - residual / variance, deviation: Math.sqrt(square / rows), persistence: product / before };
}

/** Random rollouts for tests and benchmarks of the engines. */
import type { RandomStream } from '#env/seeding.js';
import type { PolicyEngine, TrainingBatch, UpdateHyperparameters, UpdateLosses } from './contract.js';
import { actionColumns, headSize } from './layout.js';

export const PLAIN_HYPERPARAMETERS: UpdateHyperparameters = {
  learningRate: 3e-4,
  clipRange: 0.2,
  clipRangeVf: null,
  normalizeAdvantage: true,
  entCoef: 0,
  vfCoef: 0.5,
  maxGradNorm: 0.5,
  adamEps: 1e-5,
  klLimit: null,
};

export function emptyLosses(): UpdateLosses {
  return { policyLoss: 0, valueLoss: 0, entropy: 0, approxKl: 0, clipFraction: 0, gradNorm: 0, stepped: false };
}

/**
 * Random observations, acted on by the engine itself. `drift` shifts the stored log-probabilities and values by normal
 * deviates of that size, as if the policy had moved since: 0 leaves every ratio at 1.
 */
export function randomBatch(
  engine: PolicyEngine,
  stream: RandomStream,
  size: number,
  masked: boolean,
  drift: number,
): TrainingBatch {
  const { spec } = engine;
  const O = spec.observationSize;
  const A = headSize(spec);
  const K = actionColumns(spec);
  const normals = (n: number, scale = 1): Float32Array =>
    Float32Array.from({ length: n }, () => scale * stream.normal());
  const observations = normals(size * O);
  const masks = masked ? Uint8Array.from({ length: size * A }, () => (stream.uniform() < 0.6 ? 1 : 0)) : null;
  // At least one action is valid in every row.
  if (masks !== null) for (let t = 0; t < size; t++) masks[t * A + stream.integer(A)] = 1;
  const noise = Float64Array.from({ length: size * K }, () =>
    spec.action.kind === 'discrete' ? stream.uniform() : stream.normal(),
  );
  const actions = new Float32Array(size * K);
  const logProbs = new Float32Array(size);
  const values = new Float32Array(size);
  engine.act({ actions, logProbs, values }, observations, masks, noise, size);
  if (drift > 0) {
    for (let t = 0; t < size; t++) {
      logProbs[t] += drift * stream.normal();
      values[t] += drift * stream.normal();
    }
  }
  return { size, observations, actions, masks, logProbs, values, advantages: normals(size, 2), returns: normals(size) };
}

/** Initial parameters, drawn in float64 from a named stream, so that every engine starts from the same bits. */
import type { RandomStream } from '#env/seeding.js';
import type { PolicySpec } from './contract.js';
import { policyLayout, type LinearLayer } from './layout.js';

/** Hidden gain sqrt 2; 0.01 keeps the first policy nearly uniform; the value head is not scaled (stable-baselines3). */
const GAIN = { hidden: Math.SQRT2, action: 0.01, value: 1 } as const;

/**
 * The flat parameter vector. Orthogonal weights and zero biases, or with `orthoInit` false PyTorch's default for
 * linear layers: weights and biases uniform within 1 / sqrt(inputs).
 */
export function initialParameters(spec: PolicySpec, stream: RandomStream): Float32Array {
  const layout = policyLayout(spec);
  const parameters = new Float32Array(layout.parameterCount);
  const fill = (layers: readonly LinearLayer[]): void => {
    for (const { weight, bias, inputs, outputs, role } of layers) {
      if (spec.orthoInit) {
        const gain = GAIN[role];
        const matrix = orthogonalMatrix(inputs, outputs, stream);
        for (let i = 0; i < matrix.length; i++) parameters[weight.offset + i] = gain * matrix[i];
      } else {
        const bound = 1 / Math.sqrt(inputs);
        for (let i = 0; i < weight.size; i++) parameters[weight.offset + i] = bound * (2 * stream.uniform() - 1);
        for (let i = 0; i < bias.size; i++) parameters[bias.offset + i] = bound * (2 * stream.uniform() - 1);
      }
    }
  };
  fill(layout.actor);
  if (layout.logStd !== null)
    parameters.fill(spec.logStdInit, layout.logStd.offset, layout.logStd.offset + layout.logStd.size);
  fill(layout.critic);
  return parameters;
}

/**
 * A (rows, columns) matrix with orthonormal columns, or orthonormal rows where it is wide, uniform over all such
 * matrices: the Q of a matrix of normal deviates with the signs of R's diagonal made positive (F. Mezzadri, "How to
 * generate random matrices from the classical compact groups", 2007). Gram-Schmidt twice over: once is not enough
 * for orthogonality to rounding (Giraud et al., 2005).
 */
export function orthogonalMatrix(rows: number, columns: number, stream: RandomStream): Float64Array {
  const count = Math.min(rows, columns);
  const length = Math.max(rows, columns);
  const vectors: Float64Array[] = [];
  while (vectors.length < count) {
    const vector = Float64Array.from({ length }, () => stream.normal());
    const before = norm(vector);
    for (let pass = 0; pass < 2; pass++) {
      for (const other of vectors) {
        let dot = 0;
        for (let i = 0; i < length; i++) dot += vector[i] * other[i];
        for (let i = 0; i < length; i++) vector[i] -= dot * other[i];
      }
    }
    const after = norm(vector);
    // Nearly dependent on the earlier ones: what is left would be rounding noise, so draw another.
    if (after < 1e-10 * before) continue;
    for (let i = 0; i < length; i++) vector[i] /= after;
    vectors.push(vector);
  }
  const matrix = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      matrix[row * columns + column] = rows >= columns ? vectors[column][row] : vectors[row][column];
    }
  }
  return matrix;
}

function norm(vector: Float64Array): number {
  let sum = 0;
  for (const x of vector) sum += x * x;
  return Math.sqrt(sum);
}

/**
 * The kernels again, as plain as can be: row-major arrays, float32 by Math.fround where the kernel must agree to the
 * bit, float64 where it must agree to rounding.
 */
import { exp, log } from '#env/math/index.js';

const f = Math.fround;

/** out (B,O) = x (B,I) w (I,O) + b (O), summed in ascending i. */
export function linearForward(
  x: Float32Array,
  w: Float32Array,
  b: Float32Array,
  B: number,
  I: number,
  O: number,
): Float32Array {
  const out = new Float32Array(B * O);
  for (let row = 0; row < B; row++) {
    for (let o = 0; o < O; o++) {
      let sum = b[o];
      for (let i = 0; i < I; i++) sum = f(sum + f(x[row * I + i] * w[i * O + o]));
      out[row * O + o] = sum;
    }
  }
  return out;
}

/** dx (B,I) = dy (B,O) w^T, times the derivative of the activation whose output is x (B,I). */
export function linearBackwardInput(
  x: Float32Array,
  dy: Float32Array,
  w: Float32Array,
  B: number,
  I: number,
  O: number,
  activation: 'tanh' | 'relu',
): Float32Array {
  const dx = new Float32Array(B * I);
  for (let row = 0; row < B; row++) {
    for (let i = 0; i < I; i++) {
      let sum = 0;
      for (let o = 0; o < O; o++) sum = f(sum + f(dy[row * O + o] * w[i * O + o]));
      const h = x[row * I + i];
      dx[row * I + i] = activation === 'tanh' ? f(sum * f(1 - f(h * h))) : h > 0 ? sum : 0;
    }
  }
  return dx;
}

/** dw (I,O) = start + x^T dy, summed in ascending row. */
export function linearBackwardWeight(
  start: Float32Array,
  x: Float32Array,
  dy: Float32Array,
  B: number,
  I: number,
  O: number,
): Float32Array {
  const dw = start.slice();
  for (let i = 0; i < I; i++) {
    for (let o = 0; o < O; o++) {
      for (let row = 0; row < B; row++) dw[i * O + o] = f(dw[i * O + o] + f(x[row * I + i] * dy[row * O + o]));
    }
  }
  return dw;
}

/** db (O) = start + column sums of dy (B,O). */
export function linearBackwardBias(start: Float32Array, dy: Float32Array, B: number, O: number): Float32Array {
  const db = start.slice();
  for (let row = 0; row < B; row++) for (let o = 0; o < O; o++) db[o] = f(db[o] + dy[row * O + o]);
  return db;
}

/** One step of Adam on one parameter: the new [p, m, v]. */
export function adamStep(
  p: number,
  g: number,
  m: number,
  v: number,
  scale: number,
  stepSize: number,
  secondScale: number,
  eps: number,
): [number, number, number] {
  const d = f(g * f(scale));
  const first = f(f(f(0.9) * m) + f(f(1 - 0.9) * d));
  const second = f(f(f(0.999) * v) + f(f(1 - 0.999) * f(d * d)));
  const denominator = f(f(f(Math.sqrt(second)) * f(secondScale)) + f(eps));
  return [f(p - f(f(stepSize) * f(first / denominator))), first, second];
}

/** Mean and unbiased standard deviation. */
export function moments(values: readonly number[]): [number, number] {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return [mean, Math.sqrt(values.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / (values.length - 1))];
}

/** Log-probabilities of one row of logits, masked ones at -1e8 before. */
export function logSoftmax(logits: readonly number[], mask: readonly boolean[]): number[] {
  const kept = logits.map((logit, j) => (mask[j] ? logit : -1e8));
  const max = Math.max(...kept);
  const logSum = log(kept.reduce((sum, logit) => sum + exp(logit - max), 0));
  return kept.map((logit) => logit - max - logSum);
}

/** One row of the clipped surrogate: its loss and whether the ratio's gradient passes. */
export function surrogate(
  logProb: number,
  oldLogProb: number,
  advantage: number,
  clipRange: number,
): { loss: number; gradient: number } {
  const ratio = exp(logProb - oldLogProb);
  const clipped = Math.min(Math.max(ratio, 1 - clipRange), 1 + clipRange);
  const passes = advantage * ratio <= advantage * clipped;
  return { loss: -Math.min(advantage * ratio, advantage * clipped), gradient: passes ? -advantage * ratio : 0 };
}

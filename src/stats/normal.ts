/** The standard normal distribution function; its inverse is `normalQuantile` of env/math. */
import { exp } from '#env/math/index.js';

const INVERSE_ROOT_TWO_PI = 0.3989422804014327;
/** From here on the tail is a continued fraction; before, a Taylor series. */
const TAIL_FROM = 3;

/**
 * P(Z <= x), to about 1e-15 absolute and 1e-13 relative in the lower tail. Around 0 Marsaglia's series (2004,
 * "Evaluating the Normal Distribution"), in the tails Laplace's continued fraction, by Lentz's method.
 */
export function normalCdf(x: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  const size = Math.abs(x);
  if (size >= TAIL_FROM) {
    const tail = upperTail(size);
    return x > 0 ? 1 - tail : tail;
  }
  let sum = x;
  let term = x;
  for (let k = 3; k < 200; k += 2) {
    term *= (x * x) / k;
    const before = sum;
    sum += term;
    if (sum === before) break;
  }
  return 0.5 + sum * density(x);
}

/** P(Z > x) for x >= 3: density / (x + 1 / (x + 2 / (x + ...))). */
function upperTail(x: number): number {
  if (x > 40) return 0;
  let c = x;
  let d = 0;
  let fraction = x;
  for (let k = 1; k < 500; k++) {
    d = 1 / (x + k * d);
    c = x + k / c;
    const factor = c * d;
    fraction *= factor;
    if (Math.abs(factor - 1) < 1e-16) break;
  }
  return density(x) / fraction;
}

function density(x: number): number {
  return INVERSE_ROOT_TWO_PI * exp(-0.5 * x * x);
}

/**
 * How far one policy is from another: the Kullback-Leibler divergence of their action distributions, in nats
 * (Kullback and Leibler 1951), averaged over observations as TRPO and PPO average it (Schulman et al. 2015, 2017).
 */
import { exp, log } from '#env/math/index.js';

/**
 * Mean over B rows of sum_a p ln(p / q). Masked actions have probability 0 in both and add nothing. Each term is taken as
 * p ln(p / q) - p + q, which sums to the same and is never negative, so that rounding cannot make a divergence so.
 * Infinite where q rules out what p does.
 *
 * @param p (B,A) probabilities under the masks
 * @param q (B,A) likewise
 */
export function categoricalKl(p: Float32Array, q: Float32Array, rows: number): number {
  let sum = 0;
  for (let i = 0; i < p.length; i++) {
    if (p[i] > 0) sum += q[i] > 0 ? p[i] * (log(p[i]) - log(q[i])) - p[i] + q[i] : Number.POSITIVE_INFINITY;
    else sum += q[i];
  }
  return sum / rows;
}

/** A diagonal Gaussian for each of B rows, whose deviation does not depend on the row. */
export interface DiagonalGaussian {
  /** (B,K) */
  readonly means: Float32Array;
  /** (K) */
  readonly logStd: Float32Array;
}

/**
 * Mean over B rows of sum_k [ln(sq / sp) + (sp^2 + (mp - mq)^2) / (2 sq^2) - 1/2], the closed form for two normal
 * distributions (Kingma and Welling 2014, appendix B, for two deviations; Kullback 1959, ch. 9).
 *
 * Actions are clipped to their Box before they act. Clipping maps both distributions alike, so that what is left of the
 * divergence is at most this (the data-processing inequality): a limit on it holds for the actions as taken.
 */
export function gaussianKl(p: DiagonalGaussian, q: DiagonalGaussian, rows: number): number {
  const K = p.logStd.length;
  let sum = 0;
  for (let k = 0; k < K; k++) {
    const difference = p.logStd[k] - q.logStd[k];
    const precision = exp(-2 * q.logStd[k]);
    // with r = ln(sp / sq): (e^2r - 1) / 2 - r, which is 0 where both deviations agree
    const spread = (exp(2 * difference) - 1) / 2 - difference;
    let squares = 0;
    for (let row = 0; row < rows; row++) {
      const apart = p.means[row * K + k] - q.means[row * K + k];
      squares += apart * apart;
    }
    sum += rows * spread + (squares * precision) / 2;
  }
  return sum / rows;
}

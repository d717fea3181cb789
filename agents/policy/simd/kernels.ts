/** The kernels' signatures. All pointers and strides are bytes; shapes stand in the sources' first lines. */
import { instantiateKernel } from '#env/math/wasm.js';
import { wasmBase64 } from './policy.wasm.js';

export const ACTIVATION = { tanh: 0, relu: 1 } as const;

export interface PolicyKernels {
  firstFreeByte(): number;
  /** out (B,O) = x (B,I) w (I,O) + b (O); B is 1 or a multiple of 8 */
  linearForward(
    out: number,
    outStride: number,
    x: number,
    xStride: number,
    w: number,
    b: number,
    B: number,
    I: number,
    O: number,
  ): void;
  /** dx (B,I) = dy (B,O) wt (O,I), times the derivative of the activation that made x */
  linearBackwardInput(
    dx: number,
    x: number,
    xStride: number,
    dy: number,
    dyStride: number,
    wt: number,
    B: number,
    I: number,
    O: number,
    activation: number,
  ): void;
  /** dw (I,O) = x^T dy, or added to */
  linearBackwardWeight(
    dw: number,
    x: number,
    xStride: number,
    dy: number,
    dyStride: number,
    B: number,
    I: number,
    O: number,
    accumulate: boolean,
  ): void;
  /** db (O) = column sums of dy (B,O), or added to */
  linearBackwardBias(db: number, dy: number, dyStride: number, B: number, O: number, accumulate: boolean): void;
  /** wt (O,I) = w (I,O) transposed */
  transposeWeight(wt: number, w: number, I: number, O: number): void;
  /** h (B,O) in place */
  activate(h: number, stride: number, B: number, O: number, activation: number): void;
  /** out (padded,I) in panels from x (T,I); indices (B) or 0 for the first B rows */
  gatherRows(out: number, outStride: number, x: number, indices: number, B: number, padded: number, I: number): void;
  /** out (2) float64: mean and unbiased standard deviation of advantages (T) at indices (n) */
  advantageMoments(out: number, advantages: number, indices: number, n: number): void;
  /** actions (B), logProbs (B), logits (B,A) in panels, masks (B,A) or 0, noise (B) float64 or 0 */
  categoricalAct(
    actions: number,
    logProbs: number,
    logits: number,
    stride: number,
    B: number,
    A: number,
    masks: number,
    noise: number,
    scratch: number,
  ): void;
  /** out (B,A) row after row */
  categoricalProbabilities(
    out: number,
    logits: number,
    stride: number,
    B: number,
    A: number,
    masks: number,
    scratch: number,
  ): void;
  /** dLogits (padded,A) in panels; adds to sums */
  categoricalLoss(
    sums: number,
    dLogits: number,
    logits: number,
    stride: number,
    indices: number,
    B: number,
    padded: number,
    A: number,
    actions: number,
    masks: number,
    oldLogProbs: number,
    advantages: number,
    mean: number,
    inverseDeviation: number,
    clipRange: number,
    entCoef: number,
    scale: number,
    scratch: number,
  ): void;
  /** out (K) float64 = exp(logStd (K)) */
  gaussianDeviations(out: number, logStd: number, K: number): void;
  /** actions (B,K), logProbs (B), means (B,K) in panels, noise (B,K) float64 or 0 */
  gaussianAct(
    actions: number,
    logProbs: number,
    means: number,
    stride: number,
    B: number,
    K: number,
    logStd: number,
    deviations: number,
    noise: number,
  ): void;
  /** dLogStd (K) float64, added to; dMeans (padded,K) in panels; adds to sums */
  gaussianLoss(
    sums: number,
    dLogStd: number,
    dMeans: number,
    means: number,
    stride: number,
    indices: number,
    B: number,
    padded: number,
    K: number,
    actions: number,
    logStd: number,
    deviations: number,
    oldLogProbs: number,
    advantages: number,
    mean: number,
    inverseDeviation: number,
    clipRange: number,
    entCoef: number,
    scale: number,
  ): void;
  /** dValues (padded,1) in panels; adds to sums; clipRange below 0: no clipping */
  valueLoss(
    sums: number,
    dValues: number,
    values: number,
    stride: number,
    indices: number,
    B: number,
    padded: number,
    returns: number,
    oldValues: number,
    clipRange: number,
    pessimistic: boolean,
    vfCoef: number,
    scale: number,
  ): void;
  /** g (n) */
  sumSquares(g: number, n: number): number;
  /** p, g, m, v (n) */
  adamStep(
    p: number,
    g: number,
    m: number,
    v: number,
    n: number,
    gradientScale: number,
    stepSize: number,
    secondScale: number,
    eps: number,
  ): void;
}

/** 4 GB, all that 32-bit addresses reach; only what is used is ever held. */
const MAXIMUM_PAGES = 65_536;

/** A memory as the kernels import it: one that a second thread may work in too. */
export function createPolicyMemory(pages: number): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: pages, maximum: MAXIMUM_PAGES, shared: true });
}

export function instantiatePolicyKernels(memory: WebAssembly.Memory): PolicyKernels {
  return instantiateKernel<PolicyKernels>(wasmBase64, memory);
}

/** Columns of a panel: see _tiles.as.ts. */
export const PANEL = 8;

export function roundUp(n: number, multiple: number): number {
  return Math.ceil(n / multiple) * multiple;
}

/** What the arithmetic of a policy amounts to, and how fast the machine's best matrix product is. */
import { RandomStream } from '#env/seeding.js';
import type { PolicySpec } from '#agents/policy/contract.js';
import {
  createPolicyMemory,
  instantiatePolicyKernels,
  roundUp,
  type PolicyKernels,
} from '#agents/policy/simd/kernels.js';

/**
 * Floating-point operations that one row of a minibatch needs, forward and backward: two a multiply-add, and the
 * first layer computes no gradient of its input. Activations, losses and Adam are not counted, though they take time.
 */
export function updateFlopsPerRow(spec: PolicySpec): number {
  const tower = (hidden: readonly number[], outputs: number): number => {
    const widths = [spec.observationSize, ...hidden, outputs];
    let products = 0;
    for (let i = 0; i + 1 < widths.length; i++) products += (i === 0 ? 2 : 3) * widths[i] * widths[i + 1];
    return products;
  };
  const outputs = spec.action.kind === 'discrete' ? spec.action.n : spec.action.size;
  return 2 * (tower(spec.netArch.pi, outputs) + tower(spec.netArch.vf, 1));
}

/** B rows, I inputs, O outputs. */
export type Shape = readonly [B: number, I: number, O: number];

/** The shapes of two networks of [64, 64] and [256, 256] on 14 observations, and of acting. */
export const SHAPES: readonly Shape[] = [
  [64, 64, 64],
  [64, 14, 64],
  [64, 64, 3],
  [64, 64, 1],
  [64, 256, 256],
  [64, 14, 256],
  [8, 64, 64],
  [1, 64, 64],
];

export interface Product {
  readonly name: string;
  readonly flop: number;
  readonly run: () => void;
}

/** Places in the kernels' memory for matrices of up to 2 MB. */
const PLACE_BYTES = 2_097_152;

/** The kernels on a memory of their own, filled with normal deviates of size 0.1. */
export class KernelBench {
  readonly kernels: PolicyKernels;
  readonly #floats: Float32Array;

  constructor(places: number) {
    const memory = createPolicyMemory((places + 1) * (PLACE_BYTES / 65_536));
    this.kernels = instantiatePolicyKernels(memory);
    this.#floats = new Float32Array(memory.buffer);
    const stream = new RandomStream(1, 'bench/kernels');
    // tables of the kernels lie below the first place
    for (let i = this.at(0) >> 2; i < this.#floats.length; i++) this.#floats[i] = 0.1 * stream.normal();
  }

  /** Byte address of a place. */
  at(place: number): number {
    return PLACE_BYTES + place * PLACE_BYTES;
  }

  fill(place: number, count: number, value: number): void {
    this.#floats.fill(value, this.at(place) >> 2, (this.at(place) >> 2) + count);
  }

  /** Forward, gradient of the input and gradient of the weights of a linear layer. Uses places 0 to 5. */
  products([B, I, O]: Shape): Product[] {
    const { kernels } = this;
    const stride = (roundUp(B, 8) + 2) * 32;
    const flop = 2 * B * I * O;
    const [x, y, w, b, dx, dw] = [0, 1, 2, 3, 4, 5].map((place) => this.at(place));
    const named = (kind: string, run: () => void): Product => ({ name: `${kind} ${B} x ${I} x ${O}`, flop, run });
    const forward = named('forward', () => kernels.linearForward(y, stride, x, stride, w, b, B, I, O));
    // the backward kernels take whole panels of 8 rows
    if (B < 8) return [forward];
    return [
      forward,
      named('gradient of the input', () => kernels.linearBackwardInput(dx, x, stride, y, stride, w, B, I, O, 0)),
      named('gradient of the weights', () => kernels.linearBackwardWeight(dw, x, stride, y, stride, B, I, O, false)),
    ];
  }
}

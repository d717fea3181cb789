/**
 * 64 bits of a tensor's bits, made to be cheap enough for every update: not cryptographic. Two sums modulo 2^32 over
 * the elements, each element multiplied by an odd number of its place: any change of one element changes the first sum,
 * and because sums do not mind the order, an engine may go through its memory as it lies there.
 */
import type { ParameterSlot } from './contract.js';

/** What element `index` of a tensor, as an int32 of its bits, adds to the first sum. A bijection of `bits`. */
export function firstTerm(bits: number, index: number): number {
  return Math.imul(bits ^ Math.imul(index + 1, 0x9e3779b1), (index << 1) + 0x85ebca6b);
}

/** What it adds to the second. */
export function secondTerm(bits: number, index: number): number {
  const mixed = Math.imul(bits + Math.imul(index + 1, 0xc2b2ae35), 0x27d4eb2f);
  return Math.imul(mixed ^ (mixed >>> 15), 0x165667b1);
}

/** Of a tensor that lies in its own order, into out[at] and out[at + 1]. */
export function checksum(out: Uint32Array, at: number, tensor: Float32Array | Float64Array | Uint32Array): void {
  const bits = new Int32Array(tensor.buffer, tensor.byteOffset, tensor.byteLength >> 2);
  let first = 0;
  let second = 0;
  for (let index = 0; index < bits.length; index++) {
    first = (first + firstTerm(bits[index], index)) | 0;
    second = (second + secondTerm(bits[index], index)) | 0;
  }
  out[at] = first;
  out[at + 1] = second;
}

/** (2 x slots) of a flat parameter vector: the plain twin of an engine's `checksums`. */
export function parameterChecksums(
  flat: Float32Array,
  layout: readonly Pick<ParameterSlot, 'offset' | 'size'>[],
): Uint32Array {
  const out = new Uint32Array(2 * layout.length);
  for (const [k, { offset, size }] of layout.entries()) checksum(out, 2 * k, flat.subarray(offset, offset + size));
  return out;
}

// Tiles of the matrix product, for matrices in panels.
//
// A (R,C) matrix in panels: element (r,c) stands at (c >> 3) * stride + r * 32 + (c & 7) * 4. A panel holds eight
// columns, row after row, so that all three products of a linear layer (forward, gradient of the input, gradient of
// the weights) read both operands in ascending addresses with constant offsets, at any width, without packing.
//
// Every element of a product is one accumulator that adds its terms in ascending k, each product rounded before it
// is added. The shape of the tiles, the number of rows at a time and the number of threads therefore cannot change
// a bit of the result.

// @ts-ignore: decorator
@inline
export function madd(sum: v128, a: v128, b: v128): v128 {
  return f32x4.add(sum, f32x4.mul(a, b));
}

// What happens to a tile before and after the sum over k.
export const FORWARD: i32 = 0; // starts from the bias
export const INPUT_GRADIENT: i32 = 1; // starts from 0, ends times the activation's derivative
export const WEIGHT_GRADIENT: i32 = 2; // starts from 0, or from what stands there

export const TANH: i32 = 0;
export const RELU: i32 = 1;

// @ts-ignore: decorator
@inline
function start(mode: i32, out: usize, offset: usize, bias: v128, accumulate: bool): v128 {
  if (mode == FORWARD) return bias;
  if (mode == WEIGHT_GRADIENT) {
    if (accumulate) return v128.load(out + offset);
  }
  return f32x4.splat(0);
}

/** The derivative from the activation's output y: 1 - y^2 for tanh, 1 where y > 0 for relu. */
// @ts-ignore: decorator
@inline
export function finish(mode: i32, out: usize, offset: usize, sum: v128, y: usize, activation: i32): void {
  if (mode == INPUT_GRADIENT) {
    const h = v128.load(y + offset);
    const derived =
      activation == TANH
        ? f32x4.mul(sum, f32x4.sub(f32x4.splat(1), f32x4.mul(h, h)))
        : v128.and(sum, f32x4.gt(h, f32x4.splat(0)));
    v128.store(out + offset, derived);
  } else {
    v128.store(out + offset, sum);
  }
}

// The steps of k are unrolled by hand, with a way out after each: V8 moves all loads of a basic block to its top, so
// that a longer block would spill its registers. The ways out also make any K >= 1 exact.

/**
 * Four rows by eight columns: eight accumulators, which with two vectors of b fill the sixteen registers.
 * ROW and STEP are the byte distances in `pa` between rows and between steps of k; after eight steps `pa` moves by
 * `advance`. The offsets are added before the load, not inside it: V8 has no splat with an offset, and would keep an
 * address for each in memory.
 */
// @ts-ignore: decorator
@inline
export function tile4x8(
  mode: i32, ROW: usize, STEP: usize, out: usize, pa: usize, advance: usize, pb: usize, K: i32,
  bias: usize, accumulate: bool, y: usize, activation: i32,
): void {
  const z = f32x4.splat(0);
  const s0 = mode == FORWARD ? v128.load(bias) : z, s1 = mode == FORWARD ? v128.load(bias, 16) : z;
  let c00 = start(mode, out, 0, s0, accumulate), c01 = start(mode, out, 16, s1, accumulate);
  let c10 = start(mode, out, 32, s0, accumulate), c11 = start(mode, out, 48, s1, accumulate);
  let c20 = start(mode, out, 64, s0, accumulate), c21 = start(mode, out, 80, s1, accumulate);
  let c30 = start(mode, out, 96, s0, accumulate), c31 = start(mode, out, 112, s1, accumulate);
  let a = z, b0 = z, b1 = z;
  while (true) {
    b0 = v128.load(pb, 0); b1 = v128.load(pb, 16);
    a = v128.load32_splat(pa + 0 * ROW + 0 * STEP); c00 = madd(c00, a, b0); c01 = madd(c01, a, b1);
    a = v128.load32_splat(pa + 1 * ROW + 0 * STEP); c10 = madd(c10, a, b0); c11 = madd(c11, a, b1);
    a = v128.load32_splat(pa + 2 * ROW + 0 * STEP); c20 = madd(c20, a, b0); c21 = madd(c21, a, b1);
    a = v128.load32_splat(pa + 3 * ROW + 0 * STEP); c30 = madd(c30, a, b0); c31 = madd(c31, a, b1);
    if (K == 1) break;
    b0 = v128.load(pb, 32); b1 = v128.load(pb, 48);
    a = v128.load32_splat(pa + 0 * ROW + 1 * STEP); c00 = madd(c00, a, b0); c01 = madd(c01, a, b1);
    a = v128.load32_splat(pa + 1 * ROW + 1 * STEP); c10 = madd(c10, a, b0); c11 = madd(c11, a, b1);
    a = v128.load32_splat(pa + 2 * ROW + 1 * STEP); c20 = madd(c20, a, b0); c21 = madd(c21, a, b1);
    a = v128.load32_splat(pa + 3 * ROW + 1 * STEP); c30 = madd(c30, a, b0); c31 = madd(c31, a, b1);
    if (K == 2) break;
    b0 = v128.load(pb, 64); b1 = v128.load(pb, 80);
    a = v128.load32_splat(pa + 0 * ROW + 2 * STEP); c00 = madd(c00, a, b0); c01 = madd(c01, a, b1);
    a = v128.load32_splat(pa + 1 * ROW + 2 * STEP); c10 = madd(c10, a, b0); c11 = madd(c11, a, b1);
    a = v128.load32_splat(pa + 2 * ROW + 2 * STEP); c20 = madd(c20, a, b0); c21 = madd(c21, a, b1);
    a = v128.load32_splat(pa + 3 * ROW + 2 * STEP); c30 = madd(c30, a, b0); c31 = madd(c31, a, b1);
    if (K == 3) break;
    b0 = v128.load(pb, 96); b1 = v128.load(pb, 112);
    a = v128.load32_splat(pa + 0 * ROW + 3 * STEP); c00 = madd(c00, a, b0); c01 = madd(c01, a, b1);
    a = v128.load32_splat(pa + 1 * ROW + 3 * STEP); c10 = madd(c10, a, b0); c11 = madd(c11, a, b1);
    a = v128.load32_splat(pa + 2 * ROW + 3 * STEP); c20 = madd(c20, a, b0); c21 = madd(c21, a, b1);
    a = v128.load32_splat(pa + 3 * ROW + 3 * STEP); c30 = madd(c30, a, b0); c31 = madd(c31, a, b1);
    if (K == 4) break;
    b0 = v128.load(pb, 128); b1 = v128.load(pb, 144);
    a = v128.load32_splat(pa + 0 * ROW + 4 * STEP); c00 = madd(c00, a, b0); c01 = madd(c01, a, b1);
    a = v128.load32_splat(pa + 1 * ROW + 4 * STEP); c10 = madd(c10, a, b0); c11 = madd(c11, a, b1);
    a = v128.load32_splat(pa + 2 * ROW + 4 * STEP); c20 = madd(c20, a, b0); c21 = madd(c21, a, b1);
    a = v128.load32_splat(pa + 3 * ROW + 4 * STEP); c30 = madd(c30, a, b0); c31 = madd(c31, a, b1);
    if (K == 5) break;
    b0 = v128.load(pb, 160); b1 = v128.load(pb, 176);
    a = v128.load32_splat(pa + 0 * ROW + 5 * STEP); c00 = madd(c00, a, b0); c01 = madd(c01, a, b1);
    a = v128.load32_splat(pa + 1 * ROW + 5 * STEP); c10 = madd(c10, a, b0); c11 = madd(c11, a, b1);
    a = v128.load32_splat(pa + 2 * ROW + 5 * STEP); c20 = madd(c20, a, b0); c21 = madd(c21, a, b1);
    a = v128.load32_splat(pa + 3 * ROW + 5 * STEP); c30 = madd(c30, a, b0); c31 = madd(c31, a, b1);
    if (K == 6) break;
    b0 = v128.load(pb, 192); b1 = v128.load(pb, 208);
    a = v128.load32_splat(pa + 0 * ROW + 6 * STEP); c00 = madd(c00, a, b0); c01 = madd(c01, a, b1);
    a = v128.load32_splat(pa + 1 * ROW + 6 * STEP); c10 = madd(c10, a, b0); c11 = madd(c11, a, b1);
    a = v128.load32_splat(pa + 2 * ROW + 6 * STEP); c20 = madd(c20, a, b0); c21 = madd(c21, a, b1);
    a = v128.load32_splat(pa + 3 * ROW + 6 * STEP); c30 = madd(c30, a, b0); c31 = madd(c31, a, b1);
    if (K == 7) break;
    b0 = v128.load(pb, 224); b1 = v128.load(pb, 240);
    a = v128.load32_splat(pa + 0 * ROW + 7 * STEP); c00 = madd(c00, a, b0); c01 = madd(c01, a, b1);
    a = v128.load32_splat(pa + 1 * ROW + 7 * STEP); c10 = madd(c10, a, b0); c11 = madd(c11, a, b1);
    a = v128.load32_splat(pa + 2 * ROW + 7 * STEP); c20 = madd(c20, a, b0); c21 = madd(c21, a, b1);
    a = v128.load32_splat(pa + 3 * ROW + 7 * STEP); c30 = madd(c30, a, b0); c31 = madd(c31, a, b1);
    if (K <= 8) break;
    K -= 8;
    pa += advance;
    pb += 256;
  }
  finish(mode, out, 0, c00, y, activation); finish(mode, out, 16, c01, y, activation);
  finish(mode, out, 32, c10, y, activation); finish(mode, out, 48, c11, y, activation);
  finish(mode, out, 64, c20, y, activation); finish(mode, out, 80, c21, y, activation);
  finish(mode, out, 96, c30, y, activation); finish(mode, out, 112, c31, y, activation);
}

/** One row through four panels at once, 32 columns: what a single observation needs. */
// @ts-ignore: decorator
@inline
export function tile1x32(
  out: usize, outStride: usize, pa: usize, advance: usize, w: usize, wStride: usize, bias: usize, K: i32,
): void {
  let w0 = w, w1 = w + wStride, w2 = w1 + wStride, w3 = w2 + wStride;
  let c00 = v128.load(bias), c01 = v128.load(bias, 16), c10 = v128.load(bias, 32), c11 = v128.load(bias, 48);
  let c20 = v128.load(bias, 64), c21 = v128.load(bias, 80), c30 = v128.load(bias, 96), c31 = v128.load(bias, 112);
  let a = f32x4.splat(0);
  while (true) {
    a = v128.load32_splat(pa + 0);
    c00 = madd(c00, a, v128.load(w0, 0)); c01 = madd(c01, a, v128.load(w0, 16));
    c10 = madd(c10, a, v128.load(w1, 0)); c11 = madd(c11, a, v128.load(w1, 16));
    c20 = madd(c20, a, v128.load(w2, 0)); c21 = madd(c21, a, v128.load(w2, 16));
    c30 = madd(c30, a, v128.load(w3, 0)); c31 = madd(c31, a, v128.load(w3, 16));
    if (K == 1) break;
    a = v128.load32_splat(pa + 4);
    c00 = madd(c00, a, v128.load(w0, 32)); c01 = madd(c01, a, v128.load(w0, 48));
    c10 = madd(c10, a, v128.load(w1, 32)); c11 = madd(c11, a, v128.load(w1, 48));
    c20 = madd(c20, a, v128.load(w2, 32)); c21 = madd(c21, a, v128.load(w2, 48));
    c30 = madd(c30, a, v128.load(w3, 32)); c31 = madd(c31, a, v128.load(w3, 48));
    if (K == 2) break;
    a = v128.load32_splat(pa + 8);
    c00 = madd(c00, a, v128.load(w0, 64)); c01 = madd(c01, a, v128.load(w0, 80));
    c10 = madd(c10, a, v128.load(w1, 64)); c11 = madd(c11, a, v128.load(w1, 80));
    c20 = madd(c20, a, v128.load(w2, 64)); c21 = madd(c21, a, v128.load(w2, 80));
    c30 = madd(c30, a, v128.load(w3, 64)); c31 = madd(c31, a, v128.load(w3, 80));
    if (K == 3) break;
    a = v128.load32_splat(pa + 12);
    c00 = madd(c00, a, v128.load(w0, 96)); c01 = madd(c01, a, v128.load(w0, 112));
    c10 = madd(c10, a, v128.load(w1, 96)); c11 = madd(c11, a, v128.load(w1, 112));
    c20 = madd(c20, a, v128.load(w2, 96)); c21 = madd(c21, a, v128.load(w2, 112));
    c30 = madd(c30, a, v128.load(w3, 96)); c31 = madd(c31, a, v128.load(w3, 112));
    if (K == 4) break;
    a = v128.load32_splat(pa + 16);
    c00 = madd(c00, a, v128.load(w0, 128)); c01 = madd(c01, a, v128.load(w0, 144));
    c10 = madd(c10, a, v128.load(w1, 128)); c11 = madd(c11, a, v128.load(w1, 144));
    c20 = madd(c20, a, v128.load(w2, 128)); c21 = madd(c21, a, v128.load(w2, 144));
    c30 = madd(c30, a, v128.load(w3, 128)); c31 = madd(c31, a, v128.load(w3, 144));
    if (K == 5) break;
    a = v128.load32_splat(pa + 20);
    c00 = madd(c00, a, v128.load(w0, 160)); c01 = madd(c01, a, v128.load(w0, 176));
    c10 = madd(c10, a, v128.load(w1, 160)); c11 = madd(c11, a, v128.load(w1, 176));
    c20 = madd(c20, a, v128.load(w2, 160)); c21 = madd(c21, a, v128.load(w2, 176));
    c30 = madd(c30, a, v128.load(w3, 160)); c31 = madd(c31, a, v128.load(w3, 176));
    if (K == 6) break;
    a = v128.load32_splat(pa + 24);
    c00 = madd(c00, a, v128.load(w0, 192)); c01 = madd(c01, a, v128.load(w0, 208));
    c10 = madd(c10, a, v128.load(w1, 192)); c11 = madd(c11, a, v128.load(w1, 208));
    c20 = madd(c20, a, v128.load(w2, 192)); c21 = madd(c21, a, v128.load(w2, 208));
    c30 = madd(c30, a, v128.load(w3, 192)); c31 = madd(c31, a, v128.load(w3, 208));
    if (K == 7) break;
    a = v128.load32_splat(pa + 28);
    c00 = madd(c00, a, v128.load(w0, 224)); c01 = madd(c01, a, v128.load(w0, 240));
    c10 = madd(c10, a, v128.load(w1, 224)); c11 = madd(c11, a, v128.load(w1, 240));
    c20 = madd(c20, a, v128.load(w2, 224)); c21 = madd(c21, a, v128.load(w2, 240));
    c30 = madd(c30, a, v128.load(w3, 224)); c31 = madd(c31, a, v128.load(w3, 240));
    if (K <= 8) break;
    K -= 8;
    pa += advance;
    w0 += 256; w1 += 256; w2 += 256; w3 += 256;
  }
  v128.store(out, c00); v128.store(out, c01, 16);
  out += outStride;
  v128.store(out, c10); v128.store(out, c11, 16);
  out += outStride;
  v128.store(out, c20); v128.store(out, c21, 16);
  out += outStride;
  v128.store(out, c30); v128.store(out, c31, 16);
}

/** One row through one panel. */
// @ts-ignore: decorator
@inline
export function tile1x8(out: usize, pa: usize, advance: usize, pb: usize, bias: usize, K: i32): void {
  let c0 = v128.load(bias), c1 = v128.load(bias, 16);
  let a = c0;
  while (true) {
    a = v128.load32_splat(pa + 0); c0 = madd(c0, a, v128.load(pb, 0)); c1 = madd(c1, a, v128.load(pb, 16));
    if (K == 1) break;
    a = v128.load32_splat(pa + 4); c0 = madd(c0, a, v128.load(pb, 32)); c1 = madd(c1, a, v128.load(pb, 48));
    if (K == 2) break;
    a = v128.load32_splat(pa + 8); c0 = madd(c0, a, v128.load(pb, 64)); c1 = madd(c1, a, v128.load(pb, 80));
    if (K == 3) break;
    a = v128.load32_splat(pa + 12); c0 = madd(c0, a, v128.load(pb, 96)); c1 = madd(c1, a, v128.load(pb, 112));
    if (K == 4) break;
    a = v128.load32_splat(pa + 16); c0 = madd(c0, a, v128.load(pb, 128)); c1 = madd(c1, a, v128.load(pb, 144));
    if (K == 5) break;
    a = v128.load32_splat(pa + 20); c0 = madd(c0, a, v128.load(pb, 160)); c1 = madd(c1, a, v128.load(pb, 176));
    if (K == 6) break;
    a = v128.load32_splat(pa + 24); c0 = madd(c0, a, v128.load(pb, 192)); c1 = madd(c1, a, v128.load(pb, 208));
    if (K == 7) break;
    a = v128.load32_splat(pa + 28); c0 = madd(c0, a, v128.load(pb, 224)); c1 = madd(c1, a, v128.load(pb, 240));
    if (K <= 8) break;
    K -= 8;
    pa += advance;
    pb += 256;
  }
  v128.store(out, c0); v128.store(out, c1, 16);
}

// A linear layer y = x W + b and its gradients. All matrices in panels (see _tiles.as.ts), padded with zeros:
// rows of the batch to a multiple of 8 (or exactly one row), W to (inputs rounded up to 8, outputs rounded up to 8).
import { FORWARD, INPUT_GRADIENT, RELU, TANH, WEIGHT_GRADIENT, tile1x32, tile1x8, tile4x8 } from './_tiles.as';
import { narrowForward, narrowInputGradient, narrowWeightGradient } from './_narrow.as';

// @ts-ignore: decorator
@inline
function panelBytes(rows: i32): usize {
  return (<usize>((rows + 7) & ~7)) << 5;
}

export function linearForward(
  out: usize, outStride: usize, x: usize, xStride: usize, w: usize, b: usize, B: i32, I: i32, O: i32,
): void {
  // out (B,O); x (B,I); w (I,O); b (O)
  const wStride = panelBytes(I);
  if (B == 1) {
    let j = 0;
    for (; j + 24 < O; j += 32) {
      const last = (O - j + 7) >> 3;
      if (last < 4) break;
      tile1x32(out, outStride, x, xStride, w, wStride, b, I);
      out += outStride << 2;
      w += wStride << 2;
      b += 128;
    }
    for (; j < O; j += 8) {
      tile1x8(out, x, xStride, w, b, I);
      out += outStride;
      w += wStride;
      b += 32;
    }
    return;
  }
  for (let j = 0; j < O; j += 8) {
    if (O - j > 4) {
      for (let row = 0; row < B; row += 4) {
        const at = <usize>row << 5;
        tile4x8(FORWARD, 32, 4, out + at, x + at, xStride, w, I, b, false, 0, 0);
      }
    } else {
      narrowForward(O - j, out, x, xStride, w, b, B, I);
    }
    out += outStride;
    w += wStride;
    b += 32;
  }
}

export function linearBackwardInput(
  dx: usize, x: usize, xStride: usize, dy: usize, dyStride: usize, wt: usize, B: i32, I: i32, O: i32, activation: i32,
): void {
  // dx (B,I) before the activation that made x; x (B,I) after it; dy (B,O); wt (O,I), the transposed weights
  if (activation == TANH) backwardInput(dx, x, xStride, dy, dyStride, wt, B, I, O, TANH);
  else backwardInput(dx, x, xStride, dy, dyStride, wt, B, I, O, RELU);
}

// @ts-ignore: decorator
@inline
function backwardInput(
  dx: usize, x: usize, xStride: usize, dy: usize, dyStride: usize, wt: usize, B: i32, I: i32, O: i32, activation: i32,
): void {
  if (O <= 4) {
    narrowInputGradient(O, dx, x, xStride, dy, wt, B, I, activation);
    return;
  }
  const wtStride = panelBytes(O);
  for (let j = 0; j < I; j += 8) {
    for (let row = 0; row < B; row += 4) {
      const at = <usize>row << 5;
      tile4x8(INPUT_GRADIENT, 32, 4, dx + at, dy + at, dyStride, wt, O, 0, false, x + at, activation);
    }
    dx += xStride;
    x += xStride;
    wt += wtStride;
  }
}

export function linearBackwardWeight(
  dw: usize, x: usize, xStride: usize, dy: usize, dyStride: usize, B: i32, I: i32, O: i32, accumulate: bool,
): void {
  // dw (I,O), set or with `accumulate` added to; x (B,I); dy (B,O)
  const dwStride = panelBytes(I);
  for (let j = 0; j < O; j += 8) {
    if (O - j > 4) {
      for (let i = 0; i < I; i += 4) {
        const pa = x + <usize>(i >> 3) * xStride + (<usize>(i & 4) << 2);
        tile4x8(WEIGHT_GRADIENT, 4, 32, dw + (<usize>i << 5), pa, 256, dy, B, 0, accumulate, 0, 0);
      }
    } else {
      narrowWeightGradient(O - j, dw, x, xStride, dy, B, I, accumulate);
    }
    dw += dwStride;
    dy += dyStride;
  }
}

export function linearBackwardBias(db: usize, dy: usize, dyStride: usize, B: i32, O: i32, accumulate: bool): void {
  // db (O), set or with `accumulate` added to; dy (B,O)
  const zero = f32x4.splat(0);
  let j = 0;
  // two panels at a time: four sums, since one waits for its last addition
  for (; j + 12 < O; j += 16) {
    const end = dy + (<usize>B << 5);
    const db1 = db + 32;
    let s0 = zero, s1 = zero, s2 = zero, s3 = zero;
    if (accumulate) {
      s0 = v128.load(db);
      s1 = v128.load(db, 16);
      s2 = v128.load(db1);
      s3 = v128.load(db1, 16);
    }
    for (let p = dy, q = dy + dyStride; p < end; p += 64, q += 64) {
      s0 = f32x4.add(s0, v128.load(p));
      s1 = f32x4.add(s1, v128.load(p, 16));
      s2 = f32x4.add(s2, v128.load(q));
      s3 = f32x4.add(s3, v128.load(q, 16));
      s0 = f32x4.add(s0, v128.load(p, 32));
      s1 = f32x4.add(s1, v128.load(p, 48));
      s2 = f32x4.add(s2, v128.load(q, 32));
      s3 = f32x4.add(s3, v128.load(q, 48));
    }
    v128.store(db, s0);
    v128.store(db, s1, 16);
    v128.store(db1, s2);
    v128.store(db1, s3, 16);
    db += 64;
    dy += dyStride << 1;
  }
  for (; j < O; j += 8) {
    const end = dy + (<usize>B << 5);
    let s0 = accumulate ? v128.load(db) : zero;
    if (O - j > 4) {
      let s1 = accumulate ? v128.load(db, 16) : zero;
      for (let p = dy; p < end; p += 32) {
        s0 = f32x4.add(s0, v128.load(p));
        s1 = f32x4.add(s1, v128.load(p, 16));
      }
      v128.store(db, s1, 16);
    } else {
      // the other half of a last panel is nobody's
      for (let p = dy; p < end; p += 32) s0 = f32x4.add(s0, v128.load(p));
    }
    v128.store(db, s0);
    db += 32;
    dy += dyStride;
  }
}

/** The gradient of the input reads W by columns: one transposed copy a minibatch, block by block. */
export function transposeWeight(wt: usize, w: usize, I: i32, O: i32): void {
  // wt (O,I); w (I,O)
  const wStride = panelBytes(I);
  const wtStride = panelBytes(O);
  for (let j = 0; j < O; j += 8) {
    for (let i = 0; i < I; i += 8) {
      const from = w + <usize>(j >> 3) * wStride + (<usize>i << 5);
      const to = wt + <usize>(i >> 3) * wtStride + (<usize>j << 5);
      transpose4x4(to, from);
      transpose4x4(to + 128, from + 16);
      transpose4x4(to + 16, from + 128);
      transpose4x4(to + 144, from + 144);
    }
  }
}

/** A block of four rows by four columns inside panels (rows 32 bytes apart). */
// @ts-ignore: decorator
@inline
function transpose4x4(to: usize, from: usize): void {
  const r0 = v128.load(from), r1 = v128.load(from, 32), r2 = v128.load(from, 64), r3 = v128.load(from, 96);
  const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
  const t1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const t2 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  const t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(t0, t1, 0, 1, 4, 5));
  v128.store(to, v128.shuffle<f32>(t0, t1, 2, 3, 6, 7), 32);
  v128.store(to, v128.shuffle<f32>(t2, t3, 0, 1, 4, 5), 64);
  v128.store(to, v128.shuffle<f32>(t2, t3, 2, 3, 6, 7), 96);
}

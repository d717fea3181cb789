// A last panel of one to four columns: the heads of a few actions, or of one value. Tiles of rows by columns would
// spend their lanes on columns that do not exist; here a lane is a row (forward) or an input (gradient of the
// weights), and blocks of 4 x 4 are transposed on their way. As in _tiles.as.ts every element is one accumulator that
// adds its terms in ascending k, so that a sum is the tiles' sum to the bit.
import { INPUT_GRADIENT, finish, madd } from './_tiles.as';

export function narrowForward(
  N: i32, out: usize, x: usize, xStride: usize, w: usize, b: usize, B: i32, I: i32,
): void {
  // out (B,N); x (B,I); w (I,N); b (N); N 1 to 4. Columns from N to 3 become 0
  if (N == 1) forwardColumns(1, out, x, xStride, w, b, B, I);
  else if (N == 2) forwardColumns(2, out, x, xStride, w, b, B, I);
  else if (N == 3) forwardColumns(3, out, x, xStride, w, b, B, I);
  else forwardColumns(4, out, x, xStride, w, b, B, I);
}

/** Eight rows at a time. Inputs past I are 0, and so are their weights: the last block of four adds zeros. */
// @ts-ignore: decorator
@inline
function forwardColumns(
  N: i32, out: usize, x: usize, xStride: usize, w: usize, b: usize, B: i32, I: i32,
): void {
  const z = f32x4.splat(0);
  const b0 = v128.load32_splat(b), b1 = N > 1 ? v128.load32_splat(b + 4) : z;
  const b2 = N > 2 ? v128.load32_splat(b + 8) : z, b3 = N > 3 ? v128.load32_splat(b + 12) : z;
  for (const end = out + (<usize>B << 5); out < end; out += 256) {
    let c0 = b0, c1 = b1, c2 = b2, c3 = b3, d0 = b0, d1 = b1, d2 = b2, d3 = b3;
    let k = I, pa = x, pb = w;
    while (true) {
      {
        const r0 = v128.load(pa, 0), r1 = v128.load(pa, 32), r2 = v128.load(pa, 64), r3 = v128.load(pa, 96);
        const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), t1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
        const t2 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7), t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
        let a = v128.shuffle<f32>(t0, t1, 0, 1, 4, 5);
        c0 = madd(c0, a, v128.load32_splat(pb + 0));
        if (N > 1) c1 = madd(c1, a, v128.load32_splat(pb + 4));
        if (N > 2) c2 = madd(c2, a, v128.load32_splat(pb + 8));
        if (N > 3) c3 = madd(c3, a, v128.load32_splat(pb + 12));
        a = v128.shuffle<f32>(t0, t1, 2, 3, 6, 7);
        c0 = madd(c0, a, v128.load32_splat(pb + 32));
        if (N > 1) c1 = madd(c1, a, v128.load32_splat(pb + 36));
        if (N > 2) c2 = madd(c2, a, v128.load32_splat(pb + 40));
        if (N > 3) c3 = madd(c3, a, v128.load32_splat(pb + 44));
        a = v128.shuffle<f32>(t2, t3, 0, 1, 4, 5);
        c0 = madd(c0, a, v128.load32_splat(pb + 64));
        if (N > 1) c1 = madd(c1, a, v128.load32_splat(pb + 68));
        if (N > 2) c2 = madd(c2, a, v128.load32_splat(pb + 72));
        if (N > 3) c3 = madd(c3, a, v128.load32_splat(pb + 76));
        a = v128.shuffle<f32>(t2, t3, 2, 3, 6, 7);
        c0 = madd(c0, a, v128.load32_splat(pb + 96));
        if (N > 1) c1 = madd(c1, a, v128.load32_splat(pb + 100));
        if (N > 2) c2 = madd(c2, a, v128.load32_splat(pb + 104));
        if (N > 3) c3 = madd(c3, a, v128.load32_splat(pb + 108));
      }
      if (k == 0) break; // never: it parts the block, so that its loads fit the registers
      {
        const r0 = v128.load(pa, 128), r1 = v128.load(pa, 160), r2 = v128.load(pa, 192), r3 = v128.load(pa, 224);
        const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), t1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
        const t2 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7), t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
        let a = v128.shuffle<f32>(t0, t1, 0, 1, 4, 5);
        d0 = madd(d0, a, v128.load32_splat(pb + 0));
        if (N > 1) d1 = madd(d1, a, v128.load32_splat(pb + 4));
        if (N > 2) d2 = madd(d2, a, v128.load32_splat(pb + 8));
        if (N > 3) d3 = madd(d3, a, v128.load32_splat(pb + 12));
        a = v128.shuffle<f32>(t0, t1, 2, 3, 6, 7);
        d0 = madd(d0, a, v128.load32_splat(pb + 32));
        if (N > 1) d1 = madd(d1, a, v128.load32_splat(pb + 36));
        if (N > 2) d2 = madd(d2, a, v128.load32_splat(pb + 40));
        if (N > 3) d3 = madd(d3, a, v128.load32_splat(pb + 44));
        a = v128.shuffle<f32>(t2, t3, 0, 1, 4, 5);
        d0 = madd(d0, a, v128.load32_splat(pb + 64));
        if (N > 1) d1 = madd(d1, a, v128.load32_splat(pb + 68));
        if (N > 2) d2 = madd(d2, a, v128.load32_splat(pb + 72));
        if (N > 3) d3 = madd(d3, a, v128.load32_splat(pb + 76));
        a = v128.shuffle<f32>(t2, t3, 2, 3, 6, 7);
        d0 = madd(d0, a, v128.load32_splat(pb + 96));
        if (N > 1) d1 = madd(d1, a, v128.load32_splat(pb + 100));
        if (N > 2) d2 = madd(d2, a, v128.load32_splat(pb + 104));
        if (N > 3) d3 = madd(d3, a, v128.load32_splat(pb + 108));
      }
      if (k <= 4) break;
      {
        const r0 = v128.load(pa, 16), r1 = v128.load(pa, 48), r2 = v128.load(pa, 80), r3 = v128.load(pa, 112);
        const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), t1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
        const t2 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7), t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
        let a = v128.shuffle<f32>(t0, t1, 0, 1, 4, 5);
        c0 = madd(c0, a, v128.load32_splat(pb + 128));
        if (N > 1) c1 = madd(c1, a, v128.load32_splat(pb + 132));
        if (N > 2) c2 = madd(c2, a, v128.load32_splat(pb + 136));
        if (N > 3) c3 = madd(c3, a, v128.load32_splat(pb + 140));
        a = v128.shuffle<f32>(t0, t1, 2, 3, 6, 7);
        c0 = madd(c0, a, v128.load32_splat(pb + 160));
        if (N > 1) c1 = madd(c1, a, v128.load32_splat(pb + 164));
        if (N > 2) c2 = madd(c2, a, v128.load32_splat(pb + 168));
        if (N > 3) c3 = madd(c3, a, v128.load32_splat(pb + 172));
        a = v128.shuffle<f32>(t2, t3, 0, 1, 4, 5);
        c0 = madd(c0, a, v128.load32_splat(pb + 192));
        if (N > 1) c1 = madd(c1, a, v128.load32_splat(pb + 196));
        if (N > 2) c2 = madd(c2, a, v128.load32_splat(pb + 200));
        if (N > 3) c3 = madd(c3, a, v128.load32_splat(pb + 204));
        a = v128.shuffle<f32>(t2, t3, 2, 3, 6, 7);
        c0 = madd(c0, a, v128.load32_splat(pb + 224));
        if (N > 1) c1 = madd(c1, a, v128.load32_splat(pb + 228));
        if (N > 2) c2 = madd(c2, a, v128.load32_splat(pb + 232));
        if (N > 3) c3 = madd(c3, a, v128.load32_splat(pb + 236));
      }
      if (k == 0) break;
      {
        const r0 = v128.load(pa, 144), r1 = v128.load(pa, 176), r2 = v128.load(pa, 208), r3 = v128.load(pa, 240);
        const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), t1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
        const t2 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7), t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
        let a = v128.shuffle<f32>(t0, t1, 0, 1, 4, 5);
        d0 = madd(d0, a, v128.load32_splat(pb + 128));
        if (N > 1) d1 = madd(d1, a, v128.load32_splat(pb + 132));
        if (N > 2) d2 = madd(d2, a, v128.load32_splat(pb + 136));
        if (N > 3) d3 = madd(d3, a, v128.load32_splat(pb + 140));
        a = v128.shuffle<f32>(t0, t1, 2, 3, 6, 7);
        d0 = madd(d0, a, v128.load32_splat(pb + 160));
        if (N > 1) d1 = madd(d1, a, v128.load32_splat(pb + 164));
        if (N > 2) d2 = madd(d2, a, v128.load32_splat(pb + 168));
        if (N > 3) d3 = madd(d3, a, v128.load32_splat(pb + 172));
        a = v128.shuffle<f32>(t2, t3, 0, 1, 4, 5);
        d0 = madd(d0, a, v128.load32_splat(pb + 192));
        if (N > 1) d1 = madd(d1, a, v128.load32_splat(pb + 196));
        if (N > 2) d2 = madd(d2, a, v128.load32_splat(pb + 200));
        if (N > 3) d3 = madd(d3, a, v128.load32_splat(pb + 204));
        a = v128.shuffle<f32>(t2, t3, 2, 3, 6, 7);
        d0 = madd(d0, a, v128.load32_splat(pb + 224));
        if (N > 1) d1 = madd(d1, a, v128.load32_splat(pb + 228));
        if (N > 2) d2 = madd(d2, a, v128.load32_splat(pb + 232));
        if (N > 3) d3 = madd(d3, a, v128.load32_splat(pb + 236));
      }
      if (k <= 8) break;
      k -= 8;
      pa += xStride;
      pb += 256;
    }
    storeTransposed(out, c0, c1, c2, c3);
    storeTransposed(out + 128, d0, d1, d2, d3);
    x += 256;
  }
}

/** Four vectors of four rows each as the first four columns of these rows. */
// @ts-ignore: decorator
@inline
function storeTransposed(to: usize, r0: v128, r1: v128, r2: v128, r3: v128): void {
  const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), t1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const t2 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7), t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(t0, t1, 0, 1, 4, 5));
  v128.store(to, v128.shuffle<f32>(t0, t1, 2, 3, 6, 7), 32);
  v128.store(to, v128.shuffle<f32>(t2, t3, 0, 1, 4, 5), 64);
  v128.store(to, v128.shuffle<f32>(t2, t3, 2, 3, 6, 7), 96);
}

export function narrowWeightGradient(
  N: i32, dw: usize, x: usize, xStride: usize, dy: usize, B: i32, I: i32, accumulate: bool,
): void {
  // dw (I,N), set or added to; x (B,I); dy (B,N); N 1 to 4. Columns from N to 3 become 0
  if (N == 1) gradientColumns(1, dw, x, xStride, dy, B, I, accumulate);
  else if (N == 2) gradientColumns(2, dw, x, xStride, dy, B, I, accumulate);
  else if (N == 3) gradientColumns(3, dw, x, xStride, dy, B, I, accumulate);
  else gradientColumns(4, dw, x, xStride, dy, B, I, accumulate);
}

/** Eight inputs at a time, four rows a turn. */
// @ts-ignore: decorator
@inline
function gradientColumns(
  N: i32, dw: usize, x: usize, xStride: usize, dy: usize, B: i32, I: i32, accumulate: bool,
): void {
  const z = f32x4.splat(0), bytes = <usize>B << 5;
  for (let i = 0; i < I; i += 8) {
    let c0 = z, c1 = z, c2 = z, c3 = z, d0 = z, d1 = z, d2 = z, d3 = z;
    if (accumulate) {
      c0 = column(dw, 0);
      d0 = column(dw + 128, 0);
      if (N > 1) { c1 = column(dw, 1); d1 = column(dw + 128, 1); }
      if (N > 2) { c2 = column(dw, 2); d2 = column(dw + 128, 2); }
      if (N > 3) { c3 = column(dw, 3); d3 = column(dw + 128, 3); }
    }
    let pa = x, pb = dy;
    const end = x + bytes;
    while (true) {
      {
        const a = v128.load(pa, 0), b = v128.load(pa, 16);
        let s = v128.load32_splat(pb + 0); c0 = madd(c0, a, s); d0 = madd(d0, b, s);
        if (N > 1) { s = v128.load32_splat(pb + 4); c1 = madd(c1, a, s); d1 = madd(d1, b, s); }
        if (N > 2) { s = v128.load32_splat(pb + 8); c2 = madd(c2, a, s); d2 = madd(d2, b, s); }
        if (N > 3) { s = v128.load32_splat(pb + 12); c3 = madd(c3, a, s); d3 = madd(d3, b, s); }
      }
      if (pa == 0) break; // never: it parts the block
      {
        const a = v128.load(pa, 32), b = v128.load(pa, 48);
        let s = v128.load32_splat(pb + 32); c0 = madd(c0, a, s); d0 = madd(d0, b, s);
        if (N > 1) { s = v128.load32_splat(pb + 36); c1 = madd(c1, a, s); d1 = madd(d1, b, s); }
        if (N > 2) { s = v128.load32_splat(pb + 40); c2 = madd(c2, a, s); d2 = madd(d2, b, s); }
        if (N > 3) { s = v128.load32_splat(pb + 44); c3 = madd(c3, a, s); d3 = madd(d3, b, s); }
      }
      if (pa == 0) break; // never: it parts the block
      {
        const a = v128.load(pa, 64), b = v128.load(pa, 80);
        let s = v128.load32_splat(pb + 64); c0 = madd(c0, a, s); d0 = madd(d0, b, s);
        if (N > 1) { s = v128.load32_splat(pb + 68); c1 = madd(c1, a, s); d1 = madd(d1, b, s); }
        if (N > 2) { s = v128.load32_splat(pb + 72); c2 = madd(c2, a, s); d2 = madd(d2, b, s); }
        if (N > 3) { s = v128.load32_splat(pb + 76); c3 = madd(c3, a, s); d3 = madd(d3, b, s); }
      }
      if (pa == 0) break; // never: it parts the block
      {
        const a = v128.load(pa, 96), b = v128.load(pa, 112);
        let s = v128.load32_splat(pb + 96); c0 = madd(c0, a, s); d0 = madd(d0, b, s);
        if (N > 1) { s = v128.load32_splat(pb + 100); c1 = madd(c1, a, s); d1 = madd(d1, b, s); }
        if (N > 2) { s = v128.load32_splat(pb + 104); c2 = madd(c2, a, s); d2 = madd(d2, b, s); }
        if (N > 3) { s = v128.load32_splat(pb + 108); c3 = madd(c3, a, s); d3 = madd(d3, b, s); }
      }
      pa += 128;
      pb += 128;
      if (pa >= end) break;
    }
    storeTransposed(dw, c0, c1, c2, c3);
    storeTransposed(dw + 128, d0, d1, d2, d3);
    x += xStride;
    dw += 256;
  }
}

/** A column of four rows. */
// @ts-ignore: decorator
@inline
function column(from: usize, n: usize): v128 {
  const at = from + (n << 2);
  return f32x4(load<f32>(at), load<f32>(at, 32), load<f32>(at, 64), load<f32>(at, 96));
}

/** The gradient of the input through so few columns is a short sum: the weights of a panel stay in registers. */
// @ts-ignore: decorator
@inline
export function narrowInputGradient(
  K: i32, dx: usize, x: usize, xStride: usize, dy: usize, wt: usize, B: i32, I: i32, activation: i32,
): void {
  // dx (B,I) before the activation that made x; x (B,I) after it; dy (B,K); wt (K,I); K 1 to 4
  if (K == 1) inputColumns(1, dx, x, xStride, dy, wt, B, I, activation);
  else if (K == 2) inputColumns(2, dx, x, xStride, dy, wt, B, I, activation);
  else if (K == 3) inputColumns(3, dx, x, xStride, dy, wt, B, I, activation);
  else inputColumns(4, dx, x, xStride, dy, wt, B, I, activation);
}

// @ts-ignore: decorator
@inline
function inputColumns(
  K: i32, dx: usize, x: usize, xStride: usize, dy: usize, wt: usize, B: i32, I: i32, activation: i32,
): void {
  const z = f32x4.splat(0), bytes = <usize>B << 5;
  for (let i = 0; i < I; i += 8) {
    const a0 = v128.load(wt, 0), b0 = v128.load(wt, 16);
    const a1 = K > 1 ? v128.load(wt, 32) : z, b1 = K > 1 ? v128.load(wt, 48) : z;
    const a2 = K > 2 ? v128.load(wt, 64) : z, b2 = K > 2 ? v128.load(wt, 80) : z;
    const a3 = K > 3 ? v128.load(wt, 96) : z, b3 = K > 3 ? v128.load(wt, 112) : z;
    let pd = dy, at: usize = 0;
    while (true) {
      inputRow(K, dx + at, x + at, pd, a0, b0, a1, b1, a2, b2, a3, b3, activation);
      if (at == bytes) break; // never: it parts the block, so that its loads fit the registers
      inputRow(K, dx + at + 32, x + at + 32, pd + 32, a0, b0, a1, b1, a2, b2, a3, b3, activation);
      if (at == bytes) break;
      inputRow(K, dx + at + 64, x + at + 64, pd + 64, a0, b0, a1, b1, a2, b2, a3, b3, activation);
      if (at == bytes) break;
      inputRow(K, dx + at + 96, x + at + 96, pd + 96, a0, b0, a1, b1, a2, b2, a3, b3, activation);
      at += 128;
      if (at == bytes) break;
      pd += 128;
    }
    dx += xStride;
    x += xStride;
    wt += 256;
  }
}

// @ts-ignore: decorator
@inline
function inputRow(
  K: i32, out: usize, y: usize, dy: usize, a0: v128, b0: v128, a1: v128, b1: v128, a2: v128, b2: v128, a3: v128,
  b3: v128, activation: i32,
): void {
  const z = f32x4.splat(0);
  let d = v128.load32_splat(dy);
  let s = madd(z, d, a0), t = madd(z, d, b0);
  if (K > 1) { d = v128.load32_splat(dy + 4); s = madd(s, d, a1); t = madd(t, d, b1); }
  if (K > 2) { d = v128.load32_splat(dy + 8); s = madd(s, d, a2); t = madd(t, d, b2); }
  if (K > 3) { d = v128.load32_splat(dy + 12); s = madd(s, d, a3); t = madd(t, d, b3); }
  finish(INPUT_GRADIENT, out, 0, s, y, activation);
  finish(INPUT_GRADIENT, out, 16, t, y, activation);
}

// Rows of the rollout into a minibatch.

/**
 * Copies rows of x into panels, with zeros in the padding columns and rows. `indices` 0: the first B rows in order.
 * Reads up to 28 bytes past the last row: the caller leaves that room.
 */
export function gatherRows(out: usize, outStride: usize, x: usize, indices: usize, B: i32, padded: i32, I: i32): void {
  // out (padded,I) in panels; x (T,I) row after row; indices (B)
  const lanes = i32x4(0, 1, 2, 3);
  for (let b = 0; b < B; b++) {
    const row: i32 = indices ? load<i32>(indices + (<usize>b << 2)) : b;
    let from = x + (<usize>row * <usize>I << 2);
    let to = out + (<usize>b << 5);
    let left = I;
    for (; left >= 8; left -= 8) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      from += 32;
      to += outStride;
    }
    if (left > 0) {
      v128.store(to, v128.and(v128.load(from), i32x4.gt_s(i32x4.splat(left), lanes)));
      v128.store(to, v128.and(v128.load(from, 16), i32x4.gt_s(i32x4.splat(left - 4), lanes)), 16);
    }
  }
  for (let b = B; b < padded; b++) {
    let to = out + (<usize>b << 5);
    for (let i = 0; i < I; i += 8) {
      v128.store(to, f32x4.splat(0));
      v128.store(to, f32x4.splat(0), 16);
      to += outStride;
    }
  }
}

/** Mean and unbiased standard deviation (n - 1) of the chosen advantages, in float64, two passes. */
export function advantageMoments(out: usize, advantages: usize, indices: usize, n: i32): void {
  // out (2) float64: mean, standard deviation; advantages (T); indices (n)
  let sum: f64 = 0;
  for (let i = 0; i < n; i++) sum += <f64>load<f32>(advantages + (<usize>load<i32>(indices + (<usize>i << 2)) << 2));
  const mean = sum / <f64>n;
  let squares: f64 = 0;
  for (let i = 0; i < n; i++) {
    const d = <f64>load<f32>(advantages + (<usize>load<i32>(indices + (<usize>i << 2)) << 2)) - mean;
    squares += d * d;
  }
  store<f64>(out, mean);
  store<f64>(out, sqrt<f64>(squares / <f64>(n - 1)), 8);
}

// Action distributions (categorical with masks, diagonal Gaussian), PPO's losses on them, and the value loss.
// The log-probability of an action is computed by one function in acting and in learning, so that the first
// minibatch after a rollout has a ratio of exactly 1.
import { expNegative4 } from './_activation.as';

/** Logit of a masked action, as sb3-contrib sets it: its probability is exactly 0, unless all are masked. */
const MASKED: f32 = -1e8;
const HALF_LOG_TWO_PI: f64 = 0.91893853320467274178;

// Offsets in a half's block of sums (float64).
const POLICY_SUM: usize = 0;
const ENTROPY_SUM: usize = 8;
const KL_SUM: usize = 16;
const CLIPPED_SUM: usize = 24;
const VALUE_SUM: usize = 32;

/**
 * Leaves in scratch the masked logits less their maximum, and at expOffset their exponentials; returns the sum of
 * these. Vectors all along: reading four floats that were just stored one by one would stall.
 */
// @ts-ignore: decorator
@inline
function exponentials(scratch: usize, expOffset: usize, logits: usize, stride: usize, A: i32, mask: usize): f64 {
  const masked = f32x4.splat(MASKED), nothing = f32x4.splat(-Infinity), lanes = i32x4(0, 1, 2, 3);
  let top = nothing;
  for (let j = 0; j < A; j += 4) {
    let x = v128.load(logits + <usize>(j >> 3) * stride + (<usize>(j & 4) << 2));
    if (mask) {
      const valid = i32x4.ne(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(mask + j))), i32x4.splat(0));
      x = v128.bitselect(x, masked, valid);
    }
    // columns past the last action have no probability at all, even where every action is masked
    x = v128.bitselect(x, nothing, i32x4.gt_s(i32x4.splat(A - j), lanes));
    v128.store(scratch + (<usize>j << 2), x);
    // max, not pmax: a NaN becomes the maximum and spreads
    top = f32x4.max(top, x);
  }
  top = f32x4.max(top, v128.shuffle<f32>(top, top, 2, 3, 0, 1));
  top = f32x4.max(top, v128.shuffle<f32>(top, top, 1, 0, 3, 2));
  let sum: f64 = 0;
  for (let p = scratch, end = scratch + (<usize>A << 2); p < end; p += 16) {
    const x = f32x4.sub(v128.load(p), top);
    const e = expNegative4(x);
    v128.store(p, x);
    v128.store(p + expOffset, e);
    sum += <f64>f32x4.extract_lane(e, 0);
    sum += <f64>f32x4.extract_lane(e, 1);
    sum += <f64>f32x4.extract_lane(e, 2);
    sum += <f64>f32x4.extract_lane(e, 3);
  }
  return sum;
}

/**
 * The same for four rows of at most four logits without masks, a lane a row: operation for operation what
 * `exponentials` does, to the bit. The sums stand at sumOffset.
 */
// @ts-ignore: decorator
@inline
function exponentialsOfFour(
  scratch: usize, rowBytes: usize, expOffset: usize, sumOffset: usize, logits: usize, A: i32,
): void {
  const r0 = v128.load(logits), r1 = v128.load(logits, 32), r2 = v128.load(logits, 64), r3 = v128.load(logits, 96);
  const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), t1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const t2 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7), t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  const nothing = f32x4.splat(-Infinity);
  let x0 = v128.shuffle<f32>(t0, t1, 0, 1, 4, 5);
  let x1 = A > 1 ? v128.shuffle<f32>(t0, t1, 2, 3, 6, 7) : nothing;
  let x2 = A > 2 ? v128.shuffle<f32>(t2, t3, 0, 1, 4, 5) : nothing;
  let x3 = A > 3 ? v128.shuffle<f32>(t2, t3, 2, 3, 6, 7) : nothing;
  let top = f32x4.max(x0, x1);
  if (A > 2) top = f32x4.max(top, f32x4.max(x2, x3));
  x0 = f32x4.sub(x0, top);
  x1 = f32x4.sub(x1, top);
  x2 = f32x4.sub(x2, top);
  x3 = f32x4.sub(x3, top);
  storeRows(scratch, rowBytes, x0, x1, x2, x3);
  x0 = expNegative4(x0);
  x1 = expNegative4(x1);
  let low = f64x2.add(f64x2.promote_low_f32x4(x0), f64x2.promote_low_f32x4(x1));
  let high = f64x2.add(promoteHigh(x0), promoteHigh(x1));
  if (A > 2) {
    x2 = expNegative4(x2);
    low = f64x2.add(low, f64x2.promote_low_f32x4(x2));
    high = f64x2.add(high, promoteHigh(x2));
  }
  if (A > 3) {
    x3 = expNegative4(x3);
    low = f64x2.add(low, f64x2.promote_low_f32x4(x3));
    high = f64x2.add(high, promoteHigh(x3));
  }
  storeRows(scratch + expOffset, rowBytes, x0, x1, x2, x3);
  const sums = scratch + sumOffset;
  store<f64>(sums, f64x2.extract_lane(low, 0));
  store<f64>(sums + rowBytes, f64x2.extract_lane(low, 1));
  store<f64>(sums + 2 * rowBytes, f64x2.extract_lane(high, 0));
  store<f64>(sums + 3 * rowBytes, f64x2.extract_lane(high, 1));
}

// @ts-ignore: decorator
@inline
function promoteHigh(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 2, 3, 2, 3));
}

// @ts-ignore: decorator
@inline
function storeRows(to: usize, rowBytes: usize, c0: v128, c1: v128, c2: v128, c3: v128): void {
  const t0 = v128.shuffle<f32>(c0, c1, 0, 4, 1, 5), t1 = v128.shuffle<f32>(c2, c3, 0, 4, 1, 5);
  const t2 = v128.shuffle<f32>(c0, c1, 2, 6, 3, 7), t3 = v128.shuffle<f32>(c2, c3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(t0, t1, 0, 1, 4, 5));
  v128.store(to + rowBytes, v128.shuffle<f32>(t0, t1, 2, 3, 6, 7));
  v128.store(to + 2 * rowBytes, v128.shuffle<f32>(t2, t3, 0, 1, 4, 5));
  v128.store(to + 3 * rowBytes, v128.shuffle<f32>(t2, t3, 2, 3, 6, 7));
}

// @ts-ignore: decorator
@inline
function categoricalLogProb(scratch: usize, action: i32, logSum: f64): f32 {
  return <f32>(<f64>load<f32>(scratch + (<usize>action << 2)) - logSum);
}

/** Chooses by inverse distribution function from one uniform a row, or where `noise` is 0 the most likely action. */
export function categoricalAct(
  actions: usize, logProbs: usize, logits: usize, stride: usize, B: i32, A: i32, masks: usize, noise: usize, scratch: usize,
): void {
  // actions (B); logProbs (B); logits (B,A) in panels; masks (B,A) or 0; noise (B) float64 or 0
  const expOffset = (<usize>((A + 7) & ~7)) << 2;
  for (let b = 0; b < B; b++) {
    const sum = exponentials(scratch, expOffset, logits + (<usize>b << 5), stride, A, masks ? masks + b * A : 0);
    const e = scratch + expOffset;
    let action = 0;
    if (noise) {
      const threshold = load<f64>(noise + (<usize>b << 3)) * sum;
      let cumulative: f64 = 0;
      for (let j = 0; j < A; j++) {
        const weight = load<f32>(e + (<usize>j << 2));
        if (weight > 0) {
          // the last possible action also takes what rounding leaves of the sum
          action = j;
          cumulative += <f64>weight;
          if (cumulative > threshold) break;
        }
      }
    } else {
      let best = load<f32>(scratch);
      for (let j = 1; j < A; j++) {
        const shifted = load<f32>(scratch + (<usize>j << 2));
        if (shifted > best) {
          best = shifted;
          action = j;
        }
      }
    }
    store<f32>(actions + (<usize>b << 2), <f32>action);
    store<f32>(logProbs + (<usize>b << 2), categoricalLogProb(scratch, action, NativeMath.log(sum)));
  }
}

export function categoricalProbabilities(
  out: usize, logits: usize, stride: usize, B: i32, A: i32, masks: usize, scratch: usize,
): void {
  // out (B,A) row after row; logits (B,A) in panels; masks (B,A) or 0
  const expOffset = (<usize>((A + 7) & ~7)) << 2;
  for (let b = 0; b < B; b++) {
    const sum = exponentials(scratch, expOffset, logits + (<usize>b << 5), stride, A, masks ? masks + b * A : 0);
    for (let j = 0; j < A; j++) {
      store<f32>(out, <f32>(<f64>load<f32>(scratch + expOffset + (<usize>j << 2)) / sum));
      out += 4;
    }
  }
}

// What `surrogate` leaves: the derivative of one row's policy loss by its log-probability, not yet divided by n.
let surrogateGradient: f64 = 0;

/** One row of the clipped surrogate; adds to the sums of loss, KL and clipped rows. */
// @ts-ignore: decorator
@inline
function surrogate(sums: usize, logProb: f32, oldLogProb: f32, advantage: f64, clipRange: f64): void {
  const logRatio = <f64>logProb - <f64>oldLogProb;
  const ratio = NativeMath.exp(logRatio);
  const free = advantage * ratio;
  const clipped = advantage * min(max(ratio, 1 - clipRange), 1 + clipRange);
  // not (free > clipped): a NaN goes on into the gradient
  const active = !(free > clipped);
  surrogateGradient = active ? -free : 0;
  store<f64>(sums + POLICY_SUM, load<f64>(sums + POLICY_SUM) - (active ? free : clipped));
  store<f64>(sums + KL_SUM, load<f64>(sums + KL_SUM) + (ratio - 1 - logRatio));
  store<f64>(sums + CLIPPED_SUM, load<f64>(sums + CLIPPED_SUM) + select<f64>(1, 0, abs(ratio - 1) > clipRange));
}

/**
 * Loss and its gradient by the logits; `scale` is 1 / rows of the minibatch. Adds to `sums`. scratch holds for each
 * of the padded rows two rounded-up rows of floats and 16 bytes.
 */
export function categoricalLoss(
  sums: usize, dLogits: usize, logits: usize, stride: usize, indices: usize, B: i32, padded: i32, A: i32,
  actions: usize, masks: usize, oldLogProbs: usize, advantages: usize, mean: f64, inverseDeviation: f64,
  clipRange: f64, entCoef: f64, scale: f64, scratch: usize,
): void {
  // dLogits, logits (padded,A) in panels; indices (B) into actions (T), masks (T,A) or 0, oldLogProbs (T), advantages (T)
  const expOffset = (<usize>((A + 7) & ~7)) << 2;
  const rowBytes = 2 * expOffset + 16;
  clearPanels(dLogits, stride, padded, A);
  // First all exponentials, then all losses: each loop alone is short enough for rows to overlap in the processor.
  if (masks == 0 && A <= 4) {
    // the rows up to `padded` are there too, and nobody looks at theirs
    for (let b = 0; b < B; b += 4) {
      const at = scratch + <usize>b * rowBytes;
      exponentialsOfFour(at, rowBytes, expOffset, 2 * expOffset, logits + (<usize>b << 5), A);
    }
  } else {
    for (let b = 0; b < B; b++) {
      const mask = masks ? masks + <usize>load<i32>(indices + (<usize>b << 2)) * <usize>A : 0;
      const at = scratch + <usize>b * rowBytes;
      store<f64>(at + 2 * expOffset, exponentials(at, expOffset, logits + (<usize>b << 5), stride, A, mask));
    }
  }
  const entropyScale = entCoef * scale;
  for (let b = 0; b < B; b++) {
    const row = <usize>load<i32>(indices + (<usize>b << 2));
    const mask = masks ? masks + row * <usize>A : 0;
    const action = <i32>load<f32>(actions + (row << 2));
    const shifted = scratch + <usize>b * rowBytes;
    const sum = load<f64>(shifted + 2 * expOffset);
    const logSum = NativeMath.log(sum);
    const inverseSum = 1 / sum;
    const advantage = (<f64>load<f32>(advantages + (row << 2)) - mean) * inverseDeviation;
    surrogate(sums, categoricalLogProb(shifted, action, logSum), load<f32>(oldLogProbs + (row << 2)), advantage, clipRange);
    let entropy: f64 = 0;
    for (let j = 0; j < A; j++) {
      const at = shifted + (<usize>j << 2);
      if (mask) {
        if (load<u8>(mask + j) == 0) continue;
      }
      entropy -= <f64>load<f32>(at + expOffset) * inverseSum * (<f64>load<f32>(at) - logSum);
    }
    store<f64>(sums + ENTROPY_SUM, load<f64>(sums + ENTROPY_SUM) + entropy);
    const chosen = surrogateGradient * scale;
    for (let j = 0; j < A; j++) {
      if (mask) {
        if (load<u8>(mask + j) == 0) continue;
      }
      const at = shifted + (<usize>j << 2);
      const p = <f64>load<f32>(at + expOffset) * inverseSum;
      // d log p(action) / d logit j = [j = action] - p_j; d entropy / d logit j = -p_j (log p_j + entropy)
      const gradient = entropyScale * p * (<f64>load<f32>(at) - logSum + entropy) - chosen * p;
      store<f32>(dLogits + <usize>(j >> 3) * stride + (<usize>b << 5) + (<usize>(j & 7) << 2), <f32>(gradient + select<f64>(chosen, 0, j == action)));
    }
  }
}

// @ts-ignore: decorator
@inline
function clearPanels(out: usize, stride: usize, rows: i32, columns: i32): void {
  for (let j = 0; j < columns; j += 8) {
    memory.fill(out, 0, <usize>rows << 5);
    out += stride;
  }
}

/** Standard deviations of the Gaussian: exp(log_std), in float64. */
export function gaussianDeviations(out: usize, logStd: usize, K: i32): void {
  // out (K) float64; logStd (K)
  for (let k = 0; k < K; k++) store<f64>(out + (<usize>k << 3), NativeMath.exp(<f64>load<f32>(logStd + (<usize>k << 2))));
}

// @ts-ignore: decorator
@inline
function gaussianLogProb(action: usize, means: usize, stride: usize, K: i32, logStd: usize, deviations: usize): f32 {
  let sum: f64 = 0;
  for (let k = 0; k < K; k++) {
    const mu = <f64>load<f32>(means + <usize>(k >> 3) * stride + (<usize>(k & 7) << 2));
    const z = (<f64>load<f32>(action + (<usize>k << 2)) - mu) / load<f64>(deviations + (<usize>k << 3));
    sum -= 0.5 * z * z + <f64>load<f32>(logStd + (<usize>k << 2)) + HALF_LOG_TWO_PI;
  }
  return <f32>sum;
}

/** mean + deviation x noise, unclipped, or where `noise` is 0 the mean. */
export function gaussianAct(
  actions: usize, logProbs: usize, means: usize, stride: usize, B: i32, K: i32, logStd: usize, deviations: usize, noise: usize,
): void {
  // actions (B,K) row after row; logProbs (B); means (B,K) in panels; logStd, deviations (K); noise (B,K) float64 or 0
  for (let b = 0; b < B; b++) {
    const row = means + (<usize>b << 5);
    const action = actions + (<usize>(b * K) << 2);
    for (let k = 0; k < K; k++) {
      let value = <f64>load<f32>(row + <usize>(k >> 3) * stride + (<usize>(k & 7) << 2));
      if (noise) value += load<f64>(deviations + (<usize>k << 3)) * load<f64>(noise + (<usize>(b * K + k) << 3));
      store<f32>(action + (<usize>k << 2), <f32>value);
    }
    store<f32>(logProbs + (<usize>b << 2), gaussianLogProb(action, row, stride, K, logStd, deviations));
  }
}

/** Loss and its gradient by the means and by log_std; `scale` is 1 / rows of the minibatch. Adds to the sums. */
export function gaussianLoss(
  sums: usize, dLogStd: usize, dMeans: usize, means: usize, stride: usize, indices: usize, B: i32, padded: i32, K: i32,
  actions: usize, logStd: usize, deviations: usize, oldLogProbs: usize, advantages: usize, mean: f64,
  inverseDeviation: f64, clipRange: f64, entCoef: f64, scale: f64,
): void {
  // dLogStd (K) float64, added to; dMeans, means (padded,K) in panels; indices (B) into actions (T,K), oldLogProbs (T), advantages (T)
  clearPanels(dMeans, stride, padded, K);
  let entropy: f64 = 0;
  for (let k = 0; k < K; k++) entropy += 0.5 + HALF_LOG_TWO_PI + <f64>load<f32>(logStd + (<usize>k << 2));
  for (let b = 0; b < B; b++) {
    const row = <usize>load<i32>(indices + (<usize>b << 2));
    const action = actions + (row * <usize>K << 2);
    const at = means + (<usize>b << 5);
    const advantage = (<f64>load<f32>(advantages + (row << 2)) - mean) * inverseDeviation;
    const logProb = gaussianLogProb(action, at, stride, K, logStd, deviations);
    surrogate(sums, logProb, load<f32>(oldLogProbs + (row << 2)), advantage, clipRange);
    store<f64>(sums + ENTROPY_SUM, load<f64>(sums + ENTROPY_SUM) + entropy);
    const chosen = surrogateGradient * scale;
    for (let k = 0; k < K; k++) {
      const offset = <usize>(k >> 3) * stride + (<usize>(k & 7) << 2);
      const deviation = load<f64>(deviations + (<usize>k << 3));
      const z = (<f64>load<f32>(action + (<usize>k << 2)) - <f64>load<f32>(at + offset)) / deviation;
      store<f32>(dMeans + (<usize>b << 5) + offset, <f32>(chosen * z / deviation));
      const sum = dLogStd + (<usize>k << 3);
      store<f64>(sum, load<f64>(sum) + (chosen * (z * z - 1) - entCoef * scale));
    }
  }
}

/**
 * Squared error of the values and its gradient times vfCoef. `clipRange` below 0: no clipping. `pessimistic`: the
 * larger of both errors, instead of the clamped one's.
 */
export function valueLoss(
  sums: usize, dValues: usize, values: usize, stride: usize, indices: usize, B: i32, padded: i32,
  returns: usize, oldValues: usize, clipRange: f64, pessimistic: bool, vfCoef: f64, scale: f64,
): void {
  // dValues, values (padded,1) in panels; indices (B) into returns (T), oldValues (T)
  clearPanels(dValues, stride, padded, 1);
  const gradientScale = 2 * vfCoef * scale;
  let total = load<f64>(sums + VALUE_SUM);
  for (let b = 0; b < B; b++) {
    const row = <usize>load<i32>(indices + (<usize>b << 2)) << 2;
    const value = <f64>load<f32>(values + (<usize>b << 5));
    const target = <f64>load<f32>(returns + row);
    let error = value - target;
    let slope: f64 = 1;
    if (clipRange >= 0) {
      const old = <f64>load<f32>(oldValues + row);
      const moved = value - old;
      const kept = min(max(moved, -clipRange), clipRange);
      const clampedError = old + kept - target;
      if (!pessimistic || clampedError * clampedError > error * error) {
        error = clampedError;
        slope = moved < -clipRange || moved > clipRange ? 0 : 1;
      }
    }
    total += error * error;
    store<f32>(dValues + (<usize>b << 5), <f32>(gradientScale * slope * error));
  }
  store<f64>(sums + VALUE_SUM, total);
}

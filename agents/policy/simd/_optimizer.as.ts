// Gradient norm and Adam, over one half's flat range of parameters (padding included: it is 0 and stays 0).

/** Floats summed in float32 before the sum moves to float64. */
const BLOCK: i32 = 1024;

/** Sum of squares of g (n), n a multiple of 16; NaN or infinite where one of g is. */
export function sumSquares(g: usize, n: i32): f64 {
  // g (n)
  let total: f64 = 0;
  while (n > 0) {
    let a = f32x4.splat(0), b = a, c = a, d = a;
    let left = n < BLOCK ? n : BLOCK;
    n -= left;
    for (; left >= 16; left -= 16) {
      let x = v128.load(g);
      a = f32x4.add(a, f32x4.mul(x, x));
      x = v128.load(g, 16);
      b = f32x4.add(b, f32x4.mul(x, x));
      x = v128.load(g, 32);
      c = f32x4.add(c, f32x4.mul(x, x));
      x = v128.load(g, 48);
      d = f32x4.add(d, f32x4.mul(x, x));
      g += 64;
    }
    const s = f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
    total += <f64>f32x4.extract_lane(s, 0) + <f64>f32x4.extract_lane(s, 1) +
      (<f64>f32x4.extract_lane(s, 2) + <f64>f32x4.extract_lane(s, 3));
  }
  return total;
}

/**
 * One step of Adam (betas 0.9 and 0.999) as PyTorch takes it: p -= stepSize * m / (sqrt(v) * secondScale + eps), with
 * stepSize = learningRate / (1 - beta1^t) and secondScale = 1 / sqrt(1 - beta2^t). `gradientScale` clips the norm.
 */
export function adamStep(
  p: usize, g: usize, m: usize, v: usize, n: i32, gradientScale: f32, stepSize: f32, secondScale: f32, eps: f32,
): void {
  // p, g, m, v (n), n a multiple of 16
  const scale = f32x4.splat(gradientScale), step = f32x4.splat(stepSize), second = f32x4.splat(secondScale), e = f32x4.splat(eps);
  const end = p + (<usize>n << 2);
  // Four vectors at a time: square roots and divisions have one unit, which one chain after the other leaves idle.
  for (; p < end; p += 64) {
    const d0 = f32x4.mul(v128.load(g), scale), d1 = f32x4.mul(v128.load(g, 16), scale);
    const d2 = f32x4.mul(v128.load(g, 32), scale), d3 = f32x4.mul(v128.load(g, 48), scale);
    const m0 = firstMoment(m, d0), m1 = firstMoment(m + 16, d1), m2 = firstMoment(m + 32, d2), m3 = firstMoment(m + 48, d3);
    v128.store(m, m0);
    v128.store(m, m1, 16);
    v128.store(m, m2, 32);
    v128.store(m, m3, 48);
    const v0 = secondMoment(v, d0), v1 = secondMoment(v + 16, d1), v2 = secondMoment(v + 32, d2), v3 = secondMoment(v + 48, d3);
    v128.store(v, v0);
    v128.store(v, v1, 16);
    v128.store(v, v2, 32);
    v128.store(v, v3, 48);
    const p0 = moved(p, m0, v0, step, second, e), p1 = moved(p + 16, m1, v1, step, second, e);
    const p2 = moved(p + 32, m2, v2, step, second, e), p3 = moved(p + 48, m3, v3, step, second, e);
    v128.store(p, p0);
    v128.store(p, p1, 16);
    v128.store(p, p2, 32);
    v128.store(p, p3, 48);
    g += 64;
    m += 64;
    v += 64;
  }
}

// @ts-ignore: decorator
@inline
function moved(p: usize, m: v128, v: v128, step: v128, second: v128, eps: v128): v128 {
  return f32x4.sub(v128.load(p), f32x4.mul(step, f32x4.div(m, f32x4.add(f32x4.mul(f32x4.sqrt(v), second), eps))));
}

// @ts-ignore: decorator
@inline
function firstMoment(m: usize, d: v128): v128 {
  return f32x4.add(f32x4.mul(f32x4.splat(0.9), v128.load(m)), f32x4.mul(f32x4.splat(0.1), d));
}

// @ts-ignore: decorator
@inline
function secondMoment(v: usize, d: v128): v128 {
  return f32x4.add(f32x4.mul(f32x4.splat(0.999), v128.load(v)), f32x4.mul(f32x4.splat(0.001), f32x4.mul(d, d)));
}

// Activations, in place, and the exponential. Rational and polynomial approximations in float32: no tables, no host Math.
import { TANH, madd } from './_tiles.as';

export function activate(h: usize, stride: usize, B: i32, O: i32, activation: i32): void {
  // h (B,O), in place; B 1 or even
  const bytes = <usize>B << 5;
  for (let j = 0; j < O; j += 8) {
    const end = h + bytes;
    if (activation == TANH) {
      if (B == 1) {
        const a = tanh4(v128.load(h)), b = tanh4(v128.load(h, 16));
        v128.store(h, a);
        v128.store(h, b, 16);
      } else {
        // Four at a time: one alone is a long chain of dependent instructions.
        for (let p = h; p < end; p += 64) {
          const a = tanh4(v128.load(p)), b = tanh4(v128.load(p, 16)), c = tanh4(v128.load(p, 32)), d = tanh4(v128.load(p, 48));
          v128.store(p, a);
          v128.store(p, b, 16);
          v128.store(p, c, 32);
          v128.store(p, d, 48);
        }
      }
    } else {
      // pmax keeps a NaN, as the learner must see it
      const zero = f32x4.splat(0);
      for (let p = h; p < end; p += 32) {
        v128.store(p, f32x4.pmax(v128.load(p), zero));
        v128.store(p, f32x4.pmax(v128.load(p, 16), zero), 16);
      }
    }
    h += stride;
  }
}

/**
 * tanh as x P(x^2) / Q(x^2), P and Q of degree 4: the minimax rational function on [-9, 9] (relative error 2e-8 by
 * Lawson's iteration), beyond which float32 is at 1. With rounding the error stays below 3.2e-7. pmin and pmax keep
 * a NaN, and are one instruction where min and max are many.
 */
// @ts-ignore: decorator
@inline
export function tanh4(value: v128): v128 {
  const x = f32x4.pmax(f32x4.pmin(value, f32x4.splat(9)), f32x4.splat(-9));
  const y = f32x4.mul(x, x);
  let p = madd(f32x4.splat(2.06080342726e-5), y, f32x4.splat(1.33531866439e-8));
  p = madd(f32x4.splat(0.00349552610067), y, p);
  p = madd(f32x4.splat(0.133809743293), y, p);
  p = madd(f32x4.splat(0.999999979644), y, p);
  let q = madd(f32x4.splat(0.000328553199748), y, f32x4.splat(7.77595804028e-7));
  q = madd(f32x4.splat(0.0258767488455), y, q);
  q = madd(f32x4.splat(0.467142899977), y, q);
  q = madd(f32x4.splat(1), y, q);
  return f32x4.div(f32x4.mul(x, p), q);
}

/** exp for x <= 0 after Cephes (expf), 2 ulp; 0 below -87.33, where the result would be subnormal; keeps a NaN. */
// @ts-ignore: decorator
@inline
export function expNegative4(value: v128): v128 {
  const under = f32x4.lt(value, f32x4.splat(-87.33));
  const x = f32x4.pmax(value, f32x4.splat(-87.33));
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504088896341)));
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.add(r, f32x4.mul(n, f32x4.splat(2.12194440e-4)));
  let p = madd(f32x4.splat(1.3981999507e-3), r, f32x4.splat(1.9875691500e-4));
  p = madd(f32x4.splat(8.3334519073e-3), r, p);
  p = madd(f32x4.splat(4.1665795894e-2), r, p);
  p = madd(f32x4.splat(1.6666665459e-1), r, p);
  p = madd(f32x4.splat(5.0000001201e-1), r, p);
  p = f32x4.add(madd(r, f32x4.mul(r, r), p), f32x4.splat(1));
  const exponent = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return v128.andnot(f32x4.mul(p, exponent), under);
}

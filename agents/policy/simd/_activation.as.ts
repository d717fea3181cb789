// Activations, in place, and the exponential. Rational and polynomial approximations in float32: no tables, no host Math.
import { TANH, madd } from './_tiles.as';

export function activate(h: usize, stride: usize, B: i32, O: i32, activation: i32): void {
  // h (B,O), in place
  const bytes = <usize>B << 5;
  for (let j = 0; j < O; j += 8) {
    const end = h + bytes;
    if (activation == TANH) {
      for (let p = h; p < end; p += 32) {
        v128.store(p, tanh4(v128.load(p)));
        v128.store(p, tanh4(v128.load(p, 16)), 16);
      }
    } else {
      // max keeps a NaN, as the learner must see it
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
 * tanh by the minimax rational function of Eigen (odd, degree 13 over 6), clamped where float32 reaches 1.
 * Error below 3e-7. pmin and pmax keep a NaN, and are one instruction where min and max are many.
 */
// @ts-ignore: decorator
@inline
export function tanh4(value: v128): v128 {
  const x = f32x4.pmax(f32x4.pmin(value, f32x4.splat(7.90531110763549805)), f32x4.splat(-7.90531110763549805));
  const x2 = f32x4.mul(x, x);
  let p = madd(f32x4.splat(2.00018790482477e-13), x2, f32x4.splat(-2.76076847742355e-16));
  p = madd(f32x4.splat(-8.60467152213735e-11), x2, p);
  p = madd(f32x4.splat(5.12229709037114e-8), x2, p);
  p = madd(f32x4.splat(1.48572235717979e-5), x2, p);
  p = madd(f32x4.splat(6.37261928875436e-4), x2, p);
  p = madd(f32x4.splat(4.89352455891786e-3), x2, p);
  p = f32x4.mul(p, x);
  let q = madd(f32x4.splat(1.18534705686654e-4), x2, f32x4.splat(1.19825839466702e-6));
  q = madd(f32x4.splat(2.26843463243900e-3), x2, q);
  q = madd(f32x4.splat(4.89352518554385e-3), x2, q);
  return f32x4.div(p, q);
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

import { describe, expect, it } from 'vitest';
import { RandomStream } from '#env/seeding.js';
import { categoricalKl, gaussianKl } from './divergence.js';

describe('divergence of two policies', () => {
  it('is what the definition says, by hand', () => {
    // 0.5 ln(0.5/0.25) + 0.5 ln(0.5/0.75) = 0.1438, and 0 for the row that agrees
    const p = Float32Array.of(0.5, 0.5, 0.9, 0.1);
    const q = Float32Array.of(0.25, 0.75, 0.9, 0.1);
    expect(categoricalKl(p, q, 2)).toBeCloseTo((0.5 * Math.log(2) + 0.5 * Math.log(2 / 3)) / 2, 6);
    expect(categoricalKl(p, p, 2)).toBe(0);
  });

  it('takes no part in actions that are masked, and none in a single one', () => {
    const p = Float32Array.of(0, 0.5, 0.5, 1, 0, 0);
    const q = Float32Array.of(0, 0.25, 0.75, 1, 0, 0);
    expect(categoricalKl(p, q, 2)).toBeCloseTo(0.1438 / 2, 4);
  });

  it('is infinite where the other one never does what this one does', () => {
    expect(categoricalKl(Float32Array.of(0.5, 0.5), Float32Array.of(1, 0), 1)).toBe(Infinity);
    expect(categoricalKl(Float32Array.of(1, 0), Float32Array.of(0.5, 0.5), 1)).toBeCloseTo(Math.LN2, 6);
  });

  it('is never negative, however near the two are', () => {
    const random = new RandomStream(1, 'test');
    for (let n = 0; n < 200; n++) {
      const p = new Float32Array(30);
      const q = new Float32Array(30);
      for (let row = 0; row < 10; row++) {
        const weights = [random.uniform(), random.uniform(), random.uniform()];
        const total = weights[0] + weights[1] + weights[2];
        weights.forEach((weight, a) => {
          p[row * 3 + a] = weight / total;
          q[row * 3 + a] = (weight / total) * (1 + 1e-7 * a);
        });
      }
      expect(categoricalKl(p, q, 10)).toBeGreaterThanOrEqual(0);
    }
  });

  it('of normal distributions agrees with the integral', () => {
    const p = { means: Float32Array.of(0.2, -0.5), logStd: Float32Array.of(Math.log(0.5)) };
    const q = { means: Float32Array.of(-0.1, -0.5), logStd: Float32Array.of(Math.log(0.8)) };
    const normal = (x: number, mean: number, deviation: number): number =>
      Math.exp((-(x - mean) * (x - mean)) / (2 * deviation * deviation)) / (deviation * Math.sqrt(2 * Math.PI));
    let integral = 0;
    const width = 1e-3;
    for (const row of [0, 1]) {
      for (let x = -5; x < 5; x += width) {
        const left = normal(x, p.means[row], 0.5);
        integral += width * left * Math.log(left / normal(x, q.means[row], 0.8));
      }
    }
    expect(gaussianKl(p, q, 2)).toBeCloseTo(integral / 2, 6);
    expect(gaussianKl(p, p, 2)).toBe(0);
  });

  it('of normal distributions sums over the elements of an action', () => {
    const p = { means: Float32Array.of(1, 2), logStd: Float32Array.of(0, 0) };
    const q = { means: Float32Array.of(0, 0), logStd: Float32Array.of(0, 0) };
    expect(gaussianKl(p, q, 1)).toBeCloseTo((1 + 4) / 2, 12);
  });
});

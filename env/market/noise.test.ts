import { describe, expect, it } from 'vitest';
import { DEFAULT_MARKET_CONFIG } from './config.js';
import { MarketNoise, observedFeatures } from './noise.js';
import { FEATURE_SETS } from './observation/index.js';
import { wildBars } from './test-bars.fixture.js';

const QUIET = DEFAULT_MARKET_CONFIG.noise;

/** Mean and standard deviation. */
function moments(values: readonly number[]): [number, number] {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return [mean, Math.sqrt(values.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / values.length)];
}

it('disturbs every feature with independent normals of the deviation asked for', () => {
  const noise = new MarketNoise({ ...QUIET, observation: 0.5 }, 1);
  noise.seed(3);
  const rows = new Float32Array(13).fill(2);
  const out = new Float32Array(13);
  const seen: number[][] = Array.from({ length: 13 }, () => []);
  for (let k = 0; k < 20_000; k++) {
    noise.disturb(0, out, 0, rows, 0, 13);
    out.forEach((value, n) => seen[n].push(value));
  }
  for (const values of seen) {
    const [mean, deviation] = moments(values);
    // five standard errors: 0.5 / sqrt(20,000) x 5 = 0.018, and 0.5 / sqrt(40,000) x 5 = 0.0125
    expect(Math.abs(mean - 2)).toBeLessThan(0.018);
    expect(Math.abs(deviation - 0.5)).toBeLessThan(0.0125);
  }
  // the two that share a draw are not correlated
  const [[m0, s0], [m1, s1]] = [moments(seen[0]), moments(seen[1])];
  const covariance = moments(seen[0].map((x, k) => (x - m0) * (seen[1][k] - m1)))[0];
  expect(Math.abs(covariance / (s0 * s1))).toBeLessThan(0.036);
});

it('multiplies costs by 1 on average, and lets orders be late as often as asked', () => {
  const noise = new MarketNoise({ ...QUIET, cost: 0.3, delay: 0.2 }, 1);
  noise.seed(3);
  const [mean] = moments(Array.from({ length: 20_000 }, () => noise.costMultiplier(0)));
  expect(Math.abs(mean - 1)).toBeLessThan(0.011);
  const late = Array.from({ length: 20_000 }, () => (noise.isLate(0) ? 1 : 0));
  expect(Math.abs(moments(late)[0] - 0.2)).toBeLessThan(0.015);
});

describe('noisy copies of the market', () => {
  const bars = wildBars(1, 60, false, false);
  const features = (priceBps: number, seed: number): Float32Array[] =>
    observedFeatures(bars, bars.segments, FEATURE_SETS.v1, { ...QUIET, price_bps: priceBps, price_replicas: 3 }, seed);

  it('are one and exact without price noise', () => {
    expect(features(0, 1).length).toBe(1);
  });

  it('differ from each other and by the seed, and repeat', () => {
    const copies = features(10, 1);
    expect(copies.length).toBe(3);
    expect(copies[0]).not.toEqual(copies[1]);
    expect(features(10, 1)).toEqual(copies);
    expect(features(10, 2)[0]).not.toEqual(copies[0]);
  });

  it('move the return of a bar by about sqrt(2) of the deviation asked for', () => {
    const [exact] = features(0, 1);
    const [noisy] = features(10, 1);
    const moved = Array.from({ length: 59 }, (_, k) => noisy[(k + 1) * 12] - exact[(k + 1) * 12]);
    // 0.001 x sqrt(2) = 0.00141; 59 draws: within 40%
    expect(Math.abs(moments(moved)[1] / 0.00141 - 1)).toBeLessThan(0.4);
  });
});

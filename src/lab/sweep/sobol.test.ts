import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '#env/seeding.js';
import { MOST_DIMENSIONS, sobolPoints } from './sobol.js';

describe('sobolPoints', () => {
  it("gives scipy's points where nothing is scrambled", () => {
    const golden: { numerators: number[][] } = JSON.parse(readFileSync('test/golden/sobol.json', 'utf8'));
    const count = golden.numerators.length;
    const points = sobolPoints(count, MOST_DIMENSIONS, null);
    const numerators = golden.numerators.map((_, i) =>
      Array.from(points.subarray(i * MOST_DIMENSIONS, (i + 1) * MOST_DIMENSIONS), (x) => x * count),
    );
    expect(numerators).toEqual(golden.numerators);
  });

  it.each([null, 1, 2, 3])('puts one of 2^k points into each of 2^k strata of every dimension, seed %s', (seed) => {
    for (const count of [4, 64, 256]) {
      const points = sobolPoints(count, MOST_DIMENSIONS, seed === null ? null : new RandomStream(seed, 'sobol'));
      for (let d = 0; d < MOST_DIMENSIONS; d++) {
        const strata = Array.from({ length: count }, (_, i) => Math.floor(points[i * MOST_DIMENSIONS + d] * count));
        expect(new Set(strata).size).toBe(count);
      }
    }
  });

  it.each([null, 7])('covers the boxes of the first two dimensions evenly too, seed %s', (seed) => {
    // a (0, m, 2) net: every elementary box of area 1/64 holds one point
    const count = 64;
    const points = sobolPoints(count, 2, seed === null ? null : new RandomStream(seed, 'sobol'));
    for (let across = 1; across <= count; across *= 2) {
      const boxes = new Set<string>();
      for (let i = 0; i < count; i++)
        boxes.add(`${Math.floor(points[2 * i] * across)} ${Math.floor(points[2 * i + 1] * (count / across))}`);
      expect(boxes.size).toBe(count);
    }
  });

  it('differs from seed to seed and extends itself: fewer points are the first ones', () => {
    const of = (count: number, seed: number) => [...sobolPoints(count, 3, new RandomStream(seed, 'sobol'))];
    expect(of(20, 1)).not.toEqual(of(20, 2));
    expect(of(40, 1).slice(0, 60)).toEqual(of(20, 1));
    expect(new Set(of(40, 1)).size).toBeGreaterThan(110);
  });

  it('refuses more dimensions than it has numbers for', () => {
    expect(() => sobolPoints(1, MOST_DIMENSIONS + 1, null)).toThrow(/^CONFIG_VALUE space 22: /);
  });
});

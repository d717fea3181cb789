import { describe, expect, it } from 'vitest';
import { RandomStream } from '#env/seeding.js';
import { box, clip, contains, discrete, requireAction, sameSpace, sample, spaceSize, violations } from '#env/spaces.js';

describe('making spaces', () => {
  it('spreads one bound over all elements', () => {
    const space = box(-1, [1, 2, 3]);
    expect(space.shape).toEqual([3]);
    expect(Array.from(space.low)).toEqual([-1, -1, -1]);
    expect(Array.from(space.high)).toEqual([1, 2, 3]);
    expect(box(-Infinity, Infinity, 4).shape).toEqual([4]);
  });

  it('copies the bounds', () => {
    const low = [0, 0];
    const space = box(low, 1);
    low[0] = 5;
    expect(space.low[0]).toBe(0);
  });

  it('refuses what is no space', () => {
    expect(() => discrete(0)).toThrow(/ENV_CONFIG discrete\(n\) 0: n must be a positive integer/);
    expect(() => discrete(2.5)).toThrow(/ENV_CONFIG/);
    expect(() => box(0, 1)).toThrow(/ENV_CONFIG.*give the size/);
    expect(() => box([0, 0], [1, 1, 1])).toThrow(/ENV_CONFIG.*high 3: expected 2 bounds/);
    expect(() => box([0, 2], 1)).toThrow(/ENV_CONFIG box\(low, high\) index 1 "2 .. 1"/);
    expect(() => box(NaN, 1, 1)).toThrow(/ENV_CONFIG/);
  });

  it('knows its columns and its like', () => {
    expect(spaceSize(discrete(5))).toBe(1);
    expect(spaceSize(box(0, 1, 5))).toBe(5);
    expect(sameSpace(box(0, 1, 2), box([0, 0], [1, 1]))).toBe(true);
    expect(sameSpace(box(0, 1, 2), box(0, 2, 2))).toBe(false);
    expect(sameSpace(discrete(2), discrete(3))).toBe(false);
    expect(sameSpace(discrete(2), box(0, 1, 1))).toBe(false);
  });
});

describe('membership', () => {
  it('takes the integers below n', () => {
    const space = discrete(3);
    for (const good of [0, 1, 2]) expect(violations(space, good)).toEqual([]);
    expect(violations(space, 3)).toEqual(['3 is not an integer in 0 .. 2']);
    expect(violations(space, -1)).toHaveLength(1);
    expect(violations(space, 0.5)).toEqual(['0.5 is not an integer in 0 .. 2']);
    expect(violations(space, NaN)).toEqual(['NaN is not an integer in 0 .. 2']);
    expect(violations(space, Int32Array.of(1))).toEqual(['Int32Array is not an integer in 0 .. 2']);
  });

  it('names every bad index of a Box', () => {
    const space = box([-1, 0, -Infinity, -1], [1, 5, Infinity, 1]);
    expect(violations(space, Float32Array.of(1, 5, 1e30, -1))).toEqual([]);
    expect(violations(space, Float32Array.of(1.5, 5, NaN, -2))).toEqual([
      'index 0: 1.5 is not in [-1, 1]',
      'index 2: NaN is not in [-Infinity, Infinity]',
      'index 3: -2 is not in [-1, 1]',
    ]);
    expect(violations(space, new Float32Array(3))).toEqual(['length 3, but the space has 4']);
    expect(violations(space, [0, 0, 0, 0])).toEqual(['Array is not a Float32Array']);
    expect(violations(space, undefined)).toEqual(['undefined is not a Float32Array']);
  });

  it('compares bounds as float32, so that a value clipped to a bound is inside', () => {
    const space = box(-0.07, 0.07, 1);
    const values = Float32Array.of(0.5);
    expect(contains(space, values)).toBe(false);
    clip(space, values);
    expect(values[0]).toBe(Math.fround(0.07));
    expect(contains(space, values)).toBe(true);
  });

  it('agrees with its reasons', () => {
    const space = box([-1, 0], [1, 0.5]);
    const stream = new RandomStream(1, 'membership');
    let outside = 0;
    for (let i = 0; i < 500; i++) {
      const value = Float32Array.of(3 * stream.uniform() - 1.5, stream.uniform());
      expect(contains(space, value)).toBe(violations(space, value).length === 0);
      if (!contains(space, value)) outside++;
    }
    expect(outside).toBeGreaterThan(100);
  });

  it('throws with the code, the value and the reasons', () => {
    expect(() => requireAction(discrete(2), 2, 'Toy step')).toThrow(
      'ENV_CONTRACT Toy step "2": action outside the space: 2 is not an integer in 0 .. 1',
    );
    expect(() => requireAction(box(0, 1, 2), Float32Array.of(2, NaN), 'Toy step')).toThrow(/index 0: .*; index 1: NaN/);
    expect(() => requireAction(discrete(2), 1, 'Toy step')).not.toThrow();
  });
});

describe('clipping', () => {
  it('clips whole batches in place and leaves NaN', () => {
    const values = Float32Array.of(-2, 9, 0.5, -9, NaN, 3);
    clip(box([-1, 0], [1, 5]), values, 3);
    expect(Array.from(values)).toEqual([-1, 5, 0.5, 0, NaN, 3]);
  });
});

describe('sampling', () => {
  it('draws every action, and only what the mask allows', () => {
    const stream = new RandomStream(1, 'sample');
    const free = new Set(Array.from({ length: 200 }, () => sample(discrete(4), stream)));
    expect([...free].sort()).toEqual([0, 1, 2, 3]);
    const counts = new Int32Array(4);
    for (let i = 0; i < 3000; i++) counts[sample(discrete(4), stream, Uint8Array.of(0, 1, 0, 1))]++;
    expect([counts[0], counts[2]]).toEqual([0, 0]);
    expect(Math.abs(counts[1] - 1500)).toBeLessThan(150);
    expect(() => sample(discrete(2), stream, new Uint8Array(2))).toThrow(/SPACE_VALUE action mask \[0,0\]/);
  });

  it('draws inside each kind of bounds', () => {
    const space = box([-2, 3, -Infinity, -Infinity], [-1, Infinity, 4, Infinity]);
    const stream = new RandomStream(2, 'sample');
    const draws = Array.from({ length: 4000 }, () => sample(space, stream));
    for (const draw of draws) expect(violations(space, draw)).toEqual([]);
    const mean = (k: number) => draws.reduce((sum, draw) => sum + draw[k], 0) / draws.length;
    expect(mean(0)).toBeCloseTo(-1.5, 1);
    expect(mean(1)).toBeCloseTo(4, 0);
    expect(mean(2)).toBeCloseTo(3, 0);
    expect(Math.abs(mean(3))).toBeLessThan(0.1);
  });
});

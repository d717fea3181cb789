import { expect, it } from 'vitest';
import { RandomStream, validSeed } from '#env/seeding.js';

const take = (stream: RandomStream, count: number) => Array.from({ length: count }, () => stream.uniform());

it('continues a stream from its state to the bit', () => {
  const stream = new RandomStream(7, 'noise');
  for (let i = 0; i < 100; i++) stream.normal();
  const copy = new RandomStream(8, 'noise');
  copy.setState(stream.getState());
  for (let i = 0; i < 100; i++) expect(copy.normal()).toBe(stream.normal());
});

it('draws these numbers from seed 1, on every machine and for good', () => {
  expect(take(new RandomStream(1, 'golden'), 3)).toEqual([0.9665795618202537, 0.5113153853453696, 0.4662685473449528]);
  const normals = new RandomStream(1, 'golden');
  expect([normals.normal(), normals.normal(), normals.normal()]).toEqual([
    1.8327424841257924, 0.028367269210542563, -0.08465321058259137,
  ]);
});

it('separates streams by name and by seed, and repeats them', () => {
  const first = take(new RandomStream(1, 'a'), 5);
  expect(take(new RandomStream(1, 'a'), 5)).toEqual(first);
  expect(take(new RandomStream(1, 'b'), 5)).not.toEqual(first);
  expect(take(new RandomStream(2, 'a'), 5)).not.toEqual(first);
});

it('keeps neighbouring seeds uncorrelated', () => {
  const count = 20_000;
  const a = take(new RandomStream(10, 'x'), count);
  const b = take(new RandomStream(11, 'x'), count);
  const covariance = a.reduce((sum, x, i) => sum + (x - 0.5) * (b[i] - 0.5), 0) / count;
  expect(Math.abs(covariance * 12)).toBeLessThan(5 / Math.sqrt(count));
});

it('draws uniforms and normals with the right moments and tails', () => {
  const count = 200_000;
  const stream = new RandomStream(3, 'moments');
  const uniforms = take(stream, count);
  const mean = (values: number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
  expect(mean(uniforms)).toBeCloseTo(0.5, 2);
  expect(mean(uniforms.map((x) => (x - 0.5) * (x - 0.5)))).toBeCloseTo(1 / 12, 2);
  const normals = Array.from({ length: count }, () => stream.normal());
  expect(Math.abs(mean(normals))).toBeLessThan(5 / Math.sqrt(count));
  expect(Math.abs(mean(normals.map((x) => x * x)) - 1)).toBeLessThan(5 * Math.sqrt(2 / count));
  expect(Math.abs(mean(normals.map((x) => x * x * x * x)) - 3)).toBeLessThan(5 * Math.sqrt(96 / count));
  expect(normals.every(Number.isFinite)).toBe(true);
});

it('draws integers evenly', () => {
  const stream = new RandomStream(4, 'integers');
  const counts = new Int32Array(7);
  for (let i = 0; i < 70_000; i++) counts[stream.integer(7)]++;
  const chiSquared = counts.reduce((sum, count) => sum + ((count - 10_000) * (count - 10_000)) / 10_000, 0);
  expect(chiSquared).toBeLessThan(22.5); // 99.9% point of chi-squared with 6 degrees of freedom
});

it('permutes evenly: each element in each place', () => {
  const stream = new RandomStream(5, 'permutation');
  const indices = new Int32Array(5);
  const counts = new Int32Array(25);
  for (let n = 0; n < 20_000; n++) {
    stream.permutation(indices);
    indices.forEach((value, place) => counts[place * 5 + value]++);
  }
  expect([...indices].sort()).toEqual([0, 1, 2, 3, 4]);
  for (const count of counts) expect(Math.abs(count - 4000)).toBeLessThan(5 * Math.sqrt(4000 * 0.8));
});

it('refuses the state of another stream', () => {
  const stream = new RandomStream(1, 'noise');
  expect(() => stream.setState(new RandomStream(1, 'start').getState())).toThrow(
    /ENV_STATE random stream noise "start"/,
  );
  expect(() => stream.setState({ name: 'noise', words: new Float64Array(3) })).toThrow(/ENV_STATE/);
});

it('takes non-negative integers as seeds and nothing else', () => {
  expect(validSeed(0, 'test')).toBe(0);
  expect(validSeed(Number.MAX_SAFE_INTEGER, 'test')).toBe(Number.MAX_SAFE_INTEGER);
  for (const bad of [-1, 0.5, NaN, Infinity, 2 ** 53]) expect(() => validSeed(bad, 'test')).toThrow(/ENV_CONFIG test/);
});

import { expect, it } from 'vitest';
import { firstDifference } from '#env/same-bits.js';

it('finds no difference between equal bits', () => {
  const value = () => ({ a: Float32Array.of(1, NaN), b: [true, null, 'x'], c: { d: -0 } });
  expect(firstDifference(value(), value())).toBeNull();
});

it('names the first place that differs', () => {
  expect(firstDifference({ a: Float32Array.of(1, 2) }, { a: Float32Array.of(1, 3) })).toBe('a[1]: 2, not 3');
  expect(firstDifference({ a: { b: 0 } }, { a: { b: -0 } })).toBe('a.b: 0, not -0');
  expect(firstDifference({ a: 1 }, {})).toBe('a: 1, not undefined');
  expect(firstDifference([1, 2], [1])).toBe(': length 2, not 1');
  expect(firstDifference(new Float32Array(1), new Float64Array(1), 'x')).toBe('x: Float32Array, not Float64Array');
  expect(firstDifference({ a: null }, { a: {} })).toBe('a: null, not Object');
});

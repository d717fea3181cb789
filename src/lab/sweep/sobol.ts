/**
 * Sobol' points: quasi-random, so that forty trials cover a space as several hundred random ones would. Direction
 * numbers of Joe and Kuo (2008, new-joe-kuo-6.21201), scrambled by a random lower-triangular matrix and a digital shift
 * for each dimension (Matousek 1998, as scipy.stats.qmc.Sobol does): every seed gives another set of points with the
 * same evenness.
 */
import type { RandomStream } from '#env/seeding.js';
import { fail } from '#src/errors.js';

const BITS = 32;

/** By dimension from the second on: degree s and coefficients a of the primitive polynomial, then m_1 .. m_s. */
const DIRECTIONS: readonly (readonly number[])[] = [
  [1, 0, 1],
  [2, 1, 1, 3],
  [3, 1, 1, 3, 1],
  [3, 2, 1, 1, 1],
  [4, 1, 1, 1, 3, 3],
  [4, 4, 1, 3, 5, 13],
  [5, 2, 1, 1, 5, 5, 17],
  [5, 4, 1, 1, 5, 5, 5],
  [5, 7, 1, 1, 7, 11, 19],
  [5, 11, 1, 1, 5, 1, 1],
  [5, 13, 1, 1, 1, 3, 11],
  [5, 14, 1, 3, 5, 5, 31],
  [6, 1, 1, 3, 3, 9, 7, 49],
  [6, 13, 1, 1, 1, 15, 21, 21],
  [6, 16, 1, 3, 1, 13, 27, 49],
  [6, 19, 1, 1, 1, 15, 7, 5],
  [6, 22, 1, 3, 1, 15, 13, 25],
  [6, 25, 1, 1, 5, 5, 19, 61],
  [7, 1, 1, 3, 7, 11, 23, 15, 103],
  [7, 4, 1, 3, 7, 13, 13, 15, 69],
];

export const MOST_DIMENSIONS = DIRECTIONS.length + 1;

/**
 * The first `count` points of dimension `dimensions`, (count, dimensions) in [0, 1).
 *
 * @param random null: unscrambled, the first point is the origin.
 */
export function sobolPoints(count: number, dimensions: number, random: RandomStream | null): Float64Array {
  if (dimensions < 1 || dimensions > MOST_DIMENSIONS) {
    const message = `Sobol' points have 1 to ${MOST_DIMENSIONS} dimensions: sweep fewer keys at once`;
    fail('CONFIG_VALUE', { where: 'space', value: dimensions, message });
  }
  const points = new Float64Array(count * dimensions);
  for (let d = 0; d < dimensions; d++) {
    const columns = directionNumbers(d);
    const directions = random === null ? columns : scrambled(columns, random);
    const shift = random === null ? 0 : randomWord(random);
    for (let i = 0; i < count; i++) {
      let word = shift;
      // in Gray code order, as Antonov and Saleev: the set of the first 2^k points is the same
      const gray = i ^ (i >>> 1);
      for (let bit = 0; bit < BITS; bit++) if (((gray >>> bit) & 1) === 1) word ^= directions[bit];
      points[i * dimensions + d] = (word >>> 0) / 2 ** BITS;
    }
  }
  return points;
}

/** v_1 .. v_32 of a dimension, the first binary digit in the highest bit. */
function directionNumbers(dimension: number): Uint32Array {
  const v = new Uint32Array(BITS);
  if (dimension === 0) {
    for (let k = 0; k < BITS; k++) v[k] = 2 ** (BITS - 1 - k);
    return v;
  }
  const [degree, coefficients, ...m] = DIRECTIONS[dimension - 1];
  for (let k = 0; k < BITS; k++) {
    if (k < degree) {
      v[k] = m[k] * 2 ** (BITS - 1 - k);
      continue;
    }
    v[k] = v[k - degree] ^ (v[k - degree] >>> degree);
    for (let j = 1; j < degree; j++) {
      if (((coefficients >>> (degree - 1 - j)) & 1) === 1) v[k] ^= v[k - j];
    }
  }
  return v;
}

/** Each digit is replaced by itself plus random ones before it, modulo 2: the lower-triangular matrix. */
function scrambled(directions: Uint32Array, random: RandomStream): Uint32Array {
  // row r of the matrix gives digit r (0: the highest bit), from digits 0 .. r
  const rows = Array.from({ length: BITS }, (_, r) => {
    const own = 2 ** (BITS - 1 - r);
    const before = r === 0 ? 0 : randomWord(random) & ~(2 ** (BITS - r) - 1);
    return (before | own) >>> 0;
  });
  return directions.map((word) => {
    let out = 0;
    for (let r = 0; r < BITS; r++) if (parity(word & rows[r])) out |= 2 ** (BITS - 1 - r);
    return out >>> 0;
  });
}

function parity(word: number): boolean {
  let bits = word;
  for (let shift = 16; shift > 0; shift >>= 1) bits ^= bits >>> shift;
  return (bits & 1) === 1;
}

function randomWord(random: RandomStream): number {
  return Math.floor(random.uniform() * 2 ** BITS) >>> 0;
}

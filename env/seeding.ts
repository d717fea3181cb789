/**
 * Named random streams. Every random number of OpenBell comes from one of them, so that switching one noise
 * off does not shift the others, and every stream's state is in the checkpoint.
 */
import alea from 'seedrandom/lib/alea.js';
import { normalQuantile } from './math/index.js';
import type { StateDict, Stateful } from './state.js';
import { fail } from '#src/errors.js';

/** Johannes Baagoe's Alea, as seedrandom packages it: period about 2^116, state of four numbers. */
export class RandomStream implements Stateful {
  readonly name: string;
  #prng: ReturnType<typeof alea>;

  constructor(seed: number | string, name: string) {
    this.name = name;
    this.#prng = alea(`${seed}/${name}`, { state: true });
  }

  /** Uniform in [0, 1), 32 bits of it random. */
  uniform(): number {
    return this.#prng();
  }

  /** Standard normal by inversion of one uniform: one draw a deviate, so that counts of draws stay obvious. */
  normal(): number {
    return normalQuantile(this.#prng() + HALF_ULP);
  }

  /** Uniform integer in [0, n), n at most 2^32. */
  integer(n: number): number {
    return Math.floor(this.#prng() * n);
  }

  /** Fills indices with a permutation of 0 .. length - 1 (Fisher-Yates). */
  permutation(indices: Int32Array): void {
    for (let i = 0; i < indices.length; i++) indices[i] = i;
    for (let i = indices.length - 1; i > 0; i--) {
      const j = Math.floor(this.#prng() * (i + 1));
      const kept = indices[i];
      indices[i] = indices[j];
      indices[j] = kept;
    }
  }

  getState(): StateDict {
    const { c, s0, s1, s2 } = this.#prng.state();
    return { name: this.name, words: Float64Array.of(c, s0, s1, s2) };
  }

  setState(state: StateDict): void {
    const words = state['words'];
    if (state['name'] !== this.name || !(words instanceof Float64Array) || words.length !== 4) {
      fail('ENV_STATE', {
        where: `random stream ${this.name}`,
        value: state['name'],
        message: 'this is not the state of that stream',
      });
    }
    this.#prng = alea('', { state: { c: words[0], s0: words[1], s1: words[2], s2: words[3] } });
  }
}

/** Returns the seed. Throws ENV_CONFIG unless it is a non-negative safe integer. */
export function validSeed(seed: number, where: string): number {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    fail('ENV_CONFIG', { where, value: seed, message: 'a seed is an integer from 0 to 2^53 - 1, or null to continue' });
  }
  return seed;
}

/** Alea's uniforms are multiples of 2^-32: half a step keeps the normal quantile away from 0 and 1. */
const HALF_ULP = 2 ** -33;

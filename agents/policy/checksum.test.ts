import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '#env/seeding.js';
import { checksum, parameterChecksums } from './checksum.js';
import type { PolicySpec } from './contract.js';
import { createSimdEngine } from './simd/engine.js';

const sumOf = (tensor: Float32Array): number[] => {
  const out = new Uint32Array(2);
  checksum(out, 0, tensor);
  return [...out];
};

describe('a checksum of a tensor', () => {
  it('changes with any bit of any element', () => {
    const bits = fc.uint32Array({ minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(bits, fc.nat(), fc.nat(31), (words, where, bit) => {
        const changed = words.slice();
        changed[where % words.length] ^= 1 << bit;
        const [first] = sumOf(new Float32Array(words.buffer.slice(0)));
        expect(sumOf(new Float32Array(changed.buffer))[0]).not.toBe(first);
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  it('changes with the order of its elements', () => {
    expect(sumOf(Float32Array.of(1, 2, 3))).not.toEqual(sumOf(Float32Array.of(3, 2, 1)));
  });

  it.each<[string, Pick<PolicySpec, 'observationSize' | 'action' | 'netArch'>]>([
    ['discrete', { observationSize: 14, action: { kind: 'discrete', n: 3 }, netArch: { pi: [64, 64], vf: [64, 64] } }],
    ['Box', { observationSize: 3, action: { kind: 'box', size: 2 }, netArch: { pi: [5], vf: [9, 17] } }],
    ['without hidden layers', { observationSize: 9, action: { kind: 'discrete', n: 10 }, netArch: { pi: [], vf: [] } }],
  ])('is the same from the engine’s memory as from the flat parameters: %s', (_, shape) => {
    const engine = createSimdEngine(
      { ...shape, activation: 'tanh', orthoInit: true, logStdInit: -0.5 },
      { init: new RandomStream(3, 'test') },
    );
    // no two alike, and no zeros
    engine.setParameters(Float32Array.from({ length: engine.parameterCount }, (_element, k) => Math.sqrt(k + 2)));
    const out = new Uint32Array(2 * engine.layout.length);
    engine.checksums?.(out);
    expect(out).toEqual(parameterChecksums(engine.getParameters(), engine.layout));
    engine.dispose();
  });
});

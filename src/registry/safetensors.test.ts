import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StateDict, StateValue } from '#env/state.js';
import { OpenBellError } from '#src/errors.js';
import { decodeState, encodeState } from './safetensors.js';

const sample = (): StateDict => ({
  step: 12,
  name: 'a "quoted" näme',
  flag: true,
  nothing: null,
  odd: [Number.NaN, Number.POSITIVE_INFINITY, -0, 1.5],
  weights: Float32Array.of(1, -0, Number.NaN, 1e-40),
  moments: { m: Float64Array.of(Math.PI, Number.NEGATIVE_INFINITY), count: Int32Array.of(-3) },
  streams: [{ words: Uint32Array.of(4294967295) }, { words: Uint32Array.of() }],
  mask: Uint8Array.of(1, 0, 1),
  'a.b': { c: Float32Array.of(1) },
  a: { 'b.c': Float32Array.of(2) },
});

/** The very bits, NaN's payload and minus zero included. */
function bitsOf(value: StateValue): unknown {
  if (ArrayBuffer.isView(value)) {
    return [value.constructor.name, Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')];
  }
  if (typeof value === 'number') return ['number', Buffer.from(Float64Array.of(value).buffer).toString('hex')];
  if (Array.isArray(value)) return value.map(bitsOf);
  if (value !== null && typeof value === 'object')
    return Object.entries(value).map(([key, item]) => [key, bitsOf(item)]);
  return value;
}

function refusal(bytes: Uint8Array): string {
  try {
    decodeState(bytes, 'run/last.safetensors', 'resume from run/previous.safetensors');
  } catch (error) {
    if (error instanceof OpenBellError) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('a state goes through a file unchanged', () => {
  it('to the bit, with its metadata', () => {
    const { state, metadata } = decodeState(encodeState(sample(), { format: 'test "x"' }), 'x');
    expect(bitsOf(state)).toEqual(bitsOf(sample()));
    expect(metadata).toEqual({ format: 'test "x"' });
  });

  it('whatever its numbers, texts and nesting', () => {
    const key = fc
      .string({ minLength: 1 })
      .filter((text) => !text.startsWith('$') && text !== '__proto__' && text !== '__metadata__');
    const { tree } = fc.letrec<{ tree: StateValue; dict: StateDict }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.double(),
        fc.string(),
        fc.boolean(),
        fc.constant(null),
        fc.float32Array(),
        fc.float64Array(),
        fc.int32Array(),
        fc.uint32Array(),
        fc.uint8Array(),
        fc.array(tie('tree'), { maxLength: 3 }),
        tie('dict'),
      ),
      dict: fc.dictionary(key, tie('tree'), { maxKeys: 4, noNullPrototype: true }),
    }));
    fc.assert(
      fc.property(fc.dictionary(key, tree, { noNullPrototype: true }), (state) => {
        const { state: back } = decodeState(encodeState(state, { note: '"sha256":"x","state":"' }), 'x');
        expect(bitsOf(back)).toEqual(bitsOf(state));
      }),
      { seed: 5, numRuns: 200 },
    );
  });

  it('and equal states give equal bytes', () => {
    expect(Buffer.compare(encodeState(sample()), encodeState(sample()))).toBe(0);
  });
});

describe('a damaged file is refused with its name and the remedy', () => {
  const file = encodeState(sample());

  const NAMED =
    /^CHECKPOINT_CORRUPT run\/last\.safetensors: .*torn or altered; resume from run\/previous\.safetensors$/;

  it('cut off after any number of bytes, none included', () => {
    for (let length = 0; length < file.length; length++)
      expect(refusal(file.subarray(0, length)), `${length} bytes`).toMatch(NAMED);
  });

  it('with any single bit flipped', () => {
    const damaged = Uint8Array.from(file);
    const accepted: number[] = [];
    for (let bit = 0; bit < 8 * file.length; bit++) {
      damaged[bit >> 3] ^= 1 << (bit & 7);
      if (!NAMED.test(refusal(damaged))) accepted.push(bit);
      damaged[bit >> 3] ^= 1 << (bit & 7);
    }
    expect(accepted).toEqual([]);
  });

  it('whose tensors would be read as a part of the header, or the other way round', () => {
    // spaces are what JSON passes over: a header made longer by some of them is still the same JSON
    const blank = encodeState({ a: new Uint8Array(64).fill(0x20), b: new Uint8Array(64).fill(0x20) });
    const damaged = Uint8Array.from(blank);
    for (let bit = 0; bit < 64; bit++) {
      damaged[bit >> 3] ^= 1 << (bit & 7);
      expect(refusal(damaged)).toMatch(NAMED);
      damaged[bit >> 3] ^= 1 << (bit & 7);
    }
  });

  it('with bytes appended, or zeroed as a lost page is', () => {
    expect(refusal(Buffer.concat([file, Buffer.alloc(8)]))).toMatch(/^CHECKPOINT_CORRUPT/);
    expect(refusal(new Uint8Array(file.length))).toMatch(/^CHECKPOINT_CORRUPT/);
  });
});

it('refuses keys that the format or the state keeps for itself', () => {
  expect(() => encodeState({ $tensor: 1 })).toThrow(/POLICY_STATE \$tensor/);
  expect(() => encodeState({ __metadata__: 1 })).toThrow(/POLICY_STATE/);
  expect(() => encodeState({ w: Float32Array.of(1, 2) }, {}, { w: [3] })).toThrow(/POLICY_STATE w \[3\]/);
});

const python = ['python3', 'python'].find(
  (name) => spawnSync(name, ['-c', 'import safetensors.numpy'], { stdio: 'ignore' }).status === 0,
);

it.skipIf(python === undefined)(
  'is read by the reference implementation (skipped: no Python with safetensors and numpy)',
  () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'openbell-safetensors-'));
    const file = path.join(folder, 'x.safetensors');
    const state = {
      w: Float32Array.of(1, 2, 3, 4, 5, 6),
      d: { x: Float64Array.of(0.1) },
      i: Int32Array.of(-7),
      u: Uint32Array.of(7),
      b: Uint8Array.of(255),
    };
    writeFileSync(file, encodeState(state, { format: 'openbell' }, { w: [2, 3] }));
    const script = `
import json, sys
from safetensors import safe_open
with safe_open(sys.argv[1], framework="np") as f:
    print(json.dumps({"metadata": f.metadata()["format"], **{k: [str(f.get_tensor(k).dtype), f.get_tensor(k).tolist()] for k in f.keys()}}))`;
    const result = spawnSync(python ?? 'python3', ['-c', script, file], { encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    expect(result.stderr).toBe('');
    expect(JSON.parse(result.stdout)).toEqual({
      metadata: 'openbell',
      w: [
        'float32',
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
      ],
      'd.x': ['float64', [0.1]],
      i: ['int32', [-7]],
      u: ['uint32', [7]],
      b: ['uint8', [255]],
    });
  },
);

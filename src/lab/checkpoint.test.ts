import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeState } from '#src/registry/safetensors.js';
import { checkpointFile, readCheckpoint, writeCheckpoint, type Checkpoint } from './checkpoint.js';
import { JsonLines } from '#src/registry/files.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'openbell-checkpoint-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (timesteps: number, best: Checkpoint['head']['best'] = null): Checkpoint => ({
  head: {
    experiment: 'x',
    seed: 1,
    engine: 'simd',
    timesteps,
    updates: timesteps / 8,
    configHash: 'c',
    observationHash: null,
    best,
    lastScore: best?.score ?? null,
    logs: { metricsBytes: 1, metricsLines: 2, timingsLines: 3, fingerprintsLines: 2 },
  },
  ppo: { weights: Float32Array.of(timesteps), normalizer: null },
});

describe('a checkpoint', () => {
  it('comes back as it was written', () => {
    const checkpoint = at(8, { score: -0.5, timesteps: 8 });
    writeCheckpoint(folder, checkpoint, { best: true, keep: 0 });
    expect(readCheckpoint(checkpointFile(folder, 'last'))).toEqual(checkpoint);
    expect(readCheckpoint(checkpointFile(folder, 'best'))).toEqual(checkpoint);
    expect(readdirSync(folder).sort()).toEqual(['best.safetensors', 'last.safetensors']);
  });

  it('keeps the one before it, the best one, and as many numbered ones as asked for', () => {
    for (const timesteps of [0, 8, 16, 24]) writeCheckpoint(folder, at(timesteps), { best: timesteps === 8, keep: 2 });
    const steps = (name: string): number => readCheckpoint(path.join(folder, name)).head.timesteps;
    expect(Object.fromEntries(readdirSync(folder).map((name) => [name, steps(name)]))).toEqual({
      'best.safetensors': 8,
      'last.safetensors': 24,
      'previous.safetensors': 16,
      'step-000000000016.safetensors': 16,
      'step-000000000024.safetensors': 24,
    });
  });

  it('that is torn names the intact one to go on from, or says that there is none', () => {
    writeCheckpoint(folder, at(0), { best: false, keep: 0 });
    writeCheckpoint(folder, at(8), { best: false, keep: 0 });
    const last = checkpointFile(folder, 'last');
    const previous = checkpointFile(folder, 'previous');
    truncateSync(last, 100);
    expect(() => readCheckpoint(last)).toThrow(
      `${previous} is intact (0 steps): take that one with: openbell train --resume ${previous}`,
    );
    truncateSync(previous, 100);
    expect(() => readCheckpoint(last)).toThrow(/CHECKPOINT_CORRUPT .*no other checkpoint of this run is intact/);
    rmSync(last);
    expect(() => readCheckpoint(last)).toThrow(/CHECKPOINT_CORRUPT .*cannot be read/);
  });

  it('that is torn anywhere, or has a bit flipped anywhere, is refused, and the newest intact one is offered', () => {
    const size = 3000;
    const state = (timesteps: number): Checkpoint => ({
      ...at(timesteps),
      ppo: { weights: Float32Array.from({ length: size }, (_, k) => k / 7), normalizer: null },
    });
    for (const timesteps of [0, 8, 16, 24])
      writeCheckpoint(folder, state(timesteps), { best: timesteps === 0, keep: 3 });
    const last = checkpointFile(folder, 'last');
    const whole = readFileSync(last);
    // of its own: last and the newest numbered one are two names of one file
    rmSync(last);
    const offers = (file: string, use: 'train --resume' | 'evaluate', offered: string): void => {
      const other = path.join(folder, `${offered}.safetensors`);
      expect(() => readCheckpoint(file, use)).toThrow(
        new RegExp(
          `^CHECKPOINT_CORRUPT ${file}: .*; ${other} is intact \\(\\d+ steps\\): .* openbell ${use} ${other}$`,
        ),
      );
    };
    fc.assert(
      fc.property(
        fc.oneof(
          fc.nat(whole.length - 1).map((length) => whole.subarray(0, length)),
          fc.nat(8 * whole.length - 1).map((bit) => {
            const damaged = Buffer.from(whole);
            damaged[bit >> 3] ^= 1 << (bit & 7);
            return damaged;
          }),
        ),
        (damaged) => {
          writeFileSync(last, damaged);
          offers(last, 'train --resume', 'step-000000000024');
        },
      ),
      { seed: 3, numRuns: 150, examples: [[whole.subarray(0, 0)]] },
    );
    truncateSync(path.join(folder, 'step-000000000024.safetensors'), 50);
    offers(last, 'train --resume', 'previous');
    const best = checkpointFile(folder, 'best');
    truncateSync(best, 0);
    offers(best, 'evaluate', 'previous');
  });

  it('is told from another safetensors file', () => {
    const file = checkpointFile(folder, 'last');
    writeFileSync(file, encodeState({ weights: Float32Array.of(1) }, { format: 'other' }));
    expect(() => readCheckpoint(file)).toThrow(/CHECKPOINT_MISMATCH .*last\.safetensors \["other",null\]/);
    writeFileSync(file, encodeState({ seed: 1 }, { format: 'openbell-checkpoint', version: '2' }));
    expect(() => readCheckpoint(file)).toThrow(/CHECKPOINT_CORRUPT/);
  });
});

describe('a log', () => {
  it('is cut back to a number of lines, a torn one included, and goes on from there', () => {
    const file = path.join(folder, 'metrics.jsonl');
    writeFileSync(file, '{"a":1}\n{"a":2}\n{"a":3}\n{"a"');
    const log = new JsonLines(file);
    expect(log.lines).toBe(3);
    expect(log.truncateLines(2)).toBe(true);
    log.append({ b: 1 });
    expect(log.bytes).toBe(readFileSync(file).length);
    expect(readFileSync(file, 'utf8')).toBe('{"a":1}\n{"a":2}\n{"b":1}\n');
    expect(log.truncateLines(5)).toBe(false);
    log.close();
    expect(existsSync(file)).toBe(true);
  });
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseExperiment } from '#src/config/load.js';
import { identifyHost } from './provenance.js';
import { findRun, listRuns, readRecord, RunDirectory } from './run-directory.js';

let runsDir = '';
beforeEach(() => {
  runsDir = mkdtempSync(path.join(tmpdir(), 'openbell-runs-'));
});
afterEach(() => rmSync(runsDir, { recursive: true }));

const START = Date.parse('2024-05-06T07:08:09.123Z');
function create(name: string, seed: number, nowMs = START): RunDirectory {
  const { config } = parseExperiment(`name: ${name}\nseed: ${seed}\nenv: { id: CartPole-v1 }\n`, 'x.yaml');
  const code = { openbell: '0', git: null, lockfile_sha256: null, kernels: {} };
  return RunDirectory.create({
    runsDir,
    config,
    observationHash: null,
    argv: [],
    code,
    patch: null,
    data: [],
    host: identifyHost(),
    nowMs: () => nowMs,
  });
}

describe('a new run', () => {
  it('is named after time, configuration and seed, and never shares a folder', () => {
    const first = create('cart', 3);
    const hash = first.record.config_hash.slice(0, 8);
    expect(path.relative(runsDir, first.path)).toBe(path.join('cart', `20240506T070809Z-${hash}-s3`));
    expect(path.basename(create('cart', 3).path)).toBe(`20240506T070809Z-${hash}-s3-2`);
    expect(path.basename(create('cart', 4).path)).toBe(`20240506T070809Z-${hash}-s4`);
    expect(first.loadConfig()).toMatchObject({ name: 'cart', seed: 3 });
  });
});

describe('a run is found', () => {
  it('by folder, by id, by its name, by its experiment (the newest), by a checkpoint, or as latest', () => {
    const old = create('cart', 1);
    const young = create('cart', 2, START + 5000);
    const other = create('pole', 1, START + 3000);
    const find = (reference: string): string => findRun(reference, runsDir).directory;
    expect(find(old.path)).toBe(old.path);
    expect(find(`cart/${path.basename(old.path)}`)).toBe(old.path);
    expect(find(path.basename(old.path))).toBe(old.path);
    expect(find('cart')).toBe(young.path);
    expect(find('pole')).toBe(other.path);
    expect(find('latest')).toBe(young.path);
    const file = path.join(old.checkpoints, 'best.safetensors');
    writeFileSync(file, '');
    expect(findRun(file, runsDir)).toEqual({ directory: old.path, checkpoint: file });
    expect(listRuns(runsDir).map(({ path: folder }) => folder)).toEqual([old.path, other.path, young.path]);
  });

  it('or is refused with the nearest name', () => {
    create('cart', 1);
    expect(() => findRun('carp', runsDir)).toThrow(/RUN_NOT_FOUND run "carp": .*did you mean "cart"\?/);
    expect(() => findRun('latest', path.join(runsDir, 'none'))).toThrow(/RUN_NOT_FOUND/);
    const begun = create('cart', 2).path;
    rmSync(path.join(begun, 'run.json'));
    expect(() => findRun(begun, runsDir)).toThrow(`Begin it again with: openbell train ${begun}/config.yaml`);
    mkdirSync(path.join(runsDir, 'empty'));
    expect(() => RunDirectory.open(path.join(runsDir, 'empty'))).toThrow(/RUN_NOT_FOUND .*no run\.json/);
  });
});

describe('a run that another process trains', () => {
  it('is not taken over while that one lives and its heart beats', () => {
    const run = create('cart', 1);
    run.record.pid = process.ppid;
    run.save();
    const open = (laterMs: number): RunDirectory => RunDirectory.open(run.path, () => START + laterMs);
    expect(() => open(1000).takeOver(8, identifyHost())).toThrow(
      /RUN_STATE .*is training this run \(heartbeat 1 s ago\)/,
    );
    open(600_000).takeOver(8, identifyHost());
    expect(readRecord(run.path)).toMatchObject({ pid: process.pid, resumed: [{ timesteps: 8 }] });
  });

  it('is not taken over where it has been, since it was opened; and what was refused later is given back', () => {
    const run = create('cart', 1);
    run.finish('interrupted', 8, null);
    const [first, second] = [RunDirectory.open(run.path), RunDirectory.open(run.path)];
    expect(first.giveBack()).toBe(false);
    first.takeOver(8, identifyHost());
    first.finish('completed', 16, null);
    expect(() => second.takeOver(8, identifyHost())).toThrow(/^RUN_STATE .*has taken this run up meanwhile/);
    const third = RunDirectory.open(run.path);
    const before = readRecord(run.path);
    third.takeOver(8, identifyHost());
    expect(third.giveBack()).toBe(true);
    expect(readRecord(run.path)).toEqual(before);
  });

  it('is taken over at once where that one is gone', () => {
    const run = create('cart', 1);
    // larger than any process id that Linux gives
    run.record.pid = 2 ** 30;
    run.save();
    RunDirectory.open(run.path, () => START + 1000).takeOver(8, identifyHost());
    expect(readRecord(run.path).pid).toBe(process.pid);
  });
});

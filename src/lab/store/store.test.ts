import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseExperiment } from '#src/config/load.js';
import { identifyHost } from '../provenance.js';
import { findRun, readRecord, RunDirectory, type RunResult } from '../run-directory.js';
import { addTags, annotationsFile, readAnnotations, removeTags, setArchived, setNote } from './annotations.js';
import { deleteRun } from './delete-run.js';
import { findStoredRun, listStoredRuns, storedRun, type RunFilter } from './list-runs.js';
import { runIndexFile } from './run-index.js';

let runsDir = '';
beforeEach(() => {
  runsDir = mkdtempSync(path.join(tmpdir(), 'openbell-store-'));
});
afterEach(() => rmSync(runsDir, { recursive: true }));

const START = Date.parse('2024-05-06T07:08:09.000Z');
const HOUR = 3_600_000;

function create(name: string, seed: number, nowMs = START, sweep = ''): RunDirectory {
  const { config } = parseExperiment(`name: ${name}\nseed: ${seed}\n${sweep}env: { id: CartPole-v1 }\n`, 'x.yaml');
  return RunDirectory.create({
    runsDir,
    config,
    observationHash: null,
    argv: [],
    code: { openbell: '0', git: null, lockfile_sha256: null, kernels: {} },
    patch: null,
    data: [],
    host: identifyHost(),
    nowMs: () => nowMs,
  });
}

function finish(run: RunDirectory, score: number): RunDirectory {
  const best = { score, timesteps: 8 };
  const result: RunResult = { timesteps: 16, updates: 2, weights_sha256: 'ab', best, last_score: score };
  run.finish('completed', 16, result);
  return run;
}

const baseNames = (filter: RunFilter = {}, options = {}): string[] =>
  listStoredRuns(runsDir, { filter, ...options }).runs.map(({ id }) => id.replace(/\/.*-s/, '/'));
const only = () => listStoredRuns(runsDir).runs[0];

describe('a list of runs', () => {
  it('filters by experiment, tag, seed, time, sweep, text and state, and sorts', () => {
    const first = finish(create('cart', 1), 3);
    finish(create('cart', 2, START + HOUR), 1);
    create('pole', 3, START + 2 * HOUR, 'sweep: { id: hunt-01234567, trial: 4, trials: 9 }\n').finish(
      'interrupted',
      8,
      null,
    );
    addTags(first.path, ['paper', 'good']);
    setNote(first.path, 'Looks Fine to me');
    expect(baseNames()).toEqual(['cart/1', 'cart/2', 'pole/3']);
    expect(baseNames({ experiment: 'cart' })).toEqual(['cart/1', 'cart/2']);
    expect(baseNames({ tags: ['good', 'paper'] })).toEqual(['cart/1']);
    expect(baseNames({ tags: ['good', 'other'] })).toEqual([]);
    expect(baseNames({ seeds: [2, 3] })).toEqual(['cart/2', 'pole/3']);
    expect(baseNames({ sinceMs: START + HOUR })).toEqual(['cart/2', 'pole/3']);
    expect(baseNames({ untilMs: START + HOUR })).toEqual(['cart/1']);
    expect(baseNames({ sweep: 'hunt' })).toEqual(['pole/3']);
    expect(baseNames({ sweep: 'hunt-01234567' })).toEqual(['pole/3']);
    expect(baseNames({ sweep: null })).toEqual(['cart/1', 'cart/2']);
    expect(baseNames({ text: 'fine' })).toEqual(['cart/1']);
    expect(baseNames({ states: ['interrupted'] })).toEqual(['pole/3']);
    // no score comes first, the greatest last
    expect(baseNames({}, { sort: 'score' })).toEqual(['pole/3', 'cart/2', 'cart/1']);
    expect(baseNames({}, { sort: 'score', limit: 1 })).toEqual(['cart/1']);
    expect(baseNames({}, { sort: 'seed', reverse: true })).toEqual(['pole/3', 'cart/2', 'cart/1']);
  });

  it('says which trials early stopping has stopped, by what sweep.json says', () => {
    create('hunt', 1, START, 'sweep: { id: hunt-01234567, trial: 4, trials: 9 }\n').finish('interrupted', 8, null);
    create('hunt', 2, START + HOUR, 'sweep: { id: hunt-01234567, trial: 5, trials: 9 }\n').finish(
      'interrupted',
      8,
      null,
    );
    expect(listStoredRuns(runsDir).runs.map(({ state }) => state)).toEqual(['interrupted', 'interrupted']);
    const folder = path.join(runsDir, 'hunt', 'sweep');
    mkdirSync(folder);
    const trials = [
      { trial: 4, status: 'stopped' },
      { trial: 5, status: 'open' },
    ];
    writeFileSync(
      path.join(folder, 'sweep.json'),
      JSON.stringify({ format: 'openbell-sweep 1', id: 'hunt-01234567', trials }),
    );
    expect(listStoredRuns(runsDir).runs.map(({ state }) => state)).toEqual(['stopped', 'interrupted']);
    writeFileSync(path.join(folder, 'sweep.json'), '{"half');
    expect(listStoredRuns(runsDir).runs.map(({ state }) => state)).toEqual(['interrupted', 'interrupted']);
  });

  it('says that a run is dead whose process is gone, and running while it lives', () => {
    const run = create('cart', 1);
    expect(listStoredRuns(runsDir, { nowMs: START + 1000 }).runs[0].state).toBe('running');
    expect(listStoredRuns(runsDir, { nowMs: START + HOUR }).runs[0].state).toBe('dead');
    // larger than any process id that Linux gives
    run.record.pid = 2 ** 30;
    run.save();
    expect(listStoredRuns(runsDir, { nowMs: START + 1000 }).runs[0].state).toBe('dead');
  });

  it('shows half-written, newer, damaged and foreign folders with what is wrong, and hides none', () => {
    const { record } = finish(create('cart', 1), 3);
    const spoil = (seed: number, text: string | null): void => {
      const file = path.join(create('cart', seed).path, 'run.json');
      if (text === null) rmSync(file);
      else writeFileSync(file, text);
    };
    spoil(2, null);
    spoil(3, '{"format": "openbell-run 7", "more": true}');
    spoil(4, '{"format": "openbell-run 1", "name": "cart", "engi');
    spoil(5, '{"format": "openbell-run 1", "name": "cart"}');
    spoil(6, '[]');
    spoil(7, JSON.stringify({ ...record, status: 'dancing' }));
    spoil(
      8,
      JSON.stringify({
        ...record,
        seed: 8,
        result: { best: 'none', weights_sha256: 7 },
        data: [1],
        resumed: [null],
        host: {},
      }),
    );
    mkdirSync(path.join(runsDir, 'mlruns', '0'), { recursive: true });
    const found = new Map(
      listStoredRuns(runsDir).runs.map(({ id, state, problem }) => [id.replace(/\/.*-s/, '/'), `${state}: ${problem}`]),
    );
    expect(found.get('cart/1')).toBe('completed: null');
    expect(found.get('cart/2')).toMatch(/^half-written: there is no run\.json: .*Again: openbell train .*config\.yaml/);
    expect(found.get('cart/3')).toMatch(/^newer: written by a newer OpenBell \(openbell-run 7\)/);
    expect(found.get('cart/4')).toMatch(/^damaged: run\.json cannot be read/);
    expect(found.get('cart/5')).toMatch(/^damaged: run\.json: engine is missing/);
    expect(found.get('cart/6')).toMatch(/^damaged: run\.json holds no object/);
    expect(found.get('cart/7')).toMatch(/^damaged: run\.json: status is "dancing"/);
    expect(found.get('cart/8')).toMatch(/^completed: null/);
    expect(found.get('mlruns/0')).toMatch(/^foreign: there is no run\.json/);
    const filtered = listStoredRuns(runsDir, { filter: { seeds: [1] } });
    expect(filtered.runs).toHaveLength(1);
    expect(filtered.unreadable).toHaveLength(7);
  });

  it('finds runs behind links and at the top of the folder, and passes broken links over', () => {
    const run = finish(create('cart', 1), 3);
    const elsewhere = mkdtempSync(path.join(tmpdir(), 'openbell-elsewhere-'));
    renameSync(run.path, path.join(elsewhere, 'moved'));
    symlinkSync(path.join(elsewhere, 'moved'), path.join(runsDir, 'cart', 'linked'));
    symlinkSync(path.join(elsewhere, 'nowhere'), path.join(runsDir, 'cart', 'broken'));
    finish(create('cart', 2), 3);
    renameSync(path.dirname(findRun('latest', runsDir).directory), path.join(runsDir, 'cart'));
    expect(listStoredRuns(runsDir).runs.map(({ id }) => id)).toContain('cart/linked');
    // deleting a link leaves what it points at
    deleteRun(path.join(runsDir, 'cart', 'linked'));
    expect(existsSync(path.join(elsewhere, 'moved', 'run.json'))).toBe(true);
    renameSync(path.join(elsewhere, 'moved'), path.join(runsDir, 'top'));
    expect(findStoredRun('top', runsDir).run).toMatchObject({ id: 'top', state: 'completed' });
    expect(listStoredRuns(runsDir).runs.map(({ id }) => id)).toContain('top');
    rmSync(elsewhere, { recursive: true });
  });
});

describe('the index', () => {
  /** Old enough that a file system's clock can tell when they are written again. */
  function age(run: RunDirectory): void {
    utimesSync(path.join(run.path, 'run.json'), new Date(START), new Date(START));
  }
  const LATER = () => Date.now() + HOUR;

  it('gives the same list as the folders, may be deleted or damaged, and is made again', () => {
    const runs = [1, 2, 3].map((seed) => finish(create('cart', seed), seed));
    runs.forEach(age);
    const fresh = listStoredRuns(runsDir, { nowMs: LATER() }).runs;
    const index = readFileSync(runIndexFile(runsDir), 'utf8');
    expect(Object.keys(JSON.parse(index).rows)).toHaveLength(3);
    expect(listStoredRuns(runsDir, { nowMs: LATER() }).runs).toEqual(fresh);
    for (const text of ['', '{"half', '[]', '{"format":"openbell-run-index 0","rows":{}}']) {
      writeFileSync(runIndexFile(runsDir), text);
      expect(listStoredRuns(runsDir, { nowMs: LATER() }).runs).toEqual(fresh);
      expect(readFileSync(runIndexFile(runsDir), 'utf8')).toBe(index);
    }
  });

  it('is used, and notices what changed: run.json, annotations, an evaluation, a deletion', () => {
    const run = finish(create('cart', 1), 3);
    age(run);
    listStoredRuns(runsDir, { nowMs: LATER() });
    // proof that the row comes from the index: it says what the folder does not
    const index = runIndexFile(runsDir);
    writeFileSync(index, readFileSync(index, 'utf8').replace('"score":3', '"score":77'));
    expect(only().score).toBe(77);
    addTags(run.path, ['new']);
    expect(only()).toMatchObject({ score: 3, tags: ['new'] });
    run.record.result = null;
    run.save();
    expect(only().score).toBeNull();
    const folder = path.join(run.path, 'evaluation', 'best');
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'metrics.json'), '{"score": 195.5, "checkpoint": "best"}');
    expect(only().metrics).toMatchObject({ mean_return: 195.5, folder: 'best', sharpe: null });
    writeFileSync(path.join(folder, 'metrics.json'), '{"score": 19');
    expect(only()).toMatchObject({ state: 'completed', problem: expect.stringMatching(/evaluate the run again/) });
    rmSync(run.path, { recursive: true });
    expect(listStoredRuns(runsDir).runs).toEqual([]);
  });
});

describe('tags, notes and archiving', () => {
  it('lie beside run.json, and survive a training that writes it at the same time', () => {
    const run = create('cart', 1);
    addTags(run.path, ['b', 'a', 'b']);
    setNote(run.path, '  first\nlines  ');
    run.record.timesteps = 5;
    run.save();
    expect(readAnnotations(run.path)).toEqual({ tags: ['a', 'b'], note: 'first\nlines', archived_at: null });
    expect(readRecord(run.path).timesteps).toBe(5);
    removeTags(run.path, ['b']);
    setNote(run.path, '');
    expect(readAnnotations(run.path)).toEqual({ tags: ['a'], note: null, archived_at: null });
    expect(() => removeTags(run.path, ['aa'])).toThrow(/^USAGE .*did you mean "a"\? this run has: a/);
    for (const tag of ['', ' ', '-x', 'a b', 'x'.repeat(65), 'a\n'])
      expect(() => addTags(run.path, [tag])).toThrow(/^USAGE tag/);
    expect(() => addTags(path.join(runsDir, 'cart'), ['a'])).toThrow(/^RUN_NOT_FOUND/);
  });

  it('are not overwritten where they cannot be read, and hide no run', () => {
    const run = finish(create('cart', 1), 3);
    addTags(run.path, ['a']);
    for (const text of [
      '{"half',
      '{"format":"openbell-annotations 2"}',
      '{"format":"openbell-annotations 1","tags":7}',
    ]) {
      writeFileSync(annotationsFile(run.path), text);
      expect(() => setNote(run.path, 'x')).toThrow(/^RUN_STATE .*annotations\.json/);
      expect(readFileSync(annotationsFile(run.path), 'utf8')).toBe(text);
      expect(only()).toMatchObject({ state: 'completed', problem: expect.stringMatching(/annotations\.json/) });
    }
  });

  it('keep archived runs out of lists and of what "latest" means, and in their place', () => {
    const old = finish(create('cart', 1), 3);
    const young = finish(create('cart', 2, START + HOUR), 3);
    setArchived(young.path, true, START);
    expect(baseNames()).toEqual(['cart/1']);
    expect(listStoredRuns(runsDir).archived).toBe(1);
    expect(baseNames({ archived: true })).toEqual(['cart/1', 'cart/2']);
    expect(baseNames({ archived: 'only' })).toEqual(['cart/2']);
    expect(findRun('latest', runsDir).directory).toBe(old.path);
    expect(findRun(path.basename(young.path), runsDir).directory).toBe(young.path);
    setArchived(young.path, false, START);
    expect(findRun('cart', runsDir).directory).toBe(young.path);
  });
});

describe('a deletion', () => {
  it('removes the run whole, and what an interrupted one left', () => {
    const run = finish(create('cart', 1), 3);
    const other = finish(create('cart', 2), 3);
    mkdirSync(path.join(runsDir, 'cart', '.deleted-leftover'));
    deleteRun(run.path);
    expect(listStoredRuns(runsDir).runs.map(({ path: folder }) => folder)).toEqual([other.path]);
    expect(existsSync(path.join(runsDir, 'cart', '.deleted-leftover'))).toBe(false);
    expect(() => deleteRun(run.path)).toThrow(/^RUN_NOT_FOUND/);
  });

  it('never takes a running run, one written to a moment ago, or a folder that is not ours', () => {
    const run = create('cart', 1);
    expect(() => deleteRun(run.path, START + 1000)).toThrow(/^RUN_STATE .*is training this run: stop it first/);
    writeFileSync(path.join(run.path, 'run.json'), '{"half');
    appendFileSync(path.join(run.path, 'metrics.jsonl'), '{}\n');
    expect(() => deleteRun(run.path)).toThrow(/^RUN_STATE .*was written to \d+ s ago/);
    const foreign = path.join(runsDir, 'mlruns', '0');
    mkdirSync(foreign, { recursive: true });
    expect(() => deleteRun(foreign)).toThrow(/^RUN_NOT_FOUND .*delete it yourself/);
    expect(existsSync(run.path) && existsSync(foreign)).toBe(true);
    // half an hour later nobody has written
    deleteRun(run.path, Date.now() + HOUR / 2);
    expect(existsSync(run.path)).toBe(false);
  });

  it('is offered for what a name means now and later, and not for "latest"', () => {
    const run = finish(create('cart', 1), 3);
    expect(findStoredRun('latest', runsDir)).toMatchObject({ isExact: false, run: { path: run.path } });
    expect(findStoredRun('cart', runsDir).isExact).toBe(false);
    expect(findStoredRun(run.path, runsDir).isExact).toBe(true);
    expect(findStoredRun(path.basename(run.path), runsDir).isExact).toBe(true);
    expect(() => findStoredRun('none', runsDir)).toThrow(/^RUN_NOT_FOUND/);
    expect(storedRun(run.path).state).toBe('completed');
  });
});

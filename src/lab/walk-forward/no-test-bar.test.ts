/** The promise of a split: no test bar reaches training. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ExperimentConfig } from '#src/config/schema.js';
import { checkpointFile, readCheckpoint } from '../checkpoint.js';
import { spanOf } from '../exclude.js';
import { train } from '../train.js';
import { changed, walkExperiment, walkRows, writeRows } from './walk-forward.fixture.js';
import { loadWalkForwardPlan } from './walk-forward.js';

const folder = mkdtempSync(path.join(tmpdir(), 'openbell-walk-'));
afterAll(() => rmSync(folder, { recursive: true }));
const ROWS = walkRows(700);

/** Weights and the normaliser's statistics after training, as the checkpoints hold them. */
async function trained(config: ExperimentConfig): Promise<{ weights: string; last: unknown; best: unknown }> {
  const { directory, result } = await train({ config, runsDir: path.join(folder, 'runs') });
  const checkpoints = path.join(directory, 'checkpoints');
  const of = (name: 'last' | 'best'): unknown => {
    const { normalizer, engine } = readCheckpoint(checkpointFile(checkpoints, name)).ppo;
    return { normalizer, engine };
  };
  return { weights: result.weights_sha256, last: of('last'), best: result.best === null ? null : of('best') };
}

const within = (windows: readonly ({ from: string | null; to: string | null } | null)[]) => {
  const spans = windows.flatMap((window) => (window === null ? [] : [spanOf(window, 'test')]));
  return (timeMs: number) => spans.some(({ fromMs, toMs }) => timeMs >= fromMs && timeMs < toMs);
};

describe('where every test bar is another', () => {
  it('a walk-forward window learns the same weights and normaliser, and chooses the same checkpoint, to the bit', async () => {
    writeRows(folder, ROWS);
    const config = walkExperiment(folder, '{ train: 200, validation: 60, test: 100, purge: 3 }');
    const { windows } = await loadWalkForwardPlan(config);
    expect(windows.length).toBeGreaterThan(2);
    const [, { config: own }] = windows;
    const before = await trained(own);
    const isTest = within([own.data?.test ?? null]);
    writeRows(folder, changed(ROWS, isTest));
    expect(await trained(own)).toEqual(before);
    // and all that comes after
    const testFrom = Date.parse(own.data?.test?.from ?? '');
    writeRows(
      folder,
      changed(ROWS, (timeMs) => timeMs >= testFrom),
    );
    expect(await trained(own)).toEqual(before);
    // the purged bars teach nothing either: they only warm up what the checkpoint is chosen on
    const [trainTo, chosenFrom] = [own.data?.train.to ?? '', own.data?.validation?.from ?? ''].map(Date.parse);
    writeRows(
      folder,
      changed(ROWS, (timeMs) => timeMs >= trainTo && timeMs < chosenFrom),
    );
    expect(await trained(own)).toMatchObject({ weights: before.weights, last: before.last });
    // the test can fail: one bar of training changes all
    writeRows(
      folder,
      changed(ROWS, (timeMs) => timeMs === trainTo - 7 * 86_400_000),
    );
    expect(await trained(own)).not.toEqual(before);
  });

  it('a combinatorial split learns the same, though its training goes on behind the test', async () => {
    writeRows(folder, ROWS);
    const config = walkExperiment(folder, '{ scheme: combinatorial, groups: 4, test_groups: 1, purge: 3, embargo: 5 }');
    const { windows } = await loadWalkForwardPlan(config);
    const [, { config: own, test }] = windows;
    const before = await trained(own);
    const [{ span }] = test;
    writeRows(
      folder,
      changed(ROWS, (timeMs) => timeMs >= span.fromMs && timeMs < span.toMs),
    );
    expect(await trained(own)).toEqual(before);
    // purge and embargo too: all that is excluded
    writeRows(folder, changed(ROWS, within(own.data?.exclude ?? [])));
    expect(await trained(own)).toEqual(before);
    // without the exclusion the test group teaches
    if (own.data === null) throw new Error('no data');
    const open = { ...own, data: { ...own.data, exclude: [] } };
    writeRows(folder, ROWS);
    const leaky = await trained(open);
    writeRows(
      folder,
      changed(ROWS, (timeMs) => timeMs >= span.fromMs && timeMs < span.toMs),
    );
    expect(await trained(open)).not.toEqual(leaky);
  });
});

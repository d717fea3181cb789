import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseExperiment } from '#src/config/load.js';
import { loadDataset } from '#src/data/load.js';
import { decodeBundle, encodeBundle, type Bundle } from '#src/registry/bundle.js';
import { BUY, bundleThatAlways } from '../../../test/support/bundles.js';
import { planRetraining, type RetrainPlan } from './plan.js';
import { loadRetrainSettings, type RetrainSettings } from './settings.js';

const SETTINGS: RetrainSettings = { ...loadRetrainSettings(), held_out_days: 3, new_days_at_least: 4 };

let folder: string;
let old: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'openbell-plan-'));
  old = makeDataset('old', '2020-01-02', 30);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Weekdays around the clock are sessions: 30-minute bars. */
function makeDataset(name: string, from: string, sessions: number, symbol = 'OU', interval = '30m'): string {
  const file = path.join(folder, `${name}.yaml`);
  writeFileSync(
    file,
    `name: ${name}
source: OpenBell's generator
licence: MIT
synthetic: { seed: 1, from: ${from}, sessions: ${sessions} }
interval: ${interval}
calendar: XNYS
instrument: { symbol: ${symbol} }
adjustments: { prices: none }
`,
  );
  return file;
}

async function makeIncumbent(data: string, datasets: readonly string[] = [old]): Promise<Bundle> {
  const yaml = `name: own\nseed: 7\ndata: { datasets: ${JSON.stringify(datasets)}, ${data} }\nobservation: { warmup: 20 }\nagent: { learning_rate: { schedule: linear, initial: 1e-3, final: 1e-4 } }`;
  const { data: windows } = parseExperiment(yaml, 'test').config;
  if (windows === null) throw new Error('no data');
  const bars = await Promise.all(datasets.map((name) => loadDataset(name)));
  const contents = bundleThatAlways(BUY, bars[0].instrument, {}, 'own', {
    interval: bars[0].interval,
    calendar: 'XNYS',
    data: bars.map((own, k) => ({
      dataset: datasets[k],
      symbol: own.instrument.symbol,
      interval: own.interval.label,
      bars: own.length,
      from: new Date(own.openTimeMs[0]).toISOString(),
      to: new Date(own.openTimeMs[own.length - 1]).toISOString(),
      synthetic: true,
      sha256: own.sha256,
    })),
    windows: { train: windows.train, validation: windows.validation, test: windows.test, exclude: windows.exclude },
    provenance: { ...bundleThatAlways(BUY, bars[0].instrument).manifest.provenance, config_yaml: yaml },
  });
  return decodeBundle(encodeBundle(contents), 'own');
}

const planOf = (incumbent: Bundle, datasets: readonly string[], settings = SETTINGS): Promise<RetrainPlan> =>
  planRetraining({ incumbent, bundleFile: path.join(folder, 'own.safetensors'), datasets, settings });

describe('the plan of a retraining', () => {
  it('learns from the days since training, and holds the last ones out', async () => {
    const incumbent = await makeIncumbent('train: { to: 2020-01-22 }');
    const { config, learned, heldOut, oldBars, seeds } = await planOf(incumbent, [old]);
    // 30 sessions from January 2nd end on February 13th; 13 bars a session
    expect(learned).toEqual({ from: '2020-01-22T14:30Z', to: '2020-02-11T14:30Z', days: 14, bars: 14 * 13 });
    expect(heldOut).toEqual({ from: '2020-02-11T14:30Z', to: '2020-02-13T21:00Z', days: 3, bars: 3 * 13 });
    expect(oldBars).toBe(13 * 13);
    expect(seeds).toEqual([7, 8, 9]);
    expect(config.data).toEqual({
      datasets: [old],
      train: { from: null, to: '2020-02-11T14:30Z' },
      validation: null,
      test: { from: '2020-02-11T14:30Z', to: '2020-02-13T21:00Z' },
      exclude: [],
    });
    expect(config.agent.learning_rate).toEqual({ schedule: 'linear', initial: 5e-4, final: 5e-5 });
    expect(config.training.fine_tune).toMatchObject({
      sha256: incumbent.sha256,
      recent: { from: '2020-01-22T14:30Z', share: 0.5 },
    });
    expect(config.name).toBe('own-retrain');
  });

  it('takes as new only what did not choose the checkpoint either, and leaves what did out of training', async () => {
    const incumbent = await makeIncumbent(
      'train: { to: 2020-01-15 }, validation: { from: 2020-01-15, to: 2020-01-23 }',
    );
    const { config, learned } = await planOf(incumbent, [old]);
    expect(learned.from).toBe('2020-01-23T14:30Z');
    expect(config.data?.exclude).toEqual([{ from: '2020-01-15', to: '2020-01-23T14:30Z' }]);
  });

  it('counts each bar once: a newer file cuts an older one short, or takes its place', async () => {
    const incumbent = await makeIncumbent('train: { to: 2020-01-22 }');
    const later = makeDataset('later', '2020-01-24', 20);
    const cut = await planOf(incumbent, [later]);
    expect(cut.config.data?.datasets).toEqual([`${old}[..2020-01-24T14:30Z]`, later]);
    // what the older file has from behind its training window is new too
    expect(cut.learned.from).toBe('2020-01-22T14:30Z');
    expect(cut.config.data?.exclude).toEqual([]);
    const longer = makeDataset('longer', '2019-12-02', 60);
    expect((await planOf(incumbent, [longer])).config.data?.datasets).toEqual([longer]);
    const behind = makeDataset('behind', '2020-03-02', 20);
    expect((await planOf(incumbent, [behind])).config.data?.datasets).toEqual([old, behind]);
  });

  it('goes on from a retrained incumbent', async () => {
    const later = makeDataset('later', '2020-01-24', 20);
    const first = await planOf(await makeIncumbent('train: { to: 2020-01-22 }'), [later]);
    const datasets = first.config.data?.datasets ?? [];
    const next = await makeIncumbent(`train: { to: ${first.config.data?.train.to} }`, datasets);
    const grown = makeDataset('grown', '2020-01-24', 40);
    const { config, learned } = await planOf(next, [grown]);
    expect(config.data?.datasets).toEqual([datasets[0], grown]);
    expect(learned.from).toBe(first.heldOut.from);
    expect(config.name).toBe('own-retrain');
  });

  it('refuses too few new days in plain words', async () => {
    const incumbent = await makeIncumbent('train: { to: 2020-02-06 }');
    await expect(planOf(incumbent, [old])).rejects.toThrow(
      'GATE_REFUSED openbell retrain 6: there are 6 new days since 2020-02-06, which is as far as the incumbent has seen; 3 judge and at least 4 are learned from, so that 1 more are needed. Nothing was trained',
    );
    await expect(planOf(await makeIncumbent('train: {}'), [old])).rejects.toThrow(
      'there are 0 new days since 2020-02-13T21:00Z',
    );
  });

  it('refuses bars that the incumbent does not trade, and data that is not what it was', async () => {
    const incumbent = await makeIncumbent('train: { to: 2020-01-22 }');
    await expect(planOf(incumbent, [makeDataset('other', '2020-02-14', 10, 'XY')])).rejects.toThrow(
      'holds XY; the incumbent trades OU',
    );
    await expect(planOf(incumbent, [makeDataset('fast', '2020-02-14', 10, 'OU', '5m')])).rejects.toThrow(
      'holds bars of 5m (XNYS); the incumbent trades bars of 30m (XNYS)',
    );
    const twin = makeDataset('twin', '2020-02-18', 10);
    await expect(planOf(incumbent, [old, twin])).rejects.toThrow(/as .*old.yaml does: name one data set a symbol/);
    writeFileSync(path.join(folder, 'changed.yaml'), '');
    const changed = makeDataset('changed', '2020-01-02', 30);
    const later = makeDataset('later', '2020-02-14', 20);
    const own = await makeIncumbent('train: { to: 2020-01-22 }', [changed]);
    makeDataset('changed', '2020-01-02', 29);
    await expect(planOf(own, [later])).rejects.toThrow(/^DATA_HASH .*changed.yaml.*restore them/);
  });
});

describe('the settings of a retraining', () => {
  const settingsOf = (text: string): RetrainSettings => {
    const file = path.join(folder, 'settings.yaml');
    writeFileSync(file, text);
    return loadRetrainSettings(file);
  };

  it('lie over those that ship', () => {
    expect(settingsOf('seeds: 1')).toEqual({ ...loadRetrainSettings(), seeds: 1 });
    expect(settingsOf('gates: mine.yaml').gates).toBe(path.join(folder, 'mine.yaml'));
  });

  it('never let live move', () => {
    expect(() => settingsOf('may_move: [challenger, live]')).toThrow(
      /^CONFIG_VALUE .*settings.yaml:1 may_move "live": live is never moved by itself/,
    );
  });

  it('say file, line and key of what is wrong', () => {
    expect(() => settingsOf('seeds: 1\nkl_limits: 1')).toThrow(
      /^CONFIG_UNKNOWN_KEY .*settings.yaml:2 "kl_limits": did you mean "kl_limit"\?/,
    );
    expect(() => settingsOf('\nkl_limit: 0')).toThrow(/^CONFIG_VALUE .*settings.yaml:2 kl_limit 0/);
  });
});

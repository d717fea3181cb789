import { expect, it, describe } from 'vitest';
import { MONDAY_MS, testBars } from '#env/market/test-bars.fixture.js';
import type { Bars } from '#env/market/bars.js';
import { parseExperiment } from '#src/config/load.js';
import type { ExperimentConfig } from '#src/config/schema.js';
import { spanOf, trainingWindows } from '../exclude.js';
import { movedTime } from './clock.js';
import { combinations } from './combinatorial.js';
import { planWalkForward, type WalkForwardPlan } from './plan.js';

const DAY_MS = 86_400_000;
const WARMUP = 10;

function bars(length: number, segments?: Bars['segments'], symbol = 'TEST'): Bars {
  const own = testBars({ prices: Array.from({ length }, () => [1, 1, 1, 1] as const), calendar: '24x7', symbol });
  return { ...own, segments: segments ?? own.segments };
}

function experiment(walkForward: string): ExperimentConfig {
  return parseExperiment(
    `name: plan
env: { id: market, episode: { minimum_length: 5 } }
data: { datasets: [x] }
observation: { warmup: ${WARMUP} }
walk_forward: ${walkForward}`,
    'plan.yaml',
  ).config;
}

const plan = (walkForward: string, own: readonly Bars[]): WalkForwardPlan =>
  planWalkForward(experiment(walkForward), own);

/** Bars' indices that a window of a configuration covers; daily bars from MONDAY_MS on. */
function indices(window: { from: string | null; to: string | null } | null | undefined): number[] {
  if (window === null || window === undefined) return [];
  const { fromMs, toMs } = spanOf(window, 'test');
  // the end of all is a millisecond behind the last bar's open
  return Array.from({ length: Math.round((toMs - fromMs) / DAY_MS) }, (_, k) => (fromMs - MONDAY_MS) / DAY_MS + k);
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, k) => from + k);

describe('windows that walk forward', () => {
  it('roll by bars: train, purge, validation, purge and embargo, test', () => {
    const { windows, unjudged, paths } = plan('{ train: 30, validation: 10, test: 20, purge: 2, embargo: 3 }', [
      bars(110),
    ]);
    const parts = windows.map(({ config: { data } }) => [data?.train, data?.validation, data?.test].map(indices));
    // the clock begins behind the warm-up: 30 bars, 2, 10, 2 + 3, then 20
    expect(parts).toEqual([
      [range(10, 40), range(42, 52), range(57, 77)],
      [range(30, 60), range(62, 72), range(77, 97)],
      // what is left, being half a window or more
      [range(50, 80), range(82, 92), range(97, 109)],
    ]);
    expect(paths).toEqual([[0, 1, 2].map((window) => ({ window, part: 0 }))]);
    expect(unjudged).toEqual({ before: 47, between: 0, after: 0 });
  });

  it('are anchored at the first bar, and learn from more and more', () => {
    const { windows } = plan('{ scheme: anchored, train: 30, test: 20 }', [bars(80)]);
    expect(windows.map(({ config: { data } }) => indices(data?.train))).toEqual([range(10, 40), range(10, 60)]);
    expect(windows.every(({ config: { data } }) => data?.validation === null)).toBe(true);
  });

  it('are cut by the calendar as well', () => {
    const { windows } = plan('{ train: 3mo, validation: 1mo, test: 1mo, step: 2mo }', [bars(365)]);
    const [first, second] = windows.map(({ config: { data } }) => data);
    // the first decision is on 2018-06-14
    expect(first).toMatchObject({
      train: { from: '2018-06-14', to: '2018-09-14' },
      validation: { from: '2018-09-14', to: '2018-10-14' },
      test: { from: '2018-10-14', to: '2018-11-14' },
    });
    expect(second?.test).toEqual({ from: '2018-12-14', to: '2019-01-14' });
  });

  it('never carry anything over a gap: what spans it is two windows, and a scrap at its edge is left out', () => {
    const own = bars(120, [
      { start: 0, end: 60 },
      { start: 60, end: 120 },
    ]);
    const { windows } = plan('{ train: 30, test: 22 }', [own]);
    // bars with a decision: 10 to 59 and 70 to 119
    expect(windows[0].test[0].windows.map(({ start, end }) => [start, end])).toEqual([
      [40, 60],
      [70, 72],
    ]);
    const learned = windows.map(({ config: { data } }) => (data === null ? [] : trainingWindows([own], data, WARMUP)));
    expect(learned.map((all) => all.map(({ start, end }) => [start, end]))).toEqual([
      [[10, 40]],
      [
        [32, 60],
        // two bars of 70 and 71 are no episode
      ],
      [
        [54, 60],
        [70, 94],
      ],
    ]);
    for (const window of [...learned.flat(), ...windows.flatMap(({ test }) => test.flatMap((t) => t.windows))]) {
      expect(window.start - WARMUP).toBeGreaterThanOrEqual(window.segment.start);
      expect(window.end).toBeLessThanOrEqual(window.segment.end);
    }
  });

  it('judge no bar twice, and say what is refused', () => {
    const own = [bars(200)];
    expect(() => plan('{ train: 30, test: 20, step: 10 }', own)).toThrow(/CONFIG_VALUE walk_forward\.step 10: .*twice/);
    expect(() => plan('{ train: 30 }', own)).toThrow(/CONFIG_VALUE walk_forward\.test/);
    expect(() => plan('{ train: 300, test: 20 }', own)).toThrow(/DATA_WINDOW walk_forward/);
    expect(() => plan('{ train: 30, test: 20, embargo: 3 }', own)).toThrow(/CONFIG_VALUE walk_forward\.embargo/);
    const weekly = { ...bars(200), openTimeMs: Float64Array.from(range(0, 200), (k) => MONDAY_MS + 7 * k * DAY_MS) };
    expect(() => plan('{ train: 20w, validation: 3d, test: 4w }', [weekly])).toThrow(
      /DATA_WINDOW walk_forward w01, validation "3d": holds [01] bars before 20\d\d-/,
    );
    expect(() => plan('{ train: 30q, test: 20 }', own)).toThrow(/CONFIG_VALUE .*walk_forward\.train/);
    expect(() => planWalkForward({ ...experiment('{ train: 3, test: 3 }'), walk_forward: null }, own)).toThrow(
      /CONFIG_VALUE plan walk_forward/,
    );
  });

  it('need every data set in every window', () => {
    const late = { ...bars(100, undefined, 'LATE'), openTimeMs: range(100, 200).map((k) => MONDAY_MS + k * DAY_MS) };
    const sets = [bars(200), { ...late, openTimeMs: Float64Array.from(late.openTimeMs) }];
    expect(() => plan('{ train: 30, test: 20 }', sets)).toThrow(
      /DATA_WINDOW walk_forward w01, .*no bar lies in the window/,
    );
  });
});

describe('combinatorial purged cross-validation', () => {
  it('takes every pair of six groups, and puts five paths together', () => {
    const { windows, paths, unjudged } = plan(
      '{ scheme: combinatorial, groups: 6, test_groups: 2, purge: 2, embargo: 4 }',
      [bars(10 + 6 * 60)],
    );
    expect(windows).toHaveLength(15);
    expect(unjudged).toEqual({ before: 0, between: 0, after: 0 });
    expect(paths).toHaveLength(5);
    for (const path of paths) {
      const tested = path.flatMap(({ window, part }) => windows[window].test[part].windows.map(({ start }) => start));
      expect(tested).toEqual(range(0, 6).map((group) => 10 + 60 * group));
    }
    // every judge of every group is used once
    const used = paths.flat().map(({ window, part }) => `${window} ${part}`);
    expect(new Set(used).size).toBe(30);
    // Lopez de Prado: splits of 6 groups, 2 at a time
    expect(combinations(6, 2).slice(0, 3)).toEqual([
      [0, 1],
      [0, 2],
      [0, 3],
    ]);
  });

  it('keeps training apart from its test groups, warm-up included', () => {
    const own = bars(10 + 6 * 60);
    const { windows } = plan('{ scheme: combinatorial, groups: 6, test_groups: 2, purge: 2, embargo: 4 }', [own]);
    for (const { config, test } of windows) {
      if (config.data === null) throw new Error('no data');
      const seen = new Set<number>();
      for (const { start, end, segment } of trainingWindows([own], config.data, WARMUP)) {
        for (let t = segment.start; t < end; t++) seen.add(t);
        expect(start - segment.start).toBeGreaterThanOrEqual(WARMUP);
      }
      for (const { windows: judged } of test) {
        for (const { start, end } of judged) {
          // purged before, purged and embargoed behind; the very first bars are nobody's
          for (let t = start - 2; t < Math.min(end + 6, own.length); t++) expect(t < 10 || !seen.has(t)).toBe(true);
        }
      }
    }
  });

  it('refuses lengths and groups that cannot be', () => {
    expect(() => plan('{ scheme: combinatorial, train: 3 }', [bars(400)])).toThrow(/walk_forward\.train 3/);
    expect(() => plan('{ scheme: combinatorial, groups: 3, test_groups: 3 }', [bars(400)])).toThrow(/test_groups 3/);
    expect(() => plan('{ scheme: combinatorial, purge: 40 }', [bars(400)])).toThrow(/DATA_WINDOW walk_forward/);
  });
});

it('moves by months as a calendar does', () => {
  expect(movedTime(Date.parse('2016-01-31'), '1mo', 1)).toBe(Date.parse('2016-02-29'));
  expect(movedTime(Date.parse('2016-02-29'), '1y', -1)).toBe(Date.parse('2015-02-28'));
  expect(movedTime(Date.parse('2016-02-29'), '2w', 1)).toBe(Date.parse('2016-03-14'));
});

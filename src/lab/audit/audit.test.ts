/** Planted leaks are caught by name; what is clean passes. */
import { describe, expect, it } from 'vitest';
import type { Bars } from '#env/market/bars.js';
import { FEATURE_SETS } from '#env/market/observation/index.js';
import { wildBars } from '#env/market/test-bars.fixture.js';
import { parseExperiment } from '#src/config/load.js';
import type { ExperimentConfig } from '#src/config/schema.js';
import { isWithin, spanOf, trainingWindows } from '../exclude.js';
import { windowsIn } from '../world.js';
import { auditEnv, type MakeAuditedEnv } from './audit-env.js';
import { auditFeatures, featureSetOf, type FeatureSet } from './audit-features.js';
import { auditSplits } from './audit-splits.js';
import { auditText } from './audit-text.js';
import { auditTraining, type Learn } from './audit-training.js';
import type { AuditReport } from './findings.js';
import { CLEAN_FEATURE, LEAKY_ENVS, LEAKY_FEATURES, learnOnce, makeMarket, renamed, WARMUP } from './leaks.fixture.js';

const BARS = wildBars(5, 900, false, false);
const ADJUSTED = wildBars(6, 900, false, true);
const HALF = BARS.length >> 1;
const TWO_SEGMENTS: Bars = {
  ...BARS,
  segments: [
    { start: 0, end: HALF },
    { start: HALF, end: BARS.length },
  ],
};

/** Names of the checks that found leaks. */
function leaks({ checks }: AuditReport): string[] {
  const found = checks.flatMap(({ findings }) => findings.filter(({ level }) => level === 'leak'));
  return [...new Set(found.map(({ check }) => check))].sort();
}

describe('features', () => {
  const audit = (set: FeatureSet, bars = TWO_SEGMENTS, warmup = WARMUP): AuditReport =>
    auditFeatures(set, bars, { warmup });

  it('set v1 is clean, on segments, adjusted prices and with its own warm-up', () => {
    for (const bars of [TWO_SEGMENTS, ADJUSTED]) {
      const report = auditFeatures(featureSetOf(FEATURE_SETS.v1), bars, { warmup: 300 });
      expect(report.checks.flatMap(({ findings }) => findings)).toEqual([]);
      expect(report.clean).toBe(true);
    }
  });

  it('one of the past is clean', () => {
    expect(audit(CLEAN_FEATURE)).toMatchObject({ clean: true });
  });

  it.each([
    ['nextReturn', ['feature-future', 'feature-segment']],
    ['centredAverage', ['feature-future', 'feature-segment']],
    ['wholeSeriesScore', ['feature-future', 'feature-segment']],
    ['rangeOfAll', ['feature-future', 'feature-segment']],
    ['filledBackwards', ['feature-future']],
    ['acrossSegments', ['feature-segment']],
    ['slowAverage', ['feature-warmup']],
    ['adjustedLevel', ['feature-adjustment']],
  ] as const)('%s is caught', (name, expected) => {
    const report = audit(LEAKY_FEATURES[name]);
    expect(leaks(report)).toEqual(expect.arrayContaining([...expected]));
    expect(report.clean).toBe(false);
    expect(report.checks.flatMap(({ findings }) => findings.map(({ where }) => where))).toContain(name);
  });

  it('a warm-up that is a little short is a warning, not a leak', () => {
    const report = auditFeatures(featureSetOf(FEATURE_SETS.v1), BARS, { warmup: 120 });
    expect(report.clean).toBe(true);
    const [warmup] = report.checks.filter(({ name }) => name === 'feature-warmup');
    expect(warmup.findings).toContainEqual(expect.objectContaining({ level: 'warning', where: 'macd' }));
  });
});

describe('environments', () => {
  const audit = (make: MakeAuditedEnv, bars = BARS): AuditReport => auditEnv(make, bars, { firstBar: WARMUP });

  it('the market is clean, adjusted prices included, and its fills were looked at', () => {
    for (const bars of [BARS, ADJUSTED]) {
      const report = audit(makeMarket, bars);
      expect(report.checks.flatMap(({ findings }) => findings)).toEqual([]);
      expect(report.checks.filter(({ skipped }) => skipped === null).map(({ name }) => name)).toEqual(
        expect.arrayContaining(['env-reward', 'env-equity', 'env-fill', 'fill-seen', 'fill-range', 'env-adjustment']),
      );
    }
  });

  it.each([
    ['rewardAhead', 'env-reward'],
    ['centredObservations', 'env-observation'],
    ['knowingMask', 'env-mask'],
    ['endsInTime', 'env-end'],
    ['fillAtTheClose', 'fill-seen'],
    ['tomorrowsFill', 'env-fill'],
    ['betterThanTheBar', 'fill-range'],
  ] as const)('%s is caught', (name, expected) => {
    const report = audit(LEAKY_ENVS[name]);
    expect(leaks(report)).toContain(expected);
    expect(report.clean).toBe(false);
  });

  it('shares of adjusted prices are caught', () => {
    expect(leaks(audit(LEAKY_ENVS.adjustedShares, ADJUSTED))).toContain('env-adjustment');
  });

  it('says what it could not look at, and refuses bars that are too few', () => {
    const report = audit((bars) => makeMarket(bars, { onFill: () => undefined, onBar: () => undefined }));
    expect(report.checks.filter(({ skipped }) => skipped !== null).map(({ name }) => name)).toEqual([
      'env-equity',
      'env-fill',
      'fill-seen',
      'fill-range',
    ]);
    expect(() => auditEnv(makeMarket, BARS, { firstBar: BARS.length - 5 })).toThrow(/ENV_CONFIG audit of .*too few/);
  });
});

const stampOf = (t: number): string => new Date(BARS.openTimeMs[t]).toISOString();
const CUTS = [0, 400, 600, 899].map(stampOf);

function experiment(train: string, validation: string, test: string): ExperimentConfig {
  return parseExperiment(
    `name: audited
env: { id: market, episode: { length: 40, minimum_length: 5 } }
data: { datasets: [x], train: ${train}, validation: ${validation}, test: ${test} }
observation: { warmup: ${WARMUP} }
agent: { n_steps: 64, batch_size: 64, n_epochs: 1, net_arch: { pi: [8], vf: [8] }, normalize: {} }
training: { n_envs: 4 }`,
    'audited.yaml',
  ).config;
}
const between = (from: number, to: number): string => `{ from: '${CUTS[from]}', to: '${CUTS[to]}' }`;
const HONEST = experiment(between(0, 1), between(1, 2), between(2, 3));

describe('training', () => {
  const testSpan = [spanOf({ from: CUTS[2], to: null }, 'test')];
  const chosenSpan = [spanOf({ from: CUTS[1], to: CUTS[2] }, 'validation')];
  const audit = (learn: Learn): Promise<AuditReport> =>
    auditTraining(learn, [BARS], {
      isForeignToTraining: (timeMs) => isWithin(timeMs, testSpan) || isWithin(timeMs, chosenSpan),
      isForeignToSelection: (timeMs) => isWithin(timeMs, testSpan),
    });

  it('as it is, is clean', async () => {
    const report = await audit((bars) => learnOnce(HONEST, bars));
    expect(report.checks.map(({ skipped }) => skipped)).toEqual([null, null, null]);
    expect(leaks(report)).toEqual([]);
  });

  it('a normaliser that was fitted to all bars is caught', async () => {
    const report = await audit((bars) => learnOnce(HONEST, bars, { normalizesAll: true }));
    expect(leaks(report)).toContain('train-normalizer');
  });

  it('weights that learned from the test are caught', async () => {
    const greedy = experiment(`{ from: '${CUTS[0]}' }`, 'null', 'null');
    expect(leaks(await audit((bars) => learnOnce(greedy, bars)))).toContain('train-weights');
  });

  it('a checkpoint that is chosen on the test is caught', async () => {
    const choosesBy = experiment(between(0, 1), between(2, 3), 'null');
    expect(leaks(await audit((bars) => learnOnce(HONEST, bars, { choosesBy })))).toEqual(['train-selection']);
  });
});

describe('splits', () => {
  const windows = (window: { from: string | null; to: string | null }, bars: Bars = BARS) =>
    windowsIn([bars], window, WARMUP, 'test');
  const train = { role: 'train', windows: windows({ from: null, to: CUTS[1] }) } as const;
  const test = { role: 'test', windows: windows({ from: CUTS[2], to: null }) } as const;

  it('apart in time are clean', () => {
    const validation = { role: 'validation', windows: windows({ from: CUTS[1], to: CUTS[2] }) } as const;
    expect(auditSplits([train, validation, test])).toMatchObject({ clean: true });
  });

  it('that overlap are caught, and a checkpoint chosen on the test', () => {
    const late = { role: 'train', windows: windows({ from: null, to: null }) } as const;
    expect(leaks(auditSplits([late, test]))).toEqual(['split-overlap']);
    const chosen = { role: 'validation', windows: test.windows } as const;
    const report = auditSplits([train, chosen, test]);
    expect(leaks(report)).toEqual(['split-overlap']);
    expect(report.checks[0].findings[0].where).toBe('validation, test');
  });

  it('of one market under two names are caught, whatever its scale', () => {
    const twin = renamed(BARS, 'OTHER', 4);
    const all = { role: 'train', windows: windows({ from: null, to: null }, twin) } as const;
    const report = auditSplits([all, test]);
    expect(leaks(report)).toEqual(['split-overlap']);
    expect(report.checks[0].findings[0].message).toContain('OTHER and');
    const stranger = { ...wildBars(99, 900, false, false), openTimeMs: BARS.openTimeMs };
    const apart = renamed(stranger, 'STRANGER', 1);
    const foreign = { role: 'train', windows: windows({ from: null, to: null }, apart) } as const;
    expect(leaks(auditSplits([foreign, test]))).toEqual([]);
  });

  it('whose training lies behind the test are caught where test bars warm it up, or nothing is left out between', () => {
    const early = { role: 'test', windows: windows({ from: null, to: CUTS[1] }) } as const;
    const behind = { role: 'train', windows: windows({ from: CUTS[2], to: null }) } as const;
    expect(leaks(auditSplits([behind, early]))).toEqual(['split-warmup']);
    const excluding = (from: string, to: string) => {
      const { data } = HONEST;
      if (data === null) throw new Error('no data');
      const own = { ...data, train: { from: null, to: null }, exclude: [{ from, to }] };
      return { role: 'train', windows: trainingWindows([BARS], own, WARMUP) } as const;
    };
    expect(leaks(auditSplits([excluding(CUTS[0], CUTS[1]), early]))).toEqual(['split-purge']);
    expect(leaks(auditSplits([excluding(CUTS[0], stampOf(420)), early]))).toEqual([]);
  });
});

it('tells what was checked, where, and what was found', () => {
  const report = auditFeatures(LEAKY_FEATURES.nextReturn, BARS, { warmup: WARMUP });
  const text = auditText(report).join('\n');
  expect(text).toMatch(/feature-future +nextReturn on .* +\d+ recomputations of 900 bars +LEAK \(1\)/);
  expect(text).toMatch(/^LEAK feature-future \[nextReturn on .*\] nextReturn: bars after .* were made others/m);
  expect(text).toMatch(/LOOK-AHEAD: 1 leak found by feature-future\.$/);
  expect(auditText(auditFeatures(CLEAN_FEATURE, BARS, { warmup: WARMUP })).at(-1)).toBe(
    'No look-ahead found: 4 checks.',
  );
});

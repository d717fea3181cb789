import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '#env/seeding.js';
import { iqm, mean, median, optimalityGap, pooledMedian, type Aggregate } from './aggregate.js';
import { probabilityOfImprovement } from './improvement.js';
import { performanceProfile, profileBand } from './performance-profile.js';
import { taskScores, type TaskScores } from './scores.js';
import { differenceInterval, improvementInterval, stratifiedBootstrap } from './stratified-bootstrap.js';

type Bounds = [number, number];
interface Case {
  x: number[][];
  y: number[][];
  aggregates: Record<'mean' | 'median' | 'iqm' | 'optimalityGap' | 'optimalityGapAtHalf' | 'pooledMedian', number> & {
    trimMean: number;
    profile: number[];
  };
  improvement: number;
  intervals?: Record<'mean' | 'median' | 'iqm' | 'optimalityGap' | 'improvement', Bounds>;
}
const golden: { thresholds: number[]; cases: Record<string, Case> } = JSON.parse(
  readFileSync(new URL('../../test/golden/seed-statistics.json', import.meta.url), 'utf8'),
);
const names = Object.keys(golden.cases);
const withIntervals = names.filter((name) => golden.cases[name].intervals !== undefined);

describe('aggregates over seeds and tasks', () => {
  it.each(names)("are rliable's on %s", (name) => {
    const { x, aggregates } = golden.cases[name];
    const scores = taskScores(x);
    expect(mean(scores)).toBeCloseTo(aggregates.mean, 12);
    expect(median(scores)).toBeCloseTo(aggregates.median, 12);
    expect(iqm(scores)).toBeCloseTo(aggregates.iqm, 12);
    expect(iqm(scores)).toBeCloseTo(aggregates.trimMean, 12);
    expect(optimalityGap(scores)).toBeCloseTo(aggregates.optimalityGap, 12);
    expect(optimalityGap(scores, 0.5)).toBeCloseTo(aggregates.optimalityGapAtHalf, 12);
    expect(pooledMedian(scores)).toBeCloseTo(aggregates.pooledMedian, 12);
  });

  it.each(names)("performance profile and probability of improvement are rliable's on %s", (name) => {
    const { x, y, aggregates, improvement } = golden.cases[name];
    expect([...performanceProfile(taskScores(x), Float64Array.from(golden.thresholds))]).toEqual(aggregates.profile);
    expect(probabilityOfImprovement(taskScores(x), taskScores(y))).toBeCloseTo(improvement, 12);
  });

  it('cuts a quarter of the runs from either end, and none of three', () => {
    expect(iqm(taskScores([[-100, 1, 2, 1000]]))).toBe(1.5);
    expect(iqm(taskScores([[0, 0, 9]]))).toBe(3);
    expect(iqm(taskScores([[7]]))).toBe(7);
  });

  it('counts a tie as half, and the two directions add up to one', () => {
    const x = taskScores([[1, 2, 2, 5]]);
    const y = taskScores([[2, 2, 3]]);
    // 0 + 1 + 1 + 3 of 12
    expect(probabilityOfImprovement(x, y)).toBeCloseTo(5 / 12, 15);
    expect(probabilityOfImprovement(x, y) + probabilityOfImprovement(y, x)).toBeCloseTo(1, 15);
    expect(probabilityOfImprovement(x, x)).toBe(0.5);
  });
});

describe('stratified bootstrap', () => {
  const aggregates: Record<string, Aggregate> = { mean, median, iqm, optimalityGap };

  it.each(withIntervals)("agrees with rliable's intervals on %s, to the noise of 50,000 resamples", (name) => {
    const { x, y, intervals = undefined } = golden.cases[name];
    if (intervals === undefined) throw new Error('filtered above');
    for (const key of ['mean', 'median', 'iqm', 'optimalityGap'] as const) {
      const { low, high } = stratifiedBootstrap(taskScores(x), aggregates[key], { seed: 3 });
      expect(distance([low, high], intervals[key])).toBeLessThan(0.025);
    }
    const { low, high } = improvementInterval(taskScores(x), taskScores(y), { seed: 3, resamples: 20_000 });
    // rliable's ran 5,000 times; U moves in steps of 1 / n m
    expect(distance([low, high], intervals.improvement)).toBeLessThan(0.05);
  });

  it('gives the same bits for the same seed, and others for another', () => {
    const scores = taskScores(golden.cases['ten-seeds-four-tasks'].x);
    const once = stratifiedBootstrap(scores, iqm, { seed: 1, resamples: 500 });
    expect(stratifiedBootstrap(scores, iqm, { seed: 1, resamples: 500 })).toEqual(once);
    expect(stratifiedBootstrap(scores, iqm, { seed: 2, resamples: 500 }).low).not.toBe(once.low);
  });

  it('keeps its confidence: the interval of the mean covers the truth about 95 times in a hundred', () => {
    let covered = 0;
    for (let trial = 0; trial < 300; trial++) {
      const stream = new RandomStream(trial, 'test/coverage');
      const scores: TaskScores = [0, 1].map(() => Float64Array.from({ length: 20 }, () => stream.normal()));
      const { low, high } = stratifiedBootstrap(scores, mean, { seed: trial, resamples: 500 });
      if (low <= 0 && high >= 0) covered += 1;
    }
    expect(covered / 300).toBeGreaterThan(0.89);
    expect(covered / 300).toBeLessThan(0.98);
  });

  it('is wider where the tasks share their runs, since a lucky run is lucky on all of them', () => {
    const runs = [0, 1, 2, 3, 4, 5, 6, 7];
    const scores = taskScores([runs, runs, runs, runs]);
    const own = stratifiedBootstrap(scores, mean, { seed: 1, resamples: 4000 });
    const shared = stratifiedBootstrap(scores, mean, { seed: 1, resamples: 4000, strata: 'shared' });
    const ratio = (shared.high - shared.low) / (own.high - own.low);
    expect(ratio).toBeGreaterThan(1.85);
    expect(ratio).toBeLessThan(2.15);
  });

  it('of one run a task is a point: nothing is known of its spread', () => {
    const { estimate, low, high } = stratifiedBootstrap(taskScores([[0.5], [1.5]]), mean, { seed: 1, resamples: 100 });
    expect([estimate, low, high]).toEqual([1, 1, 1]);
  });

  it('of a difference contains 0 for equal groups and not for groups far apart', () => {
    const x = taskScores([[0, 1, 2, 3, 4]]);
    const same = differenceInterval(x, x, iqm, { seed: 1, resamples: 2000 });
    expect(same.low).toBeLessThan(0);
    expect(same.high).toBeGreaterThan(0);
    const far = differenceInterval(taskScores([[10, 11, 12, 13, 14]]), x, iqm, { seed: 1, resamples: 2000 });
    expect(far.estimate).toBe(10);
    expect(far.low).toBeGreaterThan(0);
  });

  it('draws a band about the profile', () => {
    const thresholds = Float64Array.from([-10, 0, 10]);
    const { estimate, low, high } = profileBand(taskScores([[-1, 1, 2, -3]]), thresholds, { seed: 1, resamples: 400 });
    expect([...estimate]).toEqual([1, 0.5, 0]);
    expect([low[0], low[2], high[0], high[2]]).toEqual([1, 0, 1, 0]);
    expect(low[1]).toBeLessThan(0.5);
    expect(high[1]).toBeGreaterThan(0.5);
  });
});

describe('scores', () => {
  it('refuses NaN, infinities and emptiness, and says where', () => {
    expect(() => taskScores([[1], [2, Number.NaN]], 'sharpe')).toThrow(/STATISTICS_INPUT sharpe\[1\]\[1\] "NaN"/);
    expect(() => taskScores([[Infinity]])).toThrow(/STATISTICS_INPUT scores\[0\]\[0\]/);
    expect(() => taskScores([])).toThrow(/there is no task/);
    expect(() => taskScores([[1], []])).toThrow(/STATISTICS_INPUT scores\[1\] .*is empty/);
    expect(() => stratifiedBootstrap([Float64Array.of(Number.NaN)], mean, { seed: 1 })).toThrow(/STATISTICS_INPUT/);
    expect(() => probabilityOfImprovement(taskScores([[1]]), taskScores([[1], [2]]))).toThrow(/same tasks/);
    expect(() =>
      stratifiedBootstrap(taskScores([[1], [1, 2]]), mean, { seed: 1, resamples: 1, strata: 'shared' }),
    ).toThrow(/every task needs the same runs/);
  });
});

/** The farther bound's distance, as a share of the expected width. */
function distance(actual: Bounds, expected: Bounds): number {
  const apart = Math.max(Math.abs(actual[0] - expected[0]), Math.abs(actual[1] - expected[1]));
  return apart / (expected[1] - expected[0]);
}

/** The committed learning curves: trained again to the bit, level with stable-baselines3's, and what the page says. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { learningCurve, publishedScore } from '../../bench/parity/curve.js';
import { PUBLISHED_ROWS } from '../../bench/parity/published.js';
import { areaUnder, compareCurves, MEASURES } from '../../bench/parity/statistics.js';
import { curvePath, GOLDEN, readCurves, type CurveFile, type Side } from '../../bench/parity/store.js';
import { parityTasks } from '../../bench/parity/tasks.js';
import { comparisonTable, judgePublished, publishedTable } from '../../bench/parity/text.js';
import { makeWorlds } from '../../bench/parity/worlds.js';

const page = readFileSync(new URL('../../docs/validation.md', import.meta.url), 'utf8');
const tasks = parityTasks(false);

function stored(task: string, side: Side): CurveFile {
  const curves = readCurves(curvePath(GOLDEN, task, side));
  if (curves === null) throw new Error(`${task}, ${side}: npm run bench:parity`);
  return curves;
}

it.each(['CartPole-v1', 'Pendulum-v1', 'MarketEnv'])(
  'trains %s to the committed bits',
  { timeout: 120_000 },
  async (name) => {
    const whole = tasks.find((task) => task.name === name);
    if (whole === undefined) throw new Error(name);
    const { timesteps, seeds } = stored(name, 'OpenBell');
    const curve = learningCurve(whole, await makeWorlds(whole), 0);
    expect(curve).toEqual({ timesteps, scores: seeds[0].scores });
  },
);

it("fails on MountainCar under CleanRL's settings, as published", { timeout: 120_000 }, () => {
  const row = PUBLISHED_ROWS.find(({ isFailure }) => isFailure);
  if (row === undefined) throw new Error('no published failure');
  expect(publishedScore({ ...row, total_timesteps: 100_000 }, 0).scores).toEqual([-200]);
});

describe('what is committed', () => {
  const comparisons = tasks.flatMap(({ name }) =>
    MEASURES.map((measure) => compareCurves(stored(name, 'OpenBell'), stored(name, 'stable-baselines3'), measure)),
  );

  it('has eight seeds and more on each side', () => {
    for (const { seeds } of comparisons) expect(Math.min(seeds.openbell, seeds.peer)).toBeGreaterThanOrEqual(8);
  });

  it('is level with stable-baselines3, or better', () => {
    for (const { task, measure, improvement } of comparisons) {
      expect(improvement.estimate, `${task}, ${measure}`).toBeGreaterThanOrEqual(0.3);
    }
  });

  it('reproduces every published score', () => {
    const results = PUBLISHED_ROWS.map((row) => judgePublished(row, stored(row.name, 'OpenBell')));
    expect(results.filter(({ reproduced }) => !reproduced).map(({ row }) => row.name)).toEqual([]);
    expect(page).toContain(publishedTable(results));
  });

  it('is what docs/validation.md says', () => {
    expect(page).toContain(comparisonTable(comparisons));
  });
});

it('takes the mean of a curve over the steps, however they are spaced', () => {
  expect(areaUnder([0, 10, 30], [0, 10, 10])).toBeCloseTo((5 * 10 + 10 * 20) / 30, 12);
});

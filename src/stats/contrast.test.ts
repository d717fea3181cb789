import { describe, expect, it } from 'vitest';
import { RandomStream } from '#env/seeding.js';
import { barsContrast, contrastFigures, SEEDS_NEEDED } from './contrast.js';
import { taskScores } from './scores.js';

/** Share of 200 pairs of groups, alike but for `shift`, that would be called different. */
function claimed(seeds: number, shift: number): number {
  let claims = 0;
  for (let trial = 0; trial < 200; trial++) {
    const stream = new RandomStream(trial, `test/contrast/${seeds}`);
    const draw = (by: number) => [Float64Array.from({ length: seeds }, () => by + stream.normal())];
    const { probability, difference } = contrastFigures(draw(shift), draw(0), { seed: trial, resamples: 400 });
    if (probability.low > 0.5 && difference.low > 0) claims += 1;
    if (probability.high < 0.5 && difference.high < 0) claims += 1;
  }
  return claims / 200;
}

describe('a contrast of two groups', () => {
  it('errs about one time in twenty where there is no difference, with as many seeds as are asked for', () => {
    expect(claimed(SEEDS_NEEDED, 0)).toBeLessThan(0.1);
  });

  it('would err far more often with three, which is why those are not enough', () => {
    expect(claimed(3, 0)).toBeGreaterThan(0.1);
  });

  it('sees a difference of three deviations nearly always', () => {
    expect(claimed(SEEDS_NEEDED, 3)).toBeGreaterThan(0.9);
  });

  it('adds up both ways round', () => {
    const [x, y] = [
      taskScores([
        [1, 2, 3],
        [4, 5, 9],
      ]),
      taskScores([
        [2, 2, 2],
        [7, 1, 5],
      ]),
    ];
    const options = { seed: 1, resamples: 200 };
    const [there, back] = [contrastFigures(x, y, options), contrastFigures(y, x, options)];
    expect(there.probability.estimate + back.probability.estimate).toBeCloseTo(1, 12);
    expect(there.difference.estimate).toBeCloseTo(-back.difference.estimate, 12);
  });
});

describe('a contrast over the bars', () => {
  it('is the ratio of the mean accounts, and null for few bars', () => {
    const up = new Float64Array(100).fill(0.001);
    const flat = new Float64Array(100);
    const contrast = barsContrast([up, up], [flat], { seed: 1 });
    expect(contrast?.estimate).toBeCloseTo(Math.exp(0.1) - 1, 12);
    expect(contrast?.low).toBeCloseTo(Math.exp(0.1) - 1, 12);
    expect(barsContrast([up.subarray(0, 5)], [flat.subarray(0, 5)], { seed: 1 })).toBeNull();
  });
});

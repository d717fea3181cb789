/** The learner against known optima, at reduced size; `openbell prove` runs the whole tables. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { gainOf, solve } from '#env/known/dynamic-programming.js';
import { ouProblem } from '#env/known/ou-market.js';
import { prove, type ProofResult } from '#src/lab/prove.js';
import { STABLE_BASELINES3_SHARE } from '#src/lab/prove-proofs.js';
import { insertProofs, proofText } from '#src/lab/prove-text.js';

interface PeerRuns {
  runs: { share_on_paths: number }[];
  mean_share_on_paths: number;
}

interface Golden {
  optimum: number;
  optimum_by_its_policy: number;
  constant: PeerRuns;
  annealed: PeerRuns;
}

const golden: Golden = JSON.parse(
  readFileSync(new URL('../golden/ou-stable-baselines3.json', import.meta.url), 'utf8'),
);

const SMALL = { paths: 128, pathSteps: 500 };

const shareOf = (result: ProofResult): number => result.runs[0].share?.estimate ?? NaN;

it("has numpy's optimum of the Ornstein-Uhlenbeck market", () => {
  const problem = ouProblem();
  const { gain, policy } = solve(problem);
  expect(Math.abs(gain - golden.optimum)).toBeLessThan(1e-10);
  expect(Math.abs(gainOf(problem, policy) - golden.optimum_by_its_policy)).toBeLessThan(1e-9);
});

it("asks for stable-baselines3's mean less a point", () => {
  for (const rate of ['constant', 'annealed'] as const) {
    expect(golden[rate].runs.length).toBe(5);
    expect(STABLE_BASELINES3_SHARE[rate]).toBe(Number(golden[rate].mean_share_on_paths.toFixed(3)));
  }
});

describe('the learner', () => {
  it('reaches 93% of the optimum of the Ornstein-Uhlenbeck market in 80,000 steps', () => {
    const result = prove({ market: 'ou', seeds: [1], steps: 80_000, ...SMALL });
    expect(shareOf(result)).toBeGreaterThan(0.93);
    expect(result.runs[0].shareOnGrid).toBeGreaterThan(0.93);
    expect(result.runs[0].shareOnGrid).toBeLessThanOrEqual(1 + 1e-9);
    expect(result.runs[0].verdict.edge).toBe('evidence');
  }, 180_000);

  it('finds a leak: 95% of the optimum in 40,000 steps', () => {
    const result = prove({ market: 'leaked-future', seeds: [1], steps: 40_000, ...SMALL });
    expect(result.passed).toBe(true);
    expect(shareOf(result)).toBeGreaterThanOrEqual(0.95);
    expect(result.runs[0].verdict.edge).toBe('evidence');
  }, 180_000);

  it('learns to leave a random walk alone, and claims no edge', () => {
    const result = prove({ market: 'random-walk', seeds: [1], steps: 80_000, ...SMALL });
    expect(result.runs[0].turnoverOfRandom).toBeLessThan(0.01);
    expect(result.excessOverFlat.low).toBeLessThanOrEqual(0);
    expect(result.excessOverFlat.high).toBeGreaterThanOrEqual(0);
    expect(result.runs[0].verdict.edge).not.toBe('evidence');
    expect(result.passed).toBe(true);
  }, 180_000);

  it('earns less by the 14 features alone than what they tell of the state, but far more than nothing', () => {
    const result = prove({ market: 'ou-features', seeds: [1], steps: 40_000, ...SMALL });
    expect(result.passed).toBe(null);
    expect(result.information?.rSquared).toBeGreaterThan(0.4);
    expect(result.information?.rSquared).toBeLessThan(0.7);
    expect(shareOf(result)).toBeGreaterThan(0.3);
    expect(shareOf(result)).toBeLessThan(1);
  }, 180_000);
});

describe('the proof', () => {
  const tiny = { steps: 4096, paths: 16, pathSteps: 100 };

  it('fails a learner that has hardly learnt', () => {
    const ou = prove({ market: 'ou', seeds: [1], ...tiny });
    expect(ou.passed).toBe(false);
    expect(proofText(ou)).toContain('MISSED');
    expect(prove({ market: 'random-walk', seeds: [1], ...tiny }).passed).toBe(false);
  });

  it('comes out the same to the bit, and otherwise with another seed', () => {
    const first = prove({ market: 'leaked-future', seeds: [1, 2], ...tiny });
    expect(prove({ market: 'leaked-future', seeds: [1, 2], ...tiny })).toEqual(first);
    expect(first.runs[0].weights).not.toBe(first.runs[1].weights);
  });

  it('writes its tables between the marks of a page, and nowhere else', () => {
    const result = prove({ market: 'ou', seeds: [1], ...tiny });
    const page = 'before\n<!-- known optima: begin -->\nstale\n<!-- known optima: end -->\nafter\n';
    const written = insertProofs(page, [result], 'Made by hand.', 'page.md');
    expect(written).toMatch(/^before\n<!-- known optima: begin -->\n\nMade by hand\.\n\n```text\nOrnstein/);
    expect(written).toMatch(/\n```\n\n<!-- known optima: end -->\nafter\n$/);
    expect(written).not.toContain('stale');
    expect(insertProofs(written, [result], 'Made by hand.', 'page.md')).toBe(written);
    expect(() => insertProofs('no marks', [result], '', 'page.md')).toThrow(/USAGE page.md/);
  });

  it('refuses what cannot be meant', () => {
    expect(() => prove({ market: 'ou', seeds: [], steps: 1 })).toThrow(/USAGE prove seeds/);
    expect(() => prove({ market: 'ou', seeds: [1], steps: 0.5 })).toThrow(/USAGE prove steps 0.5/);
  });
});

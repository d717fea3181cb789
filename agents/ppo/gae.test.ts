import { describe, expect, it } from 'vitest';
import { computeAdvantages, explainedVariance, type AdvantageInputs } from './gae.js';

function run(inputs: AdvantageInputs): { advantages: number[]; returns: number[] } {
  const advantages = new Float32Array(inputs.steps * inputs.envs);
  const returns = new Float32Array(inputs.steps * inputs.envs);
  computeAdvantages(advantages, returns, inputs);
  return { advantages: [...advantages], returns: [...returns] };
}

describe('computeAdvantages', () => {
  // gamma = lambda = 1/2 and small binary fractions: every number below is exact in float32
  it('agrees with a three-step rollout by hand', () => {
    const { advantages, returns } = run({
      steps: 3,
      envs: 1,
      rewards: Float64Array.of(1, 2, 3),
      values: Float32Array.of(4, 8, 2),
      dones: Uint8Array.of(0, 0, 0),
      lastValues: Float32Array.of(6),
      gamma: 0.5,
      gaeLambda: 0.5,
    });
    // delta2 = 3 + 3 - 2 = 4; delta1 = 2 + 1 - 8 = -5; delta0 = 1 + 4 - 4 = 1
    // A2 = 4; A1 = -5 + 4/4 = -4; A0 = 1 - 4/4 = 0
    expect(advantages).toEqual([0, -4, 4]);
    expect(returns).toEqual([4, 4, 6]);
  });

  it('neither value nor advantage crosses the end of an episode', () => {
    const { advantages } = run({
      steps: 3,
      envs: 1,
      rewards: Float64Array.of(1, 2, 3),
      values: Float32Array.of(4, 8, 2),
      dones: Uint8Array.of(0, 1, 0),
      lastValues: Float32Array.of(6),
      gamma: 0.5,
      gaeLambda: 0.5,
    });
    // A2 = 4; A1 = 2 - 8 = -6; A0 = 1 + 4 - 4 - 6/4 = -0.5
    expect(advantages).toEqual([-0.5, -6, 4]);
  });

  it('an episode that ends with the last step ignores the value after it', () => {
    const { advantages } = run({
      steps: 1,
      envs: 1,
      rewards: Float64Array.of(3),
      values: Float32Array.of(2),
      dones: Uint8Array.of(1),
      lastValues: Float32Array.of(1000),
      gamma: 0.5,
      gaeLambda: 0.5,
    });
    expect(advantages).toEqual([1]);
  });

  it('keeps environments apart: row t * envs + n', () => {
    const { advantages } = run({
      steps: 2,
      envs: 2,
      rewards: Float64Array.of(1, 10, 2, 20),
      values: Float32Array.of(0, 0, 0, 0),
      dones: Uint8Array.of(0, 0, 0, 1),
      lastValues: Float32Array.of(4, 1000),
      gamma: 0.5,
      gaeLambda: 1,
    });
    // env 0: A1 = 2 + 2 = 4, A0 = 1 + 2 = 3; env 1: A1 = 20, A0 = 10 + 10 = 20
    expect(advantages).toEqual([3, 20, 4, 20]);
  });

  it('with lambda 1 returns are discounted sums, with lambda 0 one-step targets', () => {
    const inputs = {
      steps: 2,
      envs: 1,
      rewards: Float64Array.of(1, 1),
      values: Float32Array.of(7, 3),
      dones: Uint8Array.of(0, 0),
      lastValues: Float32Array.of(8),
      gamma: 0.5,
    };
    expect(run({ ...inputs, gaeLambda: 1 }).returns).toEqual([1 + 0.5 * (1 + 0.5 * 8), 5]);
    expect(run({ ...inputs, gaeLambda: 0 }).returns).toEqual([1 + 0.5 * 3, 5]);
  });
});

describe('explainedVariance', () => {
  it('is 1 for perfect values, 0 for a constant, below 0 for worse, NaN for constant returns', () => {
    const returns = Float32Array.of(1, 2, 3, 4);
    expect(explainedVariance(returns, returns)).toBe(1);
    expect(explainedVariance(Float32Array.of(9, 9, 9, 9), returns)).toBe(0);
    expect(explainedVariance(Float32Array.of(4, 3, 2, 1), returns)).toBe(-3);
    expect(explainedVariance(returns, Float32Array.of(2, 2, 2, 2))).toBeNaN();
  });
});

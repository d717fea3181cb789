import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '#env/seeding.js';
import { Normalizer } from './normalizer.js';

/** Made by bench/peers/vec_normalize.py with the real stable-baselines3. */
interface Golden {
  readonly numEnvs: number;
  readonly observationSize: number;
  readonly gamma: number;
  readonly clip_obs: number;
  readonly clip_reward: number;
  readonly epsilon: number;
  readonly steps: readonly {
    readonly observations: readonly number[];
    readonly normalizedObservations: readonly number[];
    readonly finalObservations?: readonly number[];
    readonly normalizedFinalObservations?: readonly number[];
    readonly rewards?: readonly number[];
    readonly normalizedRewards?: readonly number[];
    readonly terminations?: readonly number[];
    readonly truncations?: readonly number[];
  }[];
  readonly observationMean: readonly number[];
  readonly observationVariance: readonly number[];
  readonly observationCount: number;
  readonly returnMean: number;
  readonly returnVariance: number;
  readonly returnCount: number;
  readonly discountedReturns: readonly number[];
}

const golden: Golden = JSON.parse(
  readFileSync(new URL('../../test/golden/vec-normalize.json', import.meta.url), 'utf8'),
);

const CONFIG = { observation: true, reward: true, clip_obs: 10, clip_reward: 10, epsilon: 1e-8 };

/** Largest relative difference, 1 being the smallest scale. */
function distance(actual: ArrayLike<number>, expected: readonly number[]): number {
  expect(actual.length).toBe(expected.length);
  return Math.max(...expected.map((value, i) => Math.abs(actual[i] - value) / Math.max(1, Math.abs(value))));
}

/** Runs a normaliser through seeded steps of three environments; returns all that it gave out. */
function run(normalizer: Normalizer, stream: RandomStream, steps: number): number[] {
  const size = normalizer.observationSize;
  const count = normalizer.numEnvs;
  const given: number[] = [];
  const out = new Float32Array(count * size);
  const rewards = new Float64Array(count);
  for (let t = 0; t < steps; t++) {
    const observations = Float32Array.from({ length: count * size }, () => 3 + 2 * stream.normal());
    const raw = Float64Array.from({ length: count }, () => stream.normal());
    const terminations = Uint8Array.from({ length: count }, () => (stream.uniform() < 0.1 ? 1 : 0));
    normalizer.updateObservations(observations, count);
    normalizer.normalizeObservations(out, observations, count);
    normalizer.normalizeRewards(rewards, raw, terminations, new Uint8Array(count));
    given.push(...out, ...rewards);
  }
  return given;
}

describe('Normalizer', () => {
  it('gives what the VecNormalize of stable-baselines3 gives, step by step', () => {
    const { numEnvs, observationSize, clip_obs, clip_reward, epsilon } = golden;
    const config = { observation: true, reward: true, clip_obs, clip_reward, epsilon };
    const normalizer = new Normalizer(config, observationSize, numEnvs, golden.gamma);
    const out = new Float32Array(numEnvs * observationSize);
    const rewards = new Float32Array(numEnvs);
    let compared = 0;
    for (const step of golden.steps) {
      const observations = Float32Array.from(step.observations);
      normalizer.updateObservations(observations, numEnvs);
      normalizer.normalizeObservations(out, observations, numEnvs);
      expect(distance(out, step.normalizedObservations)).toBeLessThan(1e-7);
      const terminations = Uint8Array.from(step.terminations ?? []);
      const truncations = Uint8Array.from(step.truncations ?? []);
      if (step.rewards === undefined) continue;
      normalizer.normalizeRewards(rewards, Float64Array.from(step.rewards), terminations, truncations);
      expect(distance(rewards, step.normalizedRewards ?? [])).toBeLessThan(1e-7);
      normalizer.normalizeObservations(out, Float32Array.from(step.finalObservations ?? []), numEnvs);
      for (let i = 0; i < numEnvs * observationSize; i++) {
        const env = Math.floor(i / observationSize);
        if ((terminations[env] | truncations[env]) === 0) out[i] = 0;
      }
      expect(distance(out, step.normalizedFinalObservations ?? [])).toBeLessThan(1e-7);
      compared++;
    }
    expect(compared).toBe(12);
    const state = normalizer.getState();
    const array = (key: string): Float64Array => {
      const value = state[key];
      return value instanceof Float64Array ? value : new Float64Array(0);
    };
    expect(distance(array('observationMean'), golden.observationMean)).toBeLessThan(1e-14);
    expect(distance(array('observationVariance'), golden.observationVariance)).toBeLessThan(1e-14);
    expect(distance(array('returnMean'), [golden.returnMean])).toBeLessThan(1e-14);
    expect(distance(array('returnVariance'), [golden.returnVariance])).toBeLessThan(1e-14);
    expect(distance(array('counts'), [golden.observationCount, golden.returnCount])).toBeLessThan(1e-14);
    expect(distance(array('discountedReturns'), golden.discountedReturns)).toBeLessThan(1e-14);
  });

  it('clips at the limits in the record of stable-baselines3', () => {
    const all = golden.steps.flatMap((step) => step.normalizedObservations);
    expect([Math.min(...all), Math.max(...golden.steps.flatMap((step) => step.normalizedRewards ?? []))]).toEqual([
      -3, 2,
    ]);
  });

  it('continues from its state to the bit, the running returns included', () => {
    const stream = new RandomStream(1, 'test');
    const whole = new Normalizer(CONFIG, 4, 3, 0.99);
    run(whole, stream, 50);
    const resumed = new Normalizer(CONFIG, 4, 3, 0.99);
    resumed.setState(whole.getState());
    const streamState = stream.getState();
    const expected = run(whole, stream, 50);
    stream.setState(streamState);
    expect(run(resumed, stream, 50)).toEqual(expected);
    expect(resumed.getState()).toEqual(whole.getState());
  });

  it('hands out a state that later steps do not change', () => {
    const normalizer = new Normalizer(CONFIG, 4, 3, 0.99);
    const state = normalizer.getState();
    const copy = structuredClone(state);
    run(normalizer, new RandomStream(2, 'test'), 5);
    expect(state).toEqual(copy);
  });

  it('learns nothing while frozen', () => {
    const learned = new Normalizer(CONFIG, 4, 3, 0.99);
    run(learned, new RandomStream(3, 'test'), 20);
    const frozen = Normalizer.frozen(learned.getState());
    const before = frozen.getState();
    run(frozen, new RandomStream(4, 'test'), 20);
    const after = frozen.getState();
    for (const key of ['observationMean', 'observationVariance', 'returnVariance', 'counts']) {
      expect(after[key]).toEqual(before[key]);
    }
    const observation = Float32Array.of(1, 2, 3, 4);
    const expected = new Float32Array(4);
    learned.normalizeObservations(expected, observation, 1);
    frozen.normalizeObservations(observation, observation, 1);
    expect(observation).toEqual(expected);
  });

  it('leaves alone what it is told not to normalise', () => {
    const normalizer = new Normalizer({ ...CONFIG, observation: false, reward: false }, 2, 1, 0.99);
    const observations = Float32Array.of(30, -40);
    const out = new Float32Array(2);
    const reward = new Float64Array(1);
    normalizer.updateObservations(observations, 1);
    normalizer.normalizeObservations(out, observations, 1);
    normalizer.normalizeRewards(reward, Float64Array.of(70), Uint8Array.of(0), Uint8Array.of(0));
    expect([...out, ...reward]).toEqual([30, -40, 70]);
  });

  it('keeps NaN, so that the training stops at it', () => {
    const normalizer = new Normalizer(CONFIG, 1, 1, 0.99);
    const out = new Float32Array(1);
    normalizer.normalizeObservations(out, Float32Array.of(NaN), 1);
    expect(out[0]).toBeNaN();
  });

  it('refuses the state of another normaliser', () => {
    const normalizer = new Normalizer(CONFIG, 4, 3, 0.99);
    const other = (change: object): Parameters<Normalizer['setState']>[0] => ({ ...normalizer.getState(), ...change });
    expect(() => normalizer.setState(other({ clip_obs: 5 }))).toThrow('POLICY_STATE normalizer.clip_obs 5');
    expect(() => normalizer.setState(other({ observationMean: new Float64Array(3) }))).toThrow('a Float64Array of 4');
    expect(() => normalizer.setState(new Normalizer(CONFIG, 4, 2, 0.99).getState())).toThrow('discountedReturns');
    expect(() => Normalizer.frozen({})).toThrow('POLICY_STATE normalizer.observation');
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkEnv, checkVectorEnv } from '#env/check-env.js';
import { CLASSIC_IDS, makeClassic, makeClassicVector } from '#env/classic/index.js';
import { SingleEnv } from '#env/single-env.js';
import { sample } from '#env/spaces.js';
import { RandomStream } from '#env/seeding.js';
import { SyncVectorEnv } from '#env/sync-vector-env.js';

interface Trajectory {
  name: string;
  start: number[];
  actions: number[];
  rewards: number[];
  states: number[][];
  /** Every so many steps, by the step's number; the last one always. */
  observations: Record<string, number[]>;
  terminated: boolean;
  truncated: boolean;
}

interface Golden {
  source: string;
  trajectories: Trajectory[];
}

const read = (id: string): Golden =>
  JSON.parse(readFileSync(new URL(`../../test/golden/classic/${id}.json`, import.meta.url), 'utf8'));

/** Largest absolute difference; infinite where the lengths differ or something is not a number. */
function worstDifference(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length || a.length === 0) return Infinity;
  const worst = Math.max(...a.map((x, i) => Math.abs(x - b[i])));
  return Number.isNaN(worst) ? Infinity : worst;
}

function physicsOf(env: { getState(): Record<string, unknown> }): number[] {
  const physics = env.getState()['physics'];
  if (!(physics instanceof Float64Array)) throw new Error('no physics in the state');
  return Array.from(physics);
}

/** Our side of a trajectory: the same start state, set by hand as there, and the same actions. */
function follow(id: string, golden: Trajectory) {
  const env = makeClassicVector(id, 1);
  env.reset({ seed: 0 });
  env.setState({ ...env.getState(), physics: Float64Array.from(golden.start) });
  const seen = golden.actions.map((action) => {
    env.step(env.singleActionSpace.kind === 'discrete' ? Int32Array.of(action) : Float32Array.of(action));
    const flags = [env.terminations[0], env.truncations[0]];
    const ended = flags.includes(1);
    const observation = Array.from(ended ? env.finalObservations : env.observations);
    return { flags, observation, reward: env.rewards[0], physics: physicsOf(env) };
  });
  return { env, seen };
}

describe.each(CLASSIC_IDS)('%s against Gymnasium', (id) => {
  it.each(read(id).trajectories)('follows the trajectory "$name" to its end', (golden) => {
    const { env, seen } = follow(id, golden);
    const last = golden.actions.length - 1;
    expect(seen.map(({ flags }) => flags)).toEqual(
      golden.actions.map((_, step) => (step < last ? [0, 0] : [Number(golden.terminated), Number(golden.truncated)])),
    );
    // The state after the last step is already the next episode's.
    const states = worstDifference(
      seen.slice(0, last).flatMap(({ physics }) => physics),
      golden.states.slice(0, last).flat(),
    );
    expect(states).toBeLessThan(1e-12);
    const rewards = seen.map(({ reward }) => reward);
    expect(worstDifference(rewards, golden.rewards)).toBeLessThan(1e-12);
    const steps = Object.keys(golden.observations).map(Number);
    expect(steps).toContain(last);
    const observed = steps.flatMap((step) => seen[step].observation);
    expect(
      worstDifference(
        observed,
        steps.flatMap((step) => golden.observations[step]),
      ),
    ).toBeLessThan(2e-6); // speeds reach 28, where a float32 step is 1.9e-6
    expect(env.episodeLengths[0]).toBe(golden.actions.length);
    expect(env.episodeReturns[0]).toBe(rewards.reduce((sum, reward) => sum + reward, 0));
  });
});

describe.each(CLASSIC_IDS)('%s', (id) => {
  it('passes the checks of a single environment', () => {
    expect(checkEnv(() => makeClassic(id)).filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('passes the checks of a vector environment', () => {
    expect(checkVectorEnv((n) => makeClassicVector(id, n))).toEqual([]);
  });

  it('gives the same bits natively vectorised as in N single environments', () => {
    const native = makeClassicVector(id, 3);
    const single = new SyncVectorEnv(() => new SingleEnv(makeClassicVector(id, 1)), 3);
    const stream = new RandomStream(5, 'actions');
    const space = native.singleActionSpace;
    native.reset({ seed: 11 });
    single.reset({ seed: 11 });
    let ends = 0;
    for (let step = 0; step < 1200; step++) {
      const actions =
        space.kind === 'discrete'
          ? Int32Array.from({ length: 3 }, () => sample(space, stream))
          : Float32Array.from({ length: 3 }, () => sample(space, stream)[0]);
      native.step(actions);
      single.step(actions);
      expect(single.observations).toEqual(native.observations);
      expect(single.rewards).toEqual(native.rewards);
      expect(single.terminations).toEqual(native.terminations);
      expect(single.truncations).toEqual(native.truncations);
      expect(single.finalObservations).toEqual(native.finalObservations);
      expect(single.episodeReturns).toEqual(native.episodeReturns);
      ends += native.terminations[0] | native.truncations[0];
    }
    expect(ends).toBeGreaterThan(1);
  });
});

it('starts in the ranges that Gymnasium draws from', () => {
  const ranges: Record<string, [number, number][]> = {
    'CartPole-v1': Array.from({ length: 4 }, () => [-0.05, 0.05]),
    'Acrobot-v1': Array.from({ length: 4 }, () => [-0.1, 0.1]),
    'MountainCar-v0': [
      [-0.6, -0.4],
      [0, 0],
    ],
    'Pendulum-v1': [
      [-Math.PI, Math.PI],
      [-1, 1],
    ],
  };
  for (const id of CLASSIC_IDS) {
    const env = makeClassicVector(id, 1000);
    env.reset({ seed: 1 });
    const physics = physicsOf(env);
    ranges[id].forEach(([low, high], k) => {
      const drawn = Array.from({ length: 1000 }, (_, i) => physics[i * ranges[id].length + k]);
      expect(Math.min(...drawn)).toBeGreaterThanOrEqual(Math.fround(low));
      expect(Math.max(...drawn)).toBeLessThanOrEqual(Math.fround(high));
      expect(Math.max(...drawn) - Math.min(...drawn)).toBeGreaterThanOrEqual(0.98 * (high - low));
    });
  }
});

it('names the choices for an unknown identifier', () => {
  expect(() => makeClassic('CartPole-v9')).toThrow(/ENV_CONFIG.*"CartPole-v9".*CartPole-v1/);
});

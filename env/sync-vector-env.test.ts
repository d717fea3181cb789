import { expect, it } from 'vitest';
import { SingleEnv } from '#env/single-env.js';
import { box } from '#env/spaces.js';
import { SyncVectorEnv } from '#env/sync-vector-env.js';
import { MaskedToyEnv, ToyBoxEnv, ToyEnv } from '#env/toy-env.fixture.js';

it('seeds environment i with seed + i', () => {
  const vector = new SyncVectorEnv(() => new ToyEnv(), 3);
  vector.reset({ seed: 40 });
  for (let i = 0; i < 3; i++) {
    const [observation] = new ToyEnv().reset({ seed: 40 + i });
    expect(vector.observations.slice(2 * i, 2 * i + 2)).toEqual(observation);
  }
});

it('resets in the same step: the next start is shown, the last observation kept aside', () => {
  const vector = new SyncVectorEnv(() => new ToyEnv(), 1);
  const single = new ToyEnv();
  vector.reset({ seed: 3 });
  single.reset({ seed: 3 });
  let total = 0;
  for (let length = 1; ; length++) {
    vector.step(Int32Array.of(2));
    const [observation, reward, terminated, truncated] = single.step(2);
    total += reward;
    expect(vector.rewards[0]).toBe(reward);
    expect([vector.terminations[0], vector.truncations[0]]).toEqual([Number(terminated), Number(truncated)]);
    if (!terminated && !truncated) continue;
    expect(vector.finalObservations).toEqual(observation);
    expect(vector.observations).toEqual(single.reset()[0]);
    expect(vector.episodeReturns[0]).toBe(total);
    expect(vector.episodeLengths[0]).toBe(length);
    break;
  }
});

it('continues the streams on a reset without a seed, and counts a first one as seed 0', () => {
  const vector = new SyncVectorEnv(() => new ToyEnv(), 2);
  vector.reset();
  const first = vector.observations.slice();
  vector.reset({ seed: null });
  expect(vector.observations).not.toEqual(first);
  vector.reset({ seed: 0 });
  expect(vector.observations).toEqual(first);
});

it('passes masks on', () => {
  const vector = new SyncVectorEnv(() => new MaskedToyEnv(), 2);
  vector.reset({ seed: 1 });
  for (let t = 0; t < 3; t++) vector.step(Int32Array.of(2, 0));
  expect(vector.actionMasks).toHaveLength(6);
  const closed = Array.from({ length: 2 }, (_, i) => (vector.observations[2 * i] > 1 ? 0 : 1));
  expect([vector.actionMasks?.[2], vector.actionMasks?.[5]]).toEqual(closed);
  expect(new SyncVectorEnv(() => new ToyEnv(), 2).actionMasks).toBeNull();
});

it('refuses actions of the wrong type, length or range, naming the environment', () => {
  const vector = new SyncVectorEnv(() => new ToyEnv(), 2);
  expect(() => vector.step(new Int32Array(2))).toThrow(/ENV_CONTRACT SyncVectorEnv: call reset before step/);
  vector.reset({ seed: 1 });
  expect(() => vector.step(new Int32Array(3))).toThrow(
    /"Int32Array of length 3": expected actions as a Int32Array of length 2/,
  );
  expect(() => vector.step(new Float32Array(2))).toThrow(/ENV_CONTRACT/);
  expect(() => vector.step(Int32Array.of(0, 3))).toThrow(/ENV_CONTRACT SyncVectorEnv step, environment 1 3: /);
  const continuous = new SyncVectorEnv(() => new ToyBoxEnv(), 2);
  continuous.reset({ seed: 1 });
  expect(() => continuous.step(Float32Array.of(0, NaN))).toThrow(
    /environment 1 NaN: .*index 0: NaN is not in \[-1, 1\]/,
  );
});

it('refuses bad seeds and mixed environments', () => {
  const vector = new SyncVectorEnv(() => new ToyEnv(), 2);
  expect(() => vector.reset({ seed: -1 })).toThrow(/ENV_CONFIG SyncVectorEnv seed -1/);
  expect(() => vector.reset({ seed: 1.5 })).toThrow(/ENV_CONFIG/);
  expect(() => new SyncVectorEnv((i) => (i === 0 ? new ToyEnv() : new ToyBoxEnv()), 2)).toThrow(
    /ENV_CONFIG SyncVectorEnv environment 1: its spaces or masking differ/,
  );
  expect(() => new SyncVectorEnv((i) => (i === 0 ? new ToyEnv() : new MaskedToyEnv()), 2)).toThrow(/ENV_CONFIG/);
  expect(() => new SyncVectorEnv(() => new ToyEnv(), 0)).toThrow(/ENV_CONFIG/);
});

it('refuses the state of another shape', () => {
  const two = new SyncVectorEnv(() => new ToyEnv(), 2);
  const three = new SyncVectorEnv(() => new ToyEnv(), 3);
  three.reset({ seed: 1 });
  expect(() => two.setState(three.getState())).toThrow(/ENV_STATE SyncVectorEnv, state "envs" 3: expected a list of 2/);
  expect(() => two.setState({ envs: two.getState()['envs'] })).toThrow(/ENV_STATE SyncVectorEnv, state "arrays"/);
});

it('shows a vector of one as a single environment: the same episodes, one after another', () => {
  const single = new SingleEnv(new SyncVectorEnv(() => new MaskedToyEnv(), 1));
  const plain = new MaskedToyEnv();
  expect(single.reset({ seed: 9 })).toEqual(plain.reset({ seed: 9 }));
  let ends = 0;
  for (let t = 0; t < 200; t++) {
    expect(single.actionMask?.()).toEqual(plain.actionMask());
    const [observation, reward, terminated, truncated, info] = single.step(1);
    expect([observation, reward, terminated, truncated]).toEqual(plain.step(1).slice(0, 4));
    expect(info).toEqual({});
    if (!terminated && !truncated) continue;
    ends++;
    expect(() => single.step(1)).toThrow(/ENV_CONTRACT SingleEnv step: the episode has ended/);
    expect(single.reset()[0]).toEqual(plain.reset()[0]);
  }
  expect(ends).toBeGreaterThan(5);
});

it('has no mask where the vector has none, and only sees vectors of one', () => {
  expect(new SingleEnv(new SyncVectorEnv(() => new ToyEnv(), 1)).actionMask).toBeUndefined();
  expect(() => new SingleEnv(new SyncVectorEnv(() => new ToyEnv(), 2))).toThrow(/ENV_CONFIG SingleEnv 2/);
});

it('refuses reset options that it would ignore', () => {
  const single = new SingleEnv(new SyncVectorEnv(() => new ToyEnv(), 1));
  expect(() => single.reset({ options: { low: 1 } })).toThrow(/ENV_CONTRACT SingleEnv reset \{"low":1\}/);
});

it('refuses an observation that does not fit its row', () => {
  class Wide extends ToyEnv {
    override readonly observationSpace = box(-10, 10, 3);
  }
  const vector = new SyncVectorEnv(() => new Wide(), 2);
  expect(() => vector.reset({ seed: 1 })).toThrow(
    /ENV_CONTRACT SyncVectorEnv environment 0 2: .*length 2, but the space has 3/,
  );
});

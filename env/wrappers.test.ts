import { describe, expect, it } from 'vitest';
import { checkEnv } from '#env/check-env.js';
import { makeClassic } from '#env/classic/index.js';
import type { Env } from '#env/gym.js';
import { box } from '#env/spaces.js';
import { MaskedToyEnv, ToyBoxEnv, ToyEnv } from '#env/toy-env.fixture.js';
import { ClipAction, RecordEpisodeStatistics, RescaleAction, TimeLimit, TransformReward } from '#env/wrappers.js';

/** Steps until the episode ends; returns the number of steps and the last result. */
function finish(env: Env, action: number | Float32Array) {
  for (let length = 1; ; length++) {
    const result = env.step(action);
    if (result[2] || result[3]) return { length, result };
  }
}

it.each<[string, () => Env]>([
  ['TimeLimit', () => new TimeLimit(new ToyEnv(), 4)],
  ['ClipAction', () => new ClipAction(new ToyBoxEnv())],
  ['RescaleAction', () => new RescaleAction(makeClassic('Pendulum-v1'))],
  ['TransformReward', () => new TransformReward(new ToyEnv(), (reward) => reward / 10)],
  ['RecordEpisodeStatistics', () => new RecordEpisodeStatistics(new ToyEnv(), 3)],
  [
    'all of them over a mask',
    () => new RecordEpisodeStatistics(new TimeLimit(new TransformReward(new MaskedToyEnv(), Math.abs), 9)),
  ],
])('%s leaves the contract whole', (_, makeEnv) => {
  expect(checkEnv(makeEnv).filter(({ level }) => level === 'error')).toEqual([]);
});

describe('TimeLimit', () => {
  it('truncates at the limit and not before, and asks for a reset', () => {
    const env = new TimeLimit(makeClassic('CartPole-v1'), 5);
    env.reset({ seed: 1 });
    const { length, result } = finish(env, 0);
    expect(length).toBe(5);
    expect(result.slice(2, 4)).toEqual([false, true]);
    expect(() => env.step(0)).toThrow(/ENV_CONTRACT TimeLimit step: the episode has ended/);
    env.reset();
    expect(finish(env, 1).length).toBe(5);
  });

  it('leaves an earlier termination alone', () => {
    const env = new TimeLimit(makeClassic('CartPole-v1'), 400);
    env.reset({ seed: 1 });
    expect(finish(env, 0).result.slice(2, 4)).toEqual([true, false]);
  });

  it('refuses a limit that is no positive integer', () => {
    expect(() => new TimeLimit(new ToyEnv(), 0)).toThrow(/ENV_CONFIG TimeLimit maxEpisodeSteps 0/);
  });
});

describe('ClipAction', () => {
  it('clips into the range and widens the space', () => {
    const clipped = new ClipAction(makeClassic('Pendulum-v1'));
    const plain = makeClassic('Pendulum-v1');
    clipped.reset({ seed: 2 });
    plain.reset({ seed: 2 });
    expect(clipped.actionSpace).toEqual(box(-Infinity, Infinity, 1));
    expect(clipped.step(Float32Array.of(50))).toEqual(plain.step(Float32Array.of(2)));
    expect(clipped.step(Float32Array.of(-0.5))).toEqual(plain.step(Float32Array.of(-0.5)));
    expect(() => clipped.step(Float32Array.of(NaN))).toThrow(/ENV_CONTRACT.*index 0: NaN/);
  });

  it('needs a Box', () => {
    expect(() => new ClipAction(new ToyEnv())).toThrow(/ENV_CONFIG ClipAction "discrete"/);
  });
});

describe('RescaleAction', () => {
  it('maps the ends and the middle', () => {
    for (const [given, sent] of [
      [0, -2],
      [0.5, 0],
      [1, 2],
    ]) {
      const scaled = new RescaleAction(makeClassic('Pendulum-v1'), 0, 1);
      const plain = makeClassic('Pendulum-v1');
      scaled.reset({ seed: 2 });
      plain.reset({ seed: 2 });
      expect(scaled.step(Float32Array.of(given))).toEqual(plain.step(Float32Array.of(sent)));
    }
  });

  it('refuses actions and ranges that it cannot map', () => {
    const env = new RescaleAction(makeClassic('Pendulum-v1'), -1, 1);
    env.reset({ seed: 1 });
    expect(() => env.step(Float32Array.of(1.5))).toThrow(/ENV_CONTRACT RescaleAction step "1.5": .*not in \[-1, 1\]/);
    expect(() => env.step(0)).toThrow(/ENV_CONTRACT/);
    expect(() => new RescaleAction(makeClassic('Pendulum-v1'), 1, 1)).toThrow(/ENV_CONFIG RescaleAction index 0/);
    expect(() => new RescaleAction(new ClipAction(new ToyBoxEnv()))).toThrow(/ENV_CONFIG RescaleAction index 0/);
  });
});

describe('TransformReward', () => {
  it('changes the reward only', () => {
    const env = new TransformReward(makeClassic('CartPole-v1'), (reward) => 3 * reward);
    const plain = makeClassic('CartPole-v1');
    expect(env.reset({ seed: 1 })).toEqual(plain.reset({ seed: 1 }));
    const [observation, reward, ...rest] = env.step(1);
    const expected = plain.step(1);
    expect(observation).toEqual(expected[0]);
    expect(reward).toBe(3);
    expect(rest).toEqual(expected.slice(2));
  });
});

describe('RecordEpisodeStatistics', () => {
  it('reports return and length where an episode ends, and keeps the last few', () => {
    const env = new RecordEpisodeStatistics(makeClassic('CartPole-v1'), 2);
    const lengths: number[] = [];
    for (let episode = 0; episode < 4; episode++) {
      env.reset({ seed: episode });
      const { length, result } = finish(env, episode % 2);
      expect(result[4]['episode']).toEqual({ r: length, l: length });
      lengths.push(length);
    }
    expect(env.lengths).toEqual(lengths.slice(-2));
    expect(env.returns).toEqual(lengths.slice(-2));
  });

  it('says nothing in mid-episode, and forgets an abandoned one', () => {
    const env = new RecordEpisodeStatistics(makeClassic('CartPole-v1'));
    env.reset({ seed: 1 });
    expect(env.step(0)[4]).toEqual({});
    env.reset({ seed: 1 });
    const { length, result } = finish(env, 0);
    expect(result[4]['episode']).toEqual({ r: length, l: length });
  });
});

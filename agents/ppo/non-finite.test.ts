import { describe, expect, it } from 'vitest';
import { makePpo } from '../../test/learning/make-ppo.js';
import { constantEnv, matchEnv } from '../../test/learning/toy-envs.js';
import { SB3_PPO, type PpoConfig } from './config.js';
import { NonFiniteError, replayDump } from './non-finite.js';
import type { Ppo } from './ppo.js';

const CONFIG: PpoConfig = { ...SB3_PPO, n_steps: 16, batch_size: 16, n_epochs: 2, net_arch: { pi: [16], vf: [16] } };
const make = (reward: number, sight = 1) => makePpo(constantEnv(2, 4, 'truncated', reward, sight), CONFIG, 9, 1000);

function stopOf(ppo: Ppo): NonFiniteError {
  try {
    ppo.update();
  } catch (error) {
    if (error instanceof NonFiniteError) return error;
    throw error;
  }
  throw new Error('the training went on');
}

describe('a number that is not finite stops the training at once', () => {
  it.each([
    ['reward', Number.NaN, 1, /TRAIN_NON_FINITE reward\[0\] NaN: .*update 1 of seed 9, step 0/],
    ['reward', Number.POSITIVE_INFINITY, 1, /reward\[0\] Infinity/],
    ['observation', 1, Number.NaN, /TRAIN_NON_FINITE observation\[0\] NaN/],
    ['infinite observation', 1, Number.NEGATIVE_INFINITY, /TRAIN_NON_FINITE observation\[0\] -Infinity/],
    ['advantage too large for float32', 1e39, 1, /TRAIN_NON_FINITE advantage\[\d+\] Infinity/],
  ])('%s', (_name, reward, sight, message) => {
    const error = stopOf(make(reward, sight));
    expect(error.message).toMatch(message);
    expect(error.exitCode).toBe(1);
  });

  it('names the parameter that a checkpoint brought in', () => {
    const ppo = make(1);
    ppo.update();
    const parameters = ppo.engine.getParameters();
    parameters[3] = Number.NaN;
    ppo.engine.setParameters(parameters);
    expect(stopOf(ppo).message).toMatch(/update 2 of seed 9/);
  });
});

describe('the dump', () => {
  // returns of 1e30 are finite in float32, the squares in the gradient's norm are not
  const ppo = make(1e30);
  const error = stopOf(ppo);

  it('replays the minibatch to the same bits', () => {
    expect(error.message).toMatch(
      /TRAIN_NON_FINITE gradNorm Infinity: .*epoch 1, minibatch 1, where gradNorm is Infinity/,
    );
    const { engine } = make(1);
    const replay = replayDump(error.dump, engine);
    expect(replay.reproduced).toBe(true);
    expect(replay.losses.gradNorm).toBe(Number.POSITIVE_INFINITY);
  });

  it('left parameters and moments as they stood before the step', () => {
    expect(ppo.engine.getParameters()).toEqual(make(1e30).engine.getParameters());
  });

  it('replays the whole update from the state before it', () => {
    const again = make(1e30);
    const { before } = error.dump;
    if (typeof before !== 'object' || before === null || Array.isArray(before) || ArrayBuffer.isView(before)) {
      throw new Error('the dump holds the state before the update');
    }
    again.setState(before);
    expect(stopOf(again).message).toBe(error.message);
  });

  it('of a rollout says how it is replayed, and what is no dump is refused', () => {
    const rollout = stopOf(make(Number.NaN));
    expect(() => replayDump(rollout.dump, make(1).engine)).toThrow(
      /CHECKPOINT_CORRUPT dump\.minibatch null: .*setState/,
    );
    expect(() => replayDump({}, make(1).engine)).toThrow(/CHECKPOINT_CORRUPT dump\.format/);
    const other = makePpo(matchEnv(1, 3, 8), CONFIG, 9, 1000);
    expect(() => replayDump(error.dump, other.engine)).toThrow(/POLICY_STATE/);
  });
});

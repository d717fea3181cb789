/** The wrappers that a Gymnasium user expects, for single environments. Their state holds that of the wrapped one. */
import type { Env, Info, ResetOptions, StepResult } from './gym.js';
import { type ActionSpace, type BoxSpace, box, requireAction } from './spaces.js';
import { childState, type StateDict } from './state.js';
import { fail } from '#src/errors.js';

/** Passes everything on; the others override what they change. */
export class Wrapper implements Env {
  readonly env: Env;
  readonly actionMask?: () => Uint8Array;

  constructor(env: Env) {
    this.env = env;
    if (env.actionMask !== undefined) this.actionMask = () => env.actionMask?.() ?? new Uint8Array(0);
  }

  get observationSpace(): BoxSpace {
    return this.env.observationSpace;
  }

  get actionSpace(): ActionSpace {
    return this.env.actionSpace;
  }

  reset(options?: ResetOptions): [observation: Float32Array, info: Info] {
    return this.env.reset(options);
  }

  step(action: number | Float32Array): StepResult {
    return this.env.step(action);
  }

  getState(): StateDict {
    return this.env.getState();
  }

  setState(state: StateDict): void {
    this.env.setState(state);
  }

  close(): void {
    this.env.close();
  }
}

/** Truncates an episode at `maxEpisodeSteps` steps; `terminated` stays what the environment says. */
export class TimeLimit extends Wrapper {
  readonly #maxEpisodeSteps: number;
  #elapsed = 0;
  #ended = false;

  constructor(env: Env, maxEpisodeSteps: number) {
    super(env);
    if (!Number.isSafeInteger(maxEpisodeSteps) || maxEpisodeSteps < 1) {
      fail('ENV_CONFIG', {
        where: 'TimeLimit maxEpisodeSteps',
        value: maxEpisodeSteps,
        message: 'expected a positive integer',
      });
    }
    this.#maxEpisodeSteps = maxEpisodeSteps;
  }

  override reset(options?: ResetOptions): [observation: Float32Array, info: Info] {
    this.#elapsed = 0;
    this.#ended = false;
    return this.env.reset(options);
  }

  override step(action: number | Float32Array): StepResult {
    // The wrapped environment does not know that its episode is over.
    if (this.#ended)
      fail('ENV_CONTRACT', {
        where: 'TimeLimit step',
        message: 'the episode has ended: call reset before the next step',
      });
    const [observation, reward, terminated, truncated, info] = this.env.step(action);
    this.#elapsed++;
    const atLimit = this.#elapsed >= this.#maxEpisodeSteps;
    this.#ended = terminated || truncated || atLimit;
    return [observation, reward, terminated, truncated || atLimit, info];
  }

  override getState(): StateDict {
    return { elapsed: this.#elapsed, ended: this.#ended, env: this.env.getState() };
  }

  override setState(state: StateDict): void {
    const { elapsed, ended } = state;
    if (typeof elapsed !== 'number' || typeof ended !== 'boolean') {
      fail('ENV_STATE', { where: 'TimeLimit', value: elapsed, message: 'this is not the state of a time limit' });
    }
    this.env.setState(childState(state, 'env', 'TimeLimit'));
    this.#elapsed = elapsed;
    this.#ended = ended;
  }
}

function boxActions(env: Env, wrapper: string): BoxSpace {
  const space = env.actionSpace;
  if (space.kind !== 'box')
    fail('ENV_CONFIG', { where: wrapper, value: space.kind, message: 'the environment must have a Box action space' });
  return space;
}

function boxAction(action: number | Float32Array, wrapper: string, size: number): Float32Array {
  if (typeof action === 'number' || action.length !== size) {
    const value = typeof action === 'number' ? action : `length ${action.length}`;
    fail('ENV_CONTRACT', { where: `${wrapper} step`, value, message: `expected a Float32Array of length ${size}` });
  }
  return action;
}

/** Takes any finite or infinite action and clips it into the environment's Box. NaN is left for the environment to refuse. */
export class ClipAction extends Wrapper {
  readonly #space: BoxSpace;
  readonly #actionSpace: BoxSpace;

  constructor(env: Env) {
    super(env);
    this.#space = boxActions(env, 'ClipAction');
    this.#actionSpace = box(-Infinity, Infinity, this.#space.shape[0]);
  }

  override get actionSpace(): BoxSpace {
    return this.#actionSpace;
  }

  override step(action: number | Float32Array): StepResult {
    const { low, high, shape } = this.#space;
    const clipped = boxAction(action, 'ClipAction', shape[0]).map((x, i) => Math.min(Math.max(x, low[i]), high[i]));
    return this.env.step(clipped);
  }
}

/** Maps actions in [minAction, maxAction] linearly to the environment's Box, which must be finite. */
export class RescaleAction extends Wrapper {
  readonly #space: BoxSpace;
  readonly #actionSpace: BoxSpace;

  constructor(env: Env, minAction: number | ArrayLike<number> = -1, maxAction: number | ArrayLike<number> = 1) {
    super(env);
    this.#space = boxActions(env, 'RescaleAction');
    this.#actionSpace = box(minAction, maxAction, this.#space.shape[0]);
    for (const space of [this.#space, this.#actionSpace]) {
      for (let i = 0; i < space.shape[0]; i++) {
        if (!Number.isFinite(space.high[i] - space.low[i]) || space.high[i] === space.low[i]) {
          const value = `${space.low[i]} .. ${space.high[i]}`;
          fail('ENV_CONFIG', {
            where: `RescaleAction index ${i}`,
            value,
            message: 'both ranges must be finite and wider than a point',
          });
        }
      }
    }
  }

  override get actionSpace(): BoxSpace {
    return this.#actionSpace;
  }

  override step(action: number | Float32Array): StepResult {
    const from = this.#actionSpace;
    const to = this.#space;
    requireAction(from, action, 'RescaleAction step');
    const scaled = boxAction(action, 'RescaleAction', to.shape[0]).map((x, i) => {
      const share = (x - from.low[i]) / (from.high[i] - from.low[i]);
      // Rounding alone must not carry an action over its bound.
      return Math.min(Math.max(to.low[i] + share * (to.high[i] - to.low[i]), to.low[i]), to.high[i]);
    });
    return this.env.step(scaled);
  }
}

/** Replaces each reward by transform(reward). */
export class TransformReward extends Wrapper {
  readonly #transform: (reward: number) => number;

  constructor(env: Env, transform: (reward: number) => number) {
    super(env);
    this.#transform = transform;
  }

  override step(action: number | Float32Array): StepResult {
    const [observation, reward, terminated, truncated, info] = this.env.step(action);
    return [observation, this.#transform(reward), terminated, truncated, info];
  }
}

/**
 * Adds `info.episode = { r, l }` (undiscounted return, length) to the step that ends an episode, and keeps those
 * of the last `bufferLength` episodes. Gymnasium's `t`, the wall time, is left out: the world has no clock.
 */
export class RecordEpisodeStatistics extends Wrapper {
  readonly returns: number[] = [];
  readonly lengths: number[] = [];
  readonly #bufferLength: number;
  #return = 0;
  #length = 0;

  constructor(env: Env, bufferLength = 100) {
    super(env);
    this.#bufferLength = bufferLength;
  }

  override reset(options?: ResetOptions): [observation: Float32Array, info: Info] {
    this.#return = 0;
    this.#length = 0;
    return this.env.reset(options);
  }

  override step(action: number | Float32Array): StepResult {
    const [observation, reward, terminated, truncated, info] = this.env.step(action);
    this.#return += reward;
    this.#length++;
    if (!terminated && !truncated) return [observation, reward, terminated, truncated, info];
    this.returns.push(this.#return);
    this.lengths.push(this.#length);
    if (this.returns.length > this.#bufferLength) this.returns.shift();
    if (this.lengths.length > this.#bufferLength) this.lengths.shift();
    const episode = { r: this.#return, l: this.#length };
    return [observation, reward, terminated, truncated, { ...info, episode }];
  }

  override getState(): StateDict {
    return {
      running: Float64Array.of(this.#return, this.#length),
      returns: Float64Array.from(this.returns),
      lengths: Float64Array.from(this.lengths),
      env: this.env.getState(),
    };
  }

  override setState(state: StateDict): void {
    const { running, returns, lengths } = state;
    if (
      !(running instanceof Float64Array) ||
      !(returns instanceof Float64Array) ||
      !(lengths instanceof Float64Array)
    ) {
      fail('ENV_STATE', { where: 'RecordEpisodeStatistics', message: 'this is not the state of episode statistics' });
    }
    this.env.setState(childState(state, 'env', 'RecordEpisodeStatistics'));
    [this.#return, this.#length] = running;
    this.returns.splice(0, Infinity, ...returns);
    this.lengths.splice(0, Infinity, ...lengths);
  }
}

/**
 * A small environment for the tests of the checkers: a walk with drift by the action and noise from a stream.
 * Each test breaks one rule of it by overriding one method.
 */
import type { Env, Info, ResetOptions, StepResult } from './gym.js';
import { RandomStream } from './seeding.js';
import { type ActionSpace, type BoxSpace, box, discrete, requireAction } from './spaces.js';
import { childState, restoreArray, type StateDict } from './state.js';
import { fail } from '#src/errors.js';

export class ToyEnv implements Env {
  readonly observationSpace: BoxSpace = box([-10, 0], [10, 1]);
  readonly actionSpace: ActionSpace = discrete(3);
  /** position, steps taken, running (1) or not (0) */
  protected readonly numbers = new Float64Array(3);
  protected stream = new RandomStream(0, 'toy');

  reset(options: ResetOptions = {}): [observation: Float32Array, info: Info] {
    if (options.seed !== null && options.seed !== undefined) this.seed(options.seed);
    this.numbers[0] = this.stream.uniform();
    this.numbers[1] = 0;
    this.numbers[2] = 1;
    return [this.observe(), {}];
  }

  step(action: number | Float32Array): StepResult {
    if (this.numbers[2] === 0) fail('ENV_CONTRACT', { where: 'ToyEnv', message: 'call reset first' });
    requireAction(this.actionSpace, action, 'ToyEnv');
    this.numbers[0] += this.push(action) + this.stream.normal() * 0.5;
    this.numbers[1]++;
    const terminated = Math.abs(this.numbers[0]) > 3;
    const truncated = this.numbers[1] >= 20;
    if (terminated || truncated) this.numbers[2] = 0;
    return [this.observe(), -Math.abs(this.numbers[0]), terminated, truncated, { count: this.numbers[1] }];
  }

  getState(): StateDict {
    return { numbers: this.numbers.slice(), stream: this.stream.getState() };
  }

  setState(state: StateDict): void {
    restoreArray(this.numbers, state, 'numbers', 'ToyEnv');
    this.stream.setState(childState(state, 'stream', 'ToyEnv'));
  }

  close(): void {}

  protected seed(seed: number): void {
    this.stream = new RandomStream(seed, 'toy');
  }

  protected push(action: number | Float32Array): number {
    return typeof action === 'number' ? (action - 1) * 0.5 : action[0];
  }

  protected observe(): Float32Array {
    return Float32Array.of(Math.min(Math.max(this.numbers[0], -10), 10), this.numbers[1] / 20);
  }
}

/** The same with a continuous action in [-1, 1]. */
export class ToyBoxEnv extends ToyEnv {
  override readonly actionSpace: ActionSpace = box(-1, 1, 1);
}

/** The same with a mask: no pushing further out. */
export class MaskedToyEnv extends ToyEnv {
  actionMask(): Uint8Array {
    return Uint8Array.of(this.numbers[0] < -1 ? 0 : 1, 1, this.numbers[0] > 1 ? 0 : 1);
  }
}

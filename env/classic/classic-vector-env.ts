/** N copies of one classic control task in flat arrays: no allocation in `step`. */
import { BaseVectorEnv } from '#env/base-vector-env.js';
import { RandomStream } from '#env/seeding.js';
import { childState, childStates, restoreArray, type StateDict } from '#env/state.js';
import type { ClassicTask } from './task.js';

export class ClassicVectorEnv extends BaseVectorEnv {
  readonly #task: ClassicTask;
  readonly #physics: Float64Array; // (N,S)
  readonly #streams: RandomStream[];

  constructor(task: ClassicTask, numEnvs: number) {
    super(task.id, numEnvs, task.observationSpace, task.actionSpace, false);
    this.#task = task;
    this.#physics = new Float64Array(numEnvs * task.stateSize);
    this.#streams = Array.from({ length: numEnvs }, (_, i) => new RandomStream(i, task.stream));
  }

  reset(options?: { seed?: number | null }): void {
    const seed = this.beginReset(options?.seed);
    for (let i = 0; i < this.numEnvs; i++) {
      if (seed !== null) this.#streams[i] = new RandomStream(seed + i, this.#task.stream);
      this.#start(i);
    }
  }

  /** actions: Int32Array (N) for the discrete tasks, Float32Array (N,1) for Pendulum. */
  step(actions: Int32Array | Float32Array): void {
    this.checkActions(actions);
    const task = this.#task;
    const physics = this.#physics;
    const observationSize = this.singleObservationSpace.shape[0];
    for (let i = 0; i < this.numEnvs; i++) {
      const at = i * task.stateSize;
      const reward = task.advance(physics, at, actions[i]);
      const truncated = this.runningLengths[i] + 1 >= task.maxSteps;
      if (this.bookStep(i, reward, task.terminal(physics, at), truncated)) {
        task.observe(this.finalObservations, i * observationSize, physics, at);
        this.#start(i);
      } else {
        task.observe(this.observations, i * observationSize, physics, at);
      }
    }
  }

  getState(): StateDict {
    return {
      task: this.#task.id,
      arrays: this.arraysState(),
      physics: this.#physics.slice(),
      streams: this.#streams.map((stream) => stream.getState()),
    };
  }

  setState(state: StateDict): void {
    const where = this.#task.id;
    const streams = childStates(state, 'streams', this.numEnvs, where);
    restoreArray(this.#physics, state, 'physics', where);
    this.restoreArrays(childState(state, 'arrays', where));
    streams.forEach((saved, i) => this.#streams[i].setState(saved));
  }

  #start(i: number): void {
    const at = i * this.#task.stateSize;
    this.#task.start(this.#physics, at, this.#streams[i]);
    this.#task.observe(this.observations, i * this.singleObservationSpace.shape[0], this.#physics, at);
  }
}

/** Environments small enough that their best policy and their values are known by hand. */
import { BaseVectorEnv } from '#env/base-vector-env.js';
import { RandomStream } from '#env/seeding.js';
import { box, discrete, type ActionSpace } from '#env/spaces.js';
import { childState, childStates, type StateDict } from '#env/state.js';

/** What a toy does in one step; the base below keeps episodes and state. */
interface Toy {
  readonly observationSize: number;
  readonly actionSpace: ActionSpace;
  readonly masked: boolean;
  readonly episodeLength: number;
  readonly ending: 'terminated' | 'truncated';
  /** Writes what is seen next at `offset`, drawing from `random`. */
  observe(observations: Float32Array, offset: number, random: RandomStream): void;
  reward(observations: Float32Array, offset: number, actions: Int32Array | Float32Array, n: number): number;
  mask?(masks: Uint8Array, offset: number, observations: Float32Array, from: number): void;
}

export class ToyEnv extends BaseVectorEnv {
  readonly #toy: Toy;
  readonly #streams: RandomStream[];
  /** Every action received, for tests that look at what was sent. */
  readonly received: number[] = [];

  constructor(toy: Toy, numEnvs: number) {
    const infinite = Number.POSITIVE_INFINITY;
    super('toy', numEnvs, box(-infinite, infinite, toy.observationSize), toy.actionSpace, toy.masked);
    this.#toy = toy;
    this.#streams = Array.from({ length: numEnvs }, (_, n) => new RandomStream(n, 'toy'));
  }

  reset(options?: { seed?: number | null }): void {
    const seed = this.beginReset(options?.seed);
    for (let n = 0; n < this.numEnvs; n++) {
      if (seed !== null) this.#streams[n] = new RandomStream(seed + n, 'toy');
      this.#observe(this.observations, n);
      this.#mask(n);
    }
  }

  step(actions: Int32Array | Float32Array): void {
    this.checkActions(actions);
    this.received.push(...actions);
    const size = this.#toy.observationSize;
    for (let n = 0; n < this.numEnvs; n++) {
      const reward = this.#toy.reward(this.observations, n * size, actions, n);
      const last = this.runningLengths[n] + 1 >= this.#toy.episodeLength;
      const { ending } = this.#toy;
      if (this.bookStep(n, reward, last && ending === 'terminated', last && ending === 'truncated')) {
        this.#observe(this.finalObservations, n);
      }
      this.#observe(this.observations, n);
      this.#mask(n);
    }
  }

  getState(): StateDict {
    return { arrays: this.arraysState(), streams: this.#streams.map((stream) => stream.getState()) };
  }

  setState(state: StateDict): void {
    const streams = childStates(state, 'streams', this.numEnvs, 'toy');
    this.restoreArrays(childState(state, 'arrays', 'toy'));
    streams.forEach((saved, n) => this.#streams[n].setState(saved));
  }

  #observe(target: Float32Array, n: number): void {
    this.#toy.observe(target, n * this.#toy.observationSize, this.#streams[n]);
  }

  #mask(n: number): void {
    const { actionSpace, observationSize } = this.#toy;
    if (this.actionMasks === null || actionSpace.kind !== 'discrete') return;
    this.#toy.mask?.(this.actionMasks, n * actionSpace.n, this.observations, n * observationSize);
  }
}

/** Shows one of `n` signs; 1 for the action of that number, else 0. The best return is the episode's length. */
export function matchEnv(numEnvs: number, n: number, episodeLength: number, masked = false): ToyEnv {
  const toy: Toy = {
    observationSize: n,
    actionSpace: discrete(n),
    masked,
    episodeLength,
    ending: 'terminated',
    observe(observations, offset, random) {
      observations.fill(0, offset, offset + n);
      observations[offset + random.integer(n)] = 1;
    },
    reward: (observations, offset, actions, i) => observations[offset + actions[i]],
    // the action after the right one is forbidden
    mask(masks, offset, observations, from) {
      for (let a = 0; a < n; a++) masks[offset + ((a + 1) % n)] = observations[from + a] === 1 ? 0 : 1;
    },
  };
  return new ToyEnv(toy, numEnvs);
}

/** Shows x in [-1, 1); minus the squared distance of the action (Box, -1 to 1) from it. The best reward is 0. */
export function followEnv(numEnvs: number, episodeLength: number): ToyEnv {
  const toy: Toy = {
    observationSize: 1,
    actionSpace: box(-1, 1, 1),
    masked: false,
    episodeLength,
    ending: 'terminated',
    observe(observations, offset, random) {
      observations[offset] = 2 * random.uniform() - 1;
    },
    reward(observations, offset, actions, i) {
      const distance = actions[i] - observations[offset];
      return -distance * distance;
    },
  };
  return new ToyEnv(toy, numEnvs);
}

/** The same sight and the same reward for ever, whatever is done: an endless one is worth reward / (1 - gamma). */
export function constantEnv(
  numEnvs: number,
  episodeLength: number,
  ending: 'terminated' | 'truncated',
  reward = 1,
  sight = 1,
): ToyEnv {
  const toy: Toy = {
    observationSize: 1,
    actionSpace: discrete(2),
    masked: false,
    episodeLength,
    ending,
    observe(observations, offset) {
      observations[offset] = sight;
    },
    reward: () => reward,
  };
  return new ToyEnv(toy, numEnvs);
}

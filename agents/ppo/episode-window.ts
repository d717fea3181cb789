/** Returns and lengths of the last episodes: what a learning curve shows. */
import { restoreArray, type StateDict, type Stateful } from '#env/state.js';

/** Episodes that the means are taken over, as stable-baselines3 has it. */
const WINDOW = 100;

export class EpisodeWindow implements Stateful {
  readonly #returns = new Float64Array(WINDOW);
  readonly #lengths = new Int32Array(WINDOW);
  /** One element, so that it is saved as the arrays are: episodes finished since the training began. */
  readonly #finished = new Float64Array(1);

  get finished(): number {
    return this.#finished[0];
  }

  /** Undiscounted, unnormalised; null until an episode has finished. */
  get returnMean(): number | null {
    return meanOf(this.#returns, this.#finished[0]);
  }

  get lengthMean(): number | null {
    return meanOf(this.#lengths, this.#finished[0]);
  }

  add(episodeReturn: number, episodeLength: number): void {
    const slot = this.#finished[0]++ % WINDOW;
    this.#returns[slot] = episodeReturn;
    this.#lengths[slot] = episodeLength;
  }

  getState(): StateDict {
    return { returns: this.#returns.slice(), lengths: this.#lengths.slice(), finished: this.#finished.slice() };
  }

  setState(state: StateDict): void {
    restoreArray(this.#returns, state, 'returns', 'ppo.episodes', 'POLICY_STATE');
    restoreArray(this.#lengths, state, 'lengths', 'ppo.episodes', 'POLICY_STATE');
    restoreArray(this.#finished, state, 'finished', 'ppo.episodes', 'POLICY_STATE');
  }
}

function meanOf(values: Float64Array | Int32Array, finished: number): number | null {
  const count = Math.min(finished, WINDOW);
  if (count === 0) return null;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += values[i];
  return sum / count;
}

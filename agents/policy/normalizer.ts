/**
 * stable-baselines3's VecNormalize: observations by their running mean and deviation, rewards by the running
 * deviation of the discounted return. Statistics are float64. Its order within a step is kept: update with
 * the raw values, normalise, then forget the returns of the episodes that ended.
 */
import type { StateArray, StateDict, Stateful, StateValue } from '#env/state.js';
import { fail } from '#src/errors.js';

export interface NormalizerConfig {
  readonly observation: boolean;
  readonly reward: boolean;
  /** Largest magnitude of a normalised observation, and of a normalised reward. */
  readonly clip_obs: number;
  readonly clip_reward: number;
  /** Added to the variance. */
  readonly epsilon: number;
}

/** The weight of the first guess, mean 0 and variance 1, in observations. */
const INITIAL_COUNT = 1e-4;

/**
 * Running mean and population variance of `size` columns, merged batch by batch (the parallel algorithm of
 * Chan, Golub and LeVeque, as in RunningMeanStd).
 */
class RunningMoments {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
  count = INITIAL_COUNT;

  constructor(size: number) {
    this.mean = new Float64Array(size);
    this.variance = new Float64Array(size).fill(1);
  }

  /** rows (batch,size) */
  update(rows: Float32Array | Float64Array, batch: number): void {
    const { mean, variance, count } = this;
    const size = mean.length;
    const total = count + batch;
    for (let column = 0; column < size; column++) {
      let sum = 0;
      for (let row = 0; row < batch; row++) sum += rows[row * size + column];
      const batchMean = sum / batch;
      let squares = 0;
      for (let row = 0; row < batch; row++) {
        const difference = rows[row * size + column] - batchMean;
        squares += difference * difference;
      }
      const delta = batchMean - mean[column];
      mean[column] += (delta * batch) / total;
      variance[column] = (variance[column] * count + squares + (delta * delta * count * batch) / total) / total;
    }
    this.count = total;
  }
}

export class Normalizer implements Stateful {
  readonly config: NormalizerConfig;
  readonly observationSize: number;
  readonly numEnvs: number;
  readonly gamma: number;
  /** Frozen: normalises without learning from what it sees. For evaluation, paper and live. */
  frozen = false;
  readonly #observations: RunningMoments;
  readonly #returns = new RunningMoments(1);
  /** (O) sqrt(variance + epsilon) of the observations. */
  readonly #deviations: Float64Array;
  /** (N) discounted return of each environment's running episode. */
  readonly #discountedReturns: Float64Array;

  constructor(config: NormalizerConfig, observationSize: number, numEnvs: number, gamma: number) {
    this.config = config;
    this.observationSize = observationSize;
    this.numEnvs = numEnvs;
    this.gamma = gamma;
    this.#observations = new RunningMoments(observationSize);
    this.#deviations = new Float64Array(observationSize);
    this.#discountedReturns = new Float64Array(numEnvs);
    this.#refreshDeviations();
  }

  /** A frozen normaliser from what `getState` gave. Throws POLICY_STATE where it is not such a state. */
  static frozen(state: StateDict): Normalizer {
    const config = {
      observation: flagOf(state, 'observation'),
      reward: flagOf(state, 'reward'),
      clip_obs: numberOf(state, 'clip_obs'),
      clip_reward: numberOf(state, 'clip_reward'),
      epsilon: numberOf(state, 'epsilon'),
    };
    const observationSize = arrayOf(state, 'observationMean', null).length;
    const numEnvs = arrayOf(state, 'discountedReturns', null).length;
    const normalizer = new Normalizer(config, observationSize, numEnvs, numberOf(state, 'gamma'));
    normalizer.setState(state);
    normalizer.frozen = true;
    return normalizer;
  }

  /** All environments have been reset: their running returns begin anew. The statistics stay. */
  resetReturns(): void {
    this.#discountedReturns.fill(0);
  }

  /** Learns from raw observations (B,O): after reset and after every step, before they are normalised. */
  updateObservations(observations: Float32Array, batch: number): void {
    if (this.frozen || !this.config.observation) return;
    this.#observations.update(observations, batch);
    this.#refreshDeviations();
  }

  /** out (B,O); observations (B,O) raw. `out` may be `observations` itself. */
  normalizeObservations(out: Float32Array, observations: Float32Array, batch: number): void {
    const size = this.observationSize;
    if (!this.config.observation) {
      if (out !== observations) for (let i = 0; i < batch * size; i++) out[i] = observations[i];
      return;
    }
    const mean = this.#observations.mean;
    const deviations = this.#deviations;
    const limit = this.config.clip_obs;
    for (let row = 0; row < batch; row++) {
      const offset = row * size;
      for (let column = 0; column < size; column++) {
        out[offset + column] = clip((observations[offset + column] - mean[column]) / deviations[column], limit);
      }
    }
  }

  /**
   * out (N); rewards (N) raw; terminations and truncations (N) of the same step. `out` may be `rewards`.
   * Learns from the discounted returns first, unless frozen.
   */
  normalizeRewards(
    out: Float32Array | Float64Array,
    rewards: Float64Array,
    terminations: Uint8Array,
    truncations: Uint8Array,
  ): void {
    const { numEnvs, gamma, config } = this;
    const returns = this.#discountedReturns;
    if (!this.frozen) {
      for (let i = 0; i < numEnvs; i++) returns[i] = returns[i] * gamma + rewards[i];
      this.#returns.update(returns, numEnvs);
    }
    const deviation = Math.sqrt(this.#returns.variance[0] + config.epsilon);
    for (let i = 0; i < numEnvs; i++) {
      out[i] = config.reward ? clip(rewards[i] / deviation, config.clip_reward) : rewards[i];
      if ((terminations[i] | truncations[i]) !== 0) returns[i] = 0;
    }
  }

  getState(): StateDict {
    return {
      ...this.#settings(),
      gamma: this.gamma,
      observationMean: this.#observations.mean.slice(),
      observationVariance: this.#observations.variance.slice(),
      returnMean: this.#returns.mean.slice(),
      returnVariance: this.#returns.variance.slice(),
      counts: Float64Array.of(this.#observations.count, this.#returns.count),
      discountedReturns: this.#discountedReturns.slice(),
    };
  }

  setState(state: StateDict): void {
    for (const [key, value] of Object.entries({ ...this.#settings(), gamma: this.gamma })) {
      if (state[key] !== value) {
        fail('POLICY_STATE', {
          where: `normalizer.${key}`,
          value: state[key],
          message: `the normaliser was made with ${value}; take up a state with the configuration that it was saved with`,
        });
      }
    }
    const size = this.observationSize;
    const observationMean = arrayOf(state, 'observationMean', size);
    const observationVariance = arrayOf(state, 'observationVariance', size);
    const returnMean = arrayOf(state, 'returnMean', 1);
    const returnVariance = arrayOf(state, 'returnVariance', 1);
    const counts = arrayOf(state, 'counts', 2);
    const discountedReturns = arrayOf(state, 'discountedReturns', this.numEnvs);
    this.#observations.mean.set(observationMean);
    this.#observations.variance.set(observationVariance);
    this.#observations.count = counts[0];
    this.#returns.mean.set(returnMean);
    this.#returns.variance.set(returnVariance);
    this.#returns.count = counts[1];
    this.#discountedReturns.set(discountedReturns);
    this.#refreshDeviations();
  }

  #settings(): Record<keyof NormalizerConfig, boolean | number> {
    const { observation, reward, clip_obs, clip_reward, epsilon } = this.config;
    return { observation, reward, clip_obs, clip_reward, epsilon };
  }

  #refreshDeviations(): void {
    const variance = this.#observations.variance;
    for (let i = 0; i < variance.length; i++) this.#deviations[i] = Math.sqrt(variance[i] + this.config.epsilon);
  }
}

/** NaN stays NaN: a non-finite number must stop the training, not vanish. */
function clip(value: number, limit: number): number {
  return value > limit ? limit : value < -limit ? -limit : value;
}

function flagOf(state: StateDict, key: string): boolean {
  const value = state[key];
  return typeof value === 'boolean' ? value : refuse(key, value, 'true or false');
}

function numberOf(state: StateDict, key: string): number {
  const value = state[key];
  return typeof value === 'number' ? value : refuse(key, value, 'a number');
}

function arrayOf(state: StateDict, key: string, length: number | null): Float64Array {
  const value = state[key];
  if (!(value instanceof Float64Array) || (length !== null && value.length !== length)) {
    const size = length === null ? '' : ` of ${length}`;
    return refuse(key, isArray(value) ? value.length : value, `a Float64Array${size}`);
  }
  return value;
}

function isArray(value: StateValue | undefined): value is StateArray {
  return ArrayBuffer.isView(value);
}

function refuse(key: string, value: StateValue | undefined, wanted: string): never {
  return fail('POLICY_STATE', {
    where: `normalizer.${key}`,
    value,
    message: `must be ${wanted}: this is not the state of this normaliser`,
  });
}

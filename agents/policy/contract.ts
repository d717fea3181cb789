/**
 * The actor-critic contract between PPO and its engines. PPO is written once, above it; an engine holds the
 * parameters, the optimiser's moments, and does the arithmetic. Randomness is an argument.
 */
import type { RandomStream } from '#env/seeding.js';
import type { Stateful } from '#env/state.js';

export interface PolicySpec {
  /** O */
  readonly observationSize: number;
  readonly action: { readonly kind: 'discrete'; readonly n: number } | { readonly kind: 'box'; readonly size: number };
  readonly netArch: { readonly pi: readonly number[]; readonly vf: readonly number[] };
  readonly activation: 'tanh' | 'relu';
  /** Orthogonal initialisation: hidden gain sqrt 2, action head 0.01, value head 1, biases 0. */
  readonly orthoInit: boolean;
  /** Box only: initial log standard deviation, state-independent. */
  readonly logStdInit: number;
}

/** What every engine's factory takes beside the spec: `createSimdEngine(spec, options)`. */
export interface EngineOptions {
  /** Draws the initial parameters; both engines draw them alike. */
  readonly init: RandomStream;
}

/** One named tensor inside the flat parameter vector. Linear weights are (I,O): y = x W + b. */
export interface ParameterSlot {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly size: number;
}

/** Caller's arrays that `act` fills. K = 1 for discrete actions, the action's size for Box. */
export interface ActOutput {
  /** (B,K) Float32Array; discrete actions are small integers, exact in float32. Unclipped for Box. */
  readonly actions: Float32Array;
  /** (B) log-probability of the action taken, summed over K. */
  readonly logProbs: Float32Array;
  /** (B) */
  readonly values: Float32Array;
}

/** A whole rollout, T = n_steps x n_envs rows, handed over once before its epochs. */
export interface TrainingBatch {
  readonly size: number;
  readonly observations: Float32Array; // (T,O)
  readonly actions: Float32Array; // (T,K)
  readonly masks: Uint8Array | null; // (T,A)
  readonly logProbs: Float32Array; // (T) at collection
  readonly values: Float32Array; // (T) at collection
  readonly advantages: Float32Array; // (T) not normalised
  readonly returns: Float32Array; // (T)
}

export interface UpdateHyperparameters {
  readonly learningRate: number;
  readonly clipRange: number;
  /** null: no value clipping. */
  readonly clipRangeVf: number | null;
  /**
   * `clamped` (default): the squared error of the clamped value, as stable-baselines3 has it. `pessimistic`: the
   * larger of the clamped and the unclamped squared error, as CleanRL (and the original paper's code) has it.
   */
  readonly valueClipping?: 'clamped' | 'pessimistic';
  readonly normalizeAdvantage: boolean;
  readonly entCoef: number;
  readonly vfCoef: number;
  /** Common norm over all parameters; null: no clipping. */
  readonly maxGradNorm: number | null;
  readonly adamEps: number;
  /** The step is not taken where approxKl exceeds it (stable-baselines3: 1.5 x target_kl); null: always taken. */
  readonly klLimit: number | null;
}

export interface UpdateLosses {
  policyLoss: number;
  /** Mean squared error, before vfCoef. */
  valueLoss: number;
  /** Mean entropy (the loss term is minus this). */
  entropy: number;
  /** mean((ratio - 1) - log ratio) */
  approxKl: number;
  /** Share of rows with |ratio - 1| > clipRange. */
  clipFraction: number;
  /** Before clipping. */
  gradNorm: number;
  /** False where klLimit stopped the step, or where a loss or the gradient's norm is not finite. */
  stepped: boolean;
}

/** Where a NaN or an infinity stands. `index` counts inside the tensor, in the order of its shape. */
export interface NonFinite {
  readonly kind: 'gradient' | 'parameter';
  readonly tensor: string;
  readonly index: number;
  readonly value: number;
}

export interface PolicyEngine extends Stateful {
  readonly name: 'simd' | 'tfjs';
  readonly spec: PolicySpec;
  readonly layout: readonly ParameterSlot[];
  readonly parameterCount: number;
  /**
   * observations (B,O); masks (B,A) or null; noise (B,K): uniforms in [0,1) for discrete, standard normals
   * for Box; null acts deterministically (mode).
   */
  act(
    out: ActOutput,
    observations: Float32Array,
    masks: Uint8Array | null,
    noise: Float64Array | null,
    batch: number,
  ): void;
  /** values (B); observations (B,O) */
  predictValues(values: Float32Array, observations: Float32Array, batch: number): void;
  /** probabilities (B,A) under the mask, or for Box the mean (B,K): what reports and logs show. */
  distribution(out: Float32Array, observations: Float32Array, masks: Uint8Array | null, batch: number): void;
  /** Hands over (copies) the rollout for the following calls of `update`. */
  setBatch(batch: TrainingBatch): void;
  /**
   * One gradient step on the rows `indices` of the batch. `losses` is filled. Where a loss or the gradient's norm
   * is NaN or infinite the step is not taken: parameters and moments keep their bits, `stepped` is false, and
   * `findNonFinite` names the tensor.
   */
  update(losses: UpdateLosses, indices: Int32Array, hyper: UpdateHyperparameters): void;
  /** Gradient of the same loss into `gradient` (parameterCount), without a step: for the oracle, and for dumps. */
  gradients(gradient: Float32Array, losses: UpdateLosses, indices: Int32Array, hyper: UpdateHyperparameters): void;
  /** The first value that is not finite among the parameters, then in the last gradient; null where all are. */
  findNonFinite(): NonFinite | null;
  /** A copy of the flat parameter vector, laid out by `layout`. */
  getParameters(): Float32Array;
  /** Moments and step count stay. Throws POLICY_STATE where the length differs. */
  setParameters(parameters: Float32Array): void;
  /**
   * The checksum of each tensor of `layout` (checksum.ts) into out (2 x tensors), without copying the parameters. An
   * engine that has no quicker way leaves it out: they are then computed from `getParameters`.
   */
  checksums?(out: Uint32Array): void;
  /** Gives the memory back; the engine must not be used afterwards. `getState` holds parameters, Adam's moments and step count. */
  dispose(): void;
}

/**
 * The second policy engine: PPO's loss over tf.LayersModels, with automatic differentiation. It trains the networks
 * that a user builds (policy-module.ts), and where none are built the MLP of the simd engine, as the oracle of its
 * gradients, which are written by hand. Bits are those of one machine, one backend and one version of Node.
 */
import * as tf from '@tensorflow/tfjs';
import type { RandomStream } from '#env/seeding.js';
import { childState, type StateDict } from '#env/state.js';
import { exp, log } from '#env/math/index.js';
import { fail } from '#src/errors.js';
import { checkBatch } from '../checks.js';
import type {
  ActOutput,
  EngineOptions,
  NonFinite,
  ParameterSlot,
  PolicyEngine,
  PolicySpec,
  TrainingBatch,
  UpdateHyperparameters,
  UpdateLosses,
} from '../contract.js';
import { initialParameters } from '../initialization.js';
import { checkSpec, headSize, policyLayout } from '../layout.js';
import { HALF_LOG_TWO_PI, MASKED, ppoLoss } from './loss.js';
import { buildMlp } from './mlp.js';
import { Network } from './network.js';

const BETA1 = 0.9;
const BETA2 = 0.999;

export interface TfjsEngineOptions extends EngineOptions {
  /**
   * The user's networks. `models` draws their initial weights, all from `init`; `where`, the file, stands in errors.
   * null: the MLP of `spec`, with the same initial parameters as the simd engine's.
   */
  readonly policy?: {
    readonly models: (spec: PolicySpec, init: RandomStream) => unknown;
    readonly where: string;
  } | null;
}

/** Computes on the backend that tf.setBackend has chosen. Throws POLICY_SPEC, and POLICY_MODULE for networks that do not fit. */
export function createTfjsEngine(spec: PolicySpec, options: TfjsEngineOptions): PolicyEngine {
  return new TfjsEngine(spec, options);
}

class TfjsEngine implements PolicyEngine {
  readonly name = 'tfjs';
  readonly spec: PolicySpec;
  readonly layout: readonly ParameterSlot[];
  readonly parameterCount: number;
  readonly #network: Network;
  readonly #A: number;
  readonly #backend: string;
  readonly #parameters: Float32Array;
  readonly #gradient: Float32Array;
  readonly #firstMoments: Float32Array;
  readonly #secondMoments: Float32Array;
  #step = 0;
  #beta1Product = 1;
  #beta2Product = 1;
  #batch: TrainingBatch | null = null;

  constructor(spec: PolicySpec, { init, policy = null }: TfjsEngineOptions) {
    checkSpec(spec);
    this.spec = spec;
    // starts one where none was chosen
    tf.backend();
    this.#backend = tf.getBackend();
    this.#network =
      policy === null
        ? new Network(buildMlp(spec), spec, 'net_arch', policyLayout(spec).slots)
        : new Network(policy.models(spec, init), spec, policy.where, null);
    this.layout = this.#network.layout;
    this.parameterCount = this.#network.parameterCount;
    this.#A = headSize(spec);
    this.#parameters = new Float32Array(this.parameterCount);
    this.#gradient = new Float32Array(this.parameterCount);
    this.#firstMoments = new Float32Array(this.parameterCount);
    this.#secondMoments = new Float32Array(this.parameterCount);
    if (policy === null) {
      this.#parameters.set(initialParameters(spec, init));
      this.#network.write(this.#parameters);
    } else this.#network.read(this.#parameters);
  }

  act(
    out: ActOutput,
    observations: Float32Array,
    masks: Uint8Array | null,
    noise: Float64Array | null,
    batch: number,
  ): void {
    const A = this.#A;
    const { head, values } = this.#evaluate(observations, batch);
    out.values.set(values);
    const { logStd } = this.#network;
    if (logStd !== null) {
      const { offset, size } = logStd.slot;
      const logStds = this.#parameters.subarray(offset, offset + size);
      for (let b = 0; b < batch; b++) {
        let logProb = 0;
        for (let k = 0; k < A; k++) {
          const i = b * A + k;
          const deviation = exp(logStds[k]);
          out.actions[i] = noise === null ? head[i] : head[i] + deviation * noise[i];
          const z = (out.actions[i] - head[i]) / deviation;
          logProb -= 0.5 * z * z + logStds[k] + HALF_LOG_TWO_PI;
        }
        out.logProbs[b] = logProb;
      }
      return;
    }
    const probabilities = softmaxRows(head, masks, batch, A);
    for (let b = 0; b < batch; b++) {
      let action = 0;
      if (noise === null) {
        for (let j = 1; j < A; j++) if (probabilities[b * A + j] > probabilities[b * A + action]) action = j;
      } else {
        let cumulative = 0;
        for (let j = 0; j < A; j++) {
          if (probabilities[b * A + j] === 0) continue;
          action = j;
          cumulative += probabilities[b * A + j];
          if (cumulative > noise[b]) break;
        }
      }
      out.actions[b] = action;
      out.logProbs[b] = log(probabilities[b * A + action]);
    }
  }

  predictValues(values: Float32Array, observations: Float32Array, batch: number): void {
    tf.tidy(() => values.set(this.#network.values(this.#rows(observations, batch)).dataSync()));
  }

  distribution(out: Float32Array, observations: Float32Array, masks: Uint8Array | null, batch: number): void {
    const head = tf.tidy(() => this.#network.head(this.#rows(observations, batch)).dataSync<'float32'>());
    out.set(this.#network.logStd !== null ? head : softmaxRows(head, masks, batch, this.#A));
  }

  setBatch(batch: TrainingBatch): void {
    checkBatch(this.spec, batch);
    this.#batch = {
      size: batch.size,
      observations: batch.observations.slice(),
      actions: batch.actions.slice(),
      masks: batch.masks === null ? null : batch.masks.slice(),
      logProbs: batch.logProbs.slice(),
      values: batch.values.slice(),
      advantages: batch.advantages.slice(),
      returns: batch.returns.slice(),
    };
  }

  update(losses: UpdateLosses, indices: Int32Array, hyper: UpdateHyperparameters): void {
    this.#differentiate(losses, indices, hyper);
    const { policyLoss, valueLoss, entropy, approxKl, gradNorm } = losses;
    if (!Number.isFinite(policyLoss + valueLoss + entropy + approxKl + gradNorm)) return;
    if (hyper.klLimit !== null && approxKl > hyper.klLimit) return;
    this.#step += 1;
    this.#beta1Product *= BETA1;
    this.#beta2Product *= BETA2;
    const clip = hyper.maxGradNorm === null ? 1 : Math.min(1, hyper.maxGradNorm / (gradNorm + 1e-6));
    const stepSize = hyper.learningRate / (1 - this.#beta1Product);
    const secondScale = 1 / Math.sqrt(1 - this.#beta2Product);
    for (let i = 0; i < this.parameterCount; i++) {
      const g = clip * this.#gradient[i];
      this.#firstMoments[i] = BETA1 * this.#firstMoments[i] + (1 - BETA1) * g;
      this.#secondMoments[i] = BETA2 * this.#secondMoments[i] + (1 - BETA2) * g * g;
      const denominator = Math.sqrt(this.#secondMoments[i]) * secondScale + hyper.adamEps;
      this.#parameters[i] -= (stepSize * this.#firstMoments[i]) / denominator;
    }
    this.#network.write(this.#parameters);
    losses.stepped = true;
  }

  gradients(gradient: Float32Array, losses: UpdateLosses, indices: Int32Array, hyper: UpdateHyperparameters): void {
    this.#differentiate(losses, indices, hyper);
    gradient.set(this.#gradient);
  }

  findNonFinite(): NonFinite | null {
    for (const kind of ['parameter', 'gradient'] as const) {
      const flat = kind === 'parameter' ? this.#parameters : this.#gradient;
      for (const slot of this.layout) {
        for (let index = 0; index < slot.size; index++) {
          const value = flat[slot.offset + index];
          if (!Number.isFinite(value)) return { kind, tensor: slot.name, index, value };
        }
      }
    }
    return null;
  }

  getParameters(): Float32Array {
    return this.#parameters.slice();
  }

  setParameters(parameters: Float32Array): void {
    this.#restore(this.#checked('parameters', parameters));
  }

  /** The weights by their names, as `layout` has them. */
  getState(): StateDict {
    const weights: StateDict = {};
    for (const { name, offset, size } of this.layout) weights[name] = this.#parameters.slice(offset, offset + size);
    return {
      weights,
      firstMoments: this.#firstMoments.slice(),
      secondMoments: this.#secondMoments.slice(),
      step: this.#step,
      betaProducts: Float64Array.of(this.#beta1Product, this.#beta2Product),
    };
  }

  setState(state: StateDict): void {
    const { step, betaProducts } = state;
    const parameters = this.#checkedWeights(childState(state, 'weights', 'policy', 'POLICY_STATE'));
    const firstMoments = this.#checked('firstMoments', state['firstMoments']);
    const secondMoments = this.#checked('secondMoments', state['secondMoments']);
    if (typeof step !== 'number' || !(betaProducts instanceof Float64Array) || betaProducts.length !== 2) {
      fail('POLICY_STATE', {
        where: 'policy step',
        value: step,
        message: 'the step count and two running products are missing',
      });
    }
    this.#restore(parameters);
    this.#firstMoments.set(firstMoments);
    this.#secondMoments.set(secondMoments);
    this.#step = step;
    this.#beta1Product = betaProducts[0];
    this.#beta2Product = betaProducts[1];
  }

  dispose(): void {
    this.#batch = null;
    this.#network.dispose();
  }

  #restore(parameters: Float32Array): void {
    this.#parameters.set(parameters);
    this.#network.write(this.#parameters);
  }

  #checkedWeights(weights: StateDict): Float32Array {
    const parameters = new Float32Array(this.parameterCount);
    const others = new Set(Object.keys(weights));
    for (const { name, offset, size } of this.layout) {
      const weight = weights[name];
      others.delete(name);
      if (!(weight instanceof Float32Array) || weight.length !== size) {
        const value = weight instanceof Float32Array ? weight.length : null;
        fail('POLICY_STATE', {
          where: `policy weight ${name}`,
          value,
          message: `this policy has ${size} float32 numbers there: the state is of another network`,
        });
      }
      parameters.set(weight, offset);
    }
    if (others.size > 0) {
      const message = 'this policy has no such weights: the state is of another network';
      fail('POLICY_STATE', { where: 'policy weights', value: [...others], message });
    }
    return parameters;
  }

  #checked(where: string, flat: unknown): Float32Array {
    if (!(flat instanceof Float32Array) || flat.length !== this.parameterCount) {
      const length = flat instanceof Float32Array ? flat.length : typeof flat;
      fail('POLICY_STATE', {
        where: `policy ${where}`,
        value: length,
        message: `this policy has ${this.parameterCount} float32 numbers there`,
      });
    }
    return flat;
  }

  /** TensorFlow.js has one backend a process: on another one the bits would change half way. */
  #requireBackend(): void {
    const backend = tf.getBackend();
    if (backend === this.#backend) return;
    const message = `this policy computes on ${this.#backend}, and the process has been set to another since: one backend a process`;
    fail('POLICY_STATE', { where: 'tfjs backend', value: backend, message });
  }

  #rows(observations: Float32Array, batch: number): tf.Tensor2D {
    this.#requireBackend();
    const O = this.spec.observationSize;
    // a copy: the backend keeps what it is given, and the caller writes over it
    return tf.tensor2d(observations.slice(0, batch * O), [batch, O]);
  }

  #evaluate(observations: Float32Array, batch: number): { head: Float32Array; values: Float32Array } {
    return tf.tidy(() => {
      const { head, values } = this.#network.forward(this.#rows(observations, batch));
      return { head: head.dataSync<'float32'>(), values: values.dataSync<'float32'>() };
    });
  }

  #differentiate(losses: UpdateLosses, indices: Int32Array, hyper: UpdateHyperparameters): void {
    const batch = this.#batch;
    if (batch === null) return fail('POLICY_STATE', { where: 'minibatch', message: 'call setBatch before update' });
    this.#requireBackend();
    const loss = (): tf.Scalar => ppoLoss(losses, this.#network, this.spec, batch, indices, hyper);
    this.#network.differentiate(this.#gradient, loss);
    let squares = 0;
    for (const g of this.#gradient) squares += g * g;
    losses.gradNorm = Math.sqrt(squares);
    losses.stepped = false;
  }
}

/** (B,A) probabilities; masked ones are 0. */
function softmaxRows(logits: Float32Array, masks: Uint8Array | null, batch: number, A: number): Float64Array {
  const probabilities = new Float64Array(batch * A);
  for (let b = 0; b < batch; b++) {
    let max = -Infinity;
    const logit = (j: number): number => (masks !== null && masks[b * A + j] === 0 ? MASKED : logits[b * A + j]);
    for (let j = 0; j < A; j++) max = Math.max(max, logit(j));
    let sum = 0;
    for (let j = 0; j < A; j++) sum += probabilities[b * A + j] = exp(logit(j) - max);
    for (let j = 0; j < A; j++) probabilities[b * A + j] /= sum;
  }
  return probabilities;
}

/**
 * The second policy engine: the same policy and loss in TensorFlow.js, with its automatic differentiation. It is the
 * oracle of the simd engine, whose gradients are written by hand. Reproducible on one machine within a tolerance
 * only, and some forty times slower.
 */
import * as tf from '@tensorflow/tfjs';
import type { StateDict } from '#env/state.js';
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
import { actionColumns, headSize, policyLayout, type LinearLayer, type PolicyLayout } from '../layout.js';

const BETA1 = 0.9;
const BETA2 = 0.999;
const HALF_LOG_TWO_PI = 0.9189385332046727;
/** Logit of a masked action, as sb3-contrib sets it. */
const MASKED = -1e8;

/** Draws the initial parameters from `options.init`, the same as the simd engine. Throws POLICY_SPEC. */
export function createTfjsEngine(spec: PolicySpec, options: EngineOptions): PolicyEngine {
  return new TfjsEngine(spec, options);
}

class TfjsEngine implements PolicyEngine {
  readonly name = 'tfjs';
  readonly spec: PolicySpec;
  readonly layout: readonly ParameterSlot[];
  readonly parameterCount: number;
  readonly #plan: PolicyLayout;
  readonly #A: number;
  readonly #K: number;
  #parameters: Float32Array;
  #gradient: Float32Array;
  #firstMoments: Float32Array;
  #secondMoments: Float32Array;
  #step = 0;
  #beta1Product = 1;
  #beta2Product = 1;
  #batch: TrainingBatch | null = null;

  constructor(spec: PolicySpec, options: EngineOptions) {
    this.#plan = policyLayout(spec);
    this.spec = spec;
    this.layout = this.#plan.slots;
    this.parameterCount = this.#plan.parameterCount;
    this.#A = headSize(spec);
    this.#K = actionColumns(spec);
    this.#parameters = initialParameters(spec, options.init);
    this.#gradient = new Float32Array(this.parameterCount);
    this.#firstMoments = new Float32Array(this.parameterCount);
    this.#secondMoments = new Float32Array(this.parameterCount);
  }

  act(
    out: ActOutput,
    observations: Float32Array,
    masks: Uint8Array | null,
    noise: Float64Array | null,
    batch: number,
  ): void {
    const A = this.#A;
    const head = this.#evaluate(this.#plan.actor, observations, batch);
    const values = this.#evaluate(this.#plan.critic, observations, batch);
    out.values.set(values.subarray(0, batch));
    if (this.spec.action.kind === 'box') {
      const logStds = this.#slice(this.#plan.logStd);
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
    values.set(this.#evaluate(this.#plan.critic, observations, batch).subarray(0, batch));
  }

  distribution(out: Float32Array, observations: Float32Array, masks: Uint8Array | null, batch: number): void {
    const head = this.#evaluate(this.#plan.actor, observations, batch);
    out.set(this.spec.action.kind === 'box' ? head : softmaxRows(head, masks, batch, this.#A));
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
    this.#parameters = this.#checked('parameters', parameters);
  }

  getState(): StateDict {
    return {
      parameters: this.#parameters.slice(),
      firstMoments: this.#firstMoments.slice(),
      secondMoments: this.#secondMoments.slice(),
      step: this.#step,
      betaProducts: Float64Array.of(this.#beta1Product, this.#beta2Product),
    };
  }

  setState(state: StateDict): void {
    const { step, betaProducts } = state;
    const parameters = this.#checked('parameters', state['parameters']);
    const firstMoments = this.#checked('firstMoments', state['firstMoments']);
    const secondMoments = this.#checked('secondMoments', state['secondMoments']);
    if (typeof step !== 'number' || !(betaProducts instanceof Float64Array) || betaProducts.length !== 2) {
      fail('POLICY_STATE', {
        where: 'policy step',
        value: step,
        message: 'the step count and two running products are missing',
      });
    }
    this.#parameters = parameters;
    this.#firstMoments = firstMoments;
    this.#secondMoments = secondMoments;
    this.#step = step;
    this.#beta1Product = betaProducts[0];
    this.#beta2Product = betaProducts[1];
  }

  dispose(): void {
    this.#batch = null;
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
    return flat.slice();
  }

  #slice(slot: ParameterSlot | null): Float32Array {
    return slot === null ? new Float32Array(0) : this.#parameters.subarray(slot.offset, slot.offset + slot.size);
  }

  #tensors(): tf.Tensor[] {
    return this.layout.map((slot) => tf.tensor(this.#slice(slot).slice(), [...slot.shape], 'float32'));
  }

  #network(layers: readonly LinearLayer[], observations: tf.Tensor2D, tensors: readonly tf.Tensor[]): tf.Tensor2D {
    let x = observations;
    for (const { weight, bias, role } of layers) {
      x = tf.add(
        tf.matMul(x, tensors[this.layout.indexOf(weight)].as2D(weight.shape[0], weight.shape[1])),
        tensors[this.layout.indexOf(bias)],
      );
      if (role === 'hidden') x = this.spec.activation === 'tanh' ? tf.tanh(x) : tf.relu(x);
    }
    return x;
  }

  #evaluate(layers: readonly LinearLayer[], observations: Float32Array, batch: number): Float32Array {
    const O = this.spec.observationSize;
    return tf.tidy(() => {
      const x = tf.tensor2d(observations.slice(0, batch * O), [batch, O]);
      return Float32Array.from(this.#network(layers, x, this.#tensors()).dataSync());
    });
  }

  #differentiate(losses: UpdateLosses, indices: Int32Array, hyper: UpdateHyperparameters): void {
    const batch = this.#batch;
    if (batch === null) return fail('POLICY_STATE', { where: 'minibatch', message: 'call setBatch before update' });
    tf.tidy(() => {
      const loss = (...tensors: tf.Tensor[]): tf.Scalar => this.#loss(losses, batch, indices, hyper, tensors);
      const derived = tf.grads(loss)(this.#tensors());
      derived.forEach((tensor, i) => this.#gradient.set(tensor.dataSync(), this.layout[i].offset));
    });
    let squares = 0;
    for (const g of this.#gradient) squares += g * g;
    losses.gradNorm = Math.sqrt(squares);
    losses.stepped = false;
  }

  #loss(
    losses: UpdateLosses,
    batch: TrainingBatch,
    indices: Int32Array,
    hyper: UpdateHyperparameters,
    tensors: tf.Tensor[],
  ): tf.Scalar {
    const n = indices.length;
    const column = (from: Float32Array): tf.Tensor1D => tf.tensor1d(Float32Array.from(indices, (i) => from[i]));
    const x = tf.tensor2d(rowsOf(batch.observations, indices, this.spec.observationSize), [
      n,
      this.spec.observationSize,
    ]);
    const oldLogProbs = column(batch.logProbs);
    const oldValues = column(batch.values);
    const returns = column(batch.returns);
    let advantages = column(batch.advantages);
    if (hyper.normalizeAdvantage && n > 1) {
      const centred = tf.sub(advantages, tf.mean(advantages));
      const deviation = tf.sqrt(tf.div(tf.sum(tf.square(centred)), n - 1));
      advantages = tf.div(centred, tf.add(deviation, 1e-8));
    }
    const head = this.#network(this.#plan.actor, x, tensors);
    const actions = rowsOf(batch.actions, indices, this.#K);
    const { logProbs, entropy } =
      this.spec.action.kind === 'discrete'
        ? this.#categorical(head, actions, batch.masks === null ? null : maskRows(batch.masks, indices, this.#A), n)
        : this.#gaussian(head, actions, tensors, n);
    const logRatio = tf.sub(logProbs, oldLogProbs);
    const ratio = tf.exp(logRatio);
    const clipped = tf.clipByValue(ratio, 1 - hyper.clipRange, 1 + hyper.clipRange);
    const policyLoss = tf.neg(tf.mean(tf.minimum(tf.mul(advantages, ratio), tf.mul(advantages, clipped))));

    const values = this.#network(this.#plan.critic, x, tensors).reshape([n]);
    let squares = tf.square(tf.sub(values, returns));
    if (hyper.clipRangeVf !== null) {
      const clamped = tf.add(
        oldValues,
        tf.clipByValue(tf.sub(values, oldValues), -hyper.clipRangeVf, hyper.clipRangeVf),
      );
      const clampedSquares = tf.square(tf.sub(clamped, returns));
      squares = hyper.valueClipping === 'pessimistic' ? tf.maximum(squares, clampedSquares) : clampedSquares;
    }
    const valueLoss = tf.mean(squares);
    const meanEntropy = tf.mean(entropy);

    losses.policyLoss = policyLoss.dataSync()[0];
    losses.valueLoss = valueLoss.dataSync()[0];
    losses.entropy = meanEntropy.dataSync()[0];
    losses.approxKl = tf.mean(tf.sub(tf.sub(ratio, 1), logRatio)).dataSync()[0];
    losses.clipFraction = tf
      .mean(tf.cast(tf.greater(tf.abs(tf.sub(ratio, 1)), hyper.clipRange), 'float32'))
      .dataSync()[0];
    return tf.add(tf.sub(policyLoss, tf.mul(hyper.entCoef, meanEntropy)), tf.mul(hyper.vfCoef, valueLoss)).asScalar();
  }

  #categorical(
    head: tf.Tensor2D,
    actions: Float32Array,
    masks: tf.Tensor2D | null,
    n: number,
  ): { logProbs: tf.Tensor; entropy: tf.Tensor } {
    const A = this.#A;
    const logits = masks === null ? head : tf.where(tf.cast(masks, 'bool'), head, tf.mul(tf.ones([n, A]), MASKED));
    const logSoftmax = tf.logSoftmax(logits);
    const chosen = tf.oneHot(tf.tensor1d(Int32Array.from(actions), 'int32'), A);
    const logProbs = tf.sum(tf.mul(logSoftmax, chosen), 1);
    const terms = tf.mul(tf.exp(logSoftmax), logSoftmax);
    const entropy = tf.neg(tf.sum(masks === null ? terms : tf.mul(terms, masks), 1));
    return { logProbs, entropy };
  }

  #gaussian(
    head: tf.Tensor2D,
    actions: Float32Array,
    tensors: tf.Tensor[],
    n: number,
  ): { logProbs: tf.Tensor; entropy: tf.Tensor } {
    const slot = this.#plan.logStd;
    if (slot === null)
      return fail('POLICY_SPEC', { where: 'log_std', message: 'a Box needs a log standard deviation' });
    const logStd = tensors[this.layout.indexOf(slot)];
    const z = tf.div(tf.sub(tf.tensor2d(actions, [n, this.#K]), head), tf.exp(logStd));
    const logProbs = tf.sum(tf.sub(tf.mul(-0.5, tf.square(z)), tf.add(logStd, HALF_LOG_TWO_PI)), 1);
    const entropy = tf.mul(tf.ones([n]), tf.sum(tf.add(logStd, 0.5 + HALF_LOG_TWO_PI)));
    return { logProbs, entropy };
  }
}

function rowsOf(from: Float32Array, indices: Int32Array, columns: number): Float32Array {
  const rows = new Float32Array(indices.length * columns);
  indices.forEach((index, i) => rows.set(from.subarray(index * columns, (index + 1) * columns), i * columns));
  return rows;
}

function maskRows(from: Uint8Array, indices: Int32Array, columns: number): tf.Tensor2D {
  const rows = new Float32Array(indices.length * columns);
  indices.forEach((index, i) => rows.set(from.subarray(index * columns, (index + 1) * columns), i * columns));
  return tf.tensor2d(rows, [indices.length, columns]);
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

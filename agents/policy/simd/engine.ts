/**
 * The default policy engine: forward, backward, PPO's loss and Adam in WebAssembly SIMD, float32, with a fixed order
 * of summation: the same bits on every machine.
 */
import type { StateDict } from '#env/state.js';
import { fail } from '#src/errors.js';
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
import { checkBatch } from '../checks.js';
import { initialParameters } from '../initialization.js';
import { actionColumns, headSize, policyLayout, type PolicyLayout } from '../layout.js';
import { ACTIVATION, PANEL, roundUp } from './kernels.js';
import { CHUNK, PolicyMemory, STRIDE, type HalfPlan, type LayerPlan } from './memory.js';

const BETA1 = 0.9;
const BETA2 = 0.999;

/** Draws the initial parameters from `options.init`. Throws POLICY_SPEC. */
export function createSimdEngine(spec: PolicySpec, options: EngineOptions): PolicyEngine {
  return new SimdEngine(spec, options);
}

class SimdEngine implements PolicyEngine {
  readonly name = 'simd';
  readonly spec: PolicySpec;
  readonly layout: readonly ParameterSlot[];
  readonly parameterCount: number;
  readonly #plan: PolicyLayout;
  readonly #activation: number;
  readonly #discrete: boolean;
  /** O, A (columns of the action head) and K (columns of an action). */
  readonly #O: number;
  readonly #A: number;
  readonly #K: number;
  #memory: PolicyMemory | null;
  #rows = 0;
  #masked = false;
  #step = 0;
  /** beta1^t and beta2^t as running products: Math.pow differs between versions of V8. */
  #beta1Product = 1;
  #beta2Product = 1;

  constructor(spec: PolicySpec, options: EngineOptions) {
    this.#plan = policyLayout(spec);
    this.spec = spec;
    this.layout = this.#plan.slots;
    this.parameterCount = this.#plan.parameterCount;
    this.#activation = ACTIVATION[spec.activation];
    this.#discrete = spec.action.kind === 'discrete';
    this.#O = spec.observationSize;
    this.#A = headSize(spec);
    this.#K = actionColumns(spec);
    this.#memory = new PolicyMemory(spec, this.#plan);
    this.setParameters(initialParameters(spec, options.init));
  }

  act(
    out: ActOutput,
    observations: Float32Array,
    masks: Uint8Array | null,
    noise: Float64Array | null,
    batch: number,
  ): void {
    const memory = this.#live();
    const { kernels, stage, actor, critic, f32, f64 } = memory;
    const K = this.#K;
    for (let start = 0; start < batch; start += CHUNK) {
      const rows = Math.min(CHUNK, batch - start);
      this.#stageObservations(memory, observations, start, rows);
      const maskAt = this.#stageMasks(memory, masks, start, rows);
      let noiseAt = 0;
      if (noise !== null) {
        noiseAt = stage.noise;
        for (let i = 0, to = noiseAt >> 3, from = start * K; i < rows * K; i++) f64[to + i] = noise[from + i];
      }
      const head = this.#forward(memory, actor, stage.observations, 0, rows);
      if (this.#discrete) {
        kernels.categoricalAct(
          stage.actions,
          stage.logProbs,
          head,
          STRIDE,
          rows,
          this.#A,
          maskAt,
          noiseAt,
          stage.softmax,
        );
      } else {
        const logStd = memory.parameters + memory.logStd;
        kernels.gaussianDeviations(stage.deviations, logStd, K);
        kernels.gaussianAct(stage.actions, stage.logProbs, head, STRIDE, rows, K, logStd, stage.deviations, noiseAt);
      }
      const values = this.#forward(memory, critic, stage.observations, 0, rows) >> 2;
      for (let i = 0, from = stage.actions >> 2, to = start * K; i < rows * K; i++) out.actions[to + i] = f32[from + i];
      for (let i = 0, from = stage.logProbs >> 2; i < rows; i++) {
        out.logProbs[start + i] = f32[from + i];
        out.values[start + i] = f32[values + i * PANEL];
      }
    }
  }

  predictValues(values: Float32Array, observations: Float32Array, batch: number): void {
    const memory = this.#live();
    for (let start = 0; start < batch; start += CHUNK) {
      const rows = Math.min(CHUNK, batch - start);
      this.#stageObservations(memory, observations, start, rows);
      const head = this.#forward(memory, memory.critic, memory.stage.observations, 0, rows) >> 2;
      for (let i = 0; i < rows; i++) values[start + i] = memory.f32[head + i * PANEL];
    }
  }

  distribution(out: Float32Array, observations: Float32Array, masks: Uint8Array | null, batch: number): void {
    const memory = this.#live();
    const { kernels, stage, f32 } = memory;
    const A = this.#A;
    for (let start = 0; start < batch; start += CHUNK) {
      const rows = Math.min(CHUNK, batch - start);
      this.#stageObservations(memory, observations, start, rows);
      const maskAt = this.#stageMasks(memory, masks, start, rows);
      const head = this.#forward(memory, memory.actor, stage.observations, 0, rows);
      if (this.#discrete) {
        kernels.categoricalProbabilities(stage.probabilities, head, STRIDE, rows, A, maskAt, stage.softmax);
      } else {
        kernels.gaussianAct(
          stage.probabilities,
          stage.logProbs,
          head,
          STRIDE,
          rows,
          A,
          memory.parameters + memory.logStd,
          stage.deviations,
          0,
        );
      }
      for (let i = 0, from = stage.probabilities >> 2, to = start * A; i < rows * A; i++) out[to + i] = f32[from + i];
    }
  }

  setBatch(batch: TrainingBatch): void {
    checkBatch(this.spec, batch);
    const memory = this.#live();
    const plan = memory.reserveBatch(batch.size);
    const T = batch.size;
    memory.f32.set(batch.observations.subarray(0, T * this.#O), plan.observations >> 2);
    memory.f32.set(batch.actions.subarray(0, T * this.#K), plan.actions >> 2);
    memory.f32.set(batch.logProbs.subarray(0, T), plan.logProbs >> 2);
    memory.f32.set(batch.values.subarray(0, T), plan.values >> 2);
    memory.f32.set(batch.advantages.subarray(0, T), plan.advantages >> 2);
    memory.f32.set(batch.returns.subarray(0, T), plan.returns >> 2);
    if (batch.masks !== null) memory.u8.set(batch.masks.subarray(0, T * this.#A), plan.masks);
    this.#masked = batch.masks !== null;
    this.#rows = T;
  }

  update(losses: UpdateLosses, indices: Int32Array, hyper: UpdateHyperparameters): void {
    const memory = this.#live();
    this.#gradient(memory, losses, indices, hyper);
    if (!finite(losses) || (hyper.klLimit !== null && losses.approxKl > hyper.klLimit)) return;
    this.#step += 1;
    this.#beta1Product *= BETA1;
    this.#beta2Product *= BETA2;
    const clip = hyper.maxGradNorm === null ? 1 : Math.min(1, hyper.maxGradNorm / (losses.gradNorm + 1e-6));
    const stepSize = hyper.learningRate / (1 - this.#beta1Product);
    const secondScale = 1 / Math.sqrt(1 - this.#beta2Product);
    const { kernels, parameters, gradients, firstMoments, secondMoments, actor, critic } = memory;
    for (let i = 0; i < 2; i++) {
      const half = i === 0 ? actor : critic;
      kernels.adamStep(
        parameters + half.offset,
        gradients + half.offset,
        firstMoments + half.offset,
        secondMoments + half.offset,
        half.floats,
        clip,
        stepSize,
        secondScale,
        hyper.adamEps,
      );
    }
    losses.stepped = true;
  }

  gradients(gradient: Float32Array, losses: UpdateLosses, indices: Int32Array, hyper: UpdateHyperparameters): void {
    const memory = this.#live();
    this.#gradient(memory, losses, indices, hyper);
    this.#read(memory, gradient, memory.gradients);
  }

  findNonFinite(): NonFinite | null {
    const memory = this.#live();
    const values = new Float32Array(this.parameterCount);
    for (const kind of ['parameter', 'gradient'] as const) {
      this.#read(memory, values, kind === 'parameter' ? memory.parameters : memory.gradients);
      for (const slot of this.layout) {
        for (let index = 0; index < slot.size; index++) {
          const value = values[slot.offset + index];
          if (!Number.isFinite(value)) return { kind, tensor: slot.name, index, value };
        }
      }
    }
    return null;
  }

  getParameters(): Float32Array {
    const memory = this.#live();
    const flat = new Float32Array(this.parameterCount);
    this.#read(memory, flat, memory.parameters);
    return flat;
  }

  setParameters(parameters: Float32Array): void {
    const memory = this.#live();
    this.#checkLength('parameters', parameters);
    this.#write(memory, parameters, memory.parameters);
  }

  getState(): StateDict {
    const memory = this.#live();
    const firstMoments = new Float32Array(this.parameterCount);
    const secondMoments = new Float32Array(this.parameterCount);
    this.#read(memory, firstMoments, memory.firstMoments);
    this.#read(memory, secondMoments, memory.secondMoments);
    return {
      parameters: this.getParameters(),
      firstMoments,
      secondMoments,
      step: this.#step,
      betaProducts: Float64Array.of(this.#beta1Product, this.#beta2Product),
    };
  }

  setState(state: StateDict): void {
    const memory = this.#live();
    const { parameters, firstMoments, secondMoments, step, betaProducts } = state;
    this.#checkLength('parameters', parameters);
    this.#checkLength('firstMoments', firstMoments);
    this.#checkLength('secondMoments', secondMoments);
    if (typeof step !== 'number' || !Number.isInteger(step) || step < 0) {
      fail('POLICY_STATE', { where: 'policy step', value: step, message: 'the step count is a whole number from 0' });
    }
    if (!(betaProducts instanceof Float64Array) || betaProducts.length !== 2) {
      fail('POLICY_STATE', {
        where: 'policy betaProducts',
        message: 'the running products of Adam are two float64 numbers',
      });
    }
    this.#write(memory, parameters, memory.parameters);
    this.#write(memory, firstMoments, memory.firstMoments);
    this.#write(memory, secondMoments, memory.secondMoments);
    this.#step = step;
    this.#beta1Product = betaProducts[0];
    this.#beta2Product = betaProducts[1];
  }

  dispose(): void {
    this.#memory = null;
  }

  #live(): PolicyMemory {
    if (this.#memory === null)
      fail('POLICY_STATE', { where: 'policy engine simd', message: 'the engine was disposed of: create another' });
    return this.#memory;
  }

  #stageObservations(memory: PolicyMemory, observations: Float32Array, start: number, rows: number): void {
    const { f32, stage } = memory;
    const from = start * this.#O;
    const to = stage.observations >> 2;
    const count = rows * this.#O;
    for (let i = 0; i < count; i++) f32[to + i] = observations[from + i];
  }

  #stageMasks(memory: PolicyMemory, masks: Uint8Array | null, start: number, rows: number): number {
    if (masks === null) return 0;
    const { u8, stage } = memory;
    const from = start * this.#A;
    const count = rows * this.#A;
    for (let i = 0; i < count; i++) u8[stage.masks + i] = masks[from + i];
    return stage.masks;
  }

  /** Gathers `rows` rows and runs them through a half; returns the address of the head's output in panels. */
  #forward(memory: PolicyMemory, half: HalfPlan, observations: number, indices: number, rows: number): number {
    const { kernels, parameters } = memory;
    const { layers } = half;
    const padded = paddedRows(rows, indices === 0);
    kernels.gatherRows(layers[0].input, STRIDE, observations, indices, rows, padded, this.#O);
    const last = layers.length - 1;
    for (let i = 0; i <= last; i++) {
      const layer = layers[i];
      kernels.linearForward(
        layer.output,
        STRIDE,
        layer.input,
        STRIDE,
        parameters + layer.weight,
        parameters + layer.bias,
        padded,
        layer.inputs,
        layer.outputs,
      );
      if (i < last) kernels.activate(layer.output, STRIDE, padded, layer.outputs, this.#activation);
    }
    return layers[last].output;
  }

  /** From the gradient of the head's output to the gradients of all parameters of a half. */
  #backward(memory: PolicyMemory, half: HalfPlan, rows: number, accumulate: boolean): void {
    const { kernels, gradients } = memory;
    const { layers } = half;
    const padded = paddedRows(rows, false);
    for (let i = layers.length - 1; i >= 0; i--) {
      const { weight, bias, input, outputGradient, inputs, outputs, transposed } = layers[i];
      kernels.linearBackwardWeight(
        gradients + weight,
        input,
        STRIDE,
        outputGradient,
        STRIDE,
        padded,
        inputs,
        outputs,
        accumulate,
      );
      kernels.linearBackwardBias(gradients + bias, outputGradient, STRIDE, padded, outputs, accumulate);
      if (i > 0) {
        kernels.linearBackwardInput(
          layers[i - 1].outputGradient,
          input,
          STRIDE,
          outputGradient,
          STRIDE,
          transposed,
          padded,
          inputs,
          outputs,
          this.#activation,
        );
      }
    }
  }

  #transposeWeights(memory: PolicyMemory, half: HalfPlan): void {
    for (let i = 1; i < half.layers.length; i++) {
      const { transposed, weight, inputs, outputs } = half.layers[i];
      memory.kernels.transposeWeight(transposed, memory.parameters + weight, inputs, outputs);
    }
  }

  #gradient(memory: PolicyMemory, losses: UpdateLosses, indices: Int32Array, hyper: UpdateHyperparameters): void {
    const { f64, batch } = memory;
    const n = indices.length;
    if (n < 1 || n > batch.capacity) {
      fail('POLICY_STATE', {
        where: 'minibatch',
        value: n,
        message: `a minibatch has from 1 to ${batch.capacity} rows of the batch`,
      });
    }
    this.#stageIndices(memory, indices);
    this.#actorGradient(memory, n, hyper);
    this.#criticGradient(memory, n, hyper);
    const actorSums = memory.actor.sums >> 3;
    losses.policyLoss = f64[actorSums] / n;
    losses.entropy = f64[actorSums + 1] / n;
    losses.approxKl = f64[actorSums + 2] / n;
    losses.clipFraction = f64[actorSums + 3] / n;
    losses.valueLoss = f64[(memory.critic.sums >> 3) + 4] / n;
    losses.gradNorm = Math.sqrt(this.#sumSquares(memory, memory.actor) + this.#sumSquares(memory, memory.critic));
    losses.stepped = false;
  }

  #sumSquares(memory: PolicyMemory, half: HalfPlan): number {
    return memory.kernels.sumSquares(memory.gradients + half.offset, half.floats);
  }

  #stageIndices(memory: PolicyMemory, indices: Int32Array): void {
    const { i32, batch } = memory;
    const to = batch.indices >> 2;
    for (let i = 0; i < indices.length; i++) {
      const index = indices[i];
      if (!(index >= 0 && index < this.#rows)) {
        fail('POLICY_STATE', {
          where: `minibatch index ${i}`,
          value: index,
          message: `the batch has ${this.#rows} rows; call setBatch first`,
        });
      }
      i32[to + i] = index;
    }
  }

  #actorGradient(memory: PolicyMemory, n: number, hyper: UpdateHyperparameters): void {
    const { kernels, f32, f64, actor, stage, batch } = memory;
    let mean = 0;
    let inverseDeviation = 1;
    if (hyper.normalizeAdvantage && n > 1) {
      kernels.advantageMoments(stage.moments, batch.advantages, batch.indices, n);
      mean = f64[stage.moments >> 3];
      inverseDeviation = 1 / (f64[(stage.moments >> 3) + 1] + 1e-8);
    }
    for (let i = 0, sums = actor.sums >> 3; i < 5; i++) f64[sums + i] = 0;
    const logStd = memory.parameters + memory.logStd;
    if (!this.#discrete) {
      kernels.gaussianDeviations(stage.deviations, logStd, this.#K);
      for (let k = 0, at = stage.logStdGradient >> 3; k < this.#K; k++) f64[at + k] = 0;
    }
    this.#transposeWeights(memory, actor);
    const head: LayerPlan = actor.layers[actor.layers.length - 1];
    for (let start = 0; start < n; start += CHUNK) {
      const rows = Math.min(CHUNK, n - start);
      const padded = paddedRows(rows, false);
      const indices = batch.indices + start * 4;
      this.#forward(memory, actor, batch.observations, indices, rows);
      if (this.#discrete) {
        kernels.categoricalLoss(
          actor.sums,
          head.outputGradient,
          head.output,
          STRIDE,
          indices,
          rows,
          padded,
          this.#A,
          batch.actions,
          this.#masked ? batch.masks : 0,
          batch.logProbs,
          batch.advantages,
          mean,
          inverseDeviation,
          hyper.clipRange,
          hyper.entCoef,
          1 / n,
          stage.softmax,
        );
      } else {
        kernels.gaussianLoss(
          actor.sums,
          stage.logStdGradient,
          head.outputGradient,
          head.output,
          STRIDE,
          indices,
          rows,
          padded,
          this.#K,
          batch.actions,
          logStd,
          stage.deviations,
          batch.logProbs,
          batch.advantages,
          mean,
          inverseDeviation,
          hyper.clipRange,
          hyper.entCoef,
          1 / n,
        );
      }
      this.#backward(memory, actor, rows, start > 0);
    }
    if (!this.#discrete) {
      const to = (memory.gradients + memory.logStd) >> 2;
      for (let k = 0, from = stage.logStdGradient >> 3; k < this.#K; k++) f32[to + k] = f64[from + k];
    }
  }

  #criticGradient(memory: PolicyMemory, n: number, hyper: UpdateHyperparameters): void {
    const { kernels, f64, critic, batch } = memory;
    for (let i = 0, sums = critic.sums >> 3; i < 5; i++) f64[sums + i] = 0;
    this.#transposeWeights(memory, critic);
    const head: LayerPlan = critic.layers[critic.layers.length - 1];
    for (let start = 0; start < n; start += CHUNK) {
      const rows = Math.min(CHUNK, n - start);
      const indices = batch.indices + start * 4;
      this.#forward(memory, critic, batch.observations, indices, rows);
      kernels.valueLoss(
        critic.sums,
        head.outputGradient,
        head.output,
        STRIDE,
        indices,
        rows,
        paddedRows(rows, false),
        batch.returns,
        batch.values,
        hyper.clipRangeVf ?? -1,
        hyper.valueClipping === 'pessimistic',
        hyper.vfCoef,
        1 / n,
      );
      this.#backward(memory, critic, rows, start > 0);
    }
  }

  #checkLength(where: string, flat: unknown): asserts flat is Float32Array {
    if (!(flat instanceof Float32Array) || flat.length !== this.parameterCount) {
      const length = flat instanceof Float32Array ? flat.length : typeof flat;
      fail('POLICY_STATE', {
        where: `policy ${where}`,
        value: length,
        message: `this policy has ${this.parameterCount} float32 numbers there`,
      });
    }
  }

  /** From panels at `region` to the flat layout. */
  #read(memory: PolicyMemory, flat: Float32Array, region: number): void {
    this.#forEachElement(memory, region, (offset, at) => {
      flat[offset] = memory.f32[at];
    });
  }

  /** From the flat layout to panels at `region`; the padding stays as it is (0). */
  #write(memory: PolicyMemory, flat: Float32Array, region: number): void {
    this.#forEachElement(memory, region, (offset, at) => {
      memory.f32[at] = flat[offset];
    });
  }

  #forEachElement(memory: PolicyMemory, region: number, visit: (offset: number, at: number) => void): void {
    for (const { layers } of [memory.actor, memory.critic]) {
      for (const { layer, weight, bias, inputs, outputs } of layers) {
        const panel = roundUp(inputs, PANEL) * PANEL;
        const start = (region + weight) / 4;
        for (let i = 0; i < inputs; i++) {
          for (let o = 0; o < outputs; o++) {
            visit(layer.weight.offset + i * outputs + o, start + (o >> 3) * panel + i * PANEL + (o & 7));
          }
        }
        for (let o = 0; o < outputs; o++) visit(layer.bias.offset + o, (region + bias) / 4 + o);
      }
    }
    const logStd = this.#plan.logStd;
    if (logStd !== null) {
      for (let k = 0; k < logStd.size; k++) visit(logStd.offset + k, (region + memory.logStd) / 4 + k);
    }
  }
}

/** One observation has its own kernel; otherwise rows are padded to a multiple of a panel. */
function paddedRows(rows: number, acting: boolean): number {
  return acting && rows === 1 ? 1 : roundUp(rows, PANEL);
}

function finite(losses: UpdateLosses): boolean {
  const { policyLoss, valueLoss, entropy, approxKl, gradNorm } = losses;
  return Number.isFinite(policyLoss + valueLoss + entropy + approxKl + gradNorm);
}

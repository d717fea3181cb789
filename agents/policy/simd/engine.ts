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
import { policyLayout } from '../layout.js';
import { CriticThread, type CriticThreadHost } from './critic-thread.js';
import { actorGradient, adamStep, criticGradient, forward, SQUARES, type AdamStep } from './halves.js';
import { PANEL } from './kernels.js';
import { CHUNK, PolicyMemory, STRIDE } from './memory.js';
import { checksumsIn, readFlat, writeFlat } from './panels.js';

const BETA1 = 0.9;
const BETA2 = 0.999;

export interface SimdEngineOptions extends EngineOptions {
  /** Where the critic learns on a thread of its own, to the same bits. The engine owns it, and stops it in `dispose`. */
  readonly criticThread?: CriticThreadHost | null;
}

/** Draws the initial parameters from `options.init`. Throws POLICY_SPEC; where a thread has died, any call TRAIN_THREAD. */
export function createSimdEngine(spec: PolicySpec, options: SimdEngineOptions): PolicyEngine {
  return new SimdEngine(spec, options);
}

class SimdEngine implements PolicyEngine {
  readonly name = 'simd';
  readonly spec: PolicySpec;
  readonly layout: readonly ParameterSlot[];
  readonly parameterCount: number;
  #memory: PolicyMemory | null;
  readonly #criticThread: CriticThread | null;
  readonly #adam: AdamStep = { gradientScale: 1, stepSize: 0, secondScale: 0, eps: 0 };
  #step = 0;
  /** beta1^t and beta2^t as running products: Math.pow differs between versions of V8. */
  #beta1Product = 1;
  #beta2Product = 1;

  constructor(spec: PolicySpec, options: SimdEngineOptions) {
    const layout = policyLayout(spec);
    this.spec = spec;
    this.layout = layout.slots;
    this.parameterCount = layout.parameterCount;
    const memory = new PolicyMemory(spec, layout);
    writeFlat(memory, initialParameters(spec, options.init), memory.parameters);
    this.#memory = memory;
    const host = options.criticThread ?? null;
    this.#criticThread = host === null ? null : new CriticThread(host, memory, spec);
  }

  act(
    out: ActOutput,
    observations: Float32Array,
    masks: Uint8Array | null,
    noise: Float64Array | null,
    batch: number,
  ): void {
    const memory = this.#settled();
    const { kernels, stage, actor, critic, f32, f64 } = memory;
    const K = memory.K;
    for (let start = 0; start < batch; start += CHUNK) {
      const rows = Math.min(CHUNK, batch - start);
      this.#stageObservations(memory, observations, start, rows);
      const maskAt = this.#stageMasks(memory, masks, start, rows);
      let noiseAt = 0;
      if (noise !== null) {
        noiseAt = stage.noise;
        for (let i = 0, to = noiseAt >>> 3, from = start * K; i < rows * K; i++) f64[to + i] = noise[from + i];
      }
      const head = forward(memory, actor, stage.observations, 0, rows);
      if (memory.discrete) {
        kernels.categoricalAct(
          stage.actions,
          stage.logProbs,
          head,
          STRIDE,
          rows,
          memory.A,
          maskAt,
          noiseAt,
          stage.softmax,
        );
      } else {
        const logStd = memory.parameters + memory.logStd;
        kernels.gaussianDeviations(stage.deviations, logStd, K);
        kernels.gaussianAct(stage.actions, stage.logProbs, head, STRIDE, rows, K, logStd, stage.deviations, noiseAt);
      }
      const values = forward(memory, critic, stage.observations, 0, rows) >>> 2;
      for (let i = 0, from = stage.actions >>> 2, to = start * K; i < rows * K; i++)
        out.actions[to + i] = f32[from + i];
      for (let i = 0, from = stage.logProbs >>> 2; i < rows; i++) {
        out.logProbs[start + i] = f32[from + i];
        out.values[start + i] = f32[values + i * PANEL];
      }
    }
  }

  predictValues(values: Float32Array, observations: Float32Array, batch: number): void {
    const memory = this.#settled();
    for (let start = 0; start < batch; start += CHUNK) {
      const rows = Math.min(CHUNK, batch - start);
      this.#stageObservations(memory, observations, start, rows);
      const head = forward(memory, memory.critic, memory.stage.observations, 0, rows) >>> 2;
      for (let i = 0; i < rows; i++) values[start + i] = memory.f32[head + i * PANEL];
    }
  }

  distribution(out: Float32Array, observations: Float32Array, masks: Uint8Array | null, batch: number): void {
    const memory = this.#settled();
    const { kernels, stage, f32 } = memory;
    const A = memory.A;
    for (let start = 0; start < batch; start += CHUNK) {
      const rows = Math.min(CHUNK, batch - start);
      this.#stageObservations(memory, observations, start, rows);
      const maskAt = this.#stageMasks(memory, masks, start, rows);
      const head = forward(memory, memory.actor, stage.observations, 0, rows);
      if (memory.discrete) {
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
      for (let i = 0, from = stage.probabilities >>> 2, to = start * A; i < rows * A; i++) out[to + i] = f32[from + i];
    }
  }

  setBatch(batch: TrainingBatch): void {
    checkBatch(this.spec, batch);
    const memory = this.#settled();
    const plan = memory.reserveBatch(batch.size);
    const T = batch.size;
    memory.f32.set(batch.observations.subarray(0, T * memory.O), plan.observations >>> 2);
    memory.f32.set(batch.actions.subarray(0, T * memory.K), plan.actions >>> 2);
    memory.f32.set(batch.logProbs.subarray(0, T), plan.logProbs >>> 2);
    memory.f32.set(batch.values.subarray(0, T), plan.values >>> 2);
    memory.f32.set(batch.advantages.subarray(0, T), plan.advantages >>> 2);
    memory.f32.set(batch.returns.subarray(0, T), plan.returns >>> 2);
    if (batch.masks !== null) memory.u8.set(batch.masks.subarray(0, T * memory.A), plan.masks);
    memory.masked = batch.masks !== null;
    memory.rows = T;
  }

  update(losses: UpdateLosses, indices: Int32Array, hyper: UpdateHyperparameters): void {
    const memory = this.#live();
    const thread = this.#criticThread;
    this.#gradient(memory, losses, indices, hyper);
    if (!finite(losses) || (hyper.klLimit !== null && losses.approxKl > hyper.klLimit)) return;
    this.#step += 1;
    this.#beta1Product *= BETA1;
    this.#beta2Product *= BETA2;
    const adam = this.#adam;
    adam.gradientScale = hyper.maxGradNorm === null ? 1 : Math.min(1, hyper.maxGradNorm / (losses.gradNorm + 1e-6));
    adam.stepSize = hyper.learningRate / (1 - this.#beta1Product);
    adam.secondScale = 1 / Math.sqrt(1 - this.#beta2Product);
    adam.eps = hyper.adamEps;
    // nobody waits for the critic's step: its next gradient comes after it, and `#settled` whoever reads parameters
    thread?.beginStep(adam);
    adamStep(memory, memory.actor, adam);
    if (thread === null) adamStep(memory, memory.critic, adam);
    losses.stepped = true;
  }

  gradients(gradient: Float32Array, losses: UpdateLosses, indices: Int32Array, hyper: UpdateHyperparameters): void {
    const memory = this.#settled();
    this.#checkLength('gradient', gradient);
    this.#gradient(memory, losses, indices, hyper);
    readFlat(memory, gradient, memory.gradients);
  }

  findNonFinite(): NonFinite | null {
    const memory = this.#settled();
    const values = new Float32Array(this.parameterCount);
    for (const kind of ['parameter', 'gradient'] as const) {
      readFlat(memory, values, kind === 'parameter' ? memory.parameters : memory.gradients);
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
    const memory = this.#settled();
    const flat = new Float32Array(this.parameterCount);
    readFlat(memory, flat, memory.parameters);
    return flat;
  }

  checksums(out: Uint32Array): void {
    const memory = this.#settled();
    checksumsIn(memory, out, memory.parameters);
  }

  setParameters(parameters: Float32Array): void {
    const memory = this.#settled();
    this.#checkLength('parameters', parameters);
    writeFlat(memory, parameters, memory.parameters);
  }

  getState(): StateDict {
    const memory = this.#settled();
    const firstMoments = new Float32Array(this.parameterCount);
    const secondMoments = new Float32Array(this.parameterCount);
    readFlat(memory, firstMoments, memory.firstMoments);
    readFlat(memory, secondMoments, memory.secondMoments);
    return {
      parameters: this.getParameters(),
      firstMoments,
      secondMoments,
      step: this.#step,
      betaProducts: Float64Array.of(this.#beta1Product, this.#beta2Product),
    };
  }

  setState(state: StateDict): void {
    const memory = this.#settled();
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
    writeFlat(memory, parameters, memory.parameters);
    writeFlat(memory, firstMoments, memory.firstMoments);
    writeFlat(memory, secondMoments, memory.secondMoments);
    this.#step = step;
    this.#beta1Product = betaProducts[0];
    this.#beta2Product = betaProducts[1];
  }

  dispose(): void {
    if (this.#memory !== null) this.#criticThread?.stop();
    this.#memory = null;
  }

  /** The memory where no other thread is at work in it. */
  #settled(): PolicyMemory {
    const memory = this.#live();
    this.#criticThread?.settle();
    return memory;
  }

  #live(): PolicyMemory {
    if (this.#memory === null)
      fail('POLICY_STATE', { where: 'policy engine simd', message: 'the engine was disposed of: create another' });
    return this.#memory;
  }

  #stageObservations(memory: PolicyMemory, observations: Float32Array, start: number, rows: number): void {
    const { f32, stage } = memory;
    const from = start * memory.O;
    const to = stage.observations >>> 2;
    const count = rows * memory.O;
    for (let i = 0; i < count; i++) f32[to + i] = observations[from + i];
  }

  #stageMasks(memory: PolicyMemory, masks: Uint8Array | null, start: number, rows: number): number {
    if (masks === null) return 0;
    const { u8, stage } = memory;
    const from = start * memory.A;
    const count = rows * memory.A;
    for (let i = 0; i < count; i++) u8[stage.masks + i] = masks[from + i];
    return stage.masks;
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
    const thread = this.#criticThread;
    thread?.beginGradient(n, hyper);
    actorGradient(memory, n, hyper);
    if (thread === null) criticGradient(memory, n, hyper);
    else thread.finishGradient();
    const actorSums = memory.actor.sums >>> 3;
    const criticSums = memory.critic.sums >>> 3;
    losses.policyLoss = f64[actorSums] / n;
    losses.entropy = f64[actorSums + 1] / n;
    losses.approxKl = f64[actorSums + 2] / n;
    losses.clipFraction = f64[actorSums + 3] / n;
    losses.valueLoss = f64[criticSums + 4] / n;
    losses.gradNorm = Math.sqrt(f64[actorSums + SQUARES] + f64[criticSums + SQUARES]);
    losses.stepped = false;
  }

  #stageIndices(memory: PolicyMemory, indices: Int32Array): void {
    const { i32, batch } = memory;
    const to = batch.indices >>> 2;
    for (let i = 0; i < indices.length; i++) {
      const index = indices[i];
      if (!(index >= 0 && index < memory.rows)) {
        fail('POLICY_STATE', {
          where: `minibatch index ${i}`,
          value: index,
          message: `the batch has ${memory.rows} rows; call setBatch first`,
        });
      }
      i32[to + i] = index;
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
}

function finite(losses: UpdateLosses): boolean {
  const { policyLoss, valueLoss, entropy, approxKl, gradNorm } = losses;
  return Number.isFinite(policyLoss + valueLoss + entropy + approxKl + gradNorm);
}

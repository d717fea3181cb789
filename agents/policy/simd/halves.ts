/**
 * A half's pass over a minibatch: forward, loss, backward. `actorGradient` and `criticGradient` share nothing that
 * either writes (see memory.ts), so that they may run one after the other or side by side.
 */
import type { UpdateHyperparameters } from '../contract.js';
import { PANEL, roundUp } from './kernels.js';
import { CHUNK, STRIDE, type HalfPlan, type LayerPlan, type PolicyMemory } from './memory.js';

/** Where `HalfPlan.sums` keeps the sum of squares of the gradient. */
export const SQUARES = 5;

/** What the critic's gradient is asked with. */
export interface CriticHyperparameters {
  clipRangeVf: UpdateHyperparameters['clipRangeVf'];
  valueClipping?: UpdateHyperparameters['valueClipping'];
  vfCoef: number;
}

/** One step of Adam, common to both halves. */
export interface AdamStep {
  /** Factor of the gradient, from clipping by the common norm. */
  gradientScale: number;
  /** learning rate / (1 - beta1^t) */
  stepSize: number;
  /** 1 / sqrt(1 - beta2^t) */
  secondScale: number;
  eps: number;
}

/** Gathers `rows` rows and runs them through a half; returns the address of the head's output in panels. */
export function forward(
  memory: PolicyMemory,
  half: HalfPlan,
  observations: number,
  indices: number,
  rows: number,
): number {
  const { kernels, parameters } = memory;
  const { layers } = half;
  const padded = paddedRows(rows, indices === 0);
  kernels.gatherRows(layers[0].input, STRIDE, observations, indices, rows, padded, memory.O);
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
    if (i < last) kernels.activate(layer.output, STRIDE, padded, layer.outputs, memory.activation);
  }
  return layers[last].output;
}

/** Gradient, and in `sums` the losses' sums and the gradient's squares. */
export function actorGradient(memory: PolicyMemory, n: number, hyper: UpdateHyperparameters): void {
  const { kernels, f32, f64, actor, stage, batch } = memory;
  let mean = 0;
  let inverseDeviation = 1;
  if (hyper.normalizeAdvantage && n > 1) {
    kernels.advantageMoments(stage.moments, batch.advantages, batch.indices, n);
    mean = f64[stage.moments >>> 3];
    inverseDeviation = 1 / (f64[(stage.moments >>> 3) + 1] + 1e-8);
  }
  for (let i = 0, sums = actor.sums >>> 3; i < 5; i++) f64[sums + i] = 0;
  const logStd = memory.parameters + memory.logStd;
  if (!memory.discrete) {
    kernels.gaussianDeviations(stage.deviations, logStd, memory.K);
    for (let k = 0, at = stage.logStdGradient >>> 3; k < memory.K; k++) f64[at + k] = 0;
  }
  transposeWeights(memory, actor);
  const head: LayerPlan = actor.layers[actor.layers.length - 1];
  for (let start = 0; start < n; start += CHUNK) {
    const rows = Math.min(CHUNK, n - start);
    const padded = paddedRows(rows, false);
    const indices = batch.indices + start * 4;
    forward(memory, actor, batch.observations, indices, rows);
    if (memory.discrete) {
      kernels.categoricalLoss(
        actor.sums,
        head.outputGradient,
        head.output,
        STRIDE,
        indices,
        rows,
        padded,
        memory.A,
        batch.actions,
        memory.masked ? batch.masks : 0,
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
        memory.K,
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
    backward(memory, actor, rows, start > 0);
  }
  if (!memory.discrete) {
    const to = (memory.gradients + memory.logStd) >>> 2;
    for (let k = 0, from = stage.logStdGradient >>> 3; k < memory.K; k++) f32[to + k] = f64[from + k];
  }
  sumSquares(memory, actor);
}

export function criticGradient(memory: PolicyMemory, n: number, hyper: CriticHyperparameters): void {
  const { kernels, f64, critic, batch } = memory;
  for (let i = 0, sums = critic.sums >>> 3; i < 5; i++) f64[sums + i] = 0;
  transposeWeights(memory, critic);
  const head: LayerPlan = critic.layers[critic.layers.length - 1];
  for (let start = 0; start < n; start += CHUNK) {
    const rows = Math.min(CHUNK, n - start);
    const indices = batch.indices + start * 4;
    forward(memory, critic, batch.observations, indices, rows);
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
    backward(memory, critic, rows, start > 0);
  }
  sumSquares(memory, critic);
}

function sumSquares(memory: PolicyMemory, half: HalfPlan): void {
  const squares = memory.kernels.sumSquares(memory.gradients + half.offset, half.floats);
  memory.f64[(half.sums >>> 3) + SQUARES] = squares;
}

export function adamStep(memory: PolicyMemory, half: HalfPlan, step: AdamStep): void {
  const { kernels, parameters, gradients, firstMoments, secondMoments } = memory;
  const { offset, floats } = half;
  kernels.adamStep(
    parameters + offset,
    gradients + offset,
    firstMoments + offset,
    secondMoments + offset,
    floats,
    step.gradientScale,
    step.stepSize,
    step.secondScale,
    step.eps,
  );
}

/** From the gradient of the head's output to the gradients of all parameters of a half. */
export function backward(memory: PolicyMemory, half: HalfPlan, rows: number, accumulate: boolean): void {
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
        memory.activation,
      );
    }
  }
}

/** The copies that `backward` reads: once a minibatch, before its first piece. */
export function transposeWeights(memory: PolicyMemory, half: HalfPlan): void {
  for (let i = 1; i < half.layers.length; i++) {
    const { transposed, weight, inputs, outputs } = half.layers[i];
    memory.kernels.transposeWeight(transposed, memory.parameters + weight, inputs, outputs);
  }
}

/** One observation has its own kernel; otherwise rows are padded to a multiple of a panel. */
function paddedRows(rows: number, acting: boolean): number {
  return acting && rows === 1 ? 1 : roundUp(rows, PANEL);
}

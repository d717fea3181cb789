/** PPO's loss of a minibatch in TensorFlow.js, which differentiates it. */
import * as tf from '@tensorflow/tfjs';
import type { PolicySpec, TrainingBatch, UpdateHyperparameters, UpdateLosses } from '../contract.js';
import { actionColumns, headSize } from '../layout.js';
import type { Network } from './network.js';

export const HALF_LOG_TWO_PI = 0.9189385332046727;
/** Logit of a masked action, as sb3-contrib sets it. */
export const MASKED = -1e8;

/**
 * policyLoss - entCoef x entropy + vfCoef x valueLoss, and the regularisers of the network's layers where it has some.
 * Fills `losses` but for the gradient's norm. Call it inside tf.tidy.
 */
export function ppoLoss(
  losses: UpdateLosses,
  network: Network,
  spec: PolicySpec,
  batch: TrainingBatch,
  indices: Int32Array,
  hyper: UpdateHyperparameters,
): tf.Scalar {
  const n = indices.length;
  const O = spec.observationSize;
  const column = (from: Float32Array): tf.Tensor1D => tf.tensor1d(Float32Array.from(indices, (i) => from[i]));
  const x = tf.tensor2d(rowsOf(batch.observations, indices, O), [n, O]);
  const oldLogProbs = column(batch.logProbs);
  const oldValues = column(batch.values);
  const returns = column(batch.returns);
  let advantages = column(batch.advantages);
  if (hyper.normalizeAdvantage && n > 1) {
    const centred = tf.sub(advantages, tf.mean(advantages));
    const deviation = tf.sqrt(tf.div(tf.sum(tf.square(centred)), n - 1));
    advantages = tf.div(centred, tf.add(deviation, 1e-8));
  }
  const { head, values } = network.forward(x);
  const actions = rowsOf(batch.actions, indices, actionColumns(spec));
  const { logProbs, entropy } =
    network.logStd === null
      ? categorical(head, actions, batch.masks === null ? null : maskRows(batch.masks, indices, headSize(spec)))
      : gaussian(head, actions, network.logStd.variable);
  const logRatio = tf.sub(logProbs, oldLogProbs);
  const ratio = tf.exp(logRatio);
  const clipped = tf.clipByValue(ratio, 1 - hyper.clipRange, 1 + hyper.clipRange);
  const policyLoss = tf.neg(tf.mean(tf.minimum(tf.mul(advantages, ratio), tf.mul(advantages, clipped))));

  let squares = tf.square(tf.sub(values, returns));
  if (hyper.clipRangeVf !== null) {
    const clamped = tf.add(oldValues, tf.clipByValue(tf.sub(values, oldValues), -hyper.clipRangeVf, hyper.clipRangeVf));
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
  const loss = tf.add(tf.sub(policyLoss, tf.mul(hyper.entCoef, meanEntropy)), tf.mul(hyper.vfCoef, valueLoss));
  const regularization = network.regularization();
  return (regularization === null ? loss : tf.add(loss, regularization)).asScalar();
}

/** logProbs (B) and entropy (B); masked actions have probability 0 and no share in the entropy. */
function categorical(
  head: tf.Tensor2D,
  actions: Float32Array,
  masks: tf.Tensor2D | null,
): { logProbs: tf.Tensor; entropy: tf.Tensor } {
  const logits = masks === null ? head : tf.where(tf.cast(masks, 'bool'), head, tf.mul(tf.onesLike(head), MASKED));
  const logSoftmax = tf.logSoftmax(logits);
  const chosen = tf.oneHot(tf.tensor1d(Int32Array.from(actions), 'int32'), head.shape[1]);
  const logProbs = tf.sum(tf.mul(logSoftmax, chosen), 1);
  const terms = tf.mul(tf.exp(logSoftmax), logSoftmax);
  const entropy = tf.neg(tf.sum(masks === null ? terms : tf.mul(terms, masks), 1));
  return { logProbs, entropy };
}

/** logProbs (B) and entropy (B) of a diagonal normal distribution about `head` (B,K). */
function gaussian(
  head: tf.Tensor2D,
  actions: Float32Array,
  logStd: tf.Tensor,
): { logProbs: tf.Tensor; entropy: tf.Tensor } {
  const [n, K] = head.shape;
  const z = tf.div(tf.sub(tf.tensor2d(actions, [n, K]), head), tf.exp(logStd));
  const logProbs = tf.sum(tf.sub(tf.mul(-0.5, tf.square(z)), tf.add(logStd, HALF_LOG_TWO_PI)), 1);
  const entropy = tf.mul(tf.ones([n]), tf.sum(tf.add(logStd, 0.5 + HALF_LOG_TWO_PI)));
  return { logProbs, entropy };
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

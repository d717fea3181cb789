/** The policy of net_arch and activation_fn as LayersModels: the same tensors as the simd engine's, in the same order. */
import * as tf from '@tensorflow/tfjs';
import type { PolicySpec } from '../contract.js';
import { policyLayout, type LinearLayer } from '../layout.js';
import type { PolicyModels } from './policy-module.js';

/** Weights are zero: the engine sets them from the drawn parameters. */
export function buildMlp(spec: PolicySpec): PolicyModels {
  const tower = (layers: readonly LinearLayer[]): tf.LayersModel => {
    const input = tf.input({ shape: [spec.observationSize] });
    let x = input;
    for (const { outputs, role } of layers) {
      const activation = role === 'hidden' ? spec.activation : 'linear';
      const y = tf.layers.dense({ units: outputs, activation, kernelInitializer: 'zeros' }).apply(x);
      if (!(y instanceof tf.SymbolicTensor)) throw new TypeError('a dense layer of a symbolic input is symbolic');
      x = y;
    }
    return tf.model({ inputs: input, outputs: x });
  };
  const { actor, critic } = policyLayout(spec);
  return { actor: tower(actor), critic: tower(critic) };
}

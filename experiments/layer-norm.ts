/**
 * Networks of one's own for the tfjs engine (docs/tfjs-engine.md): two towers of layer normalisation and swish, or elu
 * where the experiment says so under agent.policy.kwargs.
 */
import * as tf from '@tensorflow/tfjs';
import type { PolicyContext, PolicyModels } from '#agents/policy/tfjs/policy-module.js';

/**
 * The function of tf.layers.layerNormalization on vectors, as a layer of one's own: the built-in one repeats its
 * weights for each row, and differentiates that row by row, which takes several times as long.
 */
class LayerNorm extends tf.layers.Layer {
  static className = 'LayerNorm';
  #gamma: tf.LayerVariable | null = null;
  #beta: tf.LayerVariable | null = null;

  override build(inputShape: tf.Shape): void {
    const size = inputShape.at(-1) ?? null;
    this.#gamma = this.addWeight('gamma', [size], 'float32', tf.initializers.ones());
    this.#beta = this.addWeight('beta', [size], 'float32', tf.initializers.zeros());
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = Array.isArray(inputs) ? inputs[0] : inputs;
    if (this.#gamma === null || this.#beta === null) throw new Error('build comes before call');
    const [gamma, beta] = [this.#gamma.read(), this.#beta.read()];
    return tf.tidy(() => {
      const centred = tf.sub(x, tf.mean(x, -1, true));
      const variance = tf.mean(tf.square(centred), -1, true);
      const normal = tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-3)));
      return tf.add(tf.mul(normal, gamma), beta);
    });
  }
}

export function buildPolicy({ observationSize, actionOutputs, kwargs }: PolicyContext): PolicyModels {
  const units = Number(kwargs['units'] ?? 64);
  const activation = kwargs['activation'] === 'elu' ? 'elu' : 'swish';

  /** `deviation` of the head's initial weights: a small one makes the first policy nearly uniform. */
  const tower = (name: string, outputs: number, deviation: number): tf.LayersModel =>
    tf.sequential({
      name,
      layers: [
        tf.layers.dense({ name: 'hidden1', units, inputShape: [observationSize] }),
        new LayerNorm({ name: 'norm1' }),
        tf.layers.activation({ name: 'activation1', activation }),
        tf.layers.dense({ name: 'hidden2', units }),
        new LayerNorm({ name: 'norm2' }),
        tf.layers.activation({ name: 'activation2', activation }),
        tf.layers.dense({
          name: 'output',
          units: outputs,
          kernelInitializer: tf.initializers.randomNormal({ stddev: deviation }),
        }),
      ],
    });

  return { actor: tower('actor', actionOutputs, 0.001), critic: tower('critic', 1, 0.1) };
}

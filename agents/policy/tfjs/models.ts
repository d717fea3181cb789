/** Takes what a user's function returned for an actor-critic, or says what is wrong with it. */
import * as tf from '@tensorflow/tfjs';
import { fail } from '#src/errors.js';
import type { PolicySpec } from '../contract.js';
import { headSize } from '../layout.js';

/** Models as they are evaluated: two of one output, or one of two. */
export type ActorCriticModels = { actor: tf.LayersModel; critic: tf.LayersModel } | { actorCritic: tf.LayersModel };

/** PPO evaluates one and the same network when it acts and when it learns: these do something while fitting alone. */
const FITTING_ONLY: Readonly<Record<string, string>> = {
  BatchNormalization: 'its statistics would never be learned; take tf.layers.layerNormalization',
  Dropout: 'it would never drop anything; leave it out',
  SpatialDropout1D: 'it would never drop anything; leave it out',
  AlphaDropout: 'it would never drop anything; leave it out',
  GaussianDropout: 'it would never drop anything; leave it out',
  GaussianNoise: 'it would add no noise; leave it out',
};

/** Throws POLICY_MODULE, naming `where` (the user's file), what was expected and what was there. */
export function checkModels(returned: unknown, spec: PolicySpec, where: string): ActorCriticModels {
  if (returned instanceof Promise) {
    // its own failure would go unhandled beside the one that is thrown here
    returned.catch(() => undefined);
    refuse(where, 'Promise', 'the function must return the models themselves: make it synchronous');
  }
  if (typeof returned !== 'object' || returned === null)
    refuse(where, typeOf(returned), 'the function must return { actor, critic } or { actorCritic }');
  const O = spec.observationSize;
  const head: Output = { what: spec.action.kind === 'discrete' ? 'logits' : 'means', size: headSize(spec) };
  const value: Output = { what: 'value', size: 1 };
  if ('actorCritic' in returned) {
    const actorCritic = checkModel(returned.actorCritic, 'actorCritic', O, [head, value], where);
    return { actorCritic };
  }
  const actor = checkModel('actor' in returned ? returned.actor : undefined, 'actor', O, [head], where);
  const critic = checkModel('critic' in returned ? returned.critic : undefined, 'critic', O, [value], where);
  return { actor, critic };
}

interface Output {
  readonly what: string;
  readonly size: number;
}

function checkModel(
  model: unknown,
  name: string,
  inputSize: number,
  outputs: readonly Output[],
  where: string,
): tf.LayersModel {
  if (!(model instanceof tf.LayersModel))
    return refuse(where, typeOf(model), `${name} must be a tf.LayersModel (tf.model or tf.sequential)`);
  if (model.inputs === undefined || model.outputs === undefined)
    return refuse(where, model.name, `${name} is not built: give its first layer inputShape: [${inputSize}]`);
  const shown = (shapes: readonly (readonly (number | null)[])[]): string =>
    shapes.map((shape) => `[${shape.map((size) => size ?? 'batch').join(', ')}]`).join(' and ');
  const inputs = model.inputs.map(({ shape }) => shape);
  if (inputs.length !== 1 || !fits(inputs[0], inputSize))
    refuse(where, shown(inputs), `${name} must take one input of shape ${shown([[null, inputSize]])}`);
  const had = model.outputs.map(({ shape }) => shape);
  if (had.length !== outputs.length || !outputs.every(({ size }, i) => fits(had[i], size))) {
    const expected = outputs.map(({ what, size }) => `${what} ${shown([[null, size]])}`).join(' and ');
    refuse(where, shown(had), `${name} must put out ${expected}`);
  }
  for (const layer of layersOf(model)) {
    const why = FITTING_ONLY[layer.getClassName()];
    if (why !== undefined) refuse(where, layer.name, `${name} has a layer of ${layer.getClassName()}: ${why}`);
    if ('stateful' in layer && layer.stateful === true)
      refuse(where, layer.name, `${name} has a stateful layer: a row must not depend on the rows before it`);
  }
  if (model.trainableWeights.length === 0)
    refuse(where, model.name, `${name} has no trainable weights: nothing could be learned`);
  return model;
}

/** Of nested models and wrappers, too. */
function layersOf(model: tf.LayersModel): tf.layers.Layer[] {
  return model.layers.flatMap((layer) => {
    if (layer instanceof tf.LayersModel) return layersOf(layer);
    return 'layer' in layer && layer.layer instanceof tf.layers.Layer ? [layer, layer.layer] : [layer];
  });
}

const fits = (shape: readonly (number | null)[], size: number): boolean =>
  shape.length === 2 && shape[0] === null && shape[1] === size;

function typeOf(value: unknown): string {
  return typeof value === 'object' && value !== null
    ? `an object of ${value.constructor?.name ?? 'no class'}`
    : typeof value;
}

export function refuse(where: string, value: unknown, message: string): never {
  return fail('POLICY_MODULE', { where, value, message });
}

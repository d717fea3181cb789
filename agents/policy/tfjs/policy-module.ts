/** What a user's policy file exports: a function that builds the networks of an actor-critic as tf.LayersModels. */
import type * as tf from '@tensorflow/tfjs';
import type { PolicySpec } from '../contract.js';

/** What the function is told. `spec` holds net_arch and the like of the experiment, to use or to leave. */
export interface PolicyContext {
  /** O: the models take inputs of shape [O]. */
  readonly observationSize: number;
  /** A: the actor puts out [A] numbers: logits of discrete actions, or the means of a Box. Without an activation. */
  readonly actionOutputs: number;
  readonly spec: PolicySpec;
  /** For initialisers: a non-negative integer that follows from the run's seed. */
  readonly seed: number;
  /** `agent.policy.kwargs` of the experiment. */
  readonly kwargs: Readonly<Record<string, unknown>>;
}

/** Two networks, which may share layers, or one with two outputs: [A] and [1], in this order. */
export type PolicyModels =
  | { readonly actor: tf.LayersModel; readonly critic: tf.LayersModel }
  | { readonly actorCritic: tf.LayersModel };

/** `export function buildPolicy(context)`, or the default export. */
export type BuildPolicy = (context: PolicyContext) => PolicyModels;

/**
 * A NaN or an infinity ends the training at once: the numbers after it mean nothing. What is left is a dump that
 * shows the same number again, with `replayDump` for one minibatch, or for a whole update by
 * `ppo.setState(dump.before)` and `ppo.update()` on a Ppo made with the run's configuration and seed.
 */
import { childState, type StateDict, type StateValue } from '#env/state.js';
import { fail, OpenBellError } from '#src/errors.js';
import type {
  NonFinite,
  PolicyEngine,
  TrainingBatch,
  UpdateHyperparameters,
  UpdateLosses,
} from '../policy/contract.js';

const FORMAT = 'openbell-non-finite-1';

/** TRAIN_NON_FINITE. `dump` is plain: a checkpoint's writer can store it. */
export class NonFiniteError extends OpenBellError {
  readonly dump: StateDict;

  constructor(incident: Incident, before: StateDict, minibatch: StateDict | null) {
    const { tensor, value, update, seed, detail } = incident;
    super('TRAIN_NON_FINITE', {
      where: tensor,
      value,
      message:
        `training stopped in update ${update} of seed ${seed}, ${detail}. Nothing after it would mean anything: look at ` +
        'the data and the rewards first, then try a lower learning rate or normalisation; the dump replays the same number',
    });
    this.name = 'NonFiniteError';
    this.dump = { format: FORMAT, tensor, value: Float64Array.of(value), update, seed, detail, before, minibatch };
  }
}

export interface Incident {
  /** Name of the tensor, with the element: `reward[3]`, `gradient pi.0.weight[17]`. */
  readonly tensor: string;
  readonly value: number;
  /** 1-based. */
  readonly update: number;
  readonly seed: number;
  /** Where in the update: the step of the rollout, or epoch and minibatch. */
  readonly detail: string;
}

/** The first element that is NaN or infinite, or -1. */
export function firstNonFinite(values: Float32Array | Float64Array, count = values.length): number {
  for (let i = 0; i < count; i++) if (!Number.isFinite(values[i])) return i;
  return -1;
}

/** The name of the first loss that is not finite, or null. The clip fraction cannot be anything else. */
export function nonFiniteLoss(
  losses: UpdateLosses,
): 'policyLoss' | 'valueLoss' | 'entropy' | 'approxKl' | 'gradNorm' | null {
  for (const name of ['policyLoss', 'valueLoss', 'entropy', 'approxKl', 'gradNorm'] as const) {
    if (!Number.isFinite(losses[name])) return name;
  }
  return null;
}

/** What a minibatch was made of, and what came of it. The engine must still stand where it stood before the step. */
export function minibatchDump(
  engine: PolicyEngine,
  batch: TrainingBatch,
  rows: Int32Array,
  hyper: UpdateHyperparameters,
  losses: UpdateLosses,
): StateDict {
  const { observationSize, action } = engine.spec;
  const masks = batch.masks === null || action.kind === 'box' ? null : takeBytes(batch.masks, rows, action.n);
  return {
    engine: engine.getState(),
    rows: rows.slice(),
    observations: take(batch.observations, rows, observationSize),
    actions: take(batch.actions, rows, action.kind === 'box' ? action.size : 1),
    masks,
    logProbs: take(batch.logProbs, rows, 1),
    values: take(batch.values, rows, 1),
    advantages: take(batch.advantages, rows, 1),
    returns: take(batch.returns, rows, 1),
    hyper: { ...hyper },
    losses: lossArray(losses),
  };
}

export interface Replay {
  readonly losses: UpdateLosses;
  /** (parameterCount) */
  readonly gradient: Float32Array;
  readonly nonFinite: NonFinite | null;
  /** Whether every loss has the bits that the dump recorded. */
  readonly reproduced: boolean;
}

/**
 * Puts `engine`, made for the same policy, where it stood and computes losses and gradient of the dumped minibatch
 * again. Throws CHECKPOINT_CORRUPT where `dump` is none or holds no minibatch, POLICY_STATE for another policy.
 */
export function replayDump(dump: StateDict, engine: PolicyEngine): Replay {
  if (dump['format'] !== FORMAT) refuse('format', dump['format'], `a dump says ${FORMAT}`);
  if (dump['minibatch'] === null) {
    refuse('minibatch', null, 'the number arose in the rollout: replay it by setState(dump.before) and update()');
  }
  const minibatch = childState(dump, 'minibatch', 'dump', 'CHECKPOINT_CORRUPT');
  engine.setState(childState(minibatch, 'engine', 'dump', 'CHECKPOINT_CORRUPT'));
  const advantages = floats(minibatch, 'advantages');
  const size = advantages.length;
  engine.setBatch({
    size,
    observations: floats(minibatch, 'observations'),
    actions: floats(minibatch, 'actions'),
    masks: bytesOrNull(minibatch, 'masks'),
    logProbs: floats(minibatch, 'logProbs'),
    values: floats(minibatch, 'values'),
    advantages,
    returns: floats(minibatch, 'returns'),
  });
  const losses: UpdateLosses = emptyLosses();
  const gradient = new Float32Array(engine.parameterCount);
  const hyper = readHyper(childState(minibatch, 'hyper', 'dump', 'CHECKPOINT_CORRUPT'));
  engine.gradients(
    gradient,
    losses,
    Int32Array.from({ length: size }, (_, i) => i),
    hyper,
  );
  const recorded = minibatch['losses'];
  if (!(recorded instanceof Float64Array)) return refuse('losses', recorded, 'a Float64Array was dumped');
  const reproduced = lossArray(losses).every((value, i) => Object.is(value, recorded[i]));
  return { losses, gradient, nonFinite: engine.findNonFinite(), reproduced };
}

export function emptyLosses(): UpdateLosses {
  return { policyLoss: 0, valueLoss: 0, entropy: 0, approxKl: 0, clipFraction: 0, gradNorm: 0, stepped: false };
}

function lossArray(losses: UpdateLosses): Float64Array {
  const { policyLoss, valueLoss, entropy, approxKl, clipFraction, gradNorm } = losses;
  return Float64Array.of(policyLoss, valueLoss, entropy, approxKl, clipFraction, gradNorm);
}

function take(values: Float32Array, rows: Int32Array, columns: number): Float32Array {
  const out = new Float32Array(rows.length * columns);
  rows.forEach((row, i) => out.set(values.subarray(row * columns, (row + 1) * columns), i * columns));
  return out;
}

function takeBytes(values: Uint8Array, rows: Int32Array, columns: number): Uint8Array {
  const out = new Uint8Array(rows.length * columns);
  rows.forEach((row, i) => out.set(values.subarray(row * columns, (row + 1) * columns), i * columns));
  return out;
}

function readHyper(state: StateDict): UpdateHyperparameters {
  return {
    learningRate: number(state, 'learningRate'),
    clipRange: number(state, 'clipRange'),
    clipRangeVf: numberOrNull(state, 'clipRangeVf'),
    valueClipping: state['valueClipping'] === 'pessimistic' ? 'pessimistic' : 'clamped',
    normalizeAdvantage: state['normalizeAdvantage'] === true,
    entCoef: number(state, 'entCoef'),
    vfCoef: number(state, 'vfCoef'),
    maxGradNorm: numberOrNull(state, 'maxGradNorm'),
    adamEps: number(state, 'adamEps'),
    klLimit: numberOrNull(state, 'klLimit'),
  };
}

function number(state: StateDict, key: string): number {
  const value = state[key];
  return typeof value === 'number' ? value : refuse(`hyper.${key}`, value, 'a number was dumped');
}

function numberOrNull(state: StateDict, key: string): number | null {
  return state[key] === null ? null : number(state, key);
}

function floats(state: StateDict, key: string): Float32Array {
  const value = state[key];
  return value instanceof Float32Array ? value : refuse(key, value, 'a Float32Array was dumped');
}

function bytesOrNull(state: StateDict, key: string): Uint8Array | null {
  const value = state[key];
  return value === null || value instanceof Uint8Array ? value : refuse(key, value, 'a Uint8Array or null was dumped');
}

function refuse(key: string, value: StateValue | undefined, message: string): never {
  return fail('CHECKPOINT_CORRUPT', { where: `dump.${key}`, value, message });
}

/**
 * What `getState` returns and `setState` takes, all over env/ and agents/: plain values and typed arrays,
 * nested. A checkpoint stores the typed arrays as tensors and the rest as JSON. A number that may be NaN,
 * infinite or minus zero belongs in a typed array, since JSON cannot carry it.
 */
import { type ErrorCode, fail } from '#src/errors.js';

export type StateArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;
export type StateValue = number | string | boolean | null | StateArray | StateValue[] | StateDict;
export interface StateDict {
  [key: string]: StateValue;
}

/** Whatever can be frozen in a checkpoint and brought back to the very bit. */
export interface Stateful {
  /** A deep copy: later steps do not change it. */
  getState(): StateDict;
  /** Throws ENV_STATE or POLICY_STATE where the shape does not fit. */
  setState(state: StateDict): void;
}

/** Copies the array `state[key]` into `target`. Throws `code` where its type or length is not the target's. */
export function restoreArray(
  target: StateArray,
  state: StateDict,
  key: string,
  where: string,
  code: ErrorCode = 'ENV_STATE',
): void {
  const saved = state[key];
  const wanted = `${target.constructor.name} of length ${target.length}`;
  if (!isStateArray(saved) || saved.constructor !== target.constructor || saved.length !== target.length) {
    const found = isStateArray(saved) ? `${saved.constructor.name} of length ${saved.length}` : saved;
    fail(code, {
      where: `${where}, state "${key}"`,
      value: found,
      message: `expected a ${wanted}: this state is of another environment or configuration`,
    });
  }
  target.set(saved);
}

/** The nested state `state[key]`. Throws `code` where it is missing or no plain object. */
export function childState(state: StateDict, key: string, where: string, code: ErrorCode = 'ENV_STATE'): StateDict {
  return asStateDict(state[key], `${where}, state "${key}"`, code);
}

/** The list of nested states `state[key]`, of the given length. */
export function childStates(
  state: StateDict,
  key: string,
  length: number,
  where: string,
  code: ErrorCode = 'ENV_STATE',
): StateDict[] {
  const saved = state[key];
  if (!Array.isArray(saved) || saved.length !== length) {
    const found = Array.isArray(saved) ? saved.length : typeof saved;
    fail(code, {
      where: `${where}, state "${key}"`,
      value: found,
      message: `expected a list of ${length}: this state is of another configuration`,
    });
  }
  return saved.map((value, index) => asStateDict(value, `${where}, state "${key}"[${index}]`, code));
}

function asStateDict(value: StateValue | undefined, where: string, code: ErrorCode): StateDict {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
    fail(code, {
      where,
      value: typeof value,
      message: 'expected a nested state: this state is of another configuration',
    });
  }
  return value;
}

export function isStateArray(value: unknown): value is StateArray {
  return (
    value instanceof Float64Array ||
    value instanceof Float32Array ||
    value instanceof Int32Array ||
    value instanceof Uint32Array ||
    value instanceof Uint8Array
  );
}

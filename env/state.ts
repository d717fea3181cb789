/**
 * What `getState` returns and `setState` takes, all over env/ and agents/: plain values and typed arrays,
 * nested. A checkpoint stores the typed arrays as tensors and the rest as JSON. A number that may be NaN,
 * infinite or minus zero belongs in a typed array, since JSON cannot carry it.
 */
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

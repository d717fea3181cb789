/** Gymnasium's spaces, as far as OpenBell's environments use them. Filled in by env/spaces.ts's owner. */
export interface DiscreteSpace {
  readonly kind: 'discrete';
  /** Actions are 0 .. n - 1. */
  readonly n: number;
}

export interface BoxSpace {
  readonly kind: 'box';
  readonly shape: readonly [number];
  /** Per element; may be infinite. */
  readonly low: Float64Array;
  readonly high: Float64Array;
}

export type ActionSpace = DiscreteSpace | BoxSpace;
export type ObservationSpace = BoxSpace;

/** The policy as the trader asks it: one observation in, one action out, with what led to it. Pure. */
export interface Decider {
  /** observation (O) raw; mask (A) or null. Fills `probabilities` (A), or the mean of a target (1); returns the action. */
  decide(observation: Float32Array, mask: Uint8Array | null, probabilities: Float32Array): number;
}

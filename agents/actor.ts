/** Whatever can choose actions for a batch of observations: a trained policy, or a baseline. */
export interface Actor {
  readonly name: string;
  /**
   * Fills `actions`: Int32Array (B) for discrete spaces, Float32Array (B,A) for Box. observations (B,O) as the
   * environment gives them; masks (B,A) or null. Deterministic given the actor's own seeded state.
   */
  act(actions: Int32Array | Float32Array, observations: Float32Array, masks: Uint8Array | null, batch: number): void;
}

/**
 * Generalised advantage estimation (Schulman et al. 2016, arXiv 1506.02438) and the explained variance, as
 * stable-baselines3 defines them. Recursions run in float64 and are rounded to float32 once, when stored.
 */

export interface AdvantageInputs {
  /** Steps of the rollout. */
  readonly steps: number;
  readonly envs: number;
  /** (steps,envs) normalised where a normaliser is used; truncated steps already carry gamma V(terminal). */
  readonly rewards: Float64Array;
  /** (steps,envs) */
  readonly values: Float32Array;
  /** (steps,envs) 1 where the episode ended WITH this step, by termination or by truncation. */
  readonly dones: Uint8Array;
  /** (envs) value of the observation after the last step. */
  readonly lastValues: Float32Array;
  readonly gamma: number;
  readonly gaeLambda: number;
}

/**
 * Fills advantages and returns (steps,envs), row t * envs + n:
 * delta_t = r_t + gamma V_{t+1} (1 - done_t) - V_t, A_t = delta_t + gamma lambda (1 - done_t) A_{t+1},
 * return_t = A_t + V_t (the TD(lambda) return).
 */
export function computeAdvantages(advantages: Float32Array, returns: Float32Array, inputs: AdvantageInputs): void {
  const { steps, envs, rewards, values, dones, lastValues, gamma, gaeLambda } = inputs;
  for (let n = 0; n < envs; n++) {
    let nextValue = lastValues[n];
    let advantage = 0;
    for (let t = steps - 1; t >= 0; t--) {
      const row = t * envs + n;
      const nonTerminal = 1 - dones[row];
      const value = values[row];
      const delta = rewards[row] + gamma * nextValue * nonTerminal - value;
      advantage = delta + gamma * gaeLambda * nonTerminal * advantage;
      advantages[row] = advantage;
      returns[row] = advantage + value;
      nextValue = value;
    }
  }
}

/** 1 - Var(returns - values) / Var(returns): 1 is perfect, 0 no better than a constant; NaN where returns are constant. */
export function explainedVariance(values: Float32Array, returns: Float32Array): number {
  const count = returns.length;
  let meanReturn = 0;
  let meanResidual = 0;
  for (let i = 0; i < count; i++) {
    meanReturn += returns[i];
    meanResidual += returns[i] - values[i];
  }
  meanReturn /= count;
  meanResidual /= count;
  let varianceReturn = 0;
  let varianceResidual = 0;
  for (let i = 0; i < count; i++) {
    const a = returns[i] - meanReturn;
    const b = returns[i] - values[i] - meanResidual;
    varianceReturn += a * a;
    varianceResidual += b * b;
  }
  return varianceReturn === 0 ? Number.NaN : 1 - varianceResidual / varianceReturn;
}

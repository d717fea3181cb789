/** What one PPO update (a rollout and its epochs) tells: a line of metrics.jsonl. */
export interface UpdateReport {
  /** 1-based. */
  update: number;
  /** Environment steps so far, all environments together. */
  timesteps: number;
  /** Means over the last 100 finished episodes; null until one has finished. */
  episodeReturnMean: number | null;
  episodeLengthMean: number | null;
  /** Episodes finished in this rollout. */
  episodes: number;
  policyLoss: number;
  valueLoss: number;
  entropy: number;
  approxKl: number;
  clipFraction: number;
  gradNorm: number;
  explainedVariance: number;
  learningRate: number;
  clipRange: number;
  /** Share of each discrete action in the rollout; empty for Box. */
  actionShares: number[];
  /** Minibatch steps taken. */
  gradientSteps: number;
  /** True where target_kl ended the epochs early. */
  stoppedEarly: boolean;
}

/** Wall time of the last update by phase, in milliseconds: beside the report, since it never reproduces. */
export interface PhaseTimes {
  /** Policy inference during the rollout. */
  actMs: number;
  /** Environment steps. */
  envMs: number;
  /** Normalisation, storage, advantages. */
  collectMs: number;
  /** Epochs of minibatches. */
  updateMs: number;
}

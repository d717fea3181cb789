/** The bundle of `training.fine_tune` as a file: a run keeps a copy of its own, to be resumed and replayed from. */
import type { ExperimentConfig } from '#src/config/schema.js';

/** How a run's own copy is called. */
export const INCUMBENT_NAME = 'incumbent.safetensors';

/** The configuration with the bundle in another file. */
export function withIncumbentFile(config: ExperimentConfig, file: string): ExperimentConfig {
  const { training } = config;
  if (training.fine_tune === null) return config;
  return { ...config, training: { ...training, fine_tune: { ...training.fine_tune, bundle: file } } };
}

/** A training as a job: one configuration with one seed, to its end or to a rung. */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { experimentSchema, type ExperimentConfig } from '#src/config/schema.js';
import type { QueuedJob } from './contract.js';

export interface TrainingJob {
  /** Resolved, its seed included. The run goes to runs/<name>/. */
  readonly config: ExperimentConfig;
  /**
   * Stops at the first update boundary that reaches so many environment steps, with a checkpoint from which another job
   * goes on; null: trains to the end. Schedules are those of the whole training in either case.
   */
  readonly stopAtTimesteps: number | null;
  /** Afterwards evaluates on the test window, with a report. */
  readonly evaluate: boolean;
}

export const trainingJobSchema = z.strictObject({
  config: experimentSchema,
  stopAtTimesteps: z.int().min(1).nullable(),
  evaluate: z.boolean(),
});

/** The job as the queue holds it: named by the sha256 of all that it says. */
export function queuedJob({ config, stopAtTimesteps, evaluate }: TrainingJob): QueuedJob {
  const text = JSON.stringify({ config, stopAtTimesteps, evaluate });
  return { id: createHash('sha256').update(text).digest('hex'), payload: z.json().parse(JSON.parse(text)) };
}

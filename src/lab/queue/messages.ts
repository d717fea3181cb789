/** What a job's process and the one that started it say to each other. */
import * as z from 'zod';
import { trainingJobSchema } from './training-job.js';

/** To the process. */
export const orderSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('job'),
    job: trainingJobSchema,
    runsDir: z.string(),
    /** The run to take up; null: a new one. */
    directory: z.string().nullable(),
    threads: z.number().nullable(),
    argv: z.array(z.string()),
  }),
  /** Finish the update, write a checkpoint, and end. */
  z.strictObject({ kind: z.literal('stop') }),
]);
export type Order = z.infer<typeof orderSchema>;

/** From the process. */
export const tidingsSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('started'), directory: z.string(), fromTimesteps: z.number() }),
  z.strictObject({ kind: z.literal('warning'), message: z.string() }),
  z.strictObject({
    kind: z.literal('progress'),
    timesteps: z.number(),
    totalTimesteps: z.number(),
    stepsPerSecond: z.number(),
    remainingMs: z.number(),
  }),
  z.strictObject({ kind: z.literal('score'), timesteps: z.number(), score: z.number(), isBest: z.boolean() }),
  z.strictObject({ kind: z.literal('evaluating') }),
  z.strictObject({
    kind: z.literal('ended'),
    status: z.enum(['completed', 'paused', 'interrupted']),
    directory: z.string(),
    /** Below the run's folder; null: not evaluated. */
    evaluation: z.string().nullable(),
  }),
  z.strictObject({ kind: z.literal('error'), code: z.string().nullable(), message: z.string() }),
]);
export type Tidings = z.infer<typeof tidingsSchema>;

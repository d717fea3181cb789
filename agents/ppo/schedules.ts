/** Named schedules over the training's progress. */
import type { Schedule } from './config.js';

/**
 * Value of a schedule where `progressRemaining` falls from 1 (nothing trained) to 0 (all of it): a constant, or
 * linear from `initial` to `final`. stable-baselines3 updates the progress after each rollout and before its
 * epochs, so that the first update already stands below 1.
 */
export function scheduleValue(schedule: Schedule, progressRemaining: number): number {
  if (typeof schedule === 'number') return schedule;
  const final = schedule.final ?? 0;
  return final + progressRemaining * (schedule.initial - final);
}

/**
 * Share of the training that remains, in [0, 1]. The last rollout may overshoot `totalTimesteps`: there it is 0,
 * never a negative learning rate.
 */
export function progressRemaining(timesteps: number, totalTimesteps: number): number {
  return Math.max(0, 1 - timesteps / totalTimesteps);
}

import { expect, it } from 'vitest';
import { progressRemaining, scheduleValue } from './schedules.js';

it('a constant stays, a linear schedule falls to 0 or to its final value', () => {
  expect(scheduleValue(3e-4, 0.5)).toBe(3e-4);
  expect(scheduleValue({ schedule: 'linear', initial: 0.5 }, 1)).toBe(0.5);
  expect(scheduleValue({ schedule: 'linear', initial: 0.5 }, 0.25)).toBe(0.125);
  expect(scheduleValue({ schedule: 'linear', initial: 0.5, final: 0.25 }, 0)).toBe(0.25);
});

it('nothing remains past the end, where the last rollout overshoots', () => {
  expect(progressRemaining(25, 100)).toBe(0.75);
  expect(progressRemaining(100_096, 100_000)).toBe(0);
});

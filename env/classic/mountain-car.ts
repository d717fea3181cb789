/**
 * MountainCar-v0: a weak car swings itself out of a valley. State and observation (2): position, velocity.
 * A. W. Moore, "Efficient Memory-Based Learning for Robot Control" (1990), as Gymnasium's mountain_car.py.
 */
import { cos } from '#env/math/index.js';
import { box, discrete } from '#env/spaces.js';
import type { ClassicTask } from './task.js';

const MIN_POSITION = -1.2;
const MAX_POSITION = 0.6;
const MAX_SPEED = 0.07;
const GOAL_POSITION = 0.5;
const FORCE = 0.001;
const GRAVITY = 0.0025;

export const mountainCar: ClassicTask = {
  id: 'MountainCar-v0',
  stream: 'mountain-car/start',
  observationSpace: box([MIN_POSITION, -MAX_SPEED], [MAX_POSITION, MAX_SPEED]),
  actionSpace: discrete(3),
  stateSize: 2,
  maxSteps: 200,

  start(state, at, stream) {
    state[at] = -0.6 + 0.2 * stream.uniform();
    state[at + 1] = 0;
  },

  advance(state, at, action) {
    const pull = state[at + 1] + ((action - 1) * FORCE + cos(3 * state[at]) * -GRAVITY);
    let velocity = Math.min(Math.max(pull, -MAX_SPEED), MAX_SPEED);
    const position = Math.min(Math.max(state[at] + velocity, MIN_POSITION), MAX_POSITION);
    if (position === MIN_POSITION && velocity < 0) velocity = 0; // the wall on the left is inelastic
    state[at] = position;
    state[at + 1] = velocity;
    return -1;
  },

  terminal(state, at) {
    return state[at] >= GOAL_POSITION && state[at + 1] >= 0;
  },

  observe(out, outAt, state, at) {
    out[outAt] = state[at];
    out[outAt + 1] = state[at + 1];
  },
};

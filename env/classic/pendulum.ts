/**
 * Pendulum-v1: swing up and hold a pendulum by torque. State (2): angle [rad, 0 is upright], speed [rad/s];
 * observation (3): cosine, sine, speed; action (1): torque in [-2, 2] N m. As Gymnasium's pendulum.py.
 */
import { cos, sin } from '#env/math/index.js';
import { box } from '#env/spaces.js';
import type { ClassicTask } from './task.js';

const MAX_SPEED = 8;
const MAX_TORQUE = 2;
const DT = 0.05; // seconds a step
const GRAVITY = 10;

export const pendulum: ClassicTask = {
  id: 'Pendulum-v1',
  stream: 'pendulum/start',
  observationSpace: box([-1, -1, -MAX_SPEED], [1, 1, MAX_SPEED]),
  actionSpace: box(-MAX_TORQUE, MAX_TORQUE, 1),
  stateSize: 2,
  maxSteps: 200,

  start(state, at, stream) {
    state[at] = -Math.PI + 2 * Math.PI * stream.uniform();
    state[at + 1] = -1 + 2 * stream.uniform();
  },

  advance(state, at, action) {
    const theta = state[at];
    const speed = state[at + 1];
    const torque = Math.min(Math.max(action, -MAX_TORQUE), MAX_TORQUE);
    const angle = normalizeAngle(theta);
    // The torque's terms are float32 in numpy, where a float32 scalar meets a plain number.
    const effort = Math.fround(Math.fround(0.001) * Math.fround(torque * torque));
    const cost = angle * angle + 0.1 * (speed * speed) + effort;
    const acceleration = ((3 * GRAVITY) / 2) * sin(theta) + Math.fround(3 * torque);
    const newSpeed = Math.min(Math.max(speed + acceleration * DT, -MAX_SPEED), MAX_SPEED);
    state[at] = theta + newSpeed * DT;
    state[at + 1] = newSpeed;
    return -cost;
  },

  terminal() {
    return false;
  },

  observe(out, outAt, state, at) {
    out[outAt] = cos(state[at]);
    out[outAt + 1] = sin(state[at]);
    out[outAt + 2] = state[at + 1];
  },
};

/** The angle in [-pi, pi), with the remainder's sign that of the divisor. */
function normalizeAngle(theta: number): number {
  const turn = 2 * Math.PI;
  let rest = (theta + Math.PI) % turn;
  if (rest < 0) rest += turn;
  return rest - Math.PI;
}

/**
 * Acrobot-v1: swing the tip of a two-link arm above a line by torque on the middle joint. State (4): theta1,
 * theta2 [rad], their speeds; observation (6): cos and sin of both angles, speeds. Equations of Sutton and
 * Barto's book ("book" dynamics), Runge-Kutta of fourth order, 0.2 s a step, as Gymnasium's acrobot.py.
 */
import { cos, sin } from '#env/math/index.js';
import { box, discrete } from '#env/spaces.js';
import type { ClassicTask } from './task.js';

const DT = 0.2;
const GRAVITY = 9.8;
// Both links: length 1 m, mass 1 kg, centre of mass at 0.5 m, moment of inertia 1.
const LENGTH = 1;
const MASS = 1;
const CENTRE = 0.5;
const INERTIA = 1;
const MAX_SPEED_1 = 4 * Math.PI;
const MAX_SPEED_2 = 9 * Math.PI;

export const acrobot: ClassicTask = {
  id: 'Acrobot-v1',
  stream: 'acrobot/start',
  observationSpace: box([-1, -1, -1, -1, -MAX_SPEED_1, -MAX_SPEED_2], [1, 1, 1, 1, MAX_SPEED_1, MAX_SPEED_2]),
  actionSpace: discrete(3),
  stateSize: 4,
  maxSteps: 500,

  start(state, at, stream) {
    // The start state alone is float32 in Gymnasium.
    for (let k = 0; k < 4; k++) state[at + k] = Math.fround(-0.1 + 0.2 * stream.uniform());
  },

  advance(state, at, action) {
    const torque = action - 1;
    for (let k = 0; k < 4; k++) y[k] = state[at + k];
    derivative(k1, y, torque);
    for (let k = 0; k < 4; k++) y[k] = state[at + k] + (DT / 2) * k1[k];
    derivative(k2, y, torque);
    for (let k = 0; k < 4; k++) y[k] = state[at + k] + (DT / 2) * k2[k];
    derivative(k3, y, torque);
    for (let k = 0; k < 4; k++) y[k] = state[at + k] + DT * k3[k];
    derivative(k4, y, torque);
    for (let k = 0; k < 4; k++) y[k] = state[at + k] + (DT / 6) * (k1[k] + 2 * k2[k] + 2 * k3[k] + k4[k]);
    state[at] = wrapAngle(y[0]);
    state[at + 1] = wrapAngle(y[1]);
    state[at + 2] = Math.min(Math.max(y[2], -MAX_SPEED_1), MAX_SPEED_1);
    state[at + 3] = Math.min(Math.max(y[3], -MAX_SPEED_2), MAX_SPEED_2);
    return acrobot.terminal(state, at) ? 0 : -1;
  },

  terminal(state, at) {
    return -cos(state[at]) - cos(state[at + 1] + state[at]) > 1;
  },

  observe(out, outAt, state, at) {
    out[outAt] = cos(state[at]);
    out[outAt + 1] = sin(state[at]);
    out[outAt + 2] = cos(state[at + 1]);
    out[outAt + 3] = sin(state[at + 1]);
    out[outAt + 4] = state[at + 2];
    out[outAt + 5] = state[at + 3];
  },
};

const y = new Float64Array(4);
const k1 = new Float64Array(4);
const k2 = new Float64Array(4);
const k3 = new Float64Array(4);
const k4 = new Float64Array(4);

/** out (4) = d/dt of s (4): angles, speeds. The order of the operations is Gymnasium's. */
function derivative(out: Float64Array, s: Float64Array, torque: number): void {
  const theta1 = s[0];
  const theta2 = s[1];
  const speed1 = s[2];
  const speed2 = s[3];
  const cos2 = cos(theta2);
  const sin2 = sin(theta2);
  const coupling = MASS * LENGTH * CENTRE;
  const centre2 = CENTRE * CENTRE;
  const d1 = MASS * centre2 + MASS * (LENGTH * LENGTH + centre2 + 2 * LENGTH * CENTRE * cos2) + INERTIA + INERTIA;
  const d2 = MASS * (centre2 + LENGTH * CENTRE * cos2) + INERTIA;
  const phi2 = MASS * CENTRE * GRAVITY * cos(theta1 + theta2 - Math.PI / 2);
  const phi1 =
    -coupling * (speed2 * speed2) * sin2 -
    2 * coupling * speed2 * speed1 * sin2 +
    (MASS * CENTRE + MASS * LENGTH) * GRAVITY * cos(theta1 - Math.PI / 2) +
    phi2;
  const acceleration2 =
    (torque + (d2 / d1) * phi1 - coupling * (speed1 * speed1) * sin2 - phi2) /
    (MASS * centre2 + INERTIA - (d2 * d2) / d1);
  out[0] = speed1;
  out[1] = speed2;
  out[2] = -(d2 * acceleration2 + phi1) / d1;
  out[3] = acceleration2;
}

/** Into [-pi, pi] by whole turns. */
function wrapAngle(angle: number): number {
  let wrapped = angle;
  while (wrapped > Math.PI) wrapped -= 2 * Math.PI;
  while (wrapped < -Math.PI) wrapped += 2 * Math.PI;
  return wrapped;
}

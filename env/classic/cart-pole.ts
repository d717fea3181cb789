/**
 * CartPole-v1: balance a pole on a cart. State and observation (4): x [m], its speed, theta [rad], its speed.
 * Equations: R. V. Florian, "Correct equations for the dynamics of the cart-pole system" (2007), without
 * friction, Euler steps of 0.02 s, as Gymnasium's cartpole.py.
 */
import { cos, sin } from '#env/math/index.js';
import { box, discrete } from '#env/spaces.js';
import type { ClassicTask } from './task.js';

const GRAVITY = 9.8;
const MASS_POLE = 0.1;
const TOTAL_MASS = MASS_POLE + 1.0;
const HALF_LENGTH = 0.5;
const POLE_MOMENT = MASS_POLE * HALF_LENGTH;
const FORCE = 10.0;
const TAU = 0.02; // seconds a step
const THETA_LIMIT = (12 * 2 * Math.PI) / 360;
const X_LIMIT = 2.4;

export const cartPole: ClassicTask = {
  id: 'CartPole-v1',
  stream: 'cart-pole/start',
  observationSpace: box(
    [-2 * X_LIMIT, -Infinity, -2 * THETA_LIMIT, -Infinity],
    [2 * X_LIMIT, Infinity, 2 * THETA_LIMIT, Infinity],
  ),
  actionSpace: discrete(2),
  stateSize: 4,
  maxSteps: 500,

  start(state, at, stream) {
    for (let k = 0; k < 4; k++) state[at + k] = -0.05 + 0.1 * stream.uniform();
  },

  advance(state, at, action) {
    const x = state[at];
    const xDot = state[at + 1];
    const theta = state[at + 2];
    const thetaDot = state[at + 3];
    const force = action === 1 ? FORCE : -FORCE;
    const cosTheta = cos(theta);
    const sinTheta = sin(theta);
    const push = (force + POLE_MOMENT * (thetaDot * thetaDot) * sinTheta) / TOTAL_MASS;
    const thetaAcceleration =
      (GRAVITY * sinTheta - cosTheta * push) /
      (HALF_LENGTH * (4.0 / 3.0 - (MASS_POLE * (cosTheta * cosTheta)) / TOTAL_MASS));
    const xAcceleration = push - (POLE_MOMENT * thetaAcceleration * cosTheta) / TOTAL_MASS;
    state[at] = x + TAU * xDot;
    state[at + 1] = xDot + TAU * xAcceleration;
    state[at + 2] = theta + TAU * thetaDot;
    state[at + 3] = thetaDot + TAU * thetaAcceleration;
    return 1; // for the step that falls too
  },

  terminal(state, at) {
    const x = state[at];
    const theta = state[at + 2];
    return x < -X_LIMIT || x > X_LIMIT || theta < -THETA_LIMIT || theta > THETA_LIMIT;
  },

  observe(out, outAt, state, at) {
    for (let k = 0; k < 4; k++) out[outAt + k] = state[at + k];
  },
};

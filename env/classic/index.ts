/** The classic control tasks by Gymnasium's identifiers: known problems with published scores, to prove the learner. */
import type { Env } from '#env/gym.js';
import { SingleEnv } from '#env/single-env.js';
import type { VectorEnv } from '#env/vector-env.js';
import { fail } from '#src/errors.js';
import { acrobot } from './acrobot.js';
import { cartPole } from './cart-pole.js';
import { ClassicVectorEnv } from './classic-vector-env.js';
import { mountainCar } from './mountain-car.js';
import { pendulum } from './pendulum.js';
import type { ClassicTask } from './task.js';

const TASKS: ReadonlyMap<string, ClassicTask> = new Map(
  [acrobot, cartPole, mountainCar, pendulum].map((task) => [task.id, task]),
);

/** Acrobot-v1, CartPole-v1, MountainCar-v0, Pendulum-v1. */
export const CLASSIC_IDS: readonly string[] = [...TASKS.keys()];

/** One environment. Throws ENV_CONFIG for an unknown identifier. */
export function makeClassic(id: string): Env {
  return new SingleEnv(makeClassicVector(id, 1));
}

/** `numEnvs` environments stepped together. Throws ENV_CONFIG for an unknown identifier or a bad number. */
export function makeClassicVector(id: string, numEnvs: number): VectorEnv {
  const task = TASKS.get(id);
  if (task === undefined) {
    fail('ENV_CONFIG', { where: 'classic environment', value: id, message: `choose one of ${CLASSIC_IDS.join(', ')}` });
  }
  return new ClassicVectorEnv(task, numEnvs);
}

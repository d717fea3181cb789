/** How an actor scores: the undiscounted return of one whole episode in each environment. */
import type { VectorEnv } from '#env/vector-env.js';
import type { Actor } from './actor.js';

/**
 * (N) returns of the first episode of each environment after a reset with `seed`. One episode each, since short
 * episodes would otherwise be counted more often than long ones.
 */
export function firstEpisodeReturns(actor: Actor, env: VectorEnv, seed: number): Float64Array {
  const N = env.numEnvs;
  const space = env.singleActionSpace;
  const actions = space.kind === 'discrete' ? new Int32Array(N) : new Float32Array(N * space.shape[0]);
  const returns = new Float64Array(N);
  const finished = new Uint8Array(N);
  env.reset({ seed });
  for (let left = N; left > 0;) {
    actor.act(actions, env.observations, env.actionMasks, N);
    env.step(actions);
    for (let n = 0; n < N; n++) {
      if (finished[n] === 1 || (env.terminations[n] | env.truncations[n]) === 0) continue;
      finished[n] = 1;
      returns[n] = env.episodeReturns[n];
      left -= 1;
    }
  }
  return returns;
}

/** The worlds of a task, here and as the Python side makes them. */
import { makeClassicVector } from '#env/classic/index.js';
import { loadExperiment } from '#src/config/load.js';
import { makeWorld } from '#src/lab/world.js';
import type { VectorEnv } from '#env/vector-env.js';
import path from 'node:path';
import { packageRoot } from '#src/lab/provenance.js';
import type { Worlds } from './curve.js';
import { SCORING_SEED, type ParityTask } from './tasks.js';

export async function makeWorlds({ env, n_envs, episodes }: ParityTask): Promise<Worlds> {
  if (env.kind === 'classic') {
    return { training: makeClassicVector(env.id, n_envs), scoring: makeClassicVector(env.id, episodes) };
  }
  const world = async (overrides: readonly string[]): Promise<VectorEnv> =>
    (await makeWorld(loadExperiment(path.join(packageRoot, env.experiment), { overrides }).config)).env;
  return { training: await world(env.training), scoring: await world(env.scoring) };
}

/** What learning_curves.py needs to make the same. */
export type PeerWorld =
  /** starts: (episodes,S) the physical states that episodes are scored from. */
  | { readonly kind: 'classic'; readonly id: string; readonly starts: readonly (readonly number[])[] }
  /** Commands that serve a market (openbell_env.py). */
  | { readonly kind: 'market'; readonly training: string[]; readonly scoring: string[]; readonly seed: number };

export function peerWorld({ env, episodes }: ParityTask): PeerWorld {
  if (env.kind === 'classic') return { kind: 'classic', id: env.id, starts: startsOf(env.id, episodes) };
  const serve = (overrides: readonly string[]): string[] => [
    process.execPath,
    path.join(packageRoot, 'dist', 'src', 'cli', 'main.js'),
    'env-server',
    path.join(packageRoot, env.experiment),
    ...overrides,
  ];
  return { kind: 'market', training: serve(env.training), scoring: serve(env.scoring), seed: SCORING_SEED };
}

/** (episodes,S) where the scoring environments stand after their reset. */
function startsOf(id: string, episodes: number): number[][] {
  const env = makeClassicVector(id, episodes);
  env.reset({ seed: SCORING_SEED });
  const { physics } = env.getState();
  if (!(physics instanceof Float64Array)) throw new TypeError(`${id} keeps no physical state`);
  const size = physics.length / episodes;
  return Array.from({ length: episodes }, (_, i) => [...physics.subarray(i * size, (i + 1) * size)]);
}

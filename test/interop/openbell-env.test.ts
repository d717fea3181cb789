/** OpenBell's environments seen from Python: Gymnasium's own checks, and every number bit by bit. */
import { spawnSync } from 'node:child_process';
import { createHash, type Hash } from 'node:crypto';
import path from 'node:path';
import { expect, it } from 'vitest';
import { loadExperiment } from '#src/config/load.js';
import { makeWindowWorld } from '#src/lab/world.js';
import type { VectorEnv } from '#env/vector-env.js';
import { root } from '../e2e/openbell.js';
import { pythonWith } from '../support/python.js';

const python = pythonWith('gymnasium', 'numpy');
const EXPERIMENT = path.join(root, 'experiments', 'quickstart.yaml');
const SEED = 11;
const STEPS = 300;
/** Short episodes, so that many end; every kind of noise, so that every random stream is drawn from. */
const WORLD = [
  'env.episode.length=40',
  'env.noise={fill_price_bps: 1, observation: 0.01, cost: 0.1, delay: 0.1, price_bps: 2}',
];
const SINGLE = [...WORLD, 'training.n_envs=1', 'env.mask_actions=false'];
const VECTOR = [...WORLD, 'training.n_envs=5', 'env.mask_actions=false'];
const WINDOW = 'validation';

interface Found {
  readonly gymnasium_check_env: string;
  readonly vector_digest: string;
  readonly episodes: number;
  readonly refused: string | null;
  readonly after_refusal: string;
  readonly mask: readonly number[];
  readonly gone: string | null;
  readonly several: string | null;
  readonly stable_baselines3: string;
  readonly vec_env_digest?: string;
  readonly truncated?: number;
}

const serve = (overrides: readonly string[]): string[] => [
  process.execPath,
  path.join(root, 'dist', 'src', 'cli', 'main.js'),
  'env-server',
  EXPERIMENT,
  ...overrides,
  '--window',
  WINDOW,
];

/** The same steps in this process, told to a digest as check_openbell_env.py tells them. */
async function trace(kind: 'gymnasium' | 'stable-baselines3'): Promise<{ digest: string; next: string }> {
  const { env } = await makeWindowWorld(loadExperiment(EXPERIMENT, { overrides: VECTOR }).config, WINDOW);
  const hash = createHash('sha256');
  const O = env.singleObservationSpace.shape[0];
  const actions = new Int32Array(env.numEnvs);
  env.reset({ seed: SEED });
  tell(hash, env.observations);
  for (let t = 0; t < STEPS; t++) {
    step(env, actions, t);
    tell(hash, env.observations);
    if (kind === 'gymnasium') {
      tell(hash, env.rewards);
      tell(hash, env.terminations);
      tell(hash, env.truncations);
    } else {
      tell(hash, Float32Array.from(env.rewards));
      tell(
        hash,
        env.terminations.map((terminated, i) => terminated | env.truncations[i]),
      );
    }
    for (let i = 0; i < env.numEnvs; i++) {
      if ((env.terminations[i] | env.truncations[i]) === 0) continue;
      tell(hash, env.finalObservations.subarray(i * O, (i + 1) * O));
      if (kind !== 'gymnasium') continue;
      tell(hash, env.episodeReturns.subarray(i, i + 1));
      tell(hash, env.episodeLengths.subarray(i, i + 1));
    }
  }
  step(env, actions, STEPS);
  const next = createHash('sha256');
  tell(next, env.observations);
  return { digest: hash.digest('hex'), next: next.digest('hex') };
}

function step(env: VectorEnv, actions: Int32Array, t: number): void {
  for (let i = 0; i < actions.length; i++) actions[i] = ((t * t + 3 * i) % 7) % 3;
  env.step(actions);
}

const tell = (hash: Hash, { buffer, byteOffset, byteLength }: ArrayBufferView): void => {
  hash.update(new Uint8Array(buffer, byteOffset, byteLength));
};

it.skipIf(python === null)(
  'is a Gymnasium environment, with the same bits in Python (skipped where there is no Python with gymnasium)',
  { timeout: 240_000 },
  async () => {
    const request = {
      commands: {
        single: serve(SINGLE),
        box: serve([...SINGLE, 'env.actions=target']),
        vector: serve(VECTOR),
        masked: serve([...WORLD, 'training.n_envs=1']),
      },
      steps: STEPS,
      seed: SEED,
    };
    const script = path.join(root, 'bench', 'peers', 'check_openbell_env.py');
    const { stdout, stderr, status } = spawnSync(python ?? 'python3', [script, JSON.stringify(request)], {
      encoding: 'utf8',
      timeout: 200_000,
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const found: Found = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    const ours = await trace('gymnasium');

    expect(found.gymnasium_check_env).toBe('passed');
    expect(found.vector_digest).toBe(ours.digest);
    expect(found.episodes).toBeGreaterThan(30);
    expect(found.refused).toBe('ENV_CONTRACT');
    expect(found.after_refusal).toBe(ours.next);
    // flat and long-only: a sale would do nothing
    expect(found.mask).toEqual([1, 1, 0]);
    expect(found.gone).toBe('ENV_SERVER');
    expect(found.several).toContain('serves 5 environments');
    if (found.stable_baselines3 === 'not installed') return;
    expect(found.vec_env_digest).toBe((await trace('stable-baselines3')).digest);
    expect(found.truncated).toBe(found.episodes);
  },
);

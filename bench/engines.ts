/** The engine that is measured, on one thread or two. */
import path from 'node:path';
import { RandomStream } from '#env/seeding.js';
import type { PolicyEngine, PolicySpec } from '#agents/policy/contract.js';
import { createSimdEngine } from '#agents/policy/simd/engine.js';
import { loadExperiment } from '#src/config/load.js';
import { startCriticThread } from '#src/lab/critic-thread.js';
import { makeEngine as makeConfigured } from '#src/lab/engine.js';
import { loadPolicyModule } from '#src/lab/policy-module.js';
import { ROOT } from './report.js';

/** An experiment of the tfjs engine. */
export const EXAMPLE = path.join(ROOT, 'experiments', 'aapl-layer-norm.yaml');

/** The greatest number of threads that the engine takes. */
export const MOST_THREADS = 2;

/** Throws where the engine cannot take so many threads. */
export async function makeEngine(spec: PolicySpec, threads: number): Promise<PolicyEngine> {
  if (threads > MOST_THREADS) throw new RangeError(`the engine takes ${MOST_THREADS} thread(s), not ${threads}`);
  const criticThread = threads === 1 ? null : await startCriticThread();
  return createSimdEngine(spec, { init: new RandomStream(1, 'policy/init'), criticThread });
}

/** The tfjs engine: on a backend, with the MLP of the spec or the networks that an experiment file names. */
export interface TfjsChoice {
  readonly backend: 'cpu' | 'wasm' | 'native';
  readonly experiment: string | null;
}

export async function makeTfjsEngine(spec: PolicySpec, { backend, experiment }: TfjsChoice): Promise<PolicyEngine> {
  const overrides = [`training.tfjs_backend=${backend}`, ...(experiment === null ? ['agent.policy=null'] : [])];
  const { config } = loadExperiment(experiment ?? EXAMPLE, { overrides });
  return makeConfigured(config, spec, await loadPolicyModule(config));
}

/** The engine that is measured, on one thread or two. */
import { RandomStream } from '#env/seeding.js';
import type { PolicyEngine, PolicySpec } from '#agents/policy/contract.js';
import { createSimdEngine } from '#agents/policy/simd/engine.js';
import { startCriticThread } from '#src/lab/critic-thread.js';

/** The greatest number of threads that the engine takes. */
export const MOST_THREADS = 2;

/** Throws where the engine cannot take so many threads. */
export async function makeEngine(spec: PolicySpec, threads: number): Promise<PolicyEngine> {
  if (threads > MOST_THREADS) throw new RangeError(`the engine takes ${MOST_THREADS} thread(s), not ${threads}`);
  const criticThread = threads === 1 ? null : await startCriticThread();
  return createSimdEngine(spec, { init: new RandomStream(1, 'policy/init'), criticThread });
}

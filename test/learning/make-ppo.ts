/** A training on an environment, with the default engine. */
import { createSimdEngine } from '#agents/policy/simd/engine.js';
import type { PpoConfig } from '#agents/ppo/config.js';
import { policySpec } from '#agents/ppo/policy-spec.js';
import { Ppo } from '#agents/ppo/ppo.js';
import { RandomStream } from '#env/seeding.js';
import type { VectorEnv } from '#env/vector-env.js';

export function makePpo(env: VectorEnv, config: PpoConfig, seed: number, totalTimesteps: number): Ppo {
  const spec = policySpec(config, env.singleObservationSpace, env.singleActionSpace);
  const engine = createSimdEngine(spec, { init: new RandomStream(seed, 'policy/init') });
  return new Ppo({ env, engine, config, seed, totalTimesteps });
}

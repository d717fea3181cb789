/** The policy engine that a configuration asks for, and never another. */
import { RandomStream } from '#env/seeding.js';
import type { PolicyEngine, PolicySpec } from '#agents/policy/contract.js';
import type { CriticThreadHost } from '#agents/policy/simd/critic-thread.js';
import { createSimdEngine } from '#agents/policy/simd/engine.js';
import type { ExperimentConfig } from '#src/config/schema.js';
import { fail } from '#src/errors.js';
import type { PolicyModule } from './policy-module.js';
import { useTfjsBackend } from './tfjs-backend.js';

/**
 * Parameters are drawn from the run's seed. Throws CONFIG_VALUE where the backend is not to be had, POLICY_SPEC, and
 * POLICY_MODULE where the user's networks do not fit.
 */
export async function makeEngine(
  config: ExperimentConfig,
  spec: PolicySpec,
  policy: PolicyModule | null,
  criticThread: CriticThreadHost | null = null,
): Promise<PolicyEngine> {
  const { engine, tfjs_backend: backend } = config.training;
  const init = new RandomStream(config.seed, 'policy/init');
  if (engine === 'simd') return createSimdEngine(spec, { init, criticThread });
  if (criticThread !== null) {
    const message = 'the tfjs engine learns on one thread: leave --threads and training.threads at 1';
    fail('CONFIG_VALUE', { where: 'training.threads', value: 2, message });
  }
  await useTfjsBackend(backend);
  // loading TensorFlow.js takes a second, which only its own engine need wait for
  const { createTfjsEngine } = await import('#agents/policy/tfjs/engine.js');
  return createTfjsEngine(spec, { init, policy });
}

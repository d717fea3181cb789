/** The policy engine that a configuration asks for, and never another. */
import { createHash } from 'node:crypto';
import { RandomStream } from '#env/seeding.js';
import type { PolicyEngine, PolicySpec } from '#agents/policy/contract.js';
import type { CriticThreadHost } from '#agents/policy/simd/critic-thread.js';
import { createSimdEngine } from '#agents/policy/simd/engine.js';
import { policySpec } from '#agents/ppo/policy-spec.js';
import type { ExperimentConfig } from '#src/config/schema.js';
import { fail } from '#src/errors.js';
import { littleEndianBytes, tensorKey } from '#src/registry/safetensors.js';
import { criticThreadFor } from './critic-thread.js';
import type { PolicyModule } from './policy-module.js';
import { useTfjsBackend } from './tfjs-backend.js';
import type { World } from './world.js';

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

/**
 * `work` with the engine for a world's spaces, which lives as long. It is made before anything is written: networks that
 * do not fit leave no run behind. `threads` as in RunControls.
 */
export async function withEngine<T>(
  config: ExperimentConfig,
  { env, actionSpace }: Pick<World, 'env' | 'actionSpace'>,
  policy: PolicyModule | null,
  threads: number | null | undefined,
  work: (engine: PolicyEngine) => Promise<T>,
): Promise<T> {
  const criticThread = await criticThreadFor(threads ?? config.training.threads);
  try {
    const spec = policySpec(config.agent, env.singleObservationSpace, actionSpace);
    const engine = await makeEngine(config, spec, policy, criticThread);
    try {
      return await work(engine);
    } finally {
      engine.dispose();
    }
  } finally {
    criticThread?.stop();
  }
}

/** Shapes of the weights that an engine stores by name, as a checkpoint calls them. */
export function weightShapes(engine: PolicyEngine): Record<string, readonly number[]> {
  if (engine.name !== 'tfjs') return {};
  return Object.fromEntries(engine.layout.map(({ name, shape }) => [`ppo.engine.weights.${tensorKey(name)}`, shape]));
}

/** sha256 of the parameters, float32 little-endian in the engine's order. */
export function weightsSha256(engine: PolicyEngine): string {
  return createHash('sha256').update(littleEndianBytes(engine.getParameters())).digest('hex');
}

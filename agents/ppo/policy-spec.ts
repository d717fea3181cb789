/** The policy that a configuration asks for, on the spaces of an environment. */
import type { ActionSpace, BoxSpace } from '#env/spaces.js';
import type { VectorEnv } from '#env/vector-env.js';
import { fail } from '#src/errors.js';
import type { PolicySpec } from '../policy/contract.js';
import type { PpoConfig } from './config.js';

export function policySpec(config: PpoConfig, observationSpace: BoxSpace, actionSpace: ActionSpace): PolicySpec {
  return {
    observationSize: observationSpace.shape[0],
    action:
      actionSpace.kind === 'discrete'
        ? { kind: 'discrete', n: actionSpace.n }
        : { kind: 'box', size: actionSpace.shape[0] },
    netArch: config.net_arch,
    activation: config.activation_fn,
    orthoInit: config.ortho_init,
    logStdInit: config.log_std_init,
  };
}

/** Throws POLICY_SPEC where a policy does not fit an environment. */
export function requireFit(spec: PolicySpec, env: VectorEnv): void {
  const O = env.singleObservationSpace.shape[0];
  const { observationSize, action } = spec;
  if (observationSize !== O) {
    const message = `the environment observes ${O} numbers: make the engine for its spaces (policySpec)`;
    fail('POLICY_SPEC', { where: 'observationSize', value: observationSize, message });
  }
  const space = env.singleActionSpace;
  const policyActs = action.kind === 'discrete' ? `Discrete(${action.n})` : `Box(${action.size})`;
  const envTakes = space.kind === 'discrete' ? `Discrete(${space.n})` : `Box(${space.shape[0]})`;
  if (policyActs !== envTakes) {
    const message = `the environment takes ${envTakes}: make the engine for its spaces (policySpec)`;
    fail('POLICY_SPEC', { where: 'action', value: policyActs, message });
  }
}

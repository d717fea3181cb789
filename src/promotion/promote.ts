/** From a run to an alias: a bundle of the run, stored, and the alias moved to it. */
import { bundleOfRun, type BundleRunOptions } from '#src/lab/bundle-run.js';
import type { Bundle } from '#src/registry/bundle.js';
import type { AliasChange, AliasName, Registry } from '#src/registry/registry.js';

export interface PromoteOptions extends BundleRunOptions {
  readonly registry: Registry;
  readonly to: AliasName;
  readonly reason: string;
}

/**
 * Stores a run's bundle and moves the alias to it. Throws RUN_, CHECKPOINT_ and REGISTRY errors, DATA_HASH where the
 * data is not what the run was trained on any more.
 */
export async function promoteRun(options: PromoteOptions): Promise<{ bundle: Bundle; change: AliasChange }> {
  const { registry, to, reason } = options;
  const bundle = registry.store(await bundleOfRun(options));
  const change = registry.point(to, bundle.sha256, { action: 'promote', reason, evidence: null });
  return { bundle, change };
}

/** The registry at a glance: one row a bundle. */
import type { AliasChange, Registry } from './registry.js';
import { ALIASES, type AliasName } from './aliases.js';

export interface BundleRow {
  readonly id: string;
  readonly aliases: readonly AliasName[];
  readonly name: string | null;
  readonly seed: number | null;
  /** "experiment/run" */
  readonly run: string | null;
  readonly checkpoint: string | null;
  readonly created_at: string | null;
  /** The verdict's headline on its test window; null: it had not been evaluated. */
  readonly verdict: string | null;
  /** Gates were ever passed over for it: at its birth, or when an alias was moved to it. */
  readonly forced: boolean;
  readonly parent: string | null;
  /** What is wrong with the file; null: it is whole. */
  readonly error: string | null;
}

/** Newest last, and damaged ones after them. Throws REGISTRY where the history has been altered. */
export function listBundles(registry: Registry): BundleRow[] {
  const pointers = Object.entries(registry.aliases());
  const forced = new Set(registry.history().flatMap((change) => (change.forced ? [change.to] : [])));
  const rows = registry.scan().map(({ id, bundle, error }): BundleRow => {
    const manifest = bundle?.manifest ?? null;
    return {
      id,
      aliases: ALIASES.filter((name) => pointers.some(([alias, to]) => alias === name && to.startsWith(id))),
      name: manifest?.name ?? null,
      seed: manifest?.run.seed ?? null,
      run: manifest?.run.path ?? null,
      checkpoint: manifest?.run.checkpoint ?? null,
      created_at: manifest?.created_at ?? null,
      verdict: manifest?.evaluation?.verdict.headline ?? null,
      forced: [...forced].some((to) => to.startsWith(id)) || (manifest?.gates?.force_reason ?? null) !== null,
      parent: manifest?.parent ?? null,
      error: error?.message ?? null,
    };
  });
  return rows.sort((a, b) => ((a.created_at ?? '9') < (b.created_at ?? '9') ? -1 : 1));
}

/** The changes that moved an alias to this bundle, oldest first. Throws REGISTRY where the history has been altered. */
export function storyOf(registry: Registry, sha256: string): AliasChange[] {
  return registry.history().filter(({ to }) => to === sha256);
}

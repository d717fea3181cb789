/** Everything that a registry holds, checked anew: bundles, history, aliases. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { OpenBellError } from '#src/errors.js';
import { loadBundlePolicy, shortId, type Bundle } from './bundle.js';
import type { Registry } from './registry.js';
import { ALIASES } from './aliases.js';
import { promotionsInForce } from './rollback.js';
import { littleEndianBytes } from './safetensors.js';

export interface Check {
  /** A bundle's id, "history", "aliases", ... */
  readonly what: string;
  /** note: nothing is wrong, but worth knowing. */
  readonly outcome: 'ok' | 'note' | 'failed';
  readonly message: string;
}

export interface RegistryVerification {
  readonly ok: boolean;
  readonly checks: readonly Check[];
  /** sha256 of the history's last line, to be kept elsewhere; null: the history is empty or not whole. */
  readonly head: string | null;
}

/**
 * Checks the bundles, the history's chain and that aliases.json agrees with it; finds everything that is wrong, not the
 * first alone. `head`: sha256 of a line that the history is known to have held once.
 */
export function verifyRegistry(registry: Registry, { head }: { head?: string } = {}): RegistryVerification {
  const bundles = registry.scan().map(({ id, bundle, error }) =>
    attempt(id, () => {
      if (error !== null) throw error;
      return checkBundle(bundle);
    }),
  );
  const history = attempt('history', () => {
    const { lines, sha256 } = registry.head();
    return lines === 0
      ? `no alias has been moved yet${bundles.length === 0 ? '' : ', though there are bundles, which a promotion stores and moves an alias to: if one was, history.jsonl has been lost'}`
      : `${lines} ${lines === 1 ? 'change' : 'changes'}, each chained to the one before; the last has the sha256 ${sha256}`;
  });
  const isWhole = history.outcome === 'ok';
  const checks = [
    ...bundles,
    history,
    ...(isWhole ? aliasChecks(registry) : []),
    ...(isWhole && head !== undefined ? [headCheck(registry, head)] : []),
    ...(isWhole ? tornChecks(registry) : []),
    ...leftovers(registry),
  ];
  return {
    ok: checks.every(({ outcome }) => outcome !== 'failed'),
    checks,
    head: isWhole ? registry.head().sha256 : null,
  };
}

/** What a bundle's hash cannot say: that its weights are those of its manifest, and that its policy loads. Throws. */
export function checkBundle(bundle: Bundle): string {
  const { manifest, engine: state, sha256 } = bundle;
  const { engine } = loadBundlePolicy(bundle);
  engine.dispose();
  const { parameters } = state;
  const weights = ArrayBuffer.isView(parameters)
    ? createHash('sha256').update(littleEndianBytes(parameters)).digest('hex')
    : 'none';
  if (weights !== manifest.run.weights_sha256)
    throw new OpenBellError('BUNDLE_CORRUPT', {
      where: shortId(sha256),
      value: weights,
      message: `its manifest says that its weights have the sha256 ${manifest.run.weights_sha256}: it holds those of another run; promote the run again`,
    });
  return `whole: ${manifest.name} seed ${manifest.run.seed}, sha256 ${sha256}`;
}

function attempt(what: string, act: () => string): Check {
  try {
    return { what, outcome: 'ok', message: act() };
  } catch (error) {
    if (error instanceof OpenBellError) return { what, outcome: 'failed', message: error.message };
    throw error;
  }
}

function aliasChecks(registry: Registry): Check[] {
  const changes = registry.history();
  const checks = Object.entries(registry.aliases()).map(([alias, to]) =>
    attempt(alias, () => {
      const { manifest } = registry.load(to);
      return `points to ${manifest.name} ${shortId(to)}, as the history says`;
    }),
  );
  const inForce = new Set(
    ALIASES.flatMap((alias) =>
      promotionsInForce(changes, alias)
        .slice(0, -1)
        .map(({ to }) => to),
    ),
  );
  const gone = [...inForce].filter((to) => !existsSync(registry.bundleFile(to)));
  return [
    ...checks,
    ...gone.map((to): Check => ({
      what: shortId(to),
      outcome: 'note',
      message: 'a rollback would lead to this bundle, which is not here: `openbell registry import` takes a copy in',
    })),
  ];
}

function headCheck(registry: Registry, head: string): Check {
  const line = registry.lineOf(head);
  return line === null
    ? {
        what: 'head',
        outcome: 'failed',
        message: `no line of the history has the sha256 ${head}: the history is not the one that held it, or has been written anew since`,
      }
    : { what: 'head', outcome: 'ok', message: `line ${line} of the history is the one with the sha256 ${head}` };
}

function tornChecks(registry: Registry): Check[] {
  const torn = registry.tornBytes();
  if (torn === 0) return [];
  const message = `${torn} bytes of a change that never happened follow its last line: the next change removes them`;
  return [{ what: 'history', outcome: 'note', message }];
}

/** What processes left behind that died while they wrote. */
function leftovers({ folder }: Registry): Check[] {
  return [folder, path.join(folder, 'bundles')].flatMap((place) =>
    (existsSync(place) ? readdirSync(place) : [])
      .filter((name) => name.endsWith('.tmp'))
      .map((name): Check => {
        const message = 'was left behind by a process that died while it wrote: it may be removed';
        return { what: path.join(path.relative(folder, place), name), outcome: 'note', message };
      }),
  );
}

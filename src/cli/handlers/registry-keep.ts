/** What `openbell registry verify | export | import | repair` does. */
import { fail } from '#src/errors.js';
import { shortId } from '#src/registry/bundle.js';
import { exportBundle } from '#src/registry/export.js';
import { checkBundle, verifyRegistry } from '#src/registry/verify.js';
import { openRegistry } from './open-registry.js';

export interface VerifyArguments {
  bundle: string | undefined;
  head: string | undefined;
  json: boolean;
}

export function verify({ bundle: reference, head, json }: VerifyArguments): void {
  const registry = openRegistry();
  if (reference !== undefined) {
    const bundle = registry.load(reference);
    const message = checkBundle(bundle);
    console.log(json ? JSON.stringify({ ok: true, sha256: bundle.sha256 }, null, 2) : `${reference}: ${message}`);
    return;
  }
  const { ok, checks, head: last } = verifyRegistry(registry, { head });
  if (json) console.log(JSON.stringify({ ok, head: last, checks }, null, 2));
  else for (const { what, outcome, message } of checks) console.log(`${outcome.padEnd(6)}  ${what}: ${message}`);
  const failed = checks.filter(({ outcome }) => outcome === 'failed');
  if (failed.length > 0)
    fail('REGISTRY', {
      where: registry.folder,
      value: failed.map(({ what }) => what),
      message: `${failed.length} of ${checks.length} checks failed: each says above what to do`,
    });
}

export function exportFolder({
  bundle: reference,
  folder,
  json,
}: {
  bundle: string;
  folder: string;
  json: boolean;
}): void {
  const { bundle, files } = exportBundle(openRegistry(), reference, folder);
  if (json) console.log(JSON.stringify({ sha256: bundle.sha256, folder, files }, null, 2));
  else {
    for (const name of files) console.log(`${folder}/${name}`);
    console.log(`on another machine: openbell registry import ${files[0]}`);
  }
}

export function importFile({ file, json }: { file: string; json: boolean }): void {
  const registry = openRegistry();
  const { sha256, manifest } = registry.add(file);
  if (json) console.log(JSON.stringify({ sha256, file: registry.bundleFile(sha256) }, null, 2));
  else {
    console.log(`${manifest.name} seed ${manifest.run.seed} ${shortId(sha256)}`);
    console.log(`bundle ${registry.bundleFile(sha256)}`);
    console.log(`no alias points to it: openbell promote ${shortId(sha256)} --to paper`);
  }
}

export function repair({ json }: { json: boolean }): void {
  const { aliases, lines } = openRegistry().repair();
  if (json) console.log(JSON.stringify({ aliases, lines }, null, 2));
  else {
    console.log(`aliases.json written from ${lines} ${lines === 1 ? 'change' : 'changes'}`);
    for (const [alias, to] of Object.entries(aliases)) console.log(`${alias} -> ${shortId(to)}`);
  }
}

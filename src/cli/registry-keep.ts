/** `openbell registry verify | export | import | repair` */
import type { CommandModule } from 'yargs';
import { fail } from '#src/errors.js';
import { shortId } from '#src/registry/bundle.js';
import { exportBundle } from '#src/registry/export.js';
import { checkBundle, verifyRegistry } from '#src/registry/verify.js';
import { BUNDLE, JSON_OPTION, openRegistry } from './registry-options.js';

interface VerifyArguments {
  bundle: string | undefined;
  head: string | undefined;
  json: boolean;
}

export const verifyCommand: CommandModule<object, VerifyArguments> = {
  command: 'verify [bundle]',
  describe: 'Check a bundle anew, or all of them with history and aliases',
  builder: (yargs) =>
    yargs
      .positional('bundle', { type: 'string', describe: 'An alias, an id, or a file; default everything' })
      .option('head', {
        type: 'string',
        requiresArg: true,
        conflicts: 'bundle',
        describe: 'sha256 of a line that the history held once, as `verify` said then',
      })
      .option('json', JSON_OPTION),
  handler: ({ bundle: reference, head, json }) => {
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
  },
};

export const exportCommand: CommandModule<object, { bundle: string; folder: string; json: boolean }> = {
  command: 'export <bundle> <folder>',
  describe: 'Write the bundle, its model card, configuration and patch into a new folder',
  builder: (yargs) =>
    yargs
      .positional('bundle', BUNDLE)
      .positional('folder', { type: 'string', demandOption: true, describe: 'A folder that is new, or empty' })
      .option('json', JSON_OPTION),
  handler: ({ bundle: reference, folder, json }) => {
    const { bundle, files } = exportBundle(openRegistry(), reference, folder);
    if (json) console.log(JSON.stringify({ sha256: bundle.sha256, folder, files }, null, 2));
    else {
      for (const name of files) console.log(`${folder}/${name}`);
      console.log(`on another machine: openbell registry import ${files[0]}`);
    }
  },
};

export const importCommand: CommandModule<object, { file: string; json: boolean }> = {
  command: 'import <file>',
  aliases: 'add',
  describe: "Verify a bundle's file from elsewhere and take it in",
  builder: (yargs) =>
    yargs.positional('file', { type: 'string', demandOption: true, describe: 'The file' }).option('json', JSON_OPTION),
  handler: ({ file, json }) => {
    const registry = openRegistry();
    const { sha256, manifest } = registry.add(file);
    if (json) console.log(JSON.stringify({ sha256, file: registry.bundleFile(sha256) }, null, 2));
    else {
      console.log(`${manifest.name} seed ${manifest.run.seed} ${shortId(sha256)}`);
      console.log(`bundle ${registry.bundleFile(sha256)}`);
      console.log(`no alias points to it: openbell promote ${shortId(sha256)} --to paper`);
    }
  },
};

export const repairCommand: CommandModule<object, { json: boolean }> = {
  command: 'repair',
  describe: 'Write a lost or torn aliases.json anew from the history',
  builder: (yargs) => yargs.option('json', JSON_OPTION),
  handler: ({ json }) => {
    const { aliases, lines } = openRegistry().repair();
    if (json) console.log(JSON.stringify({ aliases, lines }, null, 2));
    else {
      console.log(`aliases.json written from ${lines} ${lines === 1 ? 'change' : 'changes'}`);
      for (const [alias, to] of Object.entries(aliases)) console.log(`${alias} -> ${shortId(to)}`);
    }
  },
};

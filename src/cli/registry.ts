import type { Argv, CommandModule } from 'yargs';
import { readRuntimeSettings } from '#src/config/runtime.js';
import { shortId } from '#src/registry/bundle.js';
import { Registry } from '#src/registry/registry.js';

const open = (): Registry => new Registry(readRuntimeSettings(process.env).registryDir);
const JSON_OPTION = { type: 'boolean', default: false, describe: 'Print JSON' } as const;

const list: CommandModule<object, { json: boolean }> = {
  command: 'list',
  describe: 'All bundles and where the aliases point',
  builder: (yargs) => yargs.option('json', JSON_OPTION),
  handler: ({ json }) => {
    const registry = open();
    const aliases = Object.entries(registry.aliases());
    const rows = registry.ids().map((id) => {
      const { manifest, sha256 } = registry.load(id);
      const names = aliases.flatMap(([alias, to]) => (to === sha256 ? [alias] : []));
      return { id, name: manifest.name, seed: manifest.run.seed, created_at: manifest.created_at, aliases: names };
    });
    if (json) console.log(JSON.stringify(rows, null, 2));
    else if (rows.length === 0) console.log('no bundles yet: openbell promote RUN --to paper');
    else
      for (const { id, name, seed, created_at, aliases: names } of rows)
        console.log(`${id}  ${created_at}  ${name} seed ${seed}  ${names.join(' ')}`.trimEnd());
  },
};

const show: CommandModule<object, { bundle: string; json: boolean }> = {
  command: 'show <bundle>',
  describe: 'What a bundle holds, and its model card',
  builder: (yargs) =>
    yargs
      .positional('bundle', { type: 'string', demandOption: true, describe: 'An alias, an id, or a file' })
      .option('json', JSON_OPTION),
  handler: ({ bundle: reference, json }) => {
    const { manifest, sha256 } = open().load(reference);
    if (json) console.log(JSON.stringify({ sha256, ...manifest }, null, 2));
    else
      console.log(
        `sha256 ${sha256}\nname   ${manifest.name}\nrun    ${manifest.run.path}\n\n${manifest.model_card.trimEnd()}`,
      );
  },
};

const verify: CommandModule<object, { bundle: string | undefined }> = {
  command: 'verify [bundle]',
  describe: 'Hash a bundle, or all of them, anew',
  builder: (yargs) =>
    yargs.positional('bundle', { type: 'string', describe: 'An alias, an id, or a file; default all' }),
  handler: ({ bundle }) => {
    const registry = open();
    const references = bundle === undefined ? [...registry.ids(), ...Object.keys(registry.aliases())] : [bundle];
    for (const reference of references) console.log(`${reference}: ${registry.load(reference).sha256}`);
  },
};

const history: CommandModule<object, { json: boolean }> = {
  command: 'history',
  describe: 'Every change of an alias, oldest first',
  builder: (yargs) => yargs.option('json', JSON_OPTION),
  handler: ({ json }) => {
    const changes = open().history();
    if (json) console.log(JSON.stringify(changes, null, 2));
    else
      for (const { at, alias, action, from, to, reason } of changes)
        console.log(
          `${at}  ${action} ${alias}: ${from === null ? 'nothing' : shortId(from)} -> ${shortId(to)}  ${reason}`.trimEnd(),
        );
  },
};

export const registryCommand: CommandModule = {
  command: 'registry <action>',
  describe: 'Look at bundles, aliases and their history',
  builder: (yargs: Argv) =>
    yargs
      .command(list)
      .command(show)
      .command(verify)
      .command(history)
      .demandCommand(1, 'say which: list, show, verify or history'),
  handler: () => undefined,
};

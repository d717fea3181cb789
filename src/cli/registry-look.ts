/** `openbell registry list | show | diff | history` */
import type { CommandModule } from 'yargs';
import { ALIASES, type AliasName } from '#src/registry/aliases.js';
import { BUNDLE, JSON_OPTION } from './registry-options.js';

export const listCommand: CommandModule<object, { json: boolean }> = {
  command: 'list',
  describe: 'All bundles, newest last, and where the aliases point',
  builder: (yargs) => yargs.option('json', JSON_OPTION),
  handler: async (args) => (await import('./handlers/registry-look.js')).list(args),
};

export const showCommand: CommandModule<object, { bundle: string; json: boolean }> = {
  command: 'show <bundle>',
  describe: 'What a bundle holds, what became of it, and its model card',
  builder: (yargs) => yargs.positional('bundle', BUNDLE).option('json', JSON_OPTION),
  handler: async (args) => (await import('./handlers/registry-look.js')).show(args),
};

export const diffCommand: CommandModule<object, { a: string; b: string; json: boolean }> = {
  command: 'diff <a> <b>',
  describe: 'What differs between two bundles: rules, costs, data, weights, figures, gates',
  builder: (yargs) => yargs.positional('a', BUNDLE).positional('b', BUNDLE).option('json', JSON_OPTION),
  handler: async (args) => (await import('./handlers/registry-look.js')).diff(args),
};

export const historyCommand: CommandModule<object, { alias: AliasName | undefined; json: boolean }> = {
  command: 'history [alias]',
  describe: 'Every change of an alias, oldest first; its chain is verified',
  builder: (yargs) =>
    yargs.positional('alias', { choices: ALIASES, describe: 'Only this one' }).option('json', JSON_OPTION),
  handler: async (args) => (await import('./handlers/registry-look.js')).history(args),
};

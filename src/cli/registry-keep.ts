/** `openbell registry verify | export | import | repair` */
import type { CommandModule } from 'yargs';
import { BUNDLE, JSON_OPTION } from './registry-options.js';
import type { VerifyArguments } from './handlers/registry-keep.js';

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
  handler: async (args) => (await import('./handlers/registry-keep.js')).verify(args),
};

export const exportCommand: CommandModule<object, { bundle: string; folder: string; json: boolean }> = {
  command: 'export <bundle> <folder>',
  describe: 'Write the bundle, its model card, configuration and patch into a new folder',
  builder: (yargs) =>
    yargs
      .positional('bundle', BUNDLE)
      .positional('folder', { type: 'string', demandOption: true, describe: 'A folder that is new, or empty' })
      .option('json', JSON_OPTION),
  handler: async (args) => (await import('./handlers/registry-keep.js')).exportFolder(args),
};

export const importCommand: CommandModule<object, { file: string; json: boolean }> = {
  command: 'import <file>',
  aliases: 'add',
  describe: "Verify a bundle's file from elsewhere and take it in",
  builder: (yargs) =>
    yargs.positional('file', { type: 'string', demandOption: true, describe: 'The file' }).option('json', JSON_OPTION),
  handler: async (args) => (await import('./handlers/registry-keep.js')).importFile(args),
};

export const repairCommand: CommandModule<object, { json: boolean }> = {
  command: 'repair',
  describe: 'Write a lost or torn aliases.json anew from the history',
  builder: (yargs) => yargs.option('json', JSON_OPTION),
  handler: async (args) => (await import('./handlers/registry-keep.js')).repair(args),
};

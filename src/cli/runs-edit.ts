/** `openbell runs tag`, `untag`, `note`, `archive`, `unarchive` and `delete` */
import type { CommandModule } from 'yargs';
import type { DeleteArguments, NoteArguments, RunsArguments, TagArguments } from './handlers/runs-edit.js';

const RUN = { type: 'string', demandOption: true, describe: 'Run: its folder, name, or latest' } as const;
const RUNS = { type: 'string', array: true, demandOption: true, describe: 'Runs: their folders or names' } as const;
const TAGS = { type: 'string', array: true, demandOption: true, describe: 'Tags, e.g. paper candidate' } as const;

export const tagCommand: CommandModule<object, TagArguments> = {
  command: 'tag <run> <tags..>',
  describe: 'Give a run tags',
  builder: (yargs) => yargs.positional('run', RUN).positional('tags', TAGS),
  handler: async (args) => (await import('./handlers/runs-edit.js')).tag(args),
};

export const untagCommand: CommandModule<object, TagArguments> = {
  command: 'untag <run> <tags..>',
  describe: 'Take tags away from a run',
  builder: (yargs) => yargs.positional('run', RUN).positional('tags', TAGS),
  handler: async (args) => (await import('./handlers/runs-edit.js')).untag(args),
};

export const noteCommand: CommandModule<object, NoteArguments> = {
  command: 'note <run> [text]',
  describe: "Write a run's note, or print it",
  builder: (yargs) =>
    yargs
      .positional('run', RUN)
      .positional('text', { type: 'string', describe: 'In the place of the note before it; "" removes it' }),
  handler: async (args) => (await import('./handlers/runs-edit.js')).note(args),
};

export const archiveCommand: CommandModule<object, RunsArguments> = {
  command: 'archive <runs..>',
  describe: 'Leave runs out of lists and of "latest"; nothing is moved',
  builder: (yargs) => yargs.positional('runs', RUNS),
  handler: async (args) => (await import('./handlers/runs-edit.js')).archiveRuns(args),
};

export const unarchiveCommand: CommandModule<object, RunsArguments> = {
  command: 'unarchive <runs..>',
  describe: 'Take archived runs back into lists',
  builder: (yargs) => yargs.positional('runs', RUNS),
  handler: async (args) => (await import('./handlers/runs-edit.js')).unarchiveRuns(args),
};

export const deleteCommand: CommandModule<object, DeleteArguments> = {
  command: 'delete <runs..>',
  describe: 'Delete runs for good',
  builder: (yargs) =>
    yargs.positional('runs', RUNS).options({ yes: { type: 'boolean', default: false, describe: 'Do not ask' } }),
  handler: async (args) => (await import('./handlers/runs-edit.js')).deleteRuns(args),
};

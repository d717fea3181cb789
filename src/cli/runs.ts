/** `openbell runs ...`: the store of runs. */
import type { CommandModule } from 'yargs';
import { archiveCommand, deleteCommand, noteCommand, tagCommand, unarchiveCommand, untagCommand } from './runs-edit.js';
import { listCommand } from './runs-list.js';
import { showCommand } from './runs-show.js';

export const runsCommand: CommandModule<object, object> = {
  command: 'runs',
  describe: 'List, show, tag, archive and delete runs',
  builder: (yargs) =>
    yargs
      .command(listCommand)
      .command(showCommand)
      .command(tagCommand)
      .command(untagCommand)
      .command(noteCommand)
      .command(archiveCommand)
      .command(unarchiveCommand)
      .command(deleteCommand)
      .demandCommand(1, 'say which: list, show, tag, untag, note, archive, unarchive or delete'),
  handler: () => undefined,
};

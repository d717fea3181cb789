/** `openbell registry ...`: bundles, aliases and their history. */
import type { Argv, CommandModule } from 'yargs';
import { diffCommand, historyCommand, listCommand, showCommand } from './registry-look.js';
import { exportCommand, importCommand, repairCommand, verifyCommand } from './registry-keep.js';

export const registryCommand: CommandModule = {
  command: 'registry <action>',
  describe: 'Look at bundles, aliases and their history; verify, copy and repair them',
  builder: (yargs: Argv) =>
    yargs
      .command(listCommand)
      .command(showCommand)
      .command(diffCommand)
      .command(historyCommand)
      .command(verifyCommand)
      .command(exportCommand)
      .command(importCommand)
      .command(repairCommand)
      .demandCommand(1, 'say which: list, show, diff, history, verify, export, import or repair'),
  handler: () => undefined,
};

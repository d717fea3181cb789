/** `openbell runs list` */
import type { CommandModule } from 'yargs';
import { RUN_STATES, SORT_KEYS } from '#src/lab/store/run-states.js';
import type { ListArguments } from './handlers/runs-list.js';

const text = (describe: string) => ({ type: 'string', requiresArg: true, describe }) as const;

const flag = (describe: string) => ({ type: 'boolean', default: false, describe }) as const;

export const listCommand: CommandModule<object, ListArguments> = {
  command: 'list [experiment]',
  describe: 'List runs, newest last',
  builder: (yargs) =>
    yargs
      .positional('experiment', { type: 'string', describe: 'Only runs of this experiment' })
      .options({
        status: text(`Only these, with commas between: ${RUN_STATES.join(', ')}`),
        tag: text('Only runs with this tag; several, with commas between: with all of them'),
        seed: text('Only these seeds, e.g. 3, 0-9 or 1,5,9'),
        since: text('Started then or later, e.g. 2026-03-01 (00:00 UTC) or 2026-03-01T14:30Z'),
        until: text('Started before then'),
        sweep: {
          type: 'string',
          coerce: (given: unknown): string | boolean | undefined =>
            typeof given === 'boolean' ? given : given === undefined ? undefined : String(given),
          describe: "Only trials of this sweep, by its name or id; --no-sweep: only runs that are no sweep's",
        },
        dataset: text('Only runs that learned from this data set or symbol'),
        note: text('Only runs whose note has this text'),
        archived: flag('Only archived runs'),
        all: flag('Archived runs too'),
        sort: { choices: SORT_KEYS, default: 'started' as const, requiresArg: true, describe: 'Order; greatest last' },
        reverse: flag('Greatest first'),
        limit: text('Only the last so many'),
        json: flag('Print JSON, a line a run'),
      })
      .example('$0 runs list --sort score --limit 10', 'The ten best on their validation windows')
      .example('$0 runs list --status dead,interrupted', 'What can be resumed'),
  handler: async (args) => (await import('./handlers/runs-list.js')).listRuns(args),
};

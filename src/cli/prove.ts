/** `openbell prove [market]` */
import type { Argv, CommandModule } from 'yargs';
import { PROOF_NAMES } from '#src/lab/proof-names.js';
import type { ProveArguments } from './handlers/prove.js';

export const proveCommand = {
  command: 'prove [market]',
  describe: 'Train on markets whose best policy is known; exit 1 where a target is missed',
  builder: (yargs: Argv) =>
    yargs
      .positional('market', {
        choices: [...PROOF_NAMES, 'all'] as const,
        default: 'all' as const,
        describe: 'Which market',
      })
      .options({
        seeds: { type: 'number', default: 5, describe: 'Number of trainings, seeded 1, 2, ...' },
        steps: { type: 'number', default: 200_000, describe: 'Environment steps of each training' },
        paths: { type: 'number', default: 1024, describe: 'Common paths that every policy is tried on' },
        json: { type: 'boolean', default: false, describe: 'Print JSON' },
        doc: { type: 'string', requiresArg: true, describe: 'Also write the tables into this Markdown file' },
      })
      .example('$0 prove ou --seeds 2', 'Two trainings on the Ornstein-Uhlenbeck market'),
  handler: async (args: ProveArguments) => (await import('./handlers/prove.js')).proveMarkets(args),
} satisfies CommandModule<object, ProveArguments>;

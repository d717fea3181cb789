/** `openbell promote RUN|BUNDLE --to ALIAS` */
import type { CommandModule } from 'yargs';
import { ALIASES } from '#src/registry/aliases.js';
import type { PromoteArguments } from './handlers/promote.js';

export const promoteCommand: CommandModule<object, PromoteArguments> = {
  command: 'promote <candidate>',
  describe: 'Put a run to the gates, freeze it in a bundle and move an alias to it; exit code 3 where a gate refuses',
  builder: (yargs) =>
    yargs
      .positional('candidate', {
        type: 'string',
        demandOption: true,
        describe: 'A run (folder, id, experiment or latest), or a bundle (alias, id or file)',
      })
      .options({
        to: { choices: ALIASES, demandOption: true, describe: 'The alias that will point to it' },
        gates: { type: 'string', requiresArg: true, describe: 'A gates file; default: experiments/gates.yaml' },
        force: {
          type: 'string',
          requiresArg: true,
          describe: 'Pass statistical gates over, for this reason; shown for ever, and never for live',
        },
        confirm: { type: 'string', requiresArg: true, describe: 'For live: the account whose runner will follow' },
        checkpoint: {
          choices: ['best', 'last'] as const,
          requiresArg: true,
          describe: 'Of a run; default: best where one was chosen',
        },
        reason: { type: 'string', requiresArg: true, default: '', describe: 'Why, in words; kept in the history' },
        'dry-run': { type: 'boolean', default: false, describe: 'Judge, and move nothing' },
        json: { type: 'boolean', default: false, describe: 'Print JSON' },
      })
      .example('$0 promote latest --to paper', 'What live would refuse is shown, too')
      .example('$0 promote paper --to live --confirm=U1234567', 'After paper trading'),
  handler: async (args) => (await import('./handlers/promote.js')).promoteCandidate(args),
};

/** `openbell live`: control needs less than trading, and loads less. */
import type { Argv, CommandModule } from 'yargs';
import type { AccountArguments } from './handlers/live-control.js';
import type { CheckArguments, LiveArguments } from './handlers/live-trade.js';

const JSON_OPTION = { type: 'boolean', default: false, describe: 'Print JSON' } as const;
const ACCOUNT_OPTION = { type: 'string', describe: 'Account; needed where several have a journal' } as const;
const POLICY_OPTION = { type: 'string', describe: 'Risk limits and policies of care (YAML)' } as const;
const SIMULATED_OPTION = {
  type: 'boolean',
  default: false,
  describe: 'The gateway is a simulated one, which replays the past',
} as const;

const status: CommandModule<object, AccountArguments> = {
  command: 'status',
  describe: 'What the runner says, or the journal and the broker where it is dead',
  builder: (yargs) => yargs.option('account', ACCOUNT_OPTION).option('json', JSON_OPTION),
  handler: async (args) => (await import('./handlers/live-control.js')).showStatus(args),
};

function order(kind: 'pause' | 'resume' | 'kill', describe: string): CommandModule<object, AccountArguments> {
  return {
    command: kind,
    describe,
    builder: (yargs) => yargs.option('account', ACCOUNT_OPTION).option('json', JSON_OPTION),
    handler: async (args) => (await import('./handlers/live-control.js')).commandRunner(kind, args),
  };
}

function act(
  kind: 'flatten' | 'cancel-all',
  describe: string,
): CommandModule<object, AccountArguments & { confirm: string | undefined }> {
  return {
    command: kind,
    describe,
    builder: (yargs) =>
      yargs
        .option('account', ACCOUNT_OPTION)
        .option('confirm', { type: 'string', describe: 'The account, once more: needed where no runner is alive' })
        .option('json', JSON_OPTION),
    handler: async (args) => (await import('./handlers/live-control.js')).actOnAccount(kind, args),
  };
}

const check: CommandModule<object, CheckArguments> = {
  command: 'check',
  describe: 'The pre-flight of openbell live alone; sends no order',
  builder: (yargs) =>
    yargs
      .option('account', { type: 'string', describe: "Account; default: the gateway's only one" })
      .option('policy', POLICY_OPTION)
      .option('simulated', SIMULATED_OPTION)
      .option('json', JSON_OPTION),
  handler: async (args) => (await import('./handlers/live-trade.js')).checkLive(args),
};

const replay: CommandModule<object, { journal: string; json: boolean }> = {
  command: 'replay <journal>',
  describe: 'Repeat every decision of a journal, and report the first difference',
  builder: (yargs) =>
    yargs
      .positional('journal', { type: 'string', demandOption: true, describe: 'A journal.db, or its folder' })
      .option('json', JSON_OPTION),
  handler: async (args) => (await import('./handlers/live-trade.js')).replayLive(args),
};

export const liveCommand: CommandModule<object, LiveArguments> = {
  command: 'live',
  describe: 'Trade real money with the bundle that the alias live points to',
  builder: (yargs: Argv) =>
    yargs
      .command(status)
      .command(order('pause', 'Make no decisions; protection goes on'))
      .command(order('resume', 'Decide again; ends a halt'))
      .command(act('flatten', 'Leave the position: each stop gives way to the exit of its own group'))
      .command(act('cancel-all', 'Cancel entries; what protects stays'))
      .command(order('kill', 'Leave the position and halt'))
      .command(check)
      .command(replay)
      .option('confirm', { type: 'string', describe: 'The account whose money it is' })
      .option('alias', { type: 'string', default: 'live', describe: 'Only live is traded with real money' })
      .option('policy', POLICY_OPTION)
      .option('on-exit', {
        choices: ['leave', 'close'] as const,
        describe: 'What the end does with a position: leave it protected, or close it',
      })
      .option('simulated', SIMULATED_OPTION)
      .option('json', { type: 'boolean', default: false, describe: 'Print the outcome as JSON' })
      .example('openbell live --confirm=U1234567', 'IB_HOST, IB_PORT and IB_CLIENT_ID say where'),
  handler: async (args) => (await import('./handlers/live-trade.js')).tradeLive(args),
};

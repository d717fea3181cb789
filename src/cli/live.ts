/** `openbell live` */
import type { Argv, CommandModule } from 'yargs';
import { readRuntimeSettings, type RuntimeSettings } from '#src/config/runtime.js';
import { fail } from '#src/errors.js';
import { ask, controlSocketPath } from '#src/live/shell/control-socket.js';
import { checkSession, tradeAtGateway } from '#src/live/shell/live-session.js';
import { narrator } from '#src/live/shell/narrator.js';
import { DEFAULT_POLICY, readPolicy } from '#src/live/shell/policy-file.js';
import { passes, preflightText } from '#src/live/shell/preflight.js';
import { BundleDecider } from '#src/live/shell/bundle-trader.js';
import { Journal } from '#src/live/shell/journal.js';
import { replayJournal } from '#src/live/shell/replay-journal.js';
import { holdingsText } from '#src/live/shell/status.js';
import { actWithoutRunner, stateWithoutRunner, tradedAccount } from '#src/live/shell/without-runner.js';
import { replayText, stateText, statusText } from '#src/live/shell/live-text.js';
import { Registry } from '#src/registry/registry.js';
import { stopSignal } from './interruption.js';

const settings = (): RuntimeSettings => readRuntimeSettings(process.env);
const say = (line: string): void => console.error(line);
const JSON_OPTION = { type: 'boolean', default: false, describe: 'Print JSON' } as const;
const ACCOUNT_OPTION = { type: 'string', describe: 'Account; needed where several have a journal' } as const;
const POLICY_OPTION = { type: 'string', describe: 'Risk limits and policies of care (YAML)' } as const;
const SIMULATED_OPTION = {
  type: 'boolean',
  default: false,
  describe: 'The gateway is a simulated one, which replays the past',
} as const;

interface AccountArguments {
  account: string | undefined;
  json: boolean;
}

const status: CommandModule<object, AccountArguments> = {
  command: 'status',
  describe: 'What the runner says, or the journal and the broker where it is dead',
  builder: (yargs) => yargs.option('account', ACCOUNT_OPTION).option('json', JSON_OPTION),
  handler: async ({ account, json }) => {
    const { tradingDir, ib } = settings();
    const target = tradedAccount(tradingDir, account);
    const alive = await ask(controlSocketPath(target.account), { ask: 'status' });
    if (alive !== null) return console.log(json ? JSON.stringify(alive, null, 2) : statusText(alive));
    const state = await stateWithoutRunner(target, ib);
    console.log(json ? JSON.stringify(state, null, 2) : stateText(state));
  },
};

/** What the runner alone can do. */
function order(kind: 'pause' | 'resume' | 'kill', describe: string): CommandModule<object, AccountArguments> {
  return {
    command: kind,
    describe,
    builder: (yargs) => yargs.option('account', ACCOUNT_OPTION).option('json', JSON_OPTION),
    handler: async ({ account, json }) => {
      const target = tradedAccount(settings().tradingDir, account);
      const answer = await ask(controlSocketPath(target.account), { ask: 'command', kind });
      if (answer === null)
        fail('LIVE_LOCK', {
          where: target.account,
          value: kind,
          message: 'no runner of this account is alive; openbell live flatten and cancel-all work without one',
        });
      console.log(json ? JSON.stringify(answer, null, 2) : statusText(answer));
    },
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
    handler: async ({ account, confirm, json }) => {
      const { tradingDir, ib, logLevel } = settings();
      const target = tradedAccount(tradingDir, account ?? confirm);
      const answer = await ask(controlSocketPath(target.account), { ask: 'command', kind });
      if (answer !== null) return console.log(json ? JSON.stringify(answer, null, 2) : statusText(answer));
      if (kind === 'flatten' && confirm !== target.account)
        fail('USAGE', {
          where: '--confirm',
          value: confirm ?? null,
          message: `no runner is alive, so that this goes to the broker directly: write --confirm=${target.account}`,
        });
      const { symbols, done } = await actWithoutRunner({
        target,
        act: kind,
        address: ib,
        logLevel,
        listener: narrator(say),
      });
      console.log(json ? JSON.stringify({ done, symbols }, null, 2) : holdingsText(symbols).join('\n'));
      if (!done) process.exitCode = 1;
    },
  };
}

const check: CommandModule<
  object,
  { account: string | undefined; policy: string | undefined; simulated: boolean; json: boolean }
> = {
  command: 'check',
  describe: 'The pre-flight of openbell live alone; sends no order',
  builder: (yargs) =>
    yargs
      .option('account', { type: 'string', describe: "Account; default: the gateway's only one" })
      .option('policy', POLICY_OPTION)
      .option('simulated', SIMULATED_OPTION)
      .option('json', JSON_OPTION),
  handler: (args) => checkLive(args),
};

/** The pre-flight as a command: a table, and exit code 1 where something fails. */
export async function checkLive(args: {
  account: string | undefined;
  policy: string | undefined;
  simulated: boolean;
  json: boolean;
}): Promise<void> {
  const { registryDir, tradingDir, ib } = settings();
  const { checks } = await checkSession({
    kind: 'live',
    registry: new Registry(registryDir),
    reference: 'live',
    address: ib,
    account: args.account ?? null,
    policy: args.policy === undefined ? DEFAULT_POLICY : readPolicy(args.policy),
    simulated: args.simulated,
    tradingDir,
  });
  console.log(args.json ? JSON.stringify(checks, null, 2) : preflightText(checks));
  if (!passes(checks)) process.exitCode = 1;
}

const replay: CommandModule<object, { journal: string; json: boolean }> = {
  command: 'replay <journal>',
  describe: 'Repeat every decision of a journal, and report the first difference',
  builder: (yargs) =>
    yargs
      .positional('journal', { type: 'string', demandOption: true, describe: 'A journal.db, or its folder' })
      .option('json', JSON_OPTION),
  handler: ({ journal: place, json }) => {
    const { file, bundle: sha256 } = Journal.describe(place);
    if (sha256 === null)
      fail('LIVE_JOURNAL', { where: file, message: 'names no bundle: there is no policy to repeat it with' });
    const decider = new BundleDecider(new Registry(settings().registryDir).load(sha256));
    const result = replayJournal(file, decider);
    decider.dispose();
    console.log(json ? JSON.stringify(result, null, 2) : replayText(result));
    if (result.firstDifference !== null) process.exitCode = 1;
  },
};

interface LiveArguments {
  confirm: string | undefined;
  alias: string;
  policy: string | undefined;
  'on-exit': 'leave' | 'close' | undefined;
  simulated: boolean;
  json: boolean;
}

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
  handler: async ({ confirm, alias, policy: file, 'on-exit': onExit, simulated, json }) => {
    const { registryDir, tradingDir, logLevel, ib } = settings();
    const policy = file === undefined ? DEFAULT_POLICY : readPolicy(file);
    const outcome = await tradeAtGateway({
      kind: 'live',
      registry: new Registry(registryDir),
      reference: alias,
      address: ib,
      account: confirm ?? null,
      policy,
      onExit: onExit ?? policy.care.on_shutdown,
      simulated,
      tradingDir,
      logLevel,
      listener: narrator(say),
      print: say,
      signal: stopSignal(),
    });
    if (json) console.log(JSON.stringify(outcome, null, 2));
  },
};

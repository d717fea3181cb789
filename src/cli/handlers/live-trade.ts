/** Handlers of `openbell live`, `live check` and `live replay`: what loads the trader, the broker and the policy. */
import { readRuntimeSettings } from '#src/config/runtime.js';
import { fail } from '#src/errors.js';
import { BundleDecider } from '#src/live/shell/bundle-trader.js';
import { Journal } from '#src/live/shell/journal.js';
import { checkSession, tradeAtGateway } from '#src/live/shell/live-session.js';
import { replayText } from '#src/live/shell/live-text.js';
import { narrator } from '#src/live/shell/narrator.js';
import { DEFAULT_POLICY, readPolicy } from '#src/live/shell/policy-file.js';
import { passes, preflightText } from '#src/live/shell/preflight.js';
import { replayJournal } from '#src/live/shell/replay-journal.js';
import { Registry } from '#src/registry/registry.js';
import { stopSignal } from '../interruption.js';

export interface CheckArguments {
  account: string | undefined;
  policy: string | undefined;
  simulated: boolean;
  json: boolean;
}

export interface LiveArguments {
  confirm: string | undefined;
  alias: string;
  policy: string | undefined;
  'on-exit': 'leave' | 'close' | undefined;
  simulated: boolean;
  json: boolean;
}

/** The pre-flight as a command: a table, and exit code 1 where something fails. */
export async function checkLive(args: CheckArguments): Promise<void> {
  const { registryDir, tradingDir, ib } = readRuntimeSettings(process.env);
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

export function replayLive({ journal: place, json }: { journal: string; json: boolean }): void {
  const { file, bundle: sha256 } = Journal.describe(place);
  if (sha256 === null)
    fail('LIVE_JOURNAL', { where: file, message: 'names no bundle: there is no policy to repeat it with' });
  const decider = new BundleDecider(new Registry(readRuntimeSettings(process.env).registryDir).load(sha256));
  const result = replayJournal(file, decider);
  decider.dispose();
  console.log(json ? JSON.stringify(result, null, 2) : replayText(result));
  if (result.firstDifference !== null) process.exitCode = 1;
}

export async function tradeLive({
  confirm,
  alias,
  policy: file,
  'on-exit': onExit,
  simulated,
  json,
}: LiveArguments): Promise<void> {
  const { registryDir, tradingDir, logLevel, ib } = readRuntimeSettings(process.env);
  const say = (line: string): void => console.error(line);
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
}

/** Handlers of `openbell live status | pause | resume | kill | flatten | cancel-all`. */
import { readRuntimeSettings } from '#src/config/runtime.js';
import { fail } from '#src/errors.js';
import { ask, controlSocketPath } from '#src/live/shell/control-socket.js';
import { stateText, statusText } from '#src/live/shell/live-text.js';
import { tradedAccount } from '#src/live/shell/traded-accounts.js';

export interface AccountArguments {
  account: string | undefined;
  json: boolean;
}

export async function showStatus({ account, json }: AccountArguments): Promise<void> {
  const { tradingDir, ib } = readRuntimeSettings(process.env);
  const target = tradedAccount(tradingDir, account);
  const alive = await ask(controlSocketPath(target.account), { ask: 'status' });
  if (alive !== null) return console.log(json ? JSON.stringify(alive, null, 2) : statusText(alive));
  const { stateWithoutRunner } = await import('#src/live/shell/without-runner.js');
  const state = await stateWithoutRunner(target, ib);
  console.log(json ? JSON.stringify(state, null, 2) : stateText(state));
}

/** What the runner alone can do. */
export async function commandRunner(
  kind: 'pause' | 'resume' | 'kill',
  { account, json }: AccountArguments,
): Promise<void> {
  const target = tradedAccount(readRuntimeSettings(process.env).tradingDir, account);
  const answer = await ask(controlSocketPath(target.account), { ask: 'command', kind });
  if (answer === null)
    fail('LIVE_LOCK', {
      where: target.account,
      value: kind,
      message: 'no runner of this account is alive; openbell live flatten and cancel-all work without one',
    });
  console.log(json ? JSON.stringify(answer, null, 2) : statusText(answer));
}

/** By the runner, or at the broker where none is alive. */
export async function actOnAccount(
  kind: 'flatten' | 'cancel-all',
  { account, confirm, json }: AccountArguments & { confirm: string | undefined },
): Promise<void> {
  const { tradingDir, ib, logLevel } = readRuntimeSettings(process.env);
  const target = tradedAccount(tradingDir, account ?? confirm);
  const answer = await ask(controlSocketPath(target.account), { ask: 'command', kind });
  if (answer !== null) return console.log(json ? JSON.stringify(answer, null, 2) : statusText(answer));
  if (kind === 'flatten' && confirm !== target.account)
    fail('USAGE', {
      where: '--confirm',
      value: confirm ?? null,
      message: `no runner is alive, so that this goes to the broker directly: write --confirm=${target.account}`,
    });
  const { actWithoutRunner } = await import('#src/live/shell/without-runner.js');
  const { narrator } = await import('#src/live/shell/narrator.js');
  const { holdingsText } = await import('#src/live/shell/status.js');
  const { symbols, done } = await actWithoutRunner({
    target,
    act: kind,
    address: ib,
    logLevel,
    listener: narrator((line) => console.error(line)),
  });
  console.log(json ? JSON.stringify({ done, symbols }, null, 2) : holdingsText(symbols).join('\n'));
  if (!done) process.exitCode = 1;
}

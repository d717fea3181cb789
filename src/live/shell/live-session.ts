/**
 * Trading at a real gateway, from the pre-flight to the exit: one account, one lock, one runner; another bundle takes
 * over when the account is flat.
 */
import { fail } from '#src/errors.js';
import type { LogLevel } from '#src/config/runtime.js';
import { IbBroker } from '#src/broker/ib-broker.js';
import { shortId } from '#src/registry/bundle.js';
import type { Registry } from '#src/registry/registry.js';
import type { Command } from '../core/events.js';
import { openLine, type BrokerAddress } from './broker-line.js';
import { BundleWatch } from './bundle-watch.js';
import { BundleDecider, traderConfigOf, type DeploymentOptions } from './bundle-trader.js';
import { ControlSocket } from './control-socket.js';
import { accountName, deploymentFolder, type TradingKind } from './account-folder.js';
import { takeUp } from './deployment.js';
import { together } from './listeners.js';
import { DeploymentLogs } from './logs.js';
import type { DeploymentPolicy } from './policy-file.js';
import { isPaperAccount } from './preflight-account.js';
import type { Check } from './preflight-check.js';
import { passes, preflight, preflightText } from './preflight.js';
import { promotionStatus } from './promotion-status.js';
import { Runner, type RunnerListener } from './runner.js';
import { noteGateway, type CashReading } from './session-note.js';
import { holdingsText, statusOf, symbolsOf, type RunnerStatus } from './status.js';

export interface SessionOptions {
  readonly kind: TradingKind;
  readonly registry: Registry;
  /** An alias, an id or a file; live: the alias `live`. An alias is followed while the runner runs. */
  readonly reference: string;
  readonly address: BrokerAddress;
  /** null: the gateway's only one (paper). */
  readonly account: string | null;
  readonly policy: DeploymentPolicy;
  readonly onExit: 'leave' | 'close';
  readonly simulated: boolean;
  readonly tradingDir: string;
  readonly logLevel: LogLevel;
  readonly listener?: RunnerListener;
  /** A line for a person. */
  readonly print?: (line: string) => void;
  /** Aborting it stops the runner in good order. */
  readonly signal: AbortSignal;
  /** Asked when a journal begins: what the broker says of the account's cash; null: nothing that can be told. */
  readonly openingCash?: () => CashReading | null;
}

export interface SessionOutcome {
  readonly account: string;
  readonly bundle: string;
  readonly folder: string;
  readonly equity: number;
  readonly position: Readonly<Record<string, number>>;
  /** Whether nothing was on its way at the end, and what was to be left had been left. */
  readonly settled: boolean;
}

/** Where TWS and IB Gateway trade real money by default. */
const LIVE_PORTS = [4001, 7496];
const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 60_000;

/** Trades until the signal. Throws LIVE_PREFLIGHT, LIVE_LOCK, LIVE_JOURNAL, REGISTRY, BUNDLE_ and USAGE errors. */
export async function tradeAtGateway(options: SessionOptions): Promise<SessionOutcome> {
  refuseBefore(options);
  const account = options.account ?? (await onlyAccount(options.address));
  const print = options.print ?? (() => undefined);
  const current: {
    runner: Runner | null;
    status: () => RunnerStatus | { account: string; pid: number; ready: false };
  } = { runner: null, status: () => ({ account, pid: process.pid, ready: false }) };
  const lock = await ControlSocket.open(
    accountName(account),
    () => current.status(),
    (command: Command) => current.runner?.command(command),
  );
  try {
    for (;;) {
      const outcome = await tradeOneJournal(options, account, print, current);
      if (outcome !== 'changed') return outcome;
    }
  } finally {
    await lock.close();
  }
}

/** What is wrong whatever the gateway says. Throws LIVE_PREFLIGHT and USAGE. */
export function refuseBefore({
  kind,
  reference,
  address,
  account,
}: Pick<SessionOptions, 'kind' | 'reference' | 'address' | 'account'>): void {
  if (kind === 'live' && reference !== 'live')
    fail('LIVE_PREFLIGHT', {
      where: 'bundle',
      value: reference,
      message: 'real money follows the alias live alone: openbell promote RUN --to live',
    });
  if (kind === 'live' && account === null)
    fail('USAGE', {
      where: '--confirm',
      message: 'say whose money it is: --confirm=ACCOUNT, such as --confirm=U1234567',
    });
  if (kind === 'paper' && LIVE_PORTS.includes(address.port))
    fail('LIVE_PREFLIGHT', {
      where: '--gateway',
      value: `${address.host}:${address.port}`,
      message: 'this is a port of real accounts; paper accounts are at 4002 (IB Gateway) and 7497 (TWS)',
    });
  if (kind === 'paper' && account !== null && !isPaperAccount(account))
    fail('LIVE_PREFLIGHT', {
      where: '--account',
      value: account,
      message: 'is no paper account (DU..., DF...): openbell live trades real ones',
    });
}

async function onlyAccount(address: BrokerAddress): Promise<string> {
  const { broker, accounts } = await openLine(address, null);
  await broker.close();
  return accounts[0];
}

/** The checks alone, on a connection of their own. Throws LIVE_PREFLIGHT where there is none. */
export async function checkSession(
  options: Pick<
    SessionOptions,
    'kind' | 'registry' | 'reference' | 'address' | 'account' | 'policy' | 'simulated' | 'tradingDir'
  >,
): Promise<{ account: string; checks: Check[] }> {
  const bundle = options.registry.load(options.reference);
  const line = await openLine(options.address, options.account);
  try {
    const account = options.account ?? line.accounts[0];
    const checks = await preflight({
      kind: options.kind,
      line,
      account,
      bundle,
      liveChange: options.registry.current('live'),
      promotion: promotionStatus(options.registry, options.reference, bundle),
      config: traderConfigOf(bundle, settingsOf(account, options.policy)),
      folder: deploymentFolder(options.tradingDir, options.kind, account),
      simulated: options.simulated,
      nowMs: Date.now(),
    });
    return { account, checks };
  } finally {
    await line.broker.close();
  }
}

/** What a shutdown does is the session's business: it may be another one at each start. */
function settingsOf(account: string, { equity, risk, care }: DeploymentPolicy): DeploymentOptions {
  return { account, risk, care: { ...care, on_shutdown: 'leave' }, ...(equity === null ? {} : { equity }) };
}

async function tradeOneJournal(
  options: SessionOptions,
  account: string,
  print: (line: string) => void,
  current: { runner: Runner | null; status: () => unknown },
): Promise<SessionOutcome | 'changed'> {
  const { kind, registry, reference, address, policy, tradingDir, signal } = options;
  const { checks } = await checkSession({ ...options, account });
  print(preflightText(checks));
  const failed = checks.filter(({ status }) => status === 'failure');
  if (!passes(checks))
    fail('LIVE_PREFLIGHT', {
      where: account,
      value: failed.map(({ name }) => name).join(', '),
      message: `${failed.map(({ why, remedy }) => `${why}: ${remedy}`).join('; ')}. Nothing was sent`,
    });
  const folder = deploymentFolder(tradingDir, kind, account);
  const logs = new DeploymentLogs(folder, options.logLevel);
  const deployment = takeUp({
    folder,
    registry,
    wanted: registry.load(reference),
    settings: settingsOf(account, policy),
    nowMs: Date.now(),
    onFound: (journal) => logs.catchUp(journal),
  });
  const { bundle, journal } = deployment;
  noteGateway(journal, options.simulated, journal.length === 0 ? (options.openingCash?.() ?? null) : null);
  const began = journal.length;
  const decider = new BundleDecider(bundle);
  let reject: (error: unknown) => void = () => undefined;
  const failure = new Promise<never>((_, no) => {
    reject = no;
  });
  const broker = new IbBroker({ ...address, account, firstOrderId: journal.orderIdMark });
  let watch: BundleWatch | null = null;
  try {
    const runner = new Runner({
      broker,
      journal,
      config: deployment.config,
      decider,
      listener: together(logs, options.listener ?? {}, { onEvent: () => watch?.nudge() }),
      onFailure: (error) => reject(error),
    });
    current.runner = runner;
    watch = new BundleWatch({
      kind,
      registry,
      reference,
      deployment,
      settings: settingsOf(account, policy),
      runner,
      print,
    });
    const { changed } = watch;
    const promotion = promotionStatus(registry, reference, bundle);
    current.status = () => statusOf(runner.trader, bundle, promotion, journal.file, watch?.waiting ?? null);
    print(
      began === 0
        ? `${bundle.manifest.name} ${shortId(bundle.sha256)} begins to trade in ${account}; journal ${journal.file}`
        : [
            `${bundle.manifest.name} ${shortId(bundle.sha256)} goes on in ${account}: ${began} events in ${journal.file}, by which`,
            ...holdingsText(symbolsOf(runner.trader)),
          ].join('\n'),
    );
    runner.start();
    const why = await Promise.race([failure, aborted(signal), changed]);
    watch.stop();
    if (why === 'aborted' && options.onExit === 'close') {
      await runner.ready(READY_WITHIN_MS);
      runner.command({ kind: 'flatten' });
    }
    const settled = await Promise.race([failure, runner.stop(STOP_WITHIN_MS)]);
    print(
      [
        why === 'changed'
          ? 'flat: what was promoted takes over'
          : `stopped${settled ? '' : `, though not everything had settled within ${STOP_WITHIN_MS / 1000} s: the next start reconciles it`}; what remains`,
        ...holdingsText(symbolsOf(runner.trader)),
      ].join('\n'),
    );
    if (why === 'changed') return 'changed';
    return {
      account,
      bundle: bundle.sha256,
      folder,
      equity: runner.trader.equity,
      position: Object.fromEntries(runner.trader.symbols.map(({ symbol, position }) => [symbol, position])),
      settled,
    };
  } catch (error) {
    // a connection that nobody listens to would keep the process, and the gateway's client id
    await broker.close();
    journal.abandon();
    throw error;
  } finally {
    watch?.stop();
    current.runner = null;
    decider.dispose();
    logs.close();
  }
}

function aborted(signal: AbortSignal): Promise<'aborted'> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve('aborted');
    signal.addEventListener('abort', () => resolve('aborted'), { once: true });
  });
}

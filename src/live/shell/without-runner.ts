/**
 * What a person may want of an account whose runner is dead: its state, its entries cancelled, its position left. The
 * trader's own code does it, from the journal and the broker's answers; it decides nothing, and touches what is ours
 * alone. No bundle is needed: what the policy decided stands in the journal.
 */
import path from 'node:path';
import { IbBroker } from '#src/broker/ib-broker.js';
import type { LogLevel } from '#src/config/runtime.js';
import { fail } from '#src/errors.js';
import { openLine, type BrokerAddress } from './broker-line.js';
import { ControlSocket } from './control-socket.js';
import { JOURNAL_FILE } from './account-folder.js';
import { Journal } from './journal.js';
import { together } from './listeners.js';
import { DeploymentLogs } from './logs.js';
import { RecordedDecider, traderOf } from './replay-journal.js';
import { Runner, type RunnerListener } from './runner.js';
import { symbolsOf, type SymbolStatus } from './status.js';
import type { TradedAccount } from './traded-accounts.js';

export interface StateWithoutRunner {
  readonly account: string;
  readonly runner: null;
  readonly bundle: string | null;
  readonly journal: string;
  /** By the journal, as the runner left it. */
  readonly symbols: readonly SymbolStatus[];
  readonly halt: { readonly level: string; readonly reason: string } | null;
  readonly paused: boolean;
  /** What the broker says now; null: it cannot be reached, and why. */
  readonly broker: {
    readonly positions: readonly { readonly symbol: string; readonly quantity: number }[];
    readonly ownOrders: readonly {
      readonly orderRef: string;
      readonly symbol: string;
      readonly remaining: number;
      readonly price: number | null;
      readonly state: string;
    }[];
    readonly otherOrders: number;
  } | null;
  readonly brokerProblem: string | null;
}

export async function stateWithoutRunner(
  { account, folder }: TradedAccount,
  address: BrokerAddress,
): Promise<StateWithoutRunner> {
  const journal = Journal.read(path.join(folder, JOURNAL_FILE));
  const trader = journal.length === 0 ? null : traderOf(journal);
  const { bundle, file } = journal;
  journal.close();
  const base = {
    account,
    runner: null,
    bundle,
    journal: file,
    symbols: trader === null ? [] : symbolsOf(trader),
    halt: trader?.halt ?? null,
    paused: trader?.paused ?? false,
  };
  let problem: string | null = null;
  try {
    const { broker } = await openLine(address, account);
    try {
      const [positions, orders] = await Promise.all([broker.positions(), broker.openOrders()]);
      if (positions.known && orders.known) {
        const tag = trader === null ? null : `${trader.config.tag}-`;
        const own = orders.value.filter(({ orderRef }) => tag !== null && orderRef.startsWith(tag));
        return {
          ...base,
          broker: {
            positions: positions.value.map(({ symbol, quantity }) => ({ symbol, quantity })),
            ownOrders: own.map(({ orderRef, symbol, remaining, stopPrice, limitPrice, state }) => ({
              orderRef,
              symbol,
              remaining,
              price: stopPrice ?? limitPrice,
              state,
            })),
            otherOrders: orders.value.length - own.length,
          },
          brokerProblem: null,
        };
      }
      problem = [positions, orders].flatMap((one) => (one.known ? [] : [one.reason]))[0];
    } finally {
      await broker.close();
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    problem = error.message;
  }
  return { ...base, broker: null, brokerProblem: problem };
}

const READY_WITHIN_MS = 60_000;
const DONE_WITHIN_MS = 120_000;

/** Throws LIVE_LOCK where a runner is alive, LIVE_JOURNAL, and LIVE_PREFLIGHT where the broker does not answer. */
export async function actWithoutRunner(options: {
  readonly target: TradedAccount;
  readonly act: 'flatten' | 'cancel-all';
  readonly address: BrokerAddress;
  readonly logLevel: LogLevel;
  readonly listener?: RunnerListener;
  readonly withinMs?: number;
}): Promise<{ readonly symbols: readonly SymbolStatus[]; readonly done: boolean }> {
  const { target, act, address, logLevel, withinMs = DONE_WITHIN_MS } = options;
  const { account, folder } = target;
  // a connection that cannot come about is told at once, with its reason
  const probe = await openLine(address, account);
  await probe.broker.close();
  let failed: (error: unknown) => void = () => undefined;
  const failure = new Promise<never>((_, reject) => {
    failed = reject;
  });
  const lock = await ControlSocket.open(
    account,
    () => ({ account, pid: process.pid, ready: false, doing: act }),
    () => undefined,
  );
  const logs = new DeploymentLogs(folder, logLevel);
  let broker: IbBroker | null = null;
  try {
    const journal = Journal.read(path.join(folder, JOURNAL_FILE));
    if (journal.length === 0)
      fail('LIVE_JOURNAL', { where: journal.file, message: 'is empty: nothing of ours is known to touch' });
    broker = new IbBroker({ ...address, account, firstOrderId: journal.orderIdMark });
    const runner = new Runner({
      broker,
      journal,
      config: traderOf(journal).config,
      decider: new RecordedDecider(journal),
      listener: together(logs, options.listener ?? {}),
      onFailure: (error) => failed(error),
    });
    // no decisions: whoever asks for this wants less, not more
    runner.command({ kind: 'shutdown' });
    runner.start();
    const ready = await Promise.race([failure, runner.ready(READY_WITHIN_MS)]);
    if (!ready) {
      await runner.end();
      fail('LIVE_PREFLIGHT', {
        where: account,
        message: `the account could not be reconciled within ${READY_WITHIN_MS / 1000} s, so that nothing was sent: the lines above say why; what rests at the broker rests on`,
      });
    }
    runner.command({ kind: act });
    const settled = await Promise.race([failure, runner.stop(withinMs)]);
    const { symbols } = runner.trader;
    const done = settled && (act === 'cancel-all' || symbols.every(({ position }) => position === 0));
    return { symbols: symbolsOf(runner.trader), done };
  } finally {
    // where it failed: nobody listens to the connection any more
    await broker?.close();
    logs.close();
    await lock.close();
  }
}

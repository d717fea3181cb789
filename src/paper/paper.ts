/**
 * Paper trading against the simulated gateway: it replays bars, and the live runner trades on it, over a real socket,
 * with its journal. At maximum speed both go in lockstep: the market waits at each bar until the runner is done.
 */
import path from 'node:path';
import type { Bars } from '#env/market/bars.js';
import { IbBroker } from '#src/broker/ib-broker.js';
import { makeFolder } from '#src/config/make-folder.js';
import { fail } from '#src/errors.js';
import type { FaultPlanSpec } from '#src/gateway/faults/schema.js';
import type { Truth } from '#src/gateway/exchange-port.js';
import { startGateway, type Gateway } from '#src/gateway/start-gateway.js';
import { DEFAULT_RISK, type CarePolicy, type RiskLimits, type TraderConfig } from '#src/live/core/config.js';
import { BundleDecider, traderConfigOf } from '#src/live/shell/bundle-trader.js';
import { Journal } from '#src/live/shell/journal.js';
import { Runner, type RunnerListener } from '#src/live/shell/runner.js';
import type { Bundle } from '#src/registry/bundle.js';
import type { BooksNote, SessionNote } from '#src/live/shell/session-note.js';

export const PAPER_ACCOUNT = 'DU1234567';
const RUNNER = 'runner';
const CLIENT_ID = 1;
const BOUNDARY_WITHIN_MS = 120_000;
const SETTLE_WITHIN_MS = 30_000;
/** The simulated gateway at maximum speed does not count messages. */
const UNPACED = { messagesPerSecond: 100_000, keptForOrders: 1_000 };

export interface PaperOptions {
  readonly bundle: Bundle;
  /** One entry a symbol of the bundle. */
  readonly bars: readonly Bars[];
  /** Their data sets as they can be loaded again, one an entry of `bars`; default: their names. */
  readonly datasets?: readonly string[];
  /** Where journal.db is written, and continued where it stands already. */
  readonly folder: string;
  readonly fills: 'path' | 'backtest';
  /** Market seconds a wall second; max: in lockstep. */
  readonly speed: number | 'max';
  readonly seed: number;
  /** Market time at which the replay begins; default: the second session's open. */
  readonly startTimeMs?: number;
  /** Open of the bar that the observation begins at. */
  readonly anchorMs?: number | null;
  readonly faults?: FaultPlanSpec;
  readonly risk?: Partial<RiskLimits>;
  readonly care?: Partial<CarePolicy>;
  /** Instead of the bundle's initial equity. */
  readonly equity?: number;
  readonly listener?: RunnerListener;
  /** Aborting it stops the runner in good order. */
  readonly signal?: AbortSignal;
  /** Told when everything runs: for control from outside. */
  readonly onReady?: (parts: { readonly runner: Runner; readonly gateway: Gateway }) => void;
}

export interface PaperOutcome {
  readonly config: TraderConfig;
  /** The gateway's own books at the end. */
  readonly truth: Truth;
  readonly position: Readonly<Record<string, number>>;
  /** Cash of our ledger, over all sleeves. */
  readonly cash: number;
  readonly cashBySymbol: Readonly<Record<string, number>>;
  readonly equity: number;
  readonly bars: number;
  readonly wallSeconds: number;
  readonly settled: boolean;
}

/** Throws GATEWAY_, BROKER_, LIVE_ and BUNDLE_ errors. */
export async function runPaper(options: PaperOptions): Promise<PaperOutcome> {
  const { bundle, bars, folder, fills, speed, seed } = options;
  const began = performance.now();
  makeFolder(folder);
  const config = traderConfigOf(bundle, {
    account: PAPER_ACCOUNT,
    anchorMs: options.anchorMs ?? null,
    risk: { ...options.risk, max_orders_per_minute: ordersPerMinute(options.risk, speed) },
    ...(options.care === undefined ? {} : { care: options.care }),
    ...(options.equity === undefined ? {} : { equity: options.equity }),
  });
  const gateway = await startGateway({
    bars,
    port: 0,
    controlPort: null,
    speed,
    fills,
    seed,
    account: PAPER_ACCOUNT,
    initialCash: config.market.initial_equity,
    costs: config.market.costs,
    ...(options.startTimeMs === undefined ? {} : { startTimeMs: options.startTimeMs }),
    ...(options.faults === undefined ? {} : { faults: options.faults }),
  });
  const decider = new BundleDecider(bundle);
  const journal = Journal.open(path.join(folder, 'journal.db'), { bundle: bundle.sha256 });
  const note = noteOf(options, config);
  if (journal.length === 0) journal.note('session', note);
  const broker = new IbBroker({
    host: '127.0.0.1',
    port: gateway.port,
    clientId: CLIENT_ID,
    account: PAPER_ACCOUNT,
    firstOrderId: journal.orderIdMark,
    ...(speed === 'max' ? { pace: UNPACED } : {}),
  });
  let runner: Runner | null = null;
  try {
    let refuse = (_error: unknown): void => undefined;
    const failure = new Promise<never>((_, reject) => {
      refuse = reject;
    });
    runner = new Runner({
      broker,
      onFailure: (error) => refuse(error),
      journal,
      config,
      decider,
      ...(options.listener === undefined ? {} : { listener: options.listener }),
    });
    if (speed === 'max') gateway.control.lockstep.register(RUNNER);
    runner.start();
    options.onReady?.({ runner, gateway });
    const trading =
      speed === 'max' ? inLockstep(gateway, broker, runner, options.signal) : untilOver(gateway, options.signal);
    const boundaries = await Promise.race([trading, failure]);
    const settled = await runner.settle(SETTLE_WITHIN_MS);
    const { symbols } = runner.trader;
    const outcome: PaperOutcome = {
      config: runner.config,
      truth: gateway.control.truth(),
      position: Object.fromEntries(symbols.map((one) => [one.symbol, one.position])),
      cash: symbols.reduce((sum, one) => sum + one.cash, 0),
      cashBySymbol: Object.fromEntries(symbols.map((one) => [one.symbol, one.cash])),
      equity: runner.trader.equity,
      bars: boundaries,
      wallSeconds: (performance.now() - began) / 1000,
      settled,
    };
    await runner.stop(SETTLE_WITHIN_MS);
    noteEnd(journal.file, note, outcome);
    return outcome;
  } catch (error) {
    // a runner's clock, a connection or a wait for the market would keep the process
    runner?.abandon();
    gateway.control.lockstep.end();
    await broker.close();
    journal.abandon();
    throw error;
  } finally {
    decider.dispose();
    await gateway.close();
  }
}

function noteOf({ bars, datasets, fills, speed, seed, faults }: PaperOptions, { anchorMs }: TraderConfig): SessionNote {
  return {
    kind: 'simulated',
    data: bars.map(({ source, instrument, sha256, synthetic }, index) => ({
      dataset: datasets?.[index] ?? source,
      symbol: instrument.symbol,
      sha256,
      synthetic,
    })),
    anchorMs,
    toMs: null,
    fills,
    speed,
    seed,
    faults: faults !== undefined,
  };
}

/** The market's time and the gateway's own books, once the runner has closed the journal. */
function noteEnd(file: string, note: SessionNote, { truth, config }: PaperOutcome): void {
  const journal = Journal.open(file);
  journal.note('session', { ...note, toMs: truth.timeMs });
  const books: BooksNote = {
    fromWallMs: 0,
    cashBefore: config.market.initial_equity,
    after: { wallMs: Number.MAX_SAFE_INTEGER, cash: truth.cash },
  };
  journal.note('books', books);
  journal.close();
}

/** The limit counts minutes of the wall: where the market is faster, so is what may be ordered in one. */
function ordersPerMinute(risk: Partial<RiskLimits> | undefined, speed: number | 'max'): number {
  const limit = risk?.max_orders_per_minute ?? DEFAULT_RISK.max_orders_per_minute;
  return speed === 'max' ? Number.MAX_SAFE_INTEGER : limit * Math.max(1, speed);
}

/** The market stands at each boundary until what it brought is decided and every order has arrived. */
async function inLockstep(
  gateway: Gateway,
  broker: IbBroker,
  runner: Runner,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { lockstep } = gateway.control;
  let closes = 0;
  let number = 0;
  // the first close waits for a runner that is able to decide upon it
  await runner.ready(SETTLE_WITHIN_MS);
  const isAborted = (): boolean => signal?.aborted === true;
  while (!isAborted()) {
    const next = await lockstep.next(number, BOUNDARY_WITHIN_MS);
    if (next === null) break;
    number = next.number;
    if (next.boundary.kind === 'close') closes++;
    // an answer comes behind everything that was said before it
    await broker.currentTime();
    await untilDone(broker, runner, isAborted);
    lockstep.acknowledge(RUNNER, number);
  }
  lockstep.leave(RUNNER);
  return closes;
}

/** Settled, and still so after everything sent has been answered; a runner that never comes to rest is an error. */
async function untilDone(broker: IbBroker, runner: Runner, isAborted: () => boolean): Promise<void> {
  const deadline = performance.now() + BOUNDARY_WITHIN_MS;
  while (!isAborted()) {
    await runner.settle(SETTLE_WITHIN_MS);
    await broker.currentTime();
    if (runner.settled || !broker.connected) return;
    if (performance.now() > deadline)
      fail('LIVE_EVENT', {
        where: 'paper',
        value: runner.trader.symbols.map(({ symbol, position }) => `${symbol} ${position}`).join(', '),
        message: `the runner has not come to rest within ${BOUNDARY_WITHIN_MS / 1000} s of a bar's close: its last alerts say why; the journal is kept`,
      });
  }
}

async function untilOver(gateway: Gateway, signal: AbortSignal | undefined): Promise<number> {
  const aborted = new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));
  await Promise.race([gateway.over, aborted]);
  return 0;
}

/** A paper session from start to report: the bars, the folder with its logs, the run, and what it says. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { firstBarAtOrAfter, sliceBars, type Bars } from '#env/market/bars.js';
import { utcInstant } from '#env/market/window.js';
import type { LogLevel } from '#src/config/runtime.js';
import { asTraded } from '#src/data/as-traded.js';
import { loadDataset } from '#src/data/load.js';
import { makeFolder } from '#src/data/make-folder.js';
import { fail } from '#src/errors.js';
import type { FaultPlanSpec } from '#src/gateway/faults/schema.js';
import { DeploymentLogs } from '#src/live/shell/logs.js';
import { together } from '#src/live/shell/listeners.js';
import type { DeploymentPolicy } from '#src/live/shell/policy-file.js';
import type { RunnerListener } from '#src/live/shell/runner.js';
import { shortId, type Bundle } from '#src/registry/bundle.js';
import { compareWithBacktest, segmentFrom, type ParityReport } from './parity.js';
import { runPaper, type PaperOptions, type PaperOutcome } from './paper.js';

export interface PaperSessionOptions {
  readonly bundle: Bundle;
  /** Data sets, one a symbol; default: those that the bundle was trained on. */
  readonly data?: readonly string[];
  /** Bars that open in [from, to), as configurations write dates; default: the last tenth of what there is. */
  readonly from?: string;
  readonly to?: string;
  readonly fills: 'path' | 'backtest';
  readonly speed: number | 'max';
  readonly seed: number;
  readonly faults?: FaultPlanSpec;
  readonly policy?: DeploymentPolicy;
  /** Where sessions are kept, each in a folder of its own. */
  readonly tradingDir: string;
  readonly logLevel: LogLevel;
  readonly listener?: RunnerListener;
  readonly signal?: AbortSignal;
  readonly nowMs?: () => number;
  readonly onReady?: NonNullable<PaperOptions['onReady']>;
}

export interface PaperReport {
  readonly format: 'openbell-paper 1';
  readonly bundle: string;
  readonly name: string;
  readonly symbols: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly marketDays: number;
  readonly fills: 'path' | 'backtest';
  readonly speed: number | 'max';
  readonly seed: number;
  readonly equityStart: number;
  readonly equityEnd: number;
  readonly commissions: number;
  readonly position: Readonly<Record<string, number>>;
  /** Our ledger's cash less the gateway's own books, in currency: 0 to the cent, or something is wrong. */
  readonly ledgerDifference: number;
  readonly alerts: Readonly<Record<string, number>>;
  readonly parity: ParityReport;
  readonly wallSeconds: number;
  readonly settled: boolean;
}

const DEFAULT_SHARE = 0.1;

/** Throws DATA_, BUNDLE_, GATEWAY_, BROKER_ and LIVE_ errors. */
export async function paperTrade(
  options: PaperSessionOptions,
): Promise<{ report: PaperReport; folder: string; outcome: PaperOutcome }> {
  const { bundle, tradingDir, nowMs = Date.now } = options;
  const market = await marketOf(bundle, options);
  const stamp = new Date(nowMs()).toISOString().replace(/[-:]|\.\d+/g, '');
  const folder = path.join(tradingDir, 'paper', `${stamp}-${shortId(bundle.sha256)}`);
  makeFolder(folder);
  const logs = new DeploymentLogs(folder, options.logLevel);
  const alerts: Record<string, number> = {};
  const counting: RunnerListener = {
    onAlert: ({ code }) => {
      alerts[code] = (alerts[code] ?? 0) + 1;
    },
  };
  const outcome = await runPaper({
    bundle,
    bars: market.bars,
    folder,
    fills: options.fills,
    speed: options.speed,
    seed: options.seed,
    startTimeMs: market.startMs,
    anchorMs: market.anchorMs,
    listener: together(logs, counting, options.listener ?? {}),
    ...(options.faults === undefined ? {} : { faults: options.faults }),
    ...(options.policy === undefined ? {} : policyOf(options.policy)),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.onReady === undefined ? {} : { onReady: options.onReady }),
  });
  logs.close();
  const sleeves = Object.fromEntries(outcome.config.symbols.map(({ symbol, sleeveEquity }) => [symbol, sleeveEquity]));
  const parity = compareWithBacktest({
    bundle,
    bars: market.bars,
    journalFile: path.join(folder, 'journal.db'),
    cash: outcome.cashBySymbol,
    sleeveEquity: sleeves,
  });
  const days = new Set(market.bars.flatMap((bars) => sessionDays(bars, market.startMs)));
  const report: PaperReport = {
    format: 'openbell-paper 1',
    bundle: bundle.sha256,
    name: bundle.manifest.name,
    symbols: market.bars.map(({ instrument }) => instrument.symbol),
    from: new Date(market.startMs).toISOString(),
    to: new Date(outcome.truth.timeMs).toISOString(),
    marketDays: days.size,
    fills: options.fills,
    speed: options.speed,
    seed: options.seed,
    equityStart: outcome.config.market.initial_equity,
    equityEnd: outcome.equity,
    commissions: outcome.truth.executions.reduce(
      (sum, { commission, superseded }) => sum + (superseded ? 0 : commission),
      0,
    ),
    position: outcome.position,
    ledgerDifference: outcome.cash - outcome.truth.cash,
    alerts,
    parity,
    wallSeconds: outcome.wallSeconds,
    settled: outcome.settled,
  };
  writeFileSync(path.join(folder, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  return { report, folder, outcome };
}

const policyOf = ({ risk, care, equity }: DeploymentPolicy): Pick<PaperOptions, 'risk' | 'care' | 'equity'> => ({
  risk,
  care,
  ...(equity === null ? {} : { equity }),
});

/** The bars to replay, from the anchor to the window's end, all of one segment. */
async function marketOf(
  bundle: Bundle,
  { data, from, to }: PaperSessionOptions,
): Promise<{ bars: Bars[]; startMs: number; anchorMs: number }> {
  const { instruments, interval } = bundle.manifest;
  const names = data ?? bundle.manifest.data.map(({ dataset }) => dataset);
  const all = await Promise.all(names.map(async (name) => asTraded(await loadDataset(name))));
  const bars = instruments.map(({ symbol }) => {
    const found = all.filter((own) => own.instrument.symbol === symbol);
    if (found.length !== 1)
      fail('DATA_MANIFEST', {
        where: '--data',
        value: names,
        message: `the bundle trades ${symbol}, and ${found.length} of these data sets hold it: name one for each symbol`,
      });
    if (found[0].interval.ms !== interval.ms)
      fail('DATA_MANIFEST', {
        where: found[0].source,
        value: found[0].interval.label,
        message: `the bundle trades bars of ${interval.label}`,
      });
    return found[0];
  });
  const [first] = bars;
  const startMs =
    from === undefined ? first.openTimeMs[Math.floor(first.length * (1 - DEFAULT_SHARE))] : utcInstant(from, '--from');
  const endMs = to === undefined ? Infinity : utcInstant(to, '--to');
  const cut = bars.map((own) => {
    const segment = segmentFrom(own, startMs);
    const end = endMs === Infinity ? segment.length : firstBarAtOrAfter(segment, endMs);
    if (end < 2 || segment.openTimeMs[end - 1] <= startMs)
      fail('DATA_WINDOW', {
        where: own.source,
        value: [from ?? null, to ?? null],
        message: `no two bars lie in it: the bars run from ${iso(own.openTimeMs[0])} to ${iso(own.openTimeMs[own.length - 1])}`,
      });
    return sliceBars(segment, 0, end);
  });
  return {
    bars: cut,
    startMs: openOfSession(cut[0], startMs),
    anchorMs: Math.max(...cut.map(({ openTimeMs }) => openTimeMs[0])),
  };
}

const iso = (timeMs: number): string => new Date(timeMs).toISOString();

/** The replay begins with a bar's open. */
function openOfSession(bars: Bars, timeMs: number): number {
  return bars.openTimeMs[Math.min(firstBarAtOrAfter(bars, timeMs), bars.length - 1)];
}

function sessionDays({ openTimeMs }: Bars, fromMs: number): number[] {
  return [...openTimeMs].filter((timeMs) => timeMs >= fromMs).map((timeMs) => Math.floor(timeMs / DAY_MS));
}

const DAY_MS = 86_400_000;

/** A paper session from start to report: the bars, the folder with its logs, the run, and what it says. */
import path from 'node:path';
import { firstBarAtOrAfter, sliceBars, type Bars } from '#env/market/bars.js';
import { utcInstant } from '#env/market/window.js';
import type { LogLevel } from '#src/config/runtime.js';
import { asTraded } from '#src/data/as-traded.js';
import { loadDataset } from '#src/data/load.js';
import { makeFolder } from '#src/config/make-folder.js';
import { fail } from '#src/errors.js';
import type { FaultPlanSpec } from '#src/gateway/faults/schema.js';
import { JOURNAL_FILE } from '#src/live/shell/account-folder.js';
import { DeploymentLogs } from '#src/live/shell/logs.js';
import { together } from '#src/live/shell/listeners.js';
import type { DeploymentPolicy } from '#src/live/shell/policy-file.js';
import type { RunnerListener } from '#src/live/shell/runner.js';
import { shortId, type Bundle } from '#src/registry/bundle.js';
import { segmentFrom } from './parity.js';
import { runPaper, type PaperOptions, type PaperOutcome } from './paper.js';
import { reportOn, type PaperResult } from './report.js';
import { writeReport } from './write-report.js';

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

const DEFAULT_SHARE = 0.1;

/** Throws DATA_, BUNDLE_, GATEWAY_, BROKER_ and LIVE_ errors. */
export async function paperTrade(
  options: PaperSessionOptions,
): Promise<{ result: PaperResult; folder: string; outcome: PaperOutcome }> {
  const { bundle, tradingDir, nowMs = Date.now } = options;
  const market = await marketOf(bundle, options);
  const stamp = new Date(nowMs()).toISOString().replace(/[-:]|\.\d+/g, '');
  const folder = path.join(tradingDir, 'paper', `${stamp}-${shortId(bundle.sha256)}`);
  makeFolder(folder);
  const logs = new DeploymentLogs(folder, options.logLevel);
  const outcome = await runPaper({
    bundle,
    bars: market.bars,
    datasets: market.datasets,
    folder,
    fills: options.fills,
    speed: options.speed,
    seed: options.seed,
    startTimeMs: market.startMs,
    anchorMs: market.anchorMs,
    listener: together(logs, options.listener ?? {}),
    ...(options.faults === undefined ? {} : { faults: options.faults }),
    ...(options.policy === undefined ? {} : policyOf(options.policy)),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.onReady === undefined ? {} : { onReady: options.onReady }),
  });
  logs.close();
  const journalFile = path.join(folder, JOURNAL_FILE);
  const result = await reportOn(bundle, journalFile);
  await writeReport(folder, journalFile, result);
  return { result, folder, outcome };
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
): Promise<{ bars: Bars[]; datasets: string[]; startMs: number; anchorMs: number }> {
  const { instruments, interval } = bundle.manifest;
  const names = data ?? bundle.manifest.data.map(({ dataset }) => dataset);
  const all = await Promise.all(names.map(async (name) => asTraded(await loadDataset(name))));
  const datasets: string[] = [];
  const bars = instruments.map(({ symbol }) => {
    const holding = all.filter((own) => own.instrument.symbol === symbol);
    // a bundle that was trained further names a set for each stretch: the newest is replayed
    const found = data === undefined ? holding.sort(byEnd).slice(-1) : holding;
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
    datasets.push(names[all.indexOf(found[0])]);
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
    datasets,
    startMs: openOfSession(cut[0], startMs),
    anchorMs: Math.max(...cut.map(({ openTimeMs }) => openTimeMs[0])),
  };
}

const iso = (timeMs: number): string => new Date(timeMs).toISOString();

const byEnd = (a: Bars, b: Bars): number => a.openTimeMs[a.length - 1] - b.openTimeMs[b.length - 1];

/** The replay begins with a bar's open. */
function openOfSession(bars: Bars, timeMs: number): number {
  return bars.openTimeMs[Math.min(firstBarAtOrAfter(bars, timeMs), bars.length - 1)];
}

/** What a paper session showed: everything from its journal and its bundle, nothing taken at its word. */
import { calendarNamed } from '#env/market/calendar.js';
import { sessionDay } from '#src/data/segments.js';
import { fail } from '#src/errors.js';
import { BundleDecider } from '#src/live/shell/bundle-trader.js';
import { missingBars } from '#src/live/shell/recorded-bars.js';
import { replayJournal, type JournalDifference } from '#src/live/shell/replay-journal.js';
import type { Bundle } from '#src/registry/bundle.js';
import { equityCurves, equityStatistics, type EquityCurves, type EquityStatistics } from './equity-statistics.js';
import type { Faults } from './faults.js';
import {
  commissionStatistics,
  compareFills,
  fillStatistics,
  type CommissionStatistics,
  type FillComparison,
  type FillStatistics,
} from './fill-statistics.js';
import { agrees, compareWithBacktest, type ParityReport } from './parity.js';
import { referenceBars, type Reference } from './reference-bars.js';
import { knownDays } from './known-days.js';
import type { SessionNote } from '#src/live/shell/session-note.js';
import { readSession, type SessionRecord } from './session-record.js';

export interface PaperReport {
  readonly format: 'openbell-paper 2';
  /** sha256 of the bundle, and its name. */
  readonly bundle: string;
  readonly name: string;
  readonly symbols: readonly string[];
  readonly account: string;
  readonly kind: 'simulated' | 'gateway';
  /** What was replayed, and how; null: the journal does not say. */
  readonly session: SessionNote | null;
  /** First and last event, UTC, ISO 8601. */
  readonly from: string;
  readonly to: string;
  /** Days on which decisions were made, and those of them that the bundle was trained or chosen on. */
  readonly marketDays: number;
  readonly knownDays: number;
  readonly journal: { readonly events: number; readonly sha256: string; readonly intact: boolean };
  /** Whether every decision and order of the journal follows from what was heard; where not, the first that does not. */
  readonly replay: { readonly repeats: boolean; readonly firstDifference: JournalDifference | null };
  readonly bars: Omit<Reference, 'bars'>;
  readonly parity: ParityReport;
  readonly agrees: boolean;
  readonly fills: FillStatistics;
  readonly commissions: CommissionStatistics;
  /** null: no decision was made. */
  readonly equity: EquityStatistics | null;
  /** At the end, signed units. */
  readonly position: Readonly<Record<string, number>>;
  /** Our ledger's cash less the broker's books, in currency, less than a cent as 0; null: the broker never told. */
  readonly ledgerDifference: number | null;
  readonly uptime: Uptime;
}

export interface Uptime extends Faults {
  /** Shares of the market's open hours. */
  readonly readyShare: number;
  readonly decidingShare: number;
  /** Bars from the first decision on, and decisions that were made on them. */
  readonly decisionsDue: number;
  readonly decisionsMade: number;
  /** Bars of the calendar since then that were never there. */
  readonly barsMissing: number;
}

/** A report with what pictures need. */
export interface PaperResult {
  readonly report: PaperReport;
  readonly session: SessionRecord;
  readonly curves: EquityCurves | null;
  readonly compared: readonly FillComparison[];
  /** Days since 1970-01-01 with decisions; of those, the ones that the bundle knew. */
  readonly days: readonly number[];
  readonly known: readonly number[];
}

/** Throws LIVE_JOURNAL where the journal is damaged, empty, or another bundle's. */
export async function reportOn(bundle: Bundle, journalFile: string): Promise<PaperResult> {
  const decider = new BundleDecider(bundle);
  const replay = replayJournal(journalFile, decider);
  decider.dispose();
  const session = readSession(journalFile);
  if (session.bundle !== bundle.sha256)
    fail('LIVE_JOURNAL', {
      where: journalFile,
      value: session.bundle,
      message: `is the journal of this bundle, not of ${bundle.sha256}`,
    });
  const reference = await referenceBars(session);
  const { parity, tested } = compareWithBacktest({ bundle, session, bars: reference.bars });
  const curves = equityCurves(bundle, session, reference.bars, tested);
  const compared = compareFills(session);
  const days = decisionDays(session);
  const isKnown = knownDays(
    bundle,
    session.config.symbols.map(({ symbol }) => symbol),
  );
  const known = days.filter(isKnown);
  const { of, why, expected, same } = reference;
  const report: PaperReport = {
    format: 'openbell-paper 2',
    bundle: bundle.sha256,
    name: bundle.manifest.name,
    symbols: session.config.symbols.map(({ symbol }) => symbol),
    account: session.config.account,
    // a journal that does not say so has no claim to a market of today
    kind: session.note?.kind ?? 'simulated',
    session: session.note,
    from: iso(session.fromMs),
    to: iso(session.toMs),
    marketDays: days.length,
    knownDays: known.length,
    journal: { events: session.events, ...session.seal },
    replay: { repeats: replay.firstDifference === null, firstDifference: replay.firstDifference },
    bars: { of, why, expected, same },
    parity,
    agrees: session.seal.intact && replay.firstDifference === null && agrees(parity),
    fills: fillStatistics(session, compared),
    commissions: commissionStatistics(session),
    equity: curves === null ? null : equityStatistics(session, curves, days.length),
    position: session.position,
    ledgerDifference: session.ledgerDifference,
    uptime: uptimeOf(session, reference),
  };
  return { report, session, curves, compared, days, known };
}

const iso = (timeMs: number): string => new Date(timeMs).toISOString();

function decisionDays({ decisions, config }: SessionRecord): number[] {
  const calendar = calendarNamed(config.calendar);
  const days = new Set<number>();
  for (const made of decisions.values())
    for (const { barOpenMs } of made) days.add(sessionDay(calendar, config.interval, barOpenMs));
  return [...days].sort((a, b) => a - b);
}

function uptimeOf(session: SessionRecord, { bars }: Reference): Uptime {
  const { faults, decisions, config } = session;
  const calendar = calendarNamed(config.calendar);
  let decisionsDue = 0;
  let decisionsMade = 0;
  let barsMissing = 0;
  for (const { instrument, openTimeMs } of bars) {
    const made = decisions.get(instrument.symbol) ?? [];
    decisionsMade += made.length;
    if (made.length === 0) continue;
    const start = openTimeMs.indexOf(made[0].barOpenMs);
    if (start < 0) continue;
    decisionsDue += openTimeMs.length - start;
    for (let t = start + 1; t < openTimeMs.length; t++)
      barsMissing += missingBars(openTimeMs[t - 1], openTimeMs[t], config.interval, calendar);
  }
  const share = (seconds: number): number => (faults.marketSeconds > 0 ? seconds / faults.marketSeconds : 0);
  return {
    ...faults,
    readyShare: share(faults.readySeconds),
    decidingShare: share(faults.decidingSeconds),
    decisionsDue,
    decisionsMade,
    barsMissing,
  };
}

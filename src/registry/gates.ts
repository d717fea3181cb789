/** What a promotion asks, and what came of it: kept in the bundle and in the history, for ever. */
import * as z from 'zod';

/**
 * integrity: hashes, replay, look-ahead: never passed over. statistics: how good it is: passed over with a reason, to
 * other aliases than live. paper: what paper trading showed.
 */
export type GateKind = 'integrity' | 'statistics' | 'paper';

export interface GateOutcome {
  /** Its key in the YAML. */
  readonly gate: string;
  readonly kind: GateKind;
  /** What is measured, in words. */
  readonly title: string;
  /** The figure as text; null: it could not be measured, which is no pass. */
  readonly measured: string | null;
  /** "at least 0.5" */
  readonly threshold: string;
  readonly verdict: 'pass' | 'fail' | 'missing';
  /** Not passed, and passed over with the report's reason. */
  readonly forced: boolean;
  /** Not asked for this alias: shown, and refusing nothing. */
  readonly advisory: boolean;
  /** One sentence: what the figure says; for one that does not pass, what to do. */
  readonly why: string;
  /** Figures, paths and hashes that it rests on; JSON. */
  readonly evidence: unknown;
}

export interface GateReport {
  readonly format: 'openbell-gates 1';
  /** The alias that was asked for. */
  readonly to: string;
  /** UTC, ISO 8601. */
  readonly judged_at: string;
  /** The gates with all defaults filled in; JSON. */
  readonly definition: unknown;
  readonly outcomes: readonly GateOutcome[];
  /** Whether the alias may move: every gate that counts passed, or was passed over. */
  readonly passed: boolean;
  /** Why gates were passed over; null: none was. */
  readonly force_reason: string | null;
}

/** The gates that did not pass and were passed over with the report's reason. */
export function passedOver({ outcomes }: GateReport): GateOutcome[] {
  return outcomes.filter(({ forced }) => forced);
}

export const gateReportSchema: z.ZodType<GateReport> = z.strictObject({
  format: z.literal('openbell-gates 1'),
  to: z.string(),
  judged_at: z.iso.datetime(),
  definition: z.unknown(),
  outcomes: z.array(
    z.strictObject({
      gate: z.string().min(1),
      kind: z.enum(['integrity', 'statistics', 'paper']),
      title: z.string(),
      measured: z.string().nullable(),
      threshold: z.string(),
      verdict: z.enum(['pass', 'fail', 'missing']),
      forced: z.boolean(),
      advisory: z.boolean(),
      why: z.string(),
      evidence: z.unknown(),
    }),
  ),
  passed: z.boolean(),
  force_reason: z.string().nullable(),
});

/** What the paper sessions of one bundle showed together, computed anew from their journals. */
export interface PaperEvidence {
  /** sha256 of the bundle. */
  readonly bundle: string;
  readonly sessions: readonly PaperSessionEvidence[];
  /** Distinct market days over all sessions, and those of them that the bundle was trained or chosen on: plumbing only. */
  readonly marketDays: number;
  readonly knownDays: number;
  /** Of the others, those with decisions on less than half of their bars, over all sessions together. */
  readonly partDays: number;
  readonly decisions: number;
  /** Parity claims (a) and (b), at every decision. */
  readonly agrees: boolean;
  /** Filled orders whose price the cost model can tell. */
  readonly fills: number;
  /** Mean price difference to the model's, against us, over those, basis points; null: there are none. */
  readonly slippageBps: number | null;
  /** Upper end of its 95% interval; null: too few. */
  readonly slippageUpperBps: number | null;
  /** Commissions charged less the cost model's for the same fills, as a share of the latter; null: no fill. */
  readonly commissionDifference: number | null;
  /** Largest difference between our ledger's cash and the broker's books at a session's end, in currency. */
  readonly ledgerDifference: number;
}

export interface PaperSessionEvidence {
  /** Under the trading folder, and the journal's file in it. */
  readonly folder: string;
  readonly journal: string;
  readonly kind: 'simulated' | 'gateway';
  /** UTC, ISO 8601. */
  readonly from: string;
  readonly to: string;
  readonly marketDays: number;
  readonly knownDays: number;
  readonly decisions: number;
  /** The journal is as it was written, repeats, and parity claims (a) and (b) hold at every decision. */
  readonly agrees: boolean;
  /** Why it does not; null: it does. */
  readonly why: string | null;
  /** How often which alert was raised. */
  readonly faults: Readonly<Record<string, number>>;
  /** Share of the market's open hours in which it was connected, reconciled and deciding. */
  readonly decidingShare: number;
  /** Compared with a backtest on the data sets that were replayed, or on the bars that the runner recorded. */
  readonly comparedOn: 'replayed' | 'recorded';
  /** sha256 of the journal's entries and notes, in order. */
  readonly journalSha256: string;
}

/**
 * What the paper sessions of a bundle showed together: what a promotion to real money rests on. Every journal is read,
 * its seal and its replay are checked, and the figures are computed anew: report.json is for people.
 */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { OpenBellError } from '#src/errors.js';
import { Journal } from '#src/live/shell/journal.js';
import type { Bundle } from '#src/registry/bundle.js';
import type { PaperEvidence, PaperSessionEvidence } from '#src/registry/gates.js';
import { DecidedBars } from './decided-bars.js';
import { meanInterval, type FillComparison } from './fill-statistics.js';
import { reportOn, type PaperReport, type PaperResult } from './report.js';

/** Throws where the folder cannot be read. A journal that is damaged is a session that does not agree. */
export async function paperEvidence(bundle: Bundle, tradingDir: string): Promise<PaperEvidence> {
  const sessions: PaperSessionEvidence[] = [];
  const days = new Set<number>();
  const known = new Set<number>();
  const decided = new DecidedBars();
  const compared: FillComparison[] = [];
  let charged = 0;
  let modelled = 0;
  let ledgerDifference = 0;
  for (const file of journalsOf(bundle.sha256, path.join(tradingDir, 'paper'))) {
    const folder = path.relative(tradingDir, path.dirname(file));
    const found = await judged(bundle, file);
    if (typeof found === 'string') {
      sessions.push(unreadable(folder, path.basename(file), found));
      continue;
    }
    const { report } = found;
    if (report.marketDays === 0) continue;
    sessions.push(evidenceOf(folder, path.basename(file), report));
    for (const day of found.days) days.add(day);
    for (const day of found.known) known.add(day);
    decided.add(found.session);
    compared.push(...found.compared);
    charged += report.commissions.charged;
    modelled += report.commissions.modelled;
    ledgerDifference = Math.max(ledgerDifference, Math.abs(report.ledgerDifference ?? 0));
  }
  const bps = Float64Array.from(compared, ({ slippageBps }) => slippageBps);
  return {
    bundle: bundle.sha256,
    sessions,
    marketDays: days.size,
    knownDays: known.size,
    partDays: decided.partDays().filter((day) => !known.has(day)).length,
    decisions: sessions.reduce((sum, { decisions }) => sum + decisions, 0),
    agrees: sessions.length > 0 && sessions.every((session) => session.agrees),
    fills: compared.length,
    slippageBps: bps.length === 0 ? null : bps.reduce((sum, value) => sum + value, 0) / bps.length,
    slippageUpperBps: meanInterval(bps)?.high ?? null,
    commissionDifference: modelled > 0 ? (charged - modelled) / modelled : null,
    ledgerDifference,
  };
}

/** Every journal that the bundle traded by, in the order of their folders and names. */
function journalsOf(sha256: string, folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.db'))
    .map(({ parentPath, name }) => path.join(parentPath, name))
    .sort()
    .filter((file) => bundleOf(file) === sha256);
}

/** null: no journal, or none that can be opened. */
function bundleOf(file: string): string | null {
  try {
    return Journal.describe(file).bundle;
  } catch {
    // another program's database: no evidence for anybody
    return null;
  }
}

async function judged(bundle: Bundle, file: string): Promise<PaperResult | string> {
  try {
    return await reportOn(bundle, file);
  } catch (error) {
    if (!(error instanceof OpenBellError)) throw error;
    return error.message;
  }
}

function evidenceOf(folder: string, journal: string, report: PaperReport): PaperSessionEvidence {
  const { from, to, marketDays, knownDays, decisions } = { ...report, decisions: report.parity.decisions };
  return {
    folder,
    journal,
    kind: report.kind,
    from,
    to,
    marketDays,
    knownDays,
    decisions,
    agrees: report.agrees,
    why: disagreement(report),
    faults: report.uptime.alerts,
    decidingShare: report.uptime.decidingShare,
    comparedOn: report.bars.of,
    journalSha256: report.journal.sha256,
  };
}

/** Why a session does not agree, in a sentence; null: it does. */
export function disagreement({ journal, replay, parity, agrees, bars }: PaperReport): string | null {
  if (agrees) return null;
  if (!journal.intact) return 'the journal is not as the runner wrote it: its hash chain does not hold';
  if (replay.firstDifference !== null) {
    const { sequence, event } = replay.firstDifference;
    return `the journal does not repeat: event ${sequence} (${event}) is answered otherwise by the bundle (or by this version of OpenBell, where another wrote it: then trade on paper with this one)`;
  }
  if (parity.sameFeatures < parity.decisions)
    return `features differ from the backtest's at ${parity.decisions - parity.sameFeatures} of ${parity.decisions} decisions${bars.same < bars.expected ? `: ${bars.expected - bars.same} of ${bars.expected} bars were not taken as they were replayed` : ''}`;
  if (parity.repeatedActions < parity.decisions)
    return `the policy acts otherwise at ${parity.decisions - parity.repeatedActions} of ${parity.decisions} decisions`;
  return 'no decision was made';
}

function unreadable(folder: string, journal: string, why: string): PaperSessionEvidence {
  return {
    folder,
    journal,
    kind: 'gateway',
    from: '',
    to: '',
    marketDays: 0,
    knownDays: 0,
    decisions: 0,
    agrees: false,
    why,
    faults: {},
    decidingShare: 0,
    comparedOn: 'recorded',
    journalSha256: '',
  };
}

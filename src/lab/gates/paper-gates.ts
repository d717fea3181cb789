/** What paper trading of the same bundle showed: asked for `live` alone, and never passed over. */
import { counted, decimal, percent, whole } from '#src/report/format.js';
import type { GateOutcome, PaperEvidence } from '#src/registry/gates.js';
import type { LiveSection } from './definition.js';
import { missing, outcomeOf, type Found } from './outcome.js';

/** @param evidence null: no session of this bundle was found */
export function paperOutcomes(section: LiveSection, evidence: PaperEvidence | null): GateOutcome[] {
  const none = missing('this bundle has no paper report: trade it on paper first, `openbell paper`');
  const found = (measure: (paper: PaperEvidence) => Found): Found =>
    evidence === null || evidence.sessions.length === 0 ? none : measure(evidence);
  const row = (gate: string, title: string, threshold: string, what: Found): GateOutcome =>
    outcomeOf({ gate, kind: 'paper', title, threshold }, what);
  const { paper_days: days, paper_fills: fills, paper_slippage: slippage, paper_commissions: commissions } = section;
  return [
    row(
      'paper_days',
      'Market days on paper',
      `at least ${whole(days.at_least)}`,
      found((paper) => daysFound(paper, days.at_least)),
    ),
    row('paper_agreement', 'Paper decides as the backtest', 'at every decision', found(agreementFound)),
    row(
      'paper_fills',
      'Fills on paper',
      `at least ${whole(fills.at_least)}`,
      found((paper) => fillsFound(paper, fills.at_least)),
    ),
    row(
      'paper_slippage',
      'Slippage against the model',
      `at most ${decimal(slippage.at_most_bps, 1)} bps`,
      found((paper) => slippageFound(paper, slippage.at_most_bps)),
    ),
    row(
      'paper_commissions',
      'Commissions against the model',
      `at most ${percent(commissions.at_most)} more`,
      found((paper) => commissionsFound(paper, commissions.at_most)),
    ),
    row('paper_ledger', "Our books against the broker's", 'no difference', found(ledgerFound)),
  ];
}

/** Days that the policy was trained or chosen on, or hardly traded on, prove the plumbing, and do not count. */
function daysFound({ marketDays, knownDays, partDays, sessions }: PaperEvidence, least: number): Found {
  const days = marketDays - knownDays - partDays;
  const passes = days >= least;
  const kinds = [...new Set(sessions.map(({ kind }) => kind))].join(' and ');
  const known = knownDays === 0 ? '' : `; ${whole(knownDays)} more it was trained or chosen on, which do not count`;
  const part = partDays === 0 ? '' : `; ${whole(partDays)} more with decisions on less than half of their bars`;
  const facts = `${counted(days, 'distinct market day')} in ${counted(sessions.length, 'session')} (${kinds})${known}${part}`;
  return {
    measured: whole(days),
    passes,
    why: passes ? facts : `${facts}: trade on paper for ${whole(least - days)} more, \`openbell paper\``,
    evidence: sessions,
  };
}

function agreementFound({ agrees, decisions, sessions }: PaperEvidence): Found {
  const apart = sessions.filter((session) => !session.agrees);
  const [first] = apart;
  return {
    measured: agrees ? `${whole(decisions)} agree` : 'different',
    passes: agrees,
    why: agrees
      ? `features and actions of ${counted(decisions, 'decision')} are those of the backtest, to the bit`
      : `${first?.folder ?? 'a session'}: ${first?.why ?? 'it saw or decided otherwise than the backtest'}; \`openbell paper report\` tells more`,
    evidence: { decisions, apart: apart.map(({ folder, why }) => ({ folder, why })) },
  };
}

function fillsFound({ fills }: PaperEvidence, least: number): Found {
  const passes = fills >= least;
  const facts = `the cost model can tell the price of ${counted(fills, 'filled order')}`;
  return {
    measured: whole(fills),
    passes,
    why: passes ? facts : `${facts}, too few to compare prices: trade on`,
    evidence: { fills },
  };
}

function slippageFound({ slippageBps, slippageUpperBps, fills }: PaperEvidence, most: number): Found {
  if (slippageUpperBps === null)
    return missing(`${whole(fills)} fills give slippage no interval: trade on paper for longer`, { fills });
  const passes = slippageUpperBps <= most;
  const facts = `${decimal(slippageBps, 2)} bps against us on average, at most ${decimal(slippageUpperBps, 2)} at 95%`;
  return {
    measured: `${decimal(slippageUpperBps, 2)} bps`,
    passes,
    why: passes
      ? facts
      : `${facts}: the cost model is too kind; raise env.costs.slippage_bps, and train and judge anew`,
    evidence: { slippageBps, slippageUpperBps, fills },
  };
}

function commissionsFound({ commissionDifference: difference }: PaperEvidence, most: number): Found {
  if (difference === null) return missing('nothing was filled, so nothing was charged: trade on paper for longer');
  const passes = difference <= most;
  const facts = `${percent(difference, 1, true)} against what the cost model charges for the same fills`;
  return {
    measured: percent(difference, 1, true),
    passes,
    why: passes ? facts : `${facts}: take the broker's price list into env.costs, and train and judge anew`,
    evidence: { difference },
  };
}

function ledgerFound({ ledgerDifference: difference }: PaperEvidence): Found {
  return {
    measured: difference === 0 ? 'none' : decimal(difference, 6),
    passes: difference === 0,
    why:
      difference === 0
        ? "cash and positions are the broker's at the end of every session"
        : `the two differ by ${decimal(difference, 6)} at a session's end: find out why before money is at stake`,
    evidence: { difference },
  };
}

/** What paper trading must show for `live`: each gate where it passes, where it does not, and where there is nothing to go by. */
import { describe, expect, it } from 'vitest';
import type { GateOutcome, PaperEvidence, PaperSessionEvidence } from '#src/registry/gates.js';
import { loadGates, type LiveSection } from './definition.js';
import { paperOutcomes } from './paper-gates.js';

const { live } = loadGates();

const SESSION: PaperSessionEvidence = {
  folder: 'paper/one',
  journal: 'journal.db',
  kind: 'simulated',
  from: '2020-03-16T13:31:00.000Z',
  to: '2020-04-15T20:00:00.000Z',
  marketDays: 22,
  knownDays: 0,
  decisions: 8580,
  agrees: true,
  why: null,
  faults: {},
  decidingShare: 1,
  comparedOn: 'replayed',
  journalSha256: 'ab'.repeat(32),
};
const EVIDENCE: PaperEvidence = {
  bundle: 'cd'.repeat(32),
  sessions: [SESSION],
  marketDays: 22,
  knownDays: 0,
  partDays: 0,
  decisions: 8580,
  agrees: true,
  fills: 631,
  slippageBps: 0.16,
  slippageUpperBps: 0.33,
  commissionDifference: 0,
  ledgerDifference: 0,
};

const judged = (evidence: PaperEvidence | null, section: LiveSection = live): ReadonlyMap<string, GateOutcome> =>
  new Map(paperOutcomes(section, evidence).map((outcome) => [outcome.gate, outcome]));

/** The gate's outcome where the evidence differs in this from one that passes; every other gate must not care. */
function outcomeOf(gate: string, change: Partial<PaperEvidence>): GateOutcome {
  const outcomes = judged({ ...EVIDENCE, ...change });
  const others = [...outcomes.values()].filter((own) => own.gate !== gate);
  expect(others.map(({ verdict }) => verdict)).toEqual(others.map(() => 'pass'));
  const found = outcomes.get(gate);
  if (found === undefined) throw new Error(`no gate ${gate}`);
  return found;
}

describe('paper trading that shows what is asked', () => {
  it('passes every gate, and each says by what', () => {
    const shown = [...judged(EVIDENCE).values()].map(({ gate, measured, threshold, verdict }) => [
      gate,
      measured,
      threshold,
      verdict,
    ]);
    expect(shown).toEqual([
      ['paper_days', '22', 'at least 20', 'pass'],
      ['paper_agreement', '8,580 agree', 'at every decision', 'pass'],
      ['paper_fills', '631', 'at least 10', 'pass'],
      ['paper_slippage', '0.33 bps', 'at most 5.0 bps', 'pass'],
      ['paper_commissions', '0.0%', 'at most 10.0% more', 'pass'],
      ['paper_ledger', 'none', 'no difference', 'pass'],
    ]);
  });

  it('is never advice, and of a kind that no reason passes over', () => {
    for (const outcome of judged(EVIDENCE).values())
      expect(outcome).toMatchObject({ kind: 'paper', advisory: false, forced: false });
  });
});

describe('nothing on paper', () => {
  it.each([
    ['no report', null],
    ['no session', { ...EVIDENCE, sessions: [], marketDays: 0, decisions: 0, agrees: false, fills: 0 }],
  ])('is missing throughout: %s', (_, evidence) => {
    for (const outcome of judged(evidence).values()) {
      expect(outcome).toMatchObject({ verdict: 'missing', measured: null });
      expect(outcome.why).toContain('openbell paper');
    }
  });
});

describe('days', () => {
  it('at the threshold are enough, one fewer are not', () => {
    expect(outcomeOf('paper_days', { marketDays: 20 }).verdict).toBe('pass');
    const short = outcomeOf('paper_days', { marketDays: 19 });
    expect(short).toMatchObject({ verdict: 'fail', measured: '19' });
    expect(short.why).toBe(
      '19 distinct market days in 1 session (simulated): trade on paper for 1 more, `openbell paper`',
    );
  });

  it('do not count where the policy was trained or chosen on them', () => {
    const known = outcomeOf('paper_days', { marketDays: 30, knownDays: 11 });
    expect(known).toMatchObject({ verdict: 'fail', measured: '19' });
    expect(known.why).toContain('11 more it was trained or chosen on, which do not count');
    expect(outcomeOf('paper_days', { marketDays: 31, knownDays: 11 }).verdict).toBe('pass');
  });
});

describe('part days', () => {
  it('do not count: twenty days of a minute each are no month', () => {
    const short = outcomeOf('paper_days', { marketDays: 20, partDays: 1 });
    expect(short).toMatchObject({ verdict: 'fail', measured: '19' });
    expect(short.why).toContain('1 more with decisions on less than half of their bars');
  });
});

describe('agreement', () => {
  it('fails by the session that saw or decided otherwise, with its reason', () => {
    const other = { ...SESSION, folder: 'paper/two', agrees: false, why: 'the journal does not repeat' };
    const apart = outcomeOf('paper_agreement', { sessions: [SESSION, other], agrees: false });
    expect(apart).toMatchObject({
      verdict: 'fail',
      measured: 'different',
      evidence: { apart: [{ folder: 'paper/two', why: 'the journal does not repeat' }] },
    });
    expect(apart.why).toBe('paper/two: the journal does not repeat; `openbell paper report` tells more');
  });
});

describe('fills', () => {
  it('at the threshold are enough, one fewer are not', () => {
    expect(outcomeOf('paper_fills', { fills: 10 }).verdict).toBe('pass');
    expect(outcomeOf('paper_fills', { fills: 9 })).toMatchObject({
      verdict: 'fail',
      measured: '9',
      why: 'the cost model can tell the price of 9 filled orders, too few to compare prices: trade on',
    });
  });
});

describe('slippage', () => {
  it('is judged by the upper end of its interval, not by its mean', () => {
    expect(outcomeOf('paper_slippage', { slippageBps: 4, slippageUpperBps: 5 }).verdict).toBe('pass');
    const dear = outcomeOf('paper_slippage', { slippageBps: 4, slippageUpperBps: 5.01 });
    expect(dear).toMatchObject({ verdict: 'fail', measured: '5.01 bps' });
    expect(dear.why).toMatch(
      /^4\.00 bps against us on average, at most 5\.01 at 95%: .*raise env\.costs\.slippage_bps/,
    );
  });

  it('that is in our favour passes', () => {
    expect(outcomeOf('paper_slippage', { slippageBps: -0.9, slippageUpperBps: -0.7 })).toMatchObject({
      verdict: 'pass',
      measured: '−0.70 bps',
    });
  });

  it('without an interval is missing, whatever its mean', () => {
    expect(outcomeOf('paper_slippage', { slippageBps: 0, slippageUpperBps: null, fills: 12 })).toMatchObject({
      verdict: 'missing',
      measured: null,
      why: '12 fills give slippage no interval: trade on paper for longer',
    });
  });
});

describe('commissions', () => {
  it('may be a tenth over the model, and no more', () => {
    expect(outcomeOf('paper_commissions', { commissionDifference: 0.1 }).verdict).toBe('pass');
    const dear = outcomeOf('paper_commissions', { commissionDifference: 0.12 });
    expect(dear).toMatchObject({ verdict: 'fail', measured: '+12.0%' });
    expect(dear.why).toContain("take the broker's price list into env.costs");
  });

  it('under the model pass; unknown are missing', () => {
    expect(outcomeOf('paper_commissions', { commissionDifference: -0.5 }).verdict).toBe('pass');
    expect(outcomeOf('paper_commissions', { commissionDifference: null })).toMatchObject({
      verdict: 'missing',
      measured: null,
    });
  });
});

describe('the ledger', () => {
  it('may not be a millionth apart', () => {
    expect(outcomeOf('paper_ledger', { ledgerDifference: 0.000001 })).toMatchObject({
      verdict: 'fail',
      measured: '0.000001',
    });
  });
});

describe('thresholds', () => {
  it('are those of the file', () => {
    const strict: LiveSection = {
      ...live,
      paper_days: { at_least: 23 },
      paper_fills: { at_least: 632 },
      paper_slippage: { at_most_bps: 0.3 },
      paper_commissions: { at_most: 0 },
    };
    const failed = [...judged({ ...EVIDENCE, commissionDifference: 1e-9 }, strict).values()].filter(
      ({ verdict }) => verdict === 'fail',
    );
    expect(failed.map(({ gate, threshold }) => [gate, threshold])).toEqual([
      ['paper_days', 'at least 23'],
      ['paper_fills', 'at least 632'],
      ['paper_slippage', 'at most 0.3 bps'],
      ['paper_commissions', 'at most 0.0% more'],
    ]);
  });
});

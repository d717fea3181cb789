import { describe, expect, it } from 'vitest';
import { actionAlarms, summariseDiscrete, summariseTargets } from './actions.js';
import { decideVerdict, rankAmong, type VerdictInput } from './verdict.js';

const interval = (estimate: number, low: number, high: number) => ({ estimate, low, high, confidence: 0.95 });
const good: VerdictInput = {
  trades: 30,
  totalReturn: 0.2,
  excessOverFlat: interval(0.2, 0.05, 0.4),
  excessOverHold: interval(0.1, 0.01, 0.2),
  randomRank: { paths: 100, beaten: 99, pValue: 2 / 101 },
  seen: false,
};

describe('verdict', () => {
  it('asks for all three tests before it speaks of an edge', () => {
    expect(decideVerdict(good).edge).toBe('evidence');
    expect(decideVerdict({ ...good, excessOverFlat: interval(0.2, -0.05, 0.4) }).edge).toBe('none');
    expect(decideVerdict({ ...good, excessOverHold: interval(0.1, -0.01, 0.2) }).edge).toBe('none');
    expect(decideVerdict({ ...good, randomRank: { paths: 100, beaten: 80, pValue: 21 / 101 } }).edge).toBe('none');
    expect(decideVerdict({ ...good, randomRank: null }).edge).toBe('none');
  });

  it('says "no edge" in every other case', () => {
    const others: Partial<VerdictInput>[] = [
      { trades: 0 },
      { excessOverFlat: null },
      { excessOverFlat: interval(-0.2, -0.3, -0.1) },
      { excessOverHold: interval(-0.2, -0.3, 0.1) },
    ];
    for (const other of others) {
      const { headline, sentence } = decideVerdict({ ...good, ...other });
      expect(headline).toBe('no edge');
      expect(sentence).toContain('no evidence of an edge');
    }
    expect(decideVerdict(good).headline).toBe('evidence of an edge');
  });

  it('finds no edge on bars that had been seen, and says so', () => {
    expect(decideVerdict({ ...good, seen: true })).toMatchObject({
      edge: 'none',
      headline: 'no edge',
      sentence: expect.stringMatching(/^In sample/),
    });
  });

  it('ranks with ties against the agent, and never at p = 0', () => {
    expect(rankAmong(2, Float64Array.of(1, 2, 3))).toEqual({ paths: 3, beaten: 1, pValue: 3 / 4 });
    expect(rankAmong(9, Float64Array.of(1, 2, 3)).pValue).toBe(1 / 4);
  });
});

describe('action alarms', () => {
  const discrete = (hold: number, buy: number, sell: number) =>
    summariseDiscrete(Float64Array.from([...Array(hold).fill(0), ...Array(buy).fill(1), ...Array(sell).fill(2)]));

  it('count shares and entropy', () => {
    expect(discrete(50, 25, 25).shares).toEqual([0.5, 0.25, 0.25]);
    expect(discrete(10, 10, 10).entropy).toBeCloseTo(1, 12);
    expect(discrete(10, 0, 0).entropy).toBe(0);
    expect(summariseTargets(Float64Array.of(-1, 0, 0.01, 1)).shares).toEqual([0.25, 0, 0, 0, 0.5, 0, 0, 0, 0.25]);
  });

  it('only note that an agent that trades holds in between', () => {
    expect(actionAlarms(discrete(98, 1, 1), 'discrete', 1, 0.5)).toMatchObject([{ code: 'one-action', level: 'note' }]);
    expect(actionAlarms(discrete(1, 98, 1), 'discrete', 1, 0.5)).toMatchObject([{ level: 'warning' }]);
    expect(actionAlarms(discrete(998, 1, 1), 'discrete', 1, 0.5)).toMatchObject([{ level: 'warning' }]);
  });

  it('sound for one action, no trade and no pause; and not for an agent that acts', () => {
    expect(actionAlarms(discrete(96, 2, 2), 'discrete', 2, 0.5).map(({ code }) => code)).toEqual(['one-action']);
    expect(actionAlarms(discrete(100, 0, 0), 'discrete', 0, 0).map(({ code }) => code)).toEqual([
      'one-action',
      'never-trades',
    ]);
    expect(actionAlarms(discrete(90, 5, 5), 'discrete', 5, 1).map(({ code }) => code)).toEqual(['always-in-position']);
    expect(
      actionAlarms(summariseTargets(new Float64Array(50).fill(0.7)), 'target', 1, 0.5).map(({ code }) => code),
    ).toEqual(['constant-target']);
    expect(actionAlarms(discrete(90, 5, 5), 'discrete', 5, 0.5)).toEqual([]);
  });
});

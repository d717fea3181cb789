/** The one plain sentence. It says "no edge" unless every test that could refuse an edge has failed to. */
import type { Interval } from './bootstrap.js';

export interface VerdictInput {
  readonly trades: number;
  readonly totalReturn: number;
  /** Wealth against holding cash, less 1. */
  readonly excessOverFlat: Interval | null;
  /** Wealth against buy-and-hold, less 1. */
  readonly excessOverHold: Interval | null;
  /** Against random traders at matched turnover; null where there are none. */
  readonly randomRank: RandomRank | null;
  /** True where the window overlaps bars that the training or the choice of the checkpoint saw. */
  readonly seen: boolean;
}

export interface RandomRank {
  readonly paths: number;
  /** Random paths that ended with less than the agent. */
  readonly beaten: number;
  /** (1 + paths that did as well or better) / (1 + paths): the permutation p-value, never 0. */
  readonly pValue: number;
}

export interface Verdict {
  readonly edge: 'none' | 'negative' | 'evidence';
  /** "no edge" or "evidence of an edge" */
  readonly headline: string;
  readonly sentence: string;
}

/** One-sided level for the rank among random traders. */
export const RANK_LEVEL = 0.05;

/**
 * Evidence of an edge asks for all three: the interval of the excess over cash above 0, that over buy-and-hold above
 * 0, and a rank among random traders at matched turnover that chance would give one time in twenty.
 */
export function decideVerdict(input: VerdictInput): Verdict {
  const { trades, excessOverFlat, excessOverHold, randomRank, seen } = input;
  const verdict = (edge: Verdict['edge'], text: string): Verdict => {
    const headline = edge === 'evidence' ? 'evidence of an edge' : 'no edge';
    return { edge, headline, sentence: `${text.charAt(0).toUpperCase()}${text.slice(1)}.` };
  };
  if (trades === 0) return verdict('none', 'there is no evidence of an edge: the agent never traded');
  if (excessOverFlat === null || excessOverHold === null) {
    return verdict('none', 'there is no evidence of an edge: the window is too short to tell');
  }
  const facts = [
    `against cash ${describe(excessOverFlat)}`,
    `against buy-and-hold ${describe(excessOverHold)}`,
    ...(randomRank === null
      ? []
      : [
          `it beat ${randomRank.beaten} of ${randomRank.paths} random traders at matched turnover (p = ${randomRank.pValue.toFixed(2)})`,
        ]),
  ].join('; ');
  if (seen) {
    const text = `in sample, so there is no evidence of an edge, whatever the figures say: ${facts}`;
    return verdict('none', text);
  }
  if (excessOverFlat.high < 0) {
    return verdict('negative', `there is no evidence of an edge, and some that the agent loses money: ${facts}`);
  }
  const beatsRandom = randomRank !== null && randomRank.pValue <= RANK_LEVEL;
  if (excessOverFlat.low > 0 && excessOverHold.low > 0 && beatsRandom) {
    const caution = 'one window proves nothing: repeat it with other seeds and on other windows';
    return verdict('evidence', `there is evidence of an edge in this window: ${facts}; ${caution}`);
  }
  return verdict('none', `there is no evidence of an edge: ${facts}`);
}

/** Where a result stands among random ones: ties count against it. */
export function rankAmong(figure: number, random: Float64Array): RandomRank {
  let beaten = 0;
  for (const other of random) if (figure > other) beaten += 1;
  return { paths: random.length, beaten, pValue: (1 + random.length - beaten) / (1 + random.length) };
}

function describe({ estimate, low, high, confidence }: Interval): string {
  const level = `${Math.round(100 * confidence)}%`;
  const zero = low <= 0 && high >= 0 ? ', contains 0' : '';
  return `${signed(estimate)} (${level} interval ${signed(low)} to ${signed(high)}${zero})`;
}

function signed(share: number): string {
  return `${share < 0 ? '' : '+'}${(100 * share).toFixed(1)}%`;
}

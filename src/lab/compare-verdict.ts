/** The one plain sentence about two groups. It claims a difference only where nothing speaks against it. */
import type { CompareMetric, CompareNotice, Contrast } from '#src/report/compare-model.js';
import { percent } from '#src/report/format.js';
import type { Interval } from '#src/stats/bootstrap.js';
import { SEEDS_NEEDED, type ContrastFigures } from '#src/stats/contrast.js';

/** Whether both sides have runs enough for an interval at all; a fixed rule needs none. */
export function isBounded({ runs, fixedBaseline }: Pick<ContrastInput, 'runs' | 'fixedBaseline'>): boolean {
  return runs[0] > 1 && (fixedBaseline || runs[1] > 1);
}

export interface ContrastInput {
  readonly group: string;
  readonly baseline: string;
  readonly metric: CompareMetric;
  readonly figures: ContrastFigures;
  readonly bars: Interval | null;
  /** Fewest runs a task: of the group, of the baseline. */
  readonly runs: readonly [number, number];
  /** True for buy-and-hold and its like, which has no seeds. */
  readonly fixedBaseline: boolean;
  /** Windows that were judged on, where they are kept apart; otherwise 1. */
  readonly windows: number;
  /** Warnings after which no verdict stands. */
  readonly obstacles: readonly CompareNotice[];
}

/**
 * "better" (or "worse") needs enough seeds on both sides, an interval of the probability of improvement that leaves out
 * one half, one of the difference that leaves out 0, and, where there are accounts, an interval over the bars that
 * leaves out 0. With seeds alone it is "repeatable": training again would give it again, other bars might not.
 */
export function decideContrast(input: ContrastInput): Pick<Contrast, 'outcome' | 'headline' | 'sentence'> {
  const { group, baseline, figures, bars, runs, fixedBaseline, obstacles } = input;
  const { probability, difference } = figures;
  const facts = factsOf(input);
  if (obstacles.length > 0) {
    return {
      outcome: 'not-comparable',
      headline: 'not comparable',
      sentence: `${group} and ${baseline} cannot be compared fairly (${[...new Set(obstacles.map(({ code }) => OBSTACLE_WORDS[code] ?? code))].join('; ')}): ${facts}.`,
    };
  }
  const counted = fixedBaseline ? [runs[0]] : runs;
  if (Math.min(...counted) < SEEDS_NEEDED) {
    return {
      outcome: 'too-few-seeds',
      headline: 'too few seeds to tell',
      sentence: `There are too few seeds to tell ${group} from ${baseline} (${counted.join(' and ')}; at least ${SEEDS_NEEDED} are needed): ${facts}.`,
    };
  }
  const up = probability.low > 0.5 && difference.low > 0;
  const down = probability.high < 0.5 && difference.high < 0;
  if (!up && !down) {
    return {
      outcome: 'undecided',
      headline: 'no difference shown',
      sentence: `No difference between ${group} and ${baseline} is shown: ${facts}.`,
    };
  }
  const word = up ? 'better' : 'worse';
  const barsAgree = bars === null || (up ? bars.low > 0 : bars.high < 0);
  if (!barsAgree) {
    return {
      outcome: 'repeatable',
      headline: `${word} on these bars, perhaps by luck of the bars`,
      sentence: `${group} is ${word} than ${baseline} on these bars whichever the seed, but the bars are too few to call it more than their luck: ${facts}.`,
    };
  }
  return {
    outcome: word,
    headline: `${group} is ${word}${input.windows > 1 ? '' : ' in this window'}`,
    sentence: `${group} is ${word} than ${baseline}${input.windows > 1 ? '' : ' in this window'}: ${facts}${input.windows > 1 ? '' : '; other windows may say otherwise'}.`,
  };
}

const OBSTACLE_WORDS: Readonly<Record<string, string>> = {
  'in-sample': 'judged on bars that training had seen',
  bars: 'judged on other bars',
  market: 'judged under other costs or rules',
  environment: 'trained in another environment',
};

function factsOf({ group, baseline, metric, figures, bars, runs, fixedBaseline }: ContrastInput): string {
  const { probability, difference } = figures;
  const level = `${Number((100 * probability.confidence).toFixed(1))}%`;
  const single = !isBounded({ runs, fixedBaseline });
  const within = (interval: Interval, show: (value: number) => string): string =>
    single ? ', which one run cannot bound' : ` (${level} interval ${show(interval.low)} to ${show(interval.high)})`;
  const share = (value: number): string => percent(value, 0);
  // a difference of costs reads as costs, lower being better
  const sign = metric.better === 'lower' ? -1 : 1;
  const turned: Interval = {
    ...difference,
    low: sign < 0 ? -difference.high : difference.low,
    high: sign < 0 ? -difference.low : difference.high,
  };
  const against = fixedBaseline ? baseline : `one of ${baseline}`;
  const wealth =
    bars === null
      ? ''
      : `; over the bars the mean account ended ${percent(bars.estimate, 1, true)} against ${baseline}'s (${level} interval ${percent(bars.low, 1, true)} to ${percent(bars.high, 1, true)})`;
  return `a run of ${group} beats ${against} with probability ${share(probability.estimate)}${within(probability, share)}; ${metric.label} differs by ${plus(metric, sign * difference.estimate)}${within(turned, (value) => plus(metric, value))}${wealth}`;
}

function plus(metric: CompareMetric, value: number): string {
  const text = metric.show(value);
  return value > 0 && !text.startsWith('+') ? `+${text}` : text;
}

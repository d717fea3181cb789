/**
 * Did the positions stand where the market moved their way? A permutation test that keeps turnover, time in the
 * market, and the order of positions exactly as they were, and moves only their place in time.
 */
import { RandomStream } from '#env/seeding.js';
import { fail } from '#src/errors.js';
import { finiteSample } from './scores.js';

/** One symbol: what was held, and how the market moved. */
export interface HeldMarket {
  /** (T) signed position as a share of equity, while the period lasted. */
  readonly exposure: Float64Array;
  /** (T) return of the market over the period: from open to open, where orders fill at the open. */
  readonly marketReturns: Float64Array;
}

export interface TimingTest {
  /** Sum of exposure x market return: what the positions earned before costs, as a share of equity. */
  readonly earned: number;
  readonly shifts: number;
  /** (1 + shifts that earned as much or more) / (1 + shifts), one-sided: never 0. */
  readonly pValue: number;
}

/** Multiplications that the test may cost: half a second. */
const WORK = 2e8;
const SHIFTS = 1000;
const FEWEST = 99;

/**
 * Shifts every symbol's positions around the circle of its bars by a random number of them, at least 1, and asks how
 * often that earned as much. Where positions and returns are independent all shifts are alike, whatever the market's
 * drift, volatility clusters, or the share of time that was held (the toroidal shift of Lotwick and Silverman 1982, in
 * one dimension). Costs do not count: every shift trades the same. Null where nothing was held, the same was held
 * always, or there are fewer than 101 bars to shift around.
 *
 * @param held one a symbol
 */
export function timingTest(held: readonly HeldMarket[], seed: number): TimingTest | null {
  for (const { exposure, marketReturns } of held) {
    finiteSample(exposure, 'exposure');
    finiteSample(marketReturns, 'marketReturns');
    if (exposure.length !== marketReturns.length) {
      fail('STATISTICS_INPUT', {
        where: 'marketReturns',
        value: marketReturns.length,
        message: `has another number of bars than the exposure (${exposure.length})`,
      });
    }
  }
  const bars = held.reduce((sum, { exposure }) => sum + exposure.length, 0);
  const shortest = Math.min(...held.map(({ exposure }) => exposure.length));
  const constant = held.every(({ exposure }) => exposure.every((share) => share === exposure[0]));
  if (held.length === 0 || shortest < FEWEST + 2 || constant) return null;
  const shifts = Math.max(FEWEST, Math.min(SHIFTS, Math.floor(WORK / bars)));
  const earned = held.reduce((sum, market) => sum + earnedBy(market, 0), 0);
  const stream = new RandomStream(seed, 'stats/timing');
  let asGood = 0;
  for (let b = 0; b < shifts; b++) {
    let sum = 0;
    for (const market of held) sum += earnedBy(market, 1 + stream.integer(market.exposure.length - 1));
    if (sum >= earned) asGood += 1;
  }
  return { earned, shifts, pValue: (1 + asGood) / (1 + shifts) };
}

/** What the positions would have earned `shift` periods later, around the circle. */
function earnedBy({ exposure, marketReturns }: HeldMarket, shift: number): number {
  const count = exposure.length;
  let sum = 0;
  for (let t = shift; t < count; t++) sum += exposure[t - shift] * marketReturns[t];
  for (let t = 0; t < shift; t++) sum += exposure[count - shift + t] * marketReturns[t];
  return sum;
}

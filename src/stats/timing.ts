/**
 * Did the positions stand where the market moved their way? A permutation test that keeps turnover, time in the
 * market, and the order of positions exactly as they were, and moves only their place in time.
 */
import { RandomStream } from '#env/seeding.js';
import { fail } from '#src/errors.js';
import { finiteSample } from './scores.js';

/** One symbol: what was held, and how the market moved. */
export interface HeldMarket {
  /** (T) signed position at the close, as a share of equity. */
  readonly exposure: Float64Array;
  /** (T) return of the market over the bar; 0 at a segment's first. */
  readonly marketReturns: Float64Array;
}

export interface TimingTest {
  /** Sum of exposure x the market's next return: what the positions earned before costs, as a share of equity. */
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
  const markets = held.map(({ exposure, marketReturns }) => ({ during: heldDuring(exposure), marketReturns }));
  const shifts = Math.max(FEWEST, Math.min(SHIFTS, Math.floor(WORK / bars)));
  const earned = markets.reduce((sum, market) => sum + earnedBy(market, 0), 0);
  const stream = new RandomStream(seed, 'stats/timing');
  let asGood = 0;
  for (let b = 0; b < shifts; b++) {
    let sum = 0;
    for (const market of markets) sum += earnedBy(market, 1 + stream.integer(market.during.length - 1));
    if (sum >= earned) asGood += 1;
  }
  return { earned, shifts, pValue: (1 + asGood) / (1 + shifts) };
}

/** (T) what was held while bar t lasted: the exposure at the close before, nothing at first. */
function heldDuring(exposure: Float64Array): Float64Array {
  const during = new Float64Array(exposure.length);
  during.set(exposure.subarray(0, -1), 1);
  return during;
}

/** What the positions would have earned `shift` bars later, around the circle. */
function earnedBy(
  { during, marketReturns }: { readonly during: Float64Array; readonly marketReturns: Float64Array },
  shift: number,
): number {
  const count = during.length;
  let sum = 0;
  for (let t = shift; t < count; t++) sum += during[t - shift] * marketReturns[t];
  for (let t = 0; t < shift; t++) sum += during[count - shift + t] * marketReturns[t];
  return sum;
}

/** How the log-price of synthetic bars goes: a random walk in regimes, or one that returns. */
import { log } from '#env/math/index.js';
import { RandomStream } from '#env/seeding.js';
import type { SyntheticParameters } from './manifest.js';

/** One bar: how far the log-price goes, and what happens on the way. */
export interface BarDraw {
  readonly step: number;
  /** Of the way from open to close. */
  readonly variance: number;
  /** Activity / its mean over all bars that stand in the same place of a session. */
  readonly activity: number;
}

/** Draws the market in the order of time: `gap` before each session but the first, `bar` for each of its bars. */
export interface PriceProcess {
  /** Change of the log-price from one session's close to the next one's open. */
  gap(): number;
  /**
   * @param logPrice at the bar's open
   * @param bars bars of its session
   * @param shape variance here / mean variance of the session's bars
   */
  bar(logPrice: number, bars: number, shape: number): BarDraw;
}

export function priceProcess(parameters: SyntheticParameters, sessionsPerYear: number): PriceProcess {
  return parameters.reverting === undefined
    ? walkInRegimes(parameters, sessionsPerYear)
    : revertingWalk(parameters, parameters.reverting);
}

const streamOf = (seed: number, name: string): RandomStream => new RandomStream(seed, `synthetic/${name}`);

/** Returns are independent given the volatility, which comes in regimes: a Markov chain. */
function walkInRegimes(parameters: SyntheticParameters, sessionsPerYear: number): PriceProcess {
  const { seed, regimes, overnight_share, annual_drift } = parameters;
  const returns = streamOf(seed, 'return');
  const regimeDraws = streamOf(seed, 'regime');
  const overnights = streamOf(seed, 'overnight');
  const driftPerSession = annual_drift / sessionsPerYear;
  const sessionVariance = (volatility: number): number => (volatility * volatility) / sessionsPerYear;
  const meanVolatility =
    regimes.reduce((sum, { annual_volatility, mean_sessions }) => sum + annual_volatility * mean_sessions, 0) /
    regimes.reduce((sum, { mean_sessions }) => sum + mean_sessions, 0);
  let regime = 0;
  return {
    gap() {
      const variance = sessionVariance(regimes[regime].annual_volatility) * overnight_share;
      return Math.sqrt(variance) * overnights.normal() - variance / 2;
    },
    bar(_logPrice, bars, shape) {
      const { annual_volatility, mean_sessions } = regimes[regime];
      const variance = (sessionVariance(annual_volatility) * (1 - overnight_share) * shape) / bars;
      const step = Math.sqrt(variance) * returns.normal() - variance / 2 + driftPerSession / bars;
      if (regimes.length > 1 && regimeDraws.uniform() * mean_sessions * bars < 1) {
        regime = (regime + 1 + regimeDraws.integer(regimes.length - 1)) % regimes.length;
      }
      return { step, variance, activity: annual_volatility / meanVolatility };
    },
  };
}

/**
 * x' = (1 - k) x + s e, where x is the log-price less that of `start_price`: the Ornstein-Uhlenbeck process in whole bars
 * (an AR(1)), as env/known/ou-market.ts has it. No gaps: a decision at a close is filled at the price that it was made on.
 */
function revertingWalk(
  { seed, start_price }: SyntheticParameters,
  { mean_reversion, shock }: NonNullable<SyntheticParameters['reverting']>,
): PriceProcess {
  const returns = streamOf(seed, 'return');
  const middle = log(start_price);
  return {
    gap: () => 0,
    bar: (logPrice) => ({
      step: shock * returns.normal() - mean_reversion * (logPrice - middle),
      variance: shock * shock,
      activity: 1,
    }),
  };
}

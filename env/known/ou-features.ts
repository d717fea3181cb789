/**
 * The Ornstein-Uhlenbeck market again, but seen as a trader sees a market: through the features of observation v1,
 * computed from bars of its prices. Costs, timing and rewards are those of `ouMarket`, so that its optimum is the
 * yardstick: what is lost is lost to what the features do not tell.
 *
 * A bar opens at the close before it. A decision at a close is then filled at the next open, which is the price it
 * was decided on, as in `ouMarket`. High and low are those of open and close; volume never changes, so that
 * volumeZ20 says nothing. Prices are not rounded to ticks.
 */
import { DEFAULT_WARMUP, FeatureStream, MARKET_FEATURE_COUNT } from '#env/market/observation/index.js';
import { exp } from '#env/math/index.js';
import type { RandomStream } from '#env/seeding.js';
import type { KnownMarket, PathView } from './known-market.js';
import { checkParameters, nextLogPrice, OU_PARAMETERS, type OuParameters, stationaryDeviation } from './ou-market.js';

/** Signals (12): the market features of observation v1; the observation then has all 14. Bars before the first decision warm them up. */
export function ouFeaturesMarket(parameters: OuParameters = OU_PARAMETERS): KnownMarket {
  checkParameters(parameters);
  const deviation = stationaryDeviation(parameters);
  return {
    id: 'ou-features',
    signalSize: MARKET_FEATURE_COUNT,
    costPerUnit: parameters.costPerUnit,
    episodeSteps: 250,
    showsUnrealizedReturn: true,
    draw({ changes, signals, states }: PathView, steps: number, stream: RandomStream): void {
      const features = new FeatureStream();
      let x = deviation * stream.normal();
      let open = exp(x);
      for (let t = -DEFAULT_WARMUP; t <= steps; t++) {
        const next = nextLogPrice(x, parameters, stream);
        const close = exp(next);
        // rows of the warm-up are written over by the first decision's
        const row = Math.max(t, 0) * MARKET_FEATURE_COUNT;
        features.next(open, Math.max(open, close), Math.min(open, close), close, VOLUME, signals, row);
        if (t > 0) changes[t - 1] = next - x;
        if (t >= 0) states[t] = next / deviation;
        x = next;
        open = close;
      }
    },
  };
}

const VOLUME = 1;

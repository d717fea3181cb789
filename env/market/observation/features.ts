/** The market features: one table entry each, with its definition in words that are hashed, and its streaming factory. */
import { log } from '#env/math/index.js';
import type { Indicators } from './indicators.js';
import type { Bar } from './technical-indicators.js';

/** The feature's value at the bar that every indicator has just been brought to. NaN: does not exist yet. */
export type FeatureReader = (bar: Bar) => number;

export interface MarketFeature {
  readonly name: string;
  /** Part of the specification's hash: a changed formula needs changed words. */
  readonly definition: string;
  /** Registers the indicators that the feature needs, for one stream. */
  create(indicators: Indicators): FeatureReader;
}

/**
 * Relative to the price, or absolute for logarithms of volume: what is smaller is rounding residue or the
 * echo of a move long past, not a move. A quotient of two such numbers would be noise as large as a signal.
 */
const NEGLIGIBLE = 1e-9;

const logReturn = (lag: number): MarketFeature => ({
  name: `logReturn${lag}`,
  definition: `ln(c / c[-${lag}])`,
  create(indicators) {
    const past = indicators.laggedClose(lag);
    return (bar) => log(bar.close / past.value);
  },
});

const smaGap = (period: number): MarketFeature => ({
  name: `smaGap${period}`,
  definition: `c / SMA(${period}) - 1`,
  create(indicators) {
    const sma = indicators.sma(period);
    return (bar) => bar.close / sma.value - 1;
  },
});

const emaGap = (period: number): MarketFeature => ({
  name: `emaGap${period}`,
  definition: `c / EMA(${period}) - 1`,
  create(indicators) {
    const ema = indicators.ema(period);
    return (bar) => bar.close / ema.value - 1;
  },
});

/** RSI / 50 - 1 = 2 gain / (gain + loss) - 1 = (gain - loss) / (gain + loss), unrounded. */
const rsi = (period: number): MarketFeature => ({
  name: `rsi${period}`,
  definition: `RSI(${period}) / 50 - 1; 0 where average gain + average loss <= 1e-9 c`,
  create(indicators) {
    const gain = indicators.averageChange(period, 'gain');
    const loss = indicators.averageChange(period, 'loss');
    return (bar) => {
      const change = gain.value + loss.value;
      return change <= NEGLIGIBLE * bar.close ? 0 : (gain.value - loss.value) / change;
    };
  },
});

const macd = (fast: number, slow: number): MarketFeature => ({
  name: 'macd',
  definition: `MACD(${fast},${slow}) / c`,
  create(indicators) {
    const line = indicators.macd(fast, slow);
    return (bar) => line.value / bar.close;
  },
});

const macdHistogram = (fast: number, slow: number, period: number): MarketFeature => ({
  name: 'macdHistogram',
  definition: `(MACD(${fast},${slow}) - signal(${period})) / c`,
  create(indicators) {
    const line = indicators.macd(fast, slow);
    const signal = indicators.macdSignal(fast, slow, period);
    return (bar) => (line.value - signal.value) / bar.close;
  },
});

/**
 * With lower = middle - 2 deviations and upper = middle + 2 deviations,
 * 2 (c - lower) / (upper - lower) - 1 is (c - middle) / (2 deviations).
 */
const bollingerPercentB = (period: number): MarketFeature => ({
  name: 'bollingerPercentB',
  definition: `2 (c - lower) / (upper - lower) - 1, BB(${period}, 2), population deviation; 0 where upper - lower <= 1e-9 middle`,
  create(indicators) {
    const middle = indicators.closeMoments(period);
    return (bar) =>
      4 * middle.deviation <= NEGLIGIBLE * middle.value ? 0 : (bar.close - middle.value) / (2 * middle.deviation);
  },
});

const bollingerWidth = (period: number): MarketFeature => ({
  name: 'bollingerWidth',
  definition: `(upper - lower) / middle, BB(${period}, 2), population deviation`,
  create(indicators) {
    const middle = indicators.closeMoments(period);
    return () => (4 * middle.deviation) / middle.value;
  },
});

const atr = (period: number): MarketFeature => ({
  name: `atr${period}`,
  definition: `ATR(${period}) / c`,
  create(indicators) {
    const range = indicators.atr(period);
    return (bar) => range.value / bar.close;
  },
});

const volumeZ = (period: number): MarketFeature => ({
  name: `volumeZ${period}`,
  definition: `z-score of ln(1 + volume) over ${period}, population deviation; 0 where the deviation <= 1e-9`,
  create(indicators) {
    const moments = indicators.logVolumeMoments(period);
    return () => (moments.deviation <= NEGLIGIBLE ? 0 : (moments.latest - moments.value) / moments.deviation);
  },
});

export const MARKET_FEATURES_V1: readonly MarketFeature[] = [
  logReturn(1),
  logReturn(5),
  smaGap(20),
  smaGap(50),
  emaGap(12),
  rsi(14),
  macd(12, 26),
  macdHistogram(12, 26, 9),
  bollingerPercentB(20),
  bollingerWidth(20),
  atr(14),
  volumeZ(20),
];

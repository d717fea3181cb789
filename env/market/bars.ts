/** Columnar bars: what every data source yields and everything else reads. */
import type { Instrument } from './instrument.js';

/** Bars [start, end) that belong together. An episode, an indicator or a return never crosses a segment's boundary. */
export interface Segment {
  readonly start: number;
  readonly end: number;
}

/** "1m", "5m", "1h", "1d", ...: `ms` is the nominal length (a day is 86,400,000). */
export interface Interval {
  readonly label: string;
  readonly ms: number;
}

export interface Bars {
  readonly instrument: Instrument;
  readonly interval: Interval;
  /** Name of the trading calendar, e.g. "XNYS", "FX", "24x7". */
  readonly calendar: string;
  readonly length: number;
  /** (T) the bar's OPEN, epoch milliseconds UTC, strictly increasing. A daily bar carries its session's date at 00:00 UTC. */
  readonly openTimeMs: Float64Array;
  /** (T) prices in the instrument's currency, adjusted where `factor` is given. */
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  readonly volume: Float64Array;
  /** (T) adjusted price = tradable price x factor; null: prices are tradable as they stand. */
  readonly factor: Float64Array | null;
  /** Cover [0, length) without gap or overlap, in order. */
  readonly segments: readonly Segment[];
  /** Name of the data set, shown in every output. */
  readonly source: string;
  /** Made by a generator: every output says so. */
  readonly synthetic: boolean;
  /** sha256 of the file or of the generator's parameters. */
  readonly sha256: string;
}

/**
 * What may be traded: decisions at the closes of bars [start, end) of one segment. Bars of the segment
 * before `start` serve the indicators' warm-up only. The last close, end - 1, is where an open position is
 * closed at the latest.
 */
export interface TradingWindow {
  readonly bars: Bars;
  /** The segment that contains the window. Its first bar is the observation's anchor. */
  readonly segment: Segment;
  readonly start: number;
  readonly end: number;
}

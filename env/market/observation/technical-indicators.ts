/**
 * The one door to technicalindicators: its streaming generators behind plain nodes whose `value` is NaN until
 * the indicator exists. Its package is CommonJS and dormant, so nothing else imports it.
 */
import { ATR, AverageGain, AverageLoss, EMA } from 'technicalindicators';

/** The bar that is being read; one object, overwritten bar by bar. */
export interface Bar {
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}

/** A node is updated once a bar, after the nodes that it reads. */
export interface IndicatorNode {
  /** NaN until the indicator exists. */
  value: number;
  update(bar: Bar): void;
}

/** Never rounded, whatever precision another user of the library may have set globally. */
const unrounded = (value: number): number => value;

/**
 * Exponential moving average with weight 2 / (period + 1), seeded with the mean of its first `period` inputs.
 * `source` picks the input; NaN means that there is none yet.
 *
 * The library takes a seed of exactly 0 for "not yet" and counts that input twice. Prices are positive; the
 * MACD's signal line meets it on flat prices only, where that input is 0 as well and counting it twice
 * changes nothing.
 */
export class EmaNode implements IndicatorNode {
  value = Number.NaN;
  readonly #source: (bar: Bar) => number;
  readonly #ema: EMA;

  constructor(period: number, source: (bar: Bar) => number) {
    this.#source = source;
    this.#ema = new EMA({ period, values: [], format: unrounded });
  }

  update(bar: Bar): void {
    const input = this.#source(bar);
    if (Number.isNaN(input)) return;
    this.value = this.#ema.nextValue(input) ?? Number.NaN;
  }
}

/** Wilder's average of the closes' gains (or of their losses, as positive numbers); first value at bar period + 1. */
export class AverageChangeNode implements IndicatorNode {
  value = Number.NaN;
  readonly #average: AverageGain | AverageLoss;

  constructor(period: number, side: 'gain' | 'loss') {
    const input = { period, values: [], format: unrounded };
    this.#average = side === 'gain' ? new AverageGain(input) : new AverageLoss(input);
  }

  update(bar: Bar): void {
    this.value = this.#average.nextValue(bar.close) ?? Number.NaN;
  }
}

/** Wilder's average true range; first value at bar period + 1. */
export class AtrNode implements IndicatorNode {
  value = Number.NaN;
  readonly #atr: ATR;

  constructor(period: number) {
    this.#atr = new ATR({ period, high: [], low: [], close: [], format: unrounded });
  }

  update(bar: Bar): void {
    this.value = this.#atr.nextValue(bar) ?? Number.NaN;
  }
}

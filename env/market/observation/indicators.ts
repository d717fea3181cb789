/** The indicators of one stream: created once however many features read them, updated once a bar. */
import { log1p } from '#env/math/index.js';
import { AtrNode, AverageChangeNode, EmaNode } from './technical-indicators.js';
import type { Bar, IndicatorNode } from './technical-indicators.js';
import { MovingWindow } from './window.js';

/** Mean (`value`) and population deviation of one input over `period` bars. */
class MomentsNode implements IndicatorNode {
  value = Number.NaN;
  deviation = Number.NaN;
  /** The input of this bar. */
  latest = Number.NaN;
  readonly #source: (bar: Bar) => number;
  readonly #window: MovingWindow;

  constructor(period: number, source: (bar: Bar) => number) {
    this.#source = source;
    this.#window = new MovingWindow(period);
  }

  update(bar: Bar): void {
    this.latest = this.#source(bar);
    this.#window.push(this.latest);
    if (!this.#window.full) return;
    this.value = this.#window.mean();
    this.deviation = this.#window.deviation(this.value);
  }
}

/** Mean of the close alone, where nobody asks for the deviation. */
class MeanNode implements IndicatorNode {
  value = Number.NaN;
  readonly #window: MovingWindow;

  constructor(period: number) {
    this.#window = new MovingWindow(period);
  }

  update(bar: Bar): void {
    this.#window.push(bar.close);
    if (this.#window.full) this.value = this.#window.mean();
  }
}

/** The close `lag` bars ago. */
class LaggedCloseNode implements IndicatorNode {
  value = Number.NaN;
  readonly #ring: Float64Array;
  #next = 0;

  constructor(lag: number) {
    this.#ring = new Float64Array(lag).fill(Number.NaN);
  }

  update(bar: Bar): void {
    this.value = this.#ring[this.#next];
    this.#ring[this.#next] = bar.close;
    this.#next = this.#next + 1 === this.#ring.length ? 0 : this.#next + 1;
  }
}

/** EMA(fast) - EMA(slow). */
class MacdNode implements IndicatorNode {
  value = Number.NaN;
  readonly #fast: IndicatorNode;
  readonly #slow: IndicatorNode;

  constructor(fast: IndicatorNode, slow: IndicatorNode) {
    this.#fast = fast;
    this.#slow = slow;
  }

  update(): void {
    this.value = this.#fast.value - this.#slow.value;
  }
}

const closeOf = (bar: Bar): number => bar.close;
const logVolumeOf = (bar: Bar): number => log1p(bar.volume);

export class Indicators {
  readonly #nodes = new Map<string, IndicatorNode>();
  #order: readonly IndicatorNode[] = [];

  /** Brings every indicator to this bar. */
  update(bar: Bar): void {
    for (const node of this.#order) node.update(bar);
  }

  laggedClose(lag: number): LaggedCloseNode {
    return this.#once(`laggedClose ${lag}`, LaggedCloseNode, () => new LaggedCloseNode(lag));
  }

  /** Simple moving average of the close. */
  sma(period: number): MeanNode {
    return this.#once(`sma ${period}`, MeanNode, () => new MeanNode(period));
  }

  /** Exponential moving average of the close. */
  ema(period: number): EmaNode {
    return this.#once(`ema ${period}`, EmaNode, () => new EmaNode(period, closeOf));
  }

  /** The MACD line: EMA(fast) - EMA(slow) of the close. */
  macd(fast: number, slow: number): MacdNode {
    return this.#once(`macd ${fast} ${slow}`, MacdNode, () => new MacdNode(this.ema(fast), this.ema(slow)));
  }

  /** The MACD's signal line: EMA(period) of the line. */
  macdSignal(fast: number, slow: number, period: number): EmaNode {
    const line = this.macd(fast, slow);
    return this.#once(`signal ${fast} ${slow} ${period}`, EmaNode, () => new EmaNode(period, () => line.value));
  }

  /** Wilder's average of gains, or of losses, from which the relative strength index is formed. */
  averageChange(period: number, side: 'gain' | 'loss'): AverageChangeNode {
    return this.#once(`${side} ${period}`, AverageChangeNode, () => new AverageChangeNode(period, side));
  }

  /** Average true range. */
  atr(period: number): AtrNode {
    return this.#once(`atr ${period}`, AtrNode, () => new AtrNode(period));
  }

  /** Mean and population deviation of the close. */
  closeMoments(period: number): MomentsNode {
    return this.#once(`close ${period}`, MomentsNode, () => new MomentsNode(period, closeOf));
  }

  /** Mean and population deviation of ln(1 + volume). */
  logVolumeMoments(period: number): MomentsNode {
    return this.#once(`logVolume ${period}`, MomentsNode, () => new MomentsNode(period, logVolumeOf));
  }

  /** A node is created after those that it reads, so insertion order is the order of updates. */
  #once<N extends IndicatorNode>(key: string, kind: abstract new (...args: never[]) => N, create: () => N): N {
    const known = this.#nodes.get(key);
    if (known instanceof kind) return known;
    const node = create();
    this.#nodes.set(key, node);
    this.#order = [...this.#nodes.values()];
    return node;
  }
}

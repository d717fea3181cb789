/** The market of one instrument: its bars in market time, the tick path through each, and the quote as it stands. */
import type { Bars } from '#env/market/bars.js';
import { calendarNamed, type TradingCalendar } from '#env/market/calendar.js';
import { DEFAULT_MARKET_CONFIG, type CostsConfig } from '#env/market/config.js';
import { marketColumns, type MarketColumns } from '#env/market/market-columns.js';
import { BarPath, type PathBar } from './bar-path.js';
import { PriceGrid } from './price-grid.js';

const DAY_MS = 86_400_000;

export class Feed {
  readonly index: number;
  readonly bars: Bars;
  readonly calendar: TradingCalendar;
  /** Tradable prices, trading days, fee periods, share ratios, costs: the columns that the environment trades on. */
  readonly market: MarketColumns;
  readonly grid: PriceGrid;
  readonly #seed: number;

  /** The bar under way, or the next one where none is. */
  bar: number;
  /** Whether bar `bar` is under way. */
  isOpen = false;
  readonly #path = new BarPath();
  /** The bar whose path was made last, and whether a bar went by of which the quote was not worked out. */
  #pathOf = -1;
  #quoteIsOld = false;
  /** Ticks of the bar under way that have happened. */
  ticked = 0;
  endMs = NaN;
  /** Nobody looks at its ticks: they happen when somebody asks, or at the bar's end. */
  quiet = false;

  /** The quote as it stands; sizes are what is left after fills. NaN before the first bar. */
  bid = NaN;
  ask = NaN;
  bidSize = NaN;
  askSize = NaN;
  last = NaN;
  lastSize = 0;
  lastTimeMs = NaN;

  /** Of the trading day `dayId`. */
  dayId = -1;
  dayOpen = NaN;
  dayHigh = NaN;
  dayLow = NaN;
  dayVolume = 0;
  /** Last price of the day before; NaN where there is none. */
  previousClose = NaN;

  constructor(index: number, bars: Bars, costs: CostsConfig, seed: number, startMs: number) {
    this.index = index;
    this.bars = bars;
    this.calendar = calendarNamed(bars.calendar);
    this.#seed = seed;
    const config = { ...DEFAULT_MARKET_CONFIG, costs };
    const windows = bars.segments.map((segment) => ({ bars, segment, start: segment.start, end: segment.end }));
    this.market = marketColumns(bars, windows, config);
    this.grid = new PriceGrid(bars.instrument, costs.spread_bps);
    this.bar = 0;
    while (this.bar < bars.length && this.startOf(this.bar) < startMs) this.bar++;
    if (this.bar > 0) this.#catchUp(this.bar - 1);
  }

  get symbol(): string {
    return this.bars.instrument.symbol;
  }

  /** First instant at which bar t trades: of a daily bar, its session's open. */
  startOf(t: number): number {
    const openMs = this.bars.openTimeMs[t];
    if (this.bars.interval.ms < DAY_MS) return openMs;
    const sessions = this.#sessionsOf(openMs);
    return sessions.length > 0 ? sessions[0].openMs : openMs;
  }

  /** The instant at which bar t is complete: no later than its session's close. */
  endOf(t: number): number {
    const openMs = this.bars.openTimeMs[t];
    const closeMs = openMs + this.bars.interval.ms;
    if (this.bars.interval.ms < DAY_MS) {
      const session = this.calendar.sessionAt(openMs);
      return session === null ? closeMs : Math.min(closeMs, session.closeMs);
    }
    const sessions = this.#sessionsOf(openMs);
    return sessions.length > 0 ? sessions[sessions.length - 1].closeMs : closeMs;
  }

  /** Daily bars carry their session's date at 00:00 UTC. */
  #sessionsOf(openMs: number): { openMs: number; closeMs: number }[] {
    const sessions = [];
    const days = Math.round(this.bars.interval.ms / DAY_MS);
    for (let k = 0; k < days; k++) {
      const session = this.calendar.sessionOnDay(Math.floor(openMs / DAY_MS) + k);
      if (session !== null) sessions.push(session);
    }
    return sessions;
  }

  /** Whether bar t belongs to regular trading hours. */
  isRegular(t: number): boolean {
    return this.bars.interval.ms >= DAY_MS || this.calendar.sessionAt(this.bars.openTimeMs[t]) !== null;
  }

  /** Whether regular trading is on at the instant. */
  inSession(timeMs: number): boolean {
    return this.calendar.sessionAt(timeMs) !== null;
  }

  /** The instant of the feed's next own event (a tick, a bar's end, a bar's start); Infinity when the bars are over. */
  nextMs(): number {
    if (this.isOpen) return !this.quiet && this.ticked < this.path.length ? this.#path.timeMs[this.ticked] : this.endMs;
    return this.bar < this.bars.length ? this.startOf(this.bar) : Infinity;
  }

  /** The ticks of the bar under way; made when somebody looks at them. */
  get path(): BarPath {
    if (this.#pathOf !== this.bar) this.#makePath(this.bar);
    return this.#path;
  }

  #makePath(t: number): void {
    this.buildPath(this.#path, t);
    this.#pathOf = t;
  }

  /** Builds the path of bar t into `path`; the same bits whoever asks. */
  buildPath(path: BarPath, t: number): void {
    const { market } = this;
    const bar: PathBar = {
      startMs: this.startOf(t),
      endMs: this.endOf(t),
      open: market.open[t],
      high: market.high[t],
      low: market.low[t],
      close: market.close[t],
      volume: this.bars.volume[t],
    };
    path.build(bar, this.grid, this.#seed, `gateway/path/${this.symbol}/${this.bars.openTimeMs[t]}`);
  }

  /** Bar `bar` begins, and the trading day turns where it must. Returns whether it did. */
  open(): boolean {
    const t = this.bar;
    this.ticked = 0;
    this.isOpen = true;
    this.endMs = this.endOf(t);
    const turned = this.market.day[t] !== this.dayId;
    if (turned) this.#turnDay(t);
    return turned;
  }

  /** The next tick happens. */
  tick(): void {
    const { path } = this;
    const i = this.ticked++;
    this.#takeQuote(path, i);
    this.dayVolume += path.size[i];
    if (!(this.last <= this.dayHigh)) this.dayHigh = this.last;
    if (!(this.last >= this.dayLow)) this.dayLow = this.last;
  }

  #takeQuote(path: BarPath, i: number): void {
    this.bid = path.bid[i];
    this.ask = path.ask[i];
    this.bidSize = path.bidSize[i];
    this.askSize = path.askSize[i];
    this.last = path.price[i];
    this.lastTimeMs = path.timeMs[i];
    // a tick without volume moves the quote only
    if (path.size[i] > 0) this.lastSize = path.size[i];
    this.#quoteIsOld = false;
  }

  /** All that is left of the bar under way happens at once, unseen: its ticks need not be made. */
  skim(): void {
    const t = this.bar;
    if (this.ticked > 0) {
      while (this.ticked < this.path.length) this.tick();
      return;
    }
    const { market } = this;
    this.last = market.close[t];
    this.dayVolume += this.bars.volume[t];
    if (!(market.high[t] <= this.dayHigh)) this.dayHigh = market.high[t];
    if (!(market.low[t] >= this.dayLow)) this.dayLow = market.low[t];
    this.#quoteIsOld = true;
  }

  /** Works out the quote after a bar that went by unseen. */
  settle(): void {
    if (!this.#quoteIsOld) return;
    this.#makePath(this.bar - 1);
    this.#takeQuote(this.#path, this.#path.length - 1);
  }

  /** Whether a tick is due by `timeMs`. */
  isDue(timeMs: number): boolean {
    return this.isOpen && this.ticked < this.path.length && this.path.timeMs[this.ticked] <= timeMs;
  }

  /** Bar `bar` is complete. */
  close(): void {
    this.isOpen = false;
    this.bar++;
  }

  /** One old share became `ratio` new ones: the quote before it is worth that much less. */
  rescale(ratio: number): void {
    this.settle();
    this.bid /= ratio;
    this.ask /= ratio;
    this.last /= ratio;
  }

  #turnDay(t: number): void {
    this.dayId = this.market.day[t];
    this.previousClose = t > 0 ? this.market.close[t - 1] / (this.market.shareRatio?.[t] ?? 1) : NaN;
    this.dayOpen = this.market.open[t];
    this.dayHigh = NaN;
    this.dayLow = NaN;
    this.dayVolume = 0;
  }

  /** The state after bar t, without living through it. */
  #catchUp(t: number): void {
    const { market, bars } = this;
    let first = t;
    while (first > 0 && market.day[first - 1] === market.day[t]) first--;
    this.#turnDay(first);
    for (let k = first; k <= t; k++) {
      this.dayVolume += bars.volume[k];
      if (!(market.high[k] <= this.dayHigh)) this.dayHigh = market.high[k];
      if (!(market.low[k] >= this.dayLow)) this.dayLow = market.low[k];
    }
    this.#makePath(t);
    this.#takeQuote(this.#path, this.#path.length - 1);
    this.ticked = 0;
  }
}

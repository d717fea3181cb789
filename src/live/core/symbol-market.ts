/** What is known of one symbol's market: its bars and their features, its last prices, and how fresh they are. */
import { calendarNamed, type TradingCalendar } from '#env/market/calendar.js';
import { ACCOUNT_FEATURE_COUNT, FEATURE_SETS } from '#env/market/observation/index.js';
import { FeatureStream } from '#env/market/observation/stream.js';
import { BarBuilder, stampBefore, type BuiltBar } from './bar-builder.js';
import type { SymbolConfig, TraderConfig } from './config.js';
import type { ClosedBar } from './events.js';
import { MarketRow } from './market-row.js';

export class SymbolMarket {
  readonly row: MarketRow;
  readonly builder: BarBuilder;
  /** Features of the last closed bar, account features last. */
  readonly observation: Float32Array;
  /** Whether bars since the anchor suffice for a decision. */
  warm = false;
  /** History was asked for and has not come; bars that close meanwhile wait for it. */
  awaitingHistory = true;
  readonly #held: BuiltBar[] = [];
  lastPrice = NaN;
  bid: number | null = null;
  ask: number | null = null;
  /** Wall time of the last news of the market. */
  lastDataWallMs = 0;
  /** Since when the market data is believed dead; null: it is not. */
  staleSinceWallMs: number | null = null;
  /** Not 1: delayed or frozen. */
  dataType = 1;
  readonly #calendar: TradingCalendar;
  readonly #intervalMs: number;
  readonly #stream: FeatureStream;
  readonly #warmup: number;
  readonly #priceBand: number;
  /** Best prices of trades that are believed, since the bar under way began. */
  #believedHigh = NaN;
  #believedLow = NaN;

  constructor({ instrument }: SymbolConfig, trader: TraderConfig) {
    const calendar = calendarNamed(trader.calendar);
    this.#calendar = calendar;
    this.#intervalMs = trader.interval.ms;
    this.row = new MarketRow(instrument, trader.market, calendar, trader.interval);
    this.builder = new BarBuilder(trader.interval.ms, calendar);
    const spec = FEATURE_SETS[trader.featureSet];
    this.#stream = new FeatureStream(spec);
    this.observation = new Float32Array(spec.marketFeatures.length + ACCOUNT_FEATURE_COUNT);
    this.#warmup = trader.warmup;
    this.#priceBand = trader.care.price_band;
  }

  get barsSeen(): number {
    return this.#stream.barsSeen;
  }

  /** Forgets the indicators: the next bar is the anchor. */
  reanchor(): void {
    this.#stream.reset();
    this.warm = false;
  }

  /** Whether a bar that was built is whole and comes right after the last one, so that nothing is missing. */
  continues({ whole, span }: BuiltBar, lastStampMs = this.row.stampMs): boolean {
    if (!whole) return false;
    const before = stampBefore(span, this.#intervalMs, this.#calendar);
    return before === null || lastStampMs >= before;
  }

  /** Keeps a bar that closed while history is awaited. */
  hold(built: BuiltBar): void {
    this.#held.push(built);
  }

  /** The link is down: history will bring what was held. */
  dropHeld(): void {
    this.#held.length = 0;
  }

  /**
   * What history brought, and behind it the bars that closed while it was awaited. `gap`: between the two, or in the
   * latter, something is missing, and history must be asked again.
   */
  joined(history: readonly ClosedBar[]): { readonly bars: readonly ClosedBar[]; readonly gap: boolean } {
    const bars = [...history];
    const held = this.#held.splice(0);
    for (const built of held) {
      const last = bars.at(-1)?.openMs ?? this.row.stampMs;
      if (built.span.stampMs <= last) continue;
      if (!this.continues(built, last)) return { bars, gap: true };
      bars.push(built.bar);
    }
    return { bars, gap: false };
  }

  /** A bar has closed: row and features are its own now. */
  closeBar(bar: ClosedBar): void {
    this.row.closeBar(bar);
    this.#stream.next(bar.open, bar.high, bar.low, bar.close, bar.volume, this.observation, 0);
    this.warm = this.#stream.barsSeen > this.#warmup;
    this.lastPrice = bar.close;
  }

  /** A trade or a 5-second bar's range. Returns whether its last price can be believed. */
  see(high: number, low: number, last: number): boolean {
    const { bid, ask } = this;
    const reference = bid !== null && ask !== null ? (bid + ask) / 2 : this.lastPrice;
    const believed = (price: number): boolean =>
      price > 0 && (Number.isNaN(reference) || Math.abs(price / reference - 1) <= this.#priceBand);
    if (believed(high) && !(high <= this.#believedHigh)) this.#believedHigh = high;
    if (believed(low) && !(low >= this.#believedLow)) this.#believedLow = low;
    if (!believed(last)) return false;
    this.lastPrice = last;
    return true;
  }

  /** The bar's best price for a side, of those that trades confirm; NaN: none does. */
  bestOf(bar: ClosedBar, long: boolean): number {
    return long ? Math.min(bar.high, this.#believedHigh) : Math.max(bar.low, this.#believedLow);
  }

  /** The next bar begins: what was believed belongs to the last. */
  beginBar(): void {
    this.#believedHigh = NaN;
    this.#believedLow = NaN;
  }
}

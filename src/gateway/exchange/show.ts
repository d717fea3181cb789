/** What "whatToShow" means for one tick of an instrument, and one bar gathered from ticks or from finer bars. */
import { withoutNoise } from '#env/market/ticks.js';
import type { ServerMessage } from '../wire/responses.js';
import type { BarPath } from './bar-path.js';

/** A bar in the making. */
export class GatheredBar {
  startMs = NaN;
  /** Trading day of its last part, days since 1970-01-01. */
  dayId = 0;
  open = NaN;
  high = NaN;
  low = NaN;
  close = NaN;
  volume = 0;
  /** Sum of price x volume. */
  value = 0;
  count = 0;

  begin(startMs: number): void {
    this.startMs = startMs;
    this.open = NaN;
    this.high = NaN;
    this.low = NaN;
    this.close = NaN;
    this.volume = 0;
    this.value = 0;
    this.count = 0;
  }

  add(open: number, high: number, low: number, close: number, volume: number, value: number, count: number): void {
    if (Number.isNaN(this.open)) this.open = open;
    if (!(high <= this.high)) this.high = high;
    if (!(low >= this.low)) this.low = low;
    this.close = close;
    this.volume += volume;
    this.value += value;
    this.count += count;
  }

  /** Volume-weighted average; the close where nothing was traded. */
  get wap(): number {
    return this.volume > 0 ? this.value / this.volume : this.close;
  }
}

export type Show = 'TRADES' | 'ADJUSTED_LAST' | 'MIDPOINT' | 'BID' | 'ASK' | 'BID_ASK';
/** What ticks of the past are told of. */
export type TickShow = 'TRADES' | 'BID_ASK' | 'MIDPOINT';
const SHOWS: ReadonlySet<string> = new Set(['TRADES', 'ADJUSTED_LAST', 'MIDPOINT', 'BID', 'ASK', 'BID_ASK']);

export function isShow(text: string): text is Show {
  return SHOWS.has(text);
}

/** Whether a kind of security has such data: pairs are quoted, not traded; an index has no quote. */
export function offers(secType: string, show: Show): boolean {
  if (secType === 'CASH') return show !== 'TRADES' && show !== 'ADJUSTED_LAST';
  return secType !== 'IND' || show === 'TRADES';
}

/** Between two prices on tick, without the noise of the sum. */
export function midpoint(bid: number, ask: number): number {
  return withoutNoise((bid + ask) / 2);
}

/** Adds tick i of a path. The bars of a pair are its midpoint, so that of a pair is the path itself. */
export function addTick(bar: GatheredBar, path: BarPath, i: number, show: Show, isCash: boolean): void {
  if (show === 'TRADES' || show === 'ADJUSTED_LAST') {
    const price = path.price[i];
    bar.add(price, price, price, price, path.size[i], price * path.size[i], 1);
  } else if (show === 'BID_ASK') {
    // open: average bid; close: average ask; low: least bid; high: highest ask
    const n = bar.count;
    const bid = n === 0 ? path.bid[i] : bar.open + (path.bid[i] - bar.open) / (n + 1);
    const ask = n === 0 ? path.ask[i] : bar.close + (path.ask[i] - bar.close) / (n + 1);
    bar.add(bid, path.ask[i], path.bid[i], ask, 0, 0, 1);
    bar.open = bid;
  } else {
    const price =
      show === 'BID'
        ? path.bid[i]
        : show === 'ASK'
          ? path.ask[i]
          : isCash
            ? path.price[i]
            : midpoint(path.bid[i], path.ask[i]);
    bar.add(price, price, price, price, 0, 0, 1);
  }
}

/** Quotes have no volume: IBKR writes -1. */
export function hasVolume(show: Show): boolean {
  return show === 'TRADES' || show === 'ADJUSTED_LAST';
}

export function realtimeBarMessage(reqId: number, bar: GatheredBar, show: Show): ServerMessage {
  const traded = hasVolume(show);
  return {
    type: 'realtimeBar',
    reqId,
    timeSec: Math.floor(bar.startMs / 1000),
    open: bar.open,
    high: bar.high,
    low: bar.low,
    close: bar.close,
    volume: traded ? bar.volume : -1,
    wap: traded ? bar.wap : -1,
    count: traded ? bar.count : -1,
  };
}

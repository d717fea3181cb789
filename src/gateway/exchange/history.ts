/**
 * Historical bars of any size. Bars of the data's own size are the data's own numbers; coarser ones are gathered from
 * them; finer ones, unfinished ones and quotes come from the tick path, which is the one that was or will be streamed.
 */
import { firstBarAtOrAfter } from '#env/market/bars.js';
import { BarPath, tickStepMs } from './bar-path.js';
import type { Feed } from './feed.js';
import type { BarSize, HistoryQuery } from './history-query.js';
import { addTick, GatheredBar, hasVolume, type Show } from './show.js';

const DAY_MS = 86_400_000;

export interface HistoryRange {
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
  /** Only so many of the last bars. */
  readonly most: number;
}

export class History {
  readonly #scratch = new BarPath();

  /** Where the query begins when it ends at `toMs`. */
  range(feed: Feed, query: HistoryQuery, toMs: number, useRth: boolean): HistoryRange {
    const { count, unit, size } = query;
    switch (unit) {
      case 'S':
        return this.#lastSeconds(feed, count, size, toMs, useRth);
      case 'D':
        return { fromMs: this.#daysBack(feed, count, toMs, useRth), toMs, most: Infinity };
      case 'W':
        return { fromMs: toMs - 7 * count * DAY_MS, toMs, most: Infinity };
      case 'M':
        return { fromMs: monthsBefore(toMs, count), toMs, most: Infinity };
      case 'Y':
        return { fromMs: monthsBefore(toMs, 12 * count), toMs, most: Infinity };
    }
  }

  /** Bars of what has happened by `nowMs` (exclusive), within the range, in order. */
  bars(feed: Feed, range: HistoryRange, size: BarSize, show: Show, useRth: boolean, nowMs: number): GatheredBar[] {
    const toMs = Math.min(range.toMs, nowMs);
    const gathered: GatheredBar[] = [];
    let bucket = NaN;
    let bar = new GatheredBar();
    const { bars } = feed;
    for (let t = this.#firstAt(feed, range.fromMs); t < bars.length && feed.startOf(t) < toMs; t++) {
      if (useRth && !feed.isRegular(t)) continue;
      const take = (timeMs: number): void => {
        const key = bucketOf(feed, t, timeMs, size);
        if (key !== bucket) {
          bucket = key;
          bar = new GatheredBar();
          bar.begin(typeof size === 'number' && size < bars.interval.ms ? key : timeMs);
          gathered.push(bar);
        }
        bar.dayId = feed.market.day[t];
      };
      const whole = feed.endOf(t) <= toMs && feed.startOf(t) >= range.fromMs;
      const direct = hasVolume(show) || (show === 'MIDPOINT' && bars.instrument.securityType === 'CASH');
      if (whole && direct && !(typeof size === 'number' && size < bars.interval.ms)) {
        take(feed.startOf(t));
        addWhole(bar, feed, t, show);
        continue;
      }
      this.#eachTick(feed, t, range.fromMs, toMs, (path, i) => {
        take(path.timeMs[i]);
        addTick(bar, path, i, show, bars.instrument.securityType === 'CASH');
      });
    }
    if (show === 'ADJUSTED_LAST') gathered.forEach((one) => adjust(one, feed, nowMs));
    return gathered.length > range.most ? gathered.slice(-range.most) : gathered;
  }

  /** The bar under way just before `toMs`, as far as it has come; null outside the hours asked for. */
  currentBar(feed: Feed, query: HistoryQuery, useRth: boolean, toMs: number): GatheredBar | null {
    const { size, show } = query;
    let t = Math.min(feed.bar, feed.bars.length - 1);
    while (t > 0 && feed.startOf(t) >= toMs) t--;
    if (feed.startOf(t) >= toMs || (useRth && !feed.isRegular(t))) return null;
    const key = bucketOf(feed, t, toMs - 1, size);
    let fromMs = feed.startOf(t);
    if (typeof size === 'number' && size < feed.bars.interval.ms) fromMs = Math.max(fromMs, key);
    else for (let k = t - 1; k >= 0 && bucketOf(feed, k, feed.startOf(k), size) === key; k--) fromMs = feed.startOf(k);
    const bars = this.bars(feed, { fromMs, toMs, most: 1 }, size, show, useRth, toMs);
    return bars.length === 0 ? null : bars[0];
  }

  /** Calls back for the ticks of bar t in [fromMs, toMs). */
  #eachTick(feed: Feed, t: number, fromMs: number, toMs: number, each: (path: BarPath, i: number) => void): void {
    let path = this.#scratch;
    if (feed.isOpen && t === feed.bar) path = feed.path;
    else feed.buildPath(path, t);
    for (let i = 0; i < path.length; i++) if (path.timeMs[i] >= fromMs && path.timeMs[i] < toMs) each(path, i);
  }

  /** Ticks in [fromMs, toMs), forwards or backwards, until the callback returns false. */
  ticks(
    feed: Feed,
    fromMs: number,
    toMs: number,
    backwards: boolean,
    useRth: boolean,
    each: (path: BarPath, i: number) => boolean,
  ): void {
    const path = this.#scratch;
    const { bars } = feed;
    const first = this.#firstAt(feed, fromMs);
    let past = first;
    if (backwards) past = this.#firstAt(feed, toMs) + 1;
    for (let k = 0; ; k++) {
      const t = backwards ? Math.min(past, bars.length) - 1 - k : first + k;
      if (t < first || t >= bars.length || feed.startOf(t) >= toMs) {
        if (backwards && t >= first) continue;
        return;
      }
      if (useRth && !feed.isRegular(t)) continue;
      feed.buildPath(path, t);
      for (let j = 0; j < path.length; j++) {
        const i = backwards ? path.length - 1 - j : j;
        if (path.timeMs[i] < fromMs || path.timeMs[i] >= toMs) continue;
        if (!each(path, i)) return;
      }
    }
  }

  /** First bar that is not over at `timeMs`. */
  #firstAt(feed: Feed, timeMs: number): number {
    let t = firstBarAtOrAfter(feed.bars, timeMs);
    while (t > 0 && feed.endOf(t - 1) > timeMs) t--;
    while (t < feed.bars.length && feed.endOf(t) <= timeMs) t++;
    return t;
  }

  /** The last `seconds` of trading, in bars of `size`. */
  #lastSeconds(feed: Feed, seconds: number, size: BarSize, toMs: number, useRth: boolean): HistoryRange {
    const wantedMs = Math.max(seconds * 1000, typeof size === 'number' ? size : DAY_MS);
    let coveredMs = 0;
    let fromMs = toMs;
    for (let t = this.#firstAt(feed, toMs); t >= 0 && coveredMs < wantedMs; t--) {
      if (t >= feed.bars.length || feed.startOf(t) >= toMs || (useRth && !feed.isRegular(t))) continue;
      fromMs = feed.startOf(t);
      coveredMs += Math.min(feed.endOf(t), toMs) - fromMs;
    }
    const most = typeof size === 'number' ? Math.ceil(wantedMs / size) : 1;
    return { fromMs, toMs, most };
  }

  /** Start of the trading day that is `count` - 1 days with bars before the one of `toMs`. */
  #daysBack(feed: Feed, count: number, toMs: number, useRth: boolean): number {
    let fromMs = toMs;
    let days = 0;
    let dayId = NaN;
    for (let t = Math.min(this.#firstAt(feed, toMs), feed.bars.length - 1); t >= 0; t--) {
      if (feed.startOf(t) >= toMs || (useRth && !feed.isRegular(t))) continue;
      if (feed.market.day[t] !== dayId) {
        dayId = feed.market.day[t];
        if (++days > count) break;
      }
      fromMs = feed.startOf(t);
    }
    return fromMs;
  }
}

function addWhole(bar: GatheredBar, feed: Feed, t: number, show: Show): void {
  const { market, bars } = feed;
  const [open, high, low, close] = [market.open[t], market.high[t], market.low[t], market.close[t]];
  const volume = hasVolume(show) ? bars.volume[t] : 0;
  const duration = feed.endOf(t) - feed.startOf(t);
  const ticks = Math.max(4, Math.ceil(duration / tickStepMs(duration)));
  bar.add(open, high, low, close, volume, ((high + low + close) / 3) * volume, ticks);
}

/** ADJUSTED_LAST is adjusted to the present: prices before a split are divided by it. */
function adjust(bar: GatheredBar, feed: Feed, nowMs: number): void {
  const { factor } = feed.bars;
  if (factor === null) return;
  const at = (timeMs: number): number =>
    factor[Math.max(0, Math.min(firstBarAtOrAfter(feed.bars, timeMs + 1) - 1, factor.length - 1))];
  const ratio = at(bar.startMs) / at(nowMs - 1);
  if (ratio === 1) return;
  bar.open *= ratio;
  bar.high *= ratio;
  bar.low *= ratio;
  bar.close *= ratio;
  bar.value *= ratio;
}

/** What bars of a size have in common: their start on the local clock, or their day, week (from Monday), month. */
function bucketOf(feed: Feed, t: number, timeMs: number, size: BarSize): number {
  const dayId = feed.market.day[t];
  if (size === 'day') return dayId;
  if (size === 'week') return Math.floor((dayId + 3) / 7);
  if (size === 'month') {
    const date = new Date(dayId * DAY_MS);
    return date.getUTCFullYear() * 12 + date.getUTCMonth();
  }
  // the data's own bars stay whole, wherever on the clock they begin
  if (size === feed.bars.interval.ms) return feed.startOf(t);
  const offset = feed.calendar.utcOffsetMs(timeMs);
  return Math.floor((timeMs + offset) / size) * size - offset;
}

function monthsBefore(timeMs: number, months: number): number {
  const date = new Date(timeMs);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() - months);
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, lastDay));
  return date.getTime();
}

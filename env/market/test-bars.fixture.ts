/** Small markets for tests. */
import { calendarNamed } from './calendar.js';
import type { Bars, TradingWindow } from './bars.js';
import { DEFAULT_MARKET_CONFIG } from './config.js';
import type { MarketConfig } from './config.js';
import { RandomStream } from '../seeding.js';

const DAY_MS = 86_400_000;
export const MONDAY_MS = Date.UTC(2018, 5, 4); // a Monday in June, New York at UTC-4

export interface TestMarket {
  /** [open, high, low, close] a bar, tradable prices. */
  prices: readonly (readonly [number, number, number, number])[];
  openTimeMs?: readonly number[];
  interval?: { label: string; ms: number };
  calendar?: string;
  factor?: readonly number[];
  ticks?: Bars['instrument']['ticks'];
  lotSize?: number;
  symbol?: string;
}

/** Daily bars from a Monday on, unless told otherwise; prices are given tradable and stored adjusted. */
export function testBars(market: TestMarket): Bars {
  const length = market.prices.length;
  const factor = market.factor === undefined ? null : Float64Array.from(market.factor);
  const column = (k: 0 | 1 | 2 | 3): Float64Array =>
    Float64Array.from(market.prices, (bar, t) => bar[k] * (factor === null ? 1 : factor[t]));
  return {
    instrument: {
      symbol: market.symbol ?? 'TEST',
      securityType: 'STK',
      currency: 'USD',
      exchange: 'SMART',
      ticks: market.ticks ?? [{ lowEdge: 0, increment: 0.01 }],
      lotSize: market.lotSize ?? 1,
    },
    interval: market.interval ?? { label: '1d', ms: DAY_MS },
    calendar: market.calendar ?? 'XNYS',
    length,
    openTimeMs: Float64Array.from(market.openTimeMs ?? market.prices.map((_, t) => MONDAY_MS + t * DAY_MS)),
    open: column(0),
    high: column(1),
    low: column(2),
    close: column(3),
    volume: new Float64Array(length).fill(1000),
    factor,
    segments: [{ start: 0, end: length }],
    source: 'test',
    synthetic: true,
    sha256: `test ${market.symbol ?? ''} ${length}`,
  };
}

export const wholeWindow = (bars: Bars, start = 0, end = bars.length): TradingWindow => ({
  bars,
  segment: bars.segments[0],
  start,
  end,
});

/** Without any cost, rule or exit: what a worked example adds is then all there is. 10,000 of equity, all of it used. */
export const FREE: MarketConfig = {
  ...DEFAULT_MARKET_CONFIG,
  initial_equity: 10_000,
  position_fraction: 1,
  costs: { model: 'none', percent_bps: 0, spread_bps: 0, slippage_bps: 0, borrow_rate: 0 },
  episode: { length: null, minimum_length: 1, random_start: false },
  reward: { type: 'equityChange', scale: 1, weights: {} },
};

/** A wild market for property tests: jumps, gaps, missing bars, splits and dividends. `daily` or half-hour bars. */
export function wildBars(seed: number, length: number, daily: boolean, adjusted: boolean): Bars {
  const stream = new RandomStream(seed, 'test/wild-bars');
  const sessions = calendarNamed('XNYS').sessionsBetween(MONDAY_MS, MONDAY_MS + 200 * DAY_MS);
  const times: number[] = [];
  for (const { dayId, openMs, closeMs } of sessions) {
    if (daily) times.push(dayId * DAY_MS);
    else for (let ms = openMs; ms < closeMs; ms += 1_800_000) if (stream.uniform() < 0.9) times.push(ms);
  }
  const onTick = (price: number): number => Math.max(Math.round(price * 100) / 100, 1);
  let last = 20 + 80 * stream.uniform();
  let factor = 0.2;
  const prices: [number, number, number, number][] = [];
  const factors: number[] = [];
  for (let t = 0; t < length; t++) {
    const roll = stream.uniform();
    if (t > 0 && roll < 0.03) {
      factor *= 2; // a two-for-one split
      last /= 2;
    } else if (roll < 0.06) factor *= 1 + 0.02 * stream.uniform(); // a dividend
    const gap = stream.uniform() < 0.3 ? 0.03 : 0.002;
    const open = onTick(last * (1 + gap * stream.normal()));
    const close = onTick(open * (1 + 0.015 * stream.normal()));
    const high = onTick(Math.max(open, close) * (1 + 0.01 * stream.uniform()));
    const low = onTick(Math.min(open, close) * (1 - 0.01 * stream.uniform()));
    prices.push([open, Math.max(high, open, close), Math.min(low, open, close), close]);
    factors.push(factor);
    last = close;
  }
  return testBars({
    prices,
    openTimeMs: times.slice(0, length),
    interval: daily ? { label: '1d', ms: DAY_MS } : { label: '30m', ms: 1_800_000 },
    ...(adjusted ? { factor: factors } : {}),
  });
}

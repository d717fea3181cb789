/** The worlds that are measured: random walks on tick over New York sessions, in minutes or days. */
import type { Bars } from '#env/market/bars.js';
import { calendarNamed } from '#env/market/calendar.js';
import { DEFAULT_MARKET_CONFIG, type MarketConfig } from '#env/market/config.js';
import { MarketEnv } from '#env/market/market-env.js';
import { RandomStream } from '#env/seeding.js';

interface WalkOptions {
  readonly interval: Bars['interval'];
  /** Of a bar's log-return. */
  readonly deviation: number;
  readonly openTimeMs: readonly number[];
}

/** Opens where the last bar closed; high and low up to half a deviation beyond. */
function walkBars({ interval, deviation, openTimeMs }: WalkOptions): Bars {
  const stream = new RandomStream(1, 'bench/bars');
  const length = openTimeMs.length;
  const column = (): Float64Array => new Float64Array(length);
  const [open, high, low, close, volume] = [column(), column(), column(), column(), column()];
  const onTick = (value: number): number => Math.round(value * 100) / 100;
  let price = 100;
  for (let t = 0; t < length; t++) {
    open[t] = price;
    price = onTick(Math.min(Math.max(price * (1 + deviation * stream.normal()), 20), 500));
    close[t] = price;
    const top = Math.max(open[t], price);
    const bottom = Math.min(open[t], price);
    high[t] = Math.max(onTick(top * (1 + 0.5 * deviation * stream.uniform())), top);
    low[t] = Math.min(onTick(bottom * (1 - 0.5 * deviation * stream.uniform())), bottom);
    volume[t] = stream.integer(100_000);
  }
  const ticks = [
    { lowEdge: 0, increment: 0.0001 },
    { lowEdge: 1, increment: 0.01 },
  ];
  return {
    instrument: { symbol: 'BENCH', securityType: 'STK', currency: 'USD', exchange: 'SMART', ticks, lotSize: 1 },
    interval,
    calendar: 'XNYS',
    length,
    openTimeMs: Float64Array.from(openTimeMs),
    open,
    high,
    low,
    close,
    volume,
    factor: null,
    segments: [{ start: 0, end: length }],
    source: 'bench',
    synthetic: true,
    sha256: 'bench',
  };
}

/** Minute bars of a year. */
export function minuteBars(): Bars {
  const sessions = calendarNamed('XNYS').sessionsBetween(Date.UTC(2017, 0, 1), Date.UTC(2018, 0, 1));
  const openTimeMs = sessions.flatMap(({ openMs, closeMs }) =>
    Array.from({ length: (closeMs - openMs) / 60_000 }, (_, k) => openMs + k * 60_000),
  );
  return walkBars({ interval: { label: '1m', ms: 60_000 }, deviation: 0.0006, openTimeMs });
}

/** Daily bars of twenty years. */
export function dailyBars(): Bars {
  const sessions = calendarNamed('XNYS').sessionsBetween(Date.UTC(2000, 0, 1), Date.UTC(2020, 0, 1));
  return walkBars({
    interval: { label: '1d', ms: 86_400_000 },
    deviation: 0.01,
    openTimeMs: sessions.map(({ openMs }) => openMs),
  });
}

/** Accounts on all bars after a warm-up of 300. */
export function marketOn(bars: Bars, numEnvs: number, config: MarketConfig = DEFAULT_MARKET_CONFIG): MarketEnv {
  const windows = [{ bars, segment: bars.segments[0], start: 300, end: bars.length }];
  return new MarketEnv({ windows, config, numEnvs, seed: 1 });
}

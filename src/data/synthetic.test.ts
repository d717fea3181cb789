import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sliceBars, type Bars } from '#env/market/bars.js';
import { calendarNamed } from '#env/market/calendar.js';
import { usShare } from '#env/market/instrument.js';
import { parseManifest, syntheticSchema } from './manifest.js';
import { syntheticBars, type SyntheticOptions } from './synthetic.js';

function generate(change: Partial<SyntheticOptions> = {}): Bars {
  return syntheticBars({
    ...syntheticSchema.parse({ seed: 7, from: '2021-11-22', sessions: 250 }),
    name: 'test',
    instrument: usShare('SYN'),
    interval: { label: '5m', ms: 300_000 },
    calendar: 'XNYS',
    ...change,
  });
}

function hashOf({ openTimeMs, open, high, low, close, volume }: Bars): string {
  const hash = createHash('sha256');
  for (const column of [openTimeMs, open, high, low, close, volume]) hash.update(new Uint8Array(column.buffer));
  return hash.digest('hex').slice(0, 16);
}

const DAILY = { label: '1d', ms: 86_400_000 };

const variance = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value * value, 0) / values.length;

describe('synthetic bars', () => {
  const bars = generate();

  it('are the same bits for the same seed, on every machine', () => {
    expect(hashOf(bars)).toBe('c7e0e54264094246');
    expect(hashOf(generate())).toBe(hashOf(bars));
    expect(hashOf(generate({ seed: 8 }))).not.toBe(hashOf(bars));
    expect(generate({ seed: 8 }).sha256).not.toBe(bars.sha256);
    expect(generate({ name: 'other' }).sha256).toBe(bars.sha256);
  });

  it('say that they are synthetic', () => expect(bars.synthetic).toBe(true));

  it('fill the sessions of the calendar, half days too', () => {
    const calendar = calendarNamed('XNYS');
    const perDay = new Map<number, number>();
    for (const time of bars.openTimeMs) {
      const session = calendar.sessionAt(time);
      if (session === null) throw new Error(new Date(time).toISOString());
      perDay.set(session.dayId, (perDay.get(session.dayId) ?? 0) + 1);
    }
    expect(perDay.size).toBe(250);
    expect(perDay.get(Date.UTC(2021, 10, 24) / 86_400_000)).toBe(78);
    expect(perDay.get(Date.UTC(2021, 10, 26) / 86_400_000)).toBe(42);
  });

  it('lie on ticks', () => {
    for (const column of [bars.open, bars.high, bars.low, bars.close]) {
      expect(column.every((price) => price === Math.round(price * 100) / 100)).toBe(true);
    }
  });

  it('have U-shaped volume and range, and gaps overnight', () => {
    const last = 77;
    const mean = (column: (t: number) => number, from: number, to: number): number => {
      let sum = 0;
      let count = 0;
      // from the fifth session on, all are whole for a month
      for (let day = 0; day < 20; day++)
        for (let b = from; b <= to; b++, count++) sum += column(78 * 4 - 36 + day * 78 + b);
      return sum / count;
    };
    const volume = (t: number): number => bars.volume[t];
    const range = (t: number): number => bars.high[t] - bars.low[t];
    for (const column of [volume, range]) {
      expect(mean(column, 0, 5)).toBeGreaterThan(1.2 * mean(column, 36, 41));
      expect(mean(column, last - 5, last)).toBeGreaterThan(1.2 * mean(column, 36, 41));
    }
    let gaps = 0;
    for (let t = 1; t < bars.length; t++)
      if (bars.openTimeMs[t] - bars.openTimeMs[t - 1] > 300_000 && bars.open[t] !== bars.close[t - 1]) gaps++;
    expect(gaps).toBeGreaterThan(230);
  });

  it('have the volatility that is asked for, and regimes of it', () => {
    const one = generate({
      regimes: [{ annual_volatility: 0.2, mean_sessions: 10 }],
      overnight_share: 0.3,
      sessions: 1000,
      from: '2010-01-04',
    });
    const all: number[] = [];
    for (let t = 1; t < one.length; t++) all.push(Math.log(one.close[t] / one.close[t - 1]));
    expect(Math.sqrt((variance(all) * all.length) / (1000 / 252))).toBeCloseTo(0.2, 2);
    // squared returns of a day tell of the next day's: there are regimes
    const daily = generate({ interval: { label: '1d', ms: 86_400_000 }, sessions: 4000, from: '2005-01-03' });
    const squares: number[] = [];
    for (let t = 1; t < daily.length; t++) squares.push(Math.log(daily.close[t] / daily.close[t - 1]) ** 2);
    const centre = squares.reduce((sum, value) => sum + value, 0) / squares.length;
    let lagged = 0;
    for (let t = 1; t < squares.length; t++) lagged += (squares[t] - centre) * (squares[t - 1] - centre);
    expect(lagged / squares.length / variance(squares.map((value) => value - centre))).toBeGreaterThan(0.05);
  });

  it('never fall below a tick', () => {
    const poor = generate({ start_price: 0.02, regimes: [{ annual_volatility: 3, mean_sessions: 5 }] });
    expect(poor.low.every((price) => price >= 0.01)).toBe(true);
  });

  it('come by day and around the clock', () => {
    const daily = generate({
      interval: { label: '1d', ms: 86_400_000 },
      calendar: '24x7',
      from: '1999-12-30',
      sessions: 5,
    });
    expect(Array.from(daily.openTimeMs, (time) => new Date(time).toISOString().slice(0, 10))).toEqual([
      '1999-12-30',
      '1999-12-31',
      '2000-01-01',
      '2000-01-02',
      '2000-01-03',
    ]);
    expect(sliceBars(daily, 0, 2).synthetic).toBe(true);
  });
});

describe('synthetic bars that return to their middle', () => {
  const reverting = { mean_reversion: 0.05, shock: 0.01 };
  const bars = generate({ reverting });

  it('are the same bits for the same seed, and named by their parameters', () => {
    expect(hashOf(bars)).toBe('b0da0ce50a9db3c7');
    expect(generate({ reverting: { ...reverting, shock: 0.02 } }).sha256).not.toBe(bars.sha256);
    expect(generate({}).sha256).toBe('267cb4d4948c3038cf38ba84730b35fb8f51a8529f16ef8d060b4cfd9fef0c09');
  });

  it('lose the share of the distance that is asked for, with shocks as large', () => {
    const middle = Math.log(100);
    let products = 0;
    let squares = 0;
    for (let t = 1; t < bars.length; t++) {
      const before = Math.log(bars.close[t - 1]) - middle;
      products += before * (Math.log(bars.close[t]) - middle);
      squares += before * before;
    }
    const persistence = products / squares;
    // standard error sqrt((1 - a^2) / T) = 0.0023
    expect(persistence).toBeCloseTo(0.95, 2);
    const shocks = Array.from(
      { length: bars.length - 1 },
      (_, t) => Math.log(bars.close[t + 1]) - middle - persistence * (Math.log(bars.close[t]) - middle),
    );
    expect(Math.sqrt(variance(shocks))).toBeCloseTo(0.01, 3);
    expect(Math.sqrt(squares / bars.length)).toBeCloseTo(0.01 / Math.sqrt(1 - 0.95 * 0.95), 2);
  });

  it('open where the last bar closed, over nights too', () => {
    expect(bars.open.subarray(1)).toEqual(bars.close.subarray(0, -1));
    const daily = generate({ reverting, interval: DAILY, sessions: 50 });
    expect(daily.open.subarray(1)).toEqual(daily.close.subarray(0, -1));
  });

  it('say so where drift, regimes or gaps are asked for beside it', () => {
    const text = (more: string): string =>
      `name: a\nsource: x\nlicence: MIT\nsynthetic:\n  seed: 1\n  from: 2020-01-02\n  sessions: 5\n  reverting: { mean_reversion: 0.1, shock: 0.01 }\n${more}interval: 1d\ncalendar: XNYS\ninstrument: { symbol: OU }\nadjustments: { prices: none }\n`;
    expect(parseManifest(text(''), 'a.yaml').synthetic?.reverting?.shock).toBe(0.01);
    expect(() => parseManifest(text('  annual_drift: 0.1\n'), 'a.yaml')).toThrow(
      'DATA_MANIFEST a.yaml:9 synthetic.annual_drift: says nothing beside `reverting`',
    );
    expect(() => parseManifest(text('').replace('0.1,', '1.5,'), 'a.yaml')).toThrow(
      'synthetic.reverting.mean_reversion',
    );
  });
});

/** History, five-second bars and the data: the same numbers whichever way they are asked for. */
import { describe, expect, it } from 'vitest';
import type { Bars } from '#env/market/bars.js';
import { syntheticBars } from '#src/data/synthetic.js';
import type { HistoricalBar } from '../wire/responses.js';
import { query, runToBoundary, runUntil, TestClient, testExchange } from './exchange.fixture.js';

const MINUTE_MS = 60_000;

function bars(more: { interval?: string; ms?: number; cash?: boolean; sessions?: number } = {}): Bars {
  const cash = more.cash === true;
  return syntheticBars({
    seed: 5,
    from: '2024-03-07',
    sessions: more.sessions ?? 4,
    start_price: cash ? 1.08 : 100,
    annual_drift: 0,
    regimes: [{ annual_volatility: 0.3, mean_sessions: 20 }],
    overnight_share: 0.2,
    session_volume: 5_000_000,
    name: 'synthetic',
    instrument: {
      symbol: cash ? 'EURUSD' : 'TEST',
      securityType: cash ? 'CASH' : 'STK',
      currency: 'USD',
      exchange: cash ? 'IDEALPRO' : 'NASDAQ',
      ticks: [{ lowEdge: 0, increment: cash ? 0.00005 : 0.01 }],
      lotSize: 1,
    },
    interval: { label: more.interval ?? '1m', ms: more.ms ?? MINUTE_MS },
    calendar: cash ? 'FX' : 'XNYS',
  });
}

interface Asked {
  end?: string;
  duration?: string;
  size?: string;
  show?: string;
  rth?: boolean;
  format?: number;
  keep?: boolean;
}

function ask(client: TestClient, asked: Asked, contract = query(client.symbol)): HistoricalBar[] {
  const answers = client.ask({
    type: 'reqHistoricalData',
    reqId: 77,
    contract,
    endDateTime: asked.end ?? '',
    duration: asked.duration ?? '1 D',
    barSize: asked.size ?? '1 min',
    whatToShow: asked.show ?? 'TRADES',
    useRth: asked.rth ?? true,
    formatDate: asked.format ?? 2,
    keepUpToDate: asked.keep ?? false,
  });
  const answer = answers.find((one) => one.type === 'historicalData');
  if (answer === undefined) throw new Error(JSON.stringify(answers));
  return [...answer.bars];
}

const pair = query('EUR', { secType: 'CASH', exchange: 'IDEALPRO', currency: 'USD' });

describe('reqHistoricalData', () => {
  const data = bars();
  const secondDayMs = data.openTimeMs[390];

  it('gives the data itself at its own size, in both formats of time', () => {
    const client = new TestClient(testExchange([data], { startTimeMs: secondDayMs }));
    const day = ask(client, {});
    expect(day.length).toBe(390);
    for (const [t, bar] of day.entries()) {
      expect(bar).toMatchObject({
        date: String(data.openTimeMs[t] / 1000),
        open: data.open[t],
        high: data.high[t],
        low: data.low[t],
        close: data.close[t],
        volume: data.volume[t],
      });
    }
    expect(ask(client, { format: 1 })[0].date).toBe('20240307 09:30:00 US/Eastern');
    expect(ask(client, { size: '1 day', duration: '1 W' }).map(({ date }) => date)).toEqual(['20240307']);
  });

  it('knows nothing of what has not happened, and shows a bar under way as far as it has come', () => {
    const exchange = testExchange([data], { startTimeMs: secondDayMs });
    const client = new TestClient(exchange);
    runUntil(exchange, secondDayMs + 2.5 * MINUTE_MS);
    const day = ask(client, { duration: '600 S' });
    const last = day[day.length - 1];
    expect(last.date).toBe(String(secondDayMs / 1000 + 120));
    expect(last.open).toBe(data.open[392]);
    expect(last.volume).toBeLessThan(data.volume[392]);
    expect(ask(client, { end: '20300101-00:00:00' }).at(-1)).toEqual(last);
    const until = ask(client, { end: '20240308-14:31:00' });
    expect(until.length).toBe(1);
    expect(until[0].close).toBe(data.close[390]);
  });

  it('gathers coarser bars from the data, and finer ones that add up to it, to the bit', () => {
    const client = new TestClient(testExchange([data], { startTimeMs: secondDayMs }));
    for (const [size, per] of [
      ['5 mins', 5],
      ['30 mins', 30],
    ] as const) {
      for (const [k, bar] of ask(client, { size }).entries()) {
        const range = [...Array(per).keys()].map((i) => k * per + i);
        expect(bar.open).toBe(data.open[k * per]);
        expect(bar.high).toBe(Math.max(...range.map((t) => data.high[t])));
        expect(bar.low).toBe(Math.min(...range.map((t) => data.low[t])));
        expect(bar.close).toBe(data.close[k * per + per - 1]);
        expect(bar.volume).toBe(range.reduce((sum, t) => sum + data.volume[t], 0));
      }
    }
    for (const [size, per] of [
      ['1 secs', 60],
      ['5 secs', 12],
      ['30 secs', 2],
    ] as const) {
      const fine = ask(client, { size, duration: '23400 S' });
      expect(fine.length).toBe(390 * per);
      for (let t = 0; t < 390; t++) {
        const parts = fine.slice(t * per, (t + 1) * per);
        expect(parts[0].open).toBe(data.open[t]);
        expect(Math.max(...parts.map(({ high }) => high))).toBe(data.high[t]);
        expect(Math.min(...parts.map(({ low }) => low))).toBe(data.low[t]);
        expect(parts[per - 1].close).toBe(data.close[t]);
        expect(parts.reduce((sum, { volume }) => sum + volume, 0)).toBe(data.volume[t]);
      }
    }
  });

  it('counts a duration in seconds in bars of trading time, and weeks and months by the calendar', () => {
    const daily = bars({ interval: '1d', ms: 86_400_000, sessions: 300 });
    const exchange = testExchange([daily], { startTimeMs: daily.openTimeMs[299] + 86_400_000 });
    const client = new TestClient(exchange);
    expect(ask(client, { size: '1 secs', duration: '30 S' }).length).toBe(30);
    expect(ask(client, { size: '15 secs', duration: '30 S' }).length).toBe(2);
    expect(ask(client, { size: '1 day', duration: '10 D' }).length).toBe(10);
    const weeks = ask(client, { size: '1 week', duration: '1 Y' });
    expect(weeks.length).toBeGreaterThanOrEqual(52);
    expect(weeks.length).toBeLessThanOrEqual(54);
    expect(ask(client, { size: '1 month', duration: '1 Y', end: '20250304-20:00:00' }).length).toBe(13);
  });

  it.each([
    [{ size: '7 mins' }, 321],
    [{ duration: '1 X' }, 321],
    [{ duration: '400 D' }, 321],
    [{ duration: '90000 S' }, 321],
    [{ show: 'YIELD_BID' }, 321],
    [{ end: '20240230 10:00:00' }, 10314],
    [{ end: '20240308 10:00:00 EST5' }, 10314],
    [{ end: 'yesterday' }, 10314],
    [{ end: '19990101-00:00:00' }, 162],
    [{ end: '20240308-15:00:00', keep: true }, 321],
    [{ size: '1 secs', keep: true }, 321],
  ])('refuses %j with %i', (asked, code) => {
    const client = new TestClient(testExchange([data], { startTimeMs: secondDayMs }));
    expect(() => ask(client, asked)).toThrow(/error/);
    expect(client.errors(77)).toContain(code);
  });

  it("warns of a time without a zone, and takes it as the exchange's", () => {
    const client = new TestClient(testExchange([data], { startTimeMs: secondDayMs + 3_600_000 }));
    const local = ask(client, { end: '20240308 09:40:00', duration: '300 S' });
    expect(client.errors(77)).toEqual([2174]);
    expect(local).toEqual(ask(client, { end: '20240308 09:40:00 US/Eastern', duration: '300 S' }));
    expect(local).toEqual(ask(client, { end: '20240308-14:40:00', duration: '300 S' }));
    expect(local.length).toBe(5);
  });

  it('has no trades of a currency pair, whose bars are its midpoint', () => {
    const data = bars({ cash: true, interval: '1h', ms: 3_600_000 });
    const client = new TestClient(testExchange([data], { startTimeMs: data.openTimeMs[30] }), 1, 'EUR');
    expect(() => ask(client, { show: 'TRADES', size: '1 hour' }, pair)).toThrow(/162/);
    const hours = ask(client, { show: 'MIDPOINT', size: '1 hour', duration: '2 D' }, pair);
    const last = hours[hours.length - 1];
    expect(last).toMatchObject({
      open: data.open[29],
      high: data.high[29],
      low: data.low[29],
      close: data.close[29],
      volume: -1,
    });
    const [bid] = ask(client, { show: 'BID', size: '1 hour', duration: '3600 S' }, pair);
    const [both] = ask(client, { show: 'BID_ASK', size: '1 hour', duration: '3600 S' }, pair);
    expect(bid.high).toBeLessThan(last.high + 1e-9);
    expect(both.low).toBe(bid.low);
    expect(both.high).toBeGreaterThan(last.high - 1e-9);
  });
});

describe('five-second bars', () => {
  it('add up to the minute bars to the bit, live as in history', () => {
    const data = bars({ sessions: 2 });
    const exchange = testExchange([data]);
    const client = new TestClient(exchange);
    client.ask({
      type: 'reqRealTimeBars',
      reqId: 1,
      contract: query('TEST'),
      barSize: 5,
      whatToShow: 'TRADES',
      useRth: true,
    });
    for (let t = 0; t < 390; t++) {
      client.messages = [];
      expect(runToBoundary(exchange)).toBe(true);
      const parts = client.of('realtimeBar');
      expect(parts.map(({ timeSec }) => timeSec)).toEqual(
        [...Array(12).keys()].map((k) => data.openTimeMs[t] / 1000 + 5 * k),
      );
      expect(parts[0].open).toBe(data.open[t]);
      expect(parts[11].close).toBe(data.close[t]);
      expect(Math.max(...parts.map(({ high }) => high))).toBe(data.high[t]);
      expect(Math.min(...parts.map(({ low }) => low))).toBe(data.low[t]);
      expect(parts.reduce((sum, { volume }) => sum + volume, 0)).toBe(data.volume[t]);
      const past = ask(client, { size: '5 secs', duration: '60 S' });
      expect(past.map(({ open, high, low, close, volume }) => [open, high, low, close, volume])).toEqual(
        parts.map(({ open, high, low, close, volume }) => [open, high, low, close, volume]),
      );
    }
  });

  it('begin with the first whole window after the request', () => {
    const data = bars({ sessions: 2 });
    const exchange = testExchange([data]);
    const client = new TestClient(exchange);
    runUntil(exchange, data.openTimeMs[3]);
    exchange.advanceClock(data.openTimeMs[3] + 2500);
    client.ask({
      type: 'reqRealTimeBars',
      reqId: 1,
      contract: query('TEST'),
      barSize: 5,
      whatToShow: 'TRADES',
      useRth: true,
    });
    runToBoundary(exchange);
    const parts = client.of('realtimeBar');
    expect(parts[0].timeSec).toBe(data.openTimeMs[3] / 1000 + 5);
    expect(parts.length).toBe(11);
  });

  it('keep a historical bar up to date: the last word on it is the bar', () => {
    const data = bars({ sessions: 2 });
    const exchange = testExchange([data], { startTimeMs: data.openTimeMs[390] });
    const client = new TestClient(exchange);
    ask(client, { size: '5 mins', duration: '1 D', keep: true });
    runUntil(exchange, data.openTimeMs[400]);
    const updates = client.of('historicalDataUpdate').map(({ bar }) => bar);
    expect(updates.length).toBe(120);
    const first = updates.findLast(({ date }) => date === String(data.openTimeMs[390] / 1000));
    const range = [390, 391, 392, 393, 394];
    expect(first).toMatchObject({
      open: data.open[390],
      high: Math.max(...range.map((t) => data.high[t])),
      low: Math.min(...range.map((t) => data.low[t])),
      close: data.close[394],
      volume: range.reduce((sum, t) => sum + data.volume[t], 0),
    });
    expect(client.ask({ type: 'cancelHistoricalData', reqId: 77 })).toEqual([]);
    expect(client.ask({ type: 'cancelHistoricalData', reqId: 77 })).toMatchObject([{ code: 366 }]);
  });
});

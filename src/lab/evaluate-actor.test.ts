import { describe, expect, it } from 'vitest';
import { flatActor, holdActor, smaCrossActor } from '#agents/baselines/index.js';
import type { Actor } from '#agents/actor.js';
import type { Bars, TradingWindow } from '#env/market/bars.js';
import { makeBars } from '#env/market/bars.js';
import { DEFAULT_MARKET_CONFIG, type MarketConfig } from '#env/market/config.js';
import { usShare } from '#env/market/instrument.js';
import { windowOf } from '#env/market/window.js';
import { RandomStream } from '#env/seeding.js';
import { evaluateActor } from './evaluate-actor.js';
import type { Performance } from '#src/stats/performance.js';
import { runActor, runBaselines, runRandom, type RandomRun } from './evaluate-baselines.js';
import { equityCsv, evaluationSummary, fillsCsv, tradesCsv } from './evaluate-outputs.js';
import type { EvaluationMarket } from './evaluate-paths.js';
import { evaluationText, reportModel } from './evaluate-report.js';

const DAY_MS = 86_400_000;
const WARMUP = 60;

/** A random walk of daily bars without drift, in segments of the given lengths with a month between them. */
function walk(symbol: string, seed: number, lengths: readonly number[], startMs = Date.UTC(2012, 0, 2)): Bars {
  const count = lengths.reduce((sum, length) => sum + length, 0);
  const random = new RandomStream(seed, 'walk');
  const column = (): Float64Array => new Float64Array(count);
  const [openTimeMs, open, high, low, close, volume] = [column(), column(), column(), column(), column(), column()];
  const segments: { start: number; end: number }[] = [];
  let price = 100;
  let timeMs = startMs;
  for (const length of lengths) {
    const start = segments.at(-1)?.end ?? 0;
    for (let t = start; t < start + length; t++) {
      openTimeMs[t] = timeMs;
      open[t] = price;
      price *= 1 + 0.01 * random.normal();
      close[t] = price;
      high[t] = Math.max(open[t], close[t]) * 1.004;
      low[t] = Math.min(open[t], close[t]) * 0.996;
      volume[t] = 1e6;
      timeMs += DAY_MS;
    }
    segments.push({ start, end: start + length });
    timeMs += 30 * DAY_MS;
  }
  return makeBars({
    instrument: usShare(symbol),
    interval: { label: '1d', ms: DAY_MS },
    calendar: '24x7',
    openTimeMs,
    open,
    high,
    low,
    close,
    volume,
    segments,
    source: `walk-${symbol}`,
    synthetic: true,
    sha256: String(seed),
  });
}

function marketOf(windows: readonly TradingWindow[], config: Partial<MarketConfig> = {}): EvaluationMarket {
  return { windows, config: { ...DEFAULT_MARKET_CONFIG, ...config }, featureSet: 'v1' };
}

/** Draws its actions: trades often, so that every path through the accounts is walked. */
function diceActor(seed: number): Actor {
  const random = new RandomStream(seed, 'dice');
  return {
    name: 'policy',
    act(actions, _observations, masks, batch) {
      for (let i = 0; i < batch; i++) {
        const action = random.integer(3);
        actions[i] = masks === null || masks[i * 3 + action] === 1 ? action : 0;
      }
    },
  };
}

const NO_CONTEXT = { title: '', windowName: 'test', facts: [], curves: [], configuration: '' };

const oneSymbol = marketOf(windowOf(walk('AAA', 1, [500]), null, null, WARMUP));
const twoSymbols = marketOf(
  [
    ...windowOf(walk('AAA', 1, [300, 250]), null, null, WARMUP),
    ...windowOf(walk('BBB', 2, [400, 200], Date.UTC(2012, 1, 10)), null, null, WARMUP),
  ],
  {
    direction: 'long_short',
    exits: {
      ...DEFAULT_MARKET_CONFIG.exits,
      initial_stop: 0.02,
      trailing_stop: 0.03,
      take_profit: [{ gain: 0.01, fraction: 0.5 }],
    },
  },
);

describe('accounts', () => {
  it.each([
    ['one symbol', oneSymbol],
    ['two symbols in two segments each, short too, with exits', twoSymbols],
  ])('%s: trips, costs and fills add up to the change of equity', (_, market) => {
    const run = runActor(diceActor(3), market);
    const { performance, trades, sleeves, path } = run;
    expect(trades.length).toBeGreaterThan(50);
    const gained = trades.reduce((sum, trade) => sum + trade.pnl, 0);
    expect(gained).toBeCloseTo(performance.finalEquity - performance.initialEquity, 6);
    expect(trades.reduce((sum, trade) => sum + trade.costs, 0)).toBeCloseTo(performance.costsPaid, 6);
    expect(performance.initialEquity).toBeCloseTo(100_000, 9);
    for (const sleeve of sleeves) {
      const cash = sleeve.fills.reduce((sum, fill) => sum - fill.quantity * fill.price - fill.commission, 0);
      const sleeveGain = (sleeve.path.equity.at(-1) ?? NaN) - sleeve.path.initialEquity;
      // what is missing is borrow, which is no fill: nothing where nothing was short, and at most 3% a year of the sleeve
      const borrow = cash - sleeveGain;
      const days = (sleeve.path.timeMs.at(-1) ?? 0) / DAY_MS - sleeve.path.timeMs[0] / DAY_MS;
      const most = market.config.direction === 'long_only' ? 1e-6 : (0.03 * sleeve.path.initialEquity * days) / 365;
      expect(borrow).toBeGreaterThan(-1e-6);
      expect(borrow).toBeLessThan(most);
      expect(sleeve.position.at(-1)).toBe(0);
    }
    expect(path.equity.at(-1)).toBeCloseTo(
      sleeves.reduce((sum, sleeve) => sum + (sleeve.path.equity.at(-1) ?? NaN), 0),
      6,
    );
  });

  it('carries the equity of a segment into the next, and starts it flat', () => {
    const windows = windowOf(walk('AAA', 1, [300, 250]), null, null, WARMUP);
    const whole = runActor(holdActor(), marketOf(windows));
    const first = runActor(holdActor(), marketOf(windows.slice(0, 1)));
    const [sleeve] = whole.sleeves;
    const steps = windows[0].end - windows[0].start - 1;
    expect(sleeve.path.equity[steps - 1]).toBe(first.performance.finalEquity);
    expect(sleeve.position[steps - 1]).toBe(0);
    expect(whole.trades).toHaveLength(2);
    expect(whole.trades[1].entryValue / first.performance.finalEquity).toBeCloseTo(0.95, 1);
  });

  it('buy-and-hold without costs returns what the price did, on whole lots', () => {
    const free = { ...DEFAULT_MARKET_CONFIG.costs, model: 'none' as const, spread_bps: 0, slippage_bps: 0 };
    const market = marketOf(oneSymbol.windows, { costs: free, position_fraction: 1 });
    const { performance, trades } = runActor(holdActor(), market);
    const [{ bars, start, end }] = market.windows;
    expect(trades).toHaveLength(1);
    expect(trades[0].entryPrice).toBeCloseTo(bars.open[start + 1], 1);
    const expected = (trades[0].quantity * (bars.close[end - 1] - bars.open[start + 1])) / 100_000;
    expect(performance.totalReturn).toBeCloseTo(expected, 3);
    expect(performance.costsPaid).toBeLessThan(20);
  });

  it('flat keeps its cash, and has no ratios', () => {
    const { performance } = runActor(flatActor(), twoSymbols);
    expect(performance).toMatchObject({ totalReturn: 0, trades: 0, sharpe: null, winRate: null, costsPaid: 0 });
  });
});

function meanOf(random: RandomRun | null, figure: (performance: Performance) => number): number {
  const paths = random?.paths ?? [];
  return paths.reduce((sum, { performance }) => sum + figure(performance), 0) / paths.length;
}

describe('random traders at matched turnover', () => {
  it.each([
    ['an SMA cross', () => smaCrossActor(), 0.1],
    ['dice', () => diceActor(3), 0.1],
  ])('trade as much as %s', (_, actor, tolerance) => {
    const agent = runActor(actor(), oneSymbol);
    const random = runRandom(agent, oneSymbol, 1, 100);
    expect(random?.paths).toHaveLength(100);
    expect(Math.abs((random?.turnoverRatio ?? 0) - 1)).toBeLessThan(tolerance);
    const returns = new Set(random?.paths.map(({ performance }) => performance.totalReturn));
    expect(returns.size).toBeGreaterThan(90);
  });

  it('scale their money over segments: exposure stays a share of equity', () => {
    const agent = runActor(diceActor(3), twoSymbols);
    const random = runRandom(agent, twoSymbols, 1, 20);
    for (const { path } of random?.paths ?? []) expect(Math.max(...path.exposure)).toBeLessThan(1.1);
    expect(random?.paths).toHaveLength(20);
  });

  it('stay in the market as long as an agent whom stops throw out, and who comes back at once', () => {
    const exits = { ...DEFAULT_MARKET_CONFIG.exits, initial_stop: 0.01, trailing_stop: 0.015 };
    const market = marketOf(oneSymbol.windows, { exits });
    const agent = runActor(holdActor(), market);
    const random = runRandom(agent, market, 1, 100);
    expect(random?.turnoverRatio).toBeCloseTo(1, 1);
    expect(Math.abs(meanOf(random, ({ exposure }) => exposure) - agent.performance.exposure)).toBeLessThan(0.02);
  });

  it('hold on average as much as an agent with a third of a position', () => {
    const market = marketOf(oneSymbol.windows, { actions: 'target' });
    const agent = runActor({ name: 'policy', act: (actions) => void actions.fill(0.33) }, market);
    const random = runRandom(agent, market, 1, 100);
    expect(Math.abs((random?.turnoverRatio ?? 0) - 1)).toBeLessThan(0.1);
    const mean = meanOf(random, ({ meanGrossExposure }) => meanGrossExposure);
    expect(Math.abs(mean - agent.performance.meanGrossExposure)).toBeLessThan(0.05);
  });

  it('are none where the agent never traded', () => {
    expect(runRandom(runActor(flatActor(), oneSymbol), oneSymbol, 1, 20)).toBeNull();
  });
});

describe('evaluateActor', () => {
  it('finds no edge in a random walk, and repeats itself to the bit', () => {
    const result = evaluateActor(diceActor(5), oneSymbol, { seed: 1, randomPaths: 50 });
    expect(result.verdict.headline).toBe('no edge');
    const again = evaluateActor(diceActor(5), oneSymbol, { seed: 1, randomPaths: 50 });
    expect(again.statistics).toEqual(result.statistics);
    expect(again.agent.performance).toEqual(result.agent.performance);
    expect(equityCsv(again)).toBe(equityCsv(result));
  });

  it('finds the edge of an actor that knows the next close', () => {
    const [{ bars, start }] = oneSymbol.windows;
    let t = start;
    const prophet: Actor = {
      name: 'policy',
      act(actions, _observations, masks) {
        const wanted = bars.close[t + 1] > bars.open[t + 1] ? 1 : 2;
        actions[0] = masks === null || masks[wanted] === 1 ? wanted : 0;
        t += 1;
      },
    };
    const result = evaluateActor(prophet, oneSymbol, { seed: 1, randomPaths: 50 });
    expect(result.statistics.randomRank).toMatchObject({ paths: 50, beaten: 50 });
    expect(result.verdict.edge).toBe('evidence');
    expect(result.statistics.timing?.pValue).toBeLessThan(0.01);
    const seen = { seed: 1, randomPaths: 20, seen: true };
    t = start;
    expect(evaluateActor(prophet, oneSymbol, seen).verdict.edge).toBe('none');
  });

  it('warns of an agent that never trades, and says no edge', () => {
    const result = evaluateActor(flatActor(), oneSymbol, { seed: 1 });
    expect(result.alarms.map(({ code }) => code)).toEqual(['one-action', 'never-trades']);
    expect(result.statistics.excessOverFlat).toMatchObject({ estimate: 0, low: 0, high: 0 });
    expect(result.verdict.headline).toBe('no edge');
    const text = evaluationText(result, 'test');
    expect(text).toContain('ALARM: The agent never traded');
    expect(text).toContain('SYNTHETIC DATA');
  });

  it('evaluates target positions', () => {
    const half: Actor = { name: 'policy', act: (actions) => void actions.fill(0.5) };
    const market = marketOf(oneSymbol.windows, { actions: 'target' });
    const result = evaluateActor(half, market, { seed: 1, randomPaths: 20 });
    expect(result.agent.performance.meanExposure).toBeCloseTo(0.475, 1);
    expect(result.alarms.map(({ code }) => code)).toContain('constant-target');
    const gained = result.agent.trades.reduce((sum, trade) => sum + trade.pnl, 0);
    expect(gained).toBeCloseTo(result.agent.performance.finalEquity - 100_000, 6);
  });

  it('buys and holds whole positions against target positions too: the yardstick does not melt away', () => {
    const [discrete, target] = (['discrete', 'target'] as const).map((actions) =>
      runBaselines(marketOf(oneSymbol.windows, { actions })),
    );
    expect(target.map(({ performance }) => performance)).toEqual(discrete.map(({ performance }) => performance));
    const [hold] = target;
    expect(hold.trades).toHaveLength(1);
    expect(hold.sleeves[0].fills).toHaveLength(2);
    expect(hold.performance.meanExposure).toBeGreaterThan(0.9);
  });

  it('takes a symbol from two files in order of time, whichever is named first', () => {
    const early = walk('AAA', 1, [200]);
    const late = walk('AAA', 2, [200], Date.UTC(2013, 0, 2));
    const windows = [...windowOf(late, null, null, WARMUP), ...windowOf(early, null, null, WARMUP)];
    const result = evaluateActor(diceActor(3), marketOf(windows), { seed: 1, randomPaths: 20 });
    const { path, performance } = result.agent;
    expect(path.timeMs.every((timeMs, t) => t === 0 || timeMs > path.timeMs[t - 1])).toBe(true);
    expect(performance.maxDrawdownDays).toBeGreaterThan(0);
    const [sleeve] = reportModel(result, NO_CONTEXT).sleeves;
    expect([...sleeve.close]).toEqual([...early.close.subarray(WARMUP + 1), ...late.close.subarray(WARMUP + 1)]);
    for (const { row, price } of sleeve.marks) expect(price / sleeve.close[row]).toBeCloseTo(1, 0);
    expect(sleeve.marks.at(-1)?.row).toBeGreaterThan(140);
  });

  it('counts the bars a year of a portfolio of different clocks by its stamps', () => {
    const daily = walk('AAA', 1, [500]);
    const closed = walk('BBB', 2, [500]);
    const { performance } = runActor(
      diceActor(3),
      marketOf([{ ...closed, calendar: 'XNYS' }, daily].flatMap((bars) => windowOf(bars, null, null, WARMUP))),
    );
    expect(performance.barsPerYear).toBeCloseTo(365.25, 6);
  });

  it('runs all baselines over the same bars', () => {
    const runs = runBaselines(twoSymbols);
    expect(runs.map(({ name }) => name)).toEqual(['hold', 'sma-cross', 'flat']);
    expect(new Set(runs.map(({ path }) => path.timeMs.length)).size).toBe(1);
  });

  it('lists trades, fills and equity as CSV with a row each', () => {
    const result = evaluateActor(diceActor(3), twoSymbols, { seed: 1, randomPaths: 20 });
    const rows = (csv: string): string[][] =>
      csv
        .trimEnd()
        .split('\n')
        .map((line) => line.split(','));
    const trades = rows(tradesCsv(result));
    expect(trades).toHaveLength(result.agent.trades.length + 1);
    expect(trades[0]).toEqual(
      expect.arrayContaining(['symbol', 'side', 'entry_time', 'exit_time', 'pnl', 'exit_reason']),
    );
    expect(trades.every((row) => row.length === trades[0].length)).toBe(true);
    expect(new Set(trades.slice(1).map(([symbol]) => symbol))).toEqual(new Set(['AAA', 'BBB']));
    const fills = result.agent.sleeves.reduce((sum, sleeve) => sum + sleeve.fills.length, 0);
    expect(rows(fillsCsv(result))).toHaveLength(fills + 1);
    const equity = rows(equityCsv(result));
    expect(equity).toHaveLength(result.agent.path.equity.length + 1);
    expect(Number(equity.at(-1)?.[1])).toBe(result.agent.performance.finalEquity);
  });

  it('gives each symbol its own figures and account, which add up to the portfolio', () => {
    const result = evaluateActor(diceActor(3), twoSymbols, { seed: 1, randomPaths: 20 });
    const [header, ...rows] = equityCsv(result)
      .trimEnd()
      .split('\n')
      .map((line) => line.split(','));
    expect(header.filter((name) => name.includes(':'))).toEqual(
      ['agent', 'hold', 'sma-cross', 'flat'].flatMap((who) => [`${who}:AAA`, `${who}:BBB`]),
    );
    for (const row of rows) {
      const sum = Number(row[header.indexOf('agent:AAA')]) + Number(row[header.indexOf('agent:BBB')]);
      expect(sum).toBeCloseTo(Number(row[1]), 6);
    }
    const { symbols } = evaluationSummary(result, {});
    expect(symbols).toMatchObject({
      AAA: { agent: { finalEquity: result.agent.sleeves[0].path.equity.at(-1) }, baselines: { flat: { trades: 0 } } },
      BBB: { agent: { finalEquity: result.agent.sleeves[1].path.equity.at(-1) } },
    });
  });

  it('deflates the Sharpe ratio by the number of trials', () => {
    const deflated = [null, 2, 40].map((count) => {
      const trials = count === null ? null : { count, sharpeDeviation: 0.5 };
      return evaluateActor(diceActor(3), twoSymbols, { seed: 1, randomPaths: 20, trials }).statistics.significance;
    });
    expect(deflated[0]?.deflated).toBeNull();
    const after = deflated.map((own) => own?.deflated?.probability ?? own?.probabilisticSharpe ?? 0);
    expect(after.toSorted((a, b) => b - a)).toEqual(after);
    expect(deflated[2]?.deflated).toMatchObject({ trials: 40, deviation: expect.closeTo(0.5, 12), assumed: false });
  });
});

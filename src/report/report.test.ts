import { compile } from 'vega-lite';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '#env/seeding.js';
import { actionAlarms, summariseDiscrete } from '#src/stats/actions.js';
import type { EquityPath } from '#src/stats/equity-path.js';
import { computePerformance } from '#src/stats/performance.js';
import type { RoundTrip } from '#src/stats/round-trips.js';
import { decideVerdict } from '#src/stats/verdict.js';
import { equityChart, learningChart, positionChart } from './charts.js';
import { comparisonOf, comparisonText } from './comparison.js';
import { evenRows, minMaxRows, sideRuns } from './downsample.js';
import { dateOf, decimal, percent } from './format.js';
import { renderReport } from './html.js';
import type { ReportActor, ReportModel } from './model.js';
import { timeAxis } from './time-axis.js';

const MINUTE_MS = 60_000;

function actorOf(name: string, seed: number, bars: number): ReportActor {
  const random = new RandomStream(seed, 'report');
  let equity = 100_000;
  const path: EquityPath = {
    initialEquity: 100_000,
    timeMs: Float64Array.from({ length: bars }, (_, t) => Date.UTC(2024, 0, 2, 14, 30) + t * MINUTE_MS),
    equity: Float64Array.from({ length: bars }, () => (equity *= 1 + 0.001 * random.normal())),
    exposure: new Float64Array(bars).fill(0.5),
    costs: new Float64Array(bars),
  };
  const performance = computePerformance({ path, trades: [], tradedValue: 0, barsPerYear: 98_280 });
  return { name, path, performance };
}

function tripOf(k: number): RoundTrip {
  return {
    symbol: 'A<B',
    side: 'long',
    entryTimeMs: 0,
    exitTimeMs: 60_000,
    entryBar: k,
    exitBar: k + 1,
    quantity: 10,
    entryPrice: 100,
    exitPrice: 101,
    entryValue: 1000,
    pnl: 10 - k,
    costs: 1,
    return: (10 - k) / 1000,
    barsHeld: 1,
    exits: 1,
    exitReason: 'sell',
  };
}

function modelOf(bars: number, more: Partial<ReportModel> = {}): ReportModel {
  const agent = actorOf('agent', 1, bars);
  const actions = summariseDiscrete(Float64Array.of(0, 0, 1, 2));
  const trades = Array.from({ length: 20 }, (_, k) => tripOf(k));
  return {
    title: 'a <script>alert(1)</script> & "b"',
    windowLabel: 'A<B 1m: test window',
    verdict: decideVerdict({
      trades: 20,
      totalReturn: 0,
      excessOverFlat: null,
      excessOverHold: null,
      randomRank: null,
      seen: false,
    }),
    alarms: actionAlarms(actions, 'discrete', 20, 1),
    seen: true,
    synthetic: true,
    facts: [['Weights, sha256', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855']],
    agent,
    baselines: [actorOf('buy-and-hold', 2, bars), actorOf('flat', 3, bars)],
    random: Array.from({ length: 10 }, (_, k) => actorOf('random', 10 + k, bars)),
    sharpe: { estimate: 1, low: -1, high: 3, confidence: 0.95 },
    certainty: [{ label: 'A<B', figure: '1.00', interval: '–', note: 'made up' }],
    excessOverHold: null,
    excessOverFlat: null,
    randomRank: { paths: 10, beaten: 4, pValue: 7 / 11 },
    actions,
    sleeves: [
      {
        symbol: 'A<B',
        timeMs: agent.path.timeMs,
        close: agent.path.equity,
        adjusted: false,
        position: agent.path.equity.map((_, t) => (t % 7 < 3 ? 1 : 0)),
        marks: trades.flatMap((_, k) => [
          { row: k, price: 100_000, kind: 'entry' as const },
          { row: k + 1, price: 100_000, kind: 'exit' as const },
        ]),
      },
    ],
    trades,
    curves: [{ title: 'Entropy', steps: [1, 2, 3], values: [3, 2, 1], markedStep: 2 }],
    configuration: 'name: <quickstart>\n',
    ...more,
  };
}

/** References that a browser would follow or load: everything but the names of namespaces. */
function externalReferences(html: string): string[] {
  const withoutNamespaces = html.replaceAll(/\sxmlns(:\w+)?="[^"]*"/g, '');
  const patterns = [
    /<(?:script|link|iframe|object|embed|img|image|base|video|audio|source)\b[^>]*>/gi,
    /\b(?:src|srcset|href|xlink:href|data|action|poster)\s*=\s*["']?(?!#)[^"'\s>]+/gi,
    /@import[^;]*/gi,
    /url\(\s*["']?(?!#)[^)]*\)/gi,
    /\b(?:https?:)?\/\/[\w.-]+\.\w+/gi,
  ];
  return patterns.flatMap((pattern) => withoutNamespaces.match(pattern) ?? []);
}

describe('the page', () => {
  it('loads nothing from anywhere and runs no script', async () => {
    const html = await renderReport(modelOf(1000));
    expect(externalReferences(html)).toEqual([]);
    expect(html).not.toMatch(/\son\w+="/);
  });

  it.each([
    '<script src="x.js"></script>',
    '<img src="https://example.org/a.png">',
    '<style>@import "a.css"; b { background: url(https://example.org/a.png) }</style>',
    '<a href="//example.org">x</a>',
    '<image xlink:href="a.png"/>',
  ])('and the check of that would notice %s', (fragment) => {
    expect(externalReferences(`<p>${fragment}</p>`).length).toBeGreaterThan(0);
  });

  it('shows every plot, the verdict, alarms, and what was evaluated', async () => {
    const html = await renderReport(modelOf(500));
    expect(html.match(/<svg /g)).toHaveLength(5);
    for (const text of [
      'Verdict: no edge',
      'In sample:',
      'SYNTHETIC DATA',
      'Alarm:',
      'Learning curves',
      'Drawdown',
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    ]) {
      expect(html).toContain(text);
    }
    expect(html).not.toMatch(/NaN|undefined|Infinity|\[object/);
  });

  it('escapes what it is given', async () => {
    const html = await renderReport(modelOf(100));
    expect(html).not.toContain('<script');
    expect(html).not.toContain('A<B');
    expect(html).toContain('&lt;quickstart&gt;');
  });

  it('is the same to the byte for the same data', async () => {
    expect(await renderReport(modelOf(300))).toBe(await renderReport(modelOf(300)));
  });

  it('stays small however many bars there are', async () => {
    const html = await renderReport(modelOf(100_000));
    expect(html.length).toBeLessThan(500_000);
  });

  it('draws what there is where nothing was trained, traded or random', async () => {
    const html = await renderReport(
      modelOf(50, { curves: [], trades: [], random: [], randomRank: null, sharpe: null, configuration: '' }),
    );
    expect(html.match(/<svg /g)).toHaveLength(3);
    expect(html).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe('specifications', () => {
  const { agent, baselines, random, sleeves, curves } = modelOf(2000);
  it.each([
    ['equity', equityChart([agent, ...baselines], random)],
    ['position', positionChart(sleeves[0])],
    ['learning', learningChart(curves)],
  ])('vega-lite compiles %s without a warning', (_, spec) => {
    const warnings: unknown[] = [];
    const logger = {
      level: () => logger,
      error: (...said: unknown[]) => (warnings.push(...said), logger),
      warn: (...said: unknown[]) => (warnings.push(...said), logger),
      info: () => logger,
      debug: () => logger,
    };
    expect(compile(spec, { logger }).spec.marks?.length).toBeGreaterThan(0);
    expect(warnings).toEqual([]);
  });
});

describe('downsampling', () => {
  it('keeps the extremes, the ends and the order', () => {
    const series = new Float64Array(100_000);
    series[51_234] = 9;
    series[51_235] = -9;
    const rows = minMaxRows(series, 500);
    expect(rows.length).toBeLessThan(1100);
    expect(rows).toContain(51_234);
    expect(rows).toContain(51_235);
    expect([rows[0], rows.at(-1)]).toEqual([0, 99_999]);
    expect(rows.every((row, k) => k === 0 || row > rows[k - 1])).toBe(true);
    expect(minMaxRows(Float64Array.of(1, 2, 3), 500)).toEqual([0, 1, 2]);
    expect(minMaxRows(new Float64Array(0), 500)).toEqual([]);
  });

  it('spreads rows evenly', () => {
    expect(evenRows(11, 3)).toEqual([0, 5, 10]);
    expect(evenRows(2, 3)).toEqual([0, 1]);
  });

  it('finds the stretches in position', () => {
    expect(sideRuns(Float64Array.of(0, 1, 1, 0, -2, 3), 100)).toEqual([
      { from: 1, to: 3, side: 'long' },
      { from: 4, to: 5, side: 'short' },
      { from: 5, to: 6, side: 'long' },
    ]);
    const busy = Float64Array.from({ length: 10_000 }, (_, t) => (t % 5 === 0 ? 0 : -1));
    expect(sideRuns(busy, 100)).toEqual([{ from: 0, to: 10_000, side: 'short' }]);
  });
});

describe('time axis', () => {
  const axis = (from: string, stepMs: number, count: number) =>
    timeAxis(Float64Array.from({ length: count }, (_, t) => Date.parse(from) + t * stepMs));

  it('ticks where units begin: hours, days, weeks, months, years', () => {
    expect(axis('2024-03-01T14:30Z', MINUTE_MS, 390).labels).toEqual([
      '15:00',
      '16:00',
      '17:00',
      '18:00',
      '19:00',
      '20:00',
    ]);
    expect(axis('2024-03-01T00:00Z', 3_600_000, 24 * 5).labels).toEqual(['2 Mar', '3 Mar', '4 Mar', '5 Mar']);
    expect(axis('2024-03-01T00:00Z', 6 * 3_600_000, 9).labels).toEqual(['2 Mar', '3 Mar']);
    expect(axis('2024-03-01T00:00Z', 86_400_000, 60).labels).toContain('4 Mar');
    expect(axis('2024-03-01T00:00Z', 86_400_000, 300).labels[0]).toBe('Apr 2024');
    expect(axis('2000-03-01T00:00Z', 86_400_000, 4000).labels).toContain('2005');
  });
});

describe('figures', () => {
  it('are written for people', () => {
    expect(percent(0.12345, 1, true)).toBe('+12.3%');
    expect(percent(-0.12345)).toBe('−12.3%');
    expect(percent(-0.00001)).toBe('0.0%');
    expect(percent(null)).toBe('–');
    expect(percent(Infinity)).toBe('–');
    expect(decimal(-1234567.891)).toBe('−1,234,567.89');
    expect(decimal(-0.001)).toBe('0.00');
    expect(dateOf(Date.UTC(2024, 0, 2))).toBe('2024-01-02');
    expect(dateOf(Date.UTC(2024, 0, 2, 14, 30))).toBe('2024-01-02 14:30');
  });

  it('stand in columns on a terminal, in plain characters', () => {
    const { agent, baselines, random } = modelOf(100);
    const lines = comparisonText(comparisonOf([agent, ...baselines], random)).split('\n');
    expect(lines[0]).toMatch(/agent +buy-and-hold +flat +random +middle 90%$/);
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
    expect(lines.join('')).toMatch(/^[\x20-\x7e]*$/);
  });
});

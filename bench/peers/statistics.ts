/**
 * OpenBell's figures beside those of empyrical and quantstats, and what differs: the generated table of
 * docs/statistics.md. Reads the golden files that the scripts in this folder write, so it needs no Python.
 *   node dist/bench/peers/statistics.js [--doc FILE]
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { benchmarkFigures } from '#src/stats/benchmark.js';
import type { EquityPath } from '#src/stats/equity-path.js';
import { computePerformance } from '#src/stats/performance.js';
import {
  expectedMaximumSharpe,
  deflatedSharpe,
  probabilisticSharpe,
  sharpeRecord,
} from '#src/stats/sharpe-significance.js';
import { ROOT, writeIntoPage } from '../report.js';

const { values: options } = parseArgs({
  options: { doc: { type: 'string', default: path.join(ROOT, 'docs', 'statistics.md') } },
});

type Figures = Readonly<Record<string, number>>;
interface Golden {
  readonly benchmark: readonly number[];
  readonly libraries: Readonly<Record<'empyrical' | 'quantstats', Figures>>;
}

const performances: Readonly<Record<string, { returns: number[]; barsPerYear: number }>> = golden('performance');
const risks: Readonly<Record<string, Golden>> = golden('risk');

const SHOWN: readonly (readonly [key: string, label: string])[] = [
  ['valueAtRisk', 'VaR 95%'],
  ['conditionalValueAtRisk', 'CVaR 95%'],
  ['ulcerIndex', 'Ulcer index'],
  ['calmar', 'Calmar ratio'],
  ['omega', 'Omega ratio'],
  ['alpha', 'alpha a year'],
  ['beta', 'beta'],
  ['informationRatio', 'information ratio'],
  ['skewness', 'skewness'],
  ['kurtosis', 'kurtosis'],
  ['probabilisticSharpe', 'PSR against 0'],
];

/** Apart by more than rounding. */
const SAME = 1e-9;

const lines = ['| series | figure | OpenBell | empyrical | quantstats |', '|---|---|---|---|---|'];
for (const [name, { returns, barsPerYear }] of Object.entries(performances)) {
  const own = figuresOf(Float64Array.from(returns), Float64Array.from(risks[name].benchmark), barsPerYear);
  for (const [key, label] of SHOWN) {
    const peers = [risks[name].libraries.empyrical[key], risks[name].libraries.quantstats[key]];
    const cells = peers.map((peer) =>
      peer === undefined ? '' : Math.abs(peer - own[key]) <= SAME * Math.abs(own[key]) ? 'the same' : figure(peer),
    );
    lines.push(`| ${name} | ${label} | ${figure(own[key])} | ${cells.join(' | ')} |`);
  }
}

// Bailey and Lopez de Prado's own examples, with the mistake that several libraries make
const fund = { sharpe: 0.458, bars: 24, skewness: -2.448, kurtosis: 10.164 };
const selected = { sharpe: 2.5 / Math.sqrt(250), bars: 1250, skewness: -3, kurtosis: 10 };
const deviation = Math.sqrt(0.5 / 250);
const examples = [
  '| published example | as published | OpenBell | with excess kurtosis by mistake |',
  '|---|---|---|---|',
  `| PSR of a hedge fund, 24 months (2012) | 0.913 | ${figure(probabilisticSharpe(fund) ?? 0)} | ${figure(probabilisticSharpe({ ...fund, kurtosis: fund.kurtosis - 3 }) ?? 0)} |`,
  `| expected best of 100 trials (2014), a day | 0.1132 | ${figure(expectedMaximumSharpe(100, deviation))} | |`,
  `| DSR after 100 trials (2014) | 0.9004 | ${figure(deflatedSharpe(selected, 100, deviation) ?? 0)} | ${figure(deflatedSharpe({ ...selected, kurtosis: 7 }, 100, deviation) ?? 0)} |`,
];

const text = `${lines.join('\n')}\n\n${examples.join('\n')}`;
writeIntoPage(options.doc, 'statistics', text);
process.stdout.write(`${text}\n`);

function figuresOf(returns: Float64Array, benchmark: Float64Array, barsPerYear: number): Figures {
  const performance = computePerformance({ path: pathOf(returns), trades: [], tradedValue: 0, barsPerYear });
  const relative = benchmarkFigures(returns, benchmark, barsPerYear);
  const record = sharpeRecord(returns);
  const probability = record === null ? null : probabilisticSharpe(record);
  const all = Object.entries({ ...performance, ...relative, probabilisticSharpe: probability });
  return Object.fromEntries(all.flatMap(([key, value]) => (typeof value === 'number' ? [[key, value]] : [])));
}

function pathOf(returns: Float64Array): EquityPath {
  let equity = 1;
  const rows = returns.length;
  const zeros = new Float64Array(rows);
  return {
    initialEquity: 1,
    timeMs: zeros,
    equity: returns.map((r) => (equity *= 1 + r)),
    exposure: zeros,
    costs: zeros,
  };
}

function figure(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function golden<T>(name: string): T {
  return JSON.parse(readFileSync(path.join(ROOT, 'test', 'golden', `${name}.json`), 'utf8'));
}

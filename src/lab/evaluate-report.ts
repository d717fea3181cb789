/** From an evaluation to what the report and the terminal's table show. */
import type { LearningCurve, ReportActor, ReportModel, ReportSleeve } from '#src/report/model.js';
import { certaintyRows, certaintyText } from '#src/report/certainty.js';
import { comparisonOf, comparisonText } from '#src/report/comparison.js';
import { dateOf } from '#src/report/format.js';
import type { EvaluationResult } from './evaluate-actor.js';
import type { ActorRun } from './evaluate-baselines.js';
import type { EvaluationMarket, SleeveRun } from './evaluate-paths.js';

/** What the report says beyond the evaluation itself. */
export interface ReportContext {
  readonly title: string;
  /** "test", "validation", "train", "custom". */
  readonly windowName: string;
  /** Label and value: run, seed, sha256 of the weights ... The data sets and windows are added. */
  readonly facts: readonly (readonly [label: string, value: string])[];
  readonly curves: readonly LearningCurve[];
  /** YAML. */
  readonly configuration: string;
}

const NAMES: Readonly<Record<string, string>> = { policy: 'agent', hold: 'buy-and-hold', 'sma-cross': 'SMA cross' };

const shown = ({ name, performance, path }: ActorRun): ReportActor => ({
  name: NAMES[name] ?? name,
  performance,
  path,
});

export function reportModel(result: EvaluationResult, context: ReportContext): ReportModel {
  const { market, agent, baselines, random, statistics } = result;
  return {
    title: context.title,
    windowLabel: windowLabel(context.windowName, market),
    verdict: result.verdict,
    alarms: result.alarms,
    seen: result.seen,
    synthetic: market.windows.some(({ bars }) => bars.synthetic),
    facts: [...context.facts, ...marketFacts(market)],
    agent: { ...shown(agent), name: 'agent' },
    baselines: baselines.map(shown),
    random: random?.paths.map(shown) ?? [],
    sharpe: statistics.sharpe,
    certainty: certaintyRows(statistics, agent.performance),
    excessOverHold: statistics.excessOverHold,
    excessOverFlat: statistics.excessOverFlat,
    randomRank: statistics.randomRank,
    actions: result.actions,
    sleeves: agent.sleeves.map(reportSleeve),
    trades: agent.trades,
    curves: context.curves,
    configuration: context.configuration,
  };
}

/** The table, alarms and verdict for a terminal. */
export function evaluationText(result: EvaluationResult, windowName: string): string {
  const { market, agent, baselines, random, statistics, alarms, verdict, seen } = result;
  const actors = [{ ...shown(agent), name: 'agent' }, ...baselines.map(shown)];
  const table = comparisonText(comparisonOf(actors, random?.paths.map(shown) ?? []));
  const lines = [
    windowLabel(windowName, market),
    ...(market.windows.some(({ bars }) => bars.synthetic)
      ? ['SYNTHETIC DATA: made by a generator, not by a market']
      : []),
    '',
    table,
    '',
    certaintyText(certaintyRows(statistics, agent.performance)),
    '',
    ...(seen ? ['IN SAMPLE: training, or the choice of the checkpoint, saw bars of this window'] : []),
    ...alarms.map(({ level, message }) => `${level === 'note' ? 'note' : 'ALARM'}: ${message}`),
    `Verdict: ${verdict.headline}. ${verdict.sentence}`,
  ];
  return lines.join('\n');
}

/** First and last bar of the windows, in UTC. */
export function windowSpan({ windows }: Pick<EvaluationMarket, 'windows'>): {
  readonly fromMs: number;
  readonly toMs: number;
} {
  return {
    fromMs: Math.min(...windows.map(({ bars, start }) => bars.openTimeMs[start])),
    toMs: Math.max(...windows.map(({ bars, end }) => bars.openTimeMs[end - 1])),
  };
}

function windowLabel(name: string, market: EvaluationMarket): string {
  const { fromMs, toMs } = windowSpan(market);
  const symbols = [...new Set(market.windows.map(({ bars }) => `${bars.instrument.symbol} ${bars.interval.label}`))];
  return `${symbols.join(', ')}: ${name} window, ${dateOf(fromMs)} to ${dateOf(toMs)}`;
}

function marketFacts({ windows, config }: EvaluationMarket): [string, string][] {
  const { costs, order } = config;
  const commission =
    costs.model === 'percent'
      ? `${costs.percent_bps} bps commission`
      : costs.model === 'ibkr_fixed'
        ? 'IBKR fixed commission and regulatory fees'
        : 'no commission';
  return [
    ...windows.map(({ bars, start, end }): [string, string] => [
      'Bars',
      `${bars.source}${bars.synthetic ? ' (synthetic)' : ''}: ${end - start} bars from ${dateOf(bars.openTimeMs[start])} to ${dateOf(bars.openTimeMs[end - 1])}, sha256 ${bars.sha256.slice(0, 16)}`,
    ]),
    [
      'Costs',
      `${commission}, spread ${costs.spread_bps} bps, slippage ${costs.slippage_bps} bps, borrow ${(100 * costs.borrow_rate).toFixed(1)}% a year`,
    ],
    [
      'Orders',
      `${order.type === 'market' ? "at the next bar's open" : `limit, ${order.buffer_bps} bps buffer, good for one bar`}; ${config.direction.replace('_', ' ')}`,
    ],
  ];
}

function reportSleeve({ symbol, path, close, factor, position, trades }: SleeveRun): ReportSleeve {
  const rowAt = new Map(Array.from(path.timeMs, (timeMs, row) => [timeMs, row]));
  const mark = (kind: 'entry' | 'exit', timeMs: number, price: number): ReportSleeve['marks'][number] => {
    const row = rowAt.get(timeMs) ?? 0;
    return { row, price: price * (factor?.[row] ?? 1), kind };
  };
  return {
    symbol,
    timeMs: path.timeMs,
    close,
    adjusted: factor !== null,
    position,
    marks: trades.flatMap((trade) => [
      mark('entry', trade.entryTimeMs, trade.entryPrice),
      mark('exit', trade.exitTimeMs, trade.exitPrice),
    ]),
  };
}

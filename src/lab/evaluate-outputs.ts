/** The files of an evaluation: metrics.json, equity.csv, trades.csv, fills.csv. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { onStamps } from '#src/stats/equity-path.js';
import type { EvaluationResult } from './evaluate-actor.js';
import { sleeveRuns, type ActorRun } from './evaluate-baselines.js';
import { windowSpan } from './evaluate-report.js';
import { writeFileAtomic } from '#src/registry/files.js';

/** Everything in metrics.json beside the evaluation's own figures. */
export type EvaluationHead = Readonly<Record<string, unknown>>;

/** What metrics.json holds and `--json` prints: figures only, no columns. */
export function evaluationSummary(result: EvaluationResult, head: EvaluationHead): Record<string, unknown> {
  const { market, agent, baselines, random, statistics, actions, alarms, verdict, seen } = result;
  const { fromMs, toMs } = windowSpan(market);
  return {
    ...head,
    window: {
      from: new Date(fromMs).toISOString(),
      to: new Date(toMs).toISOString(),
      inSample: seen,
      data: market.windows.map(({ bars, start, end }) => ({
        source: bars.source,
        symbol: bars.instrument.symbol,
        interval: bars.interval.label,
        synthetic: bars.synthetic,
        sha256: bars.sha256,
        from: new Date(bars.openTimeMs[start]).toISOString(),
        to: new Date(bars.openTimeMs[end - 1]).toISOString(),
        bars: end - start,
      })),
    },
    verdict,
    alarms,
    statistics,
    actions,
    agent: agent.performance,
    // one entry a symbol where there are several: what they came to on their own
    symbols: agent.sleeves.length > 1 ? bySymbol(agent, baselines) : null,
    baselines: Object.fromEntries(baselines.map(({ name, performance }) => [name, performance])),
    random:
      random === null
        ? null
        : {
            turnoverRatio: random.turnoverRatio,
            totalReturns: random.paths.map(({ performance }) => performance.totalReturn),
            sharpes: random.paths.map(({ performance }) => performance.sharpe),
          },
  };
}

/** Symbol -> figures of the agent and of each baseline in that sleeve alone. */
function bySymbol(agent: ActorRun, baselines: readonly ActorRun[]): Record<string, unknown> {
  const others = baselines.map((run) => ({ name: run.name, sleeves: sleeveRuns(run) }));
  return Object.fromEntries(
    sleeveRuns(agent).map(({ name: symbol, performance }) => [
      symbol,
      {
        agent: performance,
        baselines: Object.fromEntries(
          others.map(({ name, sleeves }) => [name, sleeves.find((own) => own.name === symbol)?.performance ?? null]),
        ),
      },
    ]),
  );
}

/** Writes the four files into `folder`, making it; returns the summary that metrics.json holds. */
export function writeEvaluation(
  folder: string,
  result: EvaluationResult,
  head: EvaluationHead,
): Record<string, unknown> {
  const summary = evaluationSummary(result, head);
  mkdirSync(folder, { recursive: true });
  const write = (name: string, text: string): void => writeFileAtomic(path.join(folder, name), text);
  write('metrics.json', `${JSON.stringify(summary, null, 2)}\n`);
  write('equity.csv', equityCsv(result));
  write('trades.csv', tradesCsv(result));
  write('fills.csv', fillsCsv(result));
  return summary;
}

/**
 * One row a bar: the portfolio's equity of the agent and of each baseline, the agent's exposure and costs, and with
 * several symbols each sleeve's equity (`agent:SYMBOL`, `hold:SYMBOL`), which before its first bar is cash.
 */
export function equityCsv({ agent, baselines }: EvaluationResult): string {
  const { path: own } = agent;
  const sleeves =
    agent.sleeves.length > 1 ? [agent, ...baselines].flatMap((run) => sleeveColumns(run, own.timeMs)) : [];
  const names = [
    'agent',
    ...baselines.map(({ name }) => name),
    'exposure',
    'costs',
    ...sleeves.map(({ name }) => name),
  ];
  const lines = [['timestamp', ...names].join(',')];
  for (let t = 0; t < own.equity.length; t++) {
    const others = baselines.map(({ path: other }) => other.equity[t]);
    const apart = sleeves.map(({ equity }) => equity[t]);
    lines.push([isoOf(own.timeMs[t]), own.equity[t], ...others, own.exposure[t], own.costs[t], ...apart].join(','));
  }
  return `${lines.join('\n')}\n`;
}

function sleeveColumns({ name, sleeves }: ActorRun, stamps: Float64Array): { name: string; equity: Float64Array }[] {
  const who = name === 'policy' ? 'agent' : name;
  return sleeves.map(({ symbol, path: own }) => ({ name: `${who}:${symbol}`, equity: onStamps(own, stamps) }));
}

/** The agent's round trips. Prices are tradable, times the opens of the bars that filled. */
export function tradesCsv({ agent }: EvaluationResult): string {
  const header =
    'symbol,side,entry_time,entry_price,exit_time,exit_price,quantity,pnl,costs,return,bars_held,exits,exit_reason';
  const lines = agent.trades.map((trade) =>
    [
      trade.symbol,
      trade.side,
      isoOf(trade.entryTimeMs),
      trade.entryPrice,
      isoOf(trade.exitTimeMs),
      trade.exitPrice,
      trade.quantity,
      trade.pnl,
      trade.costs,
      trade.return,
      trade.barsHeld,
      trade.exits,
      trade.exitReason,
    ].join(','),
  );
  return `${[header, ...lines].join('\n')}\n`;
}

/** Every fill of the agent. */
export function fillsCsv({ agent }: EvaluationResult): string {
  const header = 'timestamp,symbol,quantity,price,commission,reason,position_after';
  const lines = agent.sleeves.flatMap(({ symbol, fills }) =>
    fills.map((fill) =>
      [isoOf(fill.timeMs), symbol, fill.quantity, fill.price, fill.commission, fill.reason, fill.positionAfter].join(
        ',',
      ),
    ),
  );
  return `${[header, ...lines].join('\n')}\n`;
}

function isoOf(timeMs: number): string {
  return new Date(timeMs).toISOString().replace('.000Z', 'Z');
}

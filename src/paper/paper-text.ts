/** A paper session in words: while it runs, a line for what matters; at the end, what it proves and what it does not. */
import type { RunnerListener } from '#src/live/shell/runner.js';
import type { PaperReport } from './paper-session.js';
import { agrees, repeatsBacktest } from './parity.js';

const clock = (timeMs: number): string => new Date(timeMs).toISOString().slice(0, 16).replace('T', ' ');
const money = (value: number): string =>
  value.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** Prints fills, warnings, and a line a trading day. */
export function narrator(print: (line: string) => void): RunnerListener {
  let day = -1;
  let decisions = 0;
  return {
    onDecision: ({ equity, position, symbol }, { marketMs }) => {
      const today = Math.floor(marketMs / 86_400_000);
      decisions++;
      if (today === day) return;
      day = today;
      print(
        `${clock(marketMs)}  a new day: ${decisions} decisions so far, ${symbol} ${position}, equity ${money(equity)}`,
      );
    },
    onTrade: ({ marketMs, symbol, action, quantity, price, role, positionAfter }) =>
      print(
        `${clock(marketMs)}  ${role.padEnd(6)} ${action === 'BUY' ? 'bought' : 'sold  '} ${quantity} ${symbol} at ${price}, holds ${positionAfter}`,
      ),
    onAlert: ({ level, symbol, text, code }, { marketMs }) => {
      if (level !== 'info')
        print(`${clock(marketMs)}  ${level.toUpperCase()} ${symbol ?? ''} ${text} (${code})`.replace('  (', ' ('));
    },
    onEvent: (event) => {
      if (event.type === 'connected')
        print(`${clock(event.marketMs)}  connected; asking for positions, orders and executions`);
      if (event.type === 'disconnected') print(`${clock(event.marketMs)}  the connection is gone`);
    },
  };
}

export function paperText(report: PaperReport): string {
  const { parity, fills } = report;
  const change = report.equityEnd / report.equityStart - 1;
  const lines = [
    '',
    `${report.name} ${report.bundle.slice(0, 16)} on ${report.symbols.join(', ')}, ${report.from} to ${report.to} (${report.marketDays} market days)`,
    `equity ${money(report.equityStart)} -> ${money(report.equityEnd)} (${(100 * change).toFixed(2)}%), commissions ${money(report.commissions)}`,
    `ledger against the gateway's books: ${money(Math.abs(report.ledgerDifference))} apart`,
    `bars and features 0-11 equal to the backtest's bits: ${parity.sameFeatures} of ${parity.decisions} decisions`,
    `action repeated from the journalled account: ${parity.repeatedActions} of ${parity.decisions}`,
    `action equal to the backtest's: ${parity.sameActions} of ${parity.decisions}`,
    `fills: ${parity.fills.live} here, ${parity.fills.backtest} in the backtest, ${parity.fills.same} equal in quantity and price${parity.slippageBps === null ? '' : `; ${parity.slippageBps.toFixed(2)} bp worse on average`}`,
    `cash: ${money(parity.cash.live)} here, ${money(parity.cash.backtest)} in the backtest`,
  ];
  if (fills === 'backtest')
    lines.push(
      repeatsBacktest(parity)
        ? 'the run repeats the backtest, action for action and cent for cent'
        : 'the run does NOT repeat the backtest',
    );
  else
    lines.push(
      agrees(parity)
        ? 'what ran is the code that was tested; fills met a simulated tick path, so that prices and what follows from them differ'
        : 'what ran is NOT what was tested',
    );
  for (const { symbol, timeMs, what, backtest, live } of parity.differences.slice(0, 5))
    lines.push(`  ${clock(timeMs)} ${symbol} ${what}: backtest ${backtest}, here ${live}`.slice(0, 200));
  lines.push('Paper proves the plumbing, not the slippage: no simulated fill says what a real market would have paid.');
  return lines.join('\n');
}

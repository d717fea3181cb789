/** What a runner does, in lines that a person reads while it runs. */
import type { RunnerListener } from './runner.js';

const clock = (timeMs: number): string =>
  timeMs === 0 ? 'before time  ' : new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ');
const money = (value: number): string =>
  value.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const DAY_MS = 86_400_000;

/** Fills, warnings, what a reconciliation found, and a line a trading day. */
export function narrator(print: (line: string) => void): RunnerListener {
  let day = -1;
  let decisions = 0;
  let found = '';
  return {
    onDecision: ({ equity, position, symbol }, { marketMs }) => {
      const today = Math.floor(marketMs / DAY_MS);
      decisions++;
      if (today === day) return;
      day = today;
      print(
        `${clock(marketMs)}  a new day: ${decisions} decisions so far, ${symbol} ${position}, equity ${money(equity)}`,
      );
    },
    onTrade: ({ marketMs, symbol, action, quantity, price, role, positionAfter }, event) =>
      print(
        `${clock(marketMs)}  ${role.padEnd(6)} ${action === 'BUY' ? 'bought' : 'sold  '} ${quantity} ${symbol} at ${price}, holds ${positionAfter}${event.type === 'reconciled' ? ' (learned by reconciling)' : ''}`,
      ),
    onAlert: ({ level, symbol, text, code }, { marketMs }) => {
      if (level !== 'info')
        print(`${clock(marketMs)}  ${level.toUpperCase()} ${symbol === null ? '' : `${symbol} `}${text} (${code})`);
    },
    onEvent: (event) => {
      const at = clock(event.marketMs);
      switch (event.type) {
        case 'connected':
          found = '';
          return print(`${at}  connected; asking for positions, orders and executions`);
        case 'disconnected':
          return print(`${at}  the connection is gone; what rests at the broker rests on`);
        case 'reconciled': {
          const held = event.positions.filter(({ quantity }) => quantity !== 0);
          const orders = event.openOrders.filter(({ state }) => state === 'working' || state === 'pending');
          const text = [
            `reconciled: the broker holds ${held.length === 0 ? 'nothing' : held.map(({ symbol, quantity }) => `${quantity} ${symbol}`).join(', ')}, ${orders.length} open orders, ${event.executions.length} executions today`,
            ...orders.map(
              ({ orderRef, symbol, remaining, quantity, stopPrice, limitPrice, permId }) =>
                `  ${orderRef === '' ? 'not ours' : orderRef}: ${remaining || quantity} ${symbol} at ${stopPrice ?? limitPrice ?? 'the market'}, permId ${permId}`,
            ),
          ].join('\n');
          if (text !== found) print(`${at}  ${text}`);
          found = text;
          return;
        }
        case 'command':
          return print(`${at}  told to ${event.command.kind}`);
        default:
          return;
      }
    },
  };
}

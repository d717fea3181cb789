import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TraderEvent } from '../core/events.js';
import type { TradeRecord } from '../core/intents.js';
import { Journal } from './journal.js';
import { DeploymentLogs } from './logs.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'openbell-logs-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const clock: TraderEvent = { type: 'clock', marketMs: 0, wallMs: 0 };
const trade = (symbol: string, execRoot: string): TradeRecord => ({
  marketMs: Date.UTC(2024, 0, 2, 15),
  symbol,
  action: 'BUY',
  quantity: 10,
  price: 99.5,
  orderId: 7,
  orderRef: 'ob1-E',
  role: 'entry',
  execRoot: `${execRoot}.01`,
  positionAfter: 10,
});
const commission = (execRoot: string, amount: number): TraderEvent => ({
  type: 'commission',
  execRoot,
  revision: 1,
  amount,
  marketMs: 0,
  wallMs: 0,
});
const rows = (): string[] => readFileSync(path.join(folder, 'trades.csv'), 'utf8').trimEnd().split('\n');

describe('the trade log', () => {
  it('has a row an execution, with its fees, whichever comes first', () => {
    const logs = new DeploymentLogs(folder, 'info');
    logs.onTrade(trade('SPY', 'a'), clock);
    logs.onEvent(commission('a', 1));
    logs.onEvent(commission('b', 0.35));
    logs.onTrade(trade('AAPL', 'b'), clock);
    logs.onTrade(trade('MSFT', 'c'), clock);
    logs.close();
    expect(rows()).toEqual([
      'timestamp,symbol,action,quantity,price,order_id,info,fees,reason',
      '2024-01-02T15:00:00.000Z,SPY,BUY,10,99.5,7,ob1-E,1,entry',
      '2024-01-02T15:00:00.000Z,AAPL,BUY,10,99.5,7,ob1-E,0.35,entry',
      '2024-01-02T15:00:00.000Z,MSFT,BUY,10,99.5,7,ob1-E,,entry',
    ]);
  });

  it('keeps a name with commas, quotes or a formula one cell of text', () => {
    const logs = new DeploymentLogs(folder, 'info');
    for (const symbol of ['BRK, "B"', '=1+1']) logs.onTrade(trade(symbol, symbol), clock);
    logs.close();
    expect(rows().slice(1)).toEqual([
      '2024-01-02T15:00:00.000Z,"BRK, ""B""",BUY,10,99.5,7,ob1-E,,entry',
      "2024-01-02T15:00:00.000Z,'=1+1,BUY,10,99.5,7,ob1-E,,entry",
    ]);
  });

  it('gets at the next start what a kill cut off, and nothing twice', () => {
    const journal = Journal.open(path.join(folder, 'journal.db'));
    journal.append(clock, [{ type: 'trade', trade: trade('SPY', 'a') }]);
    journal.append(commission('a', 1), []);
    // two fills alike in all but their names
    journal.append(clock, [{ type: 'trade', trade: trade('SPY', 'b') }]);
    journal.append(commission('b', 1), [{ type: 'reconcile' }]);
    const before = new DeploymentLogs(folder, 'info');
    before.onTrade(trade('SPY', 'a'), clock);
    before.onEvent(commission('a', 1));
    before.onTrade(trade('SPY', 'b'), clock);
    // killed here: no close, and the fees of b never came
    const after = new DeploymentLogs(folder, 'info');
    expect(after.catchUp(journal)).toBe(1);
    expect(after.catchUp(journal)).toBe(0);
    expect(rows()).toHaveLength(3);
    expect(rows()[2]).toBe(rows()[1]);
    after.close();
    journal.close();
  });
});

/** Executions, their commission reports, and the corrections that replace them. */
import type { TradingCalendar } from '#env/market/calendar.js';
import type { ExecutionFilter } from '../wire/requests.js';
import type { ServerMessage } from '../wire/responses.js';
import type { Execution } from '../wire/types.js';
import type { WorkingOrder } from './working-order.js';
import { localTimeText, parseTime } from './wire-time.js';

export interface ExecutionRecord {
  readonly working: WorkingOrder;
  readonly execution: Execution;
  readonly timeMs: number;
  readonly feed: number;
  /** Signed. */
  readonly quantity: number;
  readonly commissionMicros: number;
  readonly realizedMicros: number | null;
  superseded: boolean;
}

const hex = (n: number, digits: number): string => (n >>> 0).toString(16).padStart(digits, '0');

export class Executions {
  readonly records: ExecutionRecord[] = [];
  readonly #prefix: string;

  constructor(seed: number) {
    this.#prefix = hex(0x0000e000 + (seed % 0x1000), 8);
  }

  /** A new execution's identifier: the last number counts its corrections. */
  nextId(timeMs: number): string {
    return `${this.#prefix}.${hex(Math.floor(timeMs / 1000), 8)}.${hex(this.records.length + 1, 4)}.01`;
  }

  /** "....01" becomes "....02". */
  static corrected(execId: string): string {
    const dot = execId.lastIndexOf('.');
    return `${execId.slice(0, dot)}.${String(Number(execId.slice(dot + 1)) + 1).padStart(2, '0')}`;
  }

  find(execId: string): ExecutionRecord | undefined {
    return this.records.findLast(({ execution }) => execution.execId === execId);
  }

  /** Executions of the trading day that fit the filter, as reqExecutions tells them, corrected ones among them. */
  answer(
    reqId: number,
    filter: ExecutionFilter,
    clientId: number,
    dayStartMs: number,
    nowMs: number,
  ): ServerMessage[] | 'invalid' {
    let sinceMs = dayStartMs;
    if (filter.time !== '' && this.records.length > 0) {
      const parsed = parseTime(filter.time, this.records[0].working.entry.calendar, nowMs);
      if (parsed === 'invalid') return 'invalid';
      sinceMs = Math.max(sinceMs, parsed.timeMs);
    }
    const given = (wanted: string, has: string): boolean => wanted === '' || wanted === has;
    const side = filter.side === 'BUY' ? 'BOT' : filter.side === 'SELL' ? 'SLD' : filter.side;
    const found = this.records.filter(
      ({ working, execution, timeMs }) =>
        timeMs >= sinceMs &&
        // client 0 sees all, another its own or, asked for, nobody else's
        (clientId === 0 || execution.clientId === clientId) &&
        (filter.clientId === 0 || execution.clientId === filter.clientId) &&
        given(filter.account, execution.account) &&
        given(filter.symbol, working.contract.symbol) &&
        given(filter.secType, working.contract.secType) &&
        given(filter.exchange, execution.exchange) &&
        given(side, execution.side),
    );
    return found.flatMap((record) => [executionMessage(record, reqId), commissionMessage(record)]);
  }
}

export function executionMessage(record: ExecutionRecord, reqId: number): ServerMessage {
  return { type: 'execDetails', reqId, contract: record.working.contract, execution: record.execution };
}

export function commissionMessage(record: ExecutionRecord): ServerMessage {
  return {
    type: 'commissionReport',
    execId: record.execution.execId,
    commission: record.commissionMicros / 1e6,
    currency: record.working.contract.currency,
    realizedPnl: record.realizedMicros === null ? null : record.realizedMicros / 1e6,
  };
}

export function makeExecution(
  working: WorkingOrder,
  account: string,
  execId: string,
  timeMs: number,
  calendar: TradingCalendar,
  shares: number,
  price: number,
  lastLiquidity: number,
): Execution {
  const { known } = working.entry;
  return {
    execId,
    orderId: working.orderId,
    time: localTimeText(timeMs, calendar),
    account,
    exchange:
      working.contract.exchange === 'SMART' && known.primaryExchange !== ''
        ? known.primaryExchange
        : working.contract.exchange,
    side: working.side > 0 ? 'BOT' : 'SLD',
    shares,
    cumQty: working.filled,
    price,
    avgPrice: working.averagePrice,
    permId: working.permId,
    clientId: working.clientId,
    orderRef: working.order.orderRef,
    lastLiquidity,
  };
}

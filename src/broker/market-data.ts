/**
 * Quotes, trades and 5-second bars of symbols. Streams live as long as the connection: whoever wants them after it asks
 * again. Ticks are sampled by the broker, so bars come from 5-second bars; ticks serve quotes, extremes and freshness.
 */
import { EventName, SecType, WhatToShow, type IBApi } from '@stoqey/ib';
import { dataEffect } from './codes.js';
import type { Connection } from './connection.js';
import type { BrokerEvent } from './contract.js';
import type { KnownContract } from './contracts.js';
import type { IdRange } from './ids.js';
import { PRIORITY } from './send-queue.js';

/** Tick types: live, and delayed, which arrive with market data type 3 or 4. */
const BID: ReadonlySet<number> = new Set([1, 66]);
const ASK: ReadonlySet<number> = new Set([2, 67]);
const LAST: ReadonlySet<number> = new Set([4, 68]);

interface Stream {
  readonly symbol: string;
  readonly ticksId: number;
  readonly barsId: number;
  bid: number | null;
  ask: number | null;
  /** Its requests have left. */
  ticks: boolean;
  bars: boolean;
}

export class MarketData {
  readonly #ids: IdRange;
  readonly #emit: (event: BrokerEvent) => void;
  #connection: Connection | null = null;
  readonly #bySymbol = new Map<string, Stream>();
  readonly #byId = new Map<number, Stream>();

  constructor(ids: IdRange, emit: (event: BrokerEvent) => void) {
    this.#ids = ids;
    this.#emit = emit;
  }

  attach(connection: Connection): void {
    this.#connection = connection;
    const { api } = connection;
    api.on(
      EventName.tickPrice,
      connection.guard('tickPrice', (id: number, tickType: number, price?: number) =>
        this.#tick(id, tickType, price ?? NaN),
      ),
    );
    api.on(
      EventName.realtimeBar,
      connection.guard(
        'realtimeBar',
        (id: number, seconds: number, open: number, high: number, low: number, close: number, volume?: number) => {
          const stream = this.#byId.get(id);
          if (stream === undefined) return;
          const bar = { openMs: seconds * 1000, open, high, low, close, volume: Math.max(0, volume ?? 0) };
          const sound = [seconds, open, high, low, close, bar.volume].every(Number.isFinite) && low <= high;
          if (sound) this.#emit({ type: 'fiveSecondBar', symbol: stream.symbol, bar });
          else
            this.#emit({ type: 'notice', level: 'warning', code: 0, text: `a bar of ${stream.symbol} was unusable` });
        },
      ),
    );
    api.on(
      EventName.marketDataType,
      connection.guard('marketDataType', (id: number, marketDataType: number) => {
        const stream = this.#byId.get(id);
        if (stream !== undefined) this.#emit({ type: 'marketDataType', symbol: stream.symbol, marketDataType });
      }),
    );
  }

  detach(): void {
    this.#connection = null;
    this.#bySymbol.clear();
    this.#byId.clear();
  }

  /** The broker has forgotten the streams. */
  lost(): void {
    this.#bySymbol.clear();
    this.#byId.clear();
  }

  subscribe({ info, contract }: KnownContract): void {
    const { symbol } = info.instrument;
    this.unsubscribe(symbol);
    const stream: Stream = {
      symbol,
      ticksId: this.#ids.next(),
      barsId: this.#ids.next(),
      bid: null,
      ask: null,
      ticks: false,
      bars: false,
    };
    this.#bySymbol.set(symbol, stream);
    this.#byId.set(stream.ticksId, stream);
    this.#byId.set(stream.barsId, stream);
    const what = contract.secType === SecType.CASH ? WhatToShow.MIDPOINT : WhatToShow.TRADES;
    this.#send((api) => {
      if (!this.#byId.has(stream.ticksId)) return api.reqCurrentTime();
      stream.ticks = true;
      return api.reqMktData(stream.ticksId, contract, '', false, false);
    });
    this.#send((api) => {
      if (!this.#byId.has(stream.barsId)) return api.reqCurrentTime();
      stream.bars = true;
      return api.reqRealTimeBars(stream.barsId, contract, 5, what, true);
    });
  }

  unsubscribe(symbol: string): void {
    const stream = this.#bySymbol.get(symbol);
    if (stream === undefined) return;
    this.#bySymbol.delete(symbol);
    this.#byId.delete(stream.ticksId);
    this.#byId.delete(stream.barsId);
    if (stream.ticks) this.#send((api) => api.cancelMktData(stream.ticksId));
    if (stream.bars) this.#send((api) => api.cancelRealTimeBars(stream.barsId));
  }

  /** An error that names a request. True where it is a stream's. */
  error(id: number, code: number, text: string): boolean {
    const stream = this.#byId.get(id);
    if (stream === undefined) return false;
    if (dataEffect(code, text) === 'goesOn') {
      this.#emit({ type: 'notice', level: 'warning', code, text: `${stream.symbol}: ${text}` });
      return true;
    }
    this.#byId.delete(id);
    if (id === stream.ticksId) stream.ticks = false;
    else stream.bars = false;
    this.#emit({ type: 'dataError', symbol: stream.symbol, code, text });
    return true;
  }

  #tick(id: number, tickType: number, price: number): void {
    const stream = this.#byId.get(id);
    if (stream === undefined) return;
    const { symbol } = stream;
    // -1 and 0 stand for "no quote"
    const quoted = price > 0 && price < Infinity;
    if (LAST.has(tickType)) {
      // sizes come as ticks of their own and twice: they are not joined
      if (quoted) this.#emit({ type: 'trade', symbol, price, size: null });
      return;
    }
    if (BID.has(tickType)) stream.bid = quoted ? price : null;
    else if (ASK.has(tickType)) stream.ask = quoted ? price : null;
    else return;
    this.#emit({ type: 'quote', symbol, bid: stream.bid, ask: stream.ask });
  }

  #send(call: (api: IBApi) => void): void {
    this.#connection?.send(PRIORITY.subscription, call);
  }
}

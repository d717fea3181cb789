/**
 * The port between the server (sockets, wire protocol, pacing, faults on the line) and the simulated broker behind
 * it (market, matching, account). The exchange is a deterministic state machine: no sockets, no timers, no wall
 * clock, no global randomness. The same bars, seed and sequence of calls give the same messages. All calls are
 * synchronous, and messages go out through `ExchangeClient.send` while a call runs.
 */
import type { Bars } from '#env/market/bars.js';
import type { CostsConfig } from '#env/market/config.js';
import type { ExchangeRequest } from './wire/requests.js';
import type { ServerMessage } from './wire/responses.js';
import type { Contract, Execution, Order, OrderStatus } from './wire/types.js';

/** What an exchange is made from: `createExchange(options): Exchange` in src/gateway/exchange/exchange.ts. */
export interface ExchangeOptions {
  /** One entry an instrument. */
  readonly bars: readonly Bars[];
  /** Paper account, e.g. "DU1234567". */
  readonly account: string;
  readonly seed: number;
  /** `path`: orders meet the tick path; `backtest`: "what happens when" of the design, exactly. */
  readonly fills: 'path' | 'backtest';
  /** Cash at the start, in the account's currency (USD). */
  readonly initialCash: number;
  /** What the account holds at the start, beside its cash. Default: nothing. */
  readonly positions?: readonly OpeningPosition[];
  /** Market time at which the replay begins: bars before it are history only. Default: the second session's open. */
  readonly startTimeMs?: number;
  /**
   * What the market charges; in a backtest those of the experiment. Default: the environment's, and for instruments
   * that `ibkr_fixed` does not price 0.2 basis points of the value.
   */
  readonly costs?: CostsConfig;
  /** Default true. */
  readonly allowShorting?: boolean;
}

export interface OpeningPosition {
  /** Of an instrument that is replayed. */
  readonly symbol: string;
  /** Signed, in whole lots. */
  readonly quantity: number;
  /** What a unit cost; default: the last price at the start. */
  readonly averageCost?: number;
}

/** One connected client, after START_API. The exchange keys subscriptions on this object and orders on `clientId`. */
export interface ExchangeClient {
  readonly clientId: number;
  /** Never throws; after the client has gone it does nothing. */
  send(message: ServerMessage): void;
}

export interface StepResult {
  /** Market time of what was done, epoch milliseconds. */
  readonly timeMs: number;
  /**
   * Set where the step was the last one at a bar boundary: every message about bars that close at this time has been
   * sent, and nothing about the bars that open at it. In lockstep the gateway waits here, so that an order sent in
   * answer to the close meets the next bar's open.
   */
  readonly boundaryMs: number | null;
  /**
   * Set where orders were filled, or moved by a corporate action, at the open of bars that have just begun (`fills:
   * backtest` only): their ticks and what happens within them are still to come. In lockstep the gateway waits here
   * too, so that the exits of a position can be set from its own fill before its first bar runs.
   */
  readonly openFillsMs: number | null;
}

export interface Exchange {
  readonly accounts: readonly string[];
  /** Market time, epoch milliseconds: the time of the last step, or what `advanceClock` said since. */
  readonly nowMs: number;
  /** Market time of the next event; null: the replay is over (requests are still answered). */
  readonly nextEventMs: number | null;
  /** Does the events of `nextEventMs`, up to the next moment at which the gateway may wait. Throws when over. */
  step(): StepResult;
  /** Lets market time pass without an event. `timeMs` is at least `nowMs` and at most `nextEventMs`. */
  advanceClock(timeMs: number): void;

  /** A client has started its session. */
  attach(client: ExchangeClient): void;
  /** It is gone: its subscriptions end, its orders stay. */
  detach(client: ExchangeClient): void;
  /** Answers a request, at once or later, with messages or an error; never with silence, never by throwing. */
  handle(client: ExchangeClient, request: ExchangeRequest): void;
  /** First order id that this client may use (above all that it used, and above those of its open orders). */
  nextValidId(clientId: number): number;

  /** Arms a fault of the market or of matching. Throws GATEWAY_FAULT where it makes no sense. */
  inject(fault: ExchangeFault): void;
  /** The broker's own books, for the control channel and for tests. */
  truth(): Truth;
}

/** Which order a fault meets: the first that fits all that is given. Nothing given: the first of all. */
export interface OrderMatch {
  readonly orderId?: number;
  readonly clientId?: number;
  readonly orderRef?: string;
  readonly symbol?: string;
  /** MKT, LMT, STP, ... */
  readonly orderType?: string;
  readonly action?: string;
}

/** Each is armed once and spent by the first order that it meets, but for those that say otherwise. */
export type ExchangeFault =
  /** The order's next placement is refused with this error; no status follows where `withStatus` is false (as for 110). */
  | {
      readonly kind: 'rejectOrder';
      readonly match: OrderMatch;
      readonly code: number;
      readonly message: string;
      readonly withStatus: boolean;
    }
  /** The order's next modification is refused; the order stays as it was. */
  | { readonly kind: 'rejectModify'; readonly match: OrderMatch; readonly code: number; readonly message: string }
  /** When it next fills, only `fraction` of it does; the rest is cancelled by the broker. */
  | { readonly kind: 'partialThenCancel'; readonly match: OrderMatch; readonly fraction: number }
  /** A cancel is confirmed (202 and Cancelled), and `delayMs` of market time later the order fills at the market. */
  | { readonly kind: 'fillAfterCancel'; readonly match: OrderMatch; readonly delayMs: number }
  /** `delayMs` after its next execution comes a correction: the same execId with the next number after the last dot. */
  | {
      readonly kind: 'correctExecution';
      readonly match: OrderMatch;
      readonly delayMs: number;
      /** Added to the price. */
      readonly priceOffset: number;
      /** Multiplies the shares (whole, at least 1). */
      readonly sharesFactor: number;
    }
  /** No ticks, bars or updates of this symbol for `durationMs` of market time (null: until the replay ends). */
  | { readonly kind: 'staleFeed'; readonly symbol: string; readonly durationMs: number | null }
  /** Market data subscriptions, standing and later ones, turn to this type (3 delayed, ...; 1 ends it). */
  | { readonly kind: 'marketDataType'; readonly marketDataType: 1 | 2 | 3 | 4 }
  /** nextValidId goes back to this number (a restarted gateway); ids in use are then refused with 103. */
  | { readonly kind: 'rollbackNextValidId'; readonly orderId: number }
  /** All market data subscriptions of all clients are forgotten without a word (as after 1101). */
  | { readonly kind: 'dropSubscriptions' };

export interface TruthOrder {
  readonly orderId: number;
  readonly clientId: number;
  readonly permId: number;
  readonly contract: Contract;
  readonly order: Order;
  readonly status: OrderStatus;
  readonly filled: number;
  readonly remaining: number;
  readonly avgFillPrice: number;
}

export interface TruthExecution {
  readonly contract: Contract;
  readonly execution: Execution;
  readonly commission: number;
  readonly realizedPnl: number | null;
  /** Replaced by a later correction. */
  readonly superseded: boolean;
}

export interface Truth {
  readonly timeMs: number;
  readonly account: string;
  readonly currency: string;
  readonly cash: number;
  readonly netLiquidation: number;
  readonly positions: readonly {
    readonly contract: Contract;
    readonly position: number;
    readonly averageCost: number;
    readonly marketPrice: number;
  }[];
  /** Every order of the session, ended ones included. */
  readonly orders: readonly TruthOrder[];
  readonly executions: readonly TruthExecution[];
}

/**
 * What a broker is to OpenBell. One implementation stands behind it (Interactive Brokers over @stoqey/ib); paper
 * trading uses the same one against the simulated gateway. Prices are in the instrument's currency, quantities in units.
 *
 * Answers distinguish what is unknown from what is empty: a request that timed out says nothing about positions.
 */
import type { Instrument } from '#env/market/instrument.js';

export type OrderSide = 'BUY' | 'SELL';
export type OrderType = 'MKT' | 'LMT' | 'STP';

/** `pending`: on its way; `working`: at the broker; `cancelling`: may still fill; the others have ended. */
export type OrderState = 'pending' | 'working' | 'cancelling' | 'cancelled' | 'filled' | 'rejected';

/** An order as it is to stand at the broker. `orderRef` is its identity; ids are the broker's business. */
export interface OrderRequest {
  /** Deterministic and unique; ASCII without control characters. The broker carries it back with every report. */
  readonly orderRef: string;
  readonly symbol: string;
  readonly side: OrderSide;
  /** > 0 */
  readonly quantity: number;
  readonly orderType: OrderType;
  readonly limitPrice: number | null;
  readonly stopPrice: number | null;
  readonly tif: 'DAY' | 'GTC';
  readonly outsideRth: boolean;
  /** An attached order waits for its parent, which was placed before it. */
  readonly parentRef: string | null;
  /** Orders of one group end together; a partial fill of one reduces the others (OCA type 2). */
  readonly ocaGroup: string | null;
  /** false: held back by the broker until the last order of the bracket is there. */
  readonly transmit: boolean;
}

/** An order as one of the broker's answers or messages describes it. */
export interface OrderReport {
  /** Empty for orders of other programs and of people. */
  readonly orderRef: string;
  readonly orderId: number;
  /** 0: not told yet. */
  readonly permId: number;
  readonly clientId: number;
  readonly symbol: string;
  readonly state: OrderState;
  /** 0: not told (a bare status, a completed order). */
  readonly quantity: number;
  readonly filled: number;
  readonly remaining: number;
  /** null where the answer does not carry it (a bare status). */
  readonly stopPrice: number | null;
  readonly limitPrice: number | null;
}

/** An execution; a correction bears the same root and a higher revision. */
export interface ExecutionReport {
  /** The execId without its last part, which counts revisions: "0000e0d5.61d3d1a3.01". */
  readonly execRoot: string;
  readonly revision: number;
  readonly orderRef: string;
  readonly orderId: number;
  readonly permId: number;
  readonly clientId: number;
  readonly symbol: string;
  readonly side: OrderSide;
  /** > 0 */
  readonly quantity: number;
  readonly price: number;
  /** The broker's time of the execution, epoch milliseconds. */
  readonly marketMs: number;
}

export interface CommissionReport {
  readonly execRoot: string;
  readonly revision: number;
  /** Finite; a rebate is negative. Reports whose commission is not set yet (-1, 1e10) are not passed on. */
  readonly amount: number;
  readonly currency: string;
}

export interface Position {
  readonly symbol: string;
  /** Signed. */
  readonly quantity: number;
  readonly averageCost: number;
}

export interface AccountValues {
  readonly netLiquidation: number;
  readonly totalCash: number;
  readonly buyingPower: number;
  readonly currency: string;
}

export interface ContractInfo {
  readonly conId: number;
  readonly instrument: Instrument;
  readonly longName: string;
  readonly timeZone: string;
  /** Sessions as the contract's own liquidHours say, epoch milliseconds; ascending. */
  readonly liquidHours: readonly { readonly openMs: number; readonly closeMs: number }[];
}

export interface BrokerBar {
  /** Epoch milliseconds of the open; daily bars: the session's date at 00:00 UTC. */
  readonly openMs: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

export interface HistoryRequest {
  readonly symbol: string;
  /** "1m", "5m", "1h", "1d", ... as data sets name intervals. */
  readonly interval: string;
  /** Bars that open at or after it, epoch milliseconds ... */
  readonly fromMs: number;
  /** ... and have closed by then. */
  readonly toMs: number;
  readonly regularHoursOnly: boolean;
}

/** An answer that came whole, or the reason why nothing is known. An empty list is known. */
export type Answer<T> =
  | { readonly known: true; readonly value: T }
  | { readonly known: false; readonly code: number | null; readonly reason: string };

export type BrokerEvent =
  /** Handshake, accounts and first order id are in; requests may be made. */
  | {
      readonly type: 'connected';
      readonly accounts: readonly string[];
      readonly serverVersion: number;
    }
  | { readonly type: 'disconnected'; readonly reason: string }
  /** The gateway's own link to the broker: orders do not travel while it is down, though the socket stands. */
  | {
      readonly type: 'link';
      readonly state: 'down' | 'up';
      /** Subscriptions were lost with it. */
      readonly dataLost: boolean;
      readonly code: number;
    }
  | { readonly type: 'dataFarm'; readonly state: 'broken' | 'ok'; readonly code: number; readonly text: string }
  | { readonly type: 'order'; readonly report: OrderReport }
  | { readonly type: 'execution'; readonly report: ExecutionReport }
  | { readonly type: 'commission'; readonly report: CommissionReport }
  /** `rejected`: it will never work. `doubtful`: an error that no status follows. `modify`, `cancel`: that request was refused. */
  | {
      readonly type: 'orderError';
      readonly orderRef: string;
      readonly orderId: number;
      readonly effect: 'rejected' | 'doubtful' | 'modify' | 'cancel' | 'warning';
      readonly code: number;
      readonly text: string;
    }
  /** A side without a quote is null. */
  | { readonly type: 'quote'; readonly symbol: string; readonly bid: number | null; readonly ask: number | null }
  | { readonly type: 'trade'; readonly symbol: string; readonly price: number; readonly size: number | null }
  | { readonly type: 'fiveSecondBar'; readonly symbol: string; readonly bar: BrokerBar }
  | { readonly type: 'marketDataType'; readonly symbol: string; readonly marketDataType: number }
  /** A subscription ended with an error: it is asked for anew by whoever wants it. */
  | { readonly type: 'dataError'; readonly symbol: string; readonly code: number; readonly text: string }
  | {
      readonly type: 'notice';
      readonly level: 'info' | 'warning' | 'error';
      readonly code: number;
      readonly text: string;
    };

/** One account at one broker. It connects, supervises and reconnects by itself until it is closed. */
export interface Broker {
  /** Begins to connect, and keeps at it. Listeners are called one event at a time, never while a call into the broker runs. */
  open(listener: (event: BrokerEvent) => void): void;
  /** Ends the connection for good; resting orders stay. */
  close(): Promise<void>;
  readonly connected: boolean;
  /**
   * The id that the next new order will bear. To be journalled with the intent, before the order is placed: the next
   * process begins above it, since the gateway's own counter goes back after a restart.
   */
  readonly nextOrderId: number;

  /** Ticks as the broker's market rule states them. Orders, streams and history need the contract to be known. */
  contract(instrument: Instrument): Promise<Answer<ContractInfo>>;
  accountValues(): Promise<Answer<AccountValues>>;
  positions(): Promise<Answer<readonly Position[]>>;
  /** Of every client of the account. */
  openOrders(): Promise<Answer<readonly OrderReport[]>>;
  completedOrders(): Promise<Answer<readonly OrderReport[]>>;
  /** Of the day, of every client. */
  executions(): Promise<Answer<readonly ExecutionReport[]>>;
  history(request: HistoryRequest): Promise<Answer<readonly BrokerBar[]>>;
  /** The gateway's market time, epoch milliseconds. */
  currentTime(): Promise<Answer<number>>;

  /**
   * Quotes, trades and 5-second bars of a symbol, as long as the connection lasts and the link loses no data; a second
   * call subscribes anew. Throws BROKER_STATE while not connected, or before `contract` has known the instrument.
   */
  subscribe(instrument: Instrument): void;
  unsubscribe(symbol: string): void;

  /**
   * Sends an order, or, where its orderRef was sent before, its replacement. Returns its order id. Throws BROKER_ORDER
   * on an order that is not well-formed (or whose contract was never asked for, or which has ended), BROKER_STATE while
   * not connected or while the link is down: nothing has been sent then. Where the connection ends before the order
   * could leave, an `orderError` says so (504; `rejected`, of a replacement `modify`, of a cancel `cancel`).
   */
  place(order: OrderRequest): number;
  /** Throws BROKER_STATE while not connected, while the link is down, or on an unknown reference: nothing was sent then. */
  cancel(orderRef: string): void;
  /** Tells which orders were ours before a restart, so that they can be modified and cancelled under their ids. */
  restore(orders: readonly { readonly orderRef: string; readonly orderId: number }[]): void;
}

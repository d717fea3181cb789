/**
 * What the trader hears. Events are plain data: the journal holds them, and the same events give the same intents.
 * `marketMs` is the market's clock (epoch milliseconds of the replay or of the world), `wallMs` a monotonic one.
 */
import type { BrokerBar, ExecutionReport, OrderReport } from '#src/broker/contract.js';
import type { TraderConfig } from './config.js';

/** A bar of the trader's interval, or of five seconds. */
export type ClosedBar = BrokerBar;

export type HaltLevel = 'reducing' | 'halted';

export type Command =
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'flatten' }
  | { readonly kind: 'cancel-all' }
  /** Flattens and halts: the kill switch. */
  | { readonly kind: 'kill' }
  | { readonly kind: 'shutdown' };

export type TraderEvent = { readonly marketMs: number; readonly wallMs: number } & (
  | { readonly type: 'started'; readonly config: TraderConfig }
  /** A process took the journal up again: what was in flight then is unresolved now. */
  | { readonly type: 'restarted' }
  | { readonly type: 'clock' }
  /** Ready: connected and its start-up answers are in; nothing is sent before a reconciliation. */
  | { readonly type: 'connected' }
  | { readonly type: 'disconnected' }
  /** All answers of one reconciliation, each complete. `beganWallMs`: when the first of its requests was sent. */
  | {
      readonly type: 'reconciled';
      readonly beganWallMs: number;
      readonly positions: readonly { readonly symbol: string; readonly quantity: number }[];
      readonly openOrders: readonly OrderReport[];
      readonly completedOrders: readonly OrderReport[];
      readonly executions: readonly ExecutionReport[];
    }
  /** A reconciliation that was asked for did not come whole: it says nothing. */
  | { readonly type: 'unreconciled'; readonly reason: string }
  | {
      readonly type: 'fiveSecondBar';
      readonly symbol: string;
      readonly bar: ClosedBar;
    }
  /** Whole bars of the interval, oldest first, all closed. `anchor`: the first of them is the observation's anchor. */
  | {
      readonly type: 'history';
      readonly symbol: string;
      readonly anchor: boolean;
      readonly bars: readonly ClosedBar[];
    }
  /** A side that is missing is null. */
  | { readonly type: 'quote'; readonly symbol: string; readonly bid: number | null; readonly ask: number | null }
  | { readonly type: 'trade'; readonly symbol: string; readonly price: number }
  | { readonly type: 'dataType'; readonly symbol: string; readonly marketDataType: number }
  | { readonly type: 'order'; readonly report: OrderReport }
  /** `rejected`: it will never work. `doubtful`: an error that no status followed. `modify`: the order stays as it was. */
  | {
      readonly type: 'orderError';
      readonly orderRef: string;
      readonly effect: 'rejected' | 'doubtful' | 'modify' | 'cancel' | 'warning';
      readonly code: number;
      readonly text: string;
    }
  | { readonly type: 'execution'; readonly report: ExecutionReport }
  | {
      readonly type: 'commission';
      readonly execRoot: string;
      readonly revision: number;
      /** In the account's currency. */
      readonly amount: number;
    }
  | { readonly type: 'command'; readonly command: Command }
);

/** The event without its clocks, as those who feed the trader write it. */
export type TraderNews = TraderEvent extends infer E
  ? E extends TraderEvent
    ? Omit<E, 'marketMs' | 'wallMs'>
    : never
  : never;

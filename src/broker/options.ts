/** Settings of the broker. Times are wall milliseconds. */
import { fail } from '#src/errors.js';
import { IBKR_HISTORY_LIMITS, type HistoryLimits } from './history-pace.js';
import { DEFAULT_PACE, type Pace } from './send-queue.js';
import type { BrokerEvent } from './contract.js';

/** Monotonic; wall time, never the market's. */
export interface WallClock {
  nowMs(): number;
}

export interface IbBrokerOptions {
  readonly host: string;
  readonly port: number;
  /** Fixed: orders belong to the clientId that placed them. */
  readonly clientId: number;
  /** Null: the gateway's only one. */
  readonly account: string | null;
  /** For downloads: any account will do, and orders are refused. */
  readonly dataOnly?: boolean;
  /** Order ids begin here or above what the gateway offers, whichever is higher: the mark of earlier processes. */
  readonly firstOrderId?: number;
  readonly clock?: WallClock;
  readonly pace?: Pace;
  readonly historyLimits?: HistoryLimits;
  /** From the socket's opening to accounts and order id. */
  readonly handshakeTimeoutMs?: number;
  /** A question whose answer is not whole by then is unknown. */
  readonly answerTimeoutMs?: number;
  readonly historyTimeoutMs?: number;
  /** Without an inbound byte for so long the gateway is asked for its time ... */
  readonly heartbeatMs?: number;
  /** ... and without one for so long after that the connection is abandoned. */
  readonly heartbeatDeadlineMs?: number;
  readonly backoffMs?: { readonly first: number; readonly most: number };
  /** After error 326: whoever holds the clientId has to be given time to let go. */
  readonly clientIdInUseBackoffMs?: number;
  /** An exception of the listener. It never reaches the socket. Default: printed to stderr. */
  readonly onListenerError?: (error: unknown, event: BrokerEvent) => void;
}

export type Settings = Required<IbBrokerOptions>;

/** Request ids begin here, order ids end below: an error names either by the same number. */
export const FIRST_REQUEST_ID = 1_000_000_000;
export const LAST_REQUEST_ID = 2_000_000_000;

/** Throws CONFIG_VALUE. */
export function settingsOf(options: IbBrokerOptions): Settings {
  const settings: Settings = {
    firstOrderId: 1,
    dataOnly: false,
    clock: { nowMs: () => performance.now() },
    pace: DEFAULT_PACE,
    historyLimits: IBKR_HISTORY_LIMITS,
    handshakeTimeoutMs: 15_000,
    answerTimeoutMs: 15_000,
    historyTimeoutMs: 120_000,
    heartbeatMs: 5_000,
    heartbeatDeadlineMs: 10_000,
    backoffMs: { first: 250, most: 30_000 },
    clientIdInUseBackoffMs: 15_000,
    onListenerError: (error, event) => {
      process.stderr.write(`the broker's listener failed at ${event.type}: ${String(error)}\n`);
    },
    ...options,
  };
  const { port, clientId, firstOrderId, pace } = settings;
  const check = (ok: boolean, where: string, value: unknown, message: string): void => {
    if (!ok) fail('CONFIG_VALUE', { where: `broker ${where}`, value, message });
  };
  check(Number.isInteger(port) && port > 0 && port <= 65_535, 'port', port, 'expected an integer from 1 to 65535');
  check(
    Number.isInteger(clientId) && clientId >= 0 && clientId <= 2_147_483_647,
    'clientId',
    clientId,
    'expected an integer from 0 to 2147483647',
  );
  check(
    Number.isInteger(firstOrderId) && firstOrderId >= 1 && firstOrderId < FIRST_REQUEST_ID,
    'firstOrderId',
    firstOrderId,
    `expected an integer from 1 to ${FIRST_REQUEST_ID - 1}`,
  );
  check(
    Number.isInteger(pace.messagesPerSecond) &&
      pace.messagesPerSecond >= 2 &&
      Number.isInteger(pace.keptForOrders) &&
      pace.keptForOrders >= 1 &&
      pace.keptForOrders < pace.messagesPerSecond,
    'pace',
    pace,
    'expected whole numbers, some of the messages kept for orders and some left for requests',
  );
  return settings;
}

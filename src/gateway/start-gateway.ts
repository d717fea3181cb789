/** Starts a simulated Interactive Brokers gateway: what `openbell gateway` does, as a function. */
import type { Bars } from '#env/market/bars.js';
import type { CostsConfig } from '#env/market/config.js';
import { fail } from '#src/errors.js';
import { DEFAULT_ACCOUNT, DEFAULT_CASH, DEFAULT_PORT, DEFAULT_SPEED } from './defaults.js';
import type { OpeningPosition } from './exchange-port.js';
import { createExchange } from './exchange/exchange.js';
import { FaultPlan } from './faults/plan.js';
import { NO_FAULTS, type FaultPlanSpec } from './faults/schema.js';
import { serveControl } from './server/control-http.js';
import { GatewayControl } from './server/control.js';
import { GatewayServer } from './server/gateway-server.js';
import { Lockstep } from './server/lockstep.js';
import { Pacer, type Speed } from './server/pacer.js';
import { MAX_SERVER_VERSION, MIN_SERVER_VERSION } from './wire/versions.js';

/** IBKR's own limit on what a client may say. */
const REQUESTS_PER_SECOND = 50;

/** Where real money trades: a simulation that listens there will one day be taken for the real one, or the reverse. */
const LIVE_PORTS: readonly number[] = [4001, 7496];

export interface GatewayOptions {
  /** One entry an instrument, all in one currency. */
  readonly bars: readonly Bars[];
  /** 0: a free one. Default 14002. */
  readonly port?: number;
  /** Of the control channel; 0: a free one; null: none. Default 0. */
  readonly controlPort?: number | null;
  /** Market seconds a wall second, or as fast as clients read and runners acknowledge. Default 60. */
  readonly speed?: Speed;
  readonly account?: string;
  readonly seed?: number;
  readonly faults?: FaultPlanSpec;
  /** `path`: orders meet the tick path (default); `backtest`: the environment's rules, exactly. */
  readonly fills?: 'path' | 'backtest';
  readonly initialCash?: number;
  /** What the account holds at the start, beside its cash. Default: nothing. */
  readonly positions?: readonly OpeningPosition[];
  readonly startTimeMs?: number;
  readonly costs?: CostsConfig;
  readonly allowShorting?: boolean;
  /** Highest server version that is offered, 157 to 193. Default 193. */
  readonly versionCap?: number;
  /** When market time begins to pass. Default `first_client`. */
  readonly start?: 'now' | 'first_client';
  /** A client's requests a second (wall clock) before error 100; not counted at maximum speed. Default 50; null: no limit. */
  readonly requestsPerSecond?: number | null;
  readonly log?: (message: string) => void;
}

export interface Gateway {
  readonly port: number;
  /** Null where there is no control channel. */
  readonly controlUrl: string | null;
  /** Market time. */
  readonly clock: { readonly nowMs: number };
  readonly control: GatewayControl;
  /** Resolves when the replay has no bars left. */
  readonly over: Promise<void>;
  close(): Promise<void>;
}

/** Throws GATEWAY_OPTIONS, and DATA_ or ENV_ errors where the bars make no market. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const port = options.port ?? DEFAULT_PORT;
  const speed = options.speed ?? DEFAULT_SPEED;
  const versionCap = options.versionCap ?? MAX_SERVER_VERSION;
  checkNumbers(port, options.controlPort ?? 0, speed, versionCap, options.requestsPerSecond ?? null);
  const seed = options.seed ?? 0;
  const exchange = createExchange({
    bars: options.bars,
    account: options.account ?? DEFAULT_ACCOUNT,
    seed,
    fills: options.fills ?? 'path',
    initialCash: options.initialCash ?? DEFAULT_CASH,
    ...(options.positions === undefined ? {} : { positions: options.positions }),
    ...(options.startTimeMs === undefined ? {} : { startTimeMs: options.startTimeMs }),
    ...(options.costs === undefined ? {} : { costs: options.costs }),
    ...(options.allowShorting === undefined ? {} : { allowShorting: options.allowShorting }),
  });
  if (exchange.nextEventMs === null)
    fail('GATEWAY_OPTIONS', {
      where: 'start',
      value: new Date(exchange.nowMs).toISOString(),
      message: 'the data end before it: there is nothing to replay; choose an earlier start',
    });
  const faults = options.faults ?? NO_FAULTS;
  checkFaults(faults, options.bars);
  const log = options.log ?? (() => undefined);
  let sayOver = (): void => undefined;
  const over = new Promise<void>((resolve) => {
    sayOver = resolve;
  });

  const lockstep = new Lockstep(() => pacer.wake());
  const atFirstClient = (options.start ?? 'first_client') === 'first_client';
  const server: GatewayServer = new GatewayServer(
    exchange,
    new FaultPlan(faults, exchange.nowMs),
    {
      port,
      versionCap,
      seed,
      requestsPerSecond: options.requestsPerSecond === undefined ? REQUESTS_PER_SECOND : options.requestsPerSecond,
      symbols: options.bars.map(({ instrument }) => instrument.symbol),
    },
    {
      syncClock: () => pacer.syncClock(),
      wake: () => {
        if (started || !atFirstClient || server.everStarted) begin();
        pacer.wake();
      },
      fast: () => pacer.speed === 'max',
      log,
    },
  );
  let started = false;
  const begin = (): void => {
    if (started) return;
    started = true;
    pacer.start();
  };
  const pacer: Pacer = new Pacer(exchange, speed, {
    stepped: ({ boundaryMs, openFillsMs }) => {
      server.stepped();
      if (boundaryMs !== null) lockstep.reach({ timeMs: boundaryMs, kind: 'close' });
      else if (openFillsMs !== null) lockstep.reach({ timeMs: openFillsMs, kind: 'open_fills' });
    },
    holds: () =>
      lockstep.holds || server.congested || (atFirstClient && !server.hasClients && lockstep.runners.length === 0),
    over: () => {
      lockstep.end();
      sayOver();
    },
    pendingMs: () => server.nextOutageEndMs,
    moved: () => server.stepped(),
  });
  const control = new GatewayControl(exchange, server, pacer, lockstep);

  await server.listen();
  let controlServer: Awaited<ReturnType<typeof serveControl>> | null = null;
  try {
    if (options.controlPort !== null) controlServer = await serveControl(control, options.controlPort ?? 0);
  } catch (error) {
    await server.close();
    throw error;
  }
  if (!atFirstClient) begin();
  return {
    get port() {
      return server.port;
    },
    controlUrl: controlServer?.url ?? null,
    clock: exchange,
    control,
    over,
    close: async () => {
      pacer.close();
      lockstep.end();
      await server.close();
      await controlServer?.close();
    },
  };
}

/** What a plan can be wrong about only in the light of the data: told at the start, not when its moment comes. */
function checkFaults({ scripted }: FaultPlanSpec, bars: readonly Bars[]): void {
  const symbols = bars.map(({ instrument }) => instrument.symbol);
  for (const { fault } of scripted) {
    if (fault.kind === 'stale_feed' && !symbols.includes(fault.symbol))
      fail('GATEWAY_FAULT', {
        where: 'stale_feed, symbol',
        value: fault.symbol,
        message: `no such instrument is replayed; there are ${symbols.join(', ')}`,
      });
  }
}

function checkNumbers(
  port: number,
  controlPort: number,
  speed: Speed,
  versionCap: number,
  messageRate: number | null,
): void {
  for (const [where, value] of [
    ['port', port],
    ['control port', controlPort],
  ] as const) {
    if (!(Number.isInteger(value) && value >= 0 && value <= 65_535))
      fail('GATEWAY_OPTIONS', { where, value, message: 'a port is an integer from 0 (a free one) to 65535' });
    if (LIVE_PORTS.includes(value))
      fail('GATEWAY_OPTIONS', {
        where,
        value,
        message:
          'this is where TWS and IB Gateway trade real money: a simulation does not listen there; 4002 and 7497 are the paper ports',
      });
  }
  if (messageRate !== null && !(Number.isInteger(messageRate) && messageRate >= 1 && messageRate <= 1e6))
    fail('GATEWAY_OPTIONS', {
      where: 'message rate',
      value: messageRate,
      message:
        'a client may send a whole number of messages a second, from 1 to 1000000, or any number (null; 0 on the command line)',
    });
  if (speed !== 'max' && !(speed > 0 && speed <= 1e6))
    fail('GATEWAY_OPTIONS', {
      where: 'speed',
      value: speed,
      message: 'the speed is max, or market seconds a wall second, above 0 and up to 1000000',
    });
  if (!(Number.isInteger(versionCap) && versionCap >= MIN_SERVER_VERSION && versionCap <= MAX_SERVER_VERSION))
    fail('GATEWAY_OPTIONS', {
      where: 'version cap',
      value: versionCap,
      message: `the gateway speaks server versions ${MIN_SERVER_VERSION} to ${MAX_SERVER_VERSION}`,
    });
}

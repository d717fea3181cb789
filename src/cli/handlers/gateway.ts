/** What `openbell gateway` does. */
import { asTraded } from '#src/data/as-traded.js';
import { loadDataset } from '#src/data/load.js';
import { fail } from '#src/errors.js';
import type { OpeningPosition } from '#src/gateway/exchange-port.js';
import { loadFaultPlan, NO_FAULTS } from '#src/gateway/faults/schema.js';
import { startGateway } from '#src/gateway/start-gateway.js';

export interface GatewayArguments {
  data: readonly string[];
  speed: string;
  port: number;
  'control-port': number;
  account: string;
  seed: number;
  faults?: string | undefined;
  fills: 'path' | 'backtest';
  cash: number;
  position?: readonly string[] | undefined;
  'start-at'?: string | undefined;
  'max-version': number;
  'message-rate': number;
  'exit-when-over': boolean;
  json: boolean;
}

export async function serveGateway(args: GatewayArguments): Promise<void> {
  const faults = args.faults === undefined ? NO_FAULTS : loadFaultPlan(args.faults);
  const loaded = await Promise.all(args.data.map((name) => loadDataset(name)));
  // the rules of the backtest are those of its own prices
  const bars = args.fills === 'backtest' ? loaded : loaded.map(asTraded);
  const gateway = await startGateway({
    bars,
    speed: parseSpeed(args.speed),
    port: args.port,
    controlPort: args['control-port'],
    account: args.account,
    seed: args.seed,
    faults,
    fills: args.fills,
    initialCash: args.cash,
    positions: (args.position ?? []).map(parsePosition),
    versionCap: args['max-version'],
    requestsPerSecond: args['message-rate'] === 0 ? null : args['message-rate'],
    ...(args['start-at'] === undefined ? {} : { startTimeMs: parseStart(args['start-at']) }),
    log: (message) => console.error(message),
  });
  const { port, controlUrl, clock } = gateway;
  const marketTime = new Date(clock.nowMs).toISOString();
  if (args.json) console.log(JSON.stringify({ port, controlUrl, account: args.account, marketTime }));
  else
    console.log(
      `simulated gateway on 127.0.0.1:${port}, account ${args.account}, control ${controlUrl}\n` +
        `market time ${marketTime}, speed ${args.speed}; it passes from the first client on. Ctrl-C ends.`,
    );
  const interrupted = new Promise<'interrupted'>((resolve) => {
    process.once('SIGINT', () => resolve('interrupted'));
    process.once('SIGTERM', () => resolve('interrupted'));
  });
  const ended = await Promise.race(args['exit-when-over'] ? [interrupted, gateway.over] : [interrupted]);
  await gateway.close();
  if (ended === 'interrupted') process.exitCode = 130;
}

function parseSpeed(text: string): number | 'max' {
  if (text === 'max') return 'max';
  const speed = Number(text);
  if (text.trim() === '' || !Number.isFinite(speed))
    fail('USAGE', { where: '--speed', value: text, message: 'write max, or market seconds a second such as 60' });
  return speed;
}

function parsePosition(text: string): OpeningPosition {
  const match = /^([^:]+):([+-]?[\d.]+)(?:@([\d.]+))?$/.exec(text.trim());
  if (match === null)
    fail('USAGE', {
      where: '--position',
      value: text,
      message: 'write SYMBOL:QUANTITY or SYMBOL:QUANTITY@COST, such as AAPL:100 or AAPL:-50@187.2',
    });
  const [, symbol, quantity, cost] = match;
  return {
    symbol,
    quantity: Number(quantity),
    ...(cost === undefined ? {} : { averageCost: Number(cost) }),
  };
}

function parseStart(text: string): number {
  const timeMs = Date.parse(text);
  if (Number.isNaN(timeMs) || !/(Z|[+-]\d\d:?\d\d)$/.test(text))
    fail('USAGE', {
      where: '--start-at',
      value: text,
      message: 'write a moment with its zone, such as 2024-01-02T09:30:00-05:00',
    });
  return timeMs;
}

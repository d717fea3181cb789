/**
 * What an order costs on its way: from place() to its last byte at a server on loopback, and from place() to the
 * execution as an event, against the simulated gateway (`--fills path`, a market order each).
 *   npm run build && npm run bench:broker -- [--orders 400] [--write]     --write: into docs/broker.md
 */
import { connect, createServer, type Socket } from 'node:net';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import type { Bars } from '#env/market/bars.js';
import { usShare } from '#env/market/instrument.js';
import type { BrokerEvent, OrderRequest } from '#src/broker/contract.js';
import { IbBroker } from '#src/broker/ib-broker.js';
import { parseInterval } from '#src/data/interval.js';
import { syntheticSchema } from '#src/data/manifest.js';
import { syntheticBars } from '#src/data/synthetic.js';
import { startGateway } from '#src/gateway/start-gateway.js';
import { machineText, ROOT, table, thisMachine, writeIntoPage } from './report.js';

const { values } = parseArgs({
  options: { orders: { type: 'string', default: '400' }, write: { type: 'boolean', default: false } },
});
const count = Number(values.orders);
const brackets = Math.max(1, count >> 3);

const INSTRUMENT = usShare('SYN');

function bars(): Bars {
  return syntheticBars({
    ...syntheticSchema.parse({ seed: 1, from: '2024-01-02', sessions: 3, start_price: 100 }),
    name: 'syn',
    instrument: INSTRUMENT,
    interval: parseInterval('1m', 'bench'),
    calendar: 'XNYS',
  });
}

/** A pipe in front of the gateway, so that the moment when an order's bytes arrive is seen. */
async function tap(target: number, seen: (bytes: Buffer) => void): Promise<{ port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port: target, host: '127.0.0.1', noDelay: true });
    sockets.add(client);
    sockets.add(upstream);
    client.on('data', (bytes: Buffer) => {
      seen(bytes);
      upstream.write(bytes);
    });
    upstream.on('data', (bytes: Buffer) => client.write(bytes));
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return {
    port: address.port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function order(orderRef: string, side: 'BUY' | 'SELL'): OrderRequest {
  return {
    orderRef,
    symbol: 'SYN',
    side,
    quantity: 1,
    orderType: 'MKT',
    limitPrice: null,
    stopPrice: null,
    tif: 'DAY',
    outsideRth: false,
    parentRef: null,
    ocaGroup: null,
    transmit: true,
  };
}

const gateway = await startGateway({ bars: [bars()], port: 0, controlPort: null, speed: 60, requestsPerSecond: 1000 });
let awaited = '';
let arrivedAt = 0;
const between = await tap(gateway.port, (bytes) => {
  if (arrivedAt === 0 && bytes.includes(awaited)) arrivedAt = performance.now();
});
const broker = new IbBroker({ host: '127.0.0.1', port: between.port, clientId: 7, account: null });
let hear: (event: BrokerEvent) => void = () => undefined;
const until = (fits: (event: BrokerEvent) => boolean): Promise<BrokerEvent> =>
  new Promise((resolve) => {
    hear = (event) => {
      if (fits(event)) resolve(event);
    };
  });
const connected = until(({ type }) => type === 'connected');
broker.open((event) => hear(event));
await connected;
await broker.contract(INSTRUMENT);

const handed: number[] = [];
const arrived: number[] = [];
const executed: number[] = [];
for (let n = 0; n < count; n++) {
  const ref = `bench-${n}`;
  awaited = `${ref}\0`;
  arrivedAt = 0;
  const execution = until((event) => event.type === 'execution' && event.report.orderRef === ref);
  const placedAt = performance.now();
  broker.place(order(ref, n % 2 === 0 ? 'BUY' : 'SELL'));
  handed.push(performance.now() - placedAt);
  await execution;
  executed.push(performance.now() - placedAt);
  arrived.push(arrivedAt - placedAt);
  // below the pace: what is measured is the way, not the queue
  await new Promise((resolve) => setTimeout(resolve, 30));
}
const brackets5: number[] = [];
for (let n = 0; n < brackets; n++) {
  const refs = [0, 1, 2, 3, 4].map((k) => `five-${n}-${k}`);
  awaited = `${refs[4]}\0`;
  arrivedAt = 0;
  const working = until((event) => event.type === 'order' && event.report.orderRef === refs[4]);
  const placedAt = performance.now();
  for (const ref of refs) broker.place({ ...order(ref, 'BUY'), orderType: 'LMT', limitPrice: 50, transmit: true });
  await working;
  brackets5.push(arrivedAt - placedAt);
  for (const ref of refs) broker.cancel(ref);
  await new Promise((resolve) => setTimeout(resolve, 300));
}
await broker.close();
between.close();
await gateway.close();

const row = (what: string, times: readonly number[]): string[] => {
  // the first ones find nothing compiled
  const sorted = times.slice(Math.min(20, times.length >> 2)).sort((a, b) => a - b);
  const at = (share: number): string =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(2);
  return [what, at(0.5), at(0.99)];
};
const text = [
  table(
    ['milliseconds', 'p50', 'p99'],
    [
      row('place() has returned: the order is with the socket', handed),
      row('its bytes have arrived at a server on loopback', arrived),
      row('the last of five orders in a row has arrived there', brackets5),
      row('its execution has come back as an event', executed),
    ],
  ),
  `${count} market orders, one at a time, and ${brackets} times five in a row, against the simulated gateway in the same process (${machineText(thisMachine())}).`,
].join('\n\n');
console.log(text);
if (values.write) writeIntoPage(path.join(ROOT, 'docs', 'broker.md'), 'broker bench', text);

/**
 * The simulated gateway under load, over real sockets.
 *   node dist/bench/gateway.js [ticks] [lockstep] [soak] [--minutes 10] [--doc FILE]
 *   ticks      messages a second served to 10 clients at maximum speed
 *   lockstep   a day of one-minute bars for 10 symbols, a runner acknowledging each
 *   soak       clients that come, trade and go at speed, for --minutes; memory must stay flat
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { usShare } from '#env/market/instrument.js';
import { syntheticSchema } from '#src/data/manifest.js';
import { syntheticBars } from '#src/data/synthetic.js';
import { startGateway } from '#src/gateway/start-gateway.js';
import { CountingClient } from './gateway-client.js';
import { machineText, thisMachine, writeIntoPage } from './report.js';

const SYMBOLS = Array.from({ length: 10 }, (_, index) => `SYN${index}`);
const CLIENTS = 10;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string', default: '10' }, doc: { type: 'string' }, serve: { type: 'string' } },
});

/** One-minute bars of NYSE sessions. SYNTHETIC. */
function market(sessions: number) {
  return SYMBOLS.map((symbol, index) =>
    syntheticBars({
      ...syntheticSchema.parse({ seed: index + 1, from: '2024-01-02', sessions, start_price: 100 }),
      name: symbol.toLowerCase(),
      instrument: usShare(symbol),
      interval: { label: '1m', ms: 60_000 },
      calendar: 'XNYS',
    }),
  );
}

interface Served {
  readonly port: number;
  readonly controlUrl: string;
  memory(): Promise<{ readonly heapUsed: number; readonly rss: number }>;
  close(): Promise<void>;
}

interface Said {
  readonly port?: number;
  readonly controlUrl?: string;
  readonly heapUsed?: number;
  readonly rss?: number;
}

/** The gateway in a process of its own, so that the clients' work is not counted as its own. */
async function serve(sessions: number): Promise<Served> {
  const child = fork(fileURLToPath(import.meta.url), ['--serve', String(sessions)], { execArgv: ['--expose-gc'] });
  const said = (): Promise<Said> =>
    new Promise((resolve, reject) => {
      const ended = (code: number | null): void => reject(new Error(`the gateway ended with ${code}`));
      child.once('exit', ended);
      child.once('message', (message: Said) => {
        child.off('exit', ended);
        resolve(message);
      });
    });
  const { port, controlUrl } = await said();
  if (port === undefined || controlUrl === undefined) throw new Error('the gateway did not say where it is');
  return {
    port,
    controlUrl,
    memory: async () => {
      child.send('memory');
      const { heapUsed = NaN, rss = NaN } = await said();
      return { heapUsed, rss };
    },
    close: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.send('close');
      }),
  };
}

async function beServed(sessions: number): Promise<void> {
  const gateway = await startGateway({ bars: market(sessions), port: 0, controlPort: 0, speed: 'max' });
  gateway.control.pause();
  process.on('message', (message) => {
    if (message === 'memory') {
      globalThis.gc?.();
      const { heapUsed, rss } = process.memoryUsage();
      process.send?.({ heapUsed, rss });
    } else void gateway.close().then(() => process.exit(0));
  });
  process.send?.({ port: gateway.port, controlUrl: gateway.controlUrl });
}

async function post(served: Served, path: string, body: object): Promise<{ number: number | null; over: boolean }> {
  const response = await fetch(`${served.controlUrl}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as { number: number | null; over: boolean };
}

async function isOver(served: Served): Promise<boolean> {
  const status = (await (await fetch(`${served.controlUrl}/status`)).json()) as { over: boolean };
  return status.over;
}

async function executionsOf(served: Served): Promise<number> {
  const truth = (await (await fetch(`${served.controlUrl}/truth`)).json()) as { executions: readonly unknown[] };
  return truth.executions.length;
}

/** placeOrder at server version 178. */
function marketOrder(orderId: number, symbol: string, action: string): readonly (string | number)[] {
  const fields: (string | number)[] = Array<string>(114).fill('');
  const contract = ['0', symbol, 'STK', '', '0', '', '', 'SMART', '', 'USD', '', ''];
  fields.splice(0, 2, 3, orderId);
  fields.splice(2, contract.length, ...contract);
  fields.splice(16, 3, action, 10, 'MKT');
  fields[21] = 'DAY';
  fields[27] = 1;
  return fields;
}

async function ticks(): Promise<string> {
  const served = await serve(3);
  const clients = await Promise.all(Array.from({ length: CLIENTS }, (_, id) => CountingClient.start(served.port, id)));
  for (const client of clients) {
    for (const [index, symbol] of SYMBOLS.entries()) {
      client.subscribe(index + 1, symbol, 'quotes');
      client.subscribe(index + 101, symbol, 'trades');
    }
    await client.barrier();
  }
  const before = clients.reduce((sum, client) => sum + client.ticks, 0);
  const start = performance.now();
  await post(served, '/resume', {});
  while (!(await isOver(served))) await new Promise((resolve) => setTimeout(resolve, 20));
  await Promise.all(clients.map((client) => client.barrier()));
  const seconds = (performance.now() - start) / 1000;
  const served_ = clients.reduce((sum, client) => sum + client.ticks, 0) - before;
  const bytes = clients.reduce((sum, client) => sum + client.bytes, 0);
  for (const client of clients) client.close();
  await served.close();
  return `- ticks to ${CLIENTS} clients, quotes and trades of ${SYMBOLS.length} symbols each, 2 sessions at maximum speed: ${count(served_ / seconds)} messages/s (${count(served_)} in ${seconds.toFixed(1)} s, ${(bytes / 1e6).toFixed(0)} MB; the clients, in one process, count every frame)`;
}

async function lockstep(): Promise<string> {
  const served = await serve(2);
  await post(served, '/lockstep/runners', { runner: 'bench' });
  const client = await CountingClient.start(served.port, 1);
  for (const [index, symbol] of SYMBOLS.entries())
    client.send(50, 3, index + 1, '0', symbol, 'STK', '', '0', '', '', 'SMART', '', 'USD', '', '', 5, 'TRADES', 1, '');
  await client.barrier();
  const start = performance.now();
  await post(served, '/resume', {});
  const first = (await (await fetch(`${served.controlUrl}/lockstep/next?after=0`)).json()) as { number: number };
  let number: number | null = first.number;
  let bars = 0;
  while (number !== null) {
    bars++;
    // what a runner does: read what has come, decide, send, make sure that it has arrived, acknowledge
    await client.barrier();
    await client.barrier();
    number = (await post(served, '/lockstep/ack', { runner: 'bench', number, wait_ms: 10_000 })).number;
  }
  const seconds = (performance.now() - start) / 1000;
  client.close();
  await served.close();
  return `- a day in lockstep: ${bars} boundaries of one-minute bars of ${SYMBOLS.length} symbols with 5-second bars, two round trips and an acknowledgement each: ${seconds.toFixed(1)} s (${((seconds * 1000) / bars).toFixed(1)} ms a boundary)`;
}

async function soak(minutes: number): Promise<string> {
  const until = performance.now() + minutes * 60_000;
  const heap: number[] = [];
  let messages = 0;
  let visits = 0;
  let replays = 0;
  let executions = 0;
  let first = NaN;
  let last = NaN;
  while (performance.now() < until) {
    const served = await serve(60);
    replays++;
    const steady = await CountingClient.start(served.port, 1000);
    for (const [index, symbol] of SYMBOLS.entries()) steady.subscribe(index + 1, symbol, 'quotes');
    await steady.barrier();
    await post(served, '/resume', {});
    const samples: number[] = [];
    while (performance.now() < until && !(await isOver(served))) {
      const client = await CountingClient.start(served.port, 1 + (visits % 900));
      visits++;
      for (const [index, symbol] of SYMBOLS.entries()) client.subscribe(index + 1, symbol, 'trades');
      await client.barrier();
      client.send(...marketOrder(1_000_000 + visits, SYMBOLS[visits % 10], visits % 2 === 0 ? 'BUY' : 'SELL'));
      await new Promise((resolve) => setTimeout(resolve, 50));
      await client.barrier();
      messages += client.frames;
      client.close();
      if (visits % 20 === 0) samples.push((await served.memory()).heapUsed);
    }
    messages += steady.frames;
    steady.close();
    executions += await executionsOf(served);
    const { rss } = await served.memory();
    heap.push(...samples);
    first = Number.isNaN(first) ? samples[Math.floor(samples.length * 0.2)] : first;
    last = samples.at(-1) ?? last;
    process.stderr.write(
      `replay ${replays}: ${visits} visits, heap ${samples.map((bytes) => (bytes / 1e6).toFixed(0)).join(' ')} MB, rss ${(rss / 1e6).toFixed(0)} MB\n`,
    );
    await served.close();
  }
  return `- soak: ${minutes} minutes at maximum speed, ${count(messages)} messages, ${visits} clients that came, subscribed, traded (${count(executions)} executions in the broker's books) and went, ${replays} replays of 60 sessions; heap after garbage collection ${(first / 1e6).toFixed(0)} MB early and ${(last / 1e6).toFixed(0)} MB at the end, at most ${(Math.max(...heap) / 1e6).toFixed(0)} MB`;
}

const count = (value: number): string => Math.round(value).toLocaleString('en-US');

if (values.serve !== undefined) await beServed(Number(values.serve));
else {
  const parts = positionals.length === 0 ? ['ticks', 'lockstep', 'soak'] : positionals;
  const lines: string[] = [];
  if (parts.includes('ticks')) lines.push(await ticks());
  if (parts.includes('lockstep')) lines.push(await lockstep());
  if (parts.includes('soak')) lines.push(await soak(Number(values.minutes)));
  const text = [...lines, `\nMade by \`node dist/bench/gateway.js\` on ${machineText(thisMachine())}.`].join('\n');
  process.stdout.write(`${text}\n`);
  // the soak takes long and is made by itself
  if (values.doc !== undefined)
    writeIntoPage(values.doc, parts.includes('soak') ? 'gateway-soak' : 'gateway-bench', text);
}

/**
 * From the tick to the order: the time between the socket's data that closes a bar and the write of the last order of
 * the bracket that the policy decides upon. Bar, features, network, rules, journal (synced to the disk) and encoding lie
 * between them. The gateway is a process of its own; the socket itself is watched.
 *   node dist/bench/live-latency.js [--entries 100] [--journal FOLDER] [--doc FILE]
 */
import { fork } from 'node:child_process';
import diagnostics from 'node:diagnostics_channel';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DEFAULT_MARKET_CONFIG } from '#env/market/config.js';
import { ACCOUNT_FEATURE_COUNT, FEATURE_SETS } from '#env/market/observation/index.js';
import { RandomStream } from '#env/seeding.js';
import { createSimdEngine } from '#agents/policy/simd/engine.js';
import { IbBroker } from '#src/broker/ib-broker.js';
import { syntheticBars } from '#src/data/synthetic.js';
import { startGateway } from '#src/gateway/start-gateway.js';
import { DEFAULT_CARE, DEFAULT_RISK } from '#src/live/core/config.js';
import type { Decider } from '#src/live/core/decider.js';
import { Journal } from '#src/live/shell/journal.js';
import { Runner } from '#src/live/shell/runner.js';
import { machineText, table, thisMachine, writeIntoPage } from './report.js';

const ACCOUNT = 'DU1234567';
const CASH = 100_000;
/** Market seconds a wall second: a one-minute bar every 300 ms, so that ticks seldom share a packet. */
const SPEED = 200;
const SESSIONS = 6;
const TARGET_P99_MS = 10;
const PLACE_ORDER = '3\0';
const STOP = 0.004;
/** Entry, two stages with stop and target each, and the rest's stop. */
const STAGES = [
  { gain: 0.003, fraction: 0.5 },
  { gain: 0.006, fraction: 0.3 },
];
/** Orders that warm the process up. */
const FIRST = 10;
const BRACKET = 2 + 2 * STAGES.length;

const { values } = parseArgs({
  options: {
    entries: { type: 'string', default: '100' },
    journal: { type: 'string', default: tmpdir() },
    doc: { type: 'string' },
    serve: { type: 'boolean', default: false },
  },
});

/** SYNTHETIC. */
const bars = syntheticBars({
  name: 'latency',
  seed: 1,
  from: '2020-01-02',
  sessions: SESSIONS,
  start_price: 100,
  regimes: [{ annual_volatility: 0.3, mean_sessions: 5 }],
  overnight_share: 0.3,
  session_volume: 5_000_000,
  annual_drift: 0,
  instrument: {
    symbol: 'SYN',
    securityType: 'STK',
    currency: 'USD',
    exchange: 'SMART',
    ticks: [{ lowEdge: 0, increment: 0.01 }],
    lotSize: 1,
  },
  interval: { label: '1m', ms: 60_000 },
  calendar: 'XNYS',
});

/** A network of the usual size is asked; it enters and leaves in turn, whatever it says. */
function policy(): Decider {
  const observationSize = FEATURE_SETS.v1.marketFeatures.length + ACCOUNT_FEATURE_COUNT;
  const engine = createSimdEngine(
    {
      observationSize,
      action: { kind: 'discrete', n: 3 },
      netArch: { pi: [64, 64], vf: [64, 64] },
      activation: 'tanh',
      orthoInit: true,
      logStdInit: 0,
    },
    { init: new RandomStream(1, 'policy/init') },
  );
  const output = { actions: new Float32Array(1), logProbs: new Float32Array(1), values: new Float32Array(1) };
  return {
    decide: (observation, mask, probabilities) => {
      engine.act(output, observation, mask, null, 1);
      engine.distribution(probabilities, observation, mask, 1);
      return mask === null || mask[1] === 1 ? 1 : 2;
    },
  };
}

/** Times of what the client's socket reads and writes. */
class SocketWatch {
  readAtMs = NaN;
  readonly brackets: number[] = [];
  /** Shares of each: until the trader has decided, until that is on the disk, until the last write. */
  readonly parts: (readonly [number, number, number])[] = [];
  /** Processor time of the process over the whole way, ms: what the machine's other work does not add to. */
  readonly processorMs: number[] = [];
  #usage = process.cpuUsage();
  heardAtMs = NaN;
  durableAtMs = NaN;
  #orders = 0;

  watch(socket: Socket): void {
    socket.prependListener('data', () => {
      this.readAtMs = performance.now();
      this.#usage = process.cpuUsage();
      this.#orders = 0;
    });
    // connecting restores a socket's own write
    socket.once('connect', () => this.#watchWrites(socket));
  }

  #watchWrites(socket: Socket): void {
    const write = socket.write.bind(socket);
    // the client's library gives the message alone
    socket.write = (chunk: string | Uint8Array): boolean => {
      const written = write(chunk);
      const text =
        typeof chunk === 'string'
          ? chunk
          : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
      // four bytes of length stand before the message
      if (!text.startsWith(PLACE_ORDER, 4) || ++this.#orders !== BRACKET) return written;
      const nowMs = performance.now();
      this.brackets.push(nowMs - this.readAtMs);
      const { user, system } = process.cpuUsage(this.#usage);
      this.processorMs.push((user + system) / 1000);
      this.parts.push([this.heardAtMs - this.readAtMs, this.durableAtMs - this.heardAtMs, nowMs - this.durableAtMs]);
      return written;
    };
  }
}

async function serve(): Promise<void> {
  const gateway = await startGateway({
    bars: [bars],
    port: 0,
    controlPort: null,
    speed: SPEED,
    account: ACCOUNT,
    initialCash: CASH,
    requestsPerSecond: 10_000,
  });
  process.on('disconnect', () => void gateway.close().then(() => process.exit(0)));
  process.send?.(gateway.port);
}

async function measure(): Promise<void> {
  const wanted = Number(values.entries);
  const watch = new SocketWatch();
  const folder = mkdtempSync(path.join(values.journal, 'openbell-latency-'));
  const child = fork(fileURLToPath(import.meta.url), ['--serve']);
  const port = await new Promise<number>((resolve) => child.once('message', (said: number) => resolve(said)));
  diagnostics.subscribe('net.client.socket', (message) => {
    if (hasSocket(message)) watch.watch(message.socket);
  });
  const journal = Journal.open(path.join(folder, 'journal.db'));
  const runner = new Runner({
    broker: new IbBroker({
      host: '127.0.0.1',
      port,
      clientId: 1,
      account: ACCOUNT,
      pace: { messagesPerSecond: 10_000, keptForOrders: 1_000 },
    }),
    journal,
    config: {
      account: ACCOUNT,
      tag: 'ob1',
      symbols: [{ symbol: 'SYN', instrument: bars.instrument, sleeveEquity: CASH }],
      interval: bars.interval,
      calendar: bars.calendar,
      featureSet: 'v1',
      warmup: 60,
      anchorMs: null,
      market: {
        ...DEFAULT_MARKET_CONFIG,
        initial_equity: CASH,
        exits: { ...DEFAULT_MARKET_CONFIG.exits, initial_stop: STOP, take_profit: STAGES },
      },
      risk: { ...DEFAULT_RISK, max_daily_loss: null, max_drawdown: null, max_orders_per_minute: 1e9 },
      care: DEFAULT_CARE,
    },
    decider: policy(),
    onStep: (step) => {
      if (step === 'heard') watch.heardAtMs = performance.now();
      else if (step === 'durable') watch.durableAtMs = performance.now();
    },
  });
  runner.start();
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const deadlineMs = performance.now() + (SESSIONS * 390 * 60_000) / SPEED;
  while (watch.brackets.length < wanted && performance.now() < deadlineMs)
    await new Promise((resolve) => setTimeout(resolve, 100));
  await runner.end();
  child.disconnect();
  await ended;
  rmSync(folder, { recursive: true });

  // the first orders of a process run code that is not compiled yet: told apart, since a process lives for weeks
  const first = watch.brackets.slice(0, FIRST).sort((a, b) => a - b);
  const sorted = watch.brackets.slice(FIRST).sort((a, b) => a - b);
  if (sorted.length < FIRST) throw new Error(`only ${watch.brackets.length} brackets left within the time`);
  const of = (times: readonly number[], share: number): number =>
    times[Math.min(Math.floor(share * times.length), times.length - 1)];
  const rowOf = (name: string, times: readonly number[]): string[] => [
    name,
    String(times.length),
    ...[0.5, 0.9, 0.99, 1].map((share) => `${of(times, share).toFixed(2)} ms`),
  ];
  const part = (index: number): number[] =>
    watch.parts
      .slice(FIRST)
      .map((times) => times[index])
      .sort((a, b) => a - b);
  const p99 = of(sorted, 0.99);
  const text = [
    table(
      ['', 'brackets', 'p50', 'p90', 'p99', 'longest'],
      [
        rowOf('the first of the process', first),
        rowOf('all after them', sorted),
        rowOf('- read, bar, features, network, rules', part(0)),
        rowOf('- journal', part(1)),
        rowOf('- orders encoded and written', part(2)),
        rowOf(
          'processor time of all of it',
          watch.processorMs.slice(FIRST).sort((a, b) => a - b),
        ),
      ],
    ),
    `From the socket's data to the write of the last of ${BRACKET} orders. ${machineText(thisMachine())}.`,
    `p99 ${p99 < TARGET_P99_MS ? 'below' : 'NOT below'} ${TARGET_P99_MS} ms.`,
  ].join('\n\n');
  process.stdout.write(`${text}\n`);
  if (values.doc !== undefined) writeIntoPage(values.doc, 'latency', text);
  if (p99 >= TARGET_P99_MS) process.exitCode = 1;
}

function hasSocket(message: unknown): message is { readonly socket: Socket } {
  return typeof message === 'object' && message !== null && 'socket' in message;
}

await (values.serve ? serve() : measure());

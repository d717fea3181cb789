/**
 * From the tick to the order: the time from a bar's closing data to the write of the last order of the bracket that the
 * policy decides upon. Bar, features, network, rules, journal (synced to the disk), encoding lie between them; the logs
 * are written as in live trading. The gateway is a process of its own: the way begins where it writes the bar to its
 * socket, so that whatever the runner is busy with counts, and the sockets themselves are watched.
 *   node dist/bench/live-latency.js [--entries 400] [--journal FOLDER] [--doc FILE]
 */
import { fork } from 'node:child_process';
import diagnostics from 'node:diagnostics_channel';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DEFAULT_MARKET_CONFIG } from '#env/market/config.js';
import { usShare } from '#env/market/instrument.js';
import { ACCOUNT_FEATURE_COUNT, FEATURE_SETS } from '#env/market/observation/index.js';
import { RandomStream } from '#env/seeding.js';
import { createSimdEngine } from '#agents/policy/simd/engine.js';
import { IbBroker } from '#src/broker/ib-broker.js';
import { syntheticBars } from '#src/data/synthetic.js';
import { startGateway } from '#src/gateway/start-gateway.js';
import { DEFAULT_CARE, DEFAULT_RISK } from '#src/live/core/config.js';
import type { Decider } from '#src/live/core/decider.js';
import type { DecisionRecord, TraderIntent } from '#src/live/core/intents.js';
import { Journal } from '#src/live/shell/journal.js';
import { DeploymentLogs } from '#src/live/shell/logs.js';
import { Runner, type RunnerStep } from '#src/live/shell/runner.js';
import { machineText, table, thisMachine, writeIntoPage } from './report.js';

const ACCOUNT = 'DU1234567';
const CASH = 100_000;
/** Market seconds a wall second: a one-minute bar every 300 ms, so that ticks seldom share a packet. */
const SPEED = 200;
const SESSIONS = 8;
const TARGET_P99_MS = 10;
const PLACE_ORDER = '3\0';
const REAL_TIME_BAR = '50\0';
const LENGTH_BYTES = 4;
const STOP = 0.004;
/** Entry, two stages with stop and target each, and the rest's stop. */
const STAGES = [
  { gain: 0.003, fraction: 0.5 },
  { gain: 0.006, fraction: 0.3 },
];
const BRACKET = 2 + 2 * STAGES.length;
/** What a bracket's transaction writes, about. */
const SYNCED_BYTES = 24_576;
/** Brackets without which a quantile says nothing. */
const FEWEST = 20;
const BAR_MS = 60_000;
const FIVE_SECONDS_MS = 5_000;

const { values } = parseArgs({
  options: {
    entries: { type: 'string', default: '400' },
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
  instrument: usShare('SYN'),
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

/** One clock for all processes of the machine. */
const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Stages of one bracket's way, ms of `nowMs`. */
interface Way {
  /** The bar's last five seconds, as the gateway names them: epoch seconds. */
  readonly barSeconds: number;
  readonly readMs: number;
  readonly heardMs: number;
  readonly durableMs: number;
  readonly writtenMs: number;
  /** Processor time of the process from the read to the last write, ms. */
  readonly processorMs: number;
}

/** What the client's socket reads and writes, and what the runner does between. */
class Watch {
  readonly ways: Way[] = [];
  /** From the data with a fill to the write of the last resized or new stop and target, ms. */
  readonly repairsMs: number[] = [];
  /** Brackets whose decision waited for an order to end: no way from a bar. */
  deferred = 0;
  #readMs = NaN;
  #readBar = false;
  #heardMs = NaN;
  #durableMs = NaN;
  #usage = process.cpuUsage();
  #decided: DecisionRecord | null = null;
  #filled = false;
  /** Order messages of this batch that are still to be written. */
  #left = 0;

  step(step: RunnerStep, intents: readonly TraderIntent[]): void {
    if (step === 'durable') this.#durableMs = nowMs();
    if (step !== 'heard') return;
    this.#heardMs = nowMs();
    const enters = intents.some((intent) => intent.type === 'place' && intent.order.role === 'entry');
    const decision = intents.find((intent) => intent.type === 'decision');
    this.#decided = enters && decision !== undefined ? decision.decision : null;
    this.#filled = intents.some(({ type }) => type === 'trade');
    this.#left = intents.filter(({ type }) => type === 'place' || type === 'modify').length;
  }

  watch(socket: Socket): void {
    socket.prependListener('data', (chunk: Buffer) => {
      this.#readMs = nowMs();
      this.#usage = process.cpuUsage();
      this.#readBar = messagesIn(chunk).some((text) => text.startsWith(REAL_TIME_BAR));
    });
    // connecting restores a socket's own write
    socket.once('connect', () =>
      watchWrites(socket, (chunk) => {
        if (messagesIn(chunk).some((text) => text.startsWith(PLACE_ORDER)) && --this.#left === 0) this.#written();
      }),
    );
  }

  #written(): void {
    const writtenMs = nowMs();
    const decided = this.#decided;
    if (decided === null) {
      if (this.#filled) this.repairsMs.push(writtenMs - this.#readMs);
      return;
    }
    if (!this.#readBar) {
      this.deferred++;
      return;
    }
    const { user, system } = process.cpuUsage(this.#usage);
    this.ways.push({
      barSeconds: (decided.barOpenMs + BAR_MS - FIVE_SECONDS_MS) / 1000,
      readMs: this.#readMs,
      heardMs: this.#heardMs,
      durableMs: this.#durableMs,
      writtenMs,
      processorMs: (user + system) / 1000,
    });
  }
}

/** Whole messages of a piece of the stream: four bytes of length, then fields that end with NUL. */
function messagesIn(chunk: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at + LENGTH_BYTES <= chunk.length; at += LENGTH_BYTES + chunk.readUInt32BE(at))
    found.push(chunk.toString('latin1', at + LENGTH_BYTES, at + LENGTH_BYTES + chunk.readUInt32BE(at)));
  return found;
}

/** Calls `written` after each write of a socket. Both sides give the message alone. */
function watchWrites(socket: Socket, written: (chunk: Buffer) => void): void {
  const write = socket.write.bind(socket);
  socket.write = (chunk: string | Uint8Array): boolean => {
    const taken = write(chunk);
    written(bytesOf(chunk));
    return taken;
  };
}

const bytesOf = (chunk: string | Uint8Array): Buffer =>
  typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);

/** The gateway. Says its port; asked at the end, when it began to write each five-second bar. */
async function serve(): Promise<void> {
  const sent = new Map<number, number>();
  diagnostics.subscribe('net.server.socket', (message) => {
    if (!hasSocket(message)) return;
    const { socket } = message;
    const write = socket.write.bind(socket);
    socket.write = (chunk: string | Uint8Array): boolean => {
      const beganMs = nowMs();
      for (const text of messagesIn(bytesOf(chunk)))
        if (text.startsWith(REAL_TIME_BAR)) sent.set(Number(text.split('\0')[3]), beganMs);
      return write(chunk);
    };
  });
  const gateway = await startGateway({
    bars: [bars],
    port: 0,
    controlPort: null,
    speed: SPEED,
    account: ACCOUNT,
    initialCash: CASH,
    requestsPerSecond: 10_000,
  });
  process.on('message', () => process.send?.([...sent]));
  process.on('disconnect', () => void gateway.close().then(() => process.exit(0)));
  process.send?.(gateway.port);
}

async function measure(): Promise<void> {
  const wanted = Number(values.entries);
  const watch = new Watch();
  const folder = mkdtempSync(path.join(values.journal, 'openbell-latency-'));
  const child = fork(fileURLToPath(import.meta.url), ['--serve']);
  const port = await new Promise<number>((resolve) => child.once('message', (said: number) => resolve(said)));
  diagnostics.subscribe('net.client.socket', (message) => {
    if (hasSocket(message)) watch.watch(message.socket);
  });
  const journal = Journal.open(path.join(folder, 'journal.db'));
  const logs = new DeploymentLogs(folder, 'info');
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
    listener: logs,
    onStep: (step, intents) => watch.step(step, intents),
  });
  runner.start();
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const deadlineMs = performance.now() + (SESSIONS * 390 * 60_000) / SPEED;
  const disk = await open(path.join(folder, 'bare'), 'w');
  const syncsMs: number[] = [];
  while (watch.ways.length < wanted && performance.now() < deadlineMs) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    // off the main thread: what the disk takes of itself, while others may use it
    await disk.write(Buffer.alloc(SYNCED_BYTES));
    const beganMs = nowMs();
    await disk.sync();
    syncsMs.push(nowMs() - beganMs);
  }
  await disk.close();
  await runner.end();
  logs.close();
  const sentMs = await new Promise<ReadonlyMap<number, number>>((resolve) => {
    child.once('message', (said: [number, number][]) => resolve(new Map(said)));
    child.send('sent');
  });
  child.disconnect();
  await ended;
  rmSync(folder, { recursive: true });
  report(watch, syncsMs, sentMs);
}

function report(
  { ways, repairsMs, deferred }: Watch,
  syncsMs: readonly number[],
  sentMs: ReadonlyMap<number, number>,
): void {
  const whole = ways.flatMap((way) => {
    const beganMs = sentMs.get(way.barSeconds);
    return beganMs === undefined ? [] : [{ ...way, beganMs }];
  });
  if (whole.length < FEWEST) throw new Error(`only ${whole.length} brackets within the time`);
  const row = (name: string, all: typeof whole, lasted: (way: (typeof whole)[number]) => number): string[] =>
    rowOf(name, all.map(lasted));
  const way = ({ beganMs, writtenMs }: (typeof whole)[number]): number => writtenMs - beganMs;
  const p99 = quantile(whole.map(way), 0.99);
  const text = [
    table(
      ['', 'samples', 'p50', 'p90', 'p99', 'longest'],
      [
        row('the whole way', whole, way),
        row('- on the way through the sockets', whole, ({ beganMs, readMs }) => readMs - beganMs),
        row('- read, bar, features, network, rules', whole, ({ readMs, heardMs }) => heardMs - readMs),
        row('- journal', whole, ({ heardMs, durableMs }) => durableMs - heardMs),
        row('- orders encoded and written', whole, ({ durableMs, writtenMs }) => writtenMs - durableMs),
        row('processor time of the last three', whole, ({ processorMs }) => processorMs),
        row('the first of the process', whole.slice(0, 1), way),
        rowOf('a bare sync of that disk, meanwhile', syncsMs),
        rowOf('a fill: to the last stop or target that it resizes', repairsMs),
      ],
    ),
    `A bracket is ${BRACKET} orders; its way begins as the gateway writes the bar's last five seconds to its socket. ${deferred} more were decided later, as an order was still open. ${machineText(thisMachine())}.`,
    `p99 ${p99 < TARGET_P99_MS ? 'below' : 'NOT below'} ${TARGET_P99_MS} ms.`,
  ].join('\n\n');
  process.stdout.write(`${text}\n`);
  if (values.doc !== undefined) writeIntoPage(values.doc, 'latency', text);
  if (p99 >= TARGET_P99_MS) process.exitCode = 1;
}

function quantile(times: readonly number[], share: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)];
}

const rowOf = (name: string, times: readonly number[]): string[] => [
  name,
  String(times.length),
  ...[0.5, 0.9, 0.99, 1].map((share) => `${quantile(times, share).toFixed(2)} ms`),
];

function hasSocket(message: unknown): message is { readonly socket: Socket } {
  return typeof message === 'object' && message !== null && 'socket' in message;
}

await (values.serve ? serve() : measure());

/**
 * What the live runner costs to have: the time from the start of its process until it may trade (modules, pre-flight,
 * reconciliation, the bars of the warm-up), and its memory then and after an hour of the market, against the simulated
 * gateway, each a process of its own. And how long the commands take that a person waits for.
 *   node dist/bench/live-runner.js [--symbols 1,10] [--minutes 60] [--doc FILE]
 */
import { fork, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import type { Bars } from '#env/market/bars.js';
import { DEFAULT_MARKET_CONFIG } from '#env/market/config.js';
import { usShare } from '#env/market/instrument.js';
import { syntheticBars } from '#src/data/synthetic.js';
import { startGateway } from '#src/gateway/start-gateway.js';
import { ask, controlSocketPath } from '#src/live/shell/control-socket.js';
import { Registry } from '#src/registry/registry.js';
import { bareBundle } from './bare-bundle.js';
import { machineText, ROOT, table, thisMachine, writeIntoPage } from './report.js';

const SPEED = 60;
const MINUTE_MS = 60_000;
const MAIN = path.join(ROOT, 'dist', 'src', 'cli', 'main.js');
const REPEATS = 5;
const COMMANDS = [
  ['--help'],
  ['--version'],
  ['live', '--help'],
  ['live', 'status'],
  ['paper', '--help'],
  ['train', '--help'],
];

const { values } = parseArgs({
  options: {
    symbols: { type: 'string', default: '1,10' },
    minutes: { type: 'string', default: '60' },
    doc: { type: 'string' },
    serve: { type: 'string' },
  },
});
const accountOf = (symbols: number): string => `DU77${process.pid}${symbols}`;

/** SYNTHETIC. */
const marketOf = (symbols: number): Bars[] =>
  Array.from({ length: symbols }, (_, index) =>
    syntheticBars({
      name: `runner-${index}`,
      seed: index,
      from: '2020-01-02',
      sessions: 3,
      start_price: 100,
      regimes: [{ annual_volatility: 0.3, mean_sessions: 5 }],
      overnight_share: 0.3,
      session_volume: 5_000_000,
      annual_drift: 0,
      instrument: usShare(`SYN${index}`),
      interval: { label: '1m', ms: MINUTE_MS },
      calendar: 'XNYS',
    }),
  );

async function serve(symbols: number): Promise<void> {
  const gateway = await startGateway({
    bars: marketOf(symbols),
    port: 0,
    controlPort: null,
    // as fast as the world while the runner starts: what it then waits for is what it would wait for there
    speed: 1,
    account: String(process.env['ACCOUNT']),
    // within the second session
    startTimeMs: Date.parse('2020-01-03T10:00:00-05:00'),
  });
  process.on('message', () => gateway.control.setSpeed(SPEED));
  process.on('disconnect', () => void gateway.close().then(() => process.exit(0)));
  process.send?.(gateway.port);
}

/** A network of the usual size that has learned nothing. */
function promote(registry: Registry, bars: readonly Bars[], account: string): void {
  const bundle = registry.store(
    bareBundle({
      name: 'bench',
      description: 'Has learned nothing',
      hidden: [64, 64],
      warmup: 300,
      instruments: bars.map(({ instrument }) => instrument),
      market: { ...DEFAULT_MARKET_CONFIG, exits: { ...DEFAULT_MARKET_CONFIG.exits, initial_stop: 0.01 } },
    }),
  );
  registry.point('live', bundle.sha256, { action: 'promote', reason: 'bench', evidence: null, account });
}

const STATUS = z.object({
  status: z.looseObject({
    ready: z.literal(true),
    memory: z.object({ rss: z.number(), heapUsed: z.number() }),
    symbols: z.array(z.looseObject({ warm: z.literal(true) })),
  }),
});

/** null: it does not trade yet. */
async function memoryOf(account: string): Promise<{ rss: number; heapUsed: number } | null> {
  const parsed = STATUS.safeParse(await ask(controlSocketPath(account), { ask: 'status' }));
  return parsed.success ? parsed.data.status.memory : null;
}

const wait = (waitMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, waitMs));
const exitOf = (child: ChildProcess): Promise<void> => new Promise((resolve) => child.once('exit', () => resolve()));

async function measure(symbols: number, minutes: number): Promise<string[]> {
  const account = accountOf(symbols);
  const folder = mkdtempSync(path.join(tmpdir(), 'openbell-runner-'));
  promote(new Registry(path.join(folder, 'registry')), marketOf(symbols), account);
  const gateway = fork(fileURLToPath(import.meta.url), ['--serve', String(symbols)], {
    env: { ...process.env, ACCOUNT: account },
  });
  const port = await new Promise<number>((resolve) => gateway.once('message', (said: number) => resolve(said)));
  const beganMs = performance.now();
  const runner = spawn(process.execPath, [MAIN, 'live', `--confirm=${account}`, '--simulated'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      IB_HOST: '127.0.0.1',
      IB_PORT: String(port),
      OPENBELL_REGISTRY_DIR: path.join(folder, 'registry'),
      OPENBELL_TRADING_DIR: path.join(folder, 'trading'),
    },
  });
  let said = '';
  runner.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended = exitOf(runner);
  let ready: Awaited<ReturnType<typeof memoryOf>> = null;
  while (ready === null) {
    if (runner.exitCode !== null) throw new Error(`the runner ended: ${said}`);
    ready = await memoryOf(account);
    if (ready === null) await wait(10);
  }
  const readyMs = performance.now() - beganMs;
  gateway.send('faster');
  await wait((minutes * MINUTE_MS) / SPEED);
  const later = await memoryOf(account);
  runner.kill('SIGTERM');
  await ended;
  gateway.disconnect();
  await exitOf(gateway);
  rmSync(folder, { recursive: true });
  if (later === null) throw new Error(`the runner did not last: ${said}`);
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
  return [
    String(symbols),
    `${(readyMs / 1000).toFixed(2)} s`,
    megabytes(ready.rss),
    megabytes(ready.heapUsed),
    megabytes(later.rss),
    megabytes(later.heapUsed),
  ];
}

function commandRow(args: readonly string[]): string[] {
  const times = Array.from({ length: REPEATS }, () => {
    const beganMs = performance.now();
    spawnSync(process.execPath, [MAIN, ...args], {
      stdio: 'ignore',
      env: { ...process.env, OPENBELL_TRADING_DIR: tmpdir() },
    });
    return performance.now() - beganMs;
  }).sort((a, b) => a - b);
  return [`openbell ${args.join(' ')}`, `${times[REPEATS >> 1].toFixed(0)} ms`, `${times[0].toFixed(0)} ms`];
}

async function main(): Promise<void> {
  const minutes = Number(values.minutes);
  const rows: string[][] = [];
  for (const symbols of values.symbols.split(',')) rows.push(await measure(Number(symbols), minutes));
  const text = [
    table(
      ['symbols', 'until it may trade', 'RSS', 'heap in use', `RSS, ${minutes} minutes of market later`, 'heap in use'],
      rows,
    ),
    table(['command', `median of ${REPEATS}`, 'quickest'], COMMANDS.map(commandRow)),
    `One-minute bars, ${SPEED} market seconds a second once it may trade, a network of 64x64, 300 bars of warm-up. ${machineText(thisMachine())}.`,
  ].join('\n\n');
  process.stdout.write(`${text}\n`);
  if (values.doc !== undefined) writeIntoPage(values.doc, 'runner', text);
}

await (values.serve === undefined ? main() : serve(Number(values.serve)));

/**
 * openbell live against the simulated gateway, each a process of its own: killed while it holds, it takes its journal
 * up again, finds its position and its stops at the broker, and goes on. The gateway's own books are the judge.
 */
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { DEFAULT_MARKET_CONFIG } from '#env/market/config.js';
import { loadDataset } from '#src/data/load.js';
import { Registry } from '#src/registry/registry.js';
import { bundleThatAlways, BUY } from '../support/bundles.js';
import { openbell, root, startOpenbell, startProcess, type Answer, type Started } from './openbell.js';

/** Of its own, since the lock is the account's, wherever its journal lies. */
const ACCOUNT = `DU${process.pid}`;
const PATIENCE = { timeout: 60_000, interval: 50 };
const TRUTH = z.object({
  positions: z.array(z.object({ position: z.number() })),
  orders: z.array(
    z.object({
      order: z.object({ orderRef: z.string(), orderType: z.string() }),
      status: z.string(),
      remaining: z.number(),
    }),
  ),
});

let folder: string;
let gateway: Started;
let url: string;
let environment: Record<string, string>;
let symbol: string;
/** What a failing test may leave alive. */
const runners: Started[] = [];

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'openbell-live-'));
  const registry = new Registry(path.join(folder, 'registry'));
  const { instrument } = await loadDataset('synthetic-intraday');
  symbol = instrument.symbol;
  const exits = { ...DEFAULT_MARKET_CONFIG.exits, initial_stop: 0.05, take_profit: [{ gain: 0.05, fraction: 0.5 }] };
  const bundle = registry.store(bundleThatAlways(BUY, instrument, { exits }));
  const change = { action: 'promote', reason: 'test', evidence: null } as const;
  registry.point('live', bundle.sha256, { ...change, account: ACCOUNT });
  registry.point('paper', bundle.sha256, change);
  gateway = startOpenbell(
    // before the open: a runner that comes within a bar asks for it again, no sooner than 15 s later
    `gateway --data synthetic-intraday --port 0 --speed 60 --account ${ACCOUNT} --start-at 2020-01-03T09:24:00-05:00 --json`.split(
      ' ',
    ),
    folder,
  );
  const said = await firstLine(gateway.child);
  const { port, controlUrl } = z.object({ port: z.number(), controlUrl: z.string() }).parse(JSON.parse(said));
  url = controlUrl;
  environment = {
    IB_PORT: String(port),
    OPENBELL_REGISTRY_DIR: path.join(folder, 'registry'),
    OPENBELL_TRADING_DIR: path.join(folder, 'trading'),
  };
}, 60_000);
afterAll(async () => {
  for (const { child, ended } of [...runners, gateway]) {
    child.kill('SIGKILL');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

const live = (...args: string[]): Answer => openbell(['live', ...args], folder, environment);
const trading = (...names: string[]): string => path.join(folder, 'trading', 'live', ACCOUNT, ...names);

const preload = pathToFileURL(path.join(root, 'test', 'support', 'loaded-modules.mjs')).href;
const modulesFile = (): string => path.join(folder, 'modules.txt');

/** The runner as a process, and what it has said so far. */
function startLive(...more: string[]): { started: Started; said: () => string } {
  const started = startOpenbell(['live', `--confirm=${ACCOUNT}`, '--simulated', ...more], folder, {
    ...environment,
    NODE_OPTIONS: `--import ${preload}`,
    LOADED_MODULES: modulesFile(),
  });
  runners.push(started);
  let text = '';
  started.child.stderr?.on('data', (said: string) => (text += said));
  return { started, said: () => text };
}

async function truth(): Promise<{ position: number; stops: string[]; entries: number; working: string[] }> {
  const { positions, orders } = TRUTH.parse(await (await fetch(`${url}/truth`)).json());
  const working = orders.filter(({ status }) => !['Filled', 'Cancelled', 'Inactive', 'ApiCancelled'].includes(status));
  return {
    position: positions.reduce((sum, one) => sum + one.position, 0),
    stops: working
      .filter(({ order }) => order.orderType === 'STP')
      .map(({ order, remaining }) => `${order.orderRef} ${remaining}`)
      .sort(),
    entries: orders.filter(({ order }) => order.orderRef.endsWith('-E')).length,
    working: working.map(({ order }) => order.orderRef).sort(),
  };
}

/** The whole entry filled, and stops for all of it. */
async function holds(): Promise<boolean> {
  const { position, stops, working } = await truth();
  return position > 0 && stopped(stops) === position && !working.some((ref) => ref.endsWith('-E'));
}

const fault = async (fault: object): Promise<void> => {
  const answer = await fetch(`${url}/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(fault),
  });
  expect(answer.ok ? '' : await answer.text()).toBe('');
};

const stopped = (stops: readonly string[]): number => stops.reduce((sum, text) => sum + Number(text.split(' ')[1]), 0);

describe('openbell live', () => {
  it('refuses what must not trade real money', async () => {
    expect(live()).toMatchObject({ code: 2, stderr: expect.stringContaining('--confirm=ACCOUNT') });
    expect(live(`--confirm=${ACCOUNT}`, '--alias', 'paper').stderr).toMatch(/LIVE_PREFLIGHT .*alias live/);
    expect(live('--confirm=U7654321', '--simulated').stderr).toMatch(/LIVE_PREFLIGHT .*does not manage .*U7654321/);
    // a clock of the past is no live market, unless it is said to be a replay
    const clock = live(`--confirm=${ACCOUNT}`);
    expect(clock.code).toBe(1);
    expect(clock.stderr).toMatch(/LIVE_PREFLIGHT .*"clock"/);
    const paper = openbell(['paper', '--gateway', '127.0.0.1:4001'], folder, environment);
    expect(paper.stderr).toMatch(/LIVE_PREFLIGHT .*4001.*real accounts/);
    expect((await truth()).entries).toBe(0);
  });

  it('survives kill -9 while it holds: position, stops and story', async () => {
    const first = startLive();
    await expect.poll(first.said, PATIENCE).toMatch(/entry {2}bought \d+ .*, holds \d+/);
    await expect.poll(holds, PATIENCE).toBe(true);
    first.started.child.kill('SIGKILL');
    expect(await first.started.ended).toMatchObject({ signal: 'SIGKILL' });

    const before = await truth();
    expect(before.position).toBeGreaterThan(0);
    expect(stopped(before.stops)).toBe(before.position);
    const dead = live('status');
    expect(dead.stdout).toContain('no runner is alive');
    expect(dead.stdout).toContain(`${symbol} holds ${before.position}`);

    const decided = lines('decisions.jsonl');
    const second = startLive();
    await expect.poll(second.said, PATIENCE).toContain(`reconciled: the broker holds ${before.position} ${symbol}`);
    expect(second.said()).toMatch(/goes on in DU\d+: \d+ events in/);
    for (const stop of before.stops) expect(second.said()).toContain(stop.split(' ')[0]);
    await expect.poll(() => lines('decisions.jsonl'), PATIENCE).toBeGreaterThan(decided);
    expect(live('status').stdout).toContain('connected and reconciled');
    // one account, one runner
    expect(live(`--confirm=${ACCOUNT}`, '--simulated').stderr).toContain('LIVE_LOCK');
    expect(await truth()).toEqual(before);

    second.started.child.kill('SIGTERM');
    expect(await second.started.ended).toMatchObject({ code: 0, signal: null });
    expect(second.said()).toContain(`${symbol} holds ${before.position}`);
    expect(await truth()).toEqual(before);
    expect(lines('trades.csv')).toBeGreaterThan(1);
  }, 120_000);

  it('has loaded the trader, and nothing that trains, draws or serves', () => {
    const loaded = readFileSync(modulesFile(), 'utf8').split('\n');
    const some = (part: string): string[] => loaded.filter((url) => url.includes(part)).slice(0, 3);
    for (const part of [
      '/dist/src/live/core/trader.js',
      '/dist/agents/policy/simd/engine.js',
      '/@stoqey/ib/',
      '/libsql/',
    ])
      expect(some(part)).not.toEqual([]);
    for (const part of ['/agents/ppo/', '/src/lab/', '/src/gateway/', '/src/paper/', '/src/promotion/', '/src/server/'])
      expect(some(`/dist${part}`)).toEqual([]);
    for (const name of ['@tensorflow', 'tfjs-node-native', 'vega', 'vega-lite', 'danfojs-node', 'esbuild', 'fastify'])
      expect(some(`/node_modules/${name}/`)).toEqual([]);
  });

  it('repeats every decision from the journal', () => {
    const replayed = live('replay', trading());
    expect(replayed).toMatchObject({ code: 0 });
    expect(replayed.stdout).toMatch(/events repeated: [1-9]\d* decisions and [1-9]\d* orders, all as the journal/);
  });

  it('leaves the position without a runner, when the account is said once more', async () => {
    expect(live('flatten')).toMatchObject({ code: 2, stderr: expect.stringContaining(`--confirm=${ACCOUNT}`) });
    const left = live('flatten', `--confirm=${ACCOUNT}`);
    expect(left).toMatchObject({ code: 0, stdout: expect.stringContaining(`${symbol} flat`) });
    expect(await truth()).toMatchObject({ position: 0, stops: [], working: [] });
    expect(lines('trades.csv')).toBeGreaterThan(2);
  });

  it('obeys its socket, and ends at once at the second signal, with its stops resting', async () => {
    const runner = startLive('--on-exit', 'close');
    await expect.poll(runner.said, PATIENCE).toMatch(/entry {2}bought \d+ .*, holds \d+/);
    await expect.poll(holds, PATIENCE).toBe(true);
    expect(live('pause')).toMatchObject({ code: 0, stdout: expect.stringContaining(', paused') });
    const before = await truth();
    expect(live('cancel-all')).toMatchObject({ code: 0, stdout: expect.stringContaining('stop   SELL') });
    expect(await truth()).toEqual(before);
    expect(live('status').stdout).toContain(`for ${ACCOUNT} (test); no gates were asked`);
    // an exit that is refused again and again: leaving takes long
    for (let exit = 0; exit < 12; exit++)
      await fault({ kind: 'reject_order', match: { action: 'SELL', order_type: 'MKT' } });
    runner.started.child.kill('SIGINT');
    await expect.poll(runner.said, PATIENCE).toContain('stopping: no more decisions');
    await expect.poll(runner.said, PATIENCE).toContain('Injected fault');
    const asked = performance.now();
    runner.started.child.kill('SIGINT');
    expect(await runner.started.ended).toMatchObject({ code: 130, signal: null });
    // it would have tried for a minute
    expect(performance.now() - asked).toBeLessThan(30_000);
    expect(await truth()).toEqual(before);
  }, 120_000);

  it('stops where its journal cannot be written, and what protects rests on', async () => {
    const before = await truth();
    expect(stopped(before.stops)).toBe(before.position);
    const file = path.join(root, 'dist', 'src', 'cli', 'main.js');
    // no file may grow beyond so many kilobytes: what a full disk says, to this process alone
    const runner = startProcess(
      'bash',
      ['-c', `ulimit -f 192; exec "$@"`, 'bash', process.execPath, file, 'live', `--confirm=${ACCOUNT}`, '--simulated'],
      folder,
      environment,
    );
    runners.push(runner);
    const { code, stderr } = await runner.ended;
    expect(stderr).toMatch(/LIVE_JOURNAL .*could not be written, so that nothing of this was sent/);
    expect(code).toBe(1);
    expect(await truth()).toEqual(before);
  }, 120_000);
});

function lines(name: string): number {
  const file = trading(name);
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').length : 0;
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (more: string) => {
      text += more;
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
    });
    child.once('exit', () => reject(new Error('the gateway ended')));
  });
}

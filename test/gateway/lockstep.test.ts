/** Maximum speed: the market waits for runners at every bar boundary, and for slow readers always. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Gateway } from '#src/gateway/start-gateway.js';
import { CountingClient } from '../../bench/gateway-client.js';
import { gatewayOf, market, placeOrder176, RawClient, SYN } from '../support/gateway.js';

const open: { close(): void | Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});
async function gateway(options: Parameters<typeof gatewayOf>[0] = {}): Promise<Gateway> {
  const started = await gatewayOf({ speed: 'max', controlPort: 0, ...options });
  open.push(started);
  return started;
}
async function start(port: number, clientId: number): Promise<RawClient> {
  const client = await RawClient.start(port, clientId);
  open.push(client);
  return client;
}

async function call(gateway: Gateway, method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${gateway.controlUrl}${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(JSON.stringify(answer));
  return answer;
}

interface Boundary {
  readonly number: number | null;
  readonly time_ms: number;
  readonly over: boolean;
}
function isBoundary(value: unknown): value is Boundary {
  return typeof value === 'object' && value !== null && 'number' in value;
}
async function boundary(gateway: Gateway, method: string, path: string, body?: object): Promise<Boundary> {
  const answer = await call(gateway, method, path, body);
  if (!isBoundary(answer)) throw new Error(`no boundary: ${JSON.stringify(answer)}`);
  return answer;
}

/** A runner that buys at every 50th bar and sells 10 bars later; what it sees, as one text. */
async function run(seed: number, bars = 62): Promise<string> {
  const started = await gateway({ seed });
  await call(started, 'POST', '/lockstep/runners', { runner: 'one' });
  const client = await start(started.port, 3);
  client.send(50, 3, 1, ...SYN, 5, 'TRADES', 1, '');
  client.send(1, 11, 2, ...SYN, 0, '', 0, 0, '');
  await client.barrier();
  let at = await boundary(started, 'GET', '/lockstep/next?after=0&wait_ms=20000');
  let order = 1;
  for (let bar = 0; bar < bars && at.number !== null; bar++) {
    await client.barrier();
    if (bar % 50 === 0) client.send(...placeOrder176(order++, { action: 'BUY', quantity: 10, orderType: 'MKT' }));
    if (bar % 50 === 10) client.send(...placeOrder176(order++, { action: 'SELL', quantity: 10, orderType: 'MKT' }));
    await client.barrier();
    at = await boundary(started, 'POST', '/lockstep/ack', { runner: 'one', number: at.number, wait_ms: 20_000 });
  }
  expect(at.number).not.toBeNull();
  await client.barrier();
  return client.frames
    .slice(1)
    .filter(([id]) => id !== '49')
    .map((fields) => fields.join('|'))
    .join('\n');
}

describe('lockstep', () => {
  it('stops at every bar boundary until the runner has acknowledged it', async () => {
    const started = await gateway();
    await call(started, 'POST', '/lockstep/runners', { runner: 'one' });
    await start(started.port, 3);
    const first = await boundary(started, 'GET', '/lockstep/next?after=0&wait_ms=20000');
    expect(first.number).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(started.clock.nowMs).toBe(first.time_ms);
    expect(started.control.status().lockstep).toMatchObject({ number: 1, missing: ['one'] });
    const second = await boundary(started, 'POST', '/lockstep/ack', { runner: 'one', number: 1, wait_ms: 20_000 });
    expect(second).toMatchObject({ number: 2, time_ms: first.time_ms + 60_000 });
    await expect(call(started, 'POST', '/lockstep/ack', { runner: 'one', number: 9 })).rejects.toThrow(/GATEWAY_STATE/);
    await expect(call(started, 'POST', '/lockstep/ack', { runner: 'two', number: 1 })).rejects.toThrow(
      /no such runner/,
    );
  });

  it('waits for all of several runners, and no longer for one that leaves', async () => {
    const started = await gateway();
    for (const runner of ['one', 'two']) await call(started, 'POST', '/lockstep/runners', { runner });
    await start(started.port, 3);
    await boundary(started, 'GET', '/lockstep/next?after=0&wait_ms=20000');
    await call(started, 'POST', '/lockstep/ack', { runner: 'one', number: 1 });
    expect(started.control.status().lockstep).toMatchObject({ number: 1, missing: ['two'] });
    await call(started, 'DELETE', '/lockstep/runners/two');
    expect(await boundary(started, 'GET', '/lockstep/next?after=1&wait_ms=20000')).toMatchObject({ number: 2 });
  });

  it('gives a runner the same messages, fills and prices every time', async () => {
    const [one, again, other] = [await run(7), await run(7), await run(8, 12)];
    expect(one.split('\n').length).toBeGreaterThan(2_000);
    expect(again).toBe(one);
    expect(one.startsWith(other)).toBe(false);
  });
});

describe('maximum speed', () => {
  it('waits for a reader that does not read, and nothing is lost', async () => {
    const bars = market(['SYN'], 10);
    const served: number[] = [];
    for (const reads of [true, false]) {
      const started = await gateway({ bars });
      started.control.pause();
      const client = await CountingClient.start(started.port, 3);
      open.push(client);
      client.subscribe(1, 'SYN', 'quotes');
      client.subscribe(2, 'SYN', 'trades');
      await client.barrier();
      if (!reads) client.socket.pause();
      started.control.resume();
      if (!reads) {
        let nowMs = NaN;
        while (nowMs !== started.clock.nowMs) {
          nowMs = started.clock.nowMs;
          await new Promise((resolve) => setTimeout(resolve, 300));
        }
        served.push(Number(started.control.status().over));
        client.socket.resume();
      }
      await started.over;
      await client.barrier();
      served.push(client.ticks);
    }
    const [read, wasOver, unread] = served;
    expect(read).toBeGreaterThan(500_000);
    expect(wasOver).toBe(0);
    expect(unread).toBe(read);
  });

  it('steps and pauses by the control channel', async () => {
    const started = await gateway();
    started.control.pause();
    await start(started.port, 3);
    const { nowMs } = started.clock;
    await call(started, 'POST', '/step', { boundaries: 3 });
    while (!started.control.status().paused) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(started.clock.nowMs).toBeGreaterThan(nowMs + 120_000 - 1);
    expect(started.clock.nowMs).toBeLessThanOrEqual(nowMs + 180_000);
    // more than there are: to the end
    await call(started, 'POST', '/step', { boundaries: 100_000 });
    await started.over;
    expect(started.control.status()).toMatchObject({ paused: true, over: true });
  });
});

describe('the control channel', () => {
  it('tells the truth, refuses nonsense, and does not listen to web pages', async () => {
    const started = await gateway({ initialCash: 5_000 });
    expect(await call(started, 'GET', '/truth')).toMatchObject({
      account: 'DU1234567',
      cash: 5_000,
      positions: [],
      orders: [],
      executions: [],
    });
    await expect(call(started, 'POST', '/faults', { kind: 'earthquake' })).rejects.toThrow(/GATEWAY_FAULT/);
    await expect(call(started, 'POST', '/speed', { speed: -1 })).rejects.toThrow(/GATEWAY_OPTIONS/);
    const page = await fetch(`${started.controlUrl}/status`, { headers: { origin: 'http://example.org' } });
    expect(page.status).toBe(403);
  });
});

/** Each fault does to a client what it says, and to nobody else; the truth is told apart from it. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { loadFaultPlan, parseFaultPlan } from '#src/gateway/faults/schema.js';
import type { Gateway } from '#src/gateway/start-gateway.js';
import { gatewayOf, placeOrder176, RawClient, SYN } from '../support/gateway.js';

const open: { close(): void | Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});
async function gateway(options: Parameters<typeof gatewayOf>[0] = {}): Promise<Gateway> {
  const started = await gatewayOf({ speed: 60, requestsPerSecond: 10_000, ...options });
  open.push(started);
  return started;
}
async function start(port: number, clientId: number): Promise<RawClient> {
  const client = await RawClient.start(port, clientId);
  open.push(client);
  return client;
}

const buy = { action: 'BUY', quantity: 10, orderType: 'MKT' } as const;
const statuses = (client: RawClient, orderId: number): readonly string[] =>
  client
    .all('3')
    .filter(([, id]) => id === String(orderId))
    .map(([, , status]) => status);
const executions = (client: RawClient): readonly string[] =>
  client
    .all('11')
    .filter(([, reqId]) => reqId === '-1')
    .map((fields) => fields[14]);
const plan = (...faults: readonly object[]) => parseFaultPlan({ faults }, () => 'test');

describe('the line', () => {
  it('disconnects cleanly or by a reset; the order stays, the id is free, others stay', async () => {
    const { port, control } = await gateway();
    const bystander = await start(port, 1);
    for (const how of ['clean', 'reset']) {
      const client = await start(port, 2);
      control.inject({ kind: 'disconnect', how, client_id: 2 });
      await client.until(() => client.closed, how);
    }
    await bystander.barrier();
    expect((await start(port, 2)).errors()).toEqual([]);
  });

  it('half-open: says nothing, keeps the id until it notices', async () => {
    const { port, control } = await gateway();
    const client = await start(port, 2);
    control.inject({ kind: 'disconnect', how: 'half_open', release: '700ms' });
    const before = client.frames.length;
    client.send(49, 1);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect([client.frames.length, client.closed]).toEqual([before, false]);
    await expect(
      Promise.race([start(port, 2), new Promise((_, reject) => setTimeout(() => reject(new Error('no id')), 200))]),
    ).rejects.toThrow('no id');
    await client.until(() => client.closed, 'the release');
    await start(port, 2);
  });

  it('stalls, then delivers all in order, orders included', async () => {
    const { port, control } = await gateway();
    const client = await start(port, 2);
    control.inject({ kind: 'stall', duration: '400ms' });
    const before = client.frames.length;
    client.send(...placeOrder176(1, buy));
    client.send(49, 1);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(client.frames.length).toBe(before);
    await client.until(() => statuses(client, 1).includes('Filled'), 'the fill');
    expect(client.all('49')).toHaveLength(1);
  });

  it('is silent: what is said meanwhile is lost, and what is asked is done', async () => {
    const { port, control } = await gateway();
    const client = await start(port, 2);
    control.inject({ kind: 'silence', duration: '300ms' });
    client.send(...placeOrder176(1, buy));
    await new Promise((resolve) => setTimeout(resolve, 350));
    await client.barrier();
    expect(executions(client)).toEqual([]);
    client.send(7, 3, 9, 0, '', '', '', '', '', '');
    await client.until(() => client.all('55').length > 0, 'executions');
    expect(client.all('11')).toHaveLength(1);
    expect(control.truth().executions).toHaveLength(1);
  });

  it('delays by a latency without changing the order', async () => {
    const { port, control } = await gateway();
    const client = await start(port, 2);
    control.inject({ kind: 'latency', delay: '200ms', jitter: '100ms', duration: '600ms' });
    const asked = performance.now();
    for (let i = 0; i < 20; i++) client.send(...(i % 2 === 0 ? [49, 1] : [17, 1]));
    await client.until(() => client.all('15').length === 11, 'the last answer');
    expect(performance.now() - asked).toBeGreaterThan(150);
    const order = client.frames.slice(-20).map(([id]) => id);
    expect(order).toEqual(Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? '49' : '15')));
  });

  it('writes slowly, as if the client read slowly', async () => {
    const { port, control } = await gateway();
    const client = await start(port, 2);
    control.inject({ kind: 'slow_reader', bytes_per_second: 500, duration: '1s' });
    const asked = performance.now();
    for (let i = 0; i < 20; i++) client.send(17, 1);
    await client.until(() => client.all('15').length === 21, 'the last answer');
    expect(performance.now() - asked).toBeGreaterThan(300);
  });
});

describe('the gateway', () => {
  it('restarts: everybody out, nobody in for a while, then ids rolled back and used ones refused with 103', async () => {
    const { port, control } = await gateway();
    const client = await start(port, 2);
    client.send(...placeOrder176(1, buy));
    await client.until(() => statuses(client, 1).includes('Filled'), 'the fill');
    client.send(...placeOrder176(2, buy));
    await client.until(() => statuses(client, 2).includes('Filled'), 'the fill');
    control.inject({ kind: 'restart', down: '200ms', next_valid_id: 1 });
    await client.until(() => client.closed, 'the restart');
    await expect(RawClient.open(port)).rejects.toThrow(/ECONNREFUSED/);
    await new Promise((resolve) => setTimeout(resolve, 400));
    const again = await start(port, 2);
    expect(again.all('9')[0][2]).toBe('1');
    again.send(...placeOrder176(1, buy));
    await again.until(() => again.errors().some(({ code }) => code === 103), 'error 103');
  });

  it('loses the broker (1100): orders are refused, fills are not told; 1101 comes without subscriptions', async () => {
    const { port, control } = await gateway({ speed: 600 });
    const client = await start(port, 2);
    client.send(1, 11, 2, ...SYN, 0, '', 0, 0, '');
    await client.until(() => client.all('1').length > 10, 'ticks');
    control.inject({ kind: 'connectivity_lost', duration: '3m', data: 'lost' });
    await client.until(() => client.errors().some(({ code }) => code === 1100), '1100');
    const ticks = client.all('1').length;
    client.send(...placeOrder176(5, buy));
    await client.until(() => client.errors().some(({ code, id }) => code === 504 && id === 5), '504');
    await client.until(() => client.errors().some(({ code }) => code === 1101), '1101');
    await client.barrier();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(client.all('1').length).toBe(ticks);
    client.send(1, 11, 3, ...SYN, 0, '', 0, 0, '');
    await client.until(() => client.all('1').length > ticks + 3, 'ticks again');
  });

  it.each(['max', 60_000] as const)('has outages end though the replay is over (speed %s)', async (speed) => {
    const { port, control, over } = await gateway({ speed });
    const client = await start(port, 2);
    await over;
    for (const duration of ['20m', '5m']) {
      const seen = client.errors().length;
      control.inject({ kind: 'server_link_broken', duration });
      await client.until(
        () =>
          client
            .errors()
            .slice(seen)
            .some(({ code }) => code === 1102),
        '1102',
      );
    }
    client.send(...placeOrder176(5, { ...buy, orderType: 'LMT', lmtPrice: 1 }));
    await client.until(() => statuses(client, 5).length > 0, 'a status');
    expect(client.errors().filter(({ code }) => code === 504)).toEqual([]);
  });

  it('breaks the data farm (2103, 2104), and the ticks come back by themselves, or not', async () => {
    const { port, control } = await gateway({ speed: 600 });
    const client = await start(port, 2);
    client.send(1, 11, 2, ...SYN, 0, '', 0, 0, '');
    for (const returns of [true, false]) {
      const seen = client.all('4').filter(([, , , code]) => code === '2104').length;
      const ticks = client.all('1').length;
      await client.until(() => client.all('1').length > ticks + 5, 'ticks');
      control.inject({ kind: 'farm_broken', duration: '2m', data_returns: returns });
      await client.until(
        () => client.all('4').filter(([, , , code]) => code === '2104').length > seen,
        'the farm is back',
      );
      const after = client.all('1').length;
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(client.all('1').length > after).toBe(returns);
    }
  });
});

describe('messages of orders', () => {
  it.each([
    ['lose_status', { statuses: false, executions: 1 }],
    ['lose_execution', { statuses: true, executions: 0 }],
    ['duplicate_execution', { statuses: true, executions: 2 }],
  ] as const)('%s', async (kind, seen) => {
    const { port, control } = await gateway();
    const client = await start(port, 2);
    control.inject({ kind, match: { symbol: 'SYN' }, count: kind === 'lose_status' ? 50 : 1 });
    client.send(...placeOrder176(1, buy));
    await client.until(() => client.all('59').length > 0, 'the commission');
    await client.barrier();
    expect(statuses(client, 1).includes('Filled')).toBe(seen.statuses);
    expect(executions(client)).toHaveLength(seen.executions);
    expect(new Set(executions(client)).size).toBe(Math.min(1, seen.executions));
    expect(control.truth().executions).toHaveLength(1);
  });

  it('duplicates a status', async () => {
    const { port, control } = await gateway();
    const client = await start(port, 2);
    control.inject({ kind: 'duplicate_status', count: 50 });
    client.send(...placeOrder176(1, buy));
    await client.until(() => statuses(client, 1).filter((status) => status === 'Filled').length === 2, 'two statuses');
    expect(executions(client)).toHaveLength(1);
  });

  it.each([
    ['execution_before_status', ['11', '3']],
    ['status_before_execution', ['3', '11']],
  ] as const)('%s', async (kind, order) => {
    const { port, control } = await gateway();
    const client = await start(port, 2);
    control.inject({ kind });
    client.send(...placeOrder176(1, buy));
    const news = (): readonly string[] =>
      client.frames.filter(([id, , status]) => id === '11' || (id === '3' && status === 'Filled')).map(([id]) => id);
    await client.until(() => news().length >= 2, 'status and execution');
    expect(news()).toEqual(order);
  });

  it('sends a commission late, and not at all', async () => {
    const { port, control } = await gateway();
    const client = await start(port, 2);
    control.inject({ kind: 'late_commission', delay: '300ms' });
    client.send(...placeOrder176(1, buy));
    await client.until(() => executions(client).length === 1, 'the execution');
    const filled = performance.now();
    await client.until(() => client.all('59').length === 1, 'the commission');
    expect(performance.now() - filled).toBeGreaterThan(200);
    control.inject({ kind: 'lose_commission' });
    client.send(...placeOrder176(2, buy));
    await client.until(() => executions(client).length === 2, 'the execution');
    await client.barrier();
    expect(client.all('59')).toHaveLength(1);
  });
});

describe('matching', () => {
  it('rejects an order, with a status or without', async () => {
    const { port, control } = await gateway();
    const client = await start(port, 2);
    control.inject({ kind: 'reject_order', match: { order_ref: 'one' }, code: 201, message: 'Order rejected - no' });
    client.send(...placeOrder176(1, { ...buy, orderRef: 'one' }));
    await client.until(() => client.errors().some(({ id, code }) => id === 1 && code === 201), '201');
    control.inject({ kind: 'reject_stop', code: 110, message: 'price', with_status: false });
    client.send(...placeOrder176(2, buy));
    client.send(...placeOrder176(3, { action: 'SELL', quantity: 10, orderType: 'STP', auxPrice: 50 }));
    await client.until(() => client.errors().some(({ id, code }) => id === 3 && code === 110), '110');
    await client.until(() => statuses(client, 2).includes('Filled'), 'the other order');
    expect(statuses(client, 3)).toEqual([]);
  });

  it('fills a part and cancels the rest; fills after a cancel; corrects an execution', async () => {
    const { port, control } = await gateway();
    const client = await start(port, 2);
    control.inject({ kind: 'partial_then_cancel', fraction: 0.5 });
    client.send(...placeOrder176(1, buy));
    await client.until(() => statuses(client, 1).includes('Cancelled'), 'the cancel');
    expect(control.truth().positions).toMatchObject([{ position: 5 }]);

    control.inject({ kind: 'fill_after_cancel', delay: '2s' });
    client.send(...placeOrder176(2, { action: 'BUY', quantity: 7, orderType: 'LMT', lmtPrice: 50 }));
    await client.until(() => statuses(client, 2).includes('Submitted'), 'the order');
    client.send(4, 1, 2, '');
    await client.until(() => statuses(client, 2).includes('Cancelled'), 'the cancel');
    await client.until(() => statuses(client, 2).includes('Filled'), 'the fill after it');

    control.inject({ kind: 'correct_execution', delay: '1s', price_offset: 0.05 });
    client.send(...placeOrder176(3, buy));
    await client.until(() => executions(client).some((id) => id.endsWith('.02')), 'the correction');
    const { executions: truth } = control.truth();
    expect(truth.filter(({ superseded }) => superseded)).toHaveLength(1);
  });
});

describe('a plan', () => {
  it('reads a file, and says where it is wrong', async () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'openbell-faults-')), 'faults.yaml');
    writeFileSync(
      file,
      'faults:\n  - at: 5m\n    kind: stall\n    duration: 2s\n  - on: { request: placeOrder }\n    kind: disconnect\nrandom: { seed: 1, per_hour: 2 }\n',
    );
    expect(loadFaultPlan(file).scripted).toMatchObject([
      { trigger: { at: { from: 'start', ms: 300_000 } }, fault: { kind: 'stall', duration: 2_000 } },
      {
        trigger: { on: { request: 'placeOrder', nth: 1, phase: 'after' } },
        fault: { kind: 'disconnect', how: 'reset' },
      },
    ]);
    writeFileSync(file, 'faults:\n  - at: 5m\n    kind: stall\n    duration: soon\n');
    expect(() => loadFaultPlan(file)).toThrow(/faults\.yaml:4 .*duration.*soon/);
    writeFileSync(file, 'faults:\n  - kind: stall\n    duration: 1s\n');
    expect(() => loadFaultPlan(file)).toThrow(/needs a trigger/);
    writeFileSync(file, 'faults:\n  - at: 5m\n    kind: stall\n    duration: 1s\n    lenght: 3\n');
    expect(() => loadFaultPlan(file)).toThrow(/there is no key lenght/);
  });

  it('cuts the line before an order is handled: it never was', async () => {
    const faults = plan({ on: { request: 'placeOrder', phase: 'before' }, kind: 'disconnect' });
    const { port, control } = await gateway({ faults });
    const client = await start(port, 2);
    client.send(...placeOrder176(1, buy));
    await client.until(() => client.closed, 'the end');
    expect(control.truth().orders).toEqual([]);
  });

  it.each([
    ['after an order is handled', { on: { request: 'placeOrder' }, kind: 'disconnect' }],
    ['before its fill is told', { on: { message: 'execDetails', phase: 'before' }, kind: 'disconnect', how: 'clean' }],
  ])('cuts the line %s: it is filled, and was not told', async (_, fault) => {
    const { port, control } = await gateway({ faults: plan(fault) });
    const client = await start(port, 2);
    client.send(...placeOrder176(1, { ...buy, orderRef: 'mine' }));
    await client.until(() => client.closed, 'the end');
    expect(executions(client).length).toBe(0);
    const again = await start(port, 2);
    again.send(7, 3, 9, 0, '', '', '', '', '', '');
    await again.until(() => again.all('55').length > 0, 'executions');
    expect(again.all('11').map((fields) => fields[26])).toEqual(['mine']);
    expect(control.truth().executions).toHaveLength(1);
  });

  it('draws the same random faults from the same seed', async () => {
    const kinds = async (seed: number): Promise<readonly object[]> => {
      const started = await gateway({
        speed: 'max',
        start: 'now',
        faults: { scripted: [], random: { seed, perHour: 30, kinds: ['reject_order', 'late_commission'] } },
      });
      await started.over;
      return started.control.faults().done;
    };
    const [one, again, other] = [await kinds(1), await kinds(1), await kinds(2)];
    expect(one.length).toBeGreaterThan(100);
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
  });
});

/** The broker when things go wrong: on the line, at the gateway, in the messages, and in whoever listens. */
import { afterEach, describe, expect, it } from 'vitest';
import type { BrokerEvent } from '#src/broker/contract.js';
import type { IbBrokerOptions } from '#src/broker/options.js';
import type { Gateway, GatewayOptions } from '#src/gateway/start-gateway.js';
import { gatewayOf, RawClient } from '../support/gateway.js';
import { ScriptedServer, type ScriptedClient } from '../support/scripted-server.js';
import { ACCOUNT, cents, order, QUICK, STOCK, TestBroker, value } from '../support/broker.js';

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function gateway(options: Partial<GatewayOptions> = {}): Promise<Gateway> {
  const started = await gatewayOf({ speed: 60, ...options });
  open.push(() => started.close());
  return started;
}

async function server(): Promise<ScriptedServer> {
  const started = await ScriptedServer.listen();
  open.push(() => started.close());
  return started;
}

function broker(port: number, options: Partial<IbBrokerOptions> = {}): TestBroker {
  const test = new TestBroker({ ...QUICK, port, ...options });
  open.push(() => test.broker.close());
  return test;
}

async function trading(port: number, options: Partial<IbBrokerOptions> = {}): Promise<TestBroker> {
  const test = broker(port, options);
  await test.event('connected');
  value(await test.broker.contract(STOCK));
  return test;
}

/** A limit order far below the market. */
const resting = { orderType: 'LMT', limitPrice: 50, tif: 'GTC' } as const;

describe('the connection', () => {
  it('is tried until somebody listens', async () => {
    const free = await ScriptedServer.listen();
    const { port } = free;
    await free.close();
    const test = broker(port);
    const notice = await test.event('notice', ({ text }) => /cannot connect/.test(text));
    expect(notice.code).toBe(502);
    await test.until(() => test.all('notice').length >= 3, 'a third attempt');
    await gateway({ port });
    await test.event('connected');
  });

  it('is given up where the handshake is not answered, with a reset', async () => {
    const silent = await server();
    let resets = 0;
    silent.onHello = ({ socket }) =>
      void socket.on('error', (error: NodeJS.ErrnoException) => (resets += error.code === 'ECONNRESET' ? 1 : 0));
    const test = broker(silent.port, { handshakeTimeoutMs: 300 });
    await test.event('notice', ({ text }) => /no handshake/.test(text));
    await test.until(() => silent.clients.length >= 2 && resets >= 1, 'a second attempt after a reset');
    expect(test.broker.connected).toBe(false);
  });

  it('half open: notices the silence and connects again', async () => {
    const { port, control } = await gateway();
    const test = await trading(port, { heartbeatMs: 250, heartbeatDeadlineMs: 500 });
    control.inject({ kind: 'disconnect', how: 'half_open', release: '1500ms' });
    await test.event('disconnected', ({ reason }) => /silent/.test(reason));
    await test.event('connected', () => true, test.events.length);
    expect((await test.broker.positions()).known).toBe(true);
  });

  it('waits for its clientId where another program has it (326), and says so', async () => {
    const { port } = await gateway();
    const holder = await RawClient.start(port, QUICK.clientId);
    const test = broker(port);
    const refused = await test.event('notice', ({ code }) => code === 326);
    expect(refused.level).toBe('error');
    expect(test.all('connected')).toEqual([]);
    holder.close();
    await test.event('connected');
  });

  it('a stall shorter than the deadline loses nothing', async () => {
    const { port, control } = await gateway();
    const test = await trading(port, { heartbeatMs: 500, heartbeatDeadlineMs: 10_000 });
    control.inject({ kind: 'stall', duration: '1200ms' });
    const answer = await test.broker.positions();
    expect(answer).toEqual({ known: true, value: [] });
    expect(test.all('disconnected')).toEqual([]);
  });

  it('a silent gateway is left, and found again', async () => {
    const { port, control } = await gateway();
    const test = await trading(port, { heartbeatMs: 200, heartbeatDeadlineMs: 400 });
    control.inject({ kind: 'silence', duration: '1500ms' });
    await test.event('disconnected', ({ reason }) => /silent/.test(reason));
    await test.event('connected', () => true, test.events.length);
    expect((await test.broker.positions()).known).toBe(true);
  });

  it('a flood of ticks is life: no heartbeat is needed', async () => {
    const flood = await server();
    let asked = 0;
    flood.onMessage = (client, fields) => {
      if (fields[0] === '49') asked++;
      else if (flood.start(client, fields)) {
        const timer = setInterval(() => client.say(1, 6, 1, 1, '100.5', '10', 1), 20);
        client.socket.on('close', () => clearInterval(timer));
      }
    };
    const test = broker(flood.port, { heartbeatMs: 300, heartbeatDeadlineMs: 300 });
    await test.event('connected');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(asked).toBe(0);
    expect(test.all('disconnected')).toEqual([]);
  });

  it('refuses a gateway that does not manage the account', async () => {
    const { port } = await gateway();
    const test = broker(port, { account: 'DU7654321' });
    await test.event('notice', ({ level, text }) => level === 'error' && /does not manage/.test(text));
    expect(test.broker.connected).toBe(false);
    expect(test.all('connected')).toEqual([]);
  });
});

describe('orders', () => {
  it('placed while disconnected are refused, and never execute after the reconnect', async () => {
    const { port, control } = await gateway();
    const test = await trading(port, { backoffMs: { first: 300, most: 300 } });
    control.inject({ kind: 'disconnect', how: 'reset' });
    await test.event('disconnected');
    expect(() => test.broker.place(order('late-1'))).toThrow(/BROKER_STATE.*nothing was sent/);
    expect(() => test.broker.cancel('late-1')).toThrow(/BROKER_STATE/);
    const since = test.events.length;
    await test.event('connected', () => true, since);
    value(await test.broker.currentTime());
    expect(control.truth().orders).toEqual([]);
    // the very same reference may be placed now
    test.broker.place(order('late-1', resting));
    await test.state('late-1', 'working', since);
  });

  it('that wait for the pace when the connection ends are never sent, and it is said of each', async () => {
    const { port, control } = await gateway();
    const test = await trading(port, { pace: { messagesPerSecond: 4, keptForOrders: 2 } });
    // the questions about the contract have used a part of this second
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const refs = Array.from({ length: 12 }, (_, n) => `burst-${n}`);
    for (const ref of refs) test.broker.place(order(ref, resting));
    await test.state('burst-3', 'working');
    control.inject({ kind: 'disconnect', how: 'reset' });
    await test.event('disconnected');
    await test.event('connected', () => true, test.events.length);
    const unsent = test.all('orderError').filter(({ code, effect }) => code === 504 && effect === 'rejected');
    const atBroker = value(await test.broker.openOrders()).map(({ orderRef }) => orderRef);
    expect([...atBroker, ...unsent.map(({ orderRef }) => orderRef)].sort()).toEqual([...refs].sort());
    expect(unsent.length).toBeGreaterThanOrEqual(refs.length - 4);
  });

  it('keep their ids for themselves when the gateway restarts and counts from the beginning again', async () => {
    const { port, control } = await gateway();
    const test = await trading(port, { firstOrderId: 400 });
    const first = test.broker.place(order('r-1', resting));
    expect(first).toBe(400);
    await test.state('r-1', 'working');
    control.inject({ kind: 'restart', down: '200ms', next_valid_id: 1 });
    await test.event('disconnected');
    await test.event('connected', () => true, test.events.length);
    expect(test.broker.place(order('r-2', resting))).toBe(401);
    await test.state('r-2', 'working');
    const open = value(await test.broker.openOrders());
    expect(open.map(({ orderRef, orderId }) => [orderRef, orderId]).sort()).toEqual([
      ['r-1', 400],
      ['r-2', 401],
    ]);
  });

  it('are held while the link is down (1100), and 1101 and 1102 tell whether data were lost', async () => {
    const { port, control } = await gateway();
    const test = await trading(port);
    test.broker.subscribe(STOCK);
    await test.event('fiveSecondBar');
    control.inject({ kind: 'connectivity_lost', duration: '20s', data: 'kept' });
    await test.event('link', ({ state, code }) => state === 'down' && code === 1100);
    expect(test.broker.connected).toBe(true);
    expect(() => test.broker.place(order('down-1'))).toThrow(/BROKER_STATE.*link/);
    let since = test.events.length;
    expect(await test.event('link', ({ state }) => state === 'up', since)).toMatchObject({
      code: 1102,
      dataLost: false,
    });
    await test.event('fiveSecondBar', () => true, since);
    since = test.events.length;
    control.inject({ kind: 'connectivity_lost', duration: '20s', data: 'lost' });
    expect(await test.event('link', ({ state }) => state === 'up', since)).toMatchObject({
      code: 1101,
      dataLost: true,
    });
    test.broker.subscribe(STOCK);
    since = test.events.length;
    await test.event('fiveSecondBar', () => true, since);
    control.inject({ kind: 'farm_broken', duration: '10s' });
    expect(await test.event('dataFarm', ({ state }) => state === 'broken', since)).toMatchObject({ code: 2103 });
    expect(() => test.broker.place(order('down-2'))).not.toThrow();
    expect(test.all('disconnected')).toEqual([]);
  });

  it('rejected, refused in a modification, cancelled too late: each by its name', async () => {
    const { port, control } = await gateway();
    const test = await trading(port);
    control.inject({ kind: 'reject_order', match: { order_ref: 'no-1' } });
    test.broker.place(order('no-1'));
    expect(await test.event('orderError', ({ orderRef }) => orderRef === 'no-1')).toMatchObject({
      effect: 'rejected',
      code: 201,
    });
    test.broker.place(order('no-2', resting));
    await test.state('no-2', 'working');
    control.inject({ kind: 'reject_modify', match: { order_ref: 'no-2' } });
    test.broker.place(order('no-2', { ...resting, limitPrice: 49 }));
    expect(await test.event('orderError', ({ orderRef }) => orderRef === 'no-2')).toMatchObject({ effect: 'modify' });
    const open = value(await test.broker.openOrders());
    expect(open.find(({ orderRef }) => orderRef === 'no-2')).toMatchObject({ limitPrice: 50 });
    test.broker.place(order('no-3'));
    await test.state('no-3', 'filled');
    test.broker.cancel('no-3');
    expect(await test.event('orderError', ({ orderRef }) => orderRef === 'no-3')).toMatchObject({ effect: 'cancel' });
  });

  it('corrected executions bear the same root and a higher revision', async () => {
    const { port, control } = await gateway();
    const test = await trading(port);
    control.inject({ kind: 'correct_execution', match: {}, delay: '5s', price_offset: 0.05 });
    test.broker.place(order('c-1'));
    const first = await test.event('execution', ({ report }) => report.orderRef === 'c-1');
    const next = await test.event('execution', ({ report }) => report.revision === first.report.revision + 1);
    expect(next.report.execRoot).toBe(first.report.execRoot);
    expect(cents(next.report.price - first.report.price)).toBe(0.05);
  });
});

describe('answers', () => {
  const CONTRACT = [0, 'SYN', 'STK', '', 0, '', '', 'SMART', 'USD', 'SYN', 'SYN'] as const;

  it('that break off are unknown, not empty and not partial', async () => {
    const breaking = await server();
    breaking.onMessage = (client, fields) => {
      if (breaking.start(client, fields)) return;
      client.say(61, 3, ACCOUNT, ...CONTRACT, 100, 99.5);
      client.socket.end();
    };
    const test = broker(breaking.port);
    await test.event('connected');
    expect(await test.broker.positions()).toMatchObject({ known: false, reason: expect.stringMatching(/connection/) });
  });

  it('that do not come are unknown; the late end of one is not taken for the end of the next', async () => {
    const slow = await server();
    let asked = 0;
    slow.onMessage = (client, fields) => {
      if (slow.start(client, fields) || fields[0] !== '61') return;
      asked++;
      const first = asked === 1;
      setTimeout(
        () => {
          client.say(61, 3, ACCOUNT, ...CONTRACT, first ? 1 : 2, 99.5);
          client.say(62, 1);
        },
        first ? 450 : 10,
      );
    };
    const test = broker(slow.port, { answerTimeoutMs: 300 });
    await test.event('connected');
    expect(await test.broker.positions()).toMatchObject({ known: false, reason: expect.stringMatching(/300 ms/) });
    expect(await test.broker.positions()).toMatchObject({ known: true, value: [{ quantity: 2 }] });
    expect(test.all('disconnected')).toEqual([]);
  });

  it('that never come make it leave the connection', async () => {
    const deaf = await server();
    const test = broker(deaf.port, { answerTimeoutMs: 200 });
    await test.event('connected');
    expect((await test.broker.openOrders()).known).toBe(false);
    expect((await test.broker.openOrders()).known).toBe(false);
    await test.event('disconnected', ({ reason }) => /does not answer/.test(reason));
    await test.event('connected', () => true, test.events.length);
  });

  it('asked for while nobody is connected are unknown at once', async () => {
    const none = await ScriptedServer.listen();
    const { port } = none;
    await none.close();
    const test = broker(port);
    const answers = await Promise.all([
      test.broker.positions(),
      test.broker.executions(),
      test.broker.accountValues(),
      test.broker.currentTime(),
      test.broker.contract(STOCK),
    ]);
    expect(answers.every(({ known }) => !known)).toBe(true);
  });
});

describe('messages that make no sense', () => {
  const garbage: [string, Buffer][] = [
    ['a negative length', Buffer.from([0xff, 0xff, 0xff, 0xfc, 1, 2, 3, 4])],
    ['a length of zero', Buffer.from([0, 0, 0, 0])],
    ['a huge length', Buffer.from([0x7f, 0xff, 0xff, 0xff, 1])],
    ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['no NUL at the end', Buffer.from([0, 0, 0, 2, 0x34, 0x35])],
  ];

  it.each(garbage)('%s ends the connection, and the process goes on', async (_name, bytes) => {
    const rude = await server();
    rude.onMessage = (client, fields) => {
      if (rude.start(client, fields) && rude.clients.length === 1) client.socket.write(bytes);
    };
    const test = broker(rude.port);
    await test.event('disconnected', ({ reason }) => /does not speak/.test(reason));
    await test.event('connected', () => true, test.events.length);
    expect(test.broker.connected).toBe(true);
  });

  it('garbage instead of a hello is no gateway', async () => {
    const rude = await server();
    rude.onHello = ({ socket }) => void socket.write(Buffer.from([0xff, 0xff, 0xff, 0xf0, 0, 0, 0, 0, 0]));
    const test = broker(rude.port);
    await test.event('notice', ({ text }) => /does not speak/.test(text));
    expect(test.broker.connected).toBe(false);
  });

  it('a rejection whose JSON is malformed is a rejection all the same, and what follows is read', async () => {
    const rude = await server();
    let client: ScriptedClient | null = null;
    rude.onMessage = (from, fields) => {
      client = from;
      if (rude.start(from, fields)) return;
      if (fields[0] === '9') {
        // contract details at version 176, and their rule
        from.say(
          10,
          fields[2],
          'SYN',
          'STK',
          '',
          0,
          '',
          'SMART',
          'USD',
          'SYN',
          'NMS',
          'NMS',
          77,
          0.01,
          '',
          '',
          'SMART',
          1,
          0,
          'SYN INC',
          'NASDAQ',
          '',
          '',
          '',
          '',
          'US/Eastern',
          '',
          '20240102:0930-20240102:1600',
          '',
          0,
          0,
          1,
          '',
          '',
          '26',
          '',
          'COMMON',
          1,
          1,
          1,
        );
        from.say(52, 1, fields[2]);
      } else if (fields[0] === '91') from.say(93, 26, 1, 0, 0.01);
      else if (fields[0] === '3') {
        from.say(4, 2, fields[1], 201, 'Order rejected - reason:none of your business', '{"orderRejectId": [');
        from.say(49, 1, 1_704_205_999);
      }
    };
    const test = await trading(rude.port);
    expect(client).not.toBeNull();
    test.broker.place(order('j-1'));
    expect(await test.event('orderError')).toMatchObject({ orderRef: 'j-1', effect: 'rejected', code: 201 });
    expect(test.all('disconnected')).toEqual([]);
    expect(value(await test.broker.currentTime())).toBe(1_704_205_800_000);
  });

  it('messages that cannot be read are skipped and said, one by one', async () => {
    const rude = await server();
    rude.onMessage = (client, fields) => {
      if (!rude.start(client, fields) || fields[0] !== '71') return;
      client.say(5, 'x');
      client.say(
        11,
        -1,
        1,
        0,
        'SYN',
        'STK',
        '',
        0,
        '',
        '',
        'SMART',
        'USD',
        'SYN',
        'SYN',
        '1.01',
        'soon',
        ACCOUNT,
        'X',
        'BOT',
        'NaN',
        'NaN',
        5,
        7,
        0,
        1,
        1,
        'r',
        '',
        0,
        '',
        1,
      );
      client.say(9999, 1, 2, 3);
      client.say('nonsense');
    };
    const test = broker(rude.port);
    await test.event('connected');
    await test.event('notice', ({ text }) => /execDetails/.test(text));
    value(await test.broker.currentTime());
    expect(test.all('execution')).toEqual([]);
    expect(test.all('disconnected')).toEqual([]);
  });

  it('random frames neither crash nor hang it', async () => {
    const rude = await server();
    let seed = 12_345;
    const next = (n: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return (seed >>> 8) % n;
    };
    const words = ['', '0', '1', '-1', 'NaN', '1.7976931348623157E308', 'SYN', 'None', '2147483647', '\u00e9', '{"'];
    rude.onMessage = (client, fields) => {
      if (!rude.start(client, fields) || fields[0] !== '71' || rude.clients.length > 1) return;
      for (let n = 0; n < 1_000; n++)
        client.say(next(110), ...Array.from({ length: next(40) }, () => words[next(words.length)]));
    };
    const test = broker(rude.port, { answerTimeoutMs: 200 });
    await test.event('connected');
    // a frame may have claimed that the link is down or the time is 0: the broker still answers in its own way
    await test.broker.currentTime();
    await test.broker.positions();
    expect(test.broker.nextOrderId).toBeLessThanOrEqual(1_000_000_000);
  });
});

describe('whoever listens', () => {
  it('may throw: it is told, and the next event comes', async () => {
    const { port } = await gateway();
    const failed: [string, BrokerEvent['type']][] = [];
    const test = new TestBroker(
      {
        ...QUICK,
        port,
        onListenerError: (error, { type }) => void failed.push([String(error), type]),
      },
      ({ type }) => {
        if (type === 'connected' || type === 'order') throw new Error(`cannot take ${type}`);
      },
    );
    open.push(() => test.broker.close());
    await test.event('connected');
    value(await test.broker.contract(STOCK));
    test.broker.place(order('l-1'));
    await test.state('l-1', 'filled');
    await test.event('execution');
    expect(failed[0]).toEqual(['Error: cannot take connected', 'connected']);
    expect(failed.some(([, type]) => type === 'order')).toBe(true);
  });

  it('may call the broker from an event; events come one at a time', async () => {
    const { port } = await gateway();
    let inside = 0;
    let deepest = 0;
    const test: TestBroker = new TestBroker({ ...QUICK, port }, (event) => {
      inside++;
      deepest = Math.max(deepest, inside);
      if (event.type === 'order' && event.report.orderRef === 'e-1' && event.report.state === 'working')
        test.broker.cancel('e-1');
      inside--;
    });
    open.push(() => test.broker.close());
    await test.event('connected');
    value(await test.broker.contract(STOCK));
    test.broker.place(order('e-1', resting));
    await test.state('e-1', 'cancelled');
    expect(deepest).toBe(1);
  });

  it('orders and positions of other programs are told apart', async () => {
    const { port } = await gateway();
    const other = await RawClient.start(port, 3);
    open.push(async () => other.close());
    const test = await trading(port);
    const { placeOrder176 } = await import('../support/gateway.js');
    other.send(...placeOrder176(1, { action: 'BUY', quantity: 5, orderType: 'LMT', lmtPrice: 40, orderRef: 'theirs' }));
    await other.barrier();
    const orders = value(await test.broker.openOrders());
    expect(orders).toMatchObject([{ orderRef: 'theirs', clientId: 3, quantity: 5 }]);
    expect(() => test.broker.cancel('theirs')).toThrow(/BROKER_STATE/);
  });
});

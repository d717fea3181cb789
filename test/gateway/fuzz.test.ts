/** Random bytes, broken frames, cut messages: no crash, no leak, and other clients notice nothing. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RandomStream } from '#env/seeding.js';
import type { Gateway } from '#src/gateway/start-gateway.js';
import { frame, gatewayOf, hello, placeOrder176, RawClient, SYN } from '../support/gateway.js';

const CONNECTIONS = 200;
const FRAMES_EACH = 50;

let gateway: Gateway;
beforeAll(async () => {
  gateway = await gatewayOf({ speed: 'max' });
  gateway.control.pause();
});
afterAll(() => gateway.close());

/** Valid messages to begin with: what comes of them when they are cut, mixed and changed is the test. */
const SEEDS: readonly (readonly (string | number)[])[] = [
  [1, 11, 1, ...SYN, 0, '233', 0, 0, ''],
  [2, 2, 1],
  placeOrder176(1, { action: 'BUY', quantity: 10, orderType: 'LMT', lmtPrice: 99.5 }),
  placeOrder176(2, { action: 'SELL', quantity: 5, orderType: 'STP', auxPrice: 90 }),
  [4, 1, 1, ''],
  [5, 1],
  [6, 2, 1, 'DU1234567'],
  [7, 3, 4, 0, '', '', '', '', '', ''],
  [9, 8, 5, ...SYN, 0, '', '', ''],
  [16, 1],
  [20, 6, ...SYN, 0, '', '1 min', '1 D', 1, 'TRADES', 1, 0, ''],
  [50, 3, 7, ...SYN, 5, 'TRADES', 1, ''],
  [58, 1],
  [62, 1, 8, 'All', 'NetLiquidation'],
  [87, 9, ...SYN, 0, 1, 'TRADES', 1],
  [91, 26],
  [92, 10, 'DU1234567', ''],
  [96, 11, ...SYN, 0, '20240102 09:30:00', '', 10, 'TRADES', 1, 0, ''],
  [97, 12, ...SYN, 'BidAsk', 0, 0],
  [99, 0],
];
const NASTY = [
  '',
  '-1',
  'NaN',
  'Infinity',
  '1e400',
  '2147483648',
  '9'.repeat(400),
  '\u{1f4a5}',
  'DROP',
  '0x10',
  ' ',
  '-0',
];

function mutate(random: RandomStream): Buffer {
  const pick = <T>(list: readonly T[]): T => list[random.integer(list.length)];
  const fields = [...pick(SEEDS)];
  switch (random.integer(8)) {
    case 0: // a field becomes nonsense
      fields[random.integer(fields.length)] = pick(NASTY);
      return frame(...fields);
    case 1: // a field too few
      fields.splice(random.integer(fields.length), 1);
      return frame(...fields);
    case 2: // a field too many
      fields.splice(random.integer(fields.length), 0, pick(NASTY));
      return frame(...fields);
    case 3: {
      // another message's number
      fields[0] = random.integer(120);
      return frame(...fields);
    }
    case 4: {
      // a flipped bit
      const bytes = frame(...fields);
      bytes[4 + random.integer(bytes.length - 4)] ^= 1 << random.integer(8);
      return bytes;
    }
    case 5: {
      // a length that is wrong
      const bytes = frame(...fields);
      bytes.writeUInt32BE(random.integer(2 ** 32), 0);
      return bytes;
    }
    case 6: {
      // cut
      const bytes = frame(...fields);
      return bytes.subarray(0, random.integer(bytes.length));
    }
    default: {
      const bytes = Buffer.alloc(1 + random.integer(300));
      for (let i = 0; i < bytes.length; i++) bytes[i] = random.integer(256);
      return bytes;
    }
  }
}

it(`survives ${CONNECTIONS * FRAMES_EACH} mutated frames on ${CONNECTIONS} connections; a bystander is served throughout`, async () => {
  const random = new RandomStream(20_240_102, 'gateway-fuzz');
  const bystander = await RawClient.start(gateway.port, 1000);
  let frames = 0;
  for (let connection = 0; connection < CONNECTIONS; connection++) {
    const client = await RawClient.open(gateway.port);
    // some break the hello already
    const greeting = connection % 10 === 9 ? mutate(random) : hello('v100..176');
    client.socket.write(greeting);
    if (connection % 10 !== 8) client.socket.write(frame(71, 2, 1 + (connection % 500), ''));
    for (let i = 0; i < FRAMES_EACH; i++) {
      frames++;
      client.socket.write(mutate(random));
      if (random.integer(10) === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    if (connection % 20 === 0) {
      await bystander.barrier();
      gateway.control.step(1);
      gateway.control.pause();
    }
    if (random.integer(2) === 0) client.socket.end();
    else client.socket.resetAndDestroy();
    await new Promise((resolve) => setImmediate(resolve));
    client.close();
  }
  await bystander.barrier();
  expect(bystander.closed).toBe(false);
  expect(frames).toBe(CONNECTIONS * FRAMES_EACH);
  // nothing is left of them
  for (let tries = 0; tries < 100 && gateway.control.status().connections > 1; tries++)
    await new Promise((resolve) => setTimeout(resolve, 20));
  expect(gateway.control.status().connections).toBe(1);
  bystander.close();
});

it('keeps no memory of clients that came and went', async () => {
  const visit = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const client = await RawClient.start(gateway.port, 2);
      client.send(1, 11, 1, ...SYN, 0, '', 0, 0, '');
      client.send(6, 2, 1, 'DU1234567');
      await client.barrier();
      client.close();
      await client.until(() => client.closed, 'the end');
    }
  };
  await visit(50);
  const before = process.memoryUsage().heapUsed;
  await visit(200);
  globalThis.gc?.();
  const grown = process.memoryUsage().heapUsed - before;
  // 200 visits; what a leaked session would keep (its buffers alone are 16 kB) lies far above
  expect(grown).toBeLessThan(20_000_000);
});

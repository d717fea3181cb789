/** Who is let in, what versions are spoken, and what becomes of bytes that are no messages. */
import { afterEach, describe, expect, it } from 'vitest';
import { gatewayOf, hello, frame, placeOrder176, RawClient, SYN } from '../support/gateway.js';
import type { Gateway } from '#src/gateway/start-gateway.js';

const open: { close(): void | Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});
async function gateway(options: Parameters<typeof gatewayOf>[0] = {}): Promise<Gateway> {
  const started = await gatewayOf({ speed: 'max', start: 'first_client', ...options });
  open.push(started);
  started.control.pause();
  return started;
}
async function start(port: number, clientId: number, range?: string): Promise<RawClient> {
  const client = await RawClient.start(port, clientId, range);
  open.push(client);
  return client;
}

/** The value, once it is what it should be or ten seconds have passed. */
async function eventually<T>(value: () => T, wanted: T): Promise<T> {
  for (let tries = 0; tries < 1000 && value() !== wanted; tries++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  return value();
}

describe('handshake', () => {
  it.each([
    ['v100..193', 193, '193'],
    ['v157..178', 193, '178'],
    ['v100..176', 193, '176'],
    ['v100..193', 176, '176'],
    ['v157..178 +PACEAPI', 193, '178'],
    ['v157', 193, '157'],
    ['v100..222', 193, '193'],
  ])('%s at a cap of %i speaks %s', async (range, versionCap, version) => {
    const { port } = await gateway({ versionCap });
    const client = await start(port, 1, range);
    expect(client.frames[0]).toHaveLength(2);
    expect(client.frames[0][0]).toBe(version);
  });

  it.each([
    ['v194..222', 193],
    ['v177..193', 176],
    ['v100..156', 193],
    ['v9..8', 193],
  ])('%s at a cap of %i has no common version: closed', async (range, versionCap) => {
    const { port } = await gateway({ versionCap });
    const client = await RawClient.open(port);
    open.push(client);
    client.socket.write(hello(range));
    await client.until(() => client.closed, 'the end');
    expect(client.frames).toEqual([]);
  });

  it('reads a hello and messages that come byte by byte, and many in one packet', async () => {
    const { port } = await gateway();
    const client = await RawClient.open(port);
    open.push(client);
    const bytes = Buffer.concat([hello('v100..176'), frame(71, 2, 5, ''), frame(49, 1)]);
    for (const byte of bytes) {
      client.socket.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.until(() => client.all('49').length === 1, 'currentTime');
    client.socket.write(Buffer.concat([frame(49, 1), frame(49, 1), frame(8, 1, 1), frame(17, 1)]));
    await client.until(() => client.all('15').length === 2, 'managedAccounts');
    expect([client.all('49').length, client.all('9').length]).toEqual([3, 2]);
  });

  it('says managedAccounts, nextValidId, and that the farms are there', async () => {
    const { port } = await gateway();
    const client = await start(port, 1);
    await client.barrier();
    expect(client.all('15')).toEqual([['15', '1', 'DU1234567']]);
    expect(client.all('9')).toEqual([['9', '1', '1']]);
    expect(client.all('4').map(([, , id, code]) => [id, code])).toEqual([
      ['-1', '2104'],
      ['-1', '2106'],
      ['-1', '2158'],
    ]);
  });
});

describe('client ids', () => {
  it('refuses a second client of the same id with 326, and the first stays', async () => {
    const { port } = await gateway();
    const first = await start(port, 7);
    const second = await RawClient.open(port);
    open.push(second);
    second.socket.write(Buffer.concat([hello('v100..176'), frame(71, 2, 7, '')]));
    await second.until(() => second.closed, 'the end');
    expect(second.errors()).toEqual([
      {
        id: -1,
        code: 326,
        message: 'Unable to connect as the client id is already in use. Retry with a unique client id.',
      },
    ]);
    expect(second.all('9')).toEqual([]);
    await first.barrier();
  });

  it('frees an id when its client goes', async () => {
    const { port } = await gateway();
    for (let round = 0; round < 5; round++) {
      const client = await start(port, 7);
      client.socket.end();
      await client.until(() => client.closed, 'the end');
      expect(client.errors()).toEqual([]);
    }
  });

  it('answers nothing before START_API but 504, and a second START_API with 501', async () => {
    const { port } = await gateway();
    const client = await RawClient.open(port);
    open.push(client);
    client.socket.write(Buffer.concat([hello('v100..176'), frame(61, 1), frame(49, 1)]));
    await client.until(() => client.errors().length === 2, 'errors');
    expect(client.errors().map(({ code }) => code)).toEqual([504, 504]);
    client.send(71, 2, 3, '');
    client.send(71, 2, 3, '');
    await client.until(() => client.errors().length === 3, 'an error');
    expect(client.errors()[2].code).toBe(501);
  });
});

describe('messages that cannot be read', () => {
  it('answers an unknown message with 505, and a request that does not parse with 320; the connection stays', async () => {
    const { port } = await gateway();
    const client = await start(port, 1);
    client.send(4444, 1);
    client.send(91, 26, 'too', 'much');
    client.send(62, 1, 9001, 'All');
    client.send(...placeOrder176(41, { action: 'BUY', quantity: 1, orderType: 'LMT', lmtPrice: 'NaN' }));
    client.send(...placeOrder176(42, { action: 'BUY', quantity: 'ten', orderType: 'MKT' }));
    await client.barrier();
    expect(client.errors().map(({ id, code }) => [id, code])).toEqual([
      [-1, 505],
      [26, 320],
      [9001, 320],
      [41, 320],
      [42, 320],
    ]);
    expect(client.errors()[3].message).toContain("lmtPrice 'NaN'");
  });

  it.each([
    ['a length of 0', Buffer.from([0, 0, 0, 0])],
    ['a length of 2 GB', Buffer.from([0x7f, 0xff, 0xff, 0xff])],
    ['no NUL at the end', Buffer.from([0, 0, 0, 3, 0x34, 0x39, 0x31])],
    ['no number at the head', frame('hello')],
    ['text that is not UTF-8', Buffer.from([0, 0, 0, 4, 0x34, 0x39, 0xff, 0])],
  ])('closes the connection at a malformed frame (%s), that one only', async (_, bytes) => {
    const { port, control } = await gateway();
    const other = await start(port, 1);
    const client = await start(port, 2);
    client.socket.write(bytes);
    await client.until(() => client.closed, 'the end');
    await other.barrier();
    expect(await eventually(() => control.status().clients.length, 1)).toBe(1);
    expect(control.status().clients[0].clientId).toBe(1);
  });

  it('closes a connection that begins with something else than a hello', async () => {
    const { port, control } = await gateway();
    for (const bytes of ['GET / HTTP/1.1\r\n\r\n', '63\0', 'API\0\0\0\0\0', 'API\0\0\0\0\x05hello']) {
      const client = await RawClient.open(port);
      client.socket.write(bytes);
      await client.until(() => client.closed, 'the end');
    }
    expect(await eventually(() => control.status().connections, 0)).toBe(0);
  });
});

describe('requests without a market', () => {
  it('answers every request with a message or an error, never with silence', async () => {
    const { port } = await gateway();
    const client = await start(port, 1);
    const options = ['', ''];
    const requests: readonly (readonly [
      name: string,
      answer: readonly string[],
      fields: readonly (string | number)[],
    ])[] = [
      ['reqMktDepth', ['4', '10092'], [10, 5, 201, ...SYN, 5, 0, '']],
      ['cancelMktDepth', ['4', '310'], [11, 1, 202, 0]],
      ['reqMktDepthExchanges', ['80', '0'], [82]],
      ['reqSmartComponents', ['82', '203'], [83, 203, 'a6']],
      ['reqNewsProviders', ['85', 'BRFG'], [85]],
      ['reqNewsArticle', ['4', '204'], [84, 204, 'BZ', 'x', '']],
      ['reqHistoricalNews', ['87', '205'], [86, 205, 1, 'BRFG', '', '', 10, '']],
      ['historical news of an unknown provider', ['4', '219'], [86, 219, 1, 'BRFG+BZ', '', '', 10, '']],
      ['reqFundamentalData', ['4', '206'], [52, 2, 206, 0, 'SYN', 'STK', 'SMART', '', 'USD', '', 'R', ...options]],
      ['calculateImpliedVolatility', ['4', '207'], [54, 3, 207, ...SYN, 1, 2, 0, '']],
      ['calculateOptionPrice', ['4', '208'], [55, 3, 208, ...SYN, 1, 2, 0, '']],
      ['reqSecDefOptParams', ['76', '209'], [78, 209, 'SYN', '', 'STK', 1]],
      ['reqScannerParameters', ['19', '1'], [24, 1]],
      ['reqScannerSubscription', ['4', '210'], [22, 210, 10, 'STK', 'STK.US', 'X', ...Array<string>(19).fill('')]],
      ['a scan', ['20', 'SYN'], [22, 218, 10, 'STK', 'STK.US', 'MOST_ACTIVE', 1, ...Array<string>(18).fill('')]],
      ['requestFA', ['4', '321'], [18, 1, 1]],
      ['replaceFA', ['4', '211'], [19, 1, 1, '<x/>', 211]],
      ['queryDisplayGroups', ['67', '212'], [67, 1, 212]],
      ['subscribeToGroupEvents', ['68', '213'], [68, 1, 213, 1]],
      ['reqSoftDollarTiers', ['77', '214'], [79, 214]],
      ['reqFamilyCodes', ['78', 'DU1234567'], [80]],
      ['reqWshMetaData', ['4', '215'], [100, 215]],
      ['reqWshEventData', ['4', '216'], [102, 216, 1, '', 0, 0, 0, '', '', '']],
      ['reqUserInfo', ['107', '217'], [104, 217]],
      ['verifyRequest', ['4', '321'], [65, 1, 'a', 'b']],
      ['reqIds', ['9', '1'], [8, 1, 1]],
      ['reqManagedAccts', ['15', 'DU1234567'], [17, 1]],
      ['reqCurrentTime', ['49', '1'], [49, 1]],
    ];
    for (const [name, [id, text], fields] of requests) {
      const before = client.frames.length;
      client.send(...fields);
      const answered = (): boolean =>
        client.frames.slice(before).some((answer) => answer[0] === id && answer.includes(text));
      await client.until(answered, `the answer to ${name}`);
      expect(answered()).toBe(true);
    }
  });

  it('answers the 51st message of a second with 100', async () => {
    const { port } = await gateway({ speed: 1 });
    const client = await start(port, 1);
    for (let i = 0; i < 80; i++) client.send(17, 1);
    await client.until(() => client.errors().length > 0, 'error 100');
    expect(client.errors()[0]).toMatchObject({ id: -1, code: 100 });
    expect(client.all('15').length).toBeLessThanOrEqual(51);
  });
});

describe('historical data', () => {
  it('in small bars is paced with 162; larger bars are not', async () => {
    const { port } = await gateway({ speed: 1 });
    const client = await start(port, 1);
    for (const [reqId, barSize] of [
      [301, '5 secs'],
      [302, '5 secs'],
      [303, '1 min'],
      [304, '1 min'],
    ])
      client.send(20, reqId, ...SYN, 0, '', barSize, '1800 S', 1, 'TRADES', 1, 0, '');
    await client.barrier();
    expect(client.errors().map(({ id, code }) => [id, code])).toEqual([[302, 162]]);
    expect(client.errors()[0].message).toContain('pacing violation');
    expect(client.all('17').map(([, reqId]) => reqId)).toEqual(['301', '303', '304']);
  });
});

describe('ports', () => {
  it.each([4001, 7496])('refuses to listen on %i, where real money trades', async (port) => {
    await expect(gatewayOf({ port })).rejects.toMatchObject({ code: 'GATEWAY_OPTIONS' });
  });

  it('says so where the port is taken', async () => {
    const { port } = await gateway();
    await expect(gatewayOf({ port })).rejects.toThrow(/another program listens/);
  });
});

/** The adapter around @stoqey/ib: what it needs of the library's inside is there, and Nagle and limiter are out of the way. */
import { Socket } from 'node:net';
import { EventName } from '@stoqey/ib';
import { afterEach, describe, expect, it } from 'vitest';
import { stoqeyConnection, type StoqeyConnection } from '#src/broker/stoqey.js';
import { ScriptedServer } from '../support/scripted-server.js';

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function connected(): Promise<{ server: ScriptedServer; connection: StoqeyConnection; noDelay: boolean[] }> {
  const server = await ScriptedServer.listen();
  open.push(() => server.close());
  const noDelay: boolean[] = [];
  const { setNoDelay } = Socket.prototype;
  Socket.prototype.setNoDelay = function watched(this: Socket, on?: boolean) {
    if (this.remotePort === server.port || this.connecting) noDelay.push(on ?? true);
    return setNoDelay.call(this, on);
  };
  const connection = stoqeyConnection(
    { host: '127.0.0.1', port: server.port, clientId: 7 },
    { bytes: () => {}, malformed: () => {}, handled: () => {}, undecodable: () => {}, closed: () => {} },
  );
  const ready = new Promise((resolve) => connection.api.once(EventName.nextValidId, resolve));
  connection.connect();
  Socket.prototype.setNoDelay = setNoDelay;
  open.push(async () => connection.reset());
  await ready;
  // the library lets commands through after its listeners
  await new Promise((resolve) => setImmediate(resolve));
  return { server, connection, noDelay };
}

describe('the inside of @stoqey/ib', () => {
  it('has its socket without Nagle', async () => {
    const { noDelay } = await connected();
    expect(noDelay).toEqual([true]);
  });

  it('sends at once, however much there is: we pace in front of it', async () => {
    const { server, connection } = await connected();
    let sent = 0;
    connection.api.on(EventName.sent, () => sent++);
    for (let n = 0; n < 500; n++) connection.api.reqCurrentTime();
    // in the very call
    expect(sent).toBe(500);
    const [client] = server.clients;
    const deadline = performance.now() + 20_000;
    while (client.received.length < 501 && performance.now() < deadline) await new Promise((r) => setTimeout(r, 5));
    expect(client.received.length).toBe(501);
  });

  it('a message in pieces of a byte, and many in one packet, are read alike', async () => {
    const { server, connection } = await connected();
    const times: number[] = [];
    connection.api.on(EventName.currentTime, (seconds: number) => times.push(seconds));
    const { frame } = await import('../support/gateway.js');
    const one = frame(49, 1, 1_704_205_801);
    for (const byte of one) server.clients[0].socket.write(Buffer.from([byte]));
    server.clients[0].socket.write(Buffer.concat(Array.from({ length: 50 }, () => frame(49, 1, 1_704_205_802))));
    const deadline = performance.now() + 20_000;
    while (times.length < 51 && performance.now() < deadline) await new Promise((r) => setTimeout(r, 5));
    expect(times).toEqual([1_704_205_801, ...Array.from({ length: 50 }, () => 1_704_205_802)]);
  });
});

/**
 * The one place that knows the inside of @stoqey/ib. From its parts that are not public we need: its socket (to turn
 * Nagle's algorithm off, to see every inbound byte, to reset), its limiter opened (we pace in front of it), and its
 * reading of frames replaced, because
 *  - a length below zero from the wire sends its loop round for ever,
 *  - a frame that its decoder throws at (a malformed advancedReject JSON) becomes an uncaughtException, and what it
 *    left in the decoder's queue garbles the next message.
 * test/broker/stoqey.test.ts holds the installed version to these expectations.
 */
import { Socket } from 'node:net';
import { IBApi } from '@stoqey/ib';
import { fail } from '#src/errors.js';

/** What the reference clients take for the longest message. */
const MOST_FRAME_BYTES = 0xff_ff_ff;
/** The library releases a tenth of it every 100 ms: so many that it never waits. */
const OPEN_LIMITER = 1e9;

/** A gateway that does not answer the end of a connection. */
const LONGEST_END_MS = 1_000;

export interface WireListener {
  /** Bytes came in, a whole message or not. */
  bytes(): void;
  /** The stream cannot be a gateway's: the connection is to be abandoned. */
  malformed(reason: string): void;
  /** A message has been read and all that it led to has happened. */
  handled(): void;
  /** The library could not decode this message; the ones after it are not harmed. */
  undecodable(fields: readonly string[], error: unknown): void;
  closed(): void;
}

export interface StoqeyConnection {
  readonly api: IBApi;
  /** Opens the socket. Listeners have to be on `api` before. */
  connect(): void;
  /** Gives the connection up at once (RST): the gateway frees the clientId, and nothing that waits is delivered. */
  reset(): void;
  /** Sends what is written, then FIN; resolves when the gateway has closed too, or is not waited for any longer. */
  end(): Promise<void>;
}

export function stoqeyConnection(
  { host, port, clientId }: { readonly host: string; readonly port: number; readonly clientId: number },
  listener: WireListener,
): StoqeyConnection {
  const api = new IBApi({ host, port, clientId, maxReqPerSec: OPEN_LIMITER });
  const controller = part(api, 'controller');
  const socket = part(controller, 'socket');
  const decoder = part(controller, 'decoder');
  const onMessage = method(socket, 'onMessage');
  method(socket, 'onData');
  if (!Array.isArray(Reflect.get(decoder, 'dataQueue'))) changed('decoder.dataQueue');

  const frames = new FrameReader();
  let over = false;
  Reflect.set(socket, 'onData', (chunk: Buffer): void => {
    if (over) return;
    listener.bytes();
    frames.push(chunk);
    for (;;) {
      const frame = frames.next();
      if (frame === null || over) return;
      if (typeof frame === 'string') {
        over = true;
        listener.malformed(frame);
        return;
      }
      const text = frame.toString('utf8');
      try {
        onMessage(text);
      } catch (error) {
        // what the decoder did not read would be taken for the next message
        Reflect.set(decoder, 'dataQueue', []);
        listener.undecodable(text.split('\0').slice(0, -1), error);
      }
      listener.handled();
    }
  });

  const stream = (): Socket | null => {
    const client: unknown = Reflect.get(socket, 'client');
    return client instanceof Socket ? client : null;
  };
  return {
    api,
    connect: () => {
      api.connect(clientId);
      const client = stream() ?? changed('controller.socket.client');
      client.setNoDelay(true);
      client.on('close', () => listener.closed());
    },
    reset: () => {
      over = true;
      const client = stream();
      if (client === null) return;
      // an error of a socket that nobody wants any more
      client.on('error', () => undefined);
      if (client.connecting) client.destroy();
      else client.resetAndDestroy();
    },
    end: () =>
      new Promise((resolve) => {
        over = true;
        const client = stream();
        if (client === null || client.destroyed) return resolve();
        client.on('error', () => undefined);
        const timer = setTimeout(() => client.destroy(), LONGEST_END_MS);
        client.once('close', () => {
          clearTimeout(timer);
          resolve();
        });
        if (client.connecting) client.destroy();
        else client.end();
      }),
  };
}

/** Cuts a stream into messages: u32BE length, then that many bytes, the last of them NUL. */
class FrameReader {
  #chunks: Buffer[] = [];
  #bytes = 0;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** The next whole message, null where there is none yet, or why this is no stream of messages. */
  next(): Buffer | null | string {
    if (this.#bytes < 4) return null;
    if (this.#chunks[0].length < 4) this.#join();
    const length = this.#chunks[0].readUInt32BE(0);
    if (length === 0 || length > MOST_FRAME_BYTES) return `a message of ${length} bytes`;
    if (this.#bytes < 4 + length) return null;
    if (this.#chunks[0].length < 4 + length) this.#join();
    const [head] = this.#chunks;
    const frame = head.subarray(4, 4 + length);
    const rest = head.subarray(4 + length);
    if (rest.length > 0) this.#chunks[0] = rest;
    else this.#chunks.shift();
    this.#bytes -= 4 + length;
    return frame[length - 1] === 0 ? frame : 'a message that does not end with NUL';
  }

  #join(): void {
    this.#chunks = [Buffer.concat(this.#chunks)];
  }
}

function part(owner: object, name: string): object {
  const found: unknown = Reflect.get(owner, name);
  return typeof found === 'object' && found !== null ? found : changed(name);
}

function method(owner: object, name: string): (text: string) => void {
  const found: unknown = Reflect.get(owner, name);
  if (typeof found !== 'function') return changed(name);
  return (text) => void Reflect.apply(found, owner, [text]);
}

function changed(what: string): never {
  return fail('BROKER_STATE', {
    where: '@stoqey/ib',
    value: what,
    message: 'the inside of the library has changed: install the version of package-lock.json',
  });
}

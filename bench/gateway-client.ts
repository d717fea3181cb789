/** A thin client for measurements: cuts the stream into frames, counts them, and keeps nothing. */
import { connect, type Socket } from 'node:net';

export class CountingClient {
  frames = 0;
  ticks = 0;
  bytes = 0;
  readonly socket: Socket;
  #rest: Buffer = Buffer.alloc(0);
  #waiting: (() => void) | null = null;
  #times = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (packet: Buffer) => this.#take(packet));
    // an error is followed by the close: whoever waits for an answer learns of it there
    socket.on('error', () => undefined);
    socket.on('close', () => this.#waiting?.());
  }

  /** Through hello and START_API, at server version 178. */
  static async start(port: number, clientId: number): Promise<CountingClient> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    const client = new CountingClient(socket);
    const range = 'v100..178';
    const head = Buffer.alloc(4);
    head.writeUInt32BE(range.length);
    socket.write(Buffer.concat([Buffer.from('API\0'), head, Buffer.from(range)]));
    client.send(71, 2, clientId, '');
    await client.barrier();
    return client;
  }

  send(...fields: readonly (string | number)[]): void {
    const text = Buffer.from(fields.map((field) => `${field}\0`).join(''));
    const head = Buffer.alloc(4);
    head.writeUInt32BE(text.length);
    this.socket.write(Buffer.concat([head, text]));
  }

  /** reqMktData, or reqTickByTickData of trades. */
  subscribe(reqId: number, symbol: string, what: 'quotes' | 'trades'): void {
    const contract = ['0', symbol, 'STK', '', '0', '', '', 'SMART', '', 'USD', '', ''];
    if (what === 'quotes') this.send(1, 11, reqId, ...contract, 0, '', 0, 0, '');
    else this.send(97, reqId, ...contract, 'AllLast', 0, 0);
  }

  /** A round trip of reqCurrentTime: all that was sent before has been handled. */
  async barrier(): Promise<void> {
    const before = this.#times;
    this.send(49, 1);
    while (this.#times === before) {
      if (this.socket.destroyed)
        throw new Error('the gateway closed the connection of a client that waits for an answer');
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }

  close(): void {
    this.socket.destroy();
  }

  #take(packet: Buffer): void {
    this.bytes += packet.length;
    const data = this.#rest.length === 0 ? packet : Buffer.concat([this.#rest, packet]);
    let at = 0;
    while (data.length - at >= 4) {
      const end = at + 4 + data.readUInt32BE(at);
      if (end > data.length) break;
      this.frames++;
      const id = data[at + 5] === 0 ? data[at + 4] - 48 : (data[at + 4] - 48) * 10 + data[at + 5] - 48;
      if (id === 1 || id === 2 || id === 45 || id === 46 || id === 99) this.ticks++;
      else if (id === 49) this.#times++;
      at = end;
    }
    this.#rest = data.subarray(at);
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.();
  }
}

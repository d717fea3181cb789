/** A small market for the simulated gateway, and a client that speaks bytes. */
import { connect, type Socket } from 'node:net';
import type { Bars } from '#env/market/bars.js';
import { usShare } from '#env/market/instrument.js';
import { parseInterval } from '#src/data/interval.js';
import { syntheticSchema } from '#src/data/manifest.js';
import { syntheticBars } from '#src/data/synthetic.js';
import { startGateway, type Gateway, type GatewayOptions } from '#src/gateway/start-gateway.js';

/** One-minute bars of NYSE sessions, one entry a symbol. SYNTHETIC. */
export function market(symbols: readonly string[], sessions: number): readonly Bars[] {
  return symbols.map((symbol, index) =>
    syntheticBars({
      ...syntheticSchema.parse({ seed: index + 1, from: '2024-01-02', sessions, start_price: 100 }),
      name: symbol.toLowerCase(),
      instrument: usShare(symbol),
      interval: parseInterval('1m', 'test'),
      calendar: 'XNYS',
    }),
  );
}

/** A gateway on a free port, two sessions of SYN unless told otherwise. */
export function gatewayOf(options: Partial<GatewayOptions> = {}): Promise<Gateway> {
  return startGateway({ bars: market(['SYN'], 2), port: 0, controlPort: null, account: 'DU1234567', ...options });
}

/** The first eleven of a contract's fields, and its trading class, as requests write them. */
export const SYN = ['0', 'SYN', 'STK', '', '0.0', '', '', 'SMART', '', 'USD', '', ''] as const;

export function frame(...fields: readonly (string | number)[]): Buffer {
  const text = Buffer.from(fields.map((field) => `${field}\0`).join(''));
  const head = Buffer.alloc(4);
  head.writeUInt32BE(text.length);
  return Buffer.concat([head, text]);
}

export function hello(range: string): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(range.length);
  return Buffer.concat([Buffer.from('API\0'), head, Buffer.from(range)]);
}

/** A placeOrder of server version 176. */
export function placeOrder176(
  orderId: number,
  order: {
    readonly action: string;
    readonly quantity: number | string;
    readonly orderType: string;
    readonly lmtPrice?: number | string;
    readonly auxPrice?: number | string;
    readonly tif?: string;
    readonly orderRef?: string;
    readonly parentId?: number;
    readonly transmit?: boolean;
  },
): readonly (string | number)[] {
  const fields: (string | number)[] = Array<string>(115).fill('');
  fields[0] = 3;
  fields[1] = orderId;
  for (const [index, field] of SYN.entries()) fields[2 + index] = field;
  fields[16] = order.action;
  fields[17] = order.quantity;
  fields[18] = order.orderType;
  fields[19] = order.lmtPrice ?? '';
  fields[20] = order.auxPrice ?? '';
  fields[21] = order.tif ?? 'DAY';
  fields[26] = order.orderRef ?? '';
  fields[27] = order.transmit === false ? 0 : 1;
  fields[28] = order.parentId ?? 0;
  return fields;
}

/** A client that sends bytes and keeps the frames that come back. */
export class RawClient {
  readonly frames: (readonly string[])[] = [];
  readonly socket: Socket;
  closed = false;
  #buffer: Buffer = Buffer.alloc(0);
  readonly #watchers = new Set<() => void>();

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (packet: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, packet]);
      let at = 0;
      while (this.#buffer.length - at >= 4 && this.#buffer.length - at - 4 >= this.#buffer.readUInt32BE(at)) {
        const end = at + 4 + this.#buffer.readUInt32BE(at);
        this.frames.push(this.#buffer.toString('utf8', at + 4, end - 1).split('\0'));
        at = end;
      }
      this.#buffer = this.#buffer.subarray(at);
      this.#notify();
    });
    // a reset by the gateway is one of the things that are tested
    socket.on('error', () => this.#notify());
    socket.on('close', () => {
      this.closed = true;
      this.#notify();
    });
  }

  static open(port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawClient(socket));
      });
    });
  }

  /** Through hello and START_API, to nextValidId. */
  static async start(port: number, clientId: number, range = 'v100..176'): Promise<RawClient> {
    const client = await RawClient.open(port);
    client.socket.write(hello(range));
    await client.until(() => client.frames.length > 0, 'the reply to the hello');
    client.send(71, 2, clientId, '');
    await client.until(() => client.all('9').length > 0, 'nextValidId');
    return client;
  }

  send(...fields: readonly (string | number)[]): void {
    this.socket.write(frame(...fields));
  }

  /** Messages of a type (the first field). The reply to the hello is none. */
  all(id: string): readonly (readonly string[])[] {
    return this.frames.slice(1).filter(([first]) => first === id);
  }

  /** Codes of the errors so far, notices left out. */
  errors(): readonly { readonly id: number; readonly code: number; readonly message: string }[] {
    return this.all('4')
      .map(([, , id, code, message]) => ({ id: Number(id), code: Number(code), message }))
      .filter(({ code }) => ![2104, 2106, 2158].includes(code));
  }

  /** The market data time: a round trip, after which everything sent before has been handled. */
  async barrier(): Promise<void> {
    const before = this.all('49').length;
    this.send(49, 1);
    await this.until(() => this.all('49').length > before, 'currentTime');
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    const deadline = performance.now() + 30_000;
    while (!condition()) {
      const left = deadline - performance.now();
      if (left <= 0)
        throw new Error(`${what} did not come; last frames: ${JSON.stringify(this.frames.slice(-5)).slice(0, 1000)}`);
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          this.#watchers.delete(done);
          resolve();
        };
        const timer = setTimeout(done, Math.min(left, 1_000));
        this.#watchers.add(done);
      });
    }
  }

  close(): void {
    this.socket.destroy();
  }

  #notify(): void {
    for (const watcher of this.#watchers) watcher();
  }
}

/** A server that says what a test tells it, byte for byte, over real sockets: for what no gateway should ever say. */
import { createServer, type Server, type Socket } from 'node:net';
import { frame } from './gateway.js';

export interface ScriptedClient {
  readonly socket: Socket;
  /** Messages of the client after its hello, each as its fields. */
  readonly received: (readonly string[])[];
  say(...fields: readonly (string | number)[]): void;
}

export class ScriptedServer {
  readonly clients: ScriptedClient[] = [];
  /** Called at every message of a client. Default: starts the API for whoever asks. */
  onMessage: (client: ScriptedClient, fields: readonly string[]) => void = (client, fields) =>
    this.start(client, fields);
  /** Called at the hello. Default: answers with version 176. */
  onHello: (client: ScriptedClient) => void = (client) => client.say(176, '20240102 09:30:00 UTC');
  readonly #server: Server;

  private constructor() {
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  static async listen(): Promise<ScriptedServer> {
    const server = new ScriptedServer();
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** START_API (71): accounts and order id; currentTime (49). True where it was one of these. */
  start(client: ScriptedClient, [type]: readonly string[], nextValidId = 1): boolean {
    if (type === '71') {
      client.say(15, 1, 'DU1234567');
      client.say(9, 1, nextValidId);
    } else if (type === '49') client.say(49, 1, 1_704_205_800);
    return type === '71' || type === '49';
  }

  async close(): Promise<void> {
    for (const { socket } of this.clients) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    const client: ScriptedClient = {
      socket,
      received: [],
      say: (...fields) => void socket.write(frame(...fields)),
    };
    this.clients.push(client);
    let buffer: Buffer = Buffer.alloc(0);
    let greeted = false;
    socket.on('data', (chunk: Buffer) => {
      buffer = Buffer.concat([buffer, chunk]);
      if (!greeted) {
        if (buffer.length < 8 || buffer.length < 8 + buffer.readUInt32BE(4)) return;
        buffer = buffer.subarray(8 + buffer.readUInt32BE(4));
        greeted = true;
        this.onHello(client);
      }
      while (buffer.length >= 4 && buffer.length >= 4 + buffer.readUInt32BE(0)) {
        const end = 4 + buffer.readUInt32BE(0);
        const fields = buffer.toString('utf8', 4, end - 1).split('\0');
        buffer = buffer.subarray(end);
        client.received.push(fields);
        this.onMessage(client, fields);
      }
    });
    // clients reset: that is what is tested
    socket.on('error', () => socket.destroy());
  }
}

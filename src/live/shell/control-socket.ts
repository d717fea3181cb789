/**
 * The runner's local socket: status and commands from another process of the same user, and the lock of the account: a
 * socket that answers belongs to a living runner, and a second one is refused. One line of JSON asks, one answers.
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { fail } from '#src/errors.js';
import type { Command } from '../core/events.js';

const ANSWER_WITHIN_MS = 5_000;
const MOST_LINE = 4_096;

const REQUEST = z.discriminatedUnion('ask', [
  z.strictObject({ ask: z.literal('status') }),
  z.strictObject({
    ask: z.literal('command'),
    kind: z.enum(['pause', 'resume', 'flatten', 'cancel-all', 'kill', 'shutdown']),
  }),
]);
export type ControlRequest = z.infer<typeof REQUEST>;

/** Short, since a socket's path has some hundred characters at most; in a folder of the user's own. */
export function controlSocketPath(account: string): string {
  if (process.platform === 'win32') return `\\\\.\\pipe\\openbell-${account}`;
  const folder = path.join(tmpdir(), `openbell-${userInfo().uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return path.join(folder, `${account}.sock`);
}

export class ControlSocket {
  readonly path: string;
  readonly #server: Server;

  private constructor(socketPath: string, server: Server) {
    this.path = socketPath;
    this.#server = server;
  }

  /** Throws LIVE_LOCK where a runner of this account is alive. */
  static async open(
    account: string,
    status: () => unknown,
    command: (command: Command) => void,
  ): Promise<ControlSocket> {
    const socketPath = controlSocketPath(account);
    if (existsSync(socketPath)) {
      const answer = await ask(socketPath, { ask: 'status' });
      if (answer !== null)
        fail('LIVE_LOCK', {
          where: socketPath,
          value: account,
          message: 'a runner of this account is alive: one account, one runner. openbell live status shows it',
        });
      rmSync(socketPath, { force: true });
    }
    const server = createServer((socket) => serve(socket, status, command));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause: NodeJS.ErrnoException) => {
        if (cause.code !== 'EADDRINUSE') return reject(cause);
        // somebody was quicker
        try {
          fail('LIVE_LOCK', {
            where: socketPath,
            value: account,
            message: 'another runner of this account has just started',
            cause,
          });
        } catch (error) {
          reject(error instanceof Error ? error : cause);
        }
      });
      server.listen(socketPath, resolve);
    });
    return new ControlSocket(socketPath, server);
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    rmSync(this.path, { force: true });
  }
}

function serve(socket: Socket, status: () => unknown, command: (command: Command) => void): void {
  socket.setTimeout(ANSWER_WITHIN_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  const lines = createInterface({ input: socket });
  lines.on('line', (line) => {
    const answer = line.length > MOST_LINE ? { error: 'the line is too long' } : answerTo(line, status, command);
    socket.end(`${JSON.stringify(answer)}\n`);
  });
}

function answerTo(line: string, status: () => unknown, command: (command: Command) => void): unknown {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return { error: 'this is not JSON' };
  }
  const request = REQUEST.safeParse(json);
  if (!request.success) return { error: `this is no request: ${z.prettifyError(request.error)}` };
  if (request.data.ask === 'command') command({ kind: request.data.kind });
  return { status: status() };
}

/** The runner's answer, or null where none is alive. */
export async function ask(socketPath: string, request: ControlRequest): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    socket.setTimeout(ANSWER_WITHIN_MS, () => {
      socket.destroy();
      resolve(null);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // no such socket, or one that a dead process left behind
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED' || error.code === 'ENOTSOCK') resolve(null);
      else reject(error);
    });
    socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`));
    createInterface({ input: socket }).on('line', (line) => {
      socket.destroy();
      resolve(JSON.parse(line));
    });
  });
}

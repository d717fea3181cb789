/**
 * A process that measures one thing. Each world and each training has a process of its own, as it has in use: what
 * the compiler learns of one does not slow down another. A request is a line of JSON, and so is its answer.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export class Child {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #answers: Interface;
  #complaints = '';
  #waiting: { resolve: (line: string) => void; reject: (reason: Error) => void } | null = null;
  #ended: Error | null = null;

  /** Adds `environment` to this process's own; what is undefined there is taken away. */
  constructor(
    command: string,
    args: readonly string[],
    environment: Readonly<Record<string, string | undefined>> = {},
  ) {
    this.#process = spawn(command, args, { env: { ...process.env, ...environment } });
    this.#process.stderr.on('data', (data: Buffer) => {
      this.#complaints = (this.#complaints + data.toString()).slice(-4000);
    });
    const end = (why: string): void => {
      this.#ended = new Error(`${command} ${args.join(' ')} ${why}\n${this.#complaints}`);
      this.#waiting?.reject(this.#ended);
      this.#waiting = null;
    };
    this.#process.on('error', ({ message }) => end(`does not start: ${message}`));
    this.#process.on('close', (status, signal) => end(`ended with ${signal ?? status}`));
    this.#process.stdin.on('error', () => undefined);
    this.#answers = createInterface({ input: this.#process.stdout });
    this.#answers.on('line', (line) => {
      this.#waiting?.resolve(line);
      this.#waiting = null;
    });
  }

  /** One request at a time. Throws what the process said on stderr where it ends instead of answering. */
  async ask<Answer>(request: object): Promise<Answer> {
    const line = await new Promise<string>((resolve, reject) => {
      if (this.#ended !== null) return reject(this.#ended);
      this.#waiting = { resolve, reject };
      this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    });
    return JSON.parse(line);
  }

  close(): void {
    this.#process.stdin.end();
  }
}

/** A process of OpenBell's own: see openbell.ts. */
export function openbellChild(): Child {
  return new Child(process.execPath, [fileURLToPath(new URL('openbell.js', import.meta.url))]);
}

/** The children take turns, one at a time, for `rounds` rounds; returns the samples of each. */
export async function interleaveChildren<Sample>(
  children: readonly Child[],
  request: (k: number) => object,
  rounds: number,
): Promise<Sample[][]> {
  const samples: Sample[][] = children.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [k, child] of children.entries()) samples[k].push(await child.ask<Sample>(request(k)));
  }
  return samples;
}

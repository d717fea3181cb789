/** Starts the process of one job and listens to it. */
import { fork, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fail } from '#src/errors.js';
import { packageRoot } from '../provenance.js';
import { tidingsSchema, type Order, type Tidings } from './messages.js';

/** Always the built file: a process cannot load TypeScript on every Node that is supported. */
const ENTRY = path.join(packageRoot, 'dist', 'src', 'lab', 'queue', 'job-process.js');
const KEPT_STDERR = 2_000;

/** How a process ended. crash: without a word; it may do better from its checkpoint. */
export type ChildEnd =
  | Extract<Tidings, { kind: 'ended' | 'error' }>
  | { readonly kind: 'crash'; readonly message: string };

export interface JobChild {
  readonly ended: Promise<ChildEnd>;
  /** Asks it to finish the update, write a checkpoint and end. */
  stop(): void;
}

export function startJobChild(order: Extract<Order, { kind: 'job' }>, onTidings: (tidings: Tidings) => void): JobChild {
  if (!existsSync(ENTRY))
    fail('JOB_FAILED', { where: 'process', value: ENTRY, message: 'the file is missing: npm run build' });
  // without the conditions and loaders of whoever runs this process
  const child = fork(ENTRY, [], { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let last: ChildEnd | null = null;
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-KEPT_STDERR);
  });
  child.on('message', (message: unknown) => {
    const tidings = tidingsSchema.parse(message);
    if (tidings.kind === 'ended' || tidings.kind === 'error') last = tidings;
    else onTidings(tidings);
  });
  const ended = new Promise<ChildEnd>((resolve) => {
    child.once('error', (error) => resolve({ kind: 'crash', message: `it could not be started: ${error.message}` }));
    child.once('close', (code, signal) =>
      resolve(last ?? { kind: 'crash', message: describeCrash(code, signal, stderr) }),
    );
  });
  send(child, order);
  return { ended, stop: () => send(child, { kind: 'stop' }) };
}

/** A process that is gone says so by its end: that it cannot be told anything is no news. */
function send(child: ChildProcess, order: Order): void {
  if (child.connected) child.send(order, () => undefined);
}

function describeCrash(code: number | null, signal: NodeJS.Signals | null, stderr: string): string {
  const how = signal === null ? `ended with code ${code}` : `was killed by ${signal}`;
  const said = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .find((line) => /error/i.test(line));
  return `its process ${how}${said === undefined ? '' : `: ${said}`}`;
}

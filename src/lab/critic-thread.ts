/** Starts the thread on which the critic learns (agents/policy/simd/critic-thread.ts). */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { CriticThreadHost } from '#agents/policy/simd/critic-thread.js';
import { fail, OpenBellError } from '#src/errors.js';
import { packageRoot } from './provenance.js';

/** Always the built file: a thread cannot load TypeScript on every Node that is supported. */
const ENTRY = path.join(packageRoot, 'dist', 'src', 'lab', 'critic-worker.js');

/** Two threads on one core would only wait for each other; the bits are those of one thread anyway. */
export async function criticThreadFor(threads: number): Promise<CriticThreadHost | null> {
  return threads < 2 || availableParallelism() < 2 ? null : startCriticThread();
}

/**
 * A thread that has loaded its code and waits for an engine. It keeps no process alive. Throws TRAIN_THREAD where it
 * does not come up.
 */
export async function startCriticThread(entry: string = ENTRY): Promise<CriticThreadHost> {
  const where = "the critic's thread";
  if (!existsSync(entry)) fail('TRAIN_THREAD', { where, value: entry, message: 'the file is missing: npm run build' });
  // without the conditions and loaders of whoever runs this process
  const worker = new Worker(entry, { name: 'critic', execArgv: [] });
  let failure: string | null = null;
  worker.on('error', (error) => (failure ??= `it failed: ${String(error)}`));
  worker.on('exit', (code) => (failure ??= `it ended with code ${code}`));
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve());
    const refuse = (): void =>
      reject(new OpenBellError('TRAIN_THREAD', { where, message: `${failure ?? 'it did not start'}: npm run build` }));
    worker.once('error', refuse);
    worker.once('exit', refuse);
  });
  worker.unref();
  return {
    serve: (setup) => worker.postMessage(setup),
    failure: () => failure,
    stop: () => void worker.terminate(),
    nowMs: () => performance.now(),
  };
}

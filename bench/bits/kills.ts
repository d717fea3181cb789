/** SIGKILL at a moment: at a time, when something first stands on the disk, or in the middle of a checkpoint's write. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { metricsLines, onlyRun, recordOf, type Running } from './processes.js';

export type Moment =
  /** Milliseconds after the process was started. */
  | { readonly kind: 'random'; readonly afterMs: number }
  /** As soon as the run's folder, its run.json or its first checkpoint is there. */
  | { readonly kind: 'first'; readonly sign: 'folder' | 'run.json' | 'checkpoint' }
  /** As soon as metrics.jsonl has so many lines. */
  | { readonly kind: 'progress'; readonly lines: number }
  /** While a checkpoint's temporary file is being written, after `passed` lines of metrics. */
  | { readonly kind: 'checkpoint'; readonly passed: number };

/** How things stood when the process was dead. */
export interface Struck {
  /** False: it had ended before. */
  readonly hit: boolean;
  /** null: there was no folder of a run. */
  readonly run: string | null;
  readonly hasRecord: boolean;
  readonly hasCheckpoint: boolean;
  readonly metricsLines: number;
  /** "last.safetensors.4711.tmp, 65536 bytes" */
  readonly temporary: string | null;
}

/** Kills the process at the moment, and waits until it is dead. */
export async function strike(running: Running, runsDir: string, moment: Moment): Promise<Struck> {
  if (moment.kind === 'random') await afterTime(running, moment.afterMs);
  else if (moment.kind === 'progress') await untilLines(running, runsDir, moment.lines);
  else if (moment.kind === 'first') await untilSign(running, runsDir, moment.sign);
  else await untilWriting(running, runsDir, moment.passed);
  running.child.kill('SIGKILL');
  const { signal } = await running.ended;
  const run = onlyRun(runsDir);
  return {
    hit: signal === 'SIGKILL',
    run,
    hasRecord: run !== null && recordOf(run) !== null,
    hasCheckpoint: run !== null && existsSync(path.join(run, 'checkpoints', 'last.safetensors')),
    metricsLines: run === null ? 0 : metricsLines(run),
    temporary: run === null ? null : temporaryIn(run),
  };
}

async function afterTime(running: Running, afterMs: number): Promise<void> {
  await Promise.race([new Promise((resolve) => setTimeout(resolve, afterMs)), running.ended]);
}

async function untilLines(running: Running, runsDir: string, lines: number): Promise<void> {
  while (!running.hasEnded()) {
    const run = onlyRun(runsDir);
    if (run !== null && metricsLines(run) >= lines) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function untilSign(running: Running, runsDir: string, sign: 'folder' | 'run.json' | 'checkpoint'): Promise<void> {
  const stands = (): boolean => {
    const run = onlyRun(runsDir);
    if (run === null) return false;
    if (sign === 'folder') return true;
    return existsSync(path.join(run, sign === 'run.json' ? 'run.json' : 'checkpoints/last.safetensors'));
  };
  await watch(running, stands);
}

/**
 * A look at the folder may come too late, so that the process is stopped first; where the temporary file still stands
 * then, it stands while the process is killed. Else the process goes on to its next checkpoint.
 */
async function untilWriting({ ...running }: Running, runsDir: string, passed: number): Promise<void> {
  const { child } = running;
  for (;;) {
    await watch(running, () => {
      const run = onlyRun(runsDir);
      return run !== null && temporaryIn(run) !== null && metricsLines(run) >= passed;
    });
    if (running.hasEnded()) return;
    child.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 3));
    const run = onlyRun(runsDir);
    if (run !== null && temporaryIn(run) !== null) return;
    child.kill('SIGCONT');
  }
}

/** Looks without a pause, in stretches short enough to notice that the process has ended. */
async function watch(running: Running, stands: () => boolean): Promise<void> {
  while (!running.hasEnded()) {
    const until = performance.now() + 10;
    while (performance.now() < until) if (stands()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function temporaryIn(run: string): string | null {
  const folder = path.join(run, 'checkpoints');
  if (!existsSync(folder)) return null;
  const name = readdirSync(folder).find((entry) => entry.endsWith('.tmp'));
  if (name === undefined) return null;
  const size = statSync(path.join(folder, name), { throwIfNoEntry: false })?.size;
  return size === undefined ? null : `${name}, ${size} bytes`;
}

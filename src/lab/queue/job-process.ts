/**
 * The process of one job: it is given the job, trains it as `openbell train` does, and tells how it goes. A crash here
 * takes this job alone. Where whoever started it dies, it writes a checkpoint and ends.
 */
import path from 'node:path';
import { existsSync } from 'node:fs';
import { OpenBellError } from '#src/errors.js';
import { checkpointFile } from '../checkpoint.js';
import { evaluateRun } from '../evaluate.js';
import { resumeTraining, train } from '../train.js';
import type { RunControls, TrainEvent, TrainOutcome } from '../training-run.js';
import { orderSchema, type Order, type Tidings } from './messages.js';

const PROGRESS_EVERY_MS = 200;

const stop = new AbortController();
const reached = new AbortController();

function tell(tidings: Tidings): void {
  if (process.connected) process.send?.(tidings);
}

/** Resolves once the message is on its way: the channel may be closed then. */
async function tellLast(tidings: Tidings): Promise<void> {
  if (!process.connected) return;
  await new Promise<void>((resolve) => process.send?.(tidings, undefined, undefined, () => resolve()));
}

async function work({ job, runsDir, directory, threads, argv }: Extract<Order, { kind: 'job' }>): Promise<void> {
  const target = job.stopAtTimesteps ?? Number.POSITIVE_INFINITY;
  const controls: RunControls = {
    threads,
    signal: AbortSignal.any([stop.signal, reached.signal]),
    onEvent: listener(target),
  };
  const trainAnew = (): Promise<TrainOutcome> => train({ config: job.config, runsDir, argv, ...controls });
  const outcome = directory === null ? await trainAnew() : await takeUp(directory, controls, trainAnew);
  const { timesteps } = outcome.result;
  const status = outcome.status === 'interrupted' && timesteps >= target ? 'paused' : outcome.status;
  let evaluation: string | null = null;
  if (job.evaluate && status === 'completed') {
    tell({ kind: 'evaluating' });
    const { folder } = await evaluateRun({ directory: outcome.directory });
    evaluation = path.relative(outcome.directory, folder);
  }
  await tellLast({ kind: 'ended', status, directory: outcome.directory, evaluation });
}

/** From the last checkpoint; where that is damaged from the one before it; where both are, from the beginning. */
async function takeUp(
  directory: string,
  controls: RunControls,
  trainAnew: () => Promise<TrainOutcome>,
): Promise<TrainOutcome> {
  const folder = path.join(directory, 'checkpoints');
  for (const name of ['last', 'previous'] as const) {
    const checkpoint = checkpointFile(folder, name);
    if (name === 'previous' && !existsSync(checkpoint)) continue;
    try {
      return await resumeTraining({ directory, checkpoint: name === 'last' ? null : checkpoint, ...controls });
    } catch (error) {
      if (!(error instanceof OpenBellError) || error.code !== 'CHECKPOINT_CORRUPT') throw error;
      tell({ kind: 'warning', message: `${checkpoint} is missing or damaged: going on without it` });
    }
  }
  return trainAnew();
}

function listener(target: number): (event: TrainEvent) => void {
  let toldMs = 0;
  return (event) => {
    switch (event.kind) {
      case 'started':
        if (event.fromTimesteps >= target) reached.abort();
        tell({ kind: 'started', directory: event.directory, fromTimesteps: event.fromTimesteps });
        break;
      case 'warning':
        tell(event);
        break;
      case 'update': {
        const { report, totalTimesteps, stepsPerSecond, remainingMs } = event;
        const { timesteps } = report;
        if (timesteps >= target) reached.abort();
        const isEnd = timesteps >= Math.min(totalTimesteps, target);
        if (performance.now() - toldMs < PROGRESS_EVERY_MS && !isEnd) return;
        toldMs = performance.now();
        tell({ kind: 'progress', timesteps, totalTimesteps, stepsPerSecond, remainingMs });
        break;
      }
      case 'evaluation':
        tell({ kind: 'score', timesteps: event.timesteps, score: event.score, isBest: event.isBest });
        break;
      case 'finished':
        break;
    }
  };
}

async function report(error: unknown): Promise<void> {
  const code = error instanceof OpenBellError ? error.code : null;
  const message =
    error instanceof Error ? (code === null ? (error.stack ?? error.message) : error.message) : String(error);
  process.exitCode = 1;
  await tellLast({ kind: 'error', code, message });
}

// Ctrl-C reaches every process of the terminal: the one that started this one decides
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => stop.abort());
process.on('disconnect', () => stop.abort());
process.on('message', (message: unknown) => {
  const order = orderSchema.parse(message);
  if (order.kind === 'stop') {
    stop.abort();
    return;
  }
  void work(order)
    .catch(report)
    .finally(() => {
      if (process.connected) process.disconnect();
    });
});

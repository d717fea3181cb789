/** What `openbell replay RUN` does. */
import { readRuntimeSettings } from '#src/config/runtime.js';
import { replayRun } from '#src/lab/replay.js';
import { replayText } from '#src/lab/replay-text.js';
import { findRun } from '#src/lab/run-directory.js';
import { progressListener, stderrOutput } from '../progress.js';

export interface ReplayArguments {
  run: string;
  threads?: 1 | 2 | undefined;
  into?: string | undefined;
  json: boolean;
}

export async function replay({ run, threads, into, json }: ReplayArguments): Promise<void> {
  const settings = readRuntimeSettings(process.env);
  const { directory } = findRun(run, settings.runsDir);
  const outcome = await replayRun({
    directory,
    threads: threads ?? null,
    into: into ?? null,
    onEvent: progressListener(stderrOutput(settings.logLevel)),
    signal: interruption(),
  });
  console.log(json ? JSON.stringify(outcome, null, 2) : replayText(outcome));
  if (!outcome.same) process.exitCode = 1;
}

/** Aborts on the first SIGINT or SIGTERM, so that the temporary place is removed; the second ends the process at once. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const stop = (): void => {
    for (const signal of signals) process.removeListener(signal, stop);
    controller.abort();
  };
  for (const signal of signals) process.once(signal, stop);
  return controller.signal;
}

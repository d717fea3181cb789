/** `openbell replay RUN` */
import type { CommandModule } from 'yargs';
import { readRuntimeSettings } from '#src/config/runtime.js';
import { replayRun } from '#src/lab/replay.js';
import { replayText } from '#src/lab/replay-text.js';
import { findRun } from '#src/lab/run-directory.js';
import { progressListener, stderrOutput } from './progress.js';

interface ReplayArguments {
  run: string;
  threads?: 1 | 2 | undefined;
  into?: string | undefined;
  json: boolean;
}

export const replayCommand: CommandModule<object, ReplayArguments> = {
  command: 'replay <run>',
  describe: 'Train a run again and compare it to the bit; exit 1 where it differs',
  builder: (yargs) =>
    yargs
      .positional('run', {
        type: 'string',
        demandOption: true,
        describe: 'Folder of a run, a checkpoint file, an experiment (its newest run), or latest',
      })
      .options({
        threads: {
          choices: [1, 2] as const,
          requiresArg: true,
          describe: 'Instead of training.threads: the bits are the same',
        },
        into: { type: 'string', requiresArg: true, describe: 'Keep the replay as a run under this folder' },
        json: { type: 'boolean', default: false, describe: 'Print the result as JSON' },
      })
      .example('$0 replay latest', '')
      .example('$0 replay quickstart --into /tmp/replays', 'Keep what it trains, to look into a difference'),
  handler: async ({ run, threads, into, json }) => {
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
  },
};

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

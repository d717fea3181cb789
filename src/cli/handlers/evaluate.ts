/** What `openbell evaluate RUN` does. */
import { readRuntimeSettings } from '#src/config/runtime.js';
import { fail } from '#src/errors.js';
import { evaluateRun } from '#src/lab/evaluate.js';
import { findRun } from '#src/lab/run-directory.js';

export interface EvaluateArguments {
  run: string;
  data?: string[];
  window?: 'test' | 'validation' | 'train';
  from?: string;
  to?: string;
  checkpoint?: 'best' | 'last';
  seed?: number;
  trials?: number;
  json: boolean;
  report: boolean;
}

export async function evaluate({ run, json, ...args }: EvaluateArguments): Promise<void> {
  const { runsDir } = readRuntimeSettings(process.env);
  const { directory, checkpoint: checkpointFile } = findRun(run, runsDir);
  const { data, window, from, to, checkpoint, seed, trials, report } = args;
  if (seed !== undefined && !(Number.isInteger(seed) && seed >= 0)) {
    fail('USAGE', { where: '--seed', value: seed, message: 'must be a whole number, 0 or more' });
  }
  if (trials !== undefined && !(Number.isSafeInteger(trials) && trials >= 1)) {
    fail('USAGE', { where: '--trials', value: trials, message: 'must be a whole number, 1 or more' });
  }
  const evaluated = await evaluateRun({
    directory,
    data,
    window,
    from,
    to,
    checkpoint,
    checkpointFile,
    seed,
    trials,
    report,
  });
  const { summary, text, folder, reportFile } = evaluated;
  if (json) {
    process.stdout.write(`${JSON.stringify({ ...summary, folder, report: reportFile }, null, 2)}\n`);
    return;
  }
  process.stdout.write(`${text}\n\nFigures: ${folder}\n`);
  if (reportFile !== null) process.stdout.write(`Report: ${reportFile}\n`);
}

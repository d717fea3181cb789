/** `openbell compare A B ...` */
import path from 'node:path';
import type { Argv, CommandModule } from 'yargs';
import { readRuntimeSettings } from '#src/config/runtime.js';
import { fail } from '#src/errors.js';
import { compareJson } from '#src/lab/compare-json.js';
import { compareRuns } from '#src/lab/compare-runs.js';
import { writeFileAtomic } from '#src/registry/files.js';
import { renderComparison } from '#src/report/compare-html.js';
import { compareText } from '#src/report/compare-text.js';

interface CompareArguments {
  runs: string[];
  baseline?: string;
  by?: 'symbol' | 'window';
  metric?: string;
  window?: string;
  seed?: number;
  evaluate: boolean;
  html: boolean;
  out?: string;
  json: boolean;
}

export const compareCommand = {
  command: 'compare <runs...>',
  describe: 'Compare experiments over all their seeds: what differs, intervals, and whether one beats the other',
  builder: (yargs: Argv) =>
    yargs
      .positional('runs', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'Experiments (all their seeds), runs, or groups such as new=RUN,RUN',
      })
      .options({
        baseline: {
          type: 'string',
          requiresArg: true,
          describe: 'What the others are compared with: one of them, hold, sma-cross or flat; default: the last',
        },
        by: { choices: ['symbol', 'window'] as const, describe: 'Keep symbols or windows apart, as tasks' },
        metric: { type: 'string', requiresArg: true, describe: 'What the verdict is about; default: sharpe' },
        window: {
          type: 'string',
          requiresArg: true,
          describe: 'Which evaluation: test (default), validation, or a folder under evaluation/',
        },
        evaluate: { type: 'boolean', default: false, describe: 'Evaluate the runs that have not been' },
        seed: { type: 'number', describe: 'Of the bootstrap; default: 1' },
        html: {
          type: 'boolean',
          default: false,
          describe: 'Write a page with plots: compare.html in the folder of runs',
        },
        out: { type: 'string', requiresArg: true, describe: 'Write that page here instead' },
        json: { type: 'boolean', default: false, describe: 'Print JSON' },
      })
      .example('$0 compare quickstart low-entropy', 'Two experiments, all their seeds')
      .example('$0 compare quickstart --baseline hold --html', 'An experiment against buy-and-hold, with plots'),
  handler: async ({ runs, html, out, json, window, by, seed, ...args }: CompareArguments) => {
    const { runsDir } = readRuntimeSettings(process.env);
    if (seed !== undefined && !(Number.isInteger(seed) && seed >= 0)) {
      fail('USAGE', { where: '--seed', value: seed, message: 'must be a whole number, 0 or more' });
    }
    const model = await compareRuns({
      runsDir,
      references: runs.map(String),
      evaluation: window,
      by: by ?? null,
      seed,
      baseline: args.baseline,
      metric: args.metric,
      evaluate: args.evaluate,
      onEvaluate: (run) => console.error(`evaluating ${run}`),
    });
    const page = out ?? (html ? path.join(runsDir, 'compare.html') : null);
    if (page !== null) writeFileAtomic(page, await renderComparison(model));
    if (json) {
      process.stdout.write(`${JSON.stringify({ ...compareJson(model), page }, null, 2)}\n`);
      return;
    }
    process.stdout.write(`${compareText(model)}\n${page === null ? '' : `\nPage: ${page}\n`}`);
  },
} satisfies CommandModule<object, CompareArguments>;

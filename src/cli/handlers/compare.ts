/** What `openbell compare A B ...` does. */
import path from 'node:path';
import { readRuntimeSettings } from '#src/config/runtime.js';
import { fail } from '#src/errors.js';
import { compareJson } from '#src/lab/compare-json.js';
import { compareRuns } from '#src/lab/compare-runs.js';
import { writeFileAtomic } from '#src/registry/files.js';
import { renderComparison } from '#src/report/compare-html.js';
import { compareText } from '#src/report/compare-text.js';

export interface CompareArguments {
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

export async function compare({ runs, html, out, json, window, by, seed, ...args }: CompareArguments): Promise<void> {
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
}

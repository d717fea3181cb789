/**
 * The walk-forwards of docs/walk-forward.md: five seeds on Apple's daily bars and SPY's minutes, through compare.
 *   npm run walk-forward -- [--seeds 5] [--experiment FILE]... [--doc FILE]
 * Runs go to OPENBELL_RUNS_DIR; what is trained there already is not trained again.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { loadExperiment } from '#src/config/load.js';
import { readRuntimeSettings } from '#src/config/runtime.js';
import { compareRuns } from '#src/lab/compare-runs.js';
import { parseSeeds } from '#src/lab/seeds.js';
import { planText, walkForwardText } from '#src/lab/walk-forward/text.js';
import { loadWalkForwardPlan, runWalkForward } from '#src/lab/walk-forward/walk-forward.js';
import { compareText } from '#src/report/compare-text.js';
import { writeIntoPage } from '../report.js';

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: '5' },
    experiment: { type: 'string', multiple: true },
    doc: { type: 'string' },
  },
});
const { runsDir } = readRuntimeSettings(process.env);
const files = options.experiment ?? ['experiments/aapl-1d-walk-forward.yaml', 'experiments/spy-1m-walk-forward.yaml'];

const fenced = (lines: readonly string[]): string => `\`\`\`\n${lines.join('\n')}\n\`\`\``;
const sections: string[] = [];
for (const file of files) {
  const { config } = loadExperiment(file);
  const outcome = await runWalkForward({
    config,
    seeds: parseSeeds(options.seeds, config.seed),
    runsDir,
    report: false,
    argv: process.argv.slice(2),
  });
  const plan = planText(await loadWalkForwardPlan(config));
  // the folder is the machine's, not the page's
  const text = walkForwardText(outcome).filter((line) => !line.startsWith('Record: '));
  const stitched = await compareRuns({ runsDir, references: [outcome.folder], baseline: 'hold' });
  const byWindow = await compareRuns({ runsDir, references: [outcome.folder], baseline: 'hold', by: 'window' });
  const verdict = (model: typeof stitched): string => compareText(model).split('\n').at(-1) ?? '';
  sections.push(
    `### ${config.name}`,
    fenced(readFileSync(file, 'utf8').trimEnd().split('\n').slice(1)),
    fenced(plan.flatMap((lines) => lines.split('\n'))),
    fenced(text),
    `Against buy-and-hold, stitched. ${verdict(stitched)}`,
    `Window by window. ${verdict(byWindow)}`,
  );
}
const page = sections.join('\n\n');
if (options.doc === undefined) process.stdout.write(`${page}\n`);
else {
  writeIntoPage(options.doc, 'walk-forwards', page);
  process.stderr.write(`${path.normalize(options.doc)} written\n`);
}

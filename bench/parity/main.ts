/**
 * Learning curves beside stable-baselines3's under equal settings, and the published scores. Exits 1 where the peer is
 * better, or a published score is not reproduced.
 *   npm run bench:parity -- [--quick] [--task NAME ...] [--side SIDE] [--seeds N] [--jobs N]
 *                           [--fresh] [--python PATH | --venv DIR] [--json] [--doc FILE | --no-doc]
 * What is stored under test/golden/parity is not trained again; --fresh does so. With --task, --side or --seeds a part
 * is trained and told, so that several terminals may share the work; the page is written by the whole.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { findPython } from '../peers/python.js';
import { ROOT, writeIntoPage, writePicture, writeResults } from '../report.js';
import { parityPicture, type CurvePair } from './picture.js';
import { publishedRows } from './published.js';
import { trainPublished, trainTask, type TrainOptions } from './sides.js';
import { compareCurves, MEASURES } from './statistics.js';
import { GOLDEN, SIDES } from './store.js';
import { parityTasks } from './tasks.js';
import { comparisonTable, judgePublished, madeText, publishedTable, settingsTable, spreadTable } from './text.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    task: { type: 'string', multiple: true },
    side: { type: 'string' },
    seeds: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    fresh: { type: 'boolean', default: false },
    python: { type: 'string' },
    venv: { type: 'string', default: process.env['OPENBELL_PEERS_VENV'] ?? path.join(ROOT, 'bench', 'peers', '.venv') },
    json: { type: 'boolean', default: false },
    doc: { type: 'string', default: path.join(ROOT, 'docs', 'validation.md') },
    'no-doc': { type: 'boolean', default: false },
  },
});
const { quick, task: onlyTasks, side: onlySide } = options;
const PICTURE = 'parity.svg';

function usage(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

const count = (name: string, given: string): number => {
  const value = Number(given);
  return Number.isInteger(value) && value > 0 ? value : usage(`--${name} ${given}: give a positive integer`);
};
const jobs = count('jobs', options.jobs);
const mostSeeds = options.seeds === undefined ? Number.POSITIVE_INFINITY : count('seeds', options.seeds);

const atMost = <Item extends { readonly seeds: number }>(item: Item): Item => ({
  ...item,
  seeds: Math.min(item.seeds, mostSeeds),
});
const tasks = parityTasks(quick).map(atMost);
const rows = publishedRows(quick).map(atMost);
const names = [...tasks, ...rows].map(({ name }) => name);
const unknown = onlyTasks?.find((name) => !names.includes(name));
if (unknown !== undefined) usage(`--task ${unknown}: choose among ${names.join(', ')}`);
if (onlySide !== undefined && !SIDES.some((side) => side === onlySide)) {
  usage(`--side ${onlySide}: choose one of ${SIDES.join(', ')}`);
}
let python: string | null | undefined;
const training: TrainOptions = {
  folder: quick ? path.join(ROOT, 'bench', 'results', 'parity-quick') : GOLDEN,
  quick,
  jobs,
  fresh: options.fresh || quick,
  python: () => {
    if (python === undefined) {
      const found = findPython(options);
      if ('missing' in found) process.stderr.write(`stable-baselines3 is not trained: ${found.missing}\n`);
      python = 'missing' in found ? null : found.python;
    }
    return python;
  },
  onProgress: (message) => process.stderr.write(`${message}\n`),
};
const isWanted = (name: string): boolean => onlyTasks === undefined || onlyTasks.includes(name);
const sides = SIDES.filter((side) => onlySide === undefined || side === onlySide);

const pairs: CurvePair[] = [];
for (const task of tasks.filter(({ name }) => isWanted(name))) {
  const trained = [];
  for (const side of sides) trained.push(await trainTask(task, side, training));
  const [openbell, peer] = trained;
  if (peer !== undefined && peer.seeds.length > 0) pairs.push([openbell, peer]);
}
const published = [];
for (const row of sides.includes('OpenBell') ? rows.filter(({ name }) => isWanted(name)) : []) {
  published.push(judgePublished(row, await trainPublished(row, training)));
}

const comparisons = pairs.flatMap(([openbell, peer]) =>
  MEASURES.map((measure) => compareCurves(openbell, peer, measure, quick ? 1000 : undefined)),
);
const isWhole = pairs.length === tasks.length && published.length === rows.length && options.seeds === undefined;
const files = [...pairs.flat(), ...published.map(({ curves }) => curves)];
const made = files.length === 0 ? '' : madeText('npm run bench:parity', files);
const publishedText = published.length === 0 ? '' : publishedTable(published);
const parityText =
  pairs.length === 0
    ? ''
    : [
        settingsTable(tasks.filter(({ name }) => pairs.some(([{ task }]) => task === name))),
        comparisonTable(comparisons),
        'Final scores, seed by seed:',
        spreadTable(pairs),
      ].join('\n\n');

const results = {
  quick,
  comparisons,
  published: published.map(({ curves, ...result }) => ({ ...result, scores: curves.seeds })),
};
if (options.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
else process.stdout.write(`${[publishedText, parityText, made].filter((text) => text !== '').join('\n\n')}\n`);
process.stderr.write(`wrote ${writeResults(quick ? 'parity-quick' : 'parity', results)}\n`);

// too short a training proves nothing: it only shows that everything runs
if (!quick) {
  const failed = comparisons.some(({ verdict }) => verdict === 'WORSE') || published.some((row) => !row.reproduced);
  if (failed) process.exitCode = 1;
  if (isWhole && !options['no-doc']) {
    const picture = writePicture(options.doc, PICTURE, await parityPicture(pairs));
    const image = `![Learning curves of OpenBell and stable-baselines3](${picture})`;
    writeIntoPage(options.doc, 'published scores', publishedText);
    writeIntoPage(options.doc, 'parity', [image, parityText, made].join('\n\n'));
  }
}

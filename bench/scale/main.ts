/**
 * What a training costs against bars, environments and hidden units: whole `openbell train`s on CSV files, a process
 * each, in turns. Exits 1 where ten million bars need more memory than promised.
 *   npm run bench:scale -- [--rounds 3] [--quick] [--json] [--doc FILE]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import {
  machineText,
  type Section,
  sectionText,
  thisMachine,
  verdictText,
  whole,
  writeIntoPage,
  writePicture,
  writeResults,
} from '../report.js';
import { median } from '../sampling.js';
import { reached, SCALE_TARGET, type Verdict } from '../targets.js';
import type { Cost } from './child.js';
import { type Point, scalePicture } from './picture.js';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    doc: { type: 'string' },
  },
});
const { quick } = options;
const rounds = quick ? 1 : Number(options.rounds);
if (!Number.isInteger(rounds) || rounds < 1) {
  process.stderr.write(`--rounds ${options.rounds}: give a whole number from 1\n`);
  process.exit(2);
}

const UPDATES = 12;
const DEFAULTS = { bars: 10_000, n_envs: 8, hidden: 64 };
type Setting = typeof DEFAULTS;

interface Case extends Setting {
  readonly axis: string;
  readonly at: number;
}

const STEPS_PER_ENV = 128;
const LARGEST_BATCH = 2048;

const along = (axis: string, key: keyof Setting, values: readonly number[]): Case[] =>
  values.map((value) => ({ ...DEFAULTS, [key]: value, axis, at: value }));

const CASES: readonly Case[] = [
  ...along('bars', 'bars', quick ? [1_000] : [1_000, 10_000, 100_000, 1_000_000, SCALE_TARGET.bars]),
  ...along('environments', 'n_envs', quick ? [4] : [1, 4, 16, 64, 256, 1024]),
  ...along('hidden units a layer', 'hidden', quick ? [16] : [16, 32, 64, 128, 256, 512]),
];

function experimentOf({ n_envs, hidden }: Setting, manifest: string): string {
  return stringify({
    name: 'scale',
    data: { datasets: [manifest], train: {}, validation: null, test: null },
    env: { id: 'market', episode: { length: 250, random_start: true } },
    agent: {
      n_steps: STEPS_PER_ENV,
      batch_size: Math.min(32 * n_envs, LARGEST_BATCH),
      net_arch: { pi: [hidden, hidden], vf: [hidden, hidden] },
      normalize: { observation: true, reward: true },
    },
    training: { n_envs, total_timesteps: UPDATES * STEPS_PER_ENV * n_envs, evaluate_every: null },
  });
}

function costOf(setting: Setting, manifest: string, folder: string): Cost {
  const experiment = path.join(folder, 'scale.yaml');
  writeFileSync(experiment, experimentOf(setting, manifest));
  const runs = path.join(folder, 'runs');
  const cost: Cost = JSON.parse(runScript('child.js', [experiment, runs]));
  rmSync(runs, { recursive: true, force: true });
  return cost;
}

/** What a script of this folder prints, in a process of its own. */
function runScript(name: string, args: readonly string[]): string {
  const script = fileURLToPath(new URL(name, import.meta.url));
  const child = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(`${name} ${args.join(' ')} failed: ${child.stderr}`);
  return child.stdout;
}

/** Every case once a round; the largest data set once in all. */
function measure(folder: string): Cost[][] {
  const costs: Cost[][] = CASES.map(() => []);
  const manifests = new Map<number, string>();
  for (let round = 0; round < rounds; round++) {
    for (const [k, setting] of CASES.entries()) {
      if (round > 0 && setting.bars === SCALE_TARGET.bars) continue;
      let manifest = manifests.get(setting.bars);
      if (manifest === undefined) {
        manifest = runScript('data.js', [folder, String(setting.bars)]);
        manifests.set(setting.bars, manifest);
      }
      const cost = costOf(setting, manifest, folder);
      costs[k].push(cost);
      process.stderr.write(`${setting.axis} ${whole(setting.at)}: ${whole(cost.stepsPerSecond)} steps/s\n`);
    }
  }
  return costs;
}

const folder = mkdtempSync(path.join(tmpdir(), 'openbell-scale-'));
let costs: Cost[][];
try {
  costs = measure(folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const mid = (k: number, value: (cost: Cost) => number): number => median(costs[k].map(value));
const points: Point[] = CASES.map(({ axis, at }, k) => ({
  axis,
  at,
  stepsPerSecond: mid(k, ({ stepsPerSecond }) => stepsPerSecond),
  peakMb: mid(k, ({ peakMb }) => peakMb),
}));
const largest = points.find(({ axis, at }) => axis === 'bars' && at === SCALE_TARGET.bars);
const verdicts: Verdict[] =
  largest === undefined
    ? []
    : [
        {
          what: `a training on ${whole(SCALE_TARGET.bars)} bars from CSV: peak memory of the process`,
          unit: 'GB',
          target: SCALE_TARGET.gigabytes,
          sense: 'under',
          measured: largest.peakMb / 1024,
        },
      ];
const section: Section = {
  name: 'scale',
  title: 'Cost curves',
  columns: ['along', 'value', 'steps/s', 'peak memory, MB', 'seconds to the first step'],
  rows: points.map(({ axis, at, stepsPerSecond, peakMb }, k) => [
    axis,
    whole(at),
    whole(stepsPerSecond),
    whole(peakMb),
    mid(k, ({ startSeconds }) => startSeconds).toFixed(1),
  ]),
  notes: [
    `What is not varied stands at ${whole(DEFAULTS.bars)} bars, ${DEFAULTS.n_envs} environments and two hidden layers of ${DEFAULTS.hidden}; ${STEPS_PER_ENV} steps an environment and update, minibatches of 32 rows an environment (at most ${whole(LARGEST_BATCH)}), 10 epochs, one thread. More environments make larger minibatches, which is where most of their gain comes from.`,
  ],
  verdicts,
  samples: { cases: CASES, costs },
};
const machine = thisMachine();
const text = [
  sectionText(section),
  ...(verdicts.length > 0 ? [verdictText(verdicts)] : []),
  `Made by \`npm run bench:scale\` on ${machineText(machine)}. Medians of ${rounds} rounds; the largest data set once.`,
].join('\n\n');
const results = { machine, quick, verdicts, sections: [section] };
process.stdout.write(options.json ? `${JSON.stringify(results, null, 2)}\n` : `${text}\n`);
process.stderr.write(`wrote ${writeResults(quick ? 'scale-quick' : 'scale', results)}\n`);
if (options.doc !== undefined && !quick) {
  const picture = writePicture(options.doc, 'performance-scale.svg', await scalePicture(points));
  writeIntoPage(
    options.doc,
    'scale',
    text.replace('### Cost curves\n', `### Cost curves\n\n![Steps a second and peak memory](${picture})\n`),
  );
}
if (!quick && !verdicts.every(reached)) process.exitCode = 1;
